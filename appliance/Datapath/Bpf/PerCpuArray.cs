using System;
using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Genkan.Datapath.Native;

namespace Genkan.Datapath.Bpf;

/// <summary>
/// A per-CPU array of counters: <typeparamref name="T"/> consists of 64-bit counters alone, and reading sums them over
/// the CPUs. Its buffers make it single-threaded.
/// </summary>
/// <typeparam name="T">Counters, laid out as in the program.</typeparam>
public sealed unsafe class PerCpuArray<T>
    where T : unmanaged
{
    private const int BatchElementCountMax = 256;

    private readonly BpfMap _map;
    private readonly int _cpuCount = BpfSyscall.PossibleCpuCount;
    private readonly uint[] _keys;
    private readonly T[] _values;

    /// <summary>Looks at <paramref name="map"/>, whose owner outlives this.</summary>
    /// <exception cref="InvalidOperationException">
    /// The element is no row of 64-bit counters or differs from the map's.
    /// </exception>
    public PerCpuArray(BpfMap map)
    {
        map.DemandSizes<uint, T>();
        if (Unsafe.SizeOf<T>() % sizeof(ulong) != 0)
        {
            throw new InvalidOperationException($"{typeof(T).Name} is no row of 64-bit counters.");
        }
        _map = map;
        int batchCount = (int)Math.Min(map.Spec.MaxEntries, BatchElementCountMax);
        _keys = new uint[batchCount];
        _values = new T[batchCount * _cpuCount];
    }

    /// <summary>Elements.</summary>
    public int Count => (int)_map.Spec.MaxEntries;

    /// <summary>Sums one element over the CPUs.</summary>
    /// <param name="index">Zero-based, below <see cref="Count"/>.</param>
    /// <param name="sum">The sums.</param>
    public Errno Read(int index, out T sum)
    {
        sum = default;
        uint key = (uint)index;
        fixed (T* values = _values)
        {
            MapElementAttributes attributes = new() { MapFd = (uint)_map.Fd.Value, Key = &key, Value = values };
            Errno error = BpfSyscall.TryRun(BpfCommand.MapLookup, ref attributes);
            if (error != Errno.None) return error;
        }
        Add(_values.AsSpan(0, _cpuCount), ref sum);
        return Errno.None;
    }

    /// <summary>Sums all elements over the CPUs, in batches.</summary>
    /// <param name="sums">Room for at least <see cref="Count"/> elements.</param>
    public Errno ReadAll(Span<T> sums)
    {
        if (sums.Length < Count)
        {
            throw new ArgumentException($"Room for {sums.Length} of {Count} elements.", nameof(sums));
        }
        sums[..Count].Clear();
        uint position = 0;
        for (int at = 0; at < Count;)
        {
            Errno error = ReadBatch(first: at == 0, &position, out int count);
            if (error is not (Errno.None or Errno.ENOENT)) return error;
            for (int i = 0; i < count; i++) Add(_values.AsSpan(i * _cpuCount, _cpuCount), ref sums[(int)_keys[i]]);
            at += count;
            if (error == Errno.ENOENT || count == 0) break;
        }
        return Errno.None;
    }

    /// <summary>Sets one element of every CPU.</summary>
    public Errno Write(int index, in T value)
    {
        _values.AsSpan(0, _cpuCount).Fill(value);
        uint key = (uint)index;
        fixed (T* values = _values)
        {
            MapElementAttributes attributes = new() { MapFd = (uint)_map.Fd.Value, Key = &key, Value = values };
            return BpfSyscall.TryRun(BpfCommand.MapUpdate, ref attributes);
        }
    }

    private Errno ReadBatch(bool first, uint* position, out int count)
    {
        fixed (uint* keys = _keys)
        fixed (T* values = _values)
        {
            MapBatchAttributes attributes = new()
            {
                InBatch = first ? null : position,
                OutBatch = position,
                Keys = keys,
                Values = values,
                Count = (uint)_keys.Length,
                MapFd = (uint)_map.Fd.Value,
            };
            Errno error = BpfSyscall.TryRun(BpfCommand.MapLookupBatch, ref attributes);
            count = error is Errno.None or Errno.ENOENT ? (int)attributes.Count : 0;
            return error;
        }
    }

    private static void Add(ReadOnlySpan<T> perCpu, ref T sum)
    {
        Span<ulong> target = MemoryMarshal.Cast<T, ulong>(new Span<T>(ref sum));
        ReadOnlySpan<ulong> source = MemoryMarshal.Cast<T, ulong>(perCpu);
        Debug.Assert(source.Length % target.Length == 0, "Elements are rows of counters.");
        for (int i = 0; i < source.Length; i++) target[i % target.Length] += source[i];
    }
}
