using System;
using System.Diagnostics;

namespace Genkan.Datapath.Tables;

/// <summary>CLOCK_MONOTONIC, the clock of the programs' time stamps, which .NET's time stamps are on Linux.</summary>
internal static class MonotonicClock
{
    private const long NsPerSecond = 1_000_000_000;

    /// <summary>Nanoseconds.</summary>
    internal static ulong NowNs => Stopwatch.Frequency == NsPerSecond
        ? (ulong)Stopwatch.GetTimestamp()
        : (ulong)(Stopwatch.GetTimestamp() * (decimal)NsPerSecond / Stopwatch.Frequency);

    /// <summary>The same as a time.</summary>
    internal static TimeSpan Now => TimeSpan.FromTicks((long)(NowNs / TimeSpan.NanosecondsPerTick));
}
