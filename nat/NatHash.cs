using System;
using System.Numerics;
using Genkan.Wire;

namespace Genkan.Nat;

/// <summary>
/// Keyed hashes over tuples that strangers choose: without the key a tenant could put all of its mappings into one
/// chain.
/// </summary>
internal static class NatHash
{
    private const ulong Odd = 0x9E37_79B9_7F4A_7C15;

    internal static uint Endpoint(ulong key, ulong zone, IpProtocol protocol, IpAddress address, ushort port) =>
        Fold(Step(Address(key, zone, address), ((ulong)protocol << 16) | port));

    internal static uint Source(ulong key, ulong zone, IpAddress address) => Fold(Address(key, zone, address));

    /// <summary>A permutation with good avalanche (SplitMix64); also the step of the table's random sequence.</summary>
    internal static ulong Mix(ulong x)
    {
        x = (x ^ (x >> 30)) * 0xBF58_476D_1CE4_E5B9;
        x = (x ^ (x >> 27)) * 0x94D0_49BB_1331_11EB;
        return x ^ (x >> 31);
    }

    /// <summary>The next number of a SplitMix64 sequence.</summary>
    internal static ulong Next(ref ulong state) => Mix(state += Odd);

    private static ulong Address(ulong key, ulong zone, IpAddress address)
    {
        UInt128 bits = address.Value;
        ulong h = Step(key, zone);
        h = Step(h, (ulong)(bits >> 64));
        return Step(h, (ulong)bits);
    }

    private static ulong Step(ulong h, ulong value) => BitOperations.RotateLeft((h ^ value) * Odd, 29) + Odd;

    private static uint Fold(ulong h) => (uint)(Mix(h) >> 32);
}
