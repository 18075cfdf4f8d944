using System;
using System.Globalization;
using System.IO;
using System.Runtime.CompilerServices;
using Genkan.Datapath.Native;

namespace Genkan.Datapath.Bpf;

/// <summary>What a map is made of.</summary>
/// <param name="Name">Name; the kernel keeps the first 15 octets.</param>
/// <param name="Type">Type.</param>
/// <param name="KeySize">Octets of a key.</param>
/// <param name="ValueSize">Octets of a value.</param>
/// <param name="MaxEntries">Limit on entries; of a ring buffer its octets, a power of two of pages.</param>
/// <param name="Flags">Flags.</param>
public readonly record struct BpfMapSpec(
    string Name, BpfMapType Type, uint KeySize, uint ValueSize, uint MaxEntries, BpfMapFlags Flags = BpfMapFlags.None);

/// <summary>One BPF map by its descriptor, without a notion of its keys and values.</summary>
public sealed class BpfMap : IDisposable
{
    private BpfMap(FileDescriptor fd)
    {
        Fd = fd;
        BpfMapInfo info = default;
        BpfSyscall.GetInfo(fd, ref info, "map");
        Id = info.Id;
        Spec = new BpfMapSpec(
            info.Name, (BpfMapType)info.Type, info.KeySize, info.ValueSize, info.MaxEntries, (BpfMapFlags)info.Flags);
    }

    /// <summary>What the kernel says that it is made of.</summary>
    public BpfMapSpec Spec { get; }

    /// <summary>The kernel's number of the map.</summary>
    public uint Id { get; }

    /// <summary>Octets of kernel memory that it takes now, as the kernel says (exact since Linux 6.4; before that its
    /// keys and values at <c>max_entries</c>).</summary>
    /// <exception cref="IOException">The kernel does not tell.</exception>
    public ulong MemoryOctets
    {
        get
        {
            string path = string.Create(CultureInfo.InvariantCulture, $"/proc/self/fdinfo/{Fd.Value}");
            foreach (string line in File.ReadLines(path))
            {
                if (!line.StartsWith("memlock:", StringComparison.Ordinal)) continue;
                return ulong.Parse(line.AsSpan("memlock:".Length).Trim(), CultureInfo.InvariantCulture);
            }

            throw new IOException($"{path} of map {Spec.Name} has no line memlock: is /proc mounted?");
        }
    }

    internal FileDescriptor Fd { get; }

    /// <summary>Creates a map.</summary>
    /// <param name="spec">What it is made of.</param>
    /// <param name="inner">Of a map of maps: a map like those it will hold.</param>
    /// <exception cref="KernelException">The kernel refused.</exception>
    public static unsafe BpfMap Create(in BpfMapSpec spec, BpfMap? inner = null)
    {
        MapCreateAttributes attributes = new()
        {
            Type = (uint)spec.Type,
            KeySize = spec.KeySize,
            ValueSize = spec.ValueSize,
            MaxEntries = spec.MaxEntries,
            Flags = (uint)spec.Flags,
            InnerMapFd = inner is null ? 0 : (uint)inner.Fd.Value,
        };
        BpfSyscall.CopyName(spec.Name, attributes.Name);
        BpfMap map = new(BpfSyscall.Open(BpfCommand.MapCreate, ref attributes, spec.Name));
        GC.KeepAlive(inner);
        return map;
    }

    /// <summary>Opens the map pinned at <paramref name="path"/>, or null if nothing is there.</summary>
    /// <exception cref="KernelException">The kernel refused.</exception>
    public static BpfMap? TryOpenPinned(string path) =>
        BpfSyscall.TryGetPinned(path) is { } fd ? new BpfMap(fd) : null;

    /// <summary>Pins the map at <paramref name="path"/>, which must not exist, on a bpffs.</summary>
    /// <exception cref="KernelException">The kernel refused.</exception>
    public void Pin(string path) => BpfSyscall.Pin(Fd, path);

    /// <summary>Freezes the map for the agent: from now on only programs write.</summary>
    /// <exception cref="KernelException">The kernel refused.</exception>
    public void Freeze()
    {
        uint fd = (uint)Fd.Value;
        BpfSyscall.Demand(BpfCommand.MapFreeze, ref fd, Spec.Name);
    }

    /// <inheritdoc />
    public void Dispose() => Fd.Dispose();

    internal static BpfMap Adopt(FileDescriptor fd) => new(fd);

    /// <summary>Refuses to look at the map with keys and values of other sizes.</summary>
    /// <exception cref="InvalidOperationException">A size differs.</exception>
    internal void DemandSizes<TKey, TValue>()
        where TKey : unmanaged
        where TValue : unmanaged
    {
        if (Spec.KeySize == Unsafe.SizeOf<TKey>() && Spec.ValueSize == Unsafe.SizeOf<TValue>()) return;
        throw new InvalidOperationException(
            $"Map {Spec.Name} has keys of {Spec.KeySize} and values of {Spec.ValueSize} octets, "
            + $"not {Unsafe.SizeOf<TKey>()} ({typeof(TKey).Name}) "
            + $"and {Unsafe.SizeOf<TValue>()} ({typeof(TValue).Name}).");
    }
}
