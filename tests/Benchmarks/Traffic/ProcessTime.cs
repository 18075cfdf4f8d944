using System;
using System.Globalization;
using System.IO;

namespace Genkan.Benchmarks.Traffic;

/// <summary>Processor time of another process's threads, softirqs on their back included.</summary>
internal static class ProcessTime
{
    /// <summary>Time of all threads whose name begins so.</summary>
    /// <param name="processId">The process.</param>
    /// <param name="name">First letters of the threads' names; empty for all.</param>
    internal static TimeSpan Of(int processId, string name)
    {
        long nanoseconds = 0;
        foreach (string task in Directory.EnumerateDirectories(
            string.Create(CultureInfo.InvariantCulture, $"/proc/{processId}/task")))
        {
            if (!File.ReadAllText(Path.Combine(task, "comm")).StartsWith(name, StringComparison.Ordinal)) continue;
            string time = File.ReadAllText(Path.Combine(task, "schedstat")).Split(' ')[0];
            nanoseconds += long.Parse(time, CultureInfo.InvariantCulture);
        }

        return TimeSpan.FromTicks(nanoseconds / TimeSpan.NanosecondsPerTick);
    }
}
