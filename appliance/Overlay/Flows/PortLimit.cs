using System;
using System.Threading;

namespace Genkan.Overlay.Flows;

/// <summary>
/// How often the agent does something for each port where packets enter: a token bucket a port, by the times at which
/// the next one is due (GCRA). Workers move them by compare-and-swap.
/// </summary>
/// <param name="perSecond">Times a second.</param>
/// <param name="burst">Times in a row.</param>
internal sealed class PortLimit(int perSecond, int burst)
{
    private readonly long _interval = TimeSpan.TicksPerSecond / perSecond;
    private readonly long _tolerance = TimeSpan.TicksPerSecond / perSecond * (burst - 1);
    private readonly long[] _due = new long[FlowLimits.PortSlots];

    /// <summary>Takes a token.</summary>
    /// <param name="slot">Port slot; all that the kernel does not have share one bucket.</param>
    /// <param name="now">Time since boot.</param>
    /// <returns>False if the port had its share.</returns>
    public bool TryTake(uint slot, TimeSpan now)
    {
        ref long due = ref _due[slot < FlowLimits.PortSlots ? slot : 0];
        while (true)
        {
            long seen = Volatile.Read(ref due);
            long next = Math.Max(seen, now.Ticks);
            if (next - now.Ticks > _tolerance) return false;
            if (Interlocked.CompareExchange(ref due, next + _interval, seen) == seen) return true;
        }
    }
}
