using System;
using System.Collections.Generic;
using System.Linq;
using Genkan.Host.Agent;
using Genkan.Host.Api;
using Genkan.Testing;
using Shouldly;

namespace Genkan.Host.Tests.Agent;

/// <summary>How long packets took: exact in count, within a factor of two in time.</summary>
public sealed class LatencyHistogramTests
{
    private readonly LatencyHistogram _histogram = new();

    [Theory]
    [InlineData(-5, 0)]
    [InlineData(0, 0)]
    [InlineData(1, 1)]
    [InlineData(2, 2)]
    [InlineData(3, 2)]
    [InlineData(127, 7)]
    [InlineData(128, 8)]
    [InlineData(2_097_151, 21)]
    [InlineData(2_097_152, 22)]
    [InlineData(3_600_000_000, 22)]
    public void Each_bucket_ends_below_its_bound_and_the_last_takes_all_that_is_longer(long microseconds, int bucket)
    {
        _histogram.Add(TimeSpan.FromMicroseconds(microseconds));

        IReadOnlyList<ulong> counts = _histogram.Read();
        counts[bucket].ShouldBe(1ul);
        counts.Sum(static c => (long)c).ShouldBe(1);
        (microseconds / 1e6).ShouldBeLessThan(LatencyHistogram.BoundSeconds(bucket));
        if (bucket > 1) (microseconds / 1e6).ShouldBeGreaterThanOrEqualTo(LatencyHistogram.BoundSeconds(bucket - 1));
    }

    [Fact]
    public void Counting_allocates_nothing()
    {
        Allocation.Of(() =>
        {
            for (int i = 0; i < 10_000; i++) _histogram.Add(TimeSpan.FromMicroseconds(i));
        }).ShouldBe(0);
    }

    [Theory]
    [InlineData(99, 1, 0.000064)]
    [InlineData(98, 2, 0.008192)]
    [InlineData(0, 1, 0.008192)]
    public void The_report_names_the_bound_below_which_99_of_100_are(int quick, int slow, double p99)
    {
        for (int i = 0; i < quick; i++) _histogram.Add(TimeSpan.FromMicroseconds(50));
        for (int i = 0; i < slow; i++) _histogram.Add(TimeSpan.FromMilliseconds(5));

        LatencyReport report = LatencyReport.Of(3, _histogram.Read());

        (report.Worker, report.Packets, report.P99BelowSeconds).ShouldBe((3, (ulong)(quick + slow), p99));
        report.MedianBelowSeconds.ShouldBe(quick == 0 ? 0.008192 : 0.000064);
        report.Buckets.Sum(static b => (long)b.Packets).ShouldBe(quick + slow);
    }

    [Fact]
    public void Without_packets_and_beyond_the_last_bound_there_is_none()
    {
        LatencyReport.Of(0, _histogram.Read()).MedianBelowSeconds.ShouldBe(0);
        _histogram.Add(TimeSpan.FromSeconds(5));

        LatencyReport report = LatencyReport.Of(0, _histogram.Read());

        (report.MedianBelowSeconds, report.P99BelowSeconds).ShouldBe((0, 0));
        report.Buckets.ShouldBe([new LatencyBucket(null, 1)]);
    }
}
