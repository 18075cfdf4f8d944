using System;
using System.Collections.Generic;
using System.Runtime.InteropServices;

namespace Genkan.Datapath.Tables;

/// <summary>Compares kernel structs as the kernel does: octet by octet.</summary>
internal sealed class OctetComparer<T> : IEqualityComparer<T>
    where T : unmanaged
{
    internal static OctetComparer<T> Instance { get; } = new();

    /// <inheritdoc/>
    public bool Equals(T x, T y) => Octets(in x).SequenceEqual(Octets(in y));

    /// <inheritdoc/>
    public int GetHashCode(T obj)
    {
        HashCode hash = default;
        hash.AddBytes(Octets(in obj));
        return hash.ToHashCode();
    }

    private static ReadOnlySpan<byte> Octets(ref readonly T value) =>
        MemoryMarshal.AsBytes(new ReadOnlySpan<T>(in value));
}
