using System.Collections.Generic;
using System.Diagnostics;
using System.Linq;
using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using System.Threading.Tasks;
using Genkan.Datapath.Namespaces;
using Genkan.Lab.Tests.Agent;
using Genkan.Lab.Tests.Fragments;
using Genkan.Wire;
using Shouldly;
using static Genkan.Lab.Tests.Hostile.HostileFrames;

namespace Genkan.Lab.Tests.Hostile;

/// <summary>What an attacker sends, from a VM, on the underlay, from the Internet: each is a drop, counted under its
/// name, and nothing else is disturbed.</summary>
public sealed class HostilePackets(ITestOutputHelper output)
{
    private const int Count = 8; // of one flow: the first one and those that may wait behind it
    private const ushort Port = 7777;
    private const string A = "10.9.0.11";
    private const string C = "10.9.0.13";

    [Fact]
    public async Task From_a_VM_are_counted_drops_and_nothing_else_is_disturbed()
    {
        await using TwoHosts lab = await TwoHosts.CreateAsync();
        await using AgentProcess one = await lab.One.StartAgentAsync();
        using RawHost a = new(lab, "a", "eth0");
        using RawHost c = new(lab, "c", "eth0");
        using Socket receiver = c.Listen(C, Port);

        using Process pings = lab.StartIn("c", "ping", "-i", "0.01", "-c", "1000", "-W", "2", "10.9.0.11");
        List<string> wrong = [];
        foreach ((string name, string reason, byte[] frame) in FromVm(a.Mac, c.Mac))
        {
            ulong before = await DropsAsync(lab, reason);
            a.SendFrames(Enumerable.Repeat(frame, Count));
            ulong after = await CountedAsync(lab, reason, before);
            output.WriteLine($"{name}: {reason} {before} to {after}");
            if (after - before != Count) wrong.Add($"{name}: {after - before} of {Count} counted as {reason}");
        }

        wrong.ShouldBeEmpty();
        receiver.Available.ShouldBe(0);
        (await pings.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken))
            .ShouldContain("1000 received, 0% packet loss");
        (await lab.One.AskAsync("status")).GetProperty("warnings").ToString().ShouldNotContain("faults");
    }

    [Fact]
    public async Task In_the_tunnel_and_from_the_Internet_are_counted_drops_and_nothing_else_is_disturbed()
    {
        await using TwoHosts lab = await TwoHosts.CreateAsync();
        await using AgentProcess one = await lab.One.StartAgentAsync();
        await using AgentProcess two = await lab.Two.StartAgentAsync();
        using Process pings = lab.StartIn("b", "ping", "-i", "0.01", "-c", "1000", "-W", "2", A);
        byte[] inner = Udp4(MacAddress.Parse("02:00:00:00:00:11"), MacAddress.Parse("02:00:00:00:00:12"),
            "10.9.0.12", A, Port);

        await ExpectAsync(lab, "drop", "vtep_unknown", "x", "192.0.2.99", "192.0.2.11", Vxlan(1, true, inner));
        await ExpectAsync(lab, "drop", "no_group_policy", "h2", "192.0.2.12", "192.0.2.11", Vxlan(1, false, inner));
        uint key = await DeliveryKeyAsync(lab);
        await ExpectAsync(
            lab, "drop", "tunnel_key_unknown", "h2", "192.0.2.12", "192.0.2.11",
            Vxlan(await FreeSlotAsync(lab) << 8, true, inner));
        await ExpectAsync(
            lab, "drop", "tunnel_key_stale", "h2", "192.0.2.12", "192.0.2.11", Vxlan(key ^ 1, true, inner));
        await ExpectAsync(
            lab, "drop", "vxlan_from_port", "isp", "203.0.113.1", "203.0.113.2", Vxlan(key, true, inner));

        (await pings.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken))
            .ShouldContain("1000 received, 0% packet loss");
        (await lab.One.AskAsync("status")).GetProperty("warnings").ToString().ShouldNotContain("faults");
    }

    private static IEnumerable<(string Name, string Reason, byte[] Frame)> FromVm(MacAddress a, MacAddress c)
    {
        byte[] good = Udp4(c, a, A, C, Port);
        foreach ((string, string, byte[]) row in DamagedHeaders.Tags(good)) yield return row;
        yield return ("a wrong IPv4 header checksum", "bad_checksum", WithWrongHeaderChecksum(good));
        yield return ("a loopback destination", "martian", Udp4(c, a, A, "127.0.0.1", Port));
        yield return ("another's MAC", "spoofed_mac", Udp4(c, c, A, C, Port));
        yield return ("another's address", "spoofed_address", Udp4(c, a, "10.9.0.99", C, Port));
        yield return ("a multicast source", "martian", Udp4(c, a, "224.0.0.5", C, Port));
        yield return ("a loopback source", "martian", Udp4(c, a, "127.0.0.1", C, Port));
        yield return ("another's address in ARP", "spoofed_arp", Arp(a, "10.9.0.99", C));
        yield return ("a tunnel packet", "vxlan_from_port", Udp4(c, a, A, C, 4789));
        yield return ("a frame of IEEE 802.3", "ethertype", Ieee(good));
        yield return ("to a MAC that nobody has", "mac_unknown",
            Udp4(MacAddress.Parse("02:00:00:00:00:77"), a, A, C, Port));
    }

    private static byte[] Ieee(byte[] frame)
    {
        byte[] changed = [.. frame];
        (changed[12], changed[13]) = (0, 46); // a length: LLC follows
        return changed;
    }

    private static async Task ExpectAsync(
        TwoHosts lab, string what, string reason, string role, string from, string to, byte[] payload)
    {
        ulong before = await DropsAsync(lab, reason);
        using (NetworkNamespace place = NetworkNamespace.OpenNamed(lab.NamespaceOf(role)))
        {
            place.Run(() =>
            {
                using Socket socket = new(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
                socket.Bind(new IPEndPoint(IPAddress.Parse(from), 0));
                for (int i = 0; i < Count; i++) socket.SendTo(payload, new IPEndPoint(IPAddress.Parse(to), 4789));
            });
        }

        (await CountedAsync(lab, reason, before) - before).ShouldBe((ulong)Count, $"{what} {reason}");
    }

    // Each question is a process, so this does not spin.
    private static async Task<ulong> CountedAsync(TwoHosts lab, string reason, ulong before)
    {
        ulong after = await DropsAsync(lab, reason);
        for (int i = 0; i < 20 && after < before + Count; i++) after = await DropsAsync(lab, reason);
        return after;
    }

    private static async Task<ulong> DropsAsync(TwoHosts lab, string reason)
    {
        JsonElement drops = await lab.One.AskAsync("drop", "list");
        return (drops.ValueKind == JsonValueKind.Array ? drops : drops.EnumerateObject().First().Value).EnumerateArray()
            .Where(d => d.GetProperty("reason").GetString() == reason)
            .Select(static d => d.GetProperty("packets").GetUInt64())
            .FirstOrDefault();
    }

    private static async Task<uint> DeliveryKeyAsync(TwoHosts lab)
    {
        Delivery port = (await Deliveries.ReadAsync(lab.One)).First(static d => d.Kind == Deliveries.ToPort);
        return port.Slot << 8 | port.Generation;
    }

    private static async Task<uint> FreeSlotAsync(TwoHosts lab) =>
        (await Deliveries.ReadAsync(lab.One)).First(static d => d.Kind == 0 && d.Slot != 0).Slot;
}
