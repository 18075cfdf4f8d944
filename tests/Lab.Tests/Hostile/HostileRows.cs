using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.Linq;
using System.Net.Sockets;
using System.Threading.Tasks;
using Genkan.Lab.Tests.Agent;
using Genkan.Lab.Tests.Fragments;
using Genkan.Wire;
using Shouldly;
using static Genkan.Lab.Tests.Hostile.HostileFrames;

namespace Genkan.Lab.Tests.Hostile;

/// <summary>A VM that lies about itself, or sends what no stack sends: the one reason grows, at its port, and no
/// other.</summary>
public sealed class HostileRows(ITestOutputHelper output)
{
    private const int Count = 8; // of one flow: the first one and those that may wait behind it
    private const ushort Port = 7778;
    private const string A = "10.9.0.11";
    private const string B = "10.9.0.12";
    private const string C = "10.9.0.13";
    private const string A6 = "2001:db8:1:9::11";
    private const string C6 = "2001:db8:1:9::13";
    private const string Link6 = "fe80::11";
    private const string AllNodes = "ff02::1";

    [Fact]
    public async Task Each_kind_grows_its_own_reason_at_its_own_port_and_no_other()
    {
        await using TwoHosts lab = await TwoHosts.CreateAsync(vmMtu: 4000);
        // z is alone in its network: what its kernel asks of all routers would be a drop beside ours.
        await lab.InAsync("z", "sysctl", "-qw", "net.ipv6.conf.eth0.disable_ipv6=1");
        await using AgentProcess one = await lab.One.StartAgentAsync();
        await using AgentProcess two = await lab.Two.StartAgentAsync();
        using RawHost a = new(lab, "a", "eth0");
        using RawHost b = new(lab, "b", "eth0");
        using RawHost c = new(lab, "c", "eth0");
        using Socket atC = c.Listen(C, Port);
        using Socket atB = b.Listen(B, Port);
        MacAddress router = await a.NeighbourAsync("10.9.0.1");
        await a.NeighbourAsync(B);
        using Process pings = lab.StartIn("c", "ping", "-i", "0.01", "-c", "1500", "-W", "2", B);
        List<string> wrong = [];
        Dictionary<string, ulong> allBefore = await DropCounts.EverywhereAsync(lab.One);
        Dictionary<string, ulong> before = await OfA();
        Dictionary<string, ulong> first = before;
        foreach ((string name, string reason, byte[] frame) in Rows(a.Mac, b.Mac, c.Mac, router))
        {
            a.SendFrames(Enumerable.Repeat(frame, Count));
            Dictionary<string, ulong> after = await DropCounts.UntilGrownAsync(OfA, before, reason, Count);
            string grown = DropCounts.Grown(before, after);
            output.WriteLine($"{name}: {grown}");
            if (grown != $"{reason} {Count}") wrong.Add($"{name}: {grown}, not {reason} {Count}");
            before = after;
        }

        // What no row names: nothing was dropped anywhere else, at another port or at none.
        string everywhere = DropCounts.Grown(allBefore, await DropCounts.EverywhereAsync(lab.One));
        string pinged = await pings.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        string[] there = [$"c received {atC.Available} octets", $"b received {atB.Available} octets"];
        output.WriteLine(string.Join("; ", there));
        (await lab.One.AskAsync("status")).GetProperty("warnings").ToString().ShouldNotContain("faults");
        pinged.ShouldContain("1500 received, 0% packet loss");
        wrong.ShouldBeEmpty();
        everywhere.ShouldBe(DropCounts.Grown(first, before), $"everywhere: {everywhere}");
        there.ShouldBe(["c received 0 octets", "b received 0 octets"]);

        Task<Dictionary<string, ulong>> OfA() => DropCounts.OfPortAsync(lab.One, "t/a");
    }

    private static IEnumerable<(string Name, string Reason, byte[] Frame)> Rows(
        MacAddress a, MacAddress b, MacAddress c, MacAddress router)
    {
        byte[] good = Udp4(c, a, A, C, Port);
        byte[] good6 = Udp6(c, a, A6, C6, Port);
        byte[] jumbo = UdpOctets(40_000, Port, 3000);
        MacAddress every = MacAddress.Broadcast;
        MacAddress all6 = MacAddress.Parse("33:33:00:00:00:01");
        foreach ((string, string, byte[]) row in DamagedHeaders.Of(good, good6)) yield return row;
        // A tag that stands for no port is counted at none (HostilePackets).
        foreach ((string Name, string Reason, byte[] Frame) row in DamagedHeaders.Tags(good))
        {
            if (row.Reason == "nested_vlan") yield return row;
        }

        yield return ("an ARP packet cut short", "truncated", Arp(a, A, C)[..30]);
        yield return ("too long for the tunnel", "too_big", Ip4(b, a, A, B, 17, jumbo, dontFragment: true));
        yield return (
            "too long for the uplink", "too_big",
            Ip4(router, a, A, TwoHosts.Internet, 17, jumbo, dontFragment: true));
        yield return (
            "a wrong ICMP checksum", "bad_checksum",
            Ip4(router, a, A, "10.9.0.1", 1, [8, 0, 0x12, 0x34, 0, 1, 0, 1]));
        yield return ("a source of this network", "martian", Udp4(c, a, "0.1.2.3", C, Port));
        yield return ("the broadcast as source", "martian", Udp4(c, a, "255.255.255.255", C, Port));
        yield return ("a reserved source", "martian", Udp4(c, a, "240.0.0.1", C, Port));
        yield return ("a reserved destination", "martian", Udp4(router, a, A, "240.0.0.1", Port));
        yield return ("this network as destination", "martian", Udp4(router, a, A, "0.1.2.3", Port));
        yield return ("the loopback as source in IPv6", "martian", Udp6(c, a, "::1", C6, Port));
        yield return ("the loopback as destination in IPv6", "martian", Udp6(c, a, A6, "::1", Port));
        yield return ("a multicast source in IPv6", "martian", Udp6(c, a, "ff02::5", C6, Port));
        yield return ("another's address in IPv6", "spoofed_address", Udp6(c, a, "2001:db8:1:9::99", C6, Port));
        yield return ("from the receiver to itself", "spoofed_address", Udp4(c, a, C, C, Port));
        yield return ("from the router to itself", "spoofed_address", Udp4(router, a, "10.9.0.1", "10.9.0.1", Port));
        yield return ("from itself to itself", "ingress_is_egress", Udp4(a, a, A, A, Port));
        yield return (
            "another's target in an advertisement", "spoofed_nd", Icmp6(all6, a, A6, AllNodes, Advertisement(C6, a)));
        yield return (
            "another's MAC in an advertisement", "spoofed_nd", Icmp6(all6, a, A6, AllNodes, Advertisement(A6, c)));
        yield return (
            "a router advertisement", "router_advertisement",
            Icmp6(all6, a, Link6, AllNodes, [134, 0, 0, 0, 64, 0, 7, 8, 0, 0, 0, 0, 0, 0, 0, 0]));
        yield return (
            "an ICMP redirect", "router_advertisement",
            Ip4(c, a, A, C, 1, [5, 1, 0, 0, 10, 9, 0, 11, .. good.AsSpan(14, 28)]));
        yield return (
            "a DHCP server's message", "dhcp_server",
            Ip4(every, a, A, "255.255.255.255", 17, UdpOctets(67, 68, 240)));
        yield return (
            "a DHCPv6 server's message", "dhcp_server", Udp6From(Udp6(c, a, A6, C6, 546), 547));
    }

    private static byte[] Udp6From(byte[] frame, ushort source)
    {
        (frame[54], frame[55]) = ((byte)(source >> 8), (byte)source);
        return frame;
    }

    // RFC 4861 §4.4: override flag, target, target link-layer address.
    private static byte[] Advertisement(string target, MacAddress mac)
    {
        byte[] message = new byte[32];
        (message[0], message[4], message[24], message[25]) = (136, 0x20, 2, 1);
        IpAddress.Parse(target).CopyTo(message.AsSpan(8));
        mac.CopyTo(message.AsSpan(26));
        return message;
    }
}
