using System;
using Shouldly;
using static Genkan.Wire.Tests.Samples;

namespace Genkan.Wire.Tests;

/// <summary>What a router answers with (RFC 792, RFC 1812 §4.3, RFC 4443), and the frame writer under it.</summary>
public sealed class IcmpMessagesTests
{
    [Theory]
    [MemberData(nameof(Samples.Transports), MemberType = typeof(Samples))]
    public void A_written_frame_is_decoded_with_right_checksums(IpProtocol protocol, bool isIpv4)
    {
        byte[] frame = Transport(protocol, isIpv4);
        PacketHeader header = Decode(frame);
        (header.EthernetDestination, header.EthernetSource).ShouldBe((MacB, MacA));
        (header.Source, header.Destination).ShouldBe(isIpv4 ? (A4, B4) : (A6, B6));
        (header.Protocol, header.HopLimit, header.TrafficClass).ShouldBe((protocol, (byte)61, (byte)0x28));
        (header.LengthOctets, header.NetworkEnd).ShouldBe((frame.Length, frame.Length));
        if (protocol != IpProtocol.Sctp) HasGoodChecksum(frame).ShouldBeTrue();
    }

    [Theory]
    [InlineData("arp-request")]
    [InlineData("arp-reply")]
    public void Written_ARP_equals_the_captured_frame(string name)
    {
        byte[] captured = Frame("ping", name);
        PacketHeader h = Decode(captured);
        byte[] octets = new byte[64];
        FrameWriter writer = new(octets);
        writer.Ethernet(h.EthernetDestination, h.EthernetSource);
        writer.Arp(h.ArpOperation, h.ArpSenderMac, h.Source, h.ArpTargetMac, h.Destination);
        octets[..writer.Finish()].ShouldBe(captured);
    }

    [Theory]
    [InlineData("echo-request", "echo-reply")]
    [InlineData("echo-request6", "echo-reply6")]
    public void The_echo_reply_is_the_one_that_the_kernel_sent(string request, string reply)
    {
        byte[] frame = Frame("ping", request);
        PacketHeader header = Decode(frame);
        byte[] output = new byte[frame.Length];
        int length = IcmpMessages.WriteEchoReply(output, frame, header, header.Destination, header.EthernetDestination);

        byte[] expected = Frame("ping", reply);
        PacketHeader theirs = Decode(expected);
        PacketHeader ours = Decode(output.AsSpan(0, length));
        output.AsSpan(ours.TransportAt).ToArray().ShouldBe(expected.AsSpan(theirs.TransportAt).ToArray());
        ours.ShouldBe(theirs with { Identification = ours.Identification, DontFragment = ours.DontFragment });
    }

    [Theory]
    [InlineData("fragment-first")]
    [InlineData("echo-reply")]
    [InlineData("arp-request")]
    public void Other_packets_get_no_echo_reply(string name)
    {
        byte[] frame = Frame("ping", name);
        PacketHeader header = Decode(frame);
        IcmpMessages.WriteEchoReply(new byte[2048], frame, header, B4, MacB).ShouldBe(0);
    }

    [Theory]
    [InlineData("udp", "port-unreachable", true)]
    [InlineData("udp6", "port-unreachable6", false)]
    public void The_error_is_the_one_that_the_kernel_sent(string sent, string captured, bool isIpv4)
    {
        byte[] frame = Frame("closed-ports", sent);
        PacketHeader header = Decode(frame);
        IcmpError error = isIpv4
            ? IcmpError.Unreachable(IcmpUnreachableCode.Port)
            : IcmpError.Unreachable(Icmpv6UnreachableCode.Port);
        byte[] output = new byte[IcmpMessages.ErrorFrameSizeMax];
        int length = IcmpMessages.WriteError(
            output, frame, header, error, header.Destination, header.EthernetDestination);

        byte[] expected = Frame("closed-ports", captured);
        PacketHeader ours = Decode(output.AsSpan(0, length));
        output.AsSpan(ours.TransportAt..length).ToArray()
            .ShouldBe(expected.AsSpan(Decode(expected).TransportAt).ToArray());
        ours.EthernetDestination.ShouldBe(header.EthernetSource);
    }

    [Theory]
    [InlineData(true, WireLimits.IcmpErrorLengthMax)]
    [InlineData(false, WireLimits.Icmpv6ErrorLengthMax)]
    public void An_error_quotes_up_to_its_limit_and_carries_the_MTU(bool isIpv4, int lengthMax)
    {
        byte[] big = Write((ref FrameWriter w) =>
        {
            w.Ip(isIpv4 ? A4 : A6, isIpv4 ? B4 : B6, IpProtocol.Udp);
            w.Udp(1, 2);
            w.Octets(new byte[1400]);
        });
        byte[] output = new byte[IcmpMessages.ErrorFrameSizeMax];
        int length = IcmpMessages.WriteError(
            output, big, Decode(big), IcmpError.PacketTooBig(isIpv4, 1280), isIpv4 ? B4 : B6, MacB);
        byte[] frame = output[..length];
        PacketHeader error = Decode(frame);
        (error.NetworkLengthOctets, error.IsIcmpError).ShouldBe((lengthMax, true));
        frame[(error.TransportAt + 4)..(error.TransportAt + 8)].ShouldBe([0, 0, 5, 0]);
        HasGoodChecksum(frame).ShouldBeTrue();
        PacketHeader.TryDecodeEmbedded(frame, error, out PacketHeader embedded).ShouldBeTrue();
        (embedded.SourcePort, embedded.DestinationPort).ShouldBe(((ushort)1, (ushort)2));
    }

    [Theory]
    [InlineData(0x00, 0xC0)]
    [InlineData(0x1C, 0xDC)]
    [InlineData(0xFF, 0xDC)]
    public void Rfc1812_section_4_3_2_5_an_error_has_the_type_of_service_of_its_packet_and_precedence_6(
        byte asked, byte answered)
    {
        byte[] packet = Write((ref FrameWriter w) =>
        {
            w.Ip(A4, B4, IpProtocol.Udp, hopLimit: 64, asked);
            w.Udp(1, 2);
        });
        byte[] output = new byte[IcmpMessages.ErrorFrameSizeMax];
        int length = IcmpMessages.WriteError(
            output, packet, Decode(packet), IcmpError.TimeExceeded(isIpv4: true), B4, MacB);

        Decode(output.AsSpan(0, length)).TrafficClass.ShouldBe(answered);
    }

    [Fact]
    public void No_error_is_written_about_an_error()
    {
        byte[] frame = Frame("closed-ports", "port-unreachable");
        byte[] output = new byte[IcmpMessages.ErrorFrameSizeMax];
        IcmpError error = IcmpError.TimeExceeded(isIpv4: true);
        IcmpMessages.WriteError(output, frame, Decode(frame), error, B4, MacB).ShouldBe(0);
        byte[] udp = Transport(IpProtocol.Udp, isIpv4: true);
        IcmpMessages.WriteError(output, udp, Decode(udp), error, B6, MacB).ShouldBe(0);
    }

    [Fact]
    public void A_parameter_problem_points_at_its_octet()
    {
        IcmpError.ParameterProblem(isIpv4: true, 0, 20).Parameter.ShouldBe(20u << 24);
        IcmpError.ParameterProblem(isIpv4: false, 1, 40).Parameter.ShouldBe(40u);
    }

    [Fact]
    public void A_frame_longer_than_its_room_is_our_fault_and_throws() =>
        Should.Throw<ArgumentOutOfRangeException>(static () =>
        {
            FrameWriter writer = new(new byte[13]);
            writer.Ethernet(MacB, MacA);
        });
}
