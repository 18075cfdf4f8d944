using System;
using Genkan.Overlay.Simulation;
using Genkan.Overlay.Tests.Fixtures;
using Genkan.Overlay.Topology;
using Genkan.Wire;
using Shouldly;

namespace Genkan.Overlay.Tests.Simulation;

/// <summary>RFC 1812, RFC 1122 and RFC 8200: what a router must not forward, and what it tells about it.</summary>
public sealed class RouterRequirements
{
    private const string A6 = "2001:db8:1:1:f816:3eff:fe00:111";
    private const string Router6 = "2001:db8:1:1::1";
    private static readonly MacAddress A = Courtyard.Mac("red/red-a");
    private static readonly MacAddress Router = MacAddress.Parse("02:00:00:00:01:01");
    private static readonly MacAddress Outside = MacAddress.Parse("02:00:00:00:0f:02");

    [Theory]
    [InlineData("10.0.2.255")]
    [InlineData("10.0.2.0")]
    public void Rfc2644_a_directed_broadcast_is_not_forwarded_and_nobody_is_told(string destination)
    {
        SimulationResult result =
            Lab.OnHv1.From("red/red-a", Frames.Udp(Router, A, "10.0.1.11", destination, 1000, 2000));

        Lab.TextOf(result).ShouldBe("Drop NoNeighbour");
        result.AnswerLength.ShouldBe(0);
    }

    [Fact]
    public void Rfc1812_section_5_3_4_what_came_to_a_whole_link_and_names_one_station_is_not_forwarded()
    {
        byte[] packet = Frames.Tcp(Outside, A, "203.0.113.1", "198.51.100.20", 1000, 80);
        byte[] toAll = [.. packet];
        toAll.AsSpan(0, 6).Fill(0xff);
        Lab lab = Lab.OnGw1;

        lab.From("provider/isp", packet).Verdict.ShouldNotBe(SimulationVerdict.Drop);
        SimulationResult result = lab.From("provider/isp", toAll);

        Lab.TextOf(result).ShouldBe("Drop MacUnknown");
        (result.IsCacheable, result.AnswerLength).ShouldBe((false, 0));
    }

    [Theory]
    [InlineData("10.0.1.12")]
    [InlineData("10.0.1.1")]
    [InlineData("10.0.2.11")]
    public void Rfc3704_section_2_2_a_source_of_inside_does_not_come_from_the_outside(string source) =>
        Lab.TextOf(Lab.OnGw1.From("provider/isp", Frames.Udp(Outside, A, source, "198.51.100.20", 1000, 80)))
            .ShouldBe("Drop Martian");

    [Theory]
    [InlineData("0.1.2.3")]
    [InlineData("127.0.0.1")]
    [InlineData("255.255.255.255")]
    [InlineData("224.0.0.1")]
    [InlineData("240.0.0.1")]
    public void Rfc1812_section_5_3_7_a_source_that_is_no_single_host_is_not_forwarded(string source)
    {
        SimulationResult result =
            Lab.OnGw1.From("provider/isp", Frames.Udp(Outside, A, source, "198.51.100.20", 1000, 80));

        Lab.TextOf(result).ShouldBe("Drop Martian");
        result.AnswerLength.ShouldBe(0);
    }

    [Theory]
    [InlineData("0.1.2.3")]
    [InlineData("127.0.0.1")]
    [InlineData("240.0.0.1")]
    public void Rfc1812_section_5_3_7_a_destination_that_is_no_host_is_not_forwarded(string destination) =>
        Lab.TextOf(Lab.OnGw1.From("provider/isp", Frames.Udp(Outside, A, "198.18.0.10", destination, 1000, 80)))
            .ShouldBe("Drop Martian");

    [Theory]
    [InlineData("10.0.1.1", "10.0.2.11")]
    [InlineData("10.0.2.1", "10.0.1.12")]
    [InlineData(Router6, "2001:db8:1:1:f816:3eff:fe00:112")]
    public void A_source_that_is_the_routers_own_address_is_not_forwarded_and_nobody_is_told(
        string source, string destination)
    {
        TopologyParts open = BridgedUnicast.Open(Courtyard.Parts, "red/red-a");
        SimulationResult result =
            new Lab(Courtyard.Hv1, open).From("red/red-a", Frames.Udp(Router, A, source, destination, 1000, 2000));

        Lab.TextOf(result).ShouldBe("Drop Martian");
        result.AnswerLength.ShouldBe(0);
    }

    [Fact]
    public void Rfc4443_section_2_2_an_error_about_a_packet_to_the_router_comes_from_the_address_that_was_asked()
    {
        const string far = "2001:db8:1:2::1";
        VirtualPort other = Courtyard.Parts.PortOf("red/router-2");
        TopologyParts parts =
            Courtyard.Parts.With(other with { Addresses = [.. other.Addresses, IpInterface.Parse($"{far}/64")] });
        SimulationResult result =
            new Lab(Courtyard.Hv1, parts).From("red/red-a", Frames.Udp(Router, A, A6, far, 1000, 2000));

        Lab.TextOf(result).ShouldBe("Drop NotForUs");
        Frames.Decode(result.Answer).Source.ShouldBe(IpAddress.Parse(far));
    }

    [Fact]
    public void Rfc1122_section_3_2_2_1_a_protocol_that_the_router_does_not_have_is_unreachable()
    {
        FrameWriter writer = Frames.Begin(out byte[] buffer, Router, A, "10.0.1.11", "10.0.1.1", IpProtocol.Gre);
        writer.Octets(new byte[8]);
        SimulationResult result = Lab.OnHv1.From("red/red-a", buffer[..writer.Finish()]);

        Lab.TextOf(result).ShouldBe("Drop NotForUs");
        Frames.Decode(result.Answer).IcmpCode.ShouldBe((byte)IcmpUnreachableCode.Protocol);
    }

    [Theory]
    [InlineData(false, 6)]
    [InlineData(true, 40)]
    public void Rfc8200_section_4_an_unrecognized_Next_Header_is_pointed_at(bool hasOptions, byte pointer)
    {
        FrameWriter writer = Frames.Begin(out byte[] buffer, Router, A, A6, Router6, IpProtocol.Gre);
        if (hasOptions) writer.ExtensionHeader(IpProtocol.DestinationOptions, 8)[2] = 1; // PadN of 6 octets
        if (hasOptions) buffer[14 + 40 + 3] = 4;
        writer.Octets(new byte[8]);
        SimulationResult result = Lab.OnHv1.From("red/red-a", buffer[..writer.Finish()]);

        Lab.TextOf(result).ShouldBe("Drop NotForUs");
        PacketHeader answer = Frames.Decode(result.Answer);
        (answer.IcmpType, answer.IcmpCode).ShouldBe(((byte)Icmpv6Type.ParameterProblem, (byte)1));
        result.Answer.Slice(answer.TransportAt + 4, 4).ToArray().ShouldBe([0, 0, 0, pointer]);
    }

    [Theory]
    [InlineData(0x1e, "Answer", (byte)Icmpv6Type.EchoReply, 0)]
    [InlineData(0x9e, "Drop Malformed", (byte)Icmpv6Type.ParameterProblem, 2)]
    [InlineData(0xde, "Drop Malformed", (byte)Icmpv6Type.ParameterProblem, 2)]
    public void Rfc8200_section_4_2_an_option_says_what_becomes_of_a_packet_to_a_router_that_does_not_know_it(
        byte option, string outcome, byte type, byte code)
    {
        SimulationResult result = Lab.OnHv1.From("red/red-a", PingWithOption(option));

        Lab.TextOf(result).ShouldBe(outcome);
        result.IsCacheable.ShouldBeFalse();
        PacketHeader answer = Frames.Decode(result.Answer);
        (answer.IcmpType, answer.IcmpCode).ShouldBe((type, code));
        if (code == 2) result.Answer.Slice(answer.TransportAt + 4, 4).ToArray().ShouldBe([0, 0, 0, 42]);
    }

    [Fact]
    public void Rfc8200_section_4_2_an_option_may_ask_to_be_discarded_in_silence()
    {
        SimulationResult result = Lab.OnHv1.From("red/red-a", PingWithOption(0x5e));

        Lab.TextOf(result).ShouldBe("Drop Malformed");
        (result.IsCacheable, result.AnswerLength).ShouldBe((false, 0));
    }

    private static byte[] PingWithOption(byte option)
    {
        byte[] ping = Frames.Ping(Router, A, A6, Router6);
        byte[] options = [(byte)IpProtocol.Icmpv6, 0, option, 4, 0, 0, 0, 0];
        byte[] frame = [.. ping[..54], .. options, .. ping[54..]];
        frame[20] = (byte)IpProtocol.HopByHopOptions;
        frame[19] += 8;
        return frame;
    }

    [Fact]
    public void Rfc8200_section_4_7_No_Next_Header_is_ignored_in_silence()
    {
        FrameWriter writer = Frames.Begin(out byte[] buffer, Router, A, A6, Router6, IpProtocol.NoNextHeader);
        SimulationResult result = Lab.OnHv1.From("red/red-a", buffer[..writer.Finish()]);

        Lab.TextOf(result).ShouldBe("Drop NotForUs");
        result.AnswerLength.ShouldBe(0);
    }

    [Theory]
    [InlineData("10.0.1.11", "10.0.1.1")]
    [InlineData(A6, Router6)]
    public void An_echo_request_with_a_wrong_checksum_gets_no_reply_with_a_right_one(string source, string destination)
    {
        byte[] ping = Frames.Ping(Router, A, source, destination);
        ping[^1] ^= 1;
        SimulationResult result = Lab.OnHv1.From("red/red-a", ping);

        Lab.TextOf(result).ShouldBe("Drop BadChecksum");
        result.AnswerLength.ShouldBe(0);
    }
}
