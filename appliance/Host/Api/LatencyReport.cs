using System.Collections.Generic;
using System.Linq;
using Genkan.Host.Agent;

namespace Genkan.Host.Api;

/// <summary>How long packets took in a worker, from the kernel's ring until their decision was in the tables.</summary>
/// <param name="Worker">Zero-based.</param>
/// <param name="Packets">Packets counted.</param>
/// <param name="MedianBelowSeconds">Half of them took less than this; 0 if there are none, or if it is beyond the last
/// bound.</param>
/// <param name="P99BelowSeconds">99 of 100 took less; 0 likewise.</param>
/// <param name="Buckets">Where any are.</param>
public sealed record LatencyReport(
    int Worker, ulong Packets, double MedianBelowSeconds, double P99BelowSeconds, IReadOnlyList<LatencyBucket> Buckets)
{
    /// <summary>Makes it from what a worker has counted.</summary>
    /// <param name="worker">Zero-based.</param>
    /// <param name="counts">Packets by bucket of <see cref="LatencyHistogram"/>.</param>
    internal static LatencyReport Of(int worker, IReadOnlyList<ulong> counts)
    {
        ulong packets = counts.Aggregate(0UL, static (sum, count) => sum + count);
        return new LatencyReport(
            worker,
            packets,
            BoundOf(counts, (packets + 1) / 2),
            BoundOf(counts, packets - (packets / 100)),
            [
                .. Enumerable.Range(0, counts.Count).Where(i => counts[i] > 0)
                    .Select(i => new LatencyBucket(BoundOf(i), counts[i])),
            ]);
    }

    private static double BoundOf(IReadOnlyList<ulong> counts, ulong rank)
    {
        ulong sum = 0;
        for (int i = 0; rank > 0 && i < counts.Count; i++)
        {
            sum += counts[i];
            if (sum >= rank) return BoundOf(i) ?? 0;
        }

        return 0;
    }

    private static double? BoundOf(int bucket) =>
        bucket == LatencyHistogram.BucketCount - 1 ? null : LatencyHistogram.BoundSeconds(bucket);
}

/// <summary>Packets whose time was below a bound, and not below half of it.</summary>
/// <param name="BelowSeconds">The bound; null of the last bucket, which has none.</param>
/// <param name="Packets">How many.</param>
public sealed record LatencyBucket(double? BelowSeconds, ulong Packets);
