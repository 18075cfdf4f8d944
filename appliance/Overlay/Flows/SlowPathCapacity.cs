using System;

namespace Genkan.Overlay.Flows;

/// <summary>What the slow path did since the last look.</summary>
/// <param name="Elapsed">Since then.</param>
/// <param name="ProcessorTime">Of the agent, all threads.</param>
/// <param name="Handled">Packets handled.</param>
/// <param name="Backlog">Packets that wait in the rings, about.</param>
/// <param name="Workers">Threads that handle packets.</param>
/// <param name="IdleProcessors">Processors of the host without work, as a mean; negative if not known.</param>
public readonly record struct SlowPathLoad(
    TimeSpan Elapsed, TimeSpan ProcessorTime, long Handled, long Backlog, int Workers, double IdleProcessors);

/// <summary>
/// How many packets a second the slow path can take: what its processor time a packet says, less while packets wait;
/// and how much of that is spare, since the host's processors have nothing else to do.
/// </summary>
public sealed class SlowPathCapacity
{
    /// <summary>The host is never shared as if it could do less, packets a second.</summary>
    public const double Min = 5_000;

    /// <summary>… or more.</summary>
    public const double Max = 2_000_000;

    /// <summary>Packets in a look that tell their cost; fewer are drowned by what the agent does besides.</summary>
    public const int SampleMin = 100;

    /// <summary>Waiting longer than this is too long: less is let in.</summary>
    public static readonly TimeSpan DelayMax = TimeSpan.FromMilliseconds(10);

    private const double Weight = 0.25;
    private const double Cut = 0.8;
    private const double Recovery = 1.05;
    private const double SpareStep = 500;
    private const double SpareCut = 0.125; // the kernel's clock tells of idle time ten times a second at most
    private const double IdleWanted = 0.3;
    private const double IdleMin = 0.15;

    private double _costSeconds = 10e-6;
    private double _share = 1;

    /// <summary>Packets a second that may be let in.</summary>
    public double PerSecond { get; private set; } = 100_000;

    /// <summary>Packets a second of flows that come to nothing, which only idle processors should serve.</summary>
    public double SparePerSecond { get; private set; } = 100_000;

    /// <summary>Processor time of a packet, as last measured.</summary>
    public TimeSpan Cost => TimeSpan.FromSeconds(_costSeconds);

    /// <summary>Takes a look into account.</summary>
    public void Observe(in SlowPathLoad load)
    {
        if (load.Handled >= SampleMin)
            _costSeconds += Weight * ((load.ProcessorTime.TotalSeconds / load.Handled) - _costSeconds);
        double able = Math.Max(1, load.Workers) / Math.Max(_costSeconds, 1 / Max);
        bool isLate = load.Backlog * _costSeconds / Math.Max(1, load.Workers) > DelayMax.TotalSeconds;

        // What comes to nothing goes first: only if packets wait without it, less is let in of what comes to something.
        if (!isLate) _share = Math.Min(1, _share * Recovery);
        else if (SparePerSecond == 0) _share = Math.Max(_share * Cut, Min / Max);
        PerSecond = Math.Clamp(able * _share, Min, Max);
        if (isLate) SparePerSecond = 0;
        else if (load.IdleProcessors >= IdleWanted) SparePerSecond = (SparePerSecond * (1 + Weight)) + SpareStep;
        else if (load.IdleProcessors is >= 0 and < IdleMin) SparePerSecond *= SpareCut;
        SparePerSecond = Math.Clamp(SparePerSecond, 0, PerSecond);
    }
}
