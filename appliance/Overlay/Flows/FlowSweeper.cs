using System;
using Genkan.Nat;
using Genkan.Overlay.Simulation;
using Genkan.Wire;

namespace Genkan.Overlay.Flows;

/// <summary>
/// Walks the connection table a batch at a time: removes what is idle (both directions must be), and simulates again
/// what a soft change or a new agent asks for. The kernel forwards meanwhile.
/// </summary>
public sealed class FlowSweeper
{
    private readonly IDatapath _datapath;
    private readonly NatTable _nat;
    private readonly SlowPath _slowPath;
    private readonly FlowClasses _classes;
    private readonly FlowEntry[] _batch = new FlowEntry[FlowLimits.SweepBatch];
    private readonly bool[] _classesInUse = new bool[FlowClasses.ClassesMax];
    private ulong _cursor;
    private int _seen;
    private int _dropsSeen;
    private bool _isRevalidatingAll;
    private bool _revalidateAllNext;

    /// <summary>Wires the sweep.</summary>
    public FlowSweeper(IDatapath datapath, NatTable nat, FlowClasses classes, SlowPath slowPath)
    {
        _classes = classes;
        _datapath = datapath;
        _nat = nat;
        _slowPath = slowPath;
    }

    /// <summary>Connections seen by the last whole pass.</summary>
    public int Connections { get; private set; }

    /// <summary>Asks the next whole pass to simulate every flow again: after adoption, when their classes are another
    /// agent's.</summary>
    public void RevalidateAll() => _revalidateAllNext = true;

    /// <summary>Looks at one batch.</summary>
    /// <returns>True when a pass has ended.</returns>
    public bool Turn()
    {
        if (_cursor == 0) Begin();
        int count = _datapath.Scan(_batch, ref _cursor);
        for (int i = 0; i < count; i++) Look(_batch[i]);
        _seen += count;
        if (_cursor != 0) return false;

        _datapath.SweepClasses(_classesInUse);
        _classes.FreeUnused(_classesInUse);
        Connections = _seen;
        _slowPath.Negatives = _dropsSeen;
        _isRevalidatingAll = false;
        return true;
    }

    private void Begin()
    {
        (_seen, _dropsSeen) = (0, 0);
        Array.Clear(_classesInUse);
        _isRevalidatingAll = _revalidateAllNext;
        _revalidateAllNext = false;
    }

    private void Look(in FlowEntry entry)
    {
        if (IsIdle(entry))
        {
            Remove(entry);
            return;
        }

        _classesInUse[entry.Action.Stamp.ClassId] = true;
        if (entry.Action.Verdict == FlowVerdict.Drop) _dropsSeen++;
        if (entry.Action.Verdict == FlowVerdict.Upcall) return;

        FlowStamp current = _datapath.Stamp(entry.Action.Stamp.ClassId);
        if (_isRevalidatingAll || current.Soft != entry.Action.Stamp.Soft) _slowPath.Revalidate(entry);
    }

    private bool IsIdle(in FlowEntry entry)
    {
        TimeSpan now = _datapath.Now;
        TimeSpan limit = FlowTimeouts.Idle(entry);

        // A drop is looked at again that long after its install, however many packets it absorbs.
        if (entry.Action.Verdict == FlowVerdict.Drop) return now - entry.Created >= limit;
        if (now - entry.LastSeen < limit) return false;

        // The other direction keeps a connection alive (RFC 4787 §4.3, RFC 5382 §5).
        return !TryFindTwin(entry, out FlowEntry twin) || now - twin.LastSeen >= limit;
    }

    private bool TryFindTwin(in FlowEntry entry, out FlowEntry twin)
    {
        twin = default;
        if (entry.Action.Verdict != FlowVerdict.Forward) return false;
        if (!_datapath.TryGetNextHop(entry.Action.NextHop, out Egress egress)) return false;

        PacketHeader leaving = FlowTranslator.Leaving(entry.Key, entry.Action);
        return ReplyIngress.TryFind(
                _slowPath.Topology, _datapath, egress, leaving.Source, leaving.SourcePort, out _, out DatapathPort port)
            && _datapath.TryFind(
                FlowKey.Of(port.KeyPort, ReplyIngress.ReplyOf(FlowTranslator.Entering(entry.Key), leaving, port),
                    port.IsL3),
                out twin);
    }

    private void Remove(in FlowEntry entry)
    {
        if (!_datapath.Remove(entry.Key)) return;
        _slowPath.CountExpired();
        if (SourceBinding.TryFind(_slowPath.Topology, _nat, entry.Key, entry.Action, out NatBinding binding))
        {
            _nat.Release(binding, _datapath.Now);
        }
    }
}
