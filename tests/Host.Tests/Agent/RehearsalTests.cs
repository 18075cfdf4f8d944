using System;
using Genkan.Host.Agent;
using Genkan.Overlay.Flows;
using Microsoft.Extensions.Logging.Abstractions;
using Shouldly;

namespace Genkan.Host.Tests.Agent;

public sealed class RehearsalTests
{
    [Fact]
    public void Every_packet_is_decided_in_the_kernels_tables_and_none_is_a_fault()
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "it makes tables in the kernel");

        (SlowPathCounters done, ulong faults) = Rehearsal.Play(NullLogger.Instance);

        faults.ShouldBe(0UL);
        done.InstallsRefused.ShouldBe(0UL);
        done.Simulations.ShouldBeGreaterThan(60UL);
        done.Installs.ShouldBeGreaterThan(30UL);
        done.Answers.ShouldBeGreaterThan(12UL); // ARP, neighbours, DHCP, echo, errors
    }

    [Fact]
    public void It_can_be_played_again_since_nothing_of_it_stays()
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "it makes tables in the kernel");

        (SlowPathCounters first, _) = Rehearsal.Play(NullLogger.Instance);
        (SlowPathCounters second, _) = Rehearsal.Play(NullLogger.Instance);

        second.ShouldBe(first);
    }
}
