using System;

namespace Genkan.Overlay.Flows;

/// <summary>
/// How many ICMP errors the virtual routers send (RFC 1812 §4.3.2.8, RFC 4443 §2.4 (f)): a token bucket for each port
/// where the
/// packets enter that the errors are about, by the times at which the next error is due (GCRA).
/// </summary>
internal sealed class IcmpErrorLimit
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1) / FlowLimits.IcmpErrorsPerSecond;
    private static readonly TimeSpan Tolerance = Interval * (FlowLimits.IcmpErrorsBurst - 1);

    private readonly TimeSpan[] _due = new TimeSpan[FlowLimits.PortSlots];

    /// <summary>Takes a token.</summary>
    /// <param name="slot">Port slot; all that the kernel does not have share one bucket.</param>
    /// <param name="now">Time since boot.</param>
    /// <returns>False if the error must not be sent.</returns>
    public bool TryTake(uint slot, TimeSpan now)
    {
        ref TimeSpan due = ref _due[slot < FlowLimits.PortSlots ? slot : 0];
        TimeSpan next = due > now ? due : now;
        if (next - now > Tolerance) return false;
        due = next + Interval;
        return true;
    }
}
