using System.Collections.Generic;
using System.Linq;
using Genkan.Host.Api;

namespace Genkan.Host.Tests.Cli;

/// <summary>What the server of <see cref="AgentCommandTests"/> answers.</summary>
internal static class Reports
{
    public static StatusReport Status { get; } = new()
    {
        Host = "gw1",
        Version = "0.1.0",
        ProcessId = 4711,
        UptimeSeconds = 3725,
        ConfigFile = "/etc/genkan/topology.yaml",
        Revision = 3,
        Attach = "tcx",
        HeartbeatAgeSeconds = 0.01,
        HeartbeatGapMaxSeconds = 0.2,
        IsAdopted = true,
        UnderlayAddress = "192.0.2.11",
        Tunnels = "direct on eth1",
        Hosts =
        [
            new HostReport("gw1", "192.0.2.11", true, 0, "local"),
            new HostReport("hv1", "192.0.2.12", false, 1600, "found"),
            new HostReport("hv2", "192.0.2.13", false, 0, "silent"),
            new HostReport("hv3", "192.0.2.14", false, 0, "probing"),
        ],
        Ports = new PortCounts(3, 2, 1),
        Workers = 2,
        BacklogOctets = 640,
        UpcallLatency =
        [
            new LatencyReport(
                0, 1000, 0.000128, 0.004096, [new(0.000128, 600), new(0.004096, 399), new(null, 1)]),
            new LatencyReport(1, 0, 0, 0, []),
        ],
        Tables = new TableCounts(
            new FamilyCounts(1200, 131072), new FamilyCounts(30, 65536), 40, 12, 77, 88_400_000, 31_200_000),
        SlowPath = new SlowPathCounts(1000, 900, 1200, 55, 2, 0, 3, 0),
        DroppedPackets = 31,
        Warnings = ["interface b0 of port red/red-b does not exist"],
    };

    public static IReadOnlyList<PortReport> Ports { get; } =
    [
        Port("red/red-a", "a0", "up", ["10.0.1.11/24", "2001:db8:1:1:f816:3eff:fe00:111/64"]),
        Port("red/red-b", "b0", "missing", ["10.0.1.12/24"]) with { Vlan = 7 },
        Port("uplink isp", "isp0", "up", ["203.0.113.2/30"]) with
        {
            Role = "uplink",
            Device = "public provider router",
        },
    ];

    public static IReadOnlyList<TenantReport> Tenants { get; } =
    [
        Tenant("blue", "tenant", 393_216, [Share("blue/blue-x", 4_512_345, comesToNothing: true)]) with
        {
            AskedPerSecond = 812_000,
            AllowedPerSecond = 1_000,
        },
        Tenant("outside", "outside", 300_000, [Share("198.51.100.20/32", 17), Share("198.51.100.10/32", 0)]),
        Tenant("red", "tenant", 393_216, [Share("red/red-a", 0), Share("red/red-b", 0)]),
        Tenant("hosts", "hosts", 393_216, []) with { Ipv6 = new FamilyCounts(60_000, 65_536) },
    ];

    public static IReadOnlyList<FlowReport> Flows { get; } =
    [
        new FlowReport
        {
            Port = "red/red-a",
            Protocol = "tcp",
            Source = "10.0.1.11",
            SourcePort = 40000,
            Destination = "198.18.0.10",
            DestinationPort = 80,
            State = "forward",
            Verdict = "forward",
            Rewrites = ["source 198.51.100.10", "source port 1024", "ttl -2"],
            Egress = "public by the routes of gw1",
            Packets = 12,
            Octets = 3456,
            IdleSeconds = 0.3,
            AgeSeconds = 61,
            IsStale = false,
            DependsOn =
            [
                "red/red-a", "red/red-1", "egress of security group red/web", "red/edge", "routes of red/edge",
                "public provider router",
            ],
        },
        new FlowReport
        {
            Port = "red/red-a",
            Protocol = "udp",
            Source = "2001:db8:1:1:f816:3eff:fe00:111",
            SourcePort = 5000,
            Destination = "2001:db8::53",
            DestinationPort = 53,
            State = "none",
            Verdict = "drop",
            DropReason = "security_group",
            Rewrites = [],
            Packets = 1,
            Octets = 80,
            IdleSeconds = 75,
            AgeSeconds = 75,
            IsStale = true,
            DependsOn = ["red/red-a"],
        },
    ];

    public static IReadOnlyList<DropReport> Drops { get; } =
    [
        new DropReport("no_route", 53, 1, "FIB or virtual router has no route."),
        new DropReport("security_group", 64, 30, "No rule of a security group allows it."),
    ];

    public static TraceReport Trace { get; } = new()
    {
        Packet = "fa:16:3e:00:01:11 > 02:00:11:22:33:44, tcp 10.0.1.11:40000 > 198.18.0.10:80 syn ttl 64",
        Port = "red/red-a",
        Steps =
        [
            new TraceStepReport("red/red-a", "enters; port security is satisfied"),
            new TraceStepReport("egress of security group red/web", "accept"),
            new TraceStepReport("red/edge", "0.0.0.0/0 by red/edge:public"),
        ],
        Verdict = "forward",
        Egress = "public by the routes of gw1",
        Rewrites = ["source 198.51.100.10:1024", "ttl 62"],
        DependsOn = ["red/red-a", "red/edge"],
    };

    public static ProblemReport Problem { get; } = new(
        "the file has mistakes", "nothing was changed", "x.yaml",
        [new DiagnosticReport(7, 3, "hosts.gw1.underlay.mto", "'mto' is not a key here", "did you mean 'mtu'?")]);

    private static TenantReport Tenant(string name, string kind, long flowsMax, IReadOnlyList<ShareReport> members) =>
        new()
        {
            Name = name,
            Kind = kind,
            Ipv4 = new FamilyCounts(members.Sum(static m => m.Flows), flowsMax),
            Ipv6 = new FamilyCounts(2, 196_608),
            AskedPerSecond = 12,
            AllowedPerSecond = 200_000,
            Refused = members.Aggregate(0UL, static (sum, m) => sum + m.Refused),
            Members = members,
        };

    private static ShareReport Share(string name, ulong refused, bool comesToNothing = false) => new()
    {
        Name = name,
        Ipv4 = new FamilyCounts(1_234, 196_608),
        Ipv6 = new FamilyCounts(1, 98_304),
        Answers = 77,
        AskedPerSecond = 12,
        AllowedPerSecond = 200_000,
        ComesToNothing = comesToNothing,
        Admitted = 99,
        RefusedFlows = refused,
        RefusedControl = 0,
        RefusedCopies = 0,
    };

    private static PortReport Port(string name, string interfaceName, string state, IReadOnlyList<string> addresses) =>
        new()
        {
            Name = name,
            Role = "exterior",
            Device = "red/red-1",
            Interface = interfaceName,
            InterfaceIndex = 9,
            Slot = 1,
            State = state,
            Mac = "fa:16:3e:00:01:11",
            Addresses = addresses,
            AllowedPairs = ["fa:16:3e:00:01:11 10.0.1.11/32"],
            PortSecurity = true,
            FromPortPackets = 12345,
            FromPortOctets = 1234567,
            ToPortPackets = 999,
            ToPortOctets = 99999,
            Drops = [new DropReport("security_group", 64, 30, "No rule of a security group allows it.")],
        };
}
