using System;
using System.Threading;

namespace Genkan.Overlay.Flows;

/// <summary>How many packets the agent cuts, for each port where they enter (GCRA). Any thread may ask.</summary>
internal sealed class FragmentBudget
{
    private const long Interval = TimeSpan.TicksPerSecond / FlowLimits.CutPacketsPerSecond;
    private const long Tolerance = Interval * (FlowLimits.CutPacketsBurst - 1);

    private readonly long[] _due = new long[FlowLimits.PortSlots];

    /// <summary>Takes one packet's worth.</summary>
    /// <param name="slot">Port slot; all that the kernel does not have share one.</param>
    /// <param name="now">Time since boot.</param>
    /// <returns>False if the port had its share.</returns>
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
