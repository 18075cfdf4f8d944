using System;
using Genkan.Overlay.Flows;
using Genkan.Overlay.Simulation;
using Genkan.Overlay.Topology;
using Genkan.Wire;

namespace Genkan.Datapath.Tests.Judge;

/// <summary>
/// Tables whose time goes on with packets, not with the clock: what the slow path allows so many times a second, such
/// as ICMP errors, is then never the difference between two judges.
/// </summary>
internal sealed class PacedDatapath(IDatapath tables) : IDatapath
{
    private static readonly TimeSpan PerPacket = TimeSpan.FromMilliseconds(50);

    private TimeSpan _passed;

    public TimeSpan Now => tables.Now + _passed;

    public Action? BeforeFlush
    {
        get => tables.BeforeFlush;
        set => tables.BeforeFlush = value;
    }

    /// <summary>Lets the time of a packet pass.</summary>
    public void Pass() => _passed += PerPacket;

    /// <summary>Lets so much time pass that no connection is in use any more.</summary>
    public void PassLong() => _passed += TimeSpan.FromDays(1);

    public void Apply(TopologySnapshot topology) => tables.Apply(topology);

    public bool TryGetPort(uint slot, out DatapathPort port) => tables.TryGetPort(slot, out port);

    public bool TryGetSlot(ObjectId id, out uint slot) => tables.TryGetSlot(id, out slot);

    public uint NextHop(in Egress egress, ReadOnlySpan<Egress> targets) => tables.NextHop(egress, targets);

    public bool TryGetNextHop(uint nextHop, out Egress egress) => tables.TryGetNextHop(nextHop, out egress);

    public int ConnectionsMaxOf(bool isIpv4) => tables.ConnectionsMaxOf(isIpv4);

    public InstallOutcome InstallNew(in FlowKey key, in FlowAction action) => tables.InstallNew(key, action);

    public int InstallNew(ReadOnlySpan<FlowWrite> writes, out InstallOutcome refusal) =>
        tables.InstallNew(writes, out refusal);

    public void CreditFlows(uint keyPort, bool isIpv4, int room) => tables.CreditFlows(keyPort, isIpv4, room);

    public uint FlowsDelivered(bool isIpv4) => tables.FlowsDelivered(isIpv4);

    public InstallOutcome Install(in FlowKey key, in FlowAction action) => tables.Install(key, action);

    public InstallOutcome InstallClass(FlowMask mask, ushort etherType, in FlowKey key, in FlowAction action) =>
        tables.InstallClass(mask, etherType, key, action);

    public bool Remove(in FlowKey key) => tables.Remove(key);

    public bool TryFind(in FlowKey key, out FlowEntry entry) => tables.TryFind(key, out entry);

    public bool TryFindFirst(in DatapathPort port, in PacketHeader later, out FirstFragment first) =>
        tables.TryFindFirst(port, later, out first);

    public int Scan(Span<FlowEntry> entries, ref ulong cursor) => tables.Scan(entries, ref cursor);

    public void SweepClasses(Span<bool> classesInUse) => tables.SweepClasses(classesInUse);

    public FlowStamp Stamp(uint classId) => tables.Stamp(classId);

    public void Bump(uint classId, bool isHard) => tables.Bump(classId, isHard);

    public void Rearm(uint classId) => tables.Rearm(classId);

    public int Inject(uint slot, ReadOnlySpan<byte> frame, in FrameOffload offload) =>
        tables.Inject(slot, frame, offload);

    public void Cancel(int ticket) => tables.Cancel(ticket);

    public void Output(uint nextHop, ReadOnlySpan<byte> frame, in FrameOffload offload) =>
        tables.Output(nextHop, frame, offload);

    public void Flush() => tables.Flush();

    public void CountDrop(uint slot, DropReason reason) => tables.CountDrop(slot, reason);
}
