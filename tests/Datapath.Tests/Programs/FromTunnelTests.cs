using System;
using System.Runtime.InteropServices;
using Genkan.Datapath.Layout;
using Genkan.Overlay.Flows;
using Genkan.Wire;
using Shouldly;

namespace Genkan.Datapath.Tests.Programs;

/// <summary>from_tunnel: keys, the commit bit, and the deliveries but for the FIB's.</summary>
[Collection(ProgramMachine.Collection)]
public sealed class FromTunnelTests
{
    private const int Port = 2;
    private const int Flood = 10;
    private const int NatReturn = 11;
    private const uint Ours = 0x4000;
    private const uint Commit = 0x8000;
    private const byte Generation = 7;

    private static readonly IpAddress Peer = IpAddress.Parse("192.0.2.9");

    private readonly ProgramMachine _machine;

    public FromTunnelTests(ProgramMachine machine)
    {
        _machine = machine;
        machine.Reset();
        machine.Port(Port) = new PortEntry { Kind = PortKind.Tenant, Ifindex = 12, KeyPort = Port };
        machine.Port(Flood) = new PortEntry { Kind = PortKind.Pseudo, KeyPort = Flood };
        machine.Port(NatReturn) =
            new PortEntry { Kind = PortKind.Pseudo, KeyPort = NatReturn, Flags = PortFlags.L3Key };
        machine.Delivery(1) = new DeliveryEntry { Kind = DeliveryKind.Port, Generation = Generation, Arg = Port };
        machine.Delivery(2) = new DeliveryEntry { Kind = DeliveryKind.Flood, Generation = Generation, Arg = Flood };
        machine.Delivery(3) =
            new DeliveryEntry { Kind = DeliveryKind.NatReturn, Generation = Generation, Arg = NatReturn };
        machine.NextHop(5) = new NexthopEntry { Kind = NexthopKind.Port, Arg = Port };
        machine.Put("vtep", VtepKey.Of(Peer), new VtepEntry { Host = 44, Budget = 3 });
    }

    private static FlowAction ToPort => new() { Verdict = FlowVerdict.Forward, NextHop = 5 };

    [Fact]
    public void A_key_of_a_port_delivers_the_frame_as_it_is()
    {
        Verdict verdict = Run(Frames.Udp(), 1);

        (verdict.Outcome, verdict.Ifindex, verdict.Port).ShouldBe((Outcome.Port, 12u, Port));
        verdict.Frame.ShouldBe(Frames.Udp());
        (_machine.Vtep(Peer).Packets, _machine.Vtep(Peer).Octets).ShouldBe((1ul, 60ul));
        _machine.TryEntry(Reply(Frames.Udp()), out _).ShouldBeFalse("without the commit bit there is no state");
    }

    [Fact]
    public void An_unknown_sender_is_dropped()
    {
        _machine.RunTunnel(Frames.Udp(), Key(1), IpAddress.Parse("192.0.2.8"), Ours).Reason
            .ShouldBe(DropReason.VtepUnknown);
        _machine.Drops(0, DropReason.VtepUnknown).ShouldBe(1ul);
    }

    [Fact]
    public void A_packet_without_tunnel_metadata_is_dropped()
    {
        _machine.Run("from_tunnel", Frames.Udp()).Reason.ShouldBe(DropReason.VtepUnknown);
    }

    [Fact]
    public void Group_policy_must_be_there_and_be_ours()
    {
        _machine.RunTunnel(Frames.Udp(), Key(1), Peer, groupPolicy: null).Reason.ShouldBe(DropReason.NoGroupPolicy);
        _machine.RunTunnel(Frames.Udp(), Key(1), Peer, Commit).Reason.ShouldBe(DropReason.NoGroupPolicy);
    }

    [Fact]
    public void A_tag_inside_the_tunnel_belongs_to_nobody()
    {
        Run(Frames.Udp(vlan: 5), 1).Reason.ShouldBe(DropReason.VlanNotBound);
    }

    [Fact]
    public void A_nested_tag_is_no_better()
    {
        Run(Frames.Other(EtherType.Vlan).With(16, 0x81, 0), 1).Outcome.ShouldBe(Outcome.Drop);
    }

    [Fact]
    public void Slots_without_a_delivery_and_stale_generations_are_dropped()
    {
        Run(Frames.Udp(), 9).Reason.ShouldBe(DropReason.TunnelKeyUnknown);
        _machine.RunTunnel(Frames.Udp(), Key(1) + 1, Peer, Ours).Reason.ShouldBe(DropReason.TunnelKeyStale);
        _machine.Delivery(1).Kind = (DeliveryKind)99;
        Run(Frames.Udp(), 1).Reason.ShouldBe(DropReason.TunnelKeyUnknown);
    }

    public static TheoryData<string, byte[]> Connections => new()
    {
        { "UDP", Frames.Udp() },
        { "UDP, IPv6", Frames.Udp(v6: true) },
        { "TCP", Frames.Tcp() },
        { "TCP, IPv6", Frames.Tcp(v6: true) },
        { "echo", Frames.Icmp() },
        { "echo, IPv6", Frames.Icmp(v6: true) },
        { "first fragment", Frames.Fragment(v6: false, 0, more: true) },
    };

    [Theory]
    [MemberData(nameof(Connections))]
    public void The_commit_bit_makes_the_state_that_the_reply_will_find(string name, byte[] frame)
    {
        Run(frame, 1, commit: true).Outcome.ShouldBe(Outcome.Port, name);

        ConnEntry entry = _machine.Entry(Reply(frame));
        ConnAction expected = new() { Verdict = FlowVerdict.Upcall, State = ConnectionState.Reply };
        Octets(entry.Action).ShouldBe(Octets(expected));
        entry.CreatedNs.ShouldNotBe(0ul);
        entry.LastSeenNs.ShouldBe(entry.CreatedNs);
        entry.TagHead.ShouldBe(entry.TagTail);
        ((uint)(entry.TagHead >> 32)).ShouldBe(Digest(Reply(frame)));
    }

    [Fact]
    public void And_the_reply_goes_up_with_it()
    {
        Run(Frames.Udp(), 1, commit: true);
        _machine.Link(Port);

        byte[] reply = Frames.Udp(Frames.Ip2, Frames.Ip1, from: 2000, to: 1000);
        Frames.Mac1.CopyTo(reply);
        Frames.Mac2.CopyTo(reply.AsSpan(6));
        _machine.Run("from_port", reply).Outcome.ShouldBe(Outcome.Upcall);

        _machine.TakeData().ShouldHaveSingleItem().Header.State.ShouldBe(ConnectionState.Reply);
    }

    [Fact]
    public void An_entry_that_is_there_is_kept_and_seen()
    {
        _machine.Flow(Reply(Frames.Udp()), ToPort);

        Run(Frames.Udp(), 1, commit: true);

        ConnEntry entry = _machine.Entry(Reply(Frames.Udp()));
        entry.Action.Verdict.ShouldBe(FlowVerdict.Forward);
        entry.LastSeenNs.ShouldNotBe(0ul);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_stranger_s_refused_packet_does_not_hide_the_state(bool v6)
    {
        FlowAction stranger = new() { Verdict = FlowVerdict.Drop, DropReason = DropReason.SecurityGroup };
        _machine.Flow(Reply(Frames.Udp(v6)), stranger);

        Run(Frames.Udp(v6), 1, commit: true).Outcome.ShouldBe(Outcome.Port);

        ConnEntry entry = _machine.Entry(Reply(Frames.Udp(v6)));
        (entry.Action.Verdict, entry.Action.State).ShouldBe((FlowVerdict.Upcall, ConnectionState.Reply));
        ((uint)(entry.TagHead >> 32)).ShouldBe(Digest(Reply(Frames.Udp(v6))));
        entry.TagHead.ShouldBe(entry.TagTail);
    }

    [Fact]
    public void A_refused_reply_stays_refused_and_keeps_its_state()
    {
        FlowAction refused = new()
        {
            Verdict = FlowVerdict.Drop,
            DropReason = DropReason.SecurityGroup,
            State = ConnectionState.Reply,
        };
        _machine.Flow(Reply(Frames.Udp()), refused);

        Run(Frames.Udp(), 1, commit: true);

        ConnAction action = _machine.Entry(Reply(Frames.Udp())).Action;
        (action.Verdict, action.State).ShouldBe((FlowVerdict.Drop, ConnectionState.Reply));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void ICMP_errors_and_later_fragments_start_no_connection(bool v6)
    {
        Run(Frames.Icmp(v6, type: (byte)(v6 ? 1 : 3)), 1, commit: true).Outcome.ShouldBe(Outcome.Port);
        Run(Frames.Fragment(v6, 72, more: false), 1, commit: true).Outcome.ShouldBe(Outcome.Port);
        Run(Frames.Udp(v6, from: 9), 1, commit: true);

        _machine.TryEntry(Reply(Frames.Fragment(v6, 72, more: false)) with { Fragment = FragmentKind.None }, out _)
            .ShouldBeFalse();
        _machine.TryEntry(Reply(Frames.Udp(v6, from: 9)), out _).ShouldBeTrue();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_full_table_refuses_the_connection_aloud_and_takes_it_when_there_is_room(bool v6)
    {
        for (ushort from = 1; from <= ProgramMachine.ConnMax; from++)
            Run(Frames.Udp(v6, from: from), 1, commit: true).Outcome.ShouldBe(Outcome.Port);

        Run(Frames.Udp(v6, from: 5000), 1, commit: true).Reason.ShouldBe(DropReason.ConnTableFull);
        Run(Frames.Udp(v6, from: 5001), 1, commit: true).Reason.ShouldBe(DropReason.ConnTableFull);

        _machine.Drops(Port, DropReason.ConnTableFull).ShouldBe(2ul);
        for (ushort from = 1; from <= ProgramMachine.ConnMax; from++)
            Run(Frames.Udp(v6, from: from), 1, commit: true).Outcome.ShouldBe(Outcome.Port, "known ones go on");

        _machine.Forget(Reply(Frames.Udp(v6, from: 7)));
        Run(Frames.Udp(v6, from: 5000), 1, commit: true).Outcome.ShouldBe(Outcome.Port);
        Run(Frames.Udp(v6, from: 5001), 1, commit: true).Reason.ShouldBe(DropReason.ConnTableFull);
        _machine.TryEntry(Reply(Frames.Udp(v6, from: 5000)), out _).ShouldBeTrue();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_port_that_has_no_credit_left_gets_no_new_state_and_its_known_connections_go_on(bool v6)
    {
        _machine.Credit(Port) = new FlowCreditEntry { Made4 = uint.MaxValue, Limit4 = 1, Made6 = 5, Limit6 = 7 };

        Run(Frames.Udp(v6, from: 1), 1, commit: true).Outcome.ShouldBe(Outcome.Port);
        Run(Frames.Udp(v6, from: 2), 1, commit: true).Outcome.ShouldBe(Outcome.Port);
        Run(Frames.Udp(v6, from: 3), 1, commit: true).Reason.ShouldBe(DropReason.FlowQuota);
        Run(Frames.Udp(v6, from: 1), 1, commit: true).Outcome.ShouldBe(Outcome.Port);

        _machine.Drops(Port, DropReason.FlowQuota).ShouldBe(1ul);
        (_machine.Credit(Port).Made4, _machine.Credit(Port).Made6).ShouldBe(v6 ? (uint.MaxValue, 7u) : (1u, 5u));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void All_ports_together_have_a_credit_beside_each_one_s_own(bool v6)
    {
        _machine.Credit(0) = new FlowCreditEntry { Made4 = 8, Limit4 = 10, Made6 = 8, Limit6 = 10 };
        _machine.Credit(Port) = new FlowCreditEntry { Limit4 = 100, Limit6 = 100 };

        Run(Frames.Udp(v6, from: 1), 1, commit: true).Outcome.ShouldBe(Outcome.Port);
        Run(Frames.Udp(v6, from: 2), 1, commit: true).Outcome.ShouldBe(Outcome.Port);
        Run(Frames.Udp(v6, from: 3), 1, commit: true).Reason.ShouldBe(DropReason.FlowQuota);
        Run(Frames.Udp(v6, from: 1), 1, commit: true).Outcome.ShouldBe(Outcome.Port);

        FlowCreditEntry own = _machine.Credit(Port);
        (own.Made4, own.Made6).ShouldBe(v6 ? (0u, 2u) : (2u, 0u));
        (_machine.Credit(0).Made4, _machine.Credit(0).Made6).ShouldBe(v6 ? (8u, 10u) : (10u, 8u));
    }

    [Fact]
    public void A_bad_packet_with_the_commit_bit_is_dropped_under_its_reason()
    {
        Run(Frames.Udp().With(14, 0x44), 1, commit: true).Reason.ShouldBe(DropReason.Malformed);
    }

    [Fact]
    public void FLOOD_looks_up_under_the_pseudo_port_with_MACs()
    {
        _machine.Flow(Frames.KeyOf(Frames.Udp(), Flood), ToPort);

        Run(Frames.Udp(), 2).Outcome.ShouldBe(Outcome.Port);
    }

    [Fact]
    public void A_FLOOD_miss_goes_up_at_the_sender_s_expense()
    {
        Run(Frames.Udp(), 2, commit: true).Outcome.ShouldBe(Outcome.Upcall);

        UpcallHeader header = _machine.TakeData().ShouldHaveSingleItem().Header;
        (header.Port, header.VtepHost, header.Kind).ShouldBe(((uint)Flood, 44u, UpcallKind.Miss));
        header.Flags.ShouldBe(UpcallFlags.Tunnel | UpcallFlags.Commit);
        _machine.Budget(3) = new BudgetEntry { IntervalNs = 1, ArrivalNs = ulong.MaxValue / 2 };
        Run(Frames.Udp(from: 8), 2).Reason.ShouldBe(DropReason.BudgetPort);
    }

    [Fact]
    public void ARP_in_a_FLOOD_goes_up_as_control()
    {
        Run(Frames.Arp(Frames.Mac1, Frames.Mac1, Frames.Ip1, Frames.Ip2), 2).Outcome.ShouldBe(Outcome.Upcall);
        _machine.TakeControl().ShouldHaveSingleItem().Header.Kind.ShouldBe(UpcallKind.Control);
    }

    [Fact]
    public void NAT_RETURN_looks_up_without_MACs()
    {
        _machine.Flow(Frames.KeyOf(Frames.Udp(), NatReturn, isL3: true), ToPort);

        Run(Frames.Udp(), 3).Outcome.ShouldBe(Outcome.Port);
    }

    [Fact]
    public void A_NAT_RETURN_miss_is_a_drop_but_for_ICMP_errors()
    {
        Run(Frames.Udp(), 3).Reason.ShouldBe(DropReason.NatNoConnection);
        Run(Frames.Icmp(type: 3, code: 3), 3).Outcome.ShouldBe(Outcome.Upcall);
        _machine.TakeControl().ShouldHaveSingleItem().Header.Port.ShouldBe((uint)NatReturn);
        _machine.TakeData().ShouldBeEmpty();
    }

    [Fact]
    public void A_stale_NAT_RETURN_connection_is_the_agent_s_to_decide()
    {
        FlowAction stale = ToPort;
        stale.Stamp = new FlowStamp(ClassId: 3, Hard: 1, Soft: 0);
        _machine.Flow(Frames.KeyOf(Frames.Udp(), NatReturn, isL3: true), stale);

        Run(Frames.Udp(), 3).Outcome.ShouldBe(Outcome.Upcall);
    }

    [Fact]
    public void A_packet_from_a_tunnel_is_never_tunnelled_again()
    {
        _machine.Flow(Frames.KeyOf(Frames.Udp(), Flood), ToPort);
        _machine.NextHop(5) = new NexthopEntry { Kind = NexthopKind.Tunnel, TunnelKey = 1 };
        Run(Frames.Udp(), 2).Reason.ShouldBe(DropReason.TunnelLoop);

        _machine.NextHop(6) = new NexthopEntry { Kind = NexthopKind.Tunnel, TunnelKey = 1 };
        _machine.NextHop(7) = new NexthopEntry { Kind = NexthopKind.Port, Arg = Port };
        _machine.NextHop(5) = new NexthopEntry { Kind = NexthopKind.Replicate, Arg = 1 };
        ref ReplicationEntry list = ref _machine.Replication(1);
        (list.Count, list.Nexthop[0], list.Nexthop[1]) = (2, 6, 7);
        Verdict verdict = Run(Frames.Udp(), 2);
        (verdict.Outcome, verdict.NextHop).ShouldBe((Outcome.Replicate, 1u));
        _machine.Drops(Flood, DropReason.TunnelLoop).ShouldBe(2ul);
    }

    [Fact]
    public void Pseudo_ports_that_are_none_and_deliveries_to_ports_that_are_down_are_dropped()
    {
        _machine.Port(Flood).Kind = PortKind.Unused;
        Run(Frames.Udp(), 2).Reason.ShouldBe(DropReason.PortUnknown);
        _machine.Port(Port).Flags = PortFlags.AdminDown;
        Run(Frames.Udp(), 1).Reason.ShouldBe(DropReason.PortDown);
        _machine.Delivery(1).Arg = LayoutLimits.PortMax;
        Run(Frames.Udp(), 1, commit: true).Reason.ShouldBe(DropReason.PortDown);
    }

    private static uint Key(uint slot) => (slot << 8) | Generation;

    private static byte[] Octets(in ConnAction action) =>
        MemoryMarshal.AsBytes(new ReadOnlySpan<ConnAction>(in action)).ToArray();

    private static uint Digest(FlowKey key) => key.Source.IsIpv4
        ? KeyDigest.Of(Conn4Key.Of(key), ProgramMachine.Seed)
        : KeyDigest.Of(Conn6Key.Of(key), ProgramMachine.Seed);

    /// <summary>The key of the reply to a frame: for an echo the identifier stays and the type is the other
    /// one.</summary>
    private static FlowKey Reply(byte[] frame)
    {
        FlowKey key = Frames.KeyOf(frame, Port);
        bool isEcho = key.Protocol is IpProtocol.Icmp or IpProtocol.Icmpv6;
        return new FlowKey(
            Port, key.Destination, key.Source, key.Protocol,
            isEcho ? key.SourcePort : key.DestinationPort,
            isEcho ? (ushort)(key.Protocol == IpProtocol.Icmp ? 0 : 129 << 8) : key.SourcePort,
            FragmentKind.None, key.SourceMac, key.DestinationMac);
    }

    private Verdict Run(byte[] frame, uint slot, bool commit = false) =>
        _machine.RunTunnel(frame, Key(slot), Peer, Ours | (commit ? Commit : 0));
}
