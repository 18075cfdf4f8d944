using Genkan.Host.Trace;
using Genkan.Wire;
using Shouldly;

namespace Genkan.Host.Tests.Trace;

public sealed class TraceWordsTests
{
    private static TraceSpec Parsed(string words)
    {
        TraceWords.TryParse([words], out TraceSpec? spec, out TraceFault? fault).ShouldBeTrue(fault?.Rule);
        return spec!;
    }

    private static IpAddress Ip(string text) => IpAddress.Parse(text);

    [Fact]
    public void Tcp_has_endpoints_and_flags() =>
        Parsed("red-a tcp 10.0.1.11:40000 > 10.0.2.12:80 syn ack").ShouldBe(new TraceSpec(
            "red-a",
            false,
            new TracePacket.Ip(
                Ip("10.0.1.11"), Ip("10.0.2.12"), IpProtocol.Tcp, 40000, 80, TcpFlags.Syn | TcpFlags.Ack),
            64,
            null,
            null));

    [Fact]
    public void Tcp_without_flags_is_a_SYN_from_a_dynamic_port() =>
        Parsed("red-a tcp 10.0.1.11 to 10.0.2.12:80").Packet.ShouldBe(
            new TracePacket.Ip(Ip("10.0.1.11"), Ip("10.0.2.12"), IpProtocol.Tcp, 49152, 80, TcpFlags.Syn));

    [Fact]
    public void Udp_takes_IPv6_in_brackets() =>
        Parsed("red-a udp [2001:db8::1]:5000 > [2001:db8::2]:53").Packet.ShouldBe(
            new TracePacket.Ip(Ip("2001:db8::1"), Ip("2001:db8::2"), IpProtocol.Udp, 5000, 53, TcpFlags.None));

    [Theory]
    [InlineData("red-a icmp 10.0.1.11 > 8.8.8.8 echo", 8, 0, 1)]
    [InlineData("red-a icmp 10.0.1.11 > 8.8.8.8", 8, 0, 1)]
    [InlineData("red-a icmp 10.0.1.11 > 8.8.8.8 reply id 7", 0, 0, 7)]
    [InlineData("red-a icmp 10.0.1.11 > 8.8.8.8 type 3 code 4", 3, 4, 1)]
    [InlineData("red-a icmp6 2001:db8::1 > 2001:db8::2", 128, 0, 1)]
    [InlineData("red-a icmp6 2001:db8::1 > 2001:db8::2 reply", 129, 0, 1)]
    [InlineData("red-a icmp 2001:db8::1 > 2001:db8::2", 128, 0, 1)]
    public void Icmp_has_type_code_and_identifier(string words, byte type, byte code, ushort identifier)
    {
        TracePacket.Icmp icmp = Parsed(words).Packet.ShouldBeOfType<TracePacket.Icmp>();
        (icmp.Type, icmp.Code, icmp.Identifier).ShouldBe((type, code, identifier));
    }

    [Fact]
    public void Arp_asks_for_an_address()
    {
        Parsed("red-a arp who-has 10.0.1.1").Packet.ShouldBe(new TracePacket.Arp(Ip("10.0.1.1"), null));
        Parsed("red-a arp who-has 10.0.1.1 tell 10.0.1.9").Packet.ShouldBe(
            new TracePacket.Arp(Ip("10.0.1.1"), Ip("10.0.1.9")));
    }

    [Fact]
    public void Nd_asks_for_an_address() => Parsed("red-a nd who-has 2001:db8::1").Packet.ShouldBe(
        new TracePacket.NeighborSolicitation(Ip("2001:db8::1"), null));

    [Fact]
    public void An_uplink_is_a_place_and_options_follow()
    {
        TraceSpec spec = Parsed(
            "uplink isp0 tcp 198.18.0.10:5000 > 198.51.100.20:22 syn ttl 1 from 02:00:00:00:00:09 to "
            + "02:00:00:00:00:0a");
        (spec.Place, spec.IsUplink, spec.HopLimit).ShouldBe(("isp0", true, (byte)1));
        spec.From.ShouldBe(MacAddress.Parse("02:00:00:00:00:09"));
        spec.To.ShouldBe(MacAddress.Parse("02:00:00:00:00:0a"));
    }

    [Fact]
    public void Any_other_protocol_goes_by_its_number() =>
        Parsed("red-a proto 50 10.0.1.11 > 10.0.2.12").Packet.ShouldBe(
            new TracePacket.Ip(Ip("10.0.1.11"), Ip("10.0.2.12"), IpProtocol.Esp, 0, 0, TcpFlags.None));

    [Theory]
    [InlineData("", 0, 1, "the name of a port, or uplink and its name is missing")]
    [InlineData("uplink", 7, 1, "the name of an uplink is missing")]
    [InlineData("red-a", 6, 1, "a protocol is missing")]
    [InlineData("red-a tpc x", 6, 3, "'tpc' is not a protocol")]
    [InlineData("red-a tcp 10.0.1.11:40000", 26, 1, "'>' and a destination are expected")]
    [InlineData("red-a tcp 10.0.1.11:70000 > 10.0.2.12:80", 10, 15, "'10.0.1.11:70000' is not an address and port")]
    [InlineData("red-a tcp 10.0.1.11:1 > 10.0.2.12", 24, 9, "the destination has no port")]
    [InlineData("red-a tcp 2001:db8::1:1:99999 > [2001:db8::2]:80", 10, 19, "is not an address and port")]
    [InlineData("red-a tcp 10.0.1.11:1 > [2001:db8::2]:80", 24, 16, "different families")]
    [InlineData("red-a icmp 10.0.1.11:1 > 10.0.2.12", 11, 11, "'10.0.1.11:1' is not an address")]
    [InlineData("red-a icmp6 10.0.1.11 > 10.0.2.12", 24, 9, "icmp6 is for IPv6")]
    [InlineData("red-a icmp 10.0.1.11 > 10.0.2.12 type 256", 38, 3, "'256' is not an ICMP type")]
    [InlineData("red-a arp 10.0.1.1", 10, 8, "'who-has' is expected")]
    [InlineData("red-a arp who-has 2001:db8::1", 18, 11, "ARP is for IPv4")]
    [InlineData("red-a nd who-has 10.0.1.1", 17, 8, "neighbour discovery is for IPv6")]
    [InlineData("red-a proto 6 10.0.1.11 > 10.0.2.12", 12, 1, "protocol 6 has a name")]
    [InlineData("red-a udp 10.0.1.11:1 > 10.0.2.12:2 tttl 1", 36, 4, "'tttl' means nothing here")]
    [InlineData("red-a udp 10.0.1.11:1 > 10.0.2.12:2 ttl 256", 40, 3, "'256' is not a TTL")]
    [InlineData("red-a udp 10.0.1.11:1 > 10.0.2.12:2 from 02:00", 41, 5, "'02:00' is not a MAC address")]
    public void A_fault_points_at_the_word(string words, int at, int length, string rule)
    {
        TraceWords.TryParse(words.Split(' '), out _, out TraceFault? fault).ShouldBeFalse();
        fault!.Rule.ShouldContain(rule);
        (fault.At, fault.Length).ShouldBe((at, length));
    }

    [Fact]
    public void Words_have_a_limit()
    {
        string[] words = new string[TraceWords.WordsMax + 1];
        System.Array.Fill(words, "syn");
        TraceWords.TryParse(words, out _, out TraceFault? fault).ShouldBeFalse();
        fault!.Rule.ShouldBe("there are 65 words; the limit is 64");
    }
}
