using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.IO;
using System.Linq;
using System.Net;
using System.Net.Sockets;
using System.Threading;
using System.Threading.Tasks;
using Genkan.Datapath.Namespaces;
using Genkan.Lab.Tests.Agent;
using Genkan.Lab.Tests.Fragments;
using Genkan.Wire;
using Shouldly;
using static Genkan.Lab.Tests.Hostile.HostileFrames;

namespace Genkan.Lab.Tests.Hostile;

/// <summary>The same from where no VM is: from the Internet, and in tunnel packets of a host that is known. One reason
/// grows on the whole host, no other, and pings lose nothing.</summary>
public sealed class HostileElsewhere(ITestOutputHelper output)
{
    private const int Count = 8;
    private const ushort Port = 7779;
    private const string A = "10.9.0.11";
    private const string A6 = "2001:db8:1:9::11";
    private const string B = "10.9.0.12";
    private const string B6 = "2001:db8:1:9::12";
    private const string Nat = "198.51.100.10";
    private const string Far = "198.18.0.99";
    private const string Far6 = "2001:db8:beef::99";
    private const uint DeliveryPort = 1;
    private const uint DeliveryFlood = 2;
    private const uint DeliveryFibExit = 3;
    private const uint DeliveryNatReturn = 4;
    private const int Commit = 0x8000;

    [Fact]
    public async Task From_the_Internet_each_kind_grows_its_own_reason_and_no_other()
    {
        await using TwoHosts lab = await QuietLabAsync();
        await using AgentProcess one = await lab.One.StartAgentAsync();
        using RawHost isp = new(lab, "isp", "gw1");
        using RawHost a = new(lab, "a", "eth0");
        using Socket atA = a.Listen(A, Port);
        MacAddress uplink = await isp.NeighbourAsync("203.0.113.2");
        (await lab.InAsync("isp", "ping", "-c", "2", "-i", "0.1", "-W", "5", TwoHosts.FloatingIp))
            .ShouldContain("2 received");
        using Process pings =
            lab.StartIn("isp", "ping", "-i", "0.01", "-c", "1500", "-W", "2", TwoHosts.FloatingIp);

        List<string> wrong =
            await WrongAsync(lab, FromInternet(uplink, isp.Mac), row => isp.SendFrames(Enumerable.Repeat(row, Count)));

        await UndisturbedAsync(lab, pings);
        wrong.ShouldBeEmpty();
        atA.Available.ShouldBe(0);
    }

    [Fact]
    public async Task In_the_tunnel_of_a_known_host_each_kind_grows_its_own_reason_and_no_other()
    {
        await using TwoHosts lab = await QuietLabAsync();
        await using AgentProcess one = await lab.One.StartAgentAsync();
        await using AgentProcess two = await lab.Two.StartAgentAsync();
        using RawHost a = new(lab, "a", "eth0");
        using RawHost b = new(lab, "b", "eth0");
        using RawHost c = new(lab, "c", "eth0");
        using Socket atA = a.Listen(A, Port);
        (await lab.InAsync("b", "ping", "-c", "2", "-i", "0.1", "-W", "5", A)).ShouldContain("2 received");
        using Process pings = lab.StartIn("b", "ping", "-i", "0.01", "-c", "1500", "-W", "2", A);
        Dictionary<uint, uint> keys = await KeysAsync(lab);

        List<string> wrong =
            await WrongAsync(lab, InTunnel(keys, a.Mac, b.Mac), row => SendTunnel(lab, row));

        // The port moves out of the file: its key is of the past, whoever still sends by it.
        CancellationToken cancel = TestContext.Current.CancellationToken;
        string file = await File.ReadAllTextAsync(lab.ConfigPath, cancel);
        await File.WriteAllTextAsync(lab.ConfigPath, WithoutC(file), cancel);
        HashSet<uint> before = [.. (await DeliveriesAsync(lab)).Select(static d => d.Key)];
        await lab.One.AskAsync("config", "reload");
        HashSet<uint> after = [.. (await DeliveriesAsync(lab)).Select(static d => d.Key)];
        uint stale = before.Except(after).ShouldHaveSingleItem();
        byte[] late = Vxlan(stale, Commit, Udp4(c.Mac, b.Mac, B, "10.9.0.13", Port));
        wrong.AddRange(
            await WrongAsync(
                lab, [("by the key of a port that is gone", "tunnel_key_unknown", late)], row => SendTunnel(lab, row)));

        await UndisturbedAsync(lab, pings);
        wrong.ShouldBeEmpty();
        atA.Available.ShouldBe(0);
    }

    private static IEnumerable<(string Name, string Reason, byte[] Frame)> FromInternet(MacAddress us, MacAddress isp)
    {
        byte[] good = Udp4(us, isp, Far, TwoHosts.FloatingIp, Port);
        byte[] good6 = Udp6(us, isp, Far6, A6, Port);
        foreach ((string, string, byte[]) row in DamagedHeaders.Of(good, good6)) yield return row;
        foreach ((string, string, byte[]) row in DamagedHeaders.Tags(good)) yield return row;
        yield return ("a wrong IPv4 header checksum", "bad_checksum", WithWrongHeaderChecksum(good));
        foreach (string martian in (string[])
            ["127.0.0.1", "0.1.2.3", "240.0.0.1", "255.255.255.255", "224.0.0.5", "198.51.100.77"])
        {
            yield return ($"a source of {martian}", "martian", Udp4(us, isp, martian, TwoHosts.FloatingIp, Port));
        }

        foreach (string inside in (string[])["10.9.0.13", "10.9.0.1"])
            yield return ($"a source of inside: {inside}", "martian", Udp4(us, isp, inside, TwoHosts.FloatingIp, Port));
        foreach (string martian in (string[])["::1", "ff02::5", "2001:db8:1:9::13", "2001:db8:1:77::1"])
            yield return ($"a source of {martian}", "martian", Udp6(us, isp, martian, A6, Port));
        yield return ("from the receiver to itself", "martian",
            Udp4(us, isp, TwoHosts.FloatingIp, TwoHosts.FloatingIp, Port));
        yield return ("to an address of nobody", "no_destination", Udp4(us, isp, Far, "192.0.2.200", Port));
        yield return ("to an address inside", "no_destination", Udp4(us, isp, Far, A, Port));
        yield return ("to the loopback", "no_destination", Udp4(us, isp, Far, "127.0.0.1", Port));
        yield return ("to a NAT address, of no connection", "nat_no_connection", Udp4(us, isp, Far, Nat, 2_000));
        yield return ("to the gateway itself", "not_local_service", Udp4(us, isp, Far, "203.0.113.2", Port));
        yield return ("for another station", "mac_unknown",
            Udp4(MacAddress.Parse("02:00:00:00:00:77"), isp, Far, TwoHosts.FloatingIp, Port));
        yield return ("to a VM, for the whole link", "mac_unknown",
            Udp4(MacAddress.Broadcast, isp, Far, TwoHosts.FloatingIp, Port));
        yield return ("a tunnel packet to a VM", "vxlan_from_port",
            Udp4(us, isp, Far, TwoHosts.FloatingIp, 4789));
        yield return ("a tunnel packet to the underlay", "vxlan_from_port", Udp4(us, isp, Far, "192.0.2.11", 4789));
        yield return ("a frame of another kind", "ethertype", Other(good));
        yield return ("an ICMP redirect", "invalid_state",
            Ip4(us, isp, Far, TwoHosts.FloatingIp, 1, [5, 1, 0, 0, 10, 9, 0, 11, .. good.AsSpan(14, 28)]));
    }

    private static IEnumerable<(string Name, string Reason, byte[] Frame)> InTunnel(
        Dictionary<uint, uint> keys, MacAddress a, MacAddress b)
    {
        byte[] good = Udp4(a, b, B, A, Port);
        byte[] good6 = Udp6(a, b, B6, A6, Port);
        // An IP header that is cut short ends before us, in the kernel's VXLAN device.
        (string Name, string Reason, byte[] Frame)[] damaged =
            [.. DamagedHeaders.Of(good, good6).Where(static r => r.Name[..6] != "an IPv")];
        foreach ((string name, string reason, byte[] frame) in damaged)
            yield return (name, reason, Vxlan(keys[DeliveryPort], Commit, frame));
        foreach ((string name, _, byte[] frame) in DamagedHeaders.Tags(good))
            yield return ($"{name}, inside", "vlan_not_bound", Vxlan(keys[DeliveryPort], Commit, frame));
        foreach ((string name, string reason, byte[] frame) in damaged.Take(3))
            yield return ($"{name}, to all", reason, Vxlan(keys[DeliveryFlood], 0, frame));
        yield return ("out by the uplink, but no IP", "ethertype",
            Vxlan(keys[DeliveryFibExit], Commit, Arp(b, B, A)));
        yield return ("out by the uplink from ports of others", "nat_not_owned",
            Vxlan(keys[DeliveryFibExit], Commit, FromOwn(Udp4(a, b, Nat, TwoHosts.Internet, Port))));
        yield return ("out by the uplink, cut short", "truncated",
            Vxlan(keys[DeliveryFibExit], Commit, Cut4(good, 6, 12)));
        yield return ("an answer to nothing", "nat_no_connection",
            Vxlan(keys[DeliveryNatReturn], 0, Udp4(a, b, TwoHosts.Internet, Nat, 40_000)));
        yield return ("an answer cut short", "truncated", Vxlan(keys[DeliveryNatReturn], 0, Cut4(good, 6, 12)));
    }

    // A source port of the block of h1, whatever h2 sends.
    private static byte[] FromOwn(byte[] frame)
    {
        byte[] changed = [.. frame];
        (changed[34], changed[35]) = (2_000 >> 8, 2_000 & 0xff);
        return changed;
    }

    private static byte[] Other(byte[] frame)
    {
        byte[] changed = [.. frame];
        (changed[12], changed[13]) = (0x88, 0xcc); // LLDP
        return changed;
    }

    private static async Task<TwoHosts> QuietLabAsync()
    {
        TwoHosts lab = await TwoHosts.CreateAsync();
        // What the kernels ask of all routers, and on links where nobody else is, would be drops beside ours.
        await lab.InAsync("z", "sysctl", "-qw", "net.ipv6.conf.eth0.disable_ipv6=1");
        return lab;
    }

    private async Task<List<string>> WrongAsync(
        TwoHosts lab, IEnumerable<(string Name, string Reason, byte[] Frame)> rows, Action<byte[]> send)
    {
        List<string> wrong = [];
        Dictionary<string, ulong> before = await Drops();
        foreach ((string name, string reason, byte[] frame) in rows)
        {
            send(frame);
            Dictionary<string, ulong> after = await DropCounts.UntilGrownAsync(Drops, before, reason, Count);
            string grown = DropCounts.Grown(before, after);
            output.WriteLine($"{name}: {grown}");
            if (grown != $"{reason} {Count}") wrong.Add($"{name}: {grown}, not {reason} {Count}");
            before = after;
        }

        return wrong;

        Task<Dictionary<string, ulong>> Drops() => DropCounts.EverywhereAsync(lab.One);
    }

    private static async Task UndisturbedAsync(TwoHosts lab, Process pings)
    {
        (await pings.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken))
            .ShouldContain("1500 received, 0% packet loss");
        (await lab.One.AskAsync("status")).GetProperty("warnings").ToString().ShouldNotContain("faults");
    }

    private static void SendTunnel(TwoHosts lab, byte[] payload)
    {
        using NetworkNamespace place = NetworkNamespace.OpenNamed(lab.NamespaceOf("h2"));
        place.Run(() =>
        {
            using Socket socket = new(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
            socket.Bind(new IPEndPoint(IPAddress.Parse("192.0.2.12"), 0));
            for (int i = 0; i < Count; i++)
                socket.SendTo(payload, new IPEndPoint(IPAddress.Parse("192.0.2.11"), 4789));
        });
    }

    private static string WithoutC(string file) => file
        .Replace("      c: { interface: vm-c }\n", "", StringComparison.Ordinal);

    /// <summary>A key of each kind of delivery.</summary>
    private static async Task<Dictionary<uint, uint>> KeysAsync(TwoHosts lab) =>
        (await DeliveriesAsync(lab)).GroupBy(static d => d.Kind)
            .ToDictionary(static g => g.Key, static g => g.First().Key);

    private static async Task<List<(uint Kind, uint Key)>> DeliveriesAsync(TwoHosts lab) =>
    [
        .. (await Deliveries.ReadAsync(lab.One))
            .Where(static d => d.Kind != 0)
            .Select(static d => ((uint)d.Kind, d.Slot << 8 | d.Generation)),
    ];
}
