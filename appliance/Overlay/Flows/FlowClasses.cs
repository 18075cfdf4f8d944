using System;
using System.Collections.Concurrent;
using System.Collections.Generic;
using System.Threading;
using Genkan.Overlay.Topology;

namespace Genkan.Overlay.Flows;

/// <summary>
/// Flow classes: interned sets of the objects that flows depend on. A class's generation in the kernel makes all its
/// flows
/// stale in one write. Workers intern in parallel: finding a known class takes no lock and allocates nothing. The rest
/// is for the thread that has all workers stand still, so that numbers are freed only then.
/// </summary>
public sealed class FlowClasses
{
    /// <summary>Classes of the kernel's generation table; 0 never goes stale and is never given out.</summary>
    public const int ClassesMax = 65536;

    /// <summary>The class of flows whose own class is not known or found no room: every change makes it
    /// stale.</summary>
    public const uint Unknown = 1;

    private readonly Lock _adding = new();
    private readonly ConcurrentDictionary<ulong, uint> _byDigest = new();
    private readonly Dictionary<ObjectId, List<uint>> _byTag = [];
    private readonly List<uint> _unknown = [Unknown];
    private readonly Stack<uint> _free = new();
    private readonly ObjectId[]?[] _tags = new ObjectId[ClassesMax][];
    private readonly bool[] _isAging = new bool[ClassesMax];
    private readonly bool[] _isUnknown = new bool[ClassesMax];
    private uint _next = Unknown + 1;

    /// <summary>Classes in use, <see cref="Unknown"/> included.</summary>
    public int Count { get; private set; } = 1;

    /// <summary>The class of a set of tags; made if new, <see cref="Unknown"/> if there is no room.</summary>
    /// <param name="tags">As met by the simulation. Another order is another class, which costs room and nothing
    /// else.</param>
    public uint Intern(ReadOnlySpan<ObjectId> tags)
    {
        ulong digest = Digest(tags);
        if (TryFind(tags, ref digest, out uint found)) return found;
        lock (_adding) return TryFind(tags, ref digest, out found) ? found : Add(tags, digest);
    }

    /// <summary>What a class depends on; empty for an unknown one.</summary>
    public ReadOnlySpan<ObjectId> TagsOf(uint classId) => classId < ClassesMax ? _tags[classId] : default;

    /// <summary>Notes that flows of an earlier agent use a class whose tags nobody knows: every change makes it
    /// stale.</summary>
    public void AdoptUnknown(uint classId)
    {
        if (classId is 0 or Unknown or >= ClassesMax || _isUnknown[classId] || _tags[classId] is not null) return;
        _isUnknown[classId] = true;
        _unknown.Add(classId);
        Count++;
    }

    /// <summary>Frees the numbers of classes that no flow has: those that two sweeps in a row did not meet.</summary>
    /// <param name="inUse">By class: whether the sweep that has just ended met a flow of it.</param>
    /// <param name="datapath">Gets one hard bump a freed class: a scan is no snapshot, and a flow that both sweeps
    /// missed must not follow the number to its next owner.</param>
    public void FreeUnused(ReadOnlySpan<bool> inUse, IDatapath datapath)
    {
        for (uint id = Unknown + 1; id < ClassesMax; id++)
        {
            bool isTaken = _isUnknown[id] || _tags[id] is not null;
            bool isOver = isTaken && !inUse[(int)id] && _isAging[id];
            _isAging[id] = isTaken && !inUse[(int)id];
            if (!isOver) continue;
            Free(id);
            datapath.Bump(id, isHard: true);
        }
    }

    /// <summary>Bumps each class that depends on a changed object, once: hard if any of its tags changed
    /// hard.</summary>
    /// <param name="changes">From <see cref="TopologyDiff"/>; empty changes nothing.</param>
    /// <param name="datapath">Gets one call a class.</param>
    /// <returns>Classes bumped.</returns>
    public int Bump(IReadOnlyList<StaleTag> changes, IDatapath datapath)
    {
        if (changes.Count == 0) return 0;
        Dictionary<uint, bool> stale = [];
        bool anyHard = false;
        foreach (StaleTag change in changes)
        {
            anyHard |= change.IsHard;
            if (!_byTag.TryGetValue(change.Tag, out List<uint>? classes)) continue;
            foreach (uint id in classes) stale[id] = change.IsHard || stale.GetValueOrDefault(id);
        }

        foreach (uint id in _unknown) stale[id] = anyHard;
        foreach ((uint id, bool isHard) in stale) datapath.Bump(id, isHard);
        return stale.Count;
    }

    // Two sets with one digest: the second has the next number. Digest is the first free one in the end.
    private bool TryFind(ReadOnlySpan<ObjectId> tags, ref ulong digest, out uint found)
    {
        for (; _byDigest.TryGetValue(digest, out found); digest++)
        {
            if (!tags.SequenceEqual(_tags[found])) continue;
            if (_isAging[found]) _isAging[found] = false;
            return true;
        }

        return false;
    }

    private uint Add(ReadOnlySpan<ObjectId> tags, ulong digest)
    {
        if (!TryTakeId(out uint id)) return Unknown;
        _tags[id] = tags.ToArray();
        foreach (ObjectId tag in tags)
        {
            if (!_byTag.TryGetValue(tag, out List<uint>? classes)) _byTag.Add(tag, classes = []);
            classes.Add(id);
        }

        Count++;
        _byDigest[digest] = id; // last: who finds the number finds its tags
        return id;
    }

    private void Free(uint classId)
    {
        Count--;
        _isAging[classId] = false;
        if (_isUnknown[classId])
        {
            _isUnknown[classId] = false;
            _unknown.Remove(classId);
        }
        else if (_tags[classId] is { } tags)
        {
            Forget(classId, tags);
        }

        if (classId < _next) _free.Push(classId); // else adopted ahead of its turn, which comes
    }

    private bool TryTakeId(out uint id)
    {
        if (_free.TryPop(out id)) return true;
        while (_next < ClassesMax && _isUnknown[_next]) _next++;
        id = _next;
        if (_next == ClassesMax) return false;
        _next++;
        return true;
    }

    private void Forget(uint classId, ObjectId[] tags)
    {
        foreach (ObjectId tag in tags)
        {
            List<uint> classes = _byTag[tag];
            classes.Remove(classId);
            if (classes.Count == 0) _byTag.Remove(tag);
        }

        ulong digest = Digest(tags);
        while (_byDigest[digest] != classId) digest++;
        _byDigest.TryRemove(digest, out _);
        _tags[classId] = null;
        CloseGap(digest + 1);
    }

    // Sets that had to take the next number stay findable: each moves up into the gap before it.
    private void CloseGap(ulong digest)
    {
        while (_byDigest.TryRemove(digest, out uint id))
        {
            ulong home = Digest(_tags[id]);
            while (_byDigest.ContainsKey(home)) home++;
            _byDigest[home] = id;
            digest++;
        }
    }

    private static ulong Digest(ReadOnlySpan<ObjectId> tags)
    {
        ulong h = 0x9e3779b97f4a7c15;
        foreach (ObjectId tag in tags)
        {
            h = (h ^ tag.Value) * 0xbf58476d1ce4e5b9;
            h ^= h >> 31;
        }

        return h;
    }
}
