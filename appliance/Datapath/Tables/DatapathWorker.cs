using System;
using Genkan.Overlay.Flows;
using Genkan.Overlay.Simulation;
using Genkan.Overlay.Topology;
using Genkan.Wire;

namespace Genkan.Datapath.Tables;

/// <summary>
/// The kernel's tables as one worker of the slow path uses them, in parallel with others: with its own share of the
/// rings, its own socket for frames, and its own counters. One thread uses it.
/// </summary>
public sealed class DatapathWorker : IDatapath, IDisposable
{
    private readonly KernelDatapath _shared;
    private readonly Injector _injector;
    private readonly AgentDrops _drops;
    private readonly InstallRoom _room;

    internal DatapathWorker(
        KernelDatapath shared, UpcallReader upcalls, Injector injector, AgentDrops drops, InstallRoom room) =>
        (_shared, Upcalls, _injector, _drops, _room) = (shared, upcalls, injector, drops, room);

    /// <summary>What the programs send up to this worker.</summary>
    public UpcallReader Upcalls { get; }

    /// <summary>Frames of this worker that the kernel did not take.</summary>
    public ulong InjectRefusedCount => _injector.RefusedCount;

    /// <inheritdoc/>
    public TimeSpan Now => _shared.Now;

    /// <inheritdoc/>
    public void Apply(TopologySnapshot topology) => _shared.Apply(topology);

    /// <inheritdoc/>
    public bool TryGetPort(uint slot, out DatapathPort port) => _shared.TryGetPort(slot, out port);

    /// <inheritdoc/>
    public bool TryGetSlot(ObjectId id, out uint slot) => _shared.TryGetSlot(id, out slot);

    /// <inheritdoc/>
    public uint NextHop(in Egress egress, ReadOnlySpan<Egress> targets) => _shared.NextHop(egress, targets);

    /// <inheritdoc/>
    public bool TryGetNextHop(uint nextHop, out Egress egress) => _shared.TryGetNextHop(nextHop, out egress);

    /// <inheritdoc/>
    public int ConnectionsMaxOf(bool isIpv4) => _shared.ConnectionsMaxOf(isIpv4);

    /// <inheritdoc/>
    public uint FlowsDelivered(bool isIpv4) => _shared.FlowsDelivered(isIpv4);

    /// <inheritdoc/>
    public void CreditFlows(uint keyPort, bool isIpv4, int room) => _shared.CreditFlows(keyPort, isIpv4, room);

    /// <inheritdoc/>
    public InstallOutcome InstallNew(in FlowKey key, in FlowAction action) => _shared.InstallNew(key, action);

    /// <inheritdoc/>
    public int InstallNew(ReadOnlySpan<FlowWrite> writes, out InstallOutcome refusal) =>
        _shared.InstallNew(writes, _room, out refusal);

    /// <inheritdoc/>
    public InstallOutcome Install(in FlowKey key, in FlowAction action) => _shared.Install(key, action);

    /// <inheritdoc/>
    public InstallOutcome InstallClass(FlowMask mask, ushort etherType, in FlowKey key, in FlowAction action) =>
        _shared.InstallClass(mask, etherType, key, action);

    /// <inheritdoc/>
    public bool Remove(in FlowKey key) => _shared.Remove(key);

    /// <inheritdoc/>
    public bool TryFind(in FlowKey key, out FlowEntry entry) => _shared.TryFind(key, out entry);

    /// <inheritdoc/>
    public bool TryFindFirst(in DatapathPort port, in PacketHeader later, out FirstFragment first) =>
        _shared.TryFindFirst(port, later, out first);

    /// <inheritdoc/>
    public int Scan(Span<FlowEntry> entries, ref ulong cursor) => _shared.Scan(entries, ref cursor);

    /// <inheritdoc/>
    public void SweepClasses(Span<bool> classesInUse) => _shared.SweepClasses(classesInUse);

    /// <inheritdoc/>
    public FlowStamp Stamp(uint classId) => _shared.Stamp(classId);

    /// <inheritdoc/>
    public void Bump(uint classId, bool isHard) => _shared.Bump(classId, isHard);

    /// <inheritdoc/>
    public void Rearm(uint classId) => _shared.Rearm(classId);

    /// <inheritdoc/>
    public Action? BeforeFlush
    {
        get => _injector.BeforeFlush;
        set => _injector.BeforeFlush = value;
    }

    /// <inheritdoc/>
    public int Inject(uint slot, ReadOnlySpan<byte> frame, in FrameOffload offload) =>
        _injector.Queue(Layout.MarkKind.AsIfFromPort, slot, frame, offload);

    /// <inheritdoc/>
    public void Cancel(int ticket) => _injector.Cancel(ticket);

    /// <inheritdoc/>
    public void Output(uint nextHop, ReadOnlySpan<byte> frame, in FrameOffload offload) =>
        _injector.Queue(Layout.MarkKind.Output, nextHop, frame, offload);

    /// <inheritdoc/>
    public void Flush() => _injector.Flush();

    /// <inheritdoc/>
    public void CountDrop(uint slot, DropReason reason) => _drops.Count(slot, reason);

    /// <inheritdoc/>
    public void Dispose()
    {
        _injector.Dispose();
        Upcalls.Dispose();
    }
}
