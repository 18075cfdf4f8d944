using System;
using System.Threading;

namespace Genkan.Datapath.Tables;

/// <summary>
/// The agent's sign of life in <c>settings</c>, and how regular it was. One thread beats, any may ask.
/// </summary>
internal sealed class Heartbeat
{
    private ulong _last;
    private ulong _gapMax;

    /// <summary>The longest time between two beats, or since the last one if that is longer: never below an
    /// <see cref="Age"/> that was read before.</summary>
    /// <param name="heartbeatNs">CLOCK_MONOTONIC, where the programs read it.</param>
    internal TimeSpan GapMax(ref ulong heartbeatNs)
    {
        TimeSpan age = Age(ref heartbeatNs); // first: a beat meanwhile makes it a gap
        TimeSpan gap = ToTime(Volatile.Read(ref _gapMax));
        return age > gap ? age : gap;
    }

    /// <summary>Writes the time of now.</summary>
    /// <param name="heartbeatNs">CLOCK_MONOTONIC, where the programs read it.</param>
    internal void Beat(ref ulong heartbeatNs)
    {
        ulong now = MonotonicClock.NowNs;
        Volatile.Write(ref heartbeatNs, now);
        if (_last != 0 && now - _last > _gapMax) Volatile.Write(ref _gapMax, now - _last);
        _last = now;
    }

    /// <summary>Time since the last beat, whoever's it was.</summary>
    /// <param name="heartbeatNs">CLOCK_MONOTONIC, where the programs read it.</param>
    internal static TimeSpan Age(ref ulong heartbeatNs)
    {
        ulong beaten = Volatile.Read(ref heartbeatNs);
        ulong now = MonotonicClock.NowNs;
        return ToTime(now > beaten ? now - beaten : 0);
    }

    private static TimeSpan ToTime(ulong ns) => TimeSpan.FromTicks((long)(ns / TimeSpan.NanosecondsPerTick));
}
