using System.Threading;
using Genkan.Datapath.Layout;
using Genkan.Overlay.Flows;

namespace Genkan.Datapath.Tables;

/// <summary>Drops that one worker decided, by slot and reason. The worker counts, any thread reads.</summary>
internal sealed class AgentDrops
{
    private readonly ulong[]?[] _counts = new ulong[]?[LayoutLimits.PortMax];

    /// <summary>Counts a drop.</summary>
    internal void Count(uint slot, DropReason reason)
    {
        if (slot >= _counts.Length) slot = 0;
        ulong[] counts = _counts[slot] ??= new ulong[LayoutLimits.DropReasonMax]; // once a slot, not once a packet
        counts[(int)reason]++;
    }

    /// <summary>Drops of a slot for a reason.</summary>
    internal ulong Of(uint slot, int reason) => Volatile.Read(ref _counts[slot])?[reason] ?? 0;

    /// <summary>Forgets a slot that is handed out; no worker counts meanwhile.</summary>
    internal void Reset(uint slot) => _counts[slot] = null;
}
