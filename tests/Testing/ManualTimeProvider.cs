using System;
using System.Collections.Generic;
using System.Linq;
using System.Threading;

namespace Genkan.Testing;

/// <summary>
/// A clock that stands still until a test moves it. Timers fire on the test's own thread, in order of their due time.
/// </summary>
public sealed class ManualTimeProvider : TimeProvider
{
    private static readonly DateTimeOffset Epoch = new(2000, 1, 1, 0, 0, 0, TimeSpan.Zero);
    private readonly List<ManualTimer> _timers = [];

    /// <summary>Time since the clock was made.</summary>
    public TimeSpan Now { get; private set; }

    /// <inheritdoc />
    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    /// <summary>Moves the clock on and fires what falls due.</summary>
    /// <param name="span">Not negative.</param>
    public void Advance(TimeSpan span)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(span, TimeSpan.Zero);
        TimeSpan end = Now + span;
        while (_timers.Where(t => t.Due <= end).MinBy(static t => t.Due) is { } next)
        {
            Now = next.Due > Now ? next.Due : Now;
            next.Fire(Now);
        }

        Now = end;
    }

    /// <inheritdoc />
    public override DateTimeOffset GetUtcNow() => Epoch + Now;

    /// <inheritdoc />
    public override long GetTimestamp() => Now.Ticks;

    /// <inheritdoc />
    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        ManualTimer timer = new(this, () => callback(state));
        timer.Change(dueTime, period);
        _timers.Add(timer);
        return timer;
    }

    private sealed class ManualTimer(ManualTimeProvider clock, Action fire) : ITimer
    {
        private TimeSpan _period = Timeout.InfiniteTimeSpan;

        public TimeSpan Due { get; private set; } = TimeSpan.MaxValue;

        public void Fire(TimeSpan now)
        {
            bool isPeriodic = _period > TimeSpan.Zero;
            Due = isPeriodic ? now + _period : TimeSpan.MaxValue;
            fire();
        }

        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            _period = period;
            Due = dueTime == Timeout.InfiniteTimeSpan ? TimeSpan.MaxValue : clock.Now + dueTime;
            return true;
        }

        public void Dispose() => clock._timers.Remove(this);

        public System.Threading.Tasks.ValueTask DisposeAsync()
        {
            Dispose();
            return default;
        }
    }
}
