using System;
using System.Globalization;
using System.IO;

namespace Genkan.Benchmarks.Traffic;

/// <summary>
/// The one core that generator, forwarder and sink share: the last one, since the first serves most interrupts.
/// </summary>
internal static class Core
{
    /// <summary>The core of those who shall not share the last one.</summary>
    internal const int First = 0;

    /// <summary>
    /// Binds the calling thread to the core. What its packets cause in softirqs then runs there too, on its time.
    /// </summary>
    internal static void BindThisThread() => BindThisThread(LastCore());

    /// <summary>Binds the calling thread, and those that it starts afterwards, to a core.</summary>
    internal static void BindThisThread(int core) => Shell.Run($"taskset --pid --cpu-list {core} {ThreadId()}");

    /// <summary>
    /// Processor time of the calling thread, softirqs on its back included. Rates are by this time and not by the
    /// clock, so that other work on the machine takes nothing from either side.
    /// </summary>
    internal static TimeSpan TimeOfThisThread()
    {
        string nanoseconds = File.ReadAllText("/proc/thread-self/schedstat").Split(' ')[0];
        return TimeSpan.FromTicks(long.Parse(nanoseconds, CultureInfo.InvariantCulture) / TimeSpan.NanosecondsPerTick);
    }

    private static int LastCore() => Environment.ProcessorCount - 1;

    private static string ThreadId() => Path.GetFileName(
        File.ResolveLinkTarget("/proc/thread-self", returnFinalTarget: false)?.FullName
        ?? throw new InvalidOperationException("/proc/thread-self cannot be read."));
}
