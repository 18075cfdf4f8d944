using Genkan.Datapath.Bpf;
using Genkan.Datapath.Layout;
using Genkan.Overlay.Flows;
using Shouldly;

namespace Genkan.Datapath.Tests.Programs;

/// <summary>from_agent and from_host.</summary>
[Collection(ProgramMachine.Collection)]
public sealed class FromAgentTests
{
    private const int In = 1;
    private const int Out = 2;
    private const int Pseudo = 10;

    private readonly ProgramMachine _machine;

    public FromAgentTests(ProgramMachine machine)
    {
        _machine = machine;
        machine.Reset();
        machine.Port(In) = new PortEntry { Kind = PortKind.Tenant, Ifindex = 1, KeyPort = In };
        machine.Port(Out) = new PortEntry { Kind = PortKind.Tenant, Ifindex = 12, KeyPort = Out };
        machine.Port(Pseudo) = new PortEntry { Kind = PortKind.Pseudo, KeyPort = Pseudo, Flags = PortFlags.L3Key };
        machine.NextHop(5) = new NexthopEntry { Kind = NexthopKind.Port, Arg = Out };
        machine.NextHop(6) = new NexthopEntry { Kind = NexthopKind.Tunnel, TunnelKey = 0x777 };
    }

    private static FlowAction ToOut =>
        new() { Verdict = FlowVerdict.Forward, NextHop = 5, Rewrites = Rewrites.HopLimit, Hops = 3 };

    [Fact]
    public void A_frame_as_if_from_a_port_takes_its_flow_and_loses_its_mark()
    {
        FlowKey key = Frames.KeyOf(Frames.Udp(), In);
        _machine.Flow(key, ToOut);

        Verdict verdict = Run(Frames.Udp(), MarkKind.AsIfFromPort, In, out uint mark);

        (verdict.Outcome, verdict.Ifindex, mark).ShouldBe((Outcome.Port, 12u, 0u));
        _machine.Entry(key).Packets.ShouldBe(1ul);
        _machine.Stats(In).RxPackets.ShouldBe(0ul, "it was counted when it came in");
    }

    [Fact]
    public void And_a_class()
    {
        _machine.Class(In, FlowMask.L2, Wire.EtherType.Ipv4, Frames.KeyOf(Frames.Udp(), In), ToOut);
        Run(Frames.Udp(), MarkKind.AsIfFromPort, In, out _).Outcome.ShouldBe(Outcome.Port);
    }

    [Fact]
    public void A_miss_never_goes_up_again()
    {
        Run(Frames.Udp(), MarkKind.AsIfFromPort, In, out _).Reason.ShouldBe(DropReason.ReinjectMiss);
        FlowAction stale = ToOut;
        stale.Stamp = new FlowStamp(ClassId: 3, Hard: 1, Soft: 0);
        _machine.Flow(Frames.KeyOf(Frames.Udp(), In), stale);
        Run(Frames.Udp(), MarkKind.AsIfFromPort, In, out _).Reason.ShouldBe(DropReason.ReinjectMiss);
        Run(Frames.Udp(), (MarkKind)9, In, out _).Reason.ShouldBe(DropReason.ReinjectMiss);
        Run(Frames.Udp(), MarkKind.AsIfFromPort, 9, out _).Reason.ShouldBe(DropReason.PortUnknown);
        _machine.TakeData().ShouldBeEmpty();
        _machine.TakeControl().ShouldBeEmpty();
    }

    [Fact]
    public void A_hop_limit_that_runs_out_is_a_drop_here()
    {
        _machine.Flow(Frames.KeyOf(Frames.Udp(), In), ToOut);
        Run(Frames.Udp(hopLimit: 3), MarkKind.AsIfFromPort, In, out _).Reason.ShouldBe(DropReason.HopLimit);
    }

    [Fact]
    public void A_soft_generation_is_no_news_to_the_agent()
    {
        FlowAction soft = ToOut;
        soft.Stamp = new FlowStamp(ClassId: 3, Hard: 0, Soft: 1);
        _machine.Flow(Frames.KeyOf(Frames.Udp(), In), soft);

        Run(Frames.Udp(), MarkKind.AsIfFromPort, In, out _).Outcome.ShouldBe(Outcome.Port);

        _machine.TakeControl().ShouldBeEmpty();
    }

    [Fact]
    public void A_pseudo_port_s_frame_came_from_a_tunnel()
    {
        FlowAction action = ToOut;
        _machine.Flow(Frames.KeyOf(Frames.Udp(), Pseudo, isL3: true), action);
        Run(Frames.Udp(), MarkKind.AsIfFromPort, Pseudo, out _).Outcome.ShouldBe(Outcome.Port);
        action.NextHop = 6;
        _machine.Flow(Frames.KeyOf(Frames.Udp(), Pseudo, isL3: true), action);
        Run(Frames.Udp(), MarkKind.AsIfFromPort, Pseudo, out _).Reason.ShouldBe(DropReason.TunnelLoop);
    }

    [Fact]
    public void OUTPUT_takes_the_next_hop_and_changes_nothing()
    {
        Verdict verdict = Run(Frames.Udp(hopLimit: 1), MarkKind.Output, 5, out uint mark);
        (verdict.Outcome, verdict.Ifindex, verdict.NextHop, mark).ShouldBe((Outcome.Port, 12u, 5u, 0u));
        verdict.Frame.ShouldBe(Frames.Udp(hopLimit: 1));
        Run(Frames.Arp(Frames.Mac1, Frames.Mac1, Frames.Ip1, Frames.Ip2), MarkKind.Output, 5, out _).Outcome
            .ShouldBe(Outcome.Port);
    }

    [Fact]
    public void OUTPUT_commits_where_the_mark_says_so()
    {
        Run(Frames.Udp(), MarkKind.Output, 6, out _).GroupPolicy.ShouldBe(0x4000u);
        Verdict verdict = Run(Frames.Udp(), MarkKind.Output, 6 | LayoutLimits.MarkCommit, out _);
        (verdict.Outcome, verdict.TunnelKey, verdict.GroupPolicy).ShouldBe((Outcome.Tunnel, 0x777u, 0xC000u));
    }

    [Fact]
    public void The_host_s_own_packets_leave_by_the_uplink_with_its_tag()
    {
        _machine.Port(In) = new PortEntry { Kind = PortKind.Uplink, Ifindex = 15, Vlan = 100 };
        _machine.Link(In);

        Verdict verdict = _machine.Run("from_host", Frames.Udp());

        (verdict.Outcome, verdict.Ifindex, verdict.Vlan, verdict.Port).ShouldBe((Outcome.Port, 15u, 100, In));
        _machine.Stats(In).TxPackets.ShouldBe(1ul);
    }

    [Fact]
    public void A_host_veth_that_is_nobody_s_drops()
    {
        _machine.Run("from_host", Frames.Udp()).Reason.ShouldBe(DropReason.PortUnknown);
        _machine.Link(In);
        _machine.Run("from_host", Frames.Udp()).Reason.ShouldBe(DropReason.PortUnknown);
    }

    private Verdict Run(byte[] frame, MarkKind kind, uint argument, out uint markAfter)
    {
        SkBuffContext context = new() { Mark = ((uint)kind << LayoutLimits.MarkKindShift) | argument };
        return _machine.Run("from_agent", frame, context, out markAfter);
    }
}
