using System;

namespace Genkan.Testing;

/// <summary>What a piece of code allocates.</summary>
public static class Allocation
{
    private const int TrialCount = 10;

    /// <summary>
    /// Octets that each run allocates: the least of some trials. The runtime charges a thread for what it compiles
    /// on it, and for the rest of its buffer when another thread's collection takes that away.
    /// </summary>
    /// <param name="run">Runs at least once, and no more often than until one run allocates nothing.</param>
    /// <param name="prepare">What goes before each run and may allocate.</param>
    public static long Of(Action run, Action? prepare = null)
    {
        long least = long.MaxValue;
        for (int trial = 0; trial < TrialCount && least > 0; trial++)
        {
            prepare?.Invoke();
            long before = GC.GetAllocatedBytesForCurrentThread();
            run();
            least = Math.Min(least, GC.GetAllocatedBytesForCurrentThread() - before);
        }

        return least;
    }
}
