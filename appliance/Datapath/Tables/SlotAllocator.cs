using System;
using System.Collections.Generic;
using Genkan.Datapath.Layout;

namespace Genkan.Datapath.Tables;

/// <summary>
/// Hands out port slots. Flow keys carry slots, so a slot that was in use is handed out again only after its flows
/// were removed, and only when no fresh one is left.
/// </summary>
internal sealed class SlotAllocator
{
    private readonly SortedSet<uint> _clean = [];
    private readonly HashSet<uint> _used = [];
    private readonly HashSet<uint> _dirty = [];

    /// <summary>Makes an allocator; slot 0 is never handed out.</summary>
    /// <param name="slotCount">Slots, slot 0 included.</param>
    internal SlotAllocator(int slotCount = LayoutLimits.PortMax)
    {
        for (uint i = 1; i < slotCount; i++) _clean.Add(i);
    }

    /// <summary>Marks a slot that a former agent handed out.</summary>
    internal void Adopt(uint slot)
    {
        _clean.Remove(slot);
        _used.Add(slot);
    }

    /// <summary>Hands out a slot.</summary>
    /// <param name="purge">Removes the flows of slots that were in use; called only when no fresh slot is left.</param>
    /// <param name="slot">The slot.</param>
    /// <returns>False if all are in use.</returns>
    internal bool TryAllocate(Action<IReadOnlySet<uint>> purge, out uint slot)
    {
        if (_clean.Count == 0 && _dirty.Count > 0)
        {
            purge(_dirty);
            _clean.UnionWith(_dirty);
            _dirty.Clear();
        }

        slot = _clean.Count == 0 ? 0 : _clean.Min;
        if (slot == 0) return false;
        _clean.Remove(slot);
        _used.Add(slot);
        return true;
    }

    /// <summary>Takes a slot back.</summary>
    internal void Free(uint slot)
    {
        if (_used.Remove(slot)) _dirty.Add(slot);
    }
}
