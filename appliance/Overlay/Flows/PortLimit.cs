using System;
using System.Threading;

namespace Genkan.Overlay.Flows;

/// <summary>
/// How often the agent does something for each who asks for it: a port, an address that the outside sends to, another
/// host. A token bucket each, by the times at which the next one is due (GCRA). Workers move them by compare-and-swap.
/// </summary>
/// <param name="perSecond">Times a second.</param>
/// <param name="burst">Times in a row.</param>
internal sealed class PortLimit(int perSecond, int burst)
{
    private readonly long _interval = TimeSpan.TicksPerSecond / perSecond;
    private readonly long _tolerance = TimeSpan.TicksPerSecond / perSecond * (burst - 1);
    private readonly long[] _due = new long[FlowLimits.Budgets];

    /// <summary>Takes a token.</summary>
    /// <param name="payer"><see cref="Upcall.Payer"/>; all that the kernel does not have share one bucket.</param>
    /// <param name="now">Time since boot.</param>
    /// <returns>False if it had its share.</returns>
    public bool TryTake(uint payer, TimeSpan now)
    {
        ref long due = ref _due[payer < FlowLimits.Budgets ? payer : 0];
        while (true)
        {
            long seen = Volatile.Read(ref due);
            long next = Math.Max(seen, now.Ticks);
            if (next - now.Ticks > _tolerance) return false;
            if (Interlocked.CompareExchange(ref due, next + _interval, seen) == seen) return true;
        }
    }
}
