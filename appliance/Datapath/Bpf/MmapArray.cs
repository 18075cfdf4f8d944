using System;
using System.Diagnostics;
using System.Runtime.CompilerServices;
using Genkan.Datapath.Native;

namespace Genkan.Datapath.Bpf;

/// <summary>
/// An array map with BPF_F_MMAPABLE in our memory: reads and writes cost no system call, and programs see them at once.
/// Fields that a program reads without a lock are written by <see cref="System.Threading.Volatile"/> through the
/// reference.
/// </summary>
/// <typeparam name="T">Element, laid out as in the program.</typeparam>
public sealed unsafe class MmapArray<T> : IDisposable
    where T : unmanaged
{
    private readonly MappedMemory _memory;
    private readonly byte* _base;
    private readonly nuint _stride;

    /// <summary>Maps <paramref name="map"/>, which may be disposed of afterwards.</summary>
    /// <exception cref="InvalidOperationException">The element's size differs from the map's.</exception>
    /// <exception cref="KernelException">The kernel refused.</exception>
    public MmapArray(BpfMap map)
    {
        map.DemandSizes<uint, T>();
        _stride = (nuint)((Unsafe.SizeOf<T>() + 7) & ~7); // array elements are padded to eight octets
        Count = (int)map.Spec.MaxEntries;
        nuint page = (nuint)Environment.SystemPageSize;
        nuint size = (((nuint)Count * _stride) + page - 1) / page * page;
        _memory = MappedMemory.Map(
            map.Fd, size, MappedMemory.Protection.Read | MappedMemory.Protection.Write, 0, map.Spec.Name);
        _base = _memory.Address;
    }

    /// <summary>Elements.</summary>
    public int Count { get; }

    /// <summary>The element in the kernel's memory; valid until this is disposed of.</summary>
    /// <param name="index">Zero-based, below <see cref="Count"/>.</param>
    public ref T this[int index]
    {
        get
        {
            if ((uint)index >= (uint)Count) throw new ArgumentOutOfRangeException(nameof(index));
            Debug.Assert(!_memory.IsClosed, "An element of a disposed array.");
            return ref *(T*)(_base + ((nuint)index * _stride));
        }
    }

    /// <inheritdoc />
    public void Dispose() => _memory.Dispose();
}
