using System.Collections.Generic;
using Genkan.Datapath.Bpf;
using Genkan.Datapath.Native;

namespace Genkan.Datapath.Tables;

/// <summary>
/// Keeps a kernel table in line with what is wanted: changes are written as they are named, and what was not named is
/// removed last, so that no moment lacks an entry that both old and new state have.
/// </summary>
internal sealed class TableSync<TKey, TValue>
    where TKey : unmanaged
    where TValue : unmanaged
{
    private readonly BpfTable<TKey, TValue> _table;
    private readonly IEqualityComparer<TValue> _same;
    private readonly Dictionary<TKey, TValue> _current = new(OctetComparer<TKey>.Instance);
    private readonly HashSet<TKey> _wanted = new(OctetComparer<TKey>.Instance);
    private readonly List<TKey> _unwanted = [];
    private readonly List<(TKey Key, TValue Value)> _refused = [];

    /// <summary>Takes over a table with what a former agent left in it.</summary>
    /// <param name="map">The table.</param>
    /// <param name="same">Whether two values are the same to the agent; octet by octet if null.</param>
    internal TableSync(BpfMap map, IEqualityComparer<TValue>? same = null)
    {
        _table = new BpfTable<TKey, TValue>(map);
        _same = same ?? OctetComparer<TValue>.Instance;
        TKey[] keys = new TKey[DatapathLimits.BatchEntryMax];
        TValue[] values = new TValue[DatapathLimits.BatchEntryMax];
        BpfBatchCursor cursor = default;
        while (!cursor.Finished)
        {
            Errno error = _table.LookupBatch(ref cursor, keys, values, out int count);
            if (error != Errno.None) throw new KernelException($"bpf(MAP_LOOKUP_BATCH {map.Spec.Name})", error);
            for (int i = 0; i < count; i++) _current[keys[i]] = values[i];
        }
    }

    /// <summary>Name of the table.</summary>
    internal string Name => _table.Map.Spec.Name;

    /// <summary>Entries.</summary>
    internal int Count => _current.Count;

    /// <summary>Limit on entries.</summary>
    internal uint MaxEntries => _table.Map.Spec.MaxEntries;

    /// <summary>Entries of the wanted state that the kernel had no room for, as known after
    /// <see cref="Commit"/>.</summary>
    internal int RefusedCount => _refused.Count;

    /// <summary>Begins a new wanted state.</summary>
    internal void Begin()
    {
        _wanted.Clear();
        _refused.Clear();
    }

    /// <summary>Names an entry of the wanted state, which is written now.</summary>
    internal void Want(in TKey key, in TValue value)
    {
        _wanted.Add(key);
        if (_current.TryGetValue(key, out TValue present) && _same.Equals(present, value)) return;
        if (!TryWrite((key, value))) _refused.Add((key, value));
    }

    /// <summary>Whether an entry of this key stands in the table.</summary>
    internal bool TryGet(in TKey key, out TValue value) => _current.TryGetValue(key, out value);

    /// <summary>Removes what was not named, and writes what had to wait for its room.</summary>
    internal void Commit()
    {
        _unwanted.Clear();
        foreach (TKey key in _current.Keys)
        {
            if (!_wanted.Contains(key)) _unwanted.Add(key);
        }

        foreach (TKey key in _unwanted)
        {
            _table.Delete(key); // ENOENT: gone already, which is what we want
            _current.Remove(key);
        }

        _refused.RemoveAll(TryWrite);
    }

    private bool TryWrite((TKey Key, TValue Value) entry)
    {
        if (_table.Update(entry.Key, entry.Value) != Errno.None) return false;
        _current[entry.Key] = entry.Value;
        return true;
    }
}
