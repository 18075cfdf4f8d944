using System;
using System.Buffers.Binary;
using System.IO;
using Genkan.Testing;
using Shouldly;
using static Genkan.Wire.Tests.Samples;

namespace Genkan.Wire.Tests;

/// <summary>Decoding whole frames (RFC 791, RFC 8200, RFC 826, 802.1Q).</summary>
public sealed class PacketHeaderTests
{
    [Fact]
    public void A_captured_echo_request_is_decoded_whole()
    {
        PacketHeader header = Decode(Frame("ping", "echo-request"));
        header.ShouldBe(new PacketHeader
        {
            EthernetDestination = MacB,
            EthernetSource = MacA,
            EtherType = EtherType.Ipv4,
            Source = A4,
            Destination = B4,
            Protocol = IpProtocol.Icmp,
            SourcePort = 0x607D,
            DestinationPort = (byte)IcmpType.Echo << 8,
            Identification = header.Identification,
            DontFragment = true,
            HopLimit = 64,
            NetworkAt = 14,
            TransportAt = 34,
            PayloadAt = 42,
            NetworkLengthOctets = 84,
            LengthOctets = 98,
        });
        header.IsEchoRequest.ShouldBeTrue();
        header.Reversed().IsEchoReply.ShouldBeTrue();
    }

    [Fact]
    public void Captured_echo_replies_have_the_reversed_header_of_their_requests()
    {
        foreach (string family in (string[])[string.Empty, "6"])
        {
            PacketHeader request = Decode(Frame("ping", "echo-request" + family));
            PacketHeader reply = Decode(Frame("ping", "echo-reply" + family));
            request.Reversed().ShouldBe(reply with
            {
                Identification = request.Identification,
                DontFragment = request.DontFragment,
                HopLimit = request.HopLimit,
            });
            request.Reversed().Reversed().ShouldBe(request);
        }
    }

    [Fact]
    public void Captured_ARP_is_decoded_and_reversed()
    {
        PacketHeader request = Decode(Frame("ping", "arp-request"));
        (request.ArpOperation, request.ArpSenderMac, request.Source).ShouldBe((ArpOperation.Request, MacA, A4));
        (request.ArpTargetMac, request.Destination).ShouldBe((MacAddress.Zero, B4));
        PacketHeader reply = Decode(Frame("ping", "arp-reply"));
        (reply.ArpOperation, reply.ArpSenderMac, reply.Source).ShouldBe((ArpOperation.Reply, MacB, B4));
        reply.Reversed().ArpTargetMac.ShouldBe(MacB);
    }

    [Fact]
    public void Captured_fragments_are_told_apart()
    {
        PacketHeader first = Decode(Frame("ping", "fragment-first"));
        PacketHeader later = Decode(Frame("ping", "fragment-later"));
        (first.Fragment, first.IsEchoRequest, first.SourcePort).ShouldBe((FragmentKind.First, true, (ushort)0x607F));
        (later.Fragment, later.IsEchoRequest, later.TransportAt).ShouldBe((FragmentKind.Later, false, -1));
        (later.SourcePort, later.DestinationPort, later.PayloadAt).ShouldBe(((ushort)0, (ushort)0, 34));
        first.Identification.ShouldBe(later.Identification);

        first = Decode(Frame("ping", "fragment-first6"));
        later = Decode(Frame("ping", "fragment-later6"));
        (first.Fragment, first.IsEchoRequest, first.Protocol).ShouldBe((FragmentKind.First, true, IpProtocol.Icmpv6));
        (later.Fragment, later.Protocol, later.PayloadAt).ShouldBe((FragmentKind.Later, IpProtocol.Icmpv6, 62));
        first.Identification.ShouldBe(later.Identification);
    }

    [Fact]
    public void A_captured_SYN_shows_ports_and_flags()
    {
        PacketHeader syn = Decode(Frame("closed-ports", "tcp-syn"));
        (syn.DestinationPort, syn.TcpFlags, syn.PayloadAt - syn.TransportAt).ShouldBe(((ushort)9999, TcpFlags.Syn, 40));
        PacketHeader rst = Decode(Frame("closed-ports", "tcp-rst6"));
        (rst.SourcePort, rst.TcpFlags).ShouldBe(((ushort)9999, TcpFlags.Rst | TcpFlags.Ack));
    }

    [Theory]
    [InlineData("udp", "port-unreachable")]
    [InlineData("udp6", "port-unreachable6")]
    public void The_packet_that_a_captured_error_quotes_is_the_one_sent(string sent, string error)
    {
        byte[] frame = Frame("closed-ports", error);
        PacketHeader outer = Decode(frame);
        outer.IsIcmpError.ShouldBeTrue();
        PacketHeader.TryDecodeEmbedded(frame, outer, out PacketHeader embedded).ShouldBeTrue();
        PacketHeader original = Decode(Frame("closed-ports", sent));
        embedded.ShouldBe(original with
        {
            EthernetDestination = default,
            EthernetSource = default,
            LengthOctets = frame.Length,
            NetworkAt = outer.PayloadAt,
            TransportAt = original.TransportAt - original.NetworkAt + outer.PayloadAt,
            PayloadAt = original.PayloadAt - original.NetworkAt + outer.PayloadAt,
        });
    }

    [Fact]
    public void A_quotation_needs_eight_octets_of_transport_header_and_a_right_header_checksum()
    {
        byte[] packet = Transport(IpProtocol.Tcp, isIpv4: true)[14..];
        for (int length = 0; length <= packet.Length; length++)
        {
            byte[] frame = Error(packet[..length]);
            PacketHeader.TryDecodeEmbedded(frame, Decode(frame), out PacketHeader embedded).ShouldBe(length >= 28);
            if (length >= 28) embedded.SourcePort.ShouldBe((ushort)40000);
        }

        packet[8]++;
        byte[] bad = Error(packet);
        PacketHeader.TryDecodeEmbedded(bad, Decode(bad), out _).ShouldBeFalse();
        byte[] echo = Frame("ping", "echo-request");
        PacketHeader.TryDecodeEmbedded(echo, Decode(echo), out _).ShouldBeFalse();
    }

    [Theory]
    [MemberData(nameof(Samples.Transports), MemberType = typeof(Samples))]
    public void Every_prefix_of_a_good_frame_is_refused(IpProtocol protocol, bool isIpv4)
    {
        byte[] frame = Transport(protocol, isIpv4);
        for (int length = 0; length < frame.Length; length++)
            Fault(frame.AsSpan(0, length)).ShouldBeOneOf(PacketFault.Truncated, PacketFault.BadTotalLength);
        Fault(frame).ShouldBe(PacketFault.None);
    }

    [Fact]
    public void A_transport_header_cut_short_by_the_IP_length_is_truncated()
    {
        byte[] octets = [8, 0, 0, 0, 0, 0, 0];
        foreach (byte protocol in (byte[])[6, 17, 132, 1])
        {
            byte[] frame = Write((ref FrameWriter w) =>
            {
                w.Ip(A4, B4, (IpProtocol)protocol);
                w.Octets(octets);
            });
            Fault(frame).ShouldBe(PacketFault.Truncated);
        }
    }

    [Fact]
    public void Padding_behind_the_datagram_is_not_its_payload()
    {
        byte[] frame = [.. Transport(IpProtocol.Udp, isIpv4: true), 0, 0, 0];
        PacketHeader header = Decode(frame);
        (header.NetworkEnd, header.LengthOctets).ShouldBe((frame.Length - 3, frame.Length));
    }

    [Fact]
    public void A_tag_is_read_from_the_frame_or_taken_from_beside_it_but_never_both()
    {
        byte[] tagged = Write(
            (ref FrameWriter w) =>
            {
                w.Ip(A4, B4, IpProtocol.Udp);
                w.Udp(1, 2);
            },
            vlanTci: 0x6005);
        PacketHeader header = Decode(tagged);
        (header.VlanTci, header.VlanId, header.NetworkAt).ShouldBe(((ushort)0x6005, (ushort)5, 18));
        PacketHeader.TryDecode(tagged, 7, out _).ShouldBe(PacketFault.NestedVlan);
        PacketHeader.TryDecode(Frame("ping", "arp-request"), 7, out header).ShouldBe(PacketFault.None);
        header.VlanId.ShouldBe((ushort)7);
        Fault([.. tagged[..12], 0x81, 0, 0, 9, .. tagged[12..]]).ShouldBe(PacketFault.NestedVlan);
        Fault([.. tagged[..12], 0x88, 0xA8, 0, 9, .. tagged[12..]]).ShouldBe(PacketFault.NestedVlan);
        Fault(tagged.AsSpan(0, 17)).ShouldBe(PacketFault.Truncated);
    }

    [Fact]
    public void A_length_in_place_of_the_type_is_LLC_and_unknown_types_are_no_fault()
    {
        byte[] frame = new byte[60];
        (frame[12], frame[13]) = (0, 38);
        Decode(frame).EtherType.ShouldBe(EtherType.Llc);
        (frame[12], frame[13]) = (0x88, 0xCC);
        (Decode(frame).EtherType, Decode(frame).NetworkAt).ShouldBe((EtherType.Lldp, 14));
    }

    [Theory]
    [InlineData(14, 0x65, PacketFault.BadVersion)]
    [InlineData(14, 0x44, PacketFault.BadHeaderLength)]
    [InlineData(14, 0x4F, PacketFault.Truncated)]
    [InlineData(17, 0x13, PacketFault.BadTotalLength)]
    [InlineData(17, 0xFF, PacketFault.BadTotalLength)]
    [InlineData(22, 0x00, PacketFault.BadHeaderChecksum)]
    [InlineData(46, 0x40, PacketFault.BadHeaderLength)]
    [InlineData(46, 0x70, PacketFault.Truncated)]
    public void Each_rule_of_IPv4_and_TCP_has_its_fault(int at, byte octet, PacketFault fault)
    {
        byte[] frame = Transport(IpProtocol.Tcp, isIpv4: true);
        frame[at] = octet;
        Fault(frame).ShouldBe(fault);
    }

    [Fact]
    public void Each_rule_of_IPv6_has_its_fault()
    {
        byte[] frame = Transport(IpProtocol.Udp, isIpv4: false);
        byte[] version = [.. frame];
        version[14] = 0x45;
        Fault(version).ShouldBe(PacketFault.BadVersion);
        byte[] length = [.. frame];
        length[19]++;
        Fault(length).ShouldBe(PacketFault.BadTotalLength);
        byte[] udpLength = [.. frame];
        udpLength[59] = 7;
        Fault(udpLength).ShouldBe(PacketFault.BadHeaderLength);
        byte[] mapped = [.. frame];
        IpAddress.Parse("10.0.0.1").CopyTo16(mapped.AsSpan(22));
        Fault(mapped).ShouldBe(PacketFault.MappedAddress);
    }

    [Theory]
    [InlineData(WireLimits.ExtensionHeadersMax, PacketFault.None)]
    [InlineData(WireLimits.ExtensionHeadersMax + 1, PacketFault.BadExtensionHeader)]
    public void Extension_headers_are_walked_up_to_the_limit(int count, PacketFault fault)
    {
        byte[] frame = Write((ref FrameWriter w) =>
        {
            w.Ip(A6, B6, IpProtocol.Udp);
            for (int i = 0; i < count; i++) w.ExtensionHeader(IpProtocol.DestinationOptions, 16);
            w.Udp(1, 2);
        });
        PacketHeader.TryDecode(frame, out PacketHeader header).ShouldBe(fault);
        if (fault == PacketFault.None) (header.Protocol, header.DestinationPort).ShouldBe((IpProtocol.Udp, (ushort)2));
    }

    [Fact]
    public void Hop_by_Hop_Options_stand_first_and_type_0_Routing_headers_are_refused()
    {
        Fault(Extended(IpProtocol.HopByHopOptions, IpProtocol.DestinationOptions)).ShouldBe(PacketFault.None);
        Fault(Extended(IpProtocol.DestinationOptions, IpProtocol.HopByHopOptions))
            .ShouldBe(PacketFault.BadExtensionHeader);
        byte[] routing = Extended(IpProtocol.Routing, IpProtocol.DestinationOptions);
        Fault(routing).ShouldBe(PacketFault.None);
        routing[14 + 40 + 3] = 1;
        Fault(routing).ShouldBe(PacketFault.BadExtensionHeader);
        byte[] tooLong = Extended(IpProtocol.Routing, IpProtocol.DestinationOptions);
        tooLong[14 + 40 + 1] = 200;
        Fault(tooLong).ShouldBe(PacketFault.Truncated);
    }

    [Fact]
    public void An_atomic_fragment_is_a_whole_datagram()
    {
        PacketHeader header = Decode(Write((ref FrameWriter w) =>
        {
            w.Ip(A6, B6, IpProtocol.Udp);
            w.Fragment(99);
            w.Udp(1, 2);
        }));
        (header.Fragment, header.Identification, header.SourcePort).ShouldBe((FragmentKind.None, 99u, (ushort)1));
    }

    [Fact]
    public void ARP_for_another_network_or_operation_is_refused()
    {
        byte[] frame = Frame("ping", "arp-request");
        foreach ((int at, byte octet) in ((int, byte)[])[(15, 6), (16, 9), (18, 8), (19, 6), (21, 3), (20, 1)])
            Fault(With(frame, at, octet)).ShouldBe(PacketFault.BadArp);
        Fault(frame.AsSpan(0, 41)).ShouldBe(PacketFault.Truncated);
    }

    [Fact]
    public void Errors_are_not_answered_by_errors()
    {
        Decode(Transport(IpProtocol.Udp, isIpv4: true)).MayCauseIcmpError.ShouldBeTrue();
        Decode(Frame("ping", "echo-request6")).MayCauseIcmpError.ShouldBeTrue();
        Decode(Frame("closed-ports", "port-unreachable")).MayCauseIcmpError.ShouldBeFalse();
        Decode(Frame("closed-ports", "port-unreachable6")).MayCauseIcmpError.ShouldBeFalse();
        Decode(Frame("ping", "fragment-later")).MayCauseIcmpError.ShouldBeFalse();
        Decode(Frame("ping", "arp-request")).MayCauseIcmpError.ShouldBeFalse();
        Decode(Frame("dhcp4", "udhcpc-discover")).MayCauseIcmpError.ShouldBeFalse();
        Decode(Frame("ping", "dad-neighbor-solicitation")).MayCauseIcmpError.ShouldBeFalse();
    }

    [Theory]
    [InlineData("0.0.0.0")]
    [InlineData("0.1.2.3")]
    [InlineData("127.0.0.1")]
    [InlineData("224.0.0.1")]
    [InlineData("240.0.0.1")]
    [InlineData("255.255.255.255")]
    public void Rfc1812_section_4_3_2_7_nobody_is_told_whose_address_is_no_single_host(string source)
    {
        PacketHeader header = Decode(Transport(IpProtocol.Udp, isIpv4: true));
        header.Source = IpAddress.Parse(source);
        header.MayCauseIcmpError.ShouldBeFalse();
    }

    [Fact]
    public void Arbitrary_octets_are_answered_without_an_exception() => ForArbitraryOctets(octets =>
    {
        byte[] ethernet = new byte[14];
        foreach (EtherType type in (EtherType[])[EtherType.Ipv4, EtherType.Ipv6, EtherType.Arp, EtherType.Vlan])
        {
            BinaryPrimitives.WriteUInt16BigEndian(ethernet.AsSpan(12), (ushort)type);
            byte[] frame = [.. ethernet, .. octets];
            if (PacketHeader.TryDecode(frame, out PacketHeader header) == PacketFault.None)
                PacketHeader.TryDecodeEmbedded(frame, header, out _);
        }

        return true;
    });

    [Fact]
    public void Damaged_captures_are_answered_without_an_exception_and_offsets_stay_inside()
    {
        foreach (string file in Directory.GetFiles(Path.Combine(AppContext.BaseDirectory, "Captures")))
        {
            foreach (byte[] good in Hex.Capture(file).Values) ForEachDamage(good, OffsetsStayInside);
        }
    }

    private static void OffsetsStayInside(byte[] frame)
    {
        if (PacketHeader.TryDecode(frame, out PacketHeader header) != PacketFault.None) return;
        header.NetworkAt.ShouldBeInRange(14, frame.Length);
        header.NetworkEnd.ShouldBeLessThanOrEqualTo(frame.Length);
        header.TransportAt.ShouldBeLessThanOrEqualTo(header.NetworkEnd);
        header.PayloadAt.ShouldBeLessThanOrEqualTo(header.NetworkEnd);
        if (PacketHeader.TryDecodeEmbedded(frame, header, out PacketHeader embedded))
            embedded.TransportAt.ShouldBeLessThanOrEqualTo(header.NetworkEnd);
    }

    private static byte[] With(byte[] frame, int at, byte octet)
    {
        byte[] copy = [.. frame];
        copy[at] = octet;
        return copy;
    }

    private static byte[] Error(byte[] quoted) => Write((ref FrameWriter w) =>
    {
        w.Ip(A4, B4, IpProtocol.Icmp);
        w.Icmp((byte)IcmpType.TimeExceeded);
        w.Octets(quoted);
    });

    private static byte[] Extended(IpProtocol first, IpProtocol second) => Write((ref FrameWriter w) =>
    {
        w.Ip(A6, B6, IpProtocol.Udp);
        w.ExtensionHeader(first, 8);
        w.ExtensionHeader(second, 8);
        w.Udp(1, 2);
    });
}
