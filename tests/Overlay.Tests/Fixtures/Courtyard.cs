using System.Collections.Generic;
using System.Linq;
using Genkan.Overlay.Topology;
using Genkan.Wire;

namespace Genkan.Overlay.Tests.Fixtures;

/// <summary>
/// Two tenants on two hosts: red has 10.0.1.0/24 (red-a on hv1, red-b on gw1) and 10.0.2.0/24 (red-c on hv1), a router
/// with source NAT and red-a's floating IP; blue has the same 10.0.1.0/24 (blue-a on hv1, blue-b on gw1) and a router
/// without an outside. The provider router's uplink is on gw1.
/// </summary>
internal static class Courtyard
{
    public const string Web = "security group red/web, ingress";

    public static readonly ObjectId Gw1 = ObjectId.Of("host", "gw1");
    public static readonly ObjectId Hv1 = ObjectId.Of("host", "hv1");
    public static readonly ObjectId Pool = ObjectId.Of("nat", "red/router");
    public static readonly ObjectId Public = ObjectId.Of("external-network", "public");
    public static readonly ObjectId RedRouter = Device("red/router");
    public static readonly IpAddress NatAddress = IpAddress.Parse("198.51.100.10");
    public static readonly IpAddress FloatingAddress = IpAddress.Parse("198.51.100.20");

    public static TopologyParts Parts { get; } = Make();

    public static ObjectId Port(string name) => ObjectId.Of("port", name);

    public static ObjectId Device(string name) => ObjectId.Of("device", name);

    public static ObjectId ChainId(string name) => ObjectId.Of("chain", name);

    public static MacAddress Mac(string name) => Parts.Ports.First(p => p.Id == Port(name)).Mac;

    public static TopologySnapshot Snapshot(ObjectId host) => Snapshot(host, Parts);

    public static TopologySnapshot Snapshot(ObjectId host, TopologyParts parts)
    {
        TopologySnapshot.TryCreate(parts, host, 1, out TopologySnapshot? snapshot,
            out IReadOnlyList<TopologyFault> faults);
        return snapshot ?? throw new Xunit.Sdk.XunitException(string.Join("\n", faults));
    }

    public static VirtualPort Vm(string tenant, string name, string network, string host, string mac,
        params string[] addresses) =>
        new(
            Port($"{tenant}/{name}"), $"{tenant}/{name}", Device($"{tenant}/{network}"), PortRole.Exterior,
            MacAddress.Parse(mac),
            [.. addresses.Select(a => new IpInterface(IpAddress.Parse(a), a.Contains(':') ? 64 : 24))],
            ObjectId.None, new PortBinding(ObjectId.Of("host", host), name, 0), true, true,
            [.. addresses.Select(a => new AddressPair(MacAddress.Parse(mac), HostPrefix(a)))],
            ChainId($"{tenant}/out"), ChainId(name == "red-a" ? "red/in-web" : $"{tenant}/in"));

    public static VirtualPort Interior(string name, string device, string peer, string? mac,
        params string[] addresses) => new(
        Port(name), name, Device(device), PortRole.Interior, mac is null ? MacAddress.Zero : MacAddress.Parse(mac),
        [.. addresses.Select(a => IpInterface.Parse(a))], Port(peer), null, true, false, [], ObjectId.None,
        ObjectId.None);

    public static Route Via(string prefix, string port, string? gateway = null) => new(
        IpPrefix.Parse(prefix), RouteTarget.Port, Port(port),
        gateway is null
            ? (prefix.Contains(':') ? IpAddress.Unspecified6 : IpAddress.Unspecified4) : IpAddress.Parse(gateway), 0);

    public static Route To(string prefix, RouteTarget target) => new(
        IpPrefix.Parse(prefix), target, ObjectId.None,
        prefix.Contains(':') ? IpAddress.Unspecified6 : IpAddress.Unspecified4, 0);

    public static TopologyParts With(this TopologyParts parts, VirtualPort port) =>
        parts with { Ports = [.. parts.Ports.Where(p => p.Id != port.Id), port] };

    public static TopologyParts With(this TopologyParts parts, Router router) =>
        parts with { Routers = [.. parts.Routers.Where(r => r.Id != router.Id), router] };

    public static TopologyParts With(this TopologyParts parts, Bridge bridge) =>
        parts with { Bridges = [.. parts.Bridges.Where(b => b.Id != bridge.Id), bridge] };

    public static TopologyParts With(this TopologyParts parts, Chain chain) =>
        parts with { Chains = [.. parts.Chains.Where(c => c.Id != chain.Id), chain] };

    public static VirtualPort PortOf(this TopologyParts parts, string name) =>
        parts.Ports.First(p => p.Id == Port(name));

    public static Router RouterOf(this TopologyParts parts, string name) =>
        parts.Routers.First(r => r.Id == Device(name));

    private static IpPrefix HostPrefix(string address) =>
        new(IpAddress.Parse(address), address.Contains(':') ? 128 : 32);

    private static Subnet SubnetOf(string prefix, string gateway, string dns, string domain) => new(
        IpPrefix.Parse(prefix), IpAddress.Parse(gateway), IpAddress.Parse(gateway), true, [IpAddress.Parse(dns)],
        domain, [], [], 3600);

    private static TopologyParts Make() => new(
        [
            new Host(Gw1, "gw1", IpAddress.Parse("192.0.2.11")),
            new Host(Hv1, "hv1", IpAddress.Parse("192.0.2.12")),
        ],
        [
            new Bridge(Device("red/red-1"), "red/red-1", 1500, true,
            [
                SubnetOf("10.0.1.0/24", "10.0.1.1", "198.18.0.10", "red.example"),
                SubnetOf("2001:db8:1:1::/64", "2001:db8:1:1::1", "2001:db8::53", "red.example"),
            ]),
            new Bridge(Device("red/red-2"), "red/red-2", 1400, true,
                [SubnetOf("10.0.2.0/24", "10.0.2.1", "198.18.0.10", "red.example")]),
            new Bridge(Device("blue/blue-1"), "blue/blue-1", 1500, true,
                [SubnetOf("10.0.1.0/24", "10.0.1.1", "198.18.0.10", "blue.example")]),
        ],
        [RedRouterOf(), BlueRouterOf(), ProviderOf()],
        [.. PortsOf()],
        [.. ChainsOf()],
        [
            new AddressGroup(ObjectId.Of("group", "red/base"), "red/base",
                [.. new[] { "10.0.1.11", "10.0.1.12", "10.0.2.11", "2001:db8:1:1:f816:3eff:fe00:111",
                    "2001:db8:1:1:f816:3eff:fe00:112" }.Select(a => IpAddress.Parse(a))]),
        ],
        [
            new ExternalNetwork(Public, "public", Device("provider"),
                [IpPrefix.Parse("198.51.100.0/24"), IpPrefix.Parse("2001:db8:1::/48")],
                [new Uplink(Port("provider/isp"), Gw1, "isp0", 0, [IpInterface.Parse("203.0.113.2/30")],
                    [IpAddress.Parse("203.0.113.1")], 1000)]),
        ]);

    private static Router RedRouterOf() => new(
        RedRouter, "red/router", true,
        [
            Via("10.0.1.0/24", "red/router-1"), Via("2001:db8:1:1::/64", "red/router-1"),
            Via("10.0.2.0/24", "red/router-2"),
            Via("0.0.0.0/0", "red/gateway"), Via("::/0", "red/gateway"),
            To("10.9.0.0/16", RouteTarget.Blackhole), To("10.8.0.0/16", RouteTarget.Reject),
        ],
        [new FloatingIp(ObjectId.Of("floating-ip", "198.51.100.20"), FloatingAddress, IpAddress.Parse("10.0.1.11"),
            Port("red/gateway"))],
        new SourceNat(Pool, Port("red/gateway"),
        [
            new NatBlockLease(NatAddress, 1024, 32767, Gw1),
            new NatBlockLease(NatAddress, 32768, 65535, Hv1),
        ]),
        [
            new PortForward(ObjectId.Of("port-forward", "8080"), IpAddress.Parse("198.51.100.30"), IpProtocol.Tcp, 8080,
                IpAddress.Parse("10.0.2.11"), 80, Port("red/gateway")),
        ]);

    private static Router BlueRouterOf() =>
        new(Device("blue/router"), "blue/router", true, [Via("10.0.1.0/24", "blue/router-1")], [], null, []);

    private static Router ProviderOf() => new(
        Device("provider"), "provider", true,
        [
            Via("198.51.100.10/32", "provider/red"), Via("198.51.100.20/32", "provider/red"),
            Via("198.51.100.30/32", "provider/red"),
            Via("2001:db8:1:1::/64", "provider/red"),
            To("0.0.0.0/0", RouteTarget.FibExit), To("::/0", RouteTarget.FibExit),
        ],
        [], null, []);

    private static IEnumerable<VirtualPort> PortsOf()
    {
        yield return Vm("red", "red-a", "red-1", "hv1", "fa:16:3e:00:01:11", "10.0.1.11",
            "2001:db8:1:1:f816:3eff:fe00:111");
        yield return Vm("red", "red-b", "red-1", "gw1", "fa:16:3e:00:01:12", "10.0.1.12",
            "2001:db8:1:1:f816:3eff:fe00:112");
        yield return Vm("red", "red-c", "red-2", "hv1", "fa:16:3e:00:02:11", "10.0.2.11");
        yield return Vm("blue", "blue-a", "blue-1", "hv1", "fa:16:3e:00:b1:11", "10.0.1.11");
        yield return Vm("blue", "blue-b", "blue-1", "gw1", "fa:16:3e:00:b1:13", "10.0.1.13");
        yield return Interior("red/red-1-router", "red/red-1", "red/router-1", null);
        yield return Interior("red/router-1", "red/router", "red/red-1-router", "02:00:00:00:01:01", "10.0.1.1/24",
            "2001:db8:1:1::1/64");
        yield return Interior("red/red-2-router", "red/red-2", "red/router-2", null);
        yield return Interior("red/router-2", "red/router", "red/red-2-router", "02:00:00:00:01:02", "10.0.2.1/24");
        yield return Interior("red/gateway", "red/router", "provider/red", "02:00:00:00:01:03", "198.51.100.10/24");
        yield return Interior("provider/red", "provider", "red/gateway", "02:00:00:00:0f:01", "169.254.0.1/32",
            "fe80::ff:fe00:f01/64");
        yield return Interior("blue/blue-1-router", "blue/blue-1", "blue/router-1", null);
        yield return Interior("blue/router-1", "blue/router", "blue/blue-1-router", "02:00:00:00:02:01", "10.0.1.1/24");
        yield return new VirtualPort(
            Port("provider/isp"), "provider/isp", Device("provider"), PortRole.Uplink,
            MacAddress.Parse("02:00:00:00:0f:02"),
            [IpInterface.Parse("203.0.113.2/30"), IpInterface.Parse("2001:db8:ffff::2/64")], ObjectId.None,
            new PortBinding(Gw1, "isp0", 0), true, false, [], ObjectId.None, ObjectId.None);
    }

    private static IEnumerable<Chain> ChainsOf()
    {
        ObjectId baseGroup = ObjectId.Of("group", "red/base");
        Rule anyV4 = new(RuleVerdict.Accept, EtherType: EtherType.Ipv4);
        Rule anyV6 = new(RuleVerdict.Accept, EtherType: EtherType.Ipv6);
        Rule ping = new(RuleVerdict.Accept, EtherType: EtherType.Ipv4, Protocol: IpProtocol.Icmp);
        Rule ping6 = new(RuleVerdict.Accept, EtherType: EtherType.Ipv6, Protocol: IpProtocol.Icmpv6);
        Rule among = new(RuleVerdict.Accept, Protocol: IpProtocol.Tcp, SourceGroup: baseGroup,
            DestinationPortMin: 5201, DestinationPortMax: 5201, HasPorts: true);
        Rule web = new(RuleVerdict.Accept, EtherType: EtherType.Ipv4, Protocol: IpProtocol.Tcp, Source: IpPrefix.All4,
            DestinationPortMin: 80, DestinationPortMax: 80, HasPorts: true);
        yield return new Chain(ChainId("red/out"), "red/base, egress", [anyV4, anyV6], RuleVerdict.Drop);
        yield return new Chain(ChainId("red/in"), "red/base, ingress", [ping, ping6, among, web], RuleVerdict.Drop);
        yield return new Chain(ChainId("red/in-web"), "red-a, ingress",
        [
            new Rule(RuleVerdict.Jump, ChainId("red/in-base")), new Rule(RuleVerdict.Jump, ChainId("red/web")),
        ], RuleVerdict.Drop);
        yield return new Chain(ChainId("red/in-base"), "security group red/base, ingress", [ping, ping6, among],
            RuleVerdict.Drop);
        yield return new Chain(ChainId("red/web"), Web, [web], RuleVerdict.Drop);
        yield return new Chain(ChainId("blue/out"), "blue/base, egress", [anyV4, anyV6], RuleVerdict.Drop);
        yield return new Chain(ChainId("blue/in"), "blue/base, ingress", [ping], RuleVerdict.Drop);
    }

    /// <summary>The same with more VMs of red-1 on hv1, open to everyone.</summary>
    public static TopologyParts WithMorePorts(int count) => Parts with
    {
        Ports =
        [
            .. Parts.Ports,
            .. Enumerable.Range(0, count).Select(i => Vm(
                "red", $"vm-{i}", "red-1", "hv1", $"fa:16:3e:f0:{i >> 8:x2}:{i & 0xff:x2}",
                $"10.64.{i / 250}.{1 + (i % 250)}") with { ToPort = default }),
        ],
    };
}
