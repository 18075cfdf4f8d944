using System;
using Genkan.Datapath.Native;

namespace Genkan.Datapath.Bpf;

/// <summary>
/// A map seen as octets, whatever its keys and values are. A value of a per-CPU map is one after the other of all CPUs,
/// each padded to eight octets. It borrows the map.
/// </summary>
internal sealed unsafe class OctetTable(BpfMap map)
{
    /// <summary>The map.</summary>
    internal BpfMap Map => map;

    /// <summary>Octets of a key.</summary>
    internal int KeySize { get; } = (int)map.Spec.KeySize;

    /// <summary>Values in one value: one, or one a CPU.</summary>
    internal int SliceCount { get; } = IsPerCpu(map.Spec.Type) ? BpfSyscall.PossibleCpuCount : 1;

    /// <summary>Octets from one of them to the next.</summary>
    internal int SliceStride { get; } =
        IsPerCpu(map.Spec.Type) ? ((int)map.Spec.ValueSize + 7) & ~7 : (int)map.Spec.ValueSize;

    /// <summary>Octets of a value as the kernel gives and takes it.</summary>
    internal int ValueSize => SliceCount * SliceStride;

    /// <summary>Copies the value of a key, or returns false if it is not there.</summary>
    internal bool TryLookup(ReadOnlySpan<byte> key, Span<byte> value)
    {
        fixed (byte* valueAt = value) return Run(BpfCommand.MapLookup, key, valueAt, BpfUpdate.Any) == Errno.None;
    }

    /// <summary>Writes an entry.</summary>
    internal Errno Update(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value, BpfUpdate mode = BpfUpdate.Any)
    {
        fixed (byte* valueAt = value) return Run(BpfCommand.MapUpdate, key, valueAt, mode);
    }

    /// <summary>Copies the next entries of a walk; see <see cref="BpfTable{TKey,TValue}.LookupBatch"/>.</summary>
    /// <param name="cursor">Where the walk stands.</param>
    /// <param name="keys">Room for keys.</param>
    /// <param name="values">Room for as many values.</param>
    /// <param name="count">How many were copied.</param>
    internal Errno LookupBatch(ref BpfBatchCursor cursor, Span<byte> keys, Span<byte> values, out int count)
    {
        count = 0;
        if (cursor.Finished) return Errno.None;
        fixed (BpfBatchCursor.CursorOctets* position = &cursor.Octets)
        fixed (byte* keysAt = keys)
        fixed (byte* valuesAt = values)
        {
            MapBatchAttributes attributes = new()
            {
                InBatch = cursor.Started ? position : null,
                OutBatch = position,
                Keys = keysAt,
                Values = valuesAt,
                Count = (uint)(keys.Length / KeySize),
                MapFd = (uint)map.Fd.Value,
            };
            Errno error = BpfSyscall.TryRun(BpfCommand.MapLookupBatch, ref attributes);
            GC.KeepAlive(map);
            if (error is not (Errno.None or Errno.ENOENT)) return error;
            count = (int)attributes.Count;
            cursor.Started = true;
            cursor.Finished = error == Errno.ENOENT;
            return Errno.None;
        }
    }

    private static bool IsPerCpu(BpfMapType type) => type is BpfMapType.PerCpuArray or BpfMapType.PerCpuHash;

    private Errno Run(BpfCommand command, ReadOnlySpan<byte> key, byte* value, BpfUpdate mode)
    {
        fixed (byte* keyAt = key)
        {
            MapElementAttributes attributes = new()
            {
                MapFd = (uint)map.Fd.Value,
                Key = keyAt,
                Value = value,
                Flags = (ulong)mode,
            };
            Errno error = BpfSyscall.TryRun(command, ref attributes);
            GC.KeepAlive(map);
            return error;
        }
    }
}
