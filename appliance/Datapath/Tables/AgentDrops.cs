using System;
using System.Threading;
using Genkan.Datapath.Bpf;
using Genkan.Datapath.Layout;
using Genkan.Overlay.Flows;

namespace Genkan.Datapath.Tables;

/// <summary>Drops that the agent decided, by slot and reason (<c>agent_drops</c>): pinned as the programs' own, so that
/// they go on where the agent before left off. Any thread counts and reads.</summary>
internal sealed class AgentDrops(BpfMap map) : IDisposable
{
    private readonly MmapArray<ulong> _counts = new(map);

    /// <summary>Counts a drop.</summary>
    internal void Count(uint slot, DropReason reason) =>
        Interlocked.Increment(ref _counts[At(slot < LayoutLimits.PortMax ? slot : 0, (int)reason)]);

    /// <summary>Drops of a slot for a reason.</summary>
    internal ulong Of(uint slot, int reason) => Volatile.Read(ref _counts[At(slot, reason)]);

    /// <summary>Forgets a slot that is handed out; no worker counts meanwhile.</summary>
    internal void Reset(uint slot)
    {
        for (int i = 0; i < LayoutLimits.DropReasonMax; i++) Volatile.Write(ref _counts[At(slot, i)], 0);
    }

    /// <inheritdoc/>
    public void Dispose() => _counts.Dispose();

    private static int At(uint slot, int reason) => ((int)slot * LayoutLimits.DropReasonMax) + reason;
}
