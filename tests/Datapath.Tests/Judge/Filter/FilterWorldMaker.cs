using System;
using System.Collections.Generic;
using System.Linq;
using Genkan.Control.Model;
using Genkan.Wire;

namespace Genkan.Datapath.Tests.Judge.Filter;

/// <summary>
/// Makes a world with security groups, floating IPs, port forwards and source NAT from a seed. Linux tracks no
/// connections on this kernel's bridges, so nobody talks within a network: each packet crosses a router.
/// </summary>
internal sealed class FilterWorldMaker(int seed)
{
    /// <summary>Lowest of the transport ports that rules and packets choose from.</summary>
    public const int PortMin = 2_000;

    /// <summary>How many there are.</summary>
    public const int PortCount = 8;

    /// <summary>ESP: without ports, and the kernel tells of it without looking for a checksum.</summary>
    public const IpProtocol OtherProtocol = (IpProtocol)50;

    private const int Mtu = 1_500; // what is too long is the other judge's question

    private readonly Random _random = new(seed);

    public JudgedWorld Make()
    {
        List<JudgedNetwork> networks = [];
        List<JudgedPort> ports = [];
        string[] names = ["one", "two", "three"];
        int count = _random.Next(2, 4);
        for (int number = 1; number <= count; number++)
        {
            networks.Add(new JudgedNetwork(
                JudgedWorld.TenantOf(seed), number, Mtu, IpInterface.Parse($"10.{number}.0.1/24"),
                IpInterface.Parse($"2001:db8:{number}::1/64")));
        }

        foreach (JudgedNetwork network in networks)
        {
            int portCount = _random.Next(1, 3);
            for (uint i = 0; i < portCount; i++) ports.Add(Port(ports.Count + 1, network, i, names));
        }

        return new JudgedWorld(seed, [.. networks], [.. ports], [])
        {
            Groups = [.. names.Select(n => Group(n, names, ports))],
            Outside = Outside(ports),
        };
    }

    private JudgedPort Port(int number, JudgedNetwork network, uint index, string[] groups) => new(
        number,
        network,
        new MacAddress(0x02_00_00_00_01_00UL + (uint)number),
        network.Gateway4.Prefix.Host(2 + index),
        network.Gateway6.Prefix.Host((UInt128)(2 + index)))
    {
        Groups = OneIn(6) ? [] : [.. groups.OrderBy(_ => _random.Next()).Take(_random.Next(1, 3))],
    };

    private SecurityGroup Group(string name, string[] names, List<JudgedPort> ports)
    {
        List<SecurityGroupRule> rules = [];
        int count = _random.Next(3, 9);
        for (int i = 0; i < count; i++) rules.Add(Rule(names, ports));
        bool allLeaves = OneIn(2);
        if (allLeaves) rules.RemoveAll(static r => r.Direction == Direction.Egress);
        return new SecurityGroup { Name = name, DefaultEgress = allLeaves, Rules = [.. rules.Distinct()] };
    }

    private SecurityGroupRule Rule(string[] groups, List<JudgedPort> ports)
    {
        bool isIpv6 = OneIn(3);
        SecurityGroupRule rule = new()
        {
            Direction = OneIn(3) ? Direction.Egress : Direction.Ingress,
            EtherType = OneIn(4) ? null : isIpv6 ? EtherType.Ipv6 : EtherType.Ipv4,
        };
        rule = _random.Next(4) switch
        {
            0 => rule with { RemoteIpPrefix = Prefix(isIpv6, ports), EtherType = null },
            1 => rule with { RemoteGroup = groups[_random.Next(groups.Length)] },
            _ => rule,
        };
        return _random.Next(7) switch
        {
            0 or 1 => WithPorts(rule with { Protocol = IpProtocol.Tcp }),
            2 or 3 => WithPorts(rule with { Protocol = IpProtocol.Udp }),
            4 or 5 => WithType(rule with { Protocol = IpProtocol.Icmp, EtherType = rule.Family ?? EtherType.Ipv4 }),
            _ => rule with { Protocol = OneIn(2) ? null : OtherProtocol },
        };
    }

    private SecurityGroupRule WithPorts(SecurityGroupRule rule)
    {
        if (OneIn(3)) return rule;
        int first = PortMin + _random.Next(PortCount);
        int last = Math.Min(first + _random.Next(4), PortMin + PortCount);
        return rule with { PortRangeMin = (ushort)first, PortRangeMax = (ushort)last };
    }

    private SecurityGroupRule WithType(SecurityGroupRule rule)
    {
        if (OneIn(3)) return rule;
        byte request = rule.Family == EtherType.Ipv6 ? (byte)128 : (byte)8;
        byte type = OneIn(4) ? (byte)(rule.Family == EtherType.Ipv6 ? 129 : 0) : request;
        return rule with { IcmpType = type, IcmpCode = OneIn(3) ? (byte)0 : null };
    }

    private IpPrefix Prefix(bool isIpv6, List<JudgedPort> ports)
    {
        JudgedPort port = ports[_random.Next(ports.Count)];
        string[] far = isIpv6
            ? ["2600::/16", "2600::1/128", "2001:db8::/32"]
            : ["8.8.0.0/16", "9.9.9.9/32", "10.0.0.0/8"];
        return _random.Next(4) switch
        {
            0 => isIpv6 ? port.Network.Gateway6.Prefix : port.Network.Gateway4.Prefix,
            1 => isIpv6 ? new IpPrefix(port.Address6, 128) : new IpPrefix(port.Address4, 32),
            _ => IpPrefix.Parse(far[_random.Next(far.Length)]),
        };
    }

    private JudgedOutside Outside(List<JudgedPort> ports)
    {
        JudgedNetwork link = new(
            "outside", 0, Mtu, IpInterface.Parse("203.0.113.2/30"), IpInterface.Parse("2001:db9:ffff::2/64"));
        JudgedPort isp = new(
            0, link, new MacAddress(0x02_00_00_00_02_00UL), IpAddress.Parse("203.0.113.1"),
            IpAddress.Parse("2001:db9:ffff::1"))
        {
            Name = "isp0",
        };
        IpAddress own = IpAddress.Parse("198.51.100.10");
        bool isSnatEnabled = !OneIn(3);
        List<(IpAddress, JudgedPort)> floating = [];
        List<(PortForward, JudgedPort)> forwards = [];
        foreach (JudgedPort port in ports)
        {
            if (OneIn(3))
            {
                floating.Add((IpAddress.Parse($"198.51.100.{20 + port.Number}"), port));
                continue;
            }

            if (OneIn(3)) continue;
            IpAddress address = isSnatEnabled && OneIn(2) ? own : IpAddress.Parse("198.51.100.40");
            forwards.Add((
                new PortForward(
                    address, OneIn(2) ? IpProtocol.Tcp : IpProtocol.Udp, (ushort)(80 + port.Number), port.Name,
                    (ushort)(PortMin + _random.Next(PortCount))),
                port));
        }

        return new JudgedOutside(isp, own, isSnatEnabled, [.. floating], [.. forwards]);
    }

    private bool OneIn(int count) => _random.Next(count) == 0;
}
