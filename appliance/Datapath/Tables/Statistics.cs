using System.Collections.Generic;
using System.Collections.Immutable;
using Genkan.Datapath.Bpf;
using Genkan.Datapath.Layout;
using Genkan.Overlay.Flows;
using Genkan.Overlay.Simulation;
using Genkan.Overlay.Topology;

namespace Genkan.Datapath.Tables;

/// <summary>Packets that were dropped for one reason.</summary>
public readonly record struct DropCount(DropReason Reason, ulong Packets);

/// <summary>Counters of a port slot since its object got it; packets count the segments of GSO frames, octets are of
/// frames.</summary>
/// <param name="Slot">Slot; 0 stands for what no port can be blamed for.</param>
/// <param name="Kind">Port, flood or NAT return.</param>
/// <param name="Object">Its object.</param>
/// <param name="Ifindex">Interface, 0 while absent and for pseudo ports.</param>
/// <param name="RxPackets">Received.</param>
/// <param name="RxOctets">Received.</param>
/// <param name="TxPackets">Sent.</param>
/// <param name="TxOctets">Sent.</param>
/// <param name="UpcallPackets">Sent up to the agent.</param>
/// <param name="BudgetRefusedPackets">First and control packets over the port's budget.</param>
/// <param name="Drops">By reason, without the reasons that did not occur.</param>
public sealed record PortStatistics(
    uint Slot,
    IngressKind Kind,
    ObjectId Object,
    uint Ifindex,
    ulong RxPackets,
    ulong RxOctets,
    ulong TxPackets,
    ulong TxOctets,
    ulong UpcallPackets,
    ulong BudgetRefusedPackets,
    ImmutableArray<DropCount> Drops);

/// <summary>How full a table is.</summary>
/// <param name="Table">Its name, which is the pin's.</param>
/// <param name="Entries">Entries; of connections as of the last whole scan.</param>
/// <param name="MaxEntries">Limit.</param>
public readonly record struct TableOccupancy(string Table, long Entries, long MaxEntries);

/// <summary>Reads the programs' counters, and adds the drops that the agent decided.</summary>
internal sealed class Statistics(
    BpfMap portStats, BpfMap dropStats, AgentDrops agentDrops, PortTable ports, BudgetTable budgets)
{
    private readonly PerCpuArray<PortStats> _ports = new(portStats);
    private readonly PerCpuArray<ulong> _drops = new(dropStats);

    /// <summary>Zeroes the counters of a slot that is handed out.</summary>
    internal void Reset(uint slot)
    {
        agentDrops.Reset(slot);
        _ports.Write((int)slot, default);
        for (int i = 0; i < LayoutLimits.DropReasonMax; i++) _drops.Write(DropAt(slot, i), 0);
    }

    /// <summary>Reads the counters of a slot.</summary>
    internal PortStatistics Read(uint slot)
    {
        ports.TryGetPort(slot, out DatapathPort port);
        _ports.Read((int)slot, out PortStats stats);
        return new PortStatistics(
            slot,
            port.Kind,
            port.Object,
            ports.Row(slot).Ifindex,
            stats.RxPackets,
            stats.RxOctets,
            stats.TxPackets,
            stats.TxOctets,
            stats.UpcallPackets,
            slot == 0 ? 0 : budgets.Refused(slot),
            ReadDrops(slot));
    }

    /// <summary>Reads the counters of all slots in use, and of slot 0.</summary>
    internal List<PortStatistics> ReadAll()
    {
        List<PortStatistics> all = [Read(0)];
        foreach ((uint slot, _) in ports.Used) all.Add(Read(slot));
        return all;
    }

    private static int DropAt(uint slot, int reason) => ((int)slot * LayoutLimits.DropReasonMax) + reason;

    private ImmutableArray<DropCount> ReadDrops(uint slot)
    {
        ImmutableArray<DropCount>.Builder drops = ImmutableArray.CreateBuilder<DropCount>();
        for (int i = 1; i < LayoutLimits.DropReasonMax; i++)
        {
            _drops.Read(DropAt(slot, i), out ulong count);
            count += agentDrops.Of(slot, i);
            if (count > 0) drops.Add(new DropCount((DropReason)i, count));
        }

        return drops.ToImmutable();
    }
}
