using System;
using System.Threading;

namespace Genkan.Overlay.Flows;

/// <summary>
/// How many ICMP errors the virtual routers send (RFC 1812 §4.3.2.8, RFC 4443 §2.4 (f)): a token bucket for each port
/// where the packets enter that the errors are about, by the times at which the next error is due (GCRA). Workers move
/// them by compare-and-swap.
/// </summary>
internal sealed class IcmpErrorLimit
{
    private const long Interval = TimeSpan.TicksPerSecond / FlowLimits.IcmpErrorsPerSecond;
    private const long Tolerance = Interval * (FlowLimits.IcmpErrorsBurst - 1);

    private readonly long[] _due = new long[FlowLimits.PortSlots];

    /// <summary>Takes a token.</summary>
    /// <param name="slot">Port slot; all that the kernel does not have share one bucket.</param>
    /// <param name="now">Time since boot.</param>
    /// <returns>False if the error must not be sent.</returns>
    public bool TryTake(uint slot, TimeSpan now)
    {
        ref long due = ref _due[slot < FlowLimits.PortSlots ? slot : 0];
        while (true)
        {
            long seen = Volatile.Read(ref due);
            long next = Math.Max(seen, now.Ticks);
            if (next - now.Ticks > Tolerance) return false;
            if (Interlocked.CompareExchange(ref due, next + Interval, seen) == seen) return true;
        }
    }
}
