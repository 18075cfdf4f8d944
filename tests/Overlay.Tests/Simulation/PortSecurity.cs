using System;
using Genkan.Overlay.Simulation;
using Genkan.Overlay.Tests.Fixtures;
using Genkan.Overlay.Topology;
using Genkan.Wire;
using Genkan.Wire.NeighborDiscovery;
using Shouldly;

namespace Genkan.Overlay.Tests.Simulation;

/// <summary>A tenant's port speaks only as itself, and never as a server of the network.</summary>
public sealed class PortSecurity
{
    private const string A6 = "2001:db8:1:1:f816:3eff:fe00:111";
    private const string B6 = "2001:db8:1:1:f816:3eff:fe00:112";
    private static readonly MacAddress A = Courtyard.Mac("red/red-a");
    private static readonly MacAddress B = Courtyard.Mac("red/red-b");
    private static readonly MacAddress Router = MacAddress.Parse("02:00:00:00:01:01");

    [Fact]
    public void Another_source_MAC_is_dropped() =>
        Drops(Frames.Tcp(Router, B, "10.0.1.11", "10.0.2.11", 1, 2), "Drop SpoofedMac");

    [Theory]
    [InlineData("10.0.1.12")]
    [InlineData("0.0.0.0")]
    public void Another_source_address_is_dropped(string source) =>
        Drops(Frames.Tcp(Router, A, source, "10.0.2.11", 1, 2), "Drop SpoofedAddress");

    [Theory]
    [InlineData("127.0.0.1")]
    [InlineData("224.0.0.1")]
    [InlineData("240.0.0.1")]
    [InlineData("255.255.255.255")]
    public void A_martian_source_is_dropped(string source) =>
        Drops(Frames.Tcp(Router, A, source, "10.0.2.11", 1, 2), "Drop Martian");

    [Theory]
    [InlineData("0.0.0.0")]
    [InlineData("0.1.2.3")]
    [InlineData("127.0.0.1")]
    [InlineData("240.0.0.1")]
    [InlineData("255.255.255.254")]
    public void A_martian_destination_is_dropped(string destination) =>
        Drops(Frames.Tcp(B, A, "10.0.1.11", destination, 1, 2), "Drop Martian");

    [Fact]
    public void Another_IPv6_source_is_dropped() =>
        Drops(Frames.Tcp(Router, A, B6, "2001:db8:f::1", 1, 2), "Drop SpoofedAddress");

    [Fact]
    public void The_link_local_address_of_another_is_dropped() =>
        Drops(Frames.Ping(Router, A, "fe80::ff:fe00:101", "fe80::ff:fe00:101"), "Drop SpoofedAddress");

    [Fact]
    public void An_own_link_local_address_may_be_any_that_nobody_has() =>
        Lab.TextOf(
            Lab.OnHv1.From("red/red-a", Frames.Ping(Router, A, "fe80::1234:5678:9abc:def0", "fe80::ff:fe00:101")))
            .ShouldBe("Answer");

    [Theory]
    [InlineData("10.0.1.12")]
    [InlineData("10.0.1.1")]
    public void An_ARP_sender_that_is_not_the_ports_is_dropped(string sender) =>
        Drops(Frames.Arp(MacAddress.Broadcast, A, A, sender, "10.0.1.12"), "Drop SpoofedArp");

    [Fact]
    public void An_ARP_sender_MAC_that_is_not_the_ports_is_dropped() =>
        Drops(Frames.Arp(MacAddress.Broadcast, A, B, "10.0.1.11", "10.0.1.12"), "Drop SpoofedArp");

    [Fact]
    public void A_DHCP_server_is_dropped() =>
        Drops(Frames.Udp(MacAddress.Broadcast, A, "10.0.1.11", "255.255.255.255", 67, 68), "Drop DhcpServer");

    [Theory]
    [InlineData(1234, 68)]
    [InlineData(67, 67)]
    public void A_DHCP_server_that_hides_its_port_is_dropped_and_so_is_a_relay(ushort from, ushort to) =>
        Drops(Frames.Udp(MacAddress.Broadcast, A, "10.0.1.11", "255.255.255.255", from, to), "Drop DhcpServer");

    [Theory]
    [InlineData(547)]
    [InlineData(1234)]
    public void A_DHCPv6_server_is_dropped(ushort from) =>
        Drops(Frames.Udp(B, A, A6, B6, from, 546), "Drop DhcpServer");

    [Theory]
    [InlineData(Icmpv6Type.RouterAdvertisement)]
    [InlineData(Icmpv6Type.Redirect)]
    public void Router_advertisements_and_redirects_are_dropped(Icmpv6Type type)
    {
        FrameWriter writer = Frames.Begin(
            out byte[] buffer, MacAddress.Parse("33:33:00:00:00:01"), A, "fe80::f816:3eff:fe00:111", "ff02::1",
            IpProtocol.Icmpv6, 255);
        writer.Icmp((byte)type);
        writer.Octets(new byte[40]);
        Drops(buffer.AsSpan(0, writer.Finish()), "Drop RouterAdvertisement");
    }

    [Fact]
    public void A_neighbor_advertisement_for_anothers_address_is_dropped()
    {
        byte[] buffer = new byte[128];
        NeighborAdvertisement na = new(IpAddress.Parse(B6), A, false, false, true);
        int length =
            na.Write(buffer, A, MacAddress.Parse("33:33:00:00:00:01"), IpAddress.Parse(A6), IpAddress.AllNodes);
        Drops(buffer.AsSpan(0, length), "Drop SpoofedNd");
    }

    [Fact]
    public void Duplicate_address_detection_of_an_address_that_is_nobodys_is_dropped() =>
        Drops(Frames.Solicit(A, "::", "2001:db8:1:1::99"), "Drop SpoofedNd");

    [Fact]
    public void Other_EtherTypes_are_dropped()
    {
        byte[] frame = new byte[64];
        FrameWriter writer = new(frame);
        writer.Ethernet(MacAddress.Broadcast, A, EtherType.Lldp);
        Drops(frame, "Drop Ethertype");
    }

    [Fact]
    public void An_allowed_address_pair_adds_MAC_and_prefix()
    {
        VirtualPort port = Courtyard.Parts.PortOf("red/red-a");
        MacAddress vrrp = MacAddress.Parse("00:00:5e:00:01:07");
        TopologyParts parts = Courtyard.Parts.With(
            port with { AllowedPairs = port.AllowedPairs.Add(new AddressPair(vrrp, IpPrefix.Parse("10.0.1.96/28"))) });

        Lab.TextOf(new Lab(Courtyard.Hv1, parts).From("red/red-a", Frames.Ping(Router, vrrp, "10.0.1.100", "10.0.1.1")))
            .ShouldBe("Answer");
        Lab.TextOf(new Lab(Courtyard.Hv1, parts).From("red/red-a", Frames.Ping(Router, A, "10.0.1.100", "10.0.1.1")))
            .ShouldBe("Drop SpoofedAddress");
    }

    [Fact]
    public void Without_port_security_the_same_source_passes() =>
        Lab.TextOf(new Lab(Courtyard.Hv1, BridgedUnicast.Open(Courtyard.Parts, "red/red-a"))
            .From("red/red-a", Frames.Ping(Router, B, "10.0.1.12", "10.0.1.1"))).ShouldBe("Answer");

    private static void Drops(ReadOnlySpan<byte> frame, string expected)
    {
        SimulationResult result = Lab.OnHv1.From("red/red-a", frame.ToArray());
        Lab.TextOf(result).ShouldBe(expected);
        result.AnswerLength.ShouldBe(0);
    }
}
