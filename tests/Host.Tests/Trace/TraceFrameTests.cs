using System.Collections.Generic;
using Genkan.Host.Configuration;
using Genkan.Host.Trace;
using Genkan.Overlay.Topology;
using Genkan.Wire;
using Shouldly;

namespace Genkan.Host.Tests.Trace;

public sealed class TraceFrameTests
{
    private const string File = """
        hosts:
          gw1:
            underlay: { address: 192.0.2.11, interface: ul0, mtu: 1600 }
            ports: { red-a: { interface: a }, red-b: { interface: b }, red/both: { interface: c } }
          hv1:
            underlay: { address: 192.0.2.12, interface: ul0, mtu: 1600 }
            ports: { red-c: { interface: c } }
        external_networks: [{ name: public, prefixes: [198.51.100.0/24] }]
        uplinks: [{ name: isp, host: gw1, interface: isp0, external_network: public, addresses: [203.0.113.2/30] }]
        tenants:
          red:
            networks:
              - name: n
                subnets: [{ name: v4, cidr: 10.0.1.0/24 }, { name: v6, cidr: "2001:db8:1::/64" }]
            routers: [{ name: r, interfaces: [v4, v6] }]
            ports:
              - { name: red-a, network: n, mac: "02:00:00:00:00:0a", addresses: [10.0.1.11] }
              - { name: red-b, network: n, mac: "02:00:00:00:00:0b", addresses: [10.0.1.12] }
              - { name: red-c, network: n, addresses: [] }
              - { name: both, network: n, addresses: [] }
          blue:
            networks: [{ name: n }]
            ports: [{ name: both, network: n }]
        """;

    private static TopologySnapshot Topology
    {
        get
        {
            TopologyFile file = TopologyFile.Read("test.yaml", File);
            DiagnosticText.Format(file.Name, file.Text, file.Diagnostics).ShouldBeEmpty();
            TopologySnapshot.TryCreate(
                file.Parts!, ObjectId.Of("host", "gw1"), 1, out TopologySnapshot? topology,
                out IReadOnlyList<TopologyFault> faults)
                .ShouldBeTrue(string.Join('\n', faults));
            return topology!;
        }
    }

    private static PacketHeader Built(string words)
    {
        TraceWords.TryParse([words], out TraceSpec? spec, out _).ShouldBeTrue();
        TraceFrame.TryBuild(spec!, Topology, out _, out byte[] frame, out TraceFault? fault).ShouldBeTrue(fault?.Rule);
        PacketHeader.TryDecode(frame, out PacketHeader packet).ShouldBe(PacketFault.None);
        return packet;
    }

    private static TraceFault Refused(string words)
    {
        TraceWords.TryParse([words], out TraceSpec? spec, out _).ShouldBeTrue();
        TraceFrame.TryBuild(spec!, Topology, out _, out _, out TraceFault? fault).ShouldBeFalse();
        return fault!;
    }

    private static MacAddress RouterMac
    {
        get
        {
            foreach (VirtualPort port in Topology.Parts.Ports)
            {
                if (port.Name == "red/r:n") return port.Mac;
            }

            return default;
        }
    }

    [Fact]
    public void On_the_link_the_frame_goes_to_the_owner() =>
        PacketText.Describe(Built("red-a tcp 10.0.1.11:40000 > 10.0.1.12:80")).ShouldBe(
            "02:00:00:00:00:0a > 02:00:00:00:00:0b, tcp 10.0.1.11:40000 > 10.0.1.12:80 syn ttl 64");

    [Fact]
    public void Off_the_link_the_frame_goes_to_the_gateway()
    {
        Built("red-a udp 10.0.1.11:1 > 10.9.0.1:2 ttl 3").EthernetDestination.ShouldBe(RouterMac);
        Built("red-a icmp6 2001:db8:1::9 > 2001:db8:9::1").EthernetDestination.ShouldBe(RouterMac);
        Built("red-a udp 10.0.1.11:1 > 10.9.0.1:2 ttl 3").HopLimit.ShouldBe((byte)3);
    }

    [Fact]
    public void MACs_that_are_named_are_used() =>
        PacketText.Describe(Built("red-a icmp 10.0.1.11 > 10.9.0.1 from 02:00:00:00:00:01 to 02:00:00:00:00:02"))
            .ShouldBe(
            "02:00:00:00:00:01 > 02:00:00:00:00:02, icmp 10.0.1.11 > 10.9.0.1 echo id 1 ttl 64");

    [Fact]
    public void ARP_and_ND_ask_from_the_ports_own_address()
    {
        PacketText.Describe(Built("red/red-a arp who-has 10.0.1.1")).ShouldBe(
            "02:00:00:00:00:0a > ff:ff:ff:ff:ff:ff, arp who-has 10.0.1.1 tell 10.0.1.11");
        PacketText.Describe(Built("red-a nd who-has 2001:db8:1::1")).ShouldBe(
            "02:00:00:00:00:0a > 33:33:ff:00:00:01, icmp6 2001:db8:1::ff:fe00:a > ff02::1:ff00:1 type 135 code 0 ttl "
            + "255");
    }

    [Fact]
    public void SCTP_and_other_protocols_are_written_too()
    {
        Built("red-a sctp 10.0.1.11:7 > 10.0.1.12:8").DestinationPort.ShouldBe((ushort)8);
        Built("red-a proto 50 10.0.1.11 > 10.0.1.12").Protocol.ShouldBe(IpProtocol.Esp);
    }

    [Fact]
    public void An_uplink_needs_no_MAC() =>
        Built(
            "uplink isp tcp 198.18.0.1:5 > 198.51.100.2:6").EthernetSource.ShouldBe(
                MacAddress.Parse("02:00:00:00:00:01"));

    [Theory]
    [InlineData("red-d arp who-has 10.0.1.1", 0, 5, "there is no port 'red-d'", "did you mean")]
    [InlineData("both arp who-has 10.0.1.1", 0, 4, "several tenants have a port 'both'", "red/both")]
    [InlineData("red-c arp who-has 10.0.1.1", 0, 5, "port 'red/red-c' is on host 'hv1'", "genkan --host hv1 trace")]
    [InlineData("blue/both arp who-has 10.0.1.1", 0, 9, "is plugged in nowhere", "")]
    [InlineData("red/both arp who-has 10.0.1.1", 0, 8, "has no IPv4 address to ask from", "tell")]
    [InlineData("red/both nd who-has 2001:db8:1::1", 0, 8, "has no IPv6 address to ask from", "tell")]
    [InlineData("uplink isq udp 1.1.1.1:1 > 1.1.1.2:2", 7, 3, "there is no uplink 'isq'", "did you mean 'isp'?")]
    public void A_wrong_place_is_told(string words, int at, int length, string rule, string hint)
    {
        TraceFault fault = Refused(words);
        fault.Rule.ShouldContain(rule);
        fault.Hint.ShouldContain(hint);
        (fault.At, fault.Length).ShouldBe((at, length));
    }

    [Fact]
    public void Rewrites_say_what_differs()
    {
        PacketHeader before = Built("red-a tcp 10.0.1.11:40000 > 10.0.1.12:80");
        PacketHeader after = before with
        {
            Source = IpAddress.Parse("198.51.100.10"),
            SourcePort = 1024,
            HopLimit = 63,
        };
        PacketText.Rewrites(before, after).ShouldBe(["source 198.51.100.10:1024", "ttl 63"]);
        PacketText.Rewrites(before, before).ShouldBeEmpty();
    }
}
