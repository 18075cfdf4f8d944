using System;
using System.Collections.Generic;
using Genkan.Datapath.Bpf;
using Genkan.Datapath.Layout;
using Genkan.Overlay.Topology;

namespace Genkan.Datapath.Tables;

/// <summary>A range of the budgets, handed out to objects; those of a former agent are found by their owners.</summary>
internal sealed class OwnedIndices
{
    private readonly MmapArray<BudgetEntry> _budgets;
    private readonly int _first;
    private readonly int _end;
    private readonly Dictionary<ObjectId, uint> _byOwner = [];
    private readonly HashSet<ObjectId> _used = [];
    private readonly Stack<uint> _free = new();

    /// <summary>Takes over what has an owner.</summary>
    /// <param name="budgets">The kernel's table.</param>
    /// <param name="first">First index of the range.</param>
    /// <param name="end">The one behind its last.</param>
    internal OwnedIndices(MmapArray<BudgetEntry> budgets, int first, int end)
    {
        (_budgets, _first, _end) = (budgets, first, end);
        for (int i = end - 1; i >= first; i--)
        {
            ObjectId owner = new(budgets[i].Owner);
            if (owner == ObjectId.None || !_byOwner.TryAdd(owner, (uint)i)) _free.Push((uint)i);
        }
    }

    /// <summary>Indices in use.</summary>
    internal IEnumerable<uint> InUse => _byOwner.Values;

    /// <summary>Begins a new set of objects.</summary>
    internal void Begin() => _used.Clear();

    /// <summary>The index of an object; past the last, one that it shares.</summary>
    internal uint Of(ObjectId owner)
    {
        _used.Add(owner);
        if (_byOwner.TryGetValue(owner, out uint index)) return index;
        if (!_free.TryPop(out index)) return (uint)_first + (uint)(owner.Value % (ulong)(_end - _first));
        _byOwner[owner] = index;
        return index;
    }

    /// <summary>Frees what was not named since <see cref="Begin"/>.</summary>
    /// <param name="forget">Told of each index that is free now.</param>
    internal void Commit(Action<uint> forget)
    {
        foreach ((ObjectId owner, uint index) in _byOwner)
        {
            if (_used.Contains(owner)) continue;
            _byOwner.Remove(owner); // allowed while enumerating
            _budgets[(int)index] = default;
            forget(index);
            _free.Push(index);
        }
    }
}
