using System;
using System.Collections.Generic;
using System.Linq;
using System.Reflection;
using Genkan.Datapath.Bpf;
using Genkan.Datapath.Tables;
using Genkan.Host.Api;
using Genkan.Overlay.Flows;
using Genkan.Overlay.Topology;

namespace Genkan.Host.Agent;

/// <summary>What a worker does.</summary>
/// <param name="Upcalls">Packets that it handled.</param>
/// <param name="Batches">Batches in which it did.</param>
/// <param name="BacklogOctets">Octets that wait in its rings.</param>
/// <param name="Malformed">Records of its rings that were no packets.</param>
/// <param name="Latency">How long packets took.</param>
internal readonly record struct WorkerReport(
    ulong Upcalls, ulong Batches, long BacklogOctets, ulong Malformed, LatencyHistogram Latency);

/// <summary>What the agent says of itself. Called on the agent loop's thread, which owns what is read; the packet
/// workers go on meanwhile, so figures of one report may be a batch apart.</summary>
internal sealed partial class AgentReports(AgentRuntime runtime)
{
    private static readonly string ProductVersion =
        typeof(AgentReports).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()
            ?.InformationalVersion ?? "unknown";

    private KernelDatapath Datapath => runtime.Loop.Datapath;

    private TopologySnapshot Topology => runtime.Topology;

    /// <summary>One look at the agent.</summary>
    public StatusReport Status()
    {
        SlowPathCounters counters = runtime.Loop.SlowPath.TotalCounters;
        IReadOnlyList<PortReport> ports = Ports();
        Dictionary<string, TableOccupancy> tables =
            Datapath.ReadOccupancy().ToDictionary(static t => t.Table, StringComparer.Ordinal);
        Dictionary<string, int?> mtus = PeerMtus().ToDictionary(
            static p => p.Peer, static p => p.Octets, StringComparer.Ordinal);
        return new StatusReport
        {
            Host = Topology.LocalHost.Name,
            Version = ProductVersion,
            ProcessId = Environment.ProcessId,
            UptimeSeconds = Math.Round(runtime.Uptime.TotalSeconds, 1),
            ConfigFile = runtime.Options.ConfigPath,
            Revision = Topology.Revision,
            Attach = Datapath.AttachMode == AttachMode.Tcx ? "tcx" : "clsact",
            HeartbeatAgeSeconds = Math.Round(Datapath.HeartbeatAge.TotalSeconds, 3),
            HeartbeatGapMaxSeconds = Math.Round(Datapath.HeartbeatGapMax.TotalSeconds, 3),
            IsAdopted = Datapath.IsAdopted,
            UnderlayAddress = Topology.LocalHost.UnderlayAddress.ToString(),
            Tunnels = Datapath.DirectInterface is { } name ? $"direct on {name}" : $"kernel: {Datapath.WhyNotDirect}",
            Hosts =
            [
                .. Topology.Parts.Hosts.Select(
                    h => new HostReport(
                        h.Name, h.UnderlayAddress.ToString(), h.Id == Topology.LocalHost.Id,
                        mtus.GetValueOrDefault(h.Name) ?? 0,
                        h.Id == Topology.LocalHost.Id ? "local" : StateOf(mtus.GetValueOrDefault(h.Name)))),
            ],
            Ports = new PortCounts(
                ports.Count,
                ports.Count(static p => p.InterfaceIndex != 0),
                ports.Count(static p => p.Role == "uplink")),
            Workers = runtime.Loop.Workers.Count,
            BacklogOctets = runtime.Loop.Workers.Sum(static w => w.BacklogOctets),
            UpcallLatency =
                [.. runtime.Loop.Workers.Select(static (w, i) => LatencyReport.Of(i, w.Latency.Read()))],
            Tables = new TableCounts(
                new FamilyCounts(tables["conn4"].Entries, tables["conn4"].MaxEntries),
                new FamilyCounts(tables["conn6"].Entries, tables["conn6"].MaxEntries),
                runtime.Classes.Count,
                tables["nexthop"].Entries,
                runtime.Loop.Nat.Count,
                (long)Datapath.ReadTableMemory(),
                GC.GetGCMemoryInfo(GCKind.Any).TotalCommittedBytes),
            SlowPath = new SlowPathCounts(
                (long)counters.Upcalls,
                (long)counters.Simulations,
                (long)counters.Installs,
                (long)counters.Answers,
                (long)counters.InstallsRefused,
                (long)counters.ErrorsWithheld,
                (long)counters.Fragmented,
                runtime.Loop.SlowPath.WaitingFragments),
            DroppedPackets = (ulong)Drops().Where(static d => d.Number != (byte)DropReason.Answered)
                .Sum(static d => (decimal)d.Packets),
            Warnings = Warnings(ports),
        };
    }

    /// <summary>What each worker does, in order of their numbers.</summary>
    public IReadOnlyList<WorkerReport> Workers() =>
    [
        .. runtime.Loop.Workers.Select(
            static w => new WorkerReport(
                w.SlowPath.Counters.Upcalls, w.Batches, w.BacklogOctets, w.Malformed, w.Latency)),
    ];

    /// <summary>Every port that the topology binds on this host, whether its interface is there or not.</summary>
    public IReadOnlyList<PortReport> Ports() =>
        [.. Topology.LocalPorts.Select(PortOf).OrderBy(static p => p.Name, StringComparer.Ordinal)];

    /// <summary>What the underlay is known to carry to each other host, in octets; 0 if it answers nothing, null if
    /// that is not known yet.</summary>
    public IReadOnlyList<(string Peer, int? Octets)> PeerMtus() => runtime.PeerMtus.Found;

    /// <summary>Whether programs put the tunnels' outer headers on, and take them off.</summary>
    public bool IsTunnelDirect => Datapath.DirectInterface is not null;

    private static string StateOf(int? mtu) => mtu switch
    {
        null => "probing",
        0 => "silent",
        _ => "found",
    };

    /// <summary>Packets and turns of housekeeping that ended in a fault of the agent's own.</summary>
    public ulong Faults => runtime.Loop.Faults;

    /// <summary>Packets that were over a share of the agent: of each tenant with its ports, of all that comes from
    /// outside, of all that other hosts send.</summary>
    public IReadOnlyList<(string Kind, string Name, ulong Packets)> RefusedByShare()
    {
        IReadOnlyDictionary<ObjectId, BudgetUse> uses = Datapath.Shares.Read();
        List<(string Kind, string Name, ulong Packets)> refused =
        [
            ("outside", "", uses.GetValueOrDefault(BudgetOwners.Outside).Refused),
            ("hosts", "", uses.GetValueOrDefault(BudgetOwners.Hosts).Refused),
        ];
        foreach (string tenant in Topology.LocalPorts.Select(static p => p.Tenant).Distinct(StringComparer.Ordinal))
        {
            if (uses.TryGetValue(BudgetOwners.Tenant(tenant), out BudgetUse use))
                refused.Add(("tenant", tenant, use.Refused));
        }

        return refused;
    }

    /// <summary>Drops of all slots, by reason.</summary>
    public IReadOnlyList<DropReport> Drops() =>
    [
        .. Datapath.ReadPortStatistics()
            .SelectMany(static s => s.Drops)
            .GroupBy(static d => d.Reason)
            .OrderBy(static g => g.Key)
            .Select(static g => DropOf(new DropCount(g.Key, (ulong)g.Sum(static d => (decimal)d.Packets)))),
    ];

    private static DropReport DropOf(DropCount drop) =>
        new(DropReasons.NameOf(drop.Reason), (byte)drop.Reason, drop.Packets, DropReasons.MeaningOf(drop.Reason));

    private PortReport PortOf(VirtualPort port)
    {
        PortStatistics? counters =
            Datapath.TryGetSlot(port.Id, out uint slot) ? Datapath.ReadPortStatistics(slot) : null;
        bool isThere = counters is { Ifindex: not 0 };
        return new PortReport
        {
            Name = port.Name,
            Role = port.Role == PortRole.Uplink ? "uplink" : "exterior",
            Device = Topology.NameOf(port.Device),
            Interface = port.Binding!.Interface,
            Vlan = port.Binding.Vlan,
            InterfaceIndex = (int)(counters?.Ifindex ?? 0),
            Slot = slot,
            State = !port.IsAdminUp ? "down" : isThere ? "up" : "missing",
            Mac = port.Mac.ToString(),
            Addresses = [.. port.Addresses.Select(static a => a.ToString())],
            AllowedPairs = port.PortSecurity ? [.. port.AllowedPairs.Select(static p => $"{p.Mac} {p.Prefix}")] : [],
            PortSecurity = port.PortSecurity,
            FromPortPackets = counters?.RxPackets ?? 0,
            FromPortOctets = counters?.RxOctets ?? 0,
            ToPortPackets = counters?.TxPackets ?? 0,
            ToPortOctets = counters?.TxOctets ?? 0,
            Drops = counters is null ? [] : [.. counters.Drops.Select(DropOf)],
        };
    }

    private List<string> Warnings(IReadOnlyList<PortReport> ports)
    {
        List<string> warnings = [.. runtime.TopologyWarnings, .. runtime.PeerMtus.Warnings, .. Datapath.Faults];
        foreach (PortReport port in ports.Where(static p => p.State == "missing"))
        {
            string warning = $"port {port.Name}: interface {port.Interface} does not exist";
            if (!warnings.Exists(w => w.Contains(port.Interface, StringComparison.Ordinal))) warnings.Add(warning);
        }

        if (Faults > 0)
            warnings.Add($"{Faults} faults of the agent's own: please report what its log says of them");

        return [.. warnings, .. TableWarnings.Full(Datapath.ReadOccupancy()), .. TableWarnings.Scarce(Shares())];
    }
}
