using System;
using System.Collections.Generic;
using System.Numerics;
using System.Threading;

namespace Genkan.Host.Agent;

/// <summary>
/// How long packets took, in buckets whose bounds are powers of two of a microsecond. One thread counts, any may read;
/// no allocation, no lock.
/// </summary>
internal sealed class LatencyHistogram
{
    /// <summary>Buckets: the first holds what took less than 1 µs, each other up to twice the one before, the last all
    /// of 2.1 s and more.</summary>
    public const int BucketCount = 23;

    private readonly ulong[] _counts = new ulong[BucketCount];
    private ulong _sumMicroseconds;

    /// <summary>Seconds that all took together.</summary>
    public double SumSeconds => Volatile.Read(ref _sumMicroseconds) / 1e6;

    /// <summary>The bound of a bucket, exclusive.</summary>
    /// <param name="bucket">Zero-based; of the last there is none.</param>
    public static double BoundSeconds(int bucket) =>
        bucket == BucketCount - 1 ? double.PositiveInfinity : (1L << bucket) / 1e6;

    /// <summary>Counts one packet.</summary>
    /// <param name="latency">How long it took; below zero counts as nothing.</param>
    public void Add(TimeSpan latency)
    {
        ulong microseconds = (ulong)Math.Max(0, latency.Ticks / TimeSpan.TicksPerMicrosecond);
        int bucket = Math.Min(BucketCount - 1, 64 - BitOperations.LeadingZeroCount(microseconds));
        Volatile.Write(ref _counts[bucket], _counts[bucket] + 1);
        Volatile.Write(ref _sumMicroseconds, _sumMicroseconds + microseconds);
    }

    /// <summary>Packets by bucket.</summary>
    public IReadOnlyList<ulong> Read()
    {
        ulong[] counts = new ulong[BucketCount];
        for (int i = 0; i < counts.Length; i++) counts[i] = Volatile.Read(ref _counts[i]);
        return counts;
    }
}
