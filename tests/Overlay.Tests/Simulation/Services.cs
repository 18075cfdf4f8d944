using System;
using Genkan.Overlay.Simulation;
using Genkan.Overlay.Tests.Fixtures;
using Genkan.Overlay.Topology;
using Genkan.Wire;
using Genkan.Wire.Dhcp;
using Genkan.Wire.NeighborDiscovery;
using Shouldly;

namespace Genkan.Overlay.Tests.Simulation;

/// <summary>What a bridge answers itself.</summary>
public sealed class Services
{
    private static readonly MacAddress A = Courtyard.Mac("red/red-a");
    private static readonly MacAddress B = Courtyard.Mac("red/red-b");
    private static readonly MacAddress Router = MacAddress.Parse("02:00:00:00:01:01");

    [Theory]
    [InlineData("10.0.1.1", "02:00:00:00:01:01")]
    [InlineData("10.0.1.12", "fa:16:3e:00:01:12")]
    public void ARP_for_a_known_address_is_answered_with_its_owners_MAC(string target, string mac)
    {
        SimulationResult result =
            Lab.OnHv1.From("red/red-a", Frames.Arp(MacAddress.Broadcast, A, A, "10.0.1.11", target));

        Lab.TextOf(result).ShouldBe("Answer");
        PacketHeader answer = Frames.Decode(result.Answer);
        answer.ArpOperation.ShouldBe(ArpOperation.Reply);
        (answer.ArpSenderMac, answer.Source).ShouldBe((MacAddress.Parse(mac), IpAddress.Parse(target)));
        (answer.EthernetDestination, answer.ArpTargetMac, answer.Destination)
            .ShouldBe((A, A, IpAddress.Parse("10.0.1.11")));
        result.AnswerEgress.ShouldBe(new Egress(EgressKind.Port, Courtyard.Port("red/red-a")));
        result.IsCacheable.ShouldBeFalse();
    }

    [Fact]
    public void ARP_for_an_unknown_address_is_copied_and_never_cached()
    {
        SimulationResult result =
            Lab.OnHv1.From("red/red-a", Frames.Arp(MacAddress.Broadcast, A, A, "10.0.1.11", "10.0.1.77"));

        Lab.TextOf(result).ShouldBe("Forward");
        result.Targets.ToArray().ShouldBe([new Egress(EgressKind.Flood, Courtyard.Device("red/red-1"), Courtyard.Gw1)]);
        result.IsCacheable.ShouldBeFalse();
    }

    [Theory]
    [InlineData("10.0.1.11")]
    [InlineData("0.0.0.0")]
    public void A_probe_for_or_announcement_of_the_own_address_is_consumed(string sender) =>
        Lab.TextOf(Lab.OnHv1.From("red/red-a", Frames.Arp(MacAddress.Broadcast, A, A, sender, "10.0.1.11")))
            .ShouldBe("Consume");

    [Fact]
    public void A_probe_for_anothers_address_is_defended() =>
        Lab.TextOf(Lab.OnHv1.From("red/red-a", Frames.Arp(MacAddress.Broadcast, A, A, "0.0.0.0", "10.0.1.12")))
            .ShouldBe("Answer");

    [Theory]
    [InlineData("2001:db8:1:1::1", true)]
    [InlineData("fe80::ff:fe00:101", true)]
    [InlineData("2001:db8:1:1:f816:3eff:fe00:112", false)]
    public void A_solicitation_for_a_known_address_is_answered(string target, bool isRouter)
    {
        SimulationResult result = Lab.OnHv1.From(
            "red/red-a", Frames.Solicit(A, "2001:db8:1:1:f816:3eff:fe00:111", target));

        Lab.TextOf(result).ShouldBe("Answer");
        PacketHeader header = Frames.Decode(result.Answer);
        NeighborAdvertisement.TryDecode(result.Answer, header, out NeighborAdvertisement na).ShouldBeTrue();
        na.ShouldBe(new NeighborAdvertisement(IpAddress.Parse(target), isRouter ? Router : B, isRouter, true, true));
        header.EthernetDestination.ShouldBe(A);
    }

    [Fact]
    public void Duplicate_address_detection_of_the_own_address_is_met_with_silence() =>
        Lab.TextOf(Lab.OnHv1.From("red/red-a", Frames.Solicit(A, "::", "2001:db8:1:1:f816:3eff:fe00:111")))
            .ShouldBe("Consume");

    [Fact]
    public void Rfc4862_section_5_4_3_duplicate_address_detection_of_anothers_address_is_answered_to_all_nodes()
    {
        const string target = "2001:db8:1:1:f816:3eff:fe00:112";
        SimulationResult result = Lab.OnHv1.From("red/red-a", Frames.Solicit(A, "::", target));

        Lab.TextOf(result).ShouldBe("Answer");
        PacketHeader header = Frames.Decode(result.Answer);
        header.Destination.ShouldBe(IpAddress.AllNodes);
        NeighborAdvertisement.TryDecode(result.Answer, header, out NeighborAdvertisement na).ShouldBeTrue();
        na.ShouldBe(new NeighborAdvertisement(IpAddress.Parse(target), B, false, IsSolicited: false, true));
    }

    [Fact]
    public void A_router_solicitation_gets_an_advertisement()
    {
        byte[] buffer = new byte[128];
        int length = new RouterSolicitation(null).Write(buffer, A, IpAddress.Unspecified6);
        SimulationResult result = Lab.OnHv1.From("red/red-a", buffer[..length]);

        Lab.TextOf(result).ShouldBe("Answer");
        PacketHeader header = Frames.Decode(result.Answer);
        RouterAdvertisement ra = RouterAdvertisement.TryDecode(result.Answer, header).ShouldNotBeNull();
        header.Source.ShouldBe(IpAddress.LinkLocalOf(Router));
        ra.Prefixes[0].Prefix.ShouldBe(IpPrefix.Parse("2001:db8:1:1::/64"));
        ra.MtuOctets.ShouldBe(1500);
        ra.DnsServers.ShouldBe([IpAddress.Parse("2001:db8::53")]);
    }

    [Fact]
    public void A_DHCP_client_without_an_address_gets_its_ports_address()
    {
        SimulationResult result =
            Lab.OnHv1.From("red/red-a", Discover(MacAddress.Broadcast, "0.0.0.0", "255.255.255.255"));

        Lab.TextOf(result).ShouldBe("Answer");
        PacketHeader header = Frames.Decode(result.Answer);
        DhcpMessage.TryDecode(result.Answer[header.PayloadAt..header.NetworkEnd], out DhcpMessage? offer);
        (offer!.MessageType, offer.YourAddress).ShouldBe((DhcpMessageType.Offer, IpAddress.Parse("10.0.1.11")));
        (header.EthernetSource, header.Source).ShouldBe((Router, IpAddress.Parse("10.0.1.1")));
    }

    [Fact]
    public void DHCP_works_though_no_rule_admits_it()
    {
        TopologyParts parts =
            Courtyard.Parts.With(new Chain(Courtyard.ChainId("red/out"), "closed", [], RuleVerdict.Drop));

        Lab.TextOf(new Lab(Courtyard.Hv1, parts)
            .From("red/red-a", Discover(MacAddress.Broadcast, "0.0.0.0", "255.255.255.255")))
            .ShouldBe("Answer");
    }

    [Fact]
    public void A_ping_to_the_gateway_is_answered_with_the_data_that_came()
    {
        byte[] ping = Frames.Ping(Router, A, "10.0.1.11", "10.0.1.1");
        SimulationResult result = Lab.OnHv1.From("red/red-a", ping);

        Lab.TextOf(result).ShouldBe("Answer");
        PacketHeader answer = Frames.Decode(result.Answer);
        answer.IsEchoReply.ShouldBeTrue();
        (answer.Source, answer.Destination).ShouldBe((IpAddress.Parse("10.0.1.1"), IpAddress.Parse("10.0.1.11")));
        (answer.EthernetSource, answer.EthernetDestination).ShouldBe((Router, A));
        result.Answer[^8..].SequenceEqual("abcdefgh"u8).ShouldBeTrue();
    }

    [Fact]
    public void A_ping_to_the_routers_address_on_another_network_is_answered_too() =>
        Lab.TextOf(Lab.OnHv1.From("red/red-a", Frames.Ping(Router, A, "10.0.1.11", "10.0.2.1"))).ShouldBe("Answer");

    [Fact]
    public void UDP_to_the_router_itself_is_answered_by_port_unreachable()
    {
        SimulationResult result = Lab.OnHv1.From("red/red-a", Frames.Udp(Router, A, "10.0.1.11", "10.0.1.1", 5000, 53));

        Lab.TextOf(result).ShouldBe("Drop NotForUs");
        Frames.Decode(result.Answer).IcmpCode.ShouldBe((byte)IcmpUnreachableCode.Port);
    }

    [Fact]
    public void TCP_to_the_router_itself_is_dropped_silently()
    {
        SimulationResult result = Lab.OnHv1.From("red/red-a", Frames.Tcp(Router, A, "10.0.1.11", "10.0.1.1", 5000, 22));

        Lab.TextOf(result).ShouldBe("Drop NotForUs");
        result.AnswerLength.ShouldBe(0);
    }

    private static byte[] Discover(MacAddress to, string source, string destination)
    {
        FrameWriter writer = Frames.Begin(out byte[] buffer, to, A, source, destination, IpProtocol.Udp);
        writer.Udp(68, 67);
        DhcpMessage discover = new()
        {
            Op = DhcpOp.BootRequest,
            TransactionId = 5,
            ClientMac = A,
            Options = [DhcpOption.OfByte(DhcpOptionCode.MessageType, (byte)DhcpMessageType.Discover)],
        };
        writer.Advance(discover.Encode(writer.Rest[..600], out _));
        return buffer[..writer.Finish()];
    }
}
