using System;
using System.Numerics;
using Genkan.Wire;

namespace Genkan.Overlay.Topology;

/// <summary>
/// Rendezvous (highest random weight) hashing: each flow ranks the candidates by a hash of both, so that a candidate
/// that goes takes only its own flows with it, and one that comes takes one share of each.
/// </summary>
public static class Rendezvous
{
    /// <summary>The hash of a flow by its two addresses; both directions differ on purpose (each chooses for
    /// itself).</summary>
    public static ulong FlowHash(IpAddress source, IpAddress destination) =>
        Mix(Fold(source) ^ BitOperations.RotateLeft(Mix(Fold(destination)), 23));

    /// <summary>The weight of a candidate for a flow; the highest wins.</summary>
    public static ulong Weight(ulong flow, ulong candidate) => Mix(flow ^ Mix(candidate + 0x9e3779b97f4a7c15));

    /// <summary>The candidate with the highest weight.</summary>
    /// <param name="flow">From <see cref="FlowHash"/>.</param>
    /// <param name="candidates">At least one.</param>
    public static ObjectId Choose(ulong flow, ReadOnlySpan<ObjectId> candidates)
    {
        ObjectId best = candidates[0];
        if (candidates.Length == 1) return best;
        ulong weight = Weight(flow, best.Value);
        foreach (ObjectId candidate in candidates[1..])
        {
            ulong other = Weight(flow, candidate.Value);
            if (other <= weight) continue;
            (best, weight) = (candidate, other);
        }

        return best;
    }

    private static ulong Fold(IpAddress address) => (ulong)address.Value ^ Mix((ulong)(address.Value >> 64) + 1);

    // The finaliser of SplitMix64: every input bit reaches every output bit.
    private static ulong Mix(ulong x)
    {
        x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
        x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
        return x ^ (x >> 31);
    }
}
