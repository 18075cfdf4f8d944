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
        ulong h = seed;
        foreach (ulong word in MemoryMarshal.Cast<TKey, ulong>(new ReadOnlySpan<TKey>(in key)))
        {
            h = (h ^ word) * LayoutLimits.DigestFactor;
            h ^= h >> 32;
        }

        return (uint)h;
    }
}
