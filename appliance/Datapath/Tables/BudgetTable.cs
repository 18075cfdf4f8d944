using System;
using System.Collections.Generic;
using Genkan.Datapath.Bpf;
using Genkan.Datapath.Layout;
using Genkan.Overlay.Topology;

namespace Genkan.Datapath.Tables;

/// <summary>
/// Rates of packets to the agent: one budget a port slot, with the slot's number, and behind them one an object
/// (destination, local service, VTEP). Past the last, objects share by hash: a budget too small for two is still a
/// budget.
/// </summary>
internal sealed class BudgetTable : IDisposable
{
    private const ulong NsPerSecond = 1_000_000_000;

    private readonly MmapArray<BudgetEntry> _budgets;
    private readonly Dictionary<ObjectId, uint> _byObject = [];
    private readonly HashSet<ObjectId> _used = [];
    private readonly Stack<uint> _free = new();

    internal BudgetTable(BpfMap map)
    {
        _budgets = new MmapArray<BudgetEntry>(map);
        for (int i = _budgets.Count - 1; i >= LayoutLimits.BudgetDestinationAt; i--) _free.Push((uint)i);
    }

    /// <summary>Packets that were over some budget.</summary>
    internal ulong RefusedTotal
    {
        get
        {
            ulong total = 0;
            for (int i = 0; i < _budgets.Count; i++) total += _budgets[i].Refused;
            return total;
        }
    }

    /// <summary>Packets that were over one budget.</summary>
    internal ulong Refused(uint index) => _budgets[(int)index].Refused;

    /// <summary>Begins a new set of objects.</summary>
    internal void Begin() => _used.Clear();

    /// <summary>Sets the budget of a port slot.</summary>
    /// <returns>Its index, which is the slot.</returns>
    internal uint OfSlot(uint slot, uint perSecond, uint burst)
    {
        Write(slot, perSecond, burst);
        return slot;
    }

    /// <summary>Sets the budget of an object.</summary>
    /// <returns>Its index.</returns>
    internal uint OfObject(ObjectId id, uint perSecond, uint burst)
    {
        _used.Add(id);
        if (!_byObject.TryGetValue(id, out uint index))
        {
            if (_free.TryPop(out index)) _byObject[id] = index;
            else index = Shared(id);
        }

        Write(index, perSecond, burst);
        return index;
    }

    /// <summary>Frees the budgets of objects that were not named. Call it after the tables that refer to
    /// them.</summary>
    internal void Commit()
    {
        foreach ((ObjectId id, uint index) in _byObject)
        {
            if (_used.Contains(id)) continue;
            _byObject.Remove(id); // allowed while enumerating
            _free.Push(index);
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _budgets.Dispose();

    private static uint Shared(ObjectId id) => LayoutLimits.BudgetDestinationAt
        + (uint)(id.Value % (LayoutLimits.BudgetMax - LayoutLimits.BudgetDestinationAt));

    // Two stores that a program may see apart: a packet more or less, once.
    private void Write(uint index, uint perSecond, uint burst)
    {
        ref BudgetEntry budget = ref _budgets[(int)index];
        ulong interval = perSecond == 0 ? 0 : NsPerSecond / perSecond;
        budget.BurstNs = interval * burst;
        budget.IntervalNs = interval;
    }
}
