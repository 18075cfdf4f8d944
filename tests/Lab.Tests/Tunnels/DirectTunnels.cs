using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.IO;
using System.Linq;
using System.Text.Json;
using System.Threading.Tasks;
using Genkan.Lab.Tests.Agent;
using Genkan.Lab.Tests.Fragments;
using Genkan.Wire;
using Shouldly;
using static Genkan.Lab.Tests.Hostile.HostileFrames;

namespace Genkan.Lab.Tests.Tunnels;

/// <summary>Outer headers by our own programs, beside those of the kernel's device (decisions/0012).</summary>
public sealed class DirectTunnels(ITestOutputHelper output)
{
    private const string A = "10.9.0.11";
    private const string B = "10.9.0.12";
    private const string PeerUnderlay = "192.0.2.12";
    private const int Count = 8;

    [Fact]
    public async Task Own_outer_headers_are_the_device_s_octet_for_octet()
    {
        await using TwoHosts lab = await TwoHosts.CreateAsync();
        await using AgentProcess one = await lab.One.StartAgentAsync();
        await using AgentProcess two = await lab.Two.StartAgentAsync();
        await PingAsync(lab);
        using RawHost a = new(lab, "a", "eth0");
        MacAddress b = await a.NeighbourAsync(B);
        byte[][] frames = [.. Kinds(a.Mac, b)];
        a.SendFrames(frames); // first packets are the agents'
        await PingAsync(lab);

        Dictionary<string, List<byte[]>> own = await SeeAsync(lab, a, frames);
        await SetEncapsulationAsync(lab, "kernel");
        (await TunnelsAsync(lab)).ShouldBe("kernel: the file says encapsulation: kernel");
        Dictionary<string, List<byte[]>> device = await SeeAsync(lab, a, frames);

        device.Values.SelectMany(static h => h).ShouldNotContain(static h => UnderlayTap.IsDirect(h));
        foreach (byte[] frame in frames)
        {
            string inner = Convert.ToHexString(frame);
            own[inner].Count(static h => UnderlayTap.IsDirect(h)).ShouldBeGreaterThan(0, inner);
            own[inner].Concat(device[inner]).Select(static h => UnderlayTap.Comparable(h)).Distinct().Count()
                .ShouldBe(1, inner);
        }

        await SetEncapsulationAsync(lab, "direct");
        (await TunnelsAsync(lab)).ShouldBe("direct on ul0");
    }

    [Fact]
    public async Task A_peer_that_has_another_MAC_and_says_nothing_is_found_again_also_without_an_agent()
    {
        await using TwoHosts lab = await TwoHosts.CreateAsync();
        await lab.InAsync("h1", "sysctl", "-qw", "net.ipv4.neigh.ul0.base_reachable_time_ms=500",
            "net.ipv4.neigh.ul0.delay_first_probe_time=1", "net.ipv4.neigh.ul0.retrans_time_ms=100");
        await using AgentProcess one = await lab.One.StartAgentAsync();
        await using AgentProcess two = await lab.Two.StartAgentAsync();
        await PingAsync(lab);

        // More answers than can come before the change: a known flow, since nobody decides new ones without an agent.
        using Process pings = lab.StartIn("a", "ping", "-i", "0.02", "-w", "50", "-c", "800", B);
        (await pings.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken)).ShouldNotBeNull();
        (await pings.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken)).ShouldNotBeNull();
        await one.KillAsync(); // whose probes of the MTU would prove the neighbour too
        await two.KillAsync();
        await lab.InAsync("h2", "ip", "link", "set", "ul0", "address", "02:00:00:00:77:77");

        string said = await pings.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        output.WriteLine(said[said.IndexOf("---", StringComparison.Ordinal)..]);
        said.ShouldContain("800 received");
        said.ShouldNotContain(" 0% packet loss", customMessage: "the change was never felt");
        (await lab.InAsync("h1", "ip", "neigh", "show", PeerUnderlay)).ShouldContain("02:00:00:00:77:77");
    }

    [Fact]
    public async Task IPsec_policies_send_every_packet_through_the_kernel_and_no_packet_is_lost_meanwhile()
    {
        string[] policy = ["src", "198.18.5.1", "dst", "198.18.5.2", "dir", "out"];
        await using TwoHosts lab = await TwoHosts.CreateAsync();
        await using AgentProcess one = await lab.One.StartAgentAsync();
        await using AgentProcess two = await lab.Two.StartAgentAsync();
        await PingAsync(lab);
        using Process pings =
            lab.StartIn("a", "ping", "-i", "0.01", "-c", "600", "-W", "2", B);

        for (int i = 0; i < 3; i++)
        {
            await lab.InAsync("h1", ["ip", "xfrm", "policy", "add", .. policy]);
            await UntilTunnelsAsync(lab, "kernel: this host has IPsec policies");
            await lab.InAsync("h1", ["ip", "xfrm", "policy", "delete", .. policy]);
            await UntilTunnelsAsync(lab, "direct on ul0");
        }

        (await pings.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken))
            .ShouldContain("600 received, 0% packet loss");
    }

    [Theory]
    [InlineData("bridge")]
    [InlineData("router")]
    public async Task The_underlay_may_be_a_bridge_s_own_interface_or_lead_through_a_router(string kind)
    {
        await using TwoHosts lab = await TwoHosts.CreateAsync();
        if (kind == "bridge") await PutUnderlayOnBridgeAsync(lab);
        else await PutRouterBetweenAsync(lab);
        await using AgentProcess one = await lab.One.StartAgentAsync();
        await using AgentProcess two = await lab.Two.StartAgentAsync();
        await PingAsync(lab);
        using UnderlayTap tap = new(lab, "h2");

        (await lab.InAsync("a", "ping", "-i", "0.01", "-c", "100", "-W", "2", B)).ShouldContain("100 received");

        byte[][] outer = [.. tap.Take().Select(static p => p.Outer)];
        outer.Count(static h => UnderlayTap.IsDirect(h)).ShouldBeGreaterThan(50);
        outer.Select(static h => (int)h[22]).Distinct().ShouldBe([kind == "router" ? 63 : 64]); // time to live
        (await TunnelsAsync(lab)).ShouldBe(kind == "bridge" ? "direct on br-ul" : "direct on ul0");
    }

    private static IEnumerable<byte[]> Kinds(MacAddress a, MacAddress b)
    {
        byte[] ipv4 = Udp4(b, a, A, B, 7000);
        byte[] ipv6 = Udp6(b, a, "2001:db8:1:9::11", "2001:db8:1:9::12", 7000);
        for (byte ecn = 0; ecn < 4; ecn++)
        {
            yield return With(ipv4, 1, (byte)(0xb8 | ecn));
            yield return With(With(ipv6, 0, 0x6b), 1, (byte)(0x80 | (ecn << 4)));
        }

        yield return Ip4(b, a, A, B, 1, [8, 0, 0xed, 0xcb, 0x12, 0x34, 0, 0]);
        yield return Ip4(b, a, A, B, 17, UdpOctets(40_001, 7001, 1400), dontFragment: true);
    }

    private static async Task<Dictionary<string, List<byte[]>>> SeeAsync(TwoHosts lab, RawHost a, byte[][] frames)
    {
        using UnderlayTap tap = new(lab, "h2");
        foreach (byte[] frame in frames) a.SendFrames(Enumerable.Repeat(frame, Count));
        await PingAsync(lab); // what was sent before has arrived then
        return tap.Take().GroupBy(static p => Convert.ToHexString(p.Inner))
            .ToDictionary(static g => g.Key, static g => g.Select(static p => p.Outer).ToList());
    }

    private static async Task PingAsync(TwoHosts lab) =>
        (await lab.InAsync("a", "ping", "-c", "3", "-i", "0.05", "-W", "5", B)).ShouldContain("3 received");

    private static async Task SetEncapsulationAsync(TwoHosts lab, string word)
    {
        string text = await File.ReadAllTextAsync(lab.ConfigPath);
        text = text.Replace(", encapsulation: kernel", "", StringComparison.Ordinal)
            .Replace(", encapsulation: direct", "", StringComparison.Ordinal)
            .Replace("mtu: 1600 }", $"mtu: 1600, encapsulation: {word} }}", StringComparison.Ordinal);
        await File.WriteAllTextAsync(lab.ConfigPath, text);
        await lab.One.AskAsync("config", "reload");
    }

    private static async Task<string> TunnelsAsync(TwoHosts lab) =>
        (await lab.One.AskAsync("status")).GetProperty("tunnels").GetString()!;

    private static Task<JsonElement> UntilTunnelsAsync(TwoHosts lab, string words) =>
        lab.One.AskUntilAsync(s => s.GetProperty("tunnels").GetString() == words, "status");

    private static async Task PutUnderlayOnBridgeAsync(TwoHosts lab)
    {
        foreach ((string host, string address) in new[] { ("h1", "192.0.2.11/24"), ("h2", "192.0.2.12/24") })
        {
            await lab.InAsync(host, "ip", "link", "add", "br-ul", "mtu", "1600", "type", "bridge");
            await lab.InAsync(host, "ip", "address", "flush", "dev", "ul0");
            await lab.InAsync(host, "ip", "link", "set", "ul0", "master", "br-ul");
            await lab.InAsync(host, "ip", "link", "set", "br-ul", "up");
            await lab.InAsync(host, "ip", "address", "add", address, "dev", "br-ul");
        }
    }

    // x forwards what comes from either host for the other one.
    private static async Task PutRouterBetweenAsync(TwoHosts lab)
    {
        await lab.InAsync("x", "sysctl", "-qw", "net.ipv4.ip_forward=1", "net.ipv4.conf.all.send_redirects=0",
            "net.ipv4.conf.ul0.send_redirects=0");
        await lab.InAsync("h1", "ip", "route", "add", "192.0.2.12/32", "via", "192.0.2.99");
        await lab.InAsync("h2", "ip", "route", "add", "192.0.2.11/32", "via", "192.0.2.99");
    }
}
