using System;
using System.Collections.Generic;
using System.Collections.Immutable;
using Genkan.Overlay.Topology;
using Genkan.Wire;

namespace Genkan.Datapath.Tests.Judge;

/// <summary>Makes a world from a seed.</summary>
internal sealed class JudgedWorldMaker(int seed)
{
    /// <summary>Prefixes that static routes lead to; they contain one another.</summary>
    public static readonly ImmutableArray<IpPrefix> Far =
    [
        IpPrefix.Parse("172.16.0.0/12"), IpPrefix.Parse("172.16.5.0/24"), IpPrefix.Parse("172.16.5.7/32"),
        IpPrefix.Parse("172.16.4.0/23"), IpPrefix.Parse("203.0.113.0/25"), IpPrefix.Parse("0.0.0.0/0"),
        IpPrefix.Parse("2001:db8:f000::/36"), IpPrefix.Parse("2001:db8:f000:5::/64"),
        IpPrefix.Parse("2001:db8:f000:5::7/128"), IpPrefix.Parse("::/0"),
    ];

    private static readonly int[] Mtus = [1280, 1292, 1400, 1499, 1500];

    private readonly Random _random = new(seed);

    public JudgedWorld Make()
    {
        List<JudgedNetwork> networks = [];
        List<JudgedPort> ports = [];
        int count = _random.Next(2, 5);
        for (int number = 1; number <= count; number++)
        {
            JudgedNetwork network = Network(number);
            networks.Add(network);
            AddPorts(network, ports);
        }

        List<JudgedRoute> routes = [];
        foreach (IpPrefix prefix in Far)
        {
            if (_random.Next(3) != 0) routes.Add(Route(prefix, ports));
        }

        return new JudgedWorld(seed, [.. networks], [.. ports], [.. routes]);
    }

    private JudgedNetwork Network(int number)
    {
        int length = Pick(16, 24, 24, 28, 29);
        IpPrefix prefix4 = IpPrefix.Parse($"10.{number}.0.0/{length}");
        IpPrefix prefix6 = IpPrefix.Parse($"2001:db8:{number}::/64");
        uint last = (1u << (32 - length)) - 2;
        uint gateway = _random.Next(2) == 0 ? 1 : last;
        return new JudgedNetwork(
            JudgedWorld.TenantOf(seed),
            number,
            Pick(Mtus),
            new IpInterface(prefix4.Host(gateway), length),
            new IpInterface(prefix6.Host((UInt128)gateway), 64));
    }

    private void AddPorts(JudgedNetwork network, List<JudgedPort> ports)
    {
        int count = _random.Next(1, 4);
        for (uint i = 0; i < count; i++)
        {
            int number = ports.Count + 1;
            ports.Add(new JudgedPort(
                number,
                network,
                new MacAddress(0x02_00_00_00_01_00UL + (uint)number),
                network.Gateway4.Prefix.Host(2 + i),
                network.Gateway6.Prefix.Host((UInt128)(2 + i))));
        }
    }

    private JudgedRoute Route(IpPrefix prefix, List<JudgedPort> ports) => _random.Next(6) switch
    {
        0 => new JudgedRoute(prefix, RouteTarget.Blackhole, null),
        1 => new JudgedRoute(prefix, RouteTarget.Reject, null),
        _ => new JudgedRoute(prefix, RouteTarget.Port, ports[_random.Next(ports.Count)]),
    };

    private T Pick<T>(params T[] values) => values[_random.Next(values.Length)];
}
