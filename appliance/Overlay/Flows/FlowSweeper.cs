using System;

namespace Genkan.Overlay.Flows;

/// <summary>
/// Walks the connection table a batch at a time: removes what is idle (both directions must be), and simulates again
/// what a soft
/// change or a new agent asks for. The kernel forwards meanwhile.
/// </summary>
public sealed class FlowSweeper
{
    private readonly IDatapath _datapath;
    private readonly SlowPath _slowPath;
    private readonly FlowClasses _classes;
    private readonly FlowEntry[] _batch = new FlowEntry[FlowLimits.SweepBatch];
    private readonly bool[] _classesInUse = new bool[FlowClasses.ClassesMax];
    private ulong _cursor;
    private int _seen;
    private bool _isScarce;
    private bool _wasScarce;
    private bool _isRevalidatingAll;
    private bool _isUrgentPass;
    private bool _revalidateAllNext;

    /// <summary>Wires the sweep.</summary>
    /// <param name="datapath">The kernel's tables.</param>
    /// <param name="classes">Flow classes.</param>
    /// <param name="slowPath">What simulates again.</param>
    public FlowSweeper(IDatapath datapath, FlowClasses classes, SlowPath slowPath)
    {
        _classes = classes;
        _datapath = datapath;
        _slowPath = slowPath;
    }

    /// <summary>Connections that the last whole pass left.</summary>
    public int Connections { get; private set; }

    /// <summary>Whether the next turn should not wait: flows forward on by what is no longer true.</summary>
    public bool IsUrgent => _isUrgentPass || _revalidateAllNext || _slowPath.Revalidations.IsWanted;

    /// <summary>Time between two turns in a pass: a large table must not take minutes, since its room is counted and
    /// freed by passes; least of all where somebody waits for room.</summary>
    public TimeSpan Pace
    {
        get
        {
            double pass = _isScarce || _wasScarce ? FlowLimits.SweepScarceSeconds : FlowLimits.SweepPassSeconds;
            double batches = Math.Max(1, Math.Max(_seen, Connections)) / (double)FlowLimits.SweepBatch;
            return TimeSpan.FromSeconds(Math.Clamp(pass / batches, 0.002, 0.05));
        }
    }

    /// <summary>
    /// Has the next whole pass simulate every connection again: after adoption, when their classes are another agent's.
    /// Entries
    /// of the class table go stale softly, and the pass removes them.
    /// </summary>
    public void RevalidateAll()
    {
        _revalidateAllNext = true;
        Array.Clear(_classesInUse);
        _datapath.SweepClasses(_classesInUse);
        for (uint id = 1; id < FlowClasses.ClassesMax; id++)
        {
            if (!_classesInUse[id]) continue;
            _classes.AdoptUnknown(id);
            _datapath.Bump(id, isHard: false);
        }

        _cursor = 0;
    }

    /// <summary>Looks at one batch.</summary>
    /// <returns>True when a pass has ended.</returns>
    public bool Turn()
    {
        if (_cursor == 0) Begin();
        int count = _datapath.Scan(_batch, ref _cursor);
        for (int i = 0; i < count; i++) Look(_batch[i]);
        if (_cursor != 0) return false;

        _datapath.SweepClasses(_classesInUse);
        _classes.FreeUnused(_classesInUse, _datapath);
        _slowPath.Revalidations.EndPass(_datapath);
        _slowPath.Quota.EndPass();
        Connections = _seen;
        _wasScarce = _isScarce;
        (_isRevalidatingAll, _isUrgentPass) = (false, false);
        return true;
    }

    private void Begin()
    {
        _seen = 0;
        _isScarce = false;
        Array.Clear(_classesInUse);
        _isUrgentPass = _revalidateAllNext || _slowPath.Revalidations.IsWanted;
        _isRevalidatingAll = _revalidateAllNext;
        _revalidateAllNext = false;
        _slowPath.Revalidations.BeginPass();
        _slowPath.Quota.Apply(_slowPath.Topology); // ports may have got slots meanwhile
        _slowPath.Quota.BeginPass();
    }

    private void Look(in FlowEntry entry)
    {
        if (IsIdle(entry, out FlowEntry twin))
        {
            // Both at once: alone, either would not know what the other has seen.
            if (_slowPath.Remove(entry)) _slowPath.CountExpired();
            if (twin.Key != default && _slowPath.Remove(twin)) _slowPath.CountExpired();
            return;
        }

        _seen++;
        _slowPath.Quota.See(entry);
        _classesInUse[entry.Action.Stamp.ClassId] = true;
        if (entry.Action.Verdict == FlowVerdict.Upcall) return;

        FlowStamp current = _datapath.Stamp(entry.Action.Stamp.ClassId);
        if (_isRevalidatingAll || current.Soft != entry.Action.Stamp.Soft) _slowPath.Revalidate(entry);
    }

    private bool IsIdle(in FlowEntry entry, out FlowEntry twin)
    {
        twin = default;
        TimeSpan now = _datapath.Now;

        // A drop is looked at again that long after its install, however many packets it absorbs.
        if (FlowTimeouts.IsNegative(entry)) return now - entry.Created >= FlowTimeouts.Drop;
        TimeSpan soonest = FlowTimeouts.IsEnding(entry) ? FlowTimeouts.Closed : FlowTimeouts.Unanswered;
        bool isScarce = now - entry.LastSeen >= soonest && _slowPath.Quota.IsScarce(entry);
        if (now - entry.LastSeen < FlowTimeouts.Shortest && !isScarce) return false;

        // The other direction keeps a connection alive (RFC 4787 §4.3, RFC 5382 §5).
        bool hasTwin = FlowTwin.TryFind(_slowPath.Topology, _datapath, entry, out twin);
        TimeSpan limit = FlowTimeouts.Idle(entry, twin, isScarce);
        _isScarce |= isScarce && limit <= FlowTimeouts.Unanswered; // of what stays, no haste frees any
        return now - entry.LastSeen >= limit && (!hasTwin || now - twin.LastSeen >= limit);
    }
}
