using System;
using System.Globalization;
using System.IO;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace Genkan.Host.Agent;

/// <summary>How much of the machine's processors has nothing to do, by <c>/proc/stat</c> (proc_stat(5)).</summary>
internal sealed class HostProcessors : IDisposable
{
    // The kernel counts in ticks of 10 ms: a look at less than this many on all processors says little.
    private const long TicksMin = 20;
    private const int FieldIdle = 4;
    private const int FieldIoWait = 5;
    private const int FieldsMax = 8; // the two of guests are in user time already

    private readonly SafeFileHandle? _stat = Open();
    private readonly byte[] _text = new byte[512]; // the first line is of all processors
    private long _total;
    private long _idle;

    /// <summary>Processors that were idle since they were last asked about, as a mean; negative: not known
    /// (yet).</summary>
    public double ReadIdle()
    {
        if (_stat is null) return -1;
        int count = RandomAccess.Read(_stat, _text, fileOffset: 0);
        ReadOnlySpan<char> line = Encoding.ASCII.GetString(_text, 0, count).AsSpan();
        int end = line.IndexOf('\n');
        if (end > 0) line = line[..end];
        (long total, long idle, int field) = (0, 0, 0);
        foreach (Range range in line.Split(' '))
        {
            ReadOnlySpan<char> word = line[range];
            if (word.IsEmpty) continue;
            if (field > 0 && field <= FieldsMax && long.TryParse(word, CultureInfo.InvariantCulture, out long ticks))
            {
                total += ticks;
                if (field is FieldIdle or FieldIoWait) idle += ticks;
            }

            field++;
        }

        if (total - _total < TicksMin) return -1;
        double share = _total == 0 ? -1 : (double)(idle - _idle) / (total - _total) * Environment.ProcessorCount;
        (_total, _idle) = (total, idle);
        return share;
    }

    public void Dispose() => _stat?.Dispose();

    private static SafeFileHandle? Open()
    {
        try
        {
            return File.OpenHandle("/proc/stat");
        }
        catch (Exception refused) when (refused is IOException or UnauthorizedAccessException)
        {
            return null; // a container without it: spare time is not known, and the queue alone tells of load
        }
    }
}
