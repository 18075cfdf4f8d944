using System;
using System.Collections.Generic;
using System.Linq;
using Genkan.Datapath.Netlink;
using Genkan.Testing.Kernel;
using Genkan.Testing.Reference;
using Genkan.Wire;
using Shouldly;

namespace Genkan.Datapath.Tests.Reference;

/// <summary>
/// The namespace in which the programs run: two host veths that stand for uplinks, a third device that stands for none,
/// one with a small MTU, and routes in a table of their own. Its rows tell the interpreter of it.
/// </summary>
internal sealed class Laboratory : IDisposable
{
    public const uint Host0 = 3, Host1 = 5, Stranger = 7, Narrow = 9;
    public const uint Table = 100;

    private const string Known = "fe", Unknown = "fd";

    private static readonly ulong[] Macs = [0x02aa_0000_0001, 0x02aa_0000_0002, 0x02aa_0000_0003, 0x02aa_0000_0004];
    private static readonly MacAddress Gateway = MacAddress.Parse("02:bb:00:00:00:fe");

    private readonly RouteSocket _route;

    public Laboratory()
    {
        Namespace = new Netns();
        _route = Namespace.Run(() => new RouteSocket());
        uint[] expected = [Host0, Host1, Stranger, Narrow];
        for (int i = 0; i < expected.Length; i++) AddDevice(i).ShouldBe(expected[i], "the rows name these devices");
        foreach (RouteRow row in Routes) AddRoute(row);
    }

    public Netns Namespace { get; }

    public static IReadOnlyList<DeviceRow> Devices { get; } =
    [
        new(1, 65536), new(Host0, 1500), new(Host1, 1500), new(Stranger, 1500), new(Narrow, 1300),
    ];

    public static IReadOnlyList<RouteRow> Routes { get; } =
    [
        Row("0.0.0.0/0", RouteResult.Known, Host0), Row("203.0.113.0/24", RouteResult.Unresolved, Host0),
        Row("198.18.0.0/16", RouteResult.Blackhole), Row("198.19.0.0/16", RouteResult.Reject),
        Row("100.64.0.0/16", RouteResult.Known, Host1), Row("100.65.0.0/16", RouteResult.Known, Stranger),
        Row("::/0", RouteResult.Known, Host0), Row("2001:db8:9::/48", RouteResult.Unresolved, Host0),
        Row("2001:db8:a::/48", RouteResult.Blackhole), Row("2001:db8:b::/48", RouteResult.Reject),
        Row("2001:db8:c::/48", RouteResult.Known, Host1), Row("2001:db8:d::/48", RouteResult.Known, Stranger),
    ];

    public void Dispose()
    {
        _route.Dispose();
        Namespace.Dispose();
    }

    public static UInt128 Number(string address)
    {
        IpAddress parsed = IpAddress.Parse(address);
        return parsed.IsIpv4 ? (UInt128)parsed.ToIpv4() << 96 : parsed.Value;
    }

    private static RouteRow Row(string prefix, RouteResult result, uint ifindex = 0)
    {
        IpPrefix parsed = IpPrefix.Parse(prefix);
        string address = prefix[..prefix.IndexOf('/', StringComparison.Ordinal)];
        return new RouteRow(
            Table, !parsed.IsIpv4, Number(address), parsed.LengthBits, result, ifindex, 0x02bb_0000_00fe,
            ifindex == 0 ? 0 : Macs[(ifindex - Host0) / 2]);
    }

    private static string Network(uint ifindex, bool v6) => v6 ? $"2001:db8:2:{ifindex}::" : $"192.0.{ifindex}.";

    private uint AddDevice(int number)
    {
        string name = $"h{number}";
        MacAddress mac = MacAddress.FromOctets(FrameMaker.Number(Macs[number], 6));
        _route.CreateVeth(new VethEnd(name) { Mac = mac }, new VethEnd($"x{number}"));
        int ifindex = _route.FindLink(name).ShouldNotBeNull().Ifindex;
        int mtu = (int)(Devices.FirstOrDefault(d => d.Ifindex == ifindex)?.Mtu ?? 1500);
        _route.SetLink(ifindex, new LinkSettings { IsUp = true, MtuOctets = mtu });
        _route.SetLink(_route.FindLink($"x{number}").ShouldNotBeNull().Ifindex, new LinkSettings { IsUp = true });
        Namespace.Run(() => InterfaceSysctl.SetForwarding(name, ipv4: true, ipv6: true));
        _route.AddAddress(ifindex, IpInterface.Parse($"{Network((uint)ifindex, v6: false)}1/24"));
        _route.AddAddress(ifindex, IpInterface.Parse($"{Network((uint)ifindex, v6: true)}1/64"));
        _route.SetNeighbour(ifindex, Via((uint)ifindex, v6: false, isKnown: true), Gateway);
        _route.SetNeighbour(ifindex, Via((uint)ifindex, v6: true, isKnown: true), Gateway);
        return (uint)ifindex;
    }

    private static IpAddress Via(uint ifindex, bool v6, bool isKnown) => IpAddress.Parse(
        Network(ifindex, v6) + (v6 ? isKnown ? Known : Unknown : isKnown ? "254" : "253"));

    private void AddRoute(RouteRow row)
    {
        IpAddress address = IpAddress.FromOctets(FrameMaker.Number(row.Address, 16).AsSpan(0, row.IsIpv6 ? 16 : 4));
        bool leads = row.Result is RouteResult.Known or RouteResult.Unresolved;
        _route.AddRoute(new Route(new IpPrefix(address, row.LengthBits))
        {
            Table = row.Table,
            Kind = row.Result switch
            {
                RouteResult.Blackhole => RouteKind.Blackhole,
                RouteResult.Reject => RouteKind.Unreachable,
                _ => RouteKind.Unicast,
            },
            Via = leads ? Via(row.Ifindex, row.IsIpv6, row.Result == RouteResult.Known) : null,
            Ifindex = leads ? (int)row.Ifindex : 0,
        });
    }
}
