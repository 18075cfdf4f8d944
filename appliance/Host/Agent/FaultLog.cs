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
        if (Interlocked.Increment(ref _count) > LoggedMax) return;
        LogFault(fault, Convert.ToHexString(frame[..Math.Min(frame.Length, OctetsMax)]));
    }

    /// <summary>Notes a turn of housekeeping that failed.</summary>
    public void Housekeeping(Exception fault)
    {
        if (Interlocked.Increment(ref _count) <= LoggedMax) LogHousekeepingFault(fault);
    }

    [LoggerMessage(
        Level = LogLevel.Error, Message = "A packet made the agent fail, and was dropped. It began with {Octets}.")]
    private partial void LogFault(Exception fault, string octets);

    [LoggerMessage(Level = LogLevel.Error, Message = "Housekeeping failed; the agent tries again in a second.")]
    private partial void LogHousekeepingFault(Exception fault);
}
