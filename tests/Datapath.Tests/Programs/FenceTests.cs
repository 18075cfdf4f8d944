using Genkan.Datapath.Layout;
using Genkan.Datapath.Tables;
using Genkan.Overlay.Flows;
using Shouldly;

namespace Genkan.Datapath.Tests.Programs;

/// <summary>What a host does whose agent is dead: everything, but for joining external segments.</summary>
[Collection(ProgramMachine.Collection)]
public sealed class FenceTests
{
    private const int In = 1;
    private const int Out = 2;
    private const uint Hop = 5;
    private const ulong Second = 1_000_000_000;

    private readonly ProgramMachine _machine;

    public FenceTests(ProgramMachine machine)
    {
        _machine = machine;
        machine.Reset();
        machine.Link(In);
        machine.Port(In) = new PortEntry { Kind = PortKind.L2External, Ifindex = 1, KeyPort = In };
        machine.Port(Out) = new PortEntry { Kind = PortKind.L2External, Ifindex = 12, KeyPort = Out };
        machine.NextHop((int)Hop) = new NexthopEntry { Kind = NexthopKind.Port, Arg = Out };
        machine.Flow(
            Frames.KeyOf(Frames.Udp(), In), new FlowAction { Verdict = FlowVerdict.Forward, NextHop = Hop });
        Age(11);
    }

    [Fact]
    public void A_heartbeat_older_than_10_s_closes_the_way_from_segment_to_segment_and_is_counted()
    {
        _machine.Run("from_port", Frames.Udp()).Reason.ShouldBe(DropReason.Fenced);
        _machine.Drops(In, DropReason.Fenced).ShouldBe(1ul);
    }

    [Fact]
    public void A_heartbeat_opens_it_again()
    {
        Age(9);
        _machine.Run("from_port", Frames.Udp()).Outcome.ShouldBe(Outcome.Port);
    }

    [Fact]
    public void A_heartbeat_of_the_same_moment_or_later_is_no_old_one()
    {
        _machine.Settings.HeartbeatNs = MonotonicClock.NowNs + Second;
        _machine.Run("from_port", Frames.Udp()).Outcome.ShouldBe(Outcome.Port);
    }

    [Theory]
    [InlineData((byte)PortKind.Tenant, (byte)PortKind.L2External)]
    [InlineData((byte)PortKind.L2External, (byte)PortKind.Tenant)]
    [InlineData((byte)PortKind.Tenant, (byte)PortKind.Tenant)]
    public void Tenants_do_not_notice(byte from, byte to)
    {
        _machine.Port(In).Kind = (PortKind)from;
        _machine.Port(Out).Kind = (PortKind)to;
        _machine.Run("from_port", Frames.Udp()).Outcome.ShouldBe(Outcome.Port);
    }

    [Fact]
    public void Copies_for_segments_are_left_out_and_counted_those_for_tenants_are_sent()
    {
        _machine.Port(3) = new PortEntry { Kind = PortKind.Tenant, Ifindex = 13, KeyPort = 3 };
        _machine.NextHop((int)Hop) = new NexthopEntry { Kind = NexthopKind.Replicate, Arg = 4 };
        _machine.NextHop(6) = new NexthopEntry { Kind = NexthopKind.Port, Arg = Out };
        _machine.NextHop(7) = new NexthopEntry { Kind = NexthopKind.Port, Arg = 3 };
        ref ReplicationEntry list = ref _machine.Replication(4);
        (list.Count, list.Nexthop[0], list.Nexthop[1]) = (2, 6, 7);

        Verdict verdict = _machine.Run("from_port", Frames.Udp());

        (verdict.Outcome, verdict.NextHop).ShouldBe((Outcome.Replicate, 1u));
        _machine.Drops(In, DropReason.Fenced).ShouldBe(1ul);
        (_machine.Stats(Out).TxPackets, _machine.Stats(3).TxPackets).ShouldBe((0ul, 1ul));
    }

    private void Age(ulong seconds) => _machine.Settings.HeartbeatNs = MonotonicClock.NowNs - (seconds * Second);
}
