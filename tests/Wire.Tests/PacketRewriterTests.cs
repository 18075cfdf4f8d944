using System;
using System.Buffers.Binary;
using Genkan.Testing;
using Shouldly;
using static Genkan.Wire.Tests.Samples;

namespace Genkan.Wire.Tests;

/// <summary>Rewriting in place with checksums by the difference (RFC 1624), and RFC 5508 §4.2.</summary>
public sealed class PacketRewriterTests
{
    [Theory]
    [MemberData(nameof(Samples.Transports), MemberType = typeof(Samples))]
    public void A_rewritten_frame_decodes_to_what_was_asked_with_right_checksums(IpProtocol protocol, bool isIpv4)
    {
        byte[] frame = Transport(protocol, isIpv4);
        PacketHeader before = Decode(frame);
        PacketHeader to = Translated(before);
        PacketRewriter.Apply(frame, before, to);
        Decode(frame).ShouldBe(to);
        if (protocol != IpProtocol.Sctp) HasGoodChecksum(frame).ShouldBeTrue();
        PacketRewriter.Apply(frame, to, before);
        if (protocol != IpProtocol.Sctp) frame.ShouldBe(Transport(protocol, isIpv4));
    }

    [Fact]
    public void A_rewritten_SCTP_packet_has_the_CRC32c_of_its_octets()
    {
        byte[] frame = Transport(IpProtocol.Sctp, isIpv4: true);
        PacketHeader before = Decode(frame);
        PacketRewriter.Apply(frame, before, before with { SourcePort = 1 });
        Span<byte> sctp = frame.AsSpan(before.TransportAt);
        uint checksum = BinaryPrimitives.ReadUInt32LittleEndian(sctp[8..]);
        sctp.Slice(8, 4).Clear();
        uint crc = uint.MaxValue;
        foreach (byte octet in sctp)
        {
            crc ^= octet;
            for (int i = 0; i < 8; i++) crc = (crc >> 1) ^ ((crc & 1) != 0 ? 0x82F6_3B78u : 0);
        }

        checksum.ShouldBe(~crc);
    }

    [Fact]
    public void Addresses_alone_leave_the_SCTP_checksum_as_it_is()
    {
        byte[] frame = Transport(IpProtocol.Sctp, isIpv4: true);
        PacketHeader before = Decode(frame);
        PacketRewriter.Apply(frame, before, before with { Source = B4 });
        frame.AsSpan(before.TransportAt).ToArray()
            .ShouldBe(Transport(IpProtocol.Sctp, isIpv4: true)[before.TransportAt..]);
    }

    [Theory]
    [InlineData(IpProtocol.UdpLite, true, 0)]
    [InlineData(IpProtocol.UdpLite, false, 0)]
    [InlineData(IpProtocol.UdpLite, true, 8)] // octets that the checksum covers; 0 all
    [InlineData(IpProtocol.UdpLite, false, 8)]
    [InlineData(IpProtocol.Dccp, true, 0)]
    [InlineData(IpProtocol.Dccp, false, 0)]
    public void Rfc3828_section_3_1_and_Rfc4340_section_9_1_the_checksum_has_the_pseudo_header(
        IpProtocol protocol, bool isIpv4, byte coverage)
    {
        byte[] segment = [0x9C, 0x40, 0x0B, 0x0C, 0, coverage, 0, 0, 0xDE, 0xAD, 0xBE, 0xEF];
        byte[] frame = Write((ref FrameWriter w) =>
        {
            w.Ip(isIpv4 ? A4 : A6, isIpv4 ? B4 : B6, protocol);
            w.Octets(segment);
        });
        PacketHeader before = Decode(frame);
        WriteChecksum(frame, before, coverage);
        PacketHeader to = Translated(before) with { SourcePort = 0, DestinationPort = 0 };
        byte[] expected = [.. frame];

        PacketRewriter.Apply(frame, before, to);

        Decode(frame).ShouldBe(to);
        frame.CopyTo(expected, 0);
        WriteChecksum(expected, to, coverage);
        frame.ShouldBe(expected);
    }

    private static void WriteChecksum(byte[] frame, PacketHeader header, byte coverage)
    {
        Span<byte> segment = frame.AsSpan(header.TransportAt..header.NetworkEnd);
        ulong pseudo = InternetChecksum.PseudoHeader(
            header.Source, header.Destination, header.Protocol, segment.Length);
        segment.Slice(6, 2).Clear();
        ushort checksum = InternetChecksum.Compute(coverage == 0 ? segment : segment[..coverage], pseudo);
        BinaryPrimitives.WriteUInt16BigEndian(segment[6..], checksum);
    }

    [Theory]
    [InlineData(IpProtocol.UdpLite)]
    [InlineData(IpProtocol.Dccp)]
    public void What_ends_before_its_checksum_is_truncated(IpProtocol protocol)
    {
        byte[] frame = Write((ref FrameWriter w) =>
        {
            w.Ip(A4, B4, protocol);
            w.Octets(new byte[7]);
        });
        PacketHeader.TryDecode(frame, out _).ShouldBe(PacketFault.Truncated);
    }

    [Fact]
    public void Any_addresses_and_ports_give_the_checksum_of_a_new_packet() => ForArbitraryOctets(octets =>
    {
        if (octets.Length < 12) return true;
        byte[] frame = Transport(IpProtocol.Udp, isIpv4: true);
        PacketHeader before = Decode(frame);
        PacketRewriter.Apply(frame, before, before with
        {
            Source = IpAddress.FromOctets(octets.AsSpan(0, 4)),
            Destination = IpAddress.FromOctets(octets.AsSpan(4, 4)),
            SourcePort = BinaryPrimitives.ReadUInt16BigEndian(octets.AsSpan(8)),
            DestinationPort = BinaryPrimitives.ReadUInt16BigEndian(octets.AsSpan(10)),
        });
        return HasGoodChecksum(frame);
    });

    [Fact]
    public void A_damaged_packet_stays_damaged()
    {
        byte[] frame = Transport(IpProtocol.Tcp, isIpv4: true);
        frame[^1]++;
        PacketHeader before = Decode(frame);
        PacketRewriter.Apply(frame, before, Translated(before));
        HasGoodChecksum(frame).ShouldBeFalse();
    }

    [Fact]
    public void UDP_without_checksum_stays_without_and_a_sum_of_zero_is_written_as_ffff()
    {
        byte[] frame = Transport(IpProtocol.Udp, isIpv4: true);
        PacketHeader before = Decode(frame);
        Span<byte> checksum = frame.AsSpan(before.TransportAt + 6, 2);
        ushort good = BinaryPrimitives.ReadUInt16BigEndian(checksum);
        ushort port = (ushort)~InternetChecksum.Update((ushort)~before.SourcePort, 0, good); // makes the sum zero
        PacketRewriter.Apply(frame, before, before with { SourcePort = port });
        BinaryPrimitives.ReadUInt16BigEndian(checksum).ShouldBe((ushort)0xFFFF);
        HasGoodChecksum(frame).ShouldBeTrue();

        checksum.Clear();
        PacketRewriter.Apply(frame, Decode(frame), before);
        BinaryPrimitives.ReadUInt16BigEndian(checksum).ShouldBe((ushort)0);
    }

    [Fact]
    public void Rfc6935_section_5_UDP_over_IPv6_without_checksum_stays_without()
    {
        byte[] frame = Transport(IpProtocol.Udp, isIpv4: false);
        PacketHeader before = Decode(frame);
        frame.AsSpan(before.TransportAt + 6, 2).Clear();
        PacketRewriter.Apply(frame, before, Translated(before));
        frame.AsSpan(before.TransportAt + 6, 2).ToArray().ShouldBe([0, 0]);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_partial_checksum_remains_the_sum_of_the_pseudo_header(bool isIpv4)
    {
        byte[] frame = Transport(IpProtocol.Tcp, isIpv4);
        PacketHeader before = Decode(frame);
        PacketHeader to = Translated(before);
        WritePartial(frame, before);
        PacketRewriter.Apply(frame, before, to, isPartial: true);
        ushort actual = BinaryPrimitives.ReadUInt16BigEndian(frame.AsSpan(before.TransportAt + 16));
        WritePartial(frame, to);
        actual.ShouldBe(BinaryPrimitives.ReadUInt16BigEndian(frame.AsSpan(before.TransportAt + 16)));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_partial_checksum_is_told_from_a_complete_one(bool isIpv4)
    {
        byte[] frame = Transport(IpProtocol.Tcp, isIpv4);
        PacketHeader header = Decode(frame);
        PacketRewriter.IsPartial(frame, header).ShouldBeFalse("it is complete");
        WritePartial(frame, header);
        PacketRewriter.IsPartial(frame, header).ShouldBeTrue();
        PacketRewriter.IsPartial(frame.AsSpan(0, frame.Length - 1), header).ShouldBeFalse("the frame was cut");
        PacketRewriter.IsPartial(frame, header with { Fragment = FragmentKind.First }).ShouldBeFalse();
    }

    [Fact]
    public void Later_fragments_change_their_addresses_only()
    {
        byte[] frame = Frame("ping", "fragment-later");
        PacketHeader before = Decode(frame);
        PacketHeader to = before with { Source = B4, Destination = A4, Identification = 77 };
        PacketRewriter.Apply(frame, before, to with { SourcePort = 9 });
        Decode(frame).ShouldBe(to);
        frame[34..].ShouldBe(Frame("ping", "fragment-later")[34..]);
    }

    [Fact]
    public void An_ARP_request_becomes_its_reply()
    {
        byte[] frame = Frame("ping", "arp-request");
        PacketHeader before = Decode(frame);
        PacketHeader to = before.Reversed() with
        {
            ArpSenderMac = MacB,
            EthernetSource = MacB,
        };
        PacketRewriter.Apply(frame, before, to);
        frame.ShouldBe(Frame("ping", "arp-reply"));
    }

    [Theory]
    [InlineData("port-unreachable")]
    [InlineData("port-unreachable6")]
    public void The_quoted_packet_of_an_error_is_translated_with_all_checksums(string name)
    {
        byte[] frame = Frame("closed-ports", name);
        PacketHeader outer = Decode(frame);
        PacketHeader.TryDecodeEmbedded(frame, outer, out PacketHeader before).ShouldBeTrue();
        PacketHeader to = Translated(before) with { EthernetDestination = default, EthernetSource = default };
        PacketRewriter.ApplyToEmbedded(frame, outer, before, to);
        PacketHeader outerTo = outer with { Destination = to.Source };
        PacketRewriter.Apply(frame, outer, outerTo);

        Decode(frame).ShouldBe(outerTo);
        HasGoodChecksum(frame).ShouldBeTrue();
        PacketHeader.TryDecodeEmbedded(frame, outer, out PacketHeader after).ShouldBeTrue();
        after.ShouldBe(to);
        byte[] quoted = [.. new byte[14], .. frame[after.NetworkAt..]];
        (quoted[12], quoted[13]) = outer.IsIpv4 ? ((byte)0x08, (byte)0x00) : ((byte)0x86, (byte)0xDD);
        HasGoodChecksum(quoted).ShouldBeTrue();
    }

    [Fact]
    public void Every_quotation_that_decodes_can_be_translated()
    {
        byte[] packet = Transport(IpProtocol.Tcp, isIpv4: true)[14..];
        for (int length = 28; length <= packet.Length; length++)
        {
            byte[] frame = Write((ref FrameWriter w) =>
            {
                w.Ip(B4, A4, IpProtocol.Icmp);
                w.Icmp((byte)IcmpType.TimeExceeded);
                w.Octets(packet.AsSpan(0, length));
            });
            PacketHeader outer = Decode(frame);
            PacketHeader.TryDecodeEmbedded(frame, outer, out PacketHeader before).ShouldBeTrue();
            PacketRewriter.ApplyToEmbedded(frame, outer, before, Translated(before));
            HasGoodChecksum(frame).ShouldBeTrue();
        }
    }

    [Fact]
    public void Decoding_and_rewriting_allocate_nothing()
    {
        byte[] frame = Transport(IpProtocol.Tcp, isIpv4: false);
        byte[] error = Frame("closed-ports", "port-unreachable");
        Allocation.Of(() =>
        {
            PacketHeader.TryDecode(frame, out PacketHeader header);
            PacketRewriter.Apply(frame, header, Translated(header));
            PacketHeader.TryDecode(error, out PacketHeader outer);
            PacketHeader.TryDecodeEmbedded(error, outer, out PacketHeader embedded);
            PacketRewriter.ApplyToEmbedded(error, outer, embedded, embedded);
        }).ShouldBe(0);
    }

    private static PacketHeader Translated(PacketHeader before) => before with
    {
        EthernetDestination = MacA,
        EthernetSource = MacB,
        Source = before.IsIpv4 ? IpAddress.Parse("203.0.113.9") : IpAddress.Parse("2001:db8:ffff::9"),
        Destination = before.IsIpv4 ? IpAddress.Parse("192.0.2.77") : IpAddress.Parse("2001:db8:1::77"),
        SourcePort = 61234,
        DestinationPort = before.IsIcmp ? before.DestinationPort : (ushort)8443,
        HopLimit = (byte)(before.HopLimit - 1),
        TrafficClass = 0xB8,
    };

    private static void WritePartial(byte[] frame, PacketHeader header)
    {
        int length = header.NetworkEnd - header.TransportAt;
        ulong sum = InternetChecksum.PseudoHeader(header.Source, header.Destination, header.Protocol, length);
        BinaryPrimitives.WriteUInt16BigEndian(frame.AsSpan(header.TransportAt + 16), InternetChecksum.Fold(sum));
    }
}
