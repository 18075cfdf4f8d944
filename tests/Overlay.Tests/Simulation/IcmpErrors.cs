using System;
using Genkan.Overlay.Flows;
using Genkan.Overlay.Simulation;
using Genkan.Overlay.Tests.Fixtures;
using Genkan.Overlay.Topology;
using Genkan.Wire;
using Shouldly;

namespace Genkan.Overlay.Tests.Simulation;

/// <summary>RFC 5508 §4, RFC 1812 §4.3.2.7: errors follow the connection of the packet that they quote.</summary>
public sealed class IcmpErrors
{
    private static readonly MacAddress A = Courtyard.Mac("red/red-a");
    private static readonly MacAddress B = Courtyard.Mac("red/red-b");
    private static readonly MacAddress C = Courtyard.Mac("red/red-c");
    private static readonly MacAddress Router = MacAddress.Parse("02:00:00:00:01:01");
    private static readonly MacAddress Router2 = MacAddress.Parse("02:00:00:00:01:02");
    private static readonly MacAddress Outside = MacAddress.Parse("02:00:00:00:0f:02");
    private static readonly IcmpError TimeExceeded = IcmpError.TimeExceeded(true);

    [Fact]
    public void An_error_from_the_outside_reaches_the_translated_host_with_its_own_packet_quoted()
    {
        Lab lab = Lab.OnHv1;
        byte[] sent = Frames.Udp(Router2, C, "10.0.2.11", "198.18.0.10", 1000, 33434);
        PacketHeader leaving = lab.From("red/red-c", sent).Packet;
        byte[] outside = Rewritten(sent, leaving);
        byte[] error = Frames.Error(Outside, C, "203.0.113.1", outside, TimeExceeded);
        Ingress ingress = new(IngressKind.NatReturn, Courtyard.Pool, ConnectionState.None);
        lab.Connect(Courtyard.Pool, leaving.Reversed(), ConnectionState.Reply);
        SimulationResult result = lab.Simulate(ingress, error);

        Lab.TextOf(result).ShouldBe("ForwardTranslated");
        result.Egress.ShouldBe(new Egress(EgressKind.Port, Courtyard.Port("red/red-c")));
        PacketHeader outer = Frames.Decode(result.Answer);
        (outer.Source, outer.Destination).ShouldBe((IpAddress.Parse("203.0.113.1"), IpAddress.Parse("10.0.2.11")));
        (outer.EthernetSource, outer.EthernetDestination, outer.HopLimit).ShouldBe((Router2, C, (byte)63));
        PacketHeader.TryDecodeEmbedded(result.Answer, outer, out PacketHeader quoted).ShouldBeTrue();
        (quoted.Source, quoted.SourcePort, quoted.Destination, quoted.DestinationPort)
            .ShouldBe((IpAddress.Parse("10.0.2.11"), (ushort)1000, IpAddress.Parse("198.18.0.10"), (ushort)33434));
        IcmpChecksum(result.Answer, outer).ShouldBe((ushort)0);
    }

    [Fact]
    public void A_gateway_passes_it_on_to_the_owner_of_the_quoted_port()
    {
        byte[] outside = Frames.Udp(Outside, C, "198.51.100.10", "198.18.0.10", 40000, 33434);
        byte[] error = Frames.Error(Outside, C, "203.0.113.1", outside, TimeExceeded);
        SimulationResult result = Lab.OnGw1.From("provider/isp", error);

        Lab.TextOf(result).ShouldBe("ForwardTranslated");
        result.Egress.ShouldBe(new Egress(EgressKind.NatReturn, Courtyard.Pool, Courtyard.Hv1));
        result.IsCacheable.ShouldBeFalse();
    }

    [Theory]
    [InlineData("127.0.0.1")]
    [InlineData("224.0.0.1")]
    [InlineData("240.0.0.1")]
    [InlineData("10.0.1.12")]
    public void Rfc1812_section_5_3_7_an_error_from_a_martian_or_from_inside_does_not_come_from_the_outside(
        string source)
    {
        Lab lab = Lab.OnHv1;
        byte[] sent = Frames.Udp(Router2, C, "10.0.2.11", "198.18.0.10", 1000, 33434);
        PacketHeader leaving = lab.From("red/red-c", sent).Packet;
        byte[] outside = Rewritten(sent, leaving);
        lab.Connect(Courtyard.Pool, leaving.Reversed(), ConnectionState.Reply);
        byte[] error = From(source, Frames.Error(Outside, C, "203.0.113.1", outside, TimeExceeded));

        Lab.TextOf(lab.Simulate(new Ingress(IngressKind.NatReturn, Courtyard.Pool, ConnectionState.None), error))
            .ShouldBe("Drop Martian");
        byte[] about = Frames.Tcp(Outside, A, "198.51.100.20", "198.18.0.10", 80, 5000);
        error = From(source, Frames.Error(Outside, A, "203.0.113.1", about, TimeExceeded));
        Lab.TextOf(Lab.OnGw1.From("provider/isp", error)).ShouldBe("Drop Martian");
    }

    [Theory]
    [InlineData("2001:db8:1:1:f816:3eff:fe00:112", "ForwardTranslated")]
    [InlineData("fe80::1", "Drop Martian")]
    [InlineData("::1", "Drop Martian")]
    [InlineData("2001:db8:99::1", "Drop Martian")]
    public void Rfc4291_section_2_5_6_an_error_does_not_leave_with_a_source_that_may_not(string source, string expected)
    {
        const string a = "2001:db8:1:1:f816:3eff:fe00:111", far = "2001:db8:ffff::1";
        Lab lab = new(Courtyard.Hv1, BridgedUnicast.Open(Courtyard.Parts, "red/red-a"));
        byte[] about = Frames.Udp(A, Router, far, a, 1000, 2000);
        byte[] error = Frames.Error(Router, A, source, about, IcmpError.PacketTooBig(false, 1300));

        Lab.TextOf(lab.From("red/red-a", error)).ShouldBe(expected);
    }

    [Fact]
    public void An_error_about_no_connection_is_dropped()
    {
        byte[] about = Frames.Udp(A, B, "10.0.1.12", "10.0.1.11", 1000, 2000);
        byte[] error = Frames.Error(B, A, "10.0.1.11", about, IcmpError.Unreachable(IcmpUnreachableCode.Port));

        Lab.TextOf(Lab.OnHv1.From("red/red-a", error)).ShouldBe("Drop InvalidState");
    }

    [Fact]
    public void A_port_unreachable_of_a_host_with_a_floating_IP_leaves_with_it_inside_and_out()
    {
        Lab lab = Lab.OnHv1;
        byte[] about = Frames.Tcp(A, Router, "198.18.0.10", "10.0.1.11", 5000, 80);
        lab.Connect(Courtyard.Port("red/red-a"), Frames.Decode(about).Reversed(), ConnectionState.Reply);
        byte[] error = Frames.Error(Router, A, "10.0.1.11", about, IcmpError.Unreachable(IcmpUnreachableCode.Port));
        SimulationResult result = lab.From("red/red-a", error);

        Lab.TextOf(result).ShouldBe("ForwardTranslated");
        PacketHeader outer = Frames.Decode(result.Answer);
        outer.Source.ShouldBe(Courtyard.FloatingAddress);
        PacketHeader.TryDecodeEmbedded(result.Answer, outer, out PacketHeader quoted).ShouldBeTrue();
        (quoted.Destination, quoted.DestinationPort).ShouldBe((Courtyard.FloatingAddress, (ushort)80));
        IcmpChecksum(result.Answer, outer).ShouldBe((ushort)0);
    }

    [Fact]
    public void Rfc5508_REQ_3_an_error_whose_checksum_fails_to_validate_is_dropped_silently()
    {
        Lab lab = Lab.OnGw1;
        byte[] outside = Frames.Udp(Outside, C, "198.51.100.10", "198.18.0.10", 40000, 33434);
        byte[] error = Frames.Error(Outside, C, "203.0.113.1", outside, TimeExceeded);
        error[^1] ^= 1;
        SimulationResult result = lab.From("provider/isp", error);

        Lab.TextOf(result).ShouldBe("Drop BadChecksum");
        result.AnswerLength.ShouldBe(0);
    }

    [Fact]
    public void An_error_that_quotes_a_packet_of_somebody_else_is_dropped()
    {
        byte[] about = Frames.Udp(A, B, "10.0.1.99", "10.0.1.11", 1000, 2000);
        byte[] error = Frames.Error(B, A, "10.0.1.11", about, IcmpError.Unreachable(IcmpUnreachableCode.Port));
        new IpAddress(IpAddress.Parse("10.0.1.12").Value).CopyTo(error.AsSpan(30));
        (error[24], error[25]) = (0, 0);
        ushort sum = InternetChecksum.Compute(error.AsSpan(14, 20));
        (error[24], error[25]) = ((byte)(sum >> 8), (byte)sum);

        Lab.TextOf(Lab.OnHv1.From("red/red-a", error)).ShouldBe("Drop InvalidState");
    }

    [Fact]
    public void An_error_is_never_answered_by_an_error()
    {
        Lab lab = Lab.OnHv1;
        byte[] about = Frames.Tcp(A, Router, "10.0.2.11", "10.0.1.11", 5000, 80);
        lab.Connect(Courtyard.Port("red/red-a"), Frames.Decode(about).Reversed(), ConnectionState.Reply);
        byte[] error = Frames.Error(Router, A, "10.0.1.11", about, IcmpError.Unreachable(IcmpUnreachableCode.Port));
        error[22] = 1; // TTL
        (error[24], error[25]) = (0, 0);
        ushort sum = InternetChecksum.Compute(error.AsSpan(14, 20));
        (error[24], error[25]) = ((byte)(sum >> 8), (byte)sum);
        SimulationResult result = lab.From("red/red-a", error);

        Lab.TextOf(result).ShouldBe("Drop HopLimit");
        result.AnswerLength.ShouldBe(0);
    }

    [Fact]
    public void A_later_fragment_is_never_answered_by_an_error()
    {
        FrameWriter writer = Frames.Begin(out byte[] buffer, Router, A, "10.0.1.11", "10.8.0.1", IpProtocol.Udp);
        writer.Fragment(9, 1480);
        writer.Octets(new byte[64]);
        SimulationResult result = Lab.OnHv1.From("red/red-a", buffer[..writer.Finish()]);

        Lab.TextOf(result).ShouldBe("Drop RouteReject");
        result.AnswerLength.ShouldBe(0);
    }

    [Fact]
    public void Without_rules_or_translation_an_error_needs_no_connection()
    {
        TopologyParts open = BridgedUnicast.Open(BridgedUnicast.Open(Courtyard.Parts, "red/red-a"), "red/red-b");
        byte[] about = Frames.Udp(A, B, "10.0.1.12", "10.0.1.11", 1000, 2000);
        byte[] error = Frames.Error(B, A, "10.0.1.11", about, IcmpError.Unreachable(IcmpUnreachableCode.Port));

        SimulationResult result = new Lab(Courtyard.Hv1, open).From("red/red-a", error);
        Lab.TextOf(result).ShouldBe("ForwardTranslated");
        result.Answer.SequenceEqual(error).ShouldBeTrue();
    }

    [Fact]
    public void Rfc5508_REQ_4_behind_a_floating_IP_an_error_needs_a_connection_without_rules_too()
    {
        Lab gateway = new(Courtyard.Gw1, BridgedUnicast.Open(Courtyard.Parts, "red/red-a"));
        byte[] sent = Frames.Udp(Outside, C, "198.51.100.20", "198.18.0.10", 1000, 33434);
        byte[] error = Frames.Error(Outside, C, "203.0.113.1", sent, TimeExceeded);

        Lab.TextOf(gateway.From("provider/isp", error)).ShouldBe("Drop InvalidState");
        gateway.Connect(Courtyard.Port("provider/isp"), Frames.Decode(sent).Reversed(), ConnectionState.Reply);
        SimulationResult result = gateway.From("provider/isp", error);
        Lab.TextOf(result).ShouldBe("ForwardTranslated");
        Frames.Decode(result.Answer).Destination.ShouldBe(IpAddress.Parse("10.0.1.11"));
    }

    [Fact]
    public void Rfc5508_REQ_5_from_a_host_with_a_floating_IP_an_error_needs_a_connection_without_rules_too()
    {
        Lab lab = new(Courtyard.Hv1, BridgedUnicast.Open(Courtyard.Parts, "red/red-a"));
        byte[] about = Frames.Udp(A, Router, "198.18.0.10", "10.0.1.11", 5000, 53);
        byte[] error = Frames.Error(Router, A, "10.0.1.11", about, IcmpError.Unreachable(IcmpUnreachableCode.Port));

        Lab.TextOf(lab.From("red/red-a", error)).ShouldBe("Drop InvalidState");
        lab.Connect(Courtyard.Port("red/red-a"), Frames.Decode(about).Reversed(), ConnectionState.Reply);
        Lab.TextOf(lab.From("red/red-a", error)).ShouldBe("ForwardTranslated");
    }

    // The frame under another source, which no error is written from.
    private static byte[] From(string source, byte[] error)
    {
        PacketHeader header = Frames.Decode(error);
        PacketHeader forged = header;
        forged.Source = IpAddress.Parse(source);
        PacketRewriter.Apply(error, header, forged);
        return error;
    }

    private static byte[] Rewritten(byte[] frame, in PacketHeader to)
    {
        byte[] copy = [.. frame];
        PacketRewriter.Apply(copy, Frames.Decode(frame), to);
        return copy;
    }

    private static ushort IcmpChecksum(ReadOnlySpan<byte> frame, in PacketHeader header) =>
        InternetChecksum.Compute(frame[header.TransportAt..header.NetworkEnd]);
}
