using System;
using Genkan.Datapath.Tables;
using Shouldly;

namespace Genkan.Datapath.Tests.Tables;

/// <summary>The agent's sign of life.</summary>
public sealed class HeartbeatTests
{
    [Fact]
    public void The_longest_gap_is_never_below_an_age_that_was_read_before()
    {
        ulong beaten = 0;
        Heartbeat heartbeat = new();
        heartbeat.Beat(ref beaten);
        TimeSpan age;
        do
        {
            age = Heartbeat.Age(ref beaten);
        }
        while (age == TimeSpan.Zero);

        heartbeat.GapMax(ref beaten).ShouldBeGreaterThanOrEqualTo(age);
        heartbeat.Beat(ref beaten);
        heartbeat.GapMax(ref beaten).ShouldBeGreaterThanOrEqualTo(age);
    }
}
