using System;
using Genkan.Overlay.Flows;
using Genkan.Overlay.Simulation;
using Genkan.Overlay.Tests.Fixtures;
using Genkan.Overlay.Topology;
using Genkan.Wire;
using Shouldly;

namespace Genkan.Overlay.Tests.Simulation;

/// <summary>Routing between networks and out of them.</summary>
public sealed class RoutedUnicast
{
    private static readonly MacAddress A = Courtyard.Mac("red/red-a");
    private static readonly MacAddress C = Courtyard.Mac("red/red-c");
    private static readonly MacAddress Router = MacAddress.Parse("02:00:00:00:01:01");
    private static readonly MacAddress Router2 = MacAddress.Parse("02:00:00:00:01:02");

    [Fact]
    public void A_router_rewrites_both_MACs_and_takes_one_hop()
    {
        SimulationResult result =
            Lab.OnHv1.From("red/red-a", Frames.Tcp(Router, A, "10.0.1.11", "10.0.2.11", 1000, 5201));

        Lab.TextOf(result).ShouldBe("Forward");
        result.Egress.ShouldBe(new Egress(EgressKind.Port, Courtyard.Port("red/red-c")));
        (result.Packet.EthernetSource, result.Packet.EthernetDestination).ShouldBe((Router2, C));
        result.Packet.HopLimit.ShouldBe((byte)63);
        result.Hops.ShouldBe((byte)1);
    }

    [Fact]
    public void An_unknown_host_of_a_connected_network_is_unreachable()
    {
        SimulationResult result =
            Lab.OnHv1.From("red/red-a", Frames.Tcp(Router, A, "10.0.1.11", "10.0.2.99", 1000, 80));

        Lab.TextOf(result).ShouldBe("Drop NoNeighbour");
        PacketHeader answer = Frames.Decode(result.Answer);
        (answer.IcmpType, answer.IcmpCode)
            .ShouldBe(((byte)IcmpType.DestinationUnreachable, (byte)IcmpUnreachableCode.Host));
        result.AnswerEgress.ShouldBe(new Egress(EgressKind.Port, Courtyard.Port("red/red-a")));
    }

    [Fact]
    public void A_blackhole_is_silent_and_cached()
    {
        SimulationResult result = Lab.OnHv1.From("red/red-a", Frames.Tcp(Router, A, "10.0.1.11", "10.9.1.1", 1000, 80));

        Lab.TextOf(result).ShouldBe("Drop RouteBlackhole");
        result.AnswerLength.ShouldBe(0);
        result.IsCacheable.ShouldBeTrue();
    }

    [Fact]
    public void A_reject_route_tells_the_sender()
    {
        SimulationResult result = Lab.OnHv1.From("red/red-a", Frames.Tcp(Router, A, "10.0.1.11", "10.8.1.1", 1000, 80));

        Lab.TextOf(result).ShouldBe("Drop RouteReject");
        Frames.Decode(result.Answer).Source.ShouldBe(IpAddress.Parse("10.0.1.1"));
        result.IsCacheable.ShouldBeFalse();
    }

    [Fact]
    public void Without_a_route_the_network_is_unreachable()
    {
        SimulationResult result = Lab.OnHv1.From(
            "blue/blue-a",
            Frames.Tcp(MacAddress.Parse("02:00:00:00:02:01"), Courtyard.Mac("blue/blue-a"), "10.0.1.11", "198.18.0.1",
                1, 80));

        Lab.TextOf(result).ShouldBe("Drop NoRoute");
        Frames.Decode(result.Answer).IcmpCode.ShouldBe((byte)IcmpUnreachableCode.Network);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(0)]
    public void A_spent_TTL_is_answered_by_time_exceeded(byte hopLimit)
    {
        SimulationResult result = Lab.OnHv1.From(
            "red/red-a", Frames.Udp(Router, A, "10.0.1.11", "10.0.2.11", 1000, 33434, hopLimit));

        Lab.TextOf(result).ShouldBe("Drop HopLimit");
        PacketHeader answer = Frames.Decode(result.Answer);
        answer.IcmpType.ShouldBe((byte)IcmpType.TimeExceeded);
        (answer.EthernetSource, answer.EthernetDestination).ShouldBe((Router, A));
        result.IsCacheable.ShouldBeFalse();
    }

    [Fact]
    public void The_second_hop_of_a_traceroute_is_the_provider_router()
    {
        SimulationResult result = Lab.OnHv1.From(
            "red/red-a", Frames.Udp(Router, A, "10.0.1.11", "198.18.0.10", 1000, 33434, hopLimit: 2));

        Lab.TextOf(result).ShouldBe("Drop HopLimit");
        PacketHeader answer = Frames.Decode(result.Answer);
        (answer.Source, answer.Destination).ShouldBe((IpAddress.Parse("203.0.113.2"), IpAddress.Parse("10.0.1.11")));
    }

    [Fact]
    public void Rfc4291_section_2_5_6_beyond_a_link_nobody_hears_of_its_link_local_addresses()
    {
        const string own = "2001:db8:1:1:f816:3eff:fe00:111";
        SimulationResult result = Lab.OnHv1.From(
            "red/red-a", Frames.Udp(Router, A, own, "2600::1", 1000, 33434, hopLimit: 2));

        Lab.TextOf(result).ShouldBe("Drop HopLimit");
        PacketHeader answer = Frames.Decode(result.Answer);
        (answer.Source, answer.Destination).ShouldBe((IpAddress.Parse("2001:db8:ffff::2"), IpAddress.Parse(own)));
    }

    [Fact]
    public void IPv6_leaves_by_the_FIB_of_the_gateway_without_translation()
    {
        SimulationResult result = Lab.OnHv1.From(
            "red/red-a", Frames.Tcp(Router, A, "2001:db8:1:1:f816:3eff:fe00:111", "2001:db8:f::1", 1000, 80));

        Lab.TextOf(result).ShouldBe("Forward");
        result.Egress.ShouldBe(new Egress(EgressKind.FibExit, Courtyard.Public, Courtyard.Gw1));
        result.Packet.Source.ShouldBe(IpAddress.Parse("2001:db8:1:1:f816:3eff:fe00:111"));
        (result.Hops, result.Zone).ShouldBe(((byte)2, 0u));
    }

    [Fact]
    public void What_is_not_of_our_public_prefixes_does_not_leave()
    {
        Router red = Courtyard.Parts.RouterOf("red/router") with { SourceNat = null };
        SimulationResult result = new Lab(Courtyard.Hv1, Courtyard.Parts.With(red)).From(
            "red/red-c", Frames.Tcp(Router2, C, "10.0.2.11", "198.18.0.10", 1000, 80));

        Lab.TextOf(result).ShouldBe("Drop Martian");
    }

    [Fact]
    public void From_the_outside_to_nothing_of_ours_is_dropped_and_never_sent_back_out()
    {
        SimulationResult result = Lab.OnGw1.From(
            "provider/isp",
            Frames.Tcp(MacAddress.Parse("02:00:00:00:0f:02"), A, "198.18.0.10", "198.51.100.77", 80, 1000));

        Lab.TextOf(result).ShouldBe("Drop NoDestination");
        result.AnswerLength.ShouldBe(0);
    }

    [Theory]
    [InlineData("198.51.100.20", "Drop Martian")]
    [InlineData("203.0.113.1", "Forward")]
    public void From_the_outside_nobody_has_our_own_addresses(string source, string expected) =>
        Lab.TextOf(Lab.OnGw1.From(
            "provider/isp", Frames.Tcp(MacAddress.Parse("02:00:00:00:0f:02"), A, source, "198.51.100.20", 5000, 80)))
                .ShouldBe(expected);

    [Fact]
    public void A_device_that_is_down_drops()
    {
        Router down = Courtyard.Parts.RouterOf("red/router") with { IsAdminUp = false };
        SimulationResult result = new Lab(Courtyard.Hv1, Courtyard.Parts.With(down)).From(
            "red/red-a", Frames.Tcp(Router, A, "10.0.1.11", "10.0.2.11", 1000, 5201));

        Lab.TextOf(result).ShouldBe("Drop NetworkDown");
    }

    [Fact]
    public void A_packet_over_the_MTU_of_the_way_out_is_told_so_and_segments_are_not()
    {
        byte[] frame = Frames.Udp(Router, A, "10.0.1.11", "10.0.2.11", 1000, 2000, payloadOctets: 1460);
        frame[20] |= 0x40; // DF
        SetChecksum(frame);
        Overlay.Topology.TopologyParts open =
            Courtyard.Parts.With(Courtyard.Parts.PortOf("red/red-c") with { ToPort = default });
        Lab lab = new(Courtyard.Hv1, open);
        SimulationResult result = lab.From("red/red-a", frame);

        Lab.TextOf(result).ShouldBe("Drop TooBig");
        PacketHeader answer = Frames.Decode(result.Answer);
        answer.IcmpCode.ShouldBe((byte)IcmpUnreachableCode.FragmentationNeeded);
        result.Answer.Slice(answer.TransportAt + 6, 2).ToArray().ShouldBe([1400 >> 8, 1400 & 0xff]);

        Ingress segmented = new(IngressKind.Port, Courtyard.Port("red/red-a"), ConnectionState.None, 1200);
        Lab.TextOf(lab.Simulate(segmented, frame)).ShouldBe("Forward");
    }

    [Theory]
    [InlineData("2001:db8:1:1:f816:3eff:fe00:111", "2001:db8:f::1", true)]
    [InlineData("10.0.1.11", "198.18.0.10", true)]
    [InlineData("10.0.1.11", "198.18.0.10", false)]
    public void Rfc1191_section_4_a_way_out_that_the_kernel_finds_too_narrow_is_told_with_its_MTU(
        string source, string destination, bool dontFragment)
    {
        byte[] frame = Frames.Udp(Router, A, source, destination, 1000, 2000, payloadOctets: 1440);
        bool isIpv4 = Frames.Decode(frame).IsIpv4;
        if (!dontFragment)
        {
            frame[20] = 0;
            SetChecksum(frame);
        }

        Ingress narrow =
            new(IngressKind.Port, Courtyard.Port("red/red-a"), ConnectionState.None, MtuOctets: 1400);
        SimulationResult result = Lab.OnHv1.Simulate(narrow, frame);

        Lab.TextOf(result).ShouldBe(dontFragment ? "Drop TooBig" : "Forward");
        if (!dontFragment) return;
        PacketHeader answer = Frames.Decode(result.Answer);
        (answer.IcmpType, answer.IcmpCode)
            .ShouldBe(isIpv4 ? ((byte)3, (byte)4) : ((byte)Icmpv6Type.PacketTooBig, (byte)0));
        result.Answer.Slice(answer.TransportAt + 6, 2).ToArray().ShouldBe([1400 >> 8, 1400 & 0xff]);
        answer.Source.ShouldBe(IpAddress.Parse(isIpv4 ? "10.0.1.1" : "2001:db8:1:1::1"));
    }

    [Theory]
    [InlineData("10.0.1.11", "10.0.1.12")]
    [InlineData("2001:db8:1:1:f816:3eff:fe00:111", "2001:db8:1:1:f816:3eff:fe00:112")]
    public void Rfc1191_a_tunnel_within_a_network_that_carries_less_is_told_in_the_name_of_the_destination(
        string source, string destination)
    {
        byte[] frame = Frames.Udp(
            Courtyard.Mac("red/red-b"), A, source, destination, 1000, 2000, payloadOctets: 1400);
        Ingress narrow =
            new(IngressKind.Port, Courtyard.Port("red/red-a"), ConnectionState.None, MtuOctets: 1400);
        Overlay.Topology.TopologyParts open =
            Courtyard.Parts.With(Courtyard.Parts.PortOf("red/red-b") with { ToPort = default });

        SimulationResult result = new Lab(Courtyard.Hv1, open).Simulate(narrow, frame);

        Lab.TextOf(result).ShouldBe("Drop TooBig");
        Frames.Decode(result.Answer).Source.ShouldBe(IpAddress.Parse(destination));
    }

    private static void SetChecksum(byte[] frame)
    {
        (frame[24], frame[25]) = (0, 0);
        ushort sum = InternetChecksum.Compute(frame.AsSpan(14, 20));
        (frame[24], frame[25]) = ((byte)(sum >> 8), (byte)sum);
    }
}
