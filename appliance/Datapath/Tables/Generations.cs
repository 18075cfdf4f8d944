using System;
using System.Threading;
using Genkan.Datapath.Bpf;
using Genkan.Datapath.Layout;
using Genkan.Overlay.Flows;

namespace Genkan.Datapath.Tables;

/// <summary>Generations of flow classes: plain stores in memory that the programs read.</summary>
internal sealed class Generations(BpfMap map) : IDisposable
{
    private readonly MmapArray<GenerationEntry> _generations = new(map);

    /// <summary>The current generations of a class.</summary>
    internal FlowStamp Stamp(uint classId)
    {
        ref GenerationEntry entry = ref _generations[(int)classId];
        return new FlowStamp(classId, Volatile.Read(ref entry.Hard), Volatile.Read(ref entry.Soft));
    }

    /// <summary>Whether a flow with this stamp may still be installed.</summary>
    internal bool IsCurrent(in FlowStamp stamp) =>
        stamp.ClassId == 0 || (stamp.ClassId < _generations.Count && Stamp(stamp.ClassId) == stamp);

    /// <summary>Makes all flows of a class stale; class 0 never is.</summary>
    internal void Bump(uint classId, bool isHard)
    {
        if (classId == 0) return;
        ref GenerationEntry entry = ref _generations[(int)classId];
        if (isHard)
        {
            Volatile.Write(ref entry.Hard, entry.Hard + 1);
        }
        else
        {
            Volatile.Write(ref entry.Revalidate, 0); // before the bump: the first packet after it asks
            Volatile.Write(ref entry.Soft, entry.Soft + 1);
        }
    }

    /// <summary>Lets the class ask for revalidation again: the last event was answered.</summary>
    internal void Rearm(uint classId) => Volatile.Write(ref _generations[(int)classId].Revalidate, 0);

    /// <inheritdoc/>
    public void Dispose() => _generations.Dispose();
}
