using System;
using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Genkan.Datapath.Layout;

/// <summary>
/// The digest of a key as <c>flow_types.h</c> defines it: h = seed; for each 64-bit word w of the key h = (h ^ w) ×
/// DIGEST_FACTOR, h ^= h >> 32. Tags hold its lower half.
/// </summary>
internal static class KeyDigest
{
    /// <summary>The lower half of a key's digest.</summary>
    internal static uint Of<TKey>(in TKey key, ulong seed)
        where TKey : unmanaged
    {
        Debug.Assert(Unsafe.SizeOf<TKey>() % sizeof(ulong) == 0, "Keys are whole words.");
        return Of(MemoryMarshal.AsBytes(new ReadOnlySpan<TKey>(in key)), seed);
    }

    /// <summary>The lower half of a key's digest.</summary>
    /// <param name="key">Whole words.</param>
    /// <param name="seed">As in <c>settings</c>.</param>
    internal static uint Of(ReadOnlySpan<byte> key, ulong seed)
    {
        ulong h = seed;
        foreach (ulong word in MemoryMarshal.Cast<byte, ulong>(key))
        {
            h = (h ^ word) * LayoutLimits.DigestFactor;
            h ^= h >> 32;
        }

        return (uint)h;
    }
}
