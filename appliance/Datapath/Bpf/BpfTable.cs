using System;
using System.Runtime.CompilerServices;
using Genkan.Datapath.Native;

namespace Genkan.Datapath.Bpf;

/// <summary>Where a batched walk of a table stands; <c>default</c> is its beginning.</summary>
public struct BpfBatchCursor
{
    internal CursorOctets Octets;

    /// <summary>True once a batch was read.</summary>
    public bool Started { get; internal set; }

    /// <summary>True at the end of the walk.</summary>
    public bool Finished { get; internal set; }

    [InlineArray(SizeMax)]
    internal struct CursorOctets
    {
        internal const int SizeMax = 128;
        private byte _first;
    }
}

/// <summary>
/// A map seen as a table of <typeparamref name="TKey"/> to <typeparamref name="TValue"/>. Nothing here throws or
/// allocates: outcomes are the kernel's error names. Calls from several threads are safe, each being one system call.
/// It borrows the map: the map's owner outlives it.
/// </summary>
/// <typeparam name="TKey">Key, laid out as in the program.</typeparam>
/// <typeparam name="TValue">Value, laid out as in the program.</typeparam>
public readonly unsafe struct BpfTable<TKey, TValue>
    where TKey : unmanaged
    where TValue : unmanaged
{
    private readonly BpfMap _map;

    /// <summary>Looks at <paramref name="map"/>.</summary>
    /// <exception cref="InvalidOperationException">The sizes of key or value differ from the map's.</exception>
    public BpfTable(BpfMap map)
    {
        map.DemandSizes<TKey, TValue>();
        _map = map;
    }

    /// <summary>The map.</summary>
    public BpfMap Map => _map;

    /// <summary>Copies the value of <paramref name="key"/>, or returns false if the key is not there.</summary>
    public bool TryLookup(in TKey key, out TValue value)
    {
        value = default;
        fixed (TKey* keyAt = &key)
        fixed (TValue* valueAt = &value)
        {
            return Element(BpfCommand.MapLookup, keyAt, valueAt, 0) == Errno.None;
        }
    }

    /// <summary>Writes one entry.</summary>
    /// <returns><c>None</c>; <c>E2BIG</c> if full; <c>EEXIST</c> or <c>ENOENT</c> by <paramref name="mode"/>.</returns>
    public Errno Update(in TKey key, in TValue value, BpfUpdate mode = BpfUpdate.Any)
    {
        fixed (TKey* keyAt = &key)
        fixed (TValue* valueAt = &value)
        {
            return Element(BpfCommand.MapUpdate, keyAt, valueAt, (ulong)mode);
        }
    }

    /// <summary>Removes one entry.</summary>
    /// <returns><c>None</c>, or <c>ENOENT</c> if the key is not there.</returns>
    public Errno Delete(in TKey key)
    {
        fixed (TKey* keyAt = &key) return Element(BpfCommand.MapDelete, keyAt, null, 0);
    }

    /// <summary>Copies the first key, or returns false if the table is empty.</summary>
    public bool TryGetFirstKey(out TKey key)
    {
        key = default;
        fixed (TKey* keyAt = &key) return Element(BpfCommand.MapGetNextKey, null, keyAt, 0) == Errno.None;
    }

    /// <summary>
    /// Copies the key after <paramref name="key"/> (the first one if that is gone), or returns false at the end.
    /// </summary>
    public bool TryGetNextKey(in TKey key, out TKey next)
    {
        next = default;
        fixed (TKey* keyAt = &key)
        fixed (TKey* nextAt = &next)
        {
            return Element(BpfCommand.MapGetNextKey, keyAt, nextAt, 0) == Errno.None;
        }
    }

    /// <summary>Writes entries in one system call, up to the first that is refused.</summary>
    /// <param name="keys">Keys.</param>
    /// <param name="values">As many values.</param>
    /// <param name="writtenCount">How many were written; the one after them is the refused one.</param>
    /// <param name="mode">What to do with keys that exist or do not.</param>
    public Errno UpdateBatch(
        ReadOnlySpan<TKey> keys, ReadOnlySpan<TValue> values, out int writtenCount, BpfUpdate mode = BpfUpdate.Any)
    {
        DemandEqual(keys.Length, values.Length);
        writtenCount = 0;
        if (keys.IsEmpty) return Errno.None;
        fixed (TKey* keysAt = keys)
        fixed (TValue* valuesAt = values)
        {
            MapBatchAttributes attributes = Batch(keysAt, valuesAt, keys.Length);
            attributes.ElementFlags = (ulong)mode;
            Errno error = Run(BpfCommand.MapUpdateBatch, ref attributes);
            writtenCount = error == Errno.EFAULT ? 0 : (int)attributes.Count;
            return error;
        }
    }

    /// <summary>Removes entries. The kernel stops at each key that is gone already; this goes on behind it.</summary>
    /// <param name="keys">Keys.</param>
    /// <param name="deletedCount">How many were there and were removed.</param>
    public Errno DeleteBatch(ReadOnlySpan<TKey> keys, out int deletedCount)
    {
        deletedCount = 0;
        fixed (TKey* keysAt = keys)
        {
            int at = 0;
            while (at < keys.Length)
            {
                MapBatchAttributes attributes = Batch(keysAt + at, null, keys.Length - at);
                Errno error = Run(BpfCommand.MapDeleteBatch, ref attributes);
                if (error is not (Errno.None or Errno.ENOENT)) return error;
                deletedCount += (int)attributes.Count;
                at += (int)attributes.Count + (error == Errno.ENOENT ? 1 : 0);
            }
        }
        return Errno.None;
    }

    /// <summary>
    /// Copies the next entries of a walk. Entries written meanwhile may be seen, missed or seen twice.
    /// </summary>
    /// <param name="cursor">Where the walk stands; set to <c>Finished</c> at its end.</param>
    /// <param name="keys">Room for keys. A bucket with more entries than this gives <c>ENOSPC</c>: offer more.</param>
    /// <param name="values">Room for as many values.</param>
    /// <param name="count">How many were copied.</param>
    public Errno LookupBatch(ref BpfBatchCursor cursor, Span<TKey> keys, Span<TValue> values, out int count) =>
        Walk(BpfCommand.MapLookupBatch, ref cursor, keys, values, out count);

    /// <summary>As <see cref="LookupBatch"/>, and removes what it copies.</summary>
    public Errno LookupAndDeleteBatch(ref BpfBatchCursor cursor, Span<TKey> keys, Span<TValue> values, out int count) =>
        Walk(BpfCommand.MapLookupAndDeleteBatch, ref cursor, keys, values, out count);

    private Errno Walk(
        BpfCommand command, ref BpfBatchCursor cursor, Span<TKey> keys, Span<TValue> values, out int count)
    {
        DemandEqual(keys.Length, values.Length);
        count = 0;
        if (cursor.Finished) return Errno.None;
        fixed (BpfBatchCursor.CursorOctets* position = &cursor.Octets)
        fixed (TKey* keysAt = keys)
        fixed (TValue* valuesAt = values)
        {
            MapBatchAttributes attributes = Batch(keysAt, valuesAt, keys.Length);
            attributes.InBatch = cursor.Started ? position : null;
            attributes.OutBatch = position;
            Errno error = Run(command, ref attributes);
            if (error is not (Errno.None or Errno.ENOENT)) return error;
            count = (int)attributes.Count;
            cursor.Started = true;
            cursor.Finished = error == Errno.ENOENT; // the kernel's word for "that was the last batch"
            return Errno.None;
        }
    }

    private static void DemandEqual(int keyCount, int valueCount)
    {
        if (keyCount != valueCount) throw new InvalidOperationException($"{keyCount} keys, but {valueCount} values.");
    }

    private MapBatchAttributes Batch(void* keys, void* values, int count) => new()
    {
        Keys = keys,
        Values = values,
        Count = (uint)count,
        MapFd = (uint)_map.Fd.Value,
    };

    private Errno Run(BpfCommand command, ref MapBatchAttributes attributes)
    {
        Errno error = BpfSyscall.TryRun(command, ref attributes);
        GC.KeepAlive(_map);
        return error;
    }

    private Errno Element(BpfCommand command, void* key, void* value, ulong flags)
    {
        MapElementAttributes attributes = new()
        {
            MapFd = (uint)_map.Fd.Value,
            Key = key,
            Value = value,
            Flags = flags,
        };
        Errno error = BpfSyscall.TryRun(command, ref attributes);
        GC.KeepAlive(_map);
        return error;
    }
}
