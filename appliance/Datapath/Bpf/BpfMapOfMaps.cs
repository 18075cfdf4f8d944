using System;
using Genkan.Datapath.Native;

namespace Genkan.Datapath.Bpf;

/// <summary>An array of maps, such as the rings of the CPUs. The outer map keeps the inner ones alive.</summary>
public readonly struct BpfMapOfMaps
{
    private readonly BpfMap _outer;
    private readonly BpfTable<uint, uint> _table;

    /// <summary>Looks at <paramref name="outer"/>, whose owner outlives this.</summary>
    /// <exception cref="ArgumentException">It is no array of maps.</exception>
    public BpfMapOfMaps(BpfMap outer)
    {
        if (outer.Spec.Type != BpfMapType.ArrayOfMaps)
        {
            throw new ArgumentException($"Map {outer.Spec.Name} is no array of maps.", nameof(outer));
        }
        _outer = outer;
        _table = new BpfTable<uint, uint>(outer);
    }

    /// <summary>Puts <paramref name="inner"/> in place <paramref name="index"/>.</summary>
    /// <exception cref="KernelException">The kernel refused, such as for an inner map of another kind.</exception>
    public void Set(int index, BpfMap inner)
    {
        Errno error = _table.Update((uint)index, (uint)inner.Fd.Value);
        GC.KeepAlive(inner);
        if (error != Errno.None)
        {
            throw new KernelException(BpfSyscall.Call(BpfCommand.MapUpdate, $"{_outer.Spec.Name}[{index}]"), error);
        }
    }

    /// <summary>Opens the map in place <paramref name="index"/>, or null if the place is empty.</summary>
    /// <exception cref="KernelException">The kernel refused.</exception>
    public BpfMap? TryOpen(int index)
    {
        if (!_table.TryLookup((uint)index, out uint id) || id == 0) return null;
        GetByIdAttributes attributes = new() { Id = id };
        return BpfMap.Adopt(BpfSyscall.Open(BpfCommand.MapGetFdById, ref attributes, $"{_outer.Spec.Name}[{index}]"));
    }
}
