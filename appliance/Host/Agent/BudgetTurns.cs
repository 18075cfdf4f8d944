using System;
using System.Linq;
using Genkan.Datapath.Tables;
using Genkan.Overlay.Flows;

namespace Genkan.Host.Agent;

/// <summary>
/// Measures what the slow path can take and sets the budgets to it; the loop calls it between batches. Decides nothing
/// itself: see <see cref="SlowPathCapacity"/>, <see cref="FairShare"/> and <see cref="FlowSamples"/>.
/// </summary>
internal sealed class BudgetTurns(KernelDatapath datapath, SlowPath slowPath) : IDisposable
{
    /// <summary>Octets of a small record in a ring: what most packets of a flood take.</summary>
    private const int RecordOctets = 264;

    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(15); // the loop wakes each 20 ms

    private readonly HostProcessors _processors = new();
    private TimeSpan _last = datapath.Now;
    private TimeSpan _processorTime = Environment.CpuUsage.TotalTime;
    private ulong _handled;

    /// <summary>What the slow path can take, as last measured.</summary>
    public SlowPathCapacity Capacity { get; } = new();

    /// <summary>Does a turn if its time has come.</summary>
    /// <param name="now">Time.</param>
    /// <param name="workers">Threads that handle packets.</param>
    public void Turn(TimeSpan now, int workers)
    {
        TimeSpan elapsed = now - _last;
        if (elapsed < Pause) return;
        _last = now;
        TimeSpan processorTime = Environment.CpuUsage.TotalTime;
        ulong handled = slowPath.TotalCounters.Upcalls;
        Capacity.Observe(new SlowPathLoad(
            elapsed,
            processorTime - _processorTime,
            (long)(handled - _handled),
            datapath.Workers.Sum(static w => w.Upcalls.BacklogOctets) / RecordOctets,
            workers,
            _processors.ReadIdle()));
        (_processorTime, _handled) = (processorTime, handled);
        slowPath.Samples.Judge(datapath, slowPath.Topology);
        datapath.Shares.Turn(elapsed, Capacity, slowPath.Samples);
    }

    public void Dispose() => _processors.Dispose();
}
