using System.Linq;
using Genkan.Datapath.Bpf;
using Genkan.Datapath.Layout;
using Genkan.Overlay.Flows;
using Genkan.Wire;
using Shouldly;

namespace Genkan.Datapath.Tests.Programs;

/// <summary>from_port: what is refused before any look-up, and where flows go.</summary>
[Collection(ProgramMachine.Collection)]
public sealed class FromPortTests
{
    private const int In = 1;
    private const int Out = 2;

    private readonly ProgramMachine _machine;

    public FromPortTests(ProgramMachine machine)
    {
        _machine = machine;
        machine.Reset();
        machine.Link(In);
        machine.Port(In) = new PortEntry { Kind = PortKind.Tenant, Ifindex = 1, KeyPort = In };
        machine.Port(Out) = new PortEntry { Kind = PortKind.Tenant, Ifindex = 12, KeyPort = Out };
        machine.NextHop(5) = new NexthopEntry { Kind = NexthopKind.Port, Arg = Out };
    }

    private static FlowAction ToOut =>
        new() { Verdict = FlowVerdict.Forward, NextHop = 5, State = ConnectionState.Forward };

    public static TheoryData<string, byte[], DropReason> BadPackets => new()
    {
        { "IPv4 total length beyond the frame", Frames.Udp().With(16, 0x05, 0xDC), DropReason.Truncated },
        { "IPv6 payload length beyond the frame", Frames.Udp(v6: true).With(18, 0x05, 0xDC), DropReason.Truncated },
        { "IPv4 version 5", Frames.Udp().With(14, 0x55), DropReason.Malformed },
        { "IPv6 version 4", Frames.Udp(v6: true).With(14, 0x40), DropReason.Malformed },
        { "IPv4 header length 4", Frames.Udp().With(14, 0x44), DropReason.Malformed },
        { "IPv4 total length below its header", Frames.Udp().With(16, 0, 19), DropReason.Malformed },
        { "IPv4 header longer than the packet", Frames.Udp().With(14, 0x4F), DropReason.Malformed },
        { "UDP header beyond total length", Frames.Udp().With(16, 0, 27), DropReason.Truncated },
        { "TCP header beyond total length", Frames.Tcp().With(16, 0, 39), DropReason.Truncated },
        { "ICMP header beyond total length", Frames.Icmp().With(16, 0, 27), DropReason.Truncated },
        { "ICMP of three octets", Frames.Icmp(type: 42).With(16, 0, 23), DropReason.Truncated },
        { "ICMP error of seven octets", Frames.Icmp(type: 3).With(16, 0, 27), DropReason.Truncated },
        { "ICMPv6 error of seven octets", Frames.Icmp(true, type: 3).With(18, 0, 7), DropReason.Truncated },
        { "UDP header beyond payload length", Frames.Udp(v6: true).With(18, 0, 7), DropReason.Truncated },
        { "UDP-Lite without all of its checksum", Frames.Udp().With(23, 136).With(16, 0, 27), DropReason.Truncated },
        { "DCCP without all of its checksum", Frames.Udp(v6: true).With(20, 33).With(18, 0, 7), DropReason.Truncated },
        { "a second tag", Frames.Other(EtherType.Vlan).With(16, 0x81, 0), DropReason.NestedVlan },
        { "802.1ad", Frames.Other((EtherType)0x88A8), DropReason.NestedVlan },
        { "UDP to the VTEP port", Frames.Udp(to: ProgramMachine.VxlanPort), DropReason.VxlanFromPort },
        { "UDP to the VTEP port, IPv6", Frames.Udp(true, to: ProgramMachine.VxlanPort), DropReason.VxlanFromPort },
        {
            "too many extension headers",
            Frames.Extended(
                IpProtocol.HopByHopOptions, IpProtocol.DestinationOptions, IpProtocol.DestinationOptions,
                IpProtocol.DestinationOptions, IpProtocol.DestinationOptions, IpProtocol.DestinationOptions,
                IpProtocol.DestinationOptions),
            DropReason.Malformed
        },
        {
            "an extension header beyond the frame",
            Frames.Extended(IpProtocol.DestinationOptions).With(55, 0x20), DropReason.Truncated
        },
    };

    public static TheoryData<string, byte[], DropReason> BadExtensionHeaders => new()
    {
        {
            "hop-by-hop options that do not come first",
            Frames.Extended(IpProtocol.DestinationOptions, IpProtocol.HopByHopOptions), DropReason.Malformed
        },
        {
            "a routing header of type 0 with segments left",
            Frames.Extended(IpProtocol.Routing).With(56, 0, 1), DropReason.Malformed
        },
        {
            "a second fragment header behind that of a first fragment",
            Frames.Extended(IpProtocol.DestinationOptions, IpProtocol.DestinationOptions)
                .With(20, 44).With(54, 44, 0, 0, 1).With(63, 0, 0, 0), DropReason.Malformed
        },
        {
            "a seventh header that makes it a later fragment",
            Frames.Extended([.. Enumerable.Repeat(IpProtocol.DestinationOptions, 7)])
                .With(94, 44).With(103, 0, 0, 8), DropReason.Malformed
        },
        {
            "an extension header beyond the payload length",
            Frames.Extended(IpProtocol.DestinationOptions).With(18, 0, 4), DropReason.Truncated
        },
        {
            "a fragment header beyond the payload length",
            Frames.Extended(IpProtocol.DestinationOptions).With(20, 44).With(55, 0, 0, 8).With(18, 0, 4),
            DropReason.Truncated
        },
    };

    [Theory]
    [MemberData(nameof(BadExtensionHeaders))]
    public void Extension_headers_that_the_agent_refuses_get_no_flow(string what, byte[] frame, DropReason reason)
    {
        PacketHeader.TryDecode(frame, out _).ShouldNotBe(PacketFault.None, what);
        _machine.Run("from_port", frame).Reason.ShouldBe(reason, what);
    }

    [Theory]
    [InlineData(IpProtocol.Mobility)]
    [InlineData(IpProtocol.Hip)]
    [InlineData(IpProtocol.Shim6)]
    public void Rfc7045_section_4_an_extension_header_is_walked_as_the_agent_walks_it(IpProtocol type)
    {
        byte[] frame = Frames.Extended(type);
        PacketHeader.TryDecode(frame, out PacketHeader header).ShouldBe(PacketFault.None);
        (header.Protocol, header.DestinationPort).ShouldBe((IpProtocol.Udp, (ushort)2000));
        _machine.Flow(Frames.KeyOf(frame, In), ToOut);

        _machine.Run("from_port", frame).Outcome.ShouldBe(Outcome.Port);
    }

    [Theory]
    [InlineData(253)]
    [InlineData(254)]
    public void Rfc3692_experimental_headers_end_the_walk_like_any_protocol(byte type)
    {
        byte[] frame = Frames.Extended((IpProtocol)type);
        PacketHeader.TryDecode(frame, out PacketHeader header).ShouldBe(PacketFault.None);
        (header.Protocol, header.DestinationPort).ShouldBe(((IpProtocol)type, (ushort)0));
        _machine.Flow(Frames.KeyOf(frame, In), ToOut);

        _machine.Run("from_port", frame).Outcome.ShouldBe(Outcome.Port);
    }

    [Fact]
    public void ICMP_of_the_other_family_is_a_protocol_like_any_and_may_be_short()
    {
        _machine.Run("from_port", Frames.Udp().With(23, 58).With(16, 0, 24)).Outcome.ShouldBe(Outcome.Upcall);
        _machine.Run("from_port", Frames.Udp(v6: true).With(20, 1).With(18, 0, 4)).Outcome.ShouldBe(Outcome.Upcall);
    }

    [Theory]
    [InlineData(false, 42)]
    [InlineData(true, 200)]
    public void A_message_of_ICMP_that_is_neither_echo_nor_error_may_have_four_octets(bool v6, byte type)
    {
        byte[] whole = Frames.Icmp(v6, type);
        _machine.Flow(Frames.KeyOf(whole, In), ToOut);

        _machine.Run("from_port", whole.With(v6 ? 18 : 16, 0, (byte)(v6 ? 4 : 24))).Outcome.ShouldBe(Outcome.Port);
    }

    [Theory]
    [MemberData(nameof(BadPackets))]
    public void A_bad_packet_is_dropped_under_its_reason_and_counted_once(string name, byte[] frame, DropReason reason)
    {
        Verdict verdict = _machine.Run("from_port", frame);

        (verdict.Outcome, verdict.Reason).ShouldBe((Outcome.Drop, reason), name);
        _machine.Drops(In, reason).ShouldBe(1ul);
        _machine.Stats(In).DropPackets.ShouldBe(1ul);
    }

    [Fact]
    public void An_interface_without_a_port_drops_everything()
    {
        _machine.Reset();
        _machine.Run("from_port", Frames.Udp()).Reason.ShouldBe(DropReason.PortUnknown);
        _machine.Drops(0, DropReason.PortUnknown).ShouldBe(1ul);
    }

    [Theory]
    [InlineData((byte)PortKind.Unused)]
    [InlineData((byte)PortKind.Uplink)]
    [InlineData((byte)PortKind.Pseudo)]
    public void A_slot_of_another_kind_is_no_port_here(byte kind)
    {
        _machine.Port(In).Kind = (PortKind)kind;
        _machine.Run("from_port", Frames.Udp()).Reason.ShouldBe(DropReason.PortUnknown);
    }

    [Fact]
    public void A_tag_without_a_port_is_not_bound()
    {
        _machine.Run("from_port", Frames.Udp(vlan: 9)).Reason.ShouldBe(DropReason.VlanNotBound);
    }

    [Fact]
    public void A_port_that_is_administratively_down_takes_nothing()
    {
        _machine.Port(In).Flags = PortFlags.AdminDown;
        _machine.Run("from_port", Frames.Udp()).Reason.ShouldBe(DropReason.PortDown);
    }

    public static TheoryData<string, byte[]> Packets => new()
    {
        { "UDP", Frames.Udp() },
        { "UDP, IPv6", Frames.Udp(v6: true) },
        { "one octet of UDP", Frames.Udp(payloadOctets: 1) },
        { "TCP", Frames.Tcp() },
        { "TCP, IPv6", Frames.Tcp(v6: true) },
        { "echo", Frames.Icmp() },
        { "echo, IPv6", Frames.Icmp(v6: true) },
        { "unreachable", Frames.Icmp(type: 3, code: 1) },
        { "packet too big", Frames.Icmp(true, type: 2) },
        { "first fragment", Frames.Fragment(v6: false, 0, more: true) },
        { "first fragment, IPv6", Frames.Fragment(v6: true, 0, more: true) },
        { "atomic fragment, IPv6", Frames.Fragment(v6: true, 0, more: false) },
        { "extension headers",
            Frames.Extended(IpProtocol.HopByHopOptions, IpProtocol.Routing, IpProtocol.DestinationOptions) },
    };

    [Theory]
    [MemberData(nameof(Packets))]
    public void The_key_that_the_agent_derives_is_the_program_s(string name, byte[] frame)
    {
        FlowKey key = Frames.KeyOf(frame, In);
        _machine.Flow(key, ToOut);

        Verdict verdict = _machine.Run("from_port", frame);

        (verdict.Outcome, verdict.Ifindex, verdict.Port, verdict.NextHop).ShouldBe((Outcome.Port, 12u, Out, 5u), name);
        verdict.Code.ShouldBe(7, "TC_ACT_REDIRECT");
        verdict.Frame.ShouldBe(frame);
        ConnEntry entry = _machine.Entry(key);
        (entry.Packets, entry.Octets).ShouldBe((1ul, (ulong)frame.Length));
        entry.LastSeenNs.ShouldNotBe(0ul);
    }

    [Fact]
    public void MACs_count_in_a_key_but_not_on_a_port_of_layer_3()
    {
        FlowKey key = Frames.KeyOf(Frames.Udp(), In, isL3: true);
        _machine.Flow(key, ToOut);
        _machine.Run("from_port", Frames.Udp()).Outcome.ShouldBe(Outcome.Upcall);

        _machine.Port(In).Flags = PortFlags.L3Key;

        _machine.Run("from_port", Frames.Udp()).Outcome.ShouldBe(Outcome.Port);
    }

    [Fact]
    public void TCP_flags_that_were_seen_are_kept()
    {
        FlowKey key = Frames.KeyOf(Frames.Tcp(), In);
        _machine.Flow(key, ToOut);

        _machine.Run("from_port", Frames.Tcp(flags: TcpFlags.Syn));
        _machine.Entry(key).TcpSeen.ShouldBe((byte)1);
        _machine.Run("from_port", Frames.Tcp(flags: TcpFlags.Fin | TcpFlags.Ack));
        _machine.Entry(key).TcpSeen.ShouldBe((byte)(1 | 2 | 8 | 16));
        _machine.Run("from_port", Frames.Tcp(flags: TcpFlags.Rst));
        _machine.Entry(key).TcpSeen.ShouldBe((byte)31);
    }

    [Theory]
    [InlineData(TcpFlags.Syn, 1)]
    [InlineData(TcpFlags.Syn | TcpFlags.Ack, 1 | 8)]
    [InlineData(TcpFlags.Ack, 8 | 16)]
    [InlineData(TcpFlags.Rst | TcpFlags.Ack, 4 | 8)]
    public void An_ACK_is_beyond_the_SYN_only_without_SYN_and_RST(TcpFlags flags, byte seen)
    {
        FlowKey key = Frames.KeyOf(Frames.Tcp(), In);
        _machine.Flow(key, ToOut);

        _machine.Run("from_port", Frames.Tcp(flags: flags));

        _machine.Entry(key).TcpSeen.ShouldBe(seen);
    }

    [Fact]
    public void Rfc7857_section_2_a_RST_whose_sender_goes_on_is_forgotten()
    {
        FlowKey key = Frames.KeyOf(Frames.Tcp(), In);
        _machine.Flow(key, ToOut);
        _machine.Run("from_port", Frames.Tcp(flags: TcpFlags.Rst));
        _machine.Run("from_port", Frames.Tcp(flags: TcpFlags.Rst | TcpFlags.Ack));
        _machine.Entry(key).TcpSeen.ShouldBe((byte)(4 | 8), "another RST takes nothing back");

        _machine.Run("from_port", Frames.Tcp(flags: TcpFlags.Ack));

        _machine.Entry(key).TcpSeen.ShouldBe((byte)(8 | 16));
    }

    [Fact]
    public void Rfc5382_section_5_a_SYN_on_the_same_ports_begins_anew()
    {
        FlowKey key = Frames.KeyOf(Frames.Tcp(), In);
        _machine.Flow(key, ToOut);
        _machine.Run("from_port", Frames.Tcp(flags: TcpFlags.Fin | TcpFlags.Ack));
        _machine.Run("from_port", Frames.Tcp(flags: TcpFlags.Ack));
        _machine.Entry(key).TcpSeen.ShouldBe((byte)(2 | 8 | 16), "a FIN stays");

        _machine.Run("from_port", Frames.Tcp(flags: TcpFlags.Syn));

        _machine.Entry(key).TcpSeen.ShouldBe((byte)(1 | 8 | 16));
    }

    [Fact]
    public void Segments_of_a_GSO_packet_count_as_packets()
    {
        FlowKey key = Frames.KeyOf(Frames.Tcp(payloadOctets: 3000), In);
        _machine.Flow(key, ToOut);

        _machine.Run("from_port", Frames.Tcp(payloadOctets: 3000), new SkBuffContext { GsoSize = 1000, GsoSegs = 3 });

        _machine.Entry(key).Packets.ShouldBe(3ul);
        (_machine.Stats(In).RxPackets, _machine.Stats(In).RxOctets).ShouldBe((3ul, 3054ul));
        (_machine.Stats(Out).TxPackets, _machine.Stats(Out).TxOctets).ShouldBe((3ul, 3054ul));
    }

    [Fact]
    public void A_digest_that_is_not_the_key_s_is_a_miss_without_state()
    {
        Conn4Key key = Conn4Key.Of(Frames.KeyOf(Frames.Udp(), In));
        _machine.Put("conn4", key, ConnEntry.Of(ToOut, KeyDigest.Of(key, ProgramMachine.Seed) + 1, 1, 0));

        _machine.Run("from_port", Frames.Udp()).Outcome.ShouldBe(Outcome.Upcall);

        _machine.TakeData().ShouldHaveSingleItem().Header.State.ShouldBe(ConnectionState.None);
    }

    [Fact]
    public void Two_tags_that_differ_are_a_miss()
    {
        Conn4Key key = Conn4Key.Of(Frames.KeyOf(Frames.Udp(), In));
        ConnEntry entry = ConnEntry.Of(ToOut, KeyDigest.Of(key, ProgramMachine.Seed), 1, 0);
        entry.TagHead++;
        _machine.Put("conn4", key, entry);

        _machine.Run("from_port", Frames.Udp()).Outcome.ShouldBe(Outcome.Upcall);
    }

    [Fact]
    public void A_drop_verdict_counts_its_reason()
    {
        _machine.Flow(
            Frames.KeyOf(Frames.Udp(), In),
            new FlowAction { Verdict = FlowVerdict.Drop, DropReason = DropReason.SecurityGroup });

        _machine.Run("from_port", Frames.Udp()).Reason.ShouldBe(DropReason.SecurityGroup);

        _machine.Drops(In, DropReason.SecurityGroup).ShouldBe(1ul);
    }

    [Fact]
    public void A_stale_hard_generation_goes_up_with_its_state()
    {
        _machine.Generation(3).Hard = 8;
        FlowAction action = ToOut;
        action.Stamp = new FlowStamp(ClassId: 3, Hard: 7, Soft: 0);
        _machine.Flow(Frames.KeyOf(Frames.Udp(), In), action);

        _machine.Run("from_port", Frames.Udp()).Outcome.ShouldBe(Outcome.Upcall);

        UpcallHeader header = _machine.TakeData().ShouldHaveSingleItem().Header;
        (header.Kind, header.State).ShouldBe((UpcallKind.Miss, ConnectionState.Forward));
    }

    [Fact]
    public void A_stale_soft_generation_forwards_and_asks_for_revalidation_once()
    {
        _machine.Generation(3) = new GenerationEntry { Hard = 7, Soft = 2 };
        FlowAction action = ToOut;
        action.Stamp = new FlowStamp(ClassId: 3, Hard: 7, Soft: 1);
        byte[] frame = Frames.Udp(payloadOctets: 1000);
        _machine.Flow(Frames.KeyOf(frame, In), action);

        _machine.Run("from_port", frame).Outcome.ShouldBe(Outcome.Port);
        _machine.Run("from_port", frame).Outcome.ShouldBe(Outcome.Port);

        UpcallRecord record = _machine.TakeControl().ShouldHaveSingleItem();
        (record.Header.Kind, record.Header.ClassId, record.Header.Flags)
            .ShouldBe((UpcallKind.Revalidate, 3u, UpcallFlags.Truncated));
        record.Frame.ShouldBe(frame[..192]);
        record.Header.Length.ShouldBe((uint)frame.Length);
        _machine.Generation(3).Revalidate.ShouldBe(1u);
    }

    [Fact]
    public void An_entry_of_state_alone_goes_up_with_it()
    {
        _machine.Flow(
            Frames.KeyOf(Frames.Udp(), In),
                new FlowAction { Verdict = FlowVerdict.Upcall, State = ConnectionState.Reply });

        _machine.Run("from_port", Frames.Udp()).Outcome.ShouldBe(Outcome.Upcall);

        _machine.TakeData().ShouldHaveSingleItem().Header.State.ShouldBe(ConnectionState.Reply);
    }
}
