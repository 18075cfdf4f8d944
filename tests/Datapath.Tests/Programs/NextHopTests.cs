using Genkan.Datapath.Layout;
using Genkan.Overlay.Flows;
using Genkan.Wire;
using Shouldly;

namespace Genkan.Datapath.Tests.Programs;

/// <summary>Next hops but for the FIB.</summary>
[Collection(ProgramMachine.Collection)]
public sealed class NextHopTests
{
    private const int In = 1;
    private const int Out = 2;
    private const uint Hop = 5;

    private readonly ProgramMachine _machine;

    public NextHopTests(ProgramMachine machine)
    {
        _machine = machine;
        machine.Reset();
        machine.Link(In);
        machine.Link(In, vlan: 9);
        machine.Port(In) = new PortEntry { Kind = PortKind.Tenant, Ifindex = 1, KeyPort = In };
        machine.Port(Out) = new PortEntry { Kind = PortKind.Tenant, Ifindex = 12, KeyPort = Out };
        machine.Flow(Frames.KeyOf(Frames.Udp(), In), Forward(commit: false));
    }

    [Theory]
    [InlineData(5 << 13)]
    [InlineData(1 << 12)]
    public void A_tag_with_VID_0_says_a_priority_and_no_network(int tci)
    {
        _machine.NextHop(5) = new NexthopEntry { Kind = NexthopKind.Port, Arg = Out };

        Verdict verdict = _machine.Run("from_port", Frames.Udp(vlan: (ushort)tci));

        (verdict.Outcome, verdict.Vlan).ShouldBe((Outcome.Port, 0));
        verdict.Frame.ShouldBe(Frames.Udp());
    }

    [Fact]
    public void A_tag_is_taken_off_and_the_port_s_own_put_on()
    {
        _machine.NextHop(5) = new NexthopEntry { Kind = NexthopKind.Port, Arg = Out };
        _machine.Port(Out).Vlan = 33;

        Verdict verdict = _machine.Run("from_port", Frames.Udp(vlan: 9));

        (verdict.Outcome, verdict.Vlan).ShouldBe((Outcome.Port, 33));
        verdict.Frame.ShouldBe(Frames.Udp()); // beside the frame, not in it
    }

    [Fact]
    public void A_peer_in_another_namespace_is_reached_without_its_queue()
    {
        _machine.NextHop(5) = new NexthopEntry { Kind = NexthopKind.Port, Arg = Out };
        _machine.Port(Out).Flags = PortFlags.Peer;

        _machine.Run("from_port", Frames.Udp()).Outcome.ShouldBe(Outcome.Peer);
    }

    [Fact]
    public void Ports_that_are_down_or_gone_have_their_reasons()
    {
        _machine.NextHop(5) = new NexthopEntry { Kind = NexthopKind.Port, Arg = Out };
        _machine.Port(Out).Ifindex = 0;
        _machine.Run("from_port", Frames.Udp()).Reason.ShouldBe(DropReason.InterfaceGone);
        _machine.Port(Out) = new PortEntry { Ifindex = 12, Flags = PortFlags.AdminDown };
        _machine.Run("from_port", Frames.Udp()).Reason.ShouldBe(DropReason.PortDown);
    }

    [Fact]
    public void A_next_hop_that_is_none_says_why()
    {
        _machine.Run("from_port", Frames.Udp()).Reason.ShouldBe(DropReason.InterfaceGone);
        _machine.NextHop(5).DropReason = DropReason.NoGateway;
        _machine.Run("from_port", Frames.Udp()).Reason.ShouldBe(DropReason.NoGateway);
        _machine.NextHop(5).Kind = NexthopKind.Deliver;
        _machine.Run("from_port", Frames.Udp()).Reason.ShouldBe(DropReason.DeviceLoop);
    }

    [Theory]
    [InlineData(false, 0x4000u)]
    [InlineData(true, 0xC000u)]
    public void A_tunnel_has_the_key_and_the_group_policy(bool commit, uint groupPolicy)
    {
        _machine.Flow(Frames.KeyOf(Frames.Udp(), In), Forward(commit));
        _machine.NextHop(5) = Tunnel("192.0.2.1");

        Verdict verdict = _machine.Run("from_port", Frames.Udp(vlan: 9));

        (verdict.Outcome, verdict.Ifindex, verdict.TunnelKey, verdict.GroupPolicy, verdict.NextHop)
            .ShouldBe((Outcome.Tunnel, ProgramMachine.VxlanIfindex, 0x001234u, groupPolicy, Hop));
        verdict.Frame.ShouldBe(Frames.Udp());
    }

    [Fact]
    public void A_tunnel_over_IPv6_is_as_good()
    {
        _machine.NextHop(5) = Tunnel("2001:db8::77");
        _machine.Run("from_port", Frames.Udp()).Outcome.ShouldBe(Outcome.Tunnel);
    }

    [Fact]
    public void Without_the_tunnel_s_device_there_is_no_tunnel()
    {
        _machine.NextHop(5) = Tunnel("192.0.2.1");
        _machine.Settings.VxlanIfindex = 0;
        _machine.Run("from_port", Frames.Udp()).Reason.ShouldBe(DropReason.InterfaceGone);
    }

    [Fact]
    public void A_list_gets_a_copy_each_but_for_the_port_where_it_came_from()
    {
        _machine.NextHop(5) = new NexthopEntry { Kind = NexthopKind.Replicate, Arg = 4 };
        _machine.NextHop(6) = new NexthopEntry { Kind = NexthopKind.Port, Arg = In };
        _machine.NextHop(7) = new NexthopEntry { Kind = NexthopKind.Port, Arg = Out };
        _machine.NextHop(8) = Tunnel("192.0.2.1");
        ref ReplicationEntry list = ref _machine.Replication(4);
        list.Count = 32;
        list.Nexthop[0] = 6;
        for (int i = 1; i < 32; i++) list.Nexthop[i] = i == 31 ? 8u : 7u;

        Verdict verdict = _machine.Run("from_port", Frames.Udp());

        (verdict.Outcome, verdict.NextHop).ShouldBe((Outcome.Replicate, 31u));
        (verdict.TunnelKey, verdict.Ifindex).ShouldBe((0x001234u, ProgramMachine.VxlanIfindex));
        _machine.Stats(Out).TxPackets.ShouldBe(30ul);
        _machine.Stats(In).TxPackets.ShouldBe(0ul);
    }

    [Fact]
    public void A_target_that_cannot_be_reached_is_counted_and_the_others_get_theirs()
    {
        _machine.NextHop(5) = new NexthopEntry { Kind = NexthopKind.Replicate, Arg = 4 };
        _machine.NextHop(6) = new NexthopEntry { Kind = NexthopKind.Port, Arg = 3 };
        _machine.NextHop(7) = new NexthopEntry { Kind = NexthopKind.Port, Arg = Out };
        _machine.NextHop(8) = new NexthopEntry { Kind = NexthopKind.Replicate, Arg = 4 };
        ref ReplicationEntry list = ref _machine.Replication(4);
        list.Count = 3;
        (list.Nexthop[0], list.Nexthop[1], list.Nexthop[2]) = (6, 7, 8);

        Verdict verdict = _machine.Run("from_port", Frames.Udp());

        (verdict.Outcome, verdict.NextHop).ShouldBe((Outcome.Replicate, 1u));
        _machine.Drops(In, DropReason.InterfaceGone).ShouldBe(1ul);
        _machine.Drops(In, DropReason.DeviceLoop).ShouldBe(1ul);
    }

    [Fact]
    public void A_list_that_does_not_exist_drops()
    {
        _machine.NextHop(5) = new NexthopEntry { Kind = NexthopKind.Replicate, Arg = LayoutLimits.ReplicationMax };
        _machine.Run("from_port", Frames.Udp()).Reason.ShouldBe(DropReason.NoList);
    }

    private static FlowAction Forward(bool commit) =>
        new() { Verdict = FlowVerdict.Forward, NextHop = Hop, Commit = commit };

    private static NexthopEntry Tunnel(string peer)
    {
        IpAddress address = IpAddress.Parse(peer);
        return new NexthopEntry
        {
            Kind = NexthopKind.Tunnel,
            TunnelKey = 0x1234,
            PeerIsIpv6 = address.IsIpv4 ? (byte)0 : (byte)1,
            Peer = AddressOctets.Of(address),
        };
    }
}
