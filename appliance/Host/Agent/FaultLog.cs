using System;
using System.Threading;
using Microsoft.Extensions.Logging;

namespace Genkan.Host.Agent;

/// <summary>Faults of ours: all are counted, the first ones are in the log; an attacker must not fill it.</summary>
internal sealed partial class FaultLog(ILogger logger)
{
    private const ulong LoggedMax = 100;
    private const int OctetsMax = 128;

    private ulong _count;

    /// <summary>Packets and turns of housekeeping that ended in a fault.</summary>
    public ulong Count => Volatile.Read(ref _count);

    /// <summary>Notes a packet that made the agent fail, with its octets.</summary>
    public void Packet(Exception fault, ReadOnlySpan<byte> frame)
    {
        ulong count = Interlocked.Increment(ref _count);
        if (count > LoggedMax) return;
        LogFault(fault, Convert.ToHexString(frame[..Math.Min(frame.Length, OctetsMax)]));
        if (count == LoggedMax) LogLast(LoggedMax);
    }

    /// <summary>Notes a turn of housekeeping that failed.</summary>
    public void Housekeeping(Exception fault)
    {
        ulong count = Interlocked.Increment(ref _count);
        if (count > LoggedMax) return;
        LogHousekeepingFault(fault);
        if (count == LoggedMax) LogLast(LoggedMax);
    }

    [LoggerMessage(
        Level = LogLevel.Error, Message = "A packet made the agent fail, and was dropped. It began with {Octets}.")]
    private partial void LogFault(Exception fault, string octets);

    [LoggerMessage(
        Level = LogLevel.Error,
        Message = "Housekeeping failed and is tried again. If it repeats, restart the agent (traffic goes on) and "
            + "report this.")]
    private partial void LogHousekeepingFault(Exception fault);

    [LoggerMessage(
        Level = LogLevel.Error, Message = "{Count} faults are logged, later ones are only counted (genkan status).")]
    private partial void LogLast(ulong count);
}
