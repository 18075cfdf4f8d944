using System;
using System.Collections.Generic;
using System.Linq;
using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using System.Text.RegularExpressions;
using System.Threading.Tasks;
using Genkan.Lab.Tests.Agent;
using Genkan.Wire;
using Shouldly;

namespace Genkan.Lab.Tests.Fragments;

/// <summary>
/// Datagrams of one to eight fragments in every order, through rules with ports, the tunnel, source NAT and a floating
/// IP both ways (RFC 4787 §11, REQ-14), received whole by a kernel's socket; and overlapping ones never.
/// </summary>
public sealed class FragmentsInAnyOrder
{
    private const ushort Port = 7000;
    private const string Internet6 = "2001:db8:beef::10";

    // Only this port is open; a later fragment has no port of its own.
    private static string OnlyOnePort(string file) => Regex.Replace(
        file,
        @"^(?<indent> *)- \{ direction: ingress, ethertype: (?<type>ipv4|ipv6) \}$",
        static rule =>
        {
            (string indent, string type) = (rule.Groups["indent"].Value, rule.Groups["type"].Value);
            string icmp = type == "ipv4" ? "icmp" : "icmpv6";
            return $"{indent}- {{ direction: ingress, ethertype: {type}, protocol: udp, ports: {Port} }}\n"
                + $"{indent}- {{ direction: ingress, ethertype: {type}, protocol: {icmp} }}";
        },
        RegexOptions.Multiline,
        TimeSpan.FromSeconds(1));

    [Fact]
    public async Task Reach_a_socket_whole_through_rules_tunnel_source_NAT_and_floating_IP()
    {
        await using TwoHosts lab = await TwoHosts.CreateAsync(OnlyOnePort);
        await using AgentProcess one = await lab.One.StartAgentAsync();
        await using AgentProcess two = await lab.Two.StartAgentAsync();
        using RawHost a = new(lab, "a", "eth0"), b = new(lab, "b", "eth0"), c = new(lab, "c", "eth0");
        using RawHost isp = new(lab, "isp", "gw1");

        await CheckAsync("across the tunnel", a, "10.9.0.12", "10.9.0.11", b, "10.9.0.12");
        await CheckAsync("across the tunnel", a, "2001:db8:1:9::12", "2001:db8:1:9::11", b, "2001:db8:1:9::12");
        await CheckAsync("on one host", a, "10.9.0.13", "10.9.0.11", c, "10.9.0.13");
        await CheckAsync("floating IP, in", isp, "203.0.113.2", "203.0.113.1", a, TwoHosts.FloatingIp, "10.9.0.11");
        await CheckAsync("floating IP, out", a, "10.9.0.1", "10.9.0.11", isp, TwoHosts.Internet);
        await CheckAsync("source NAT, out", c, "10.9.0.1", "10.9.0.13", isp, TwoHosts.Internet);
        await CheckAsync("source NAT, through the tunnel", b, "10.9.0.1", "10.9.0.12", isp, TwoHosts.Internet);
        await CheckAsync("routed, out", b, "2001:db8:1:9::1", "2001:db8:1:9::12", isp, Internet6);
        await CheckReturnAsync(c, "10.9.0.13", isp);
        await CheckReturnAsync(b, "10.9.0.12", isp);

        (await DropsAsync(lab, "fragment_wait")).ShouldBe(0);
        (await DropsAsync(lab, "fragment_overlap")).ShouldBe(0);
    }

    [Fact]
    public async Task Are_dropped_from_the_first_overlap_on()
    {
        await using TwoHosts lab = await TwoHosts.CreateAsync(OnlyOnePort);
        await using AgentProcess one = await lab.One.StartAgentAsync();
        await using AgentProcess two = await lab.Two.StartAgentAsync();
        using RawHost a = new(lab, "a", "eth0"), b = new(lab, "b", "eth0");
        using Socket socket = b.Listen("10.9.0.12", Port);
        MacAddress to = await a.NeighbourAsync("10.9.0.12");
        byte[] payload = Pieces.Payload(4000, 1);
        List<byte[]> pieces = Pieces.Cut("10.9.0.11", "10.9.0.12", (4000, Port), 99, payload, 1200);
        List<byte[]> others = Pieces.Cut("10.9.0.11", "10.9.0.12", (4000, Port), 99, payload, 1208);

        a.Send(to, [pieces[0], others[1], pieces[1], pieces[2], pieces[3]]);
        a.Send(to, Pieces.Cut("10.9.0.11", "10.9.0.12", (4000, Port), 100, payload, 1200));

        byte[] received = new byte[65536];
        int length = socket.Receive(received);
        received[..length].ShouldBe(payload);
        socket.Available.ShouldBe(0, "the second datagram is whole; of the first one a part was missing for ever");
        (await DropsAsync(lab, "fragment_overlap")).ShouldBe(3);
    }

    [Fact]
    public async Task Of_a_real_kernel_pass_too()
    {
        await using TwoHosts lab = await TwoHosts.CreateAsync();
        await using AgentProcess one = await lab.One.StartAgentAsync();
        await using AgentProcess two = await lab.Two.StartAgentAsync();
        string[][] pings =
        [
            ["a", "10.9.0.12"], ["a", "10.9.0.13"], ["b", TwoHosts.Internet], ["c", TwoHosts.Internet],
            ["a", TwoHosts.Internet], ["isp", TwoHosts.FloatingIp], ["a", "2001:db8:1:9::12"], ["c", Internet6],
        ];
        foreach (string[] ping in pings)
        {
            (await lab.InAsync(ping[0], "ping", "-c", "3", "-i", "0.05", "-W", "5", "-s", "9000", ping[1]))
                .ShouldContain("3 received", customMessage: $"{ping[0]} to {ping[1]}");
        }
    }

    private static async Task<long> DropsAsync(TwoHosts lab, string reason)
    {
        long sum = 0;
        foreach (LabHost host in (LabHost[])[lab.One, lab.Two])
        {
            foreach (JsonElement drop in (await host.AskAsync("drop", "list")).EnumerateArray())
            {
                if (drop.GetProperty("reason").GetString() == reason) sum += drop.GetProperty("packets").GetInt64();
            }
        }

        return sum;
    }

    private static async Task CheckAsync(
        string what, RawHost from, string neighbour, string source, RawHost to, string destination,
        string? listenOn = null)
    {
        MacAddress mac = await from.NeighbourAsync(neighbour);
        using Socket socket = to.Listen(listenOn ?? destination, Port);
        Check(what, socket, from, mac, source, destination, (4000, Port));
    }

    // An answer comes to the public port that the request has got.
    private static async Task CheckReturnAsync(RawHost vm, string address, RawHost isp)
    {
        MacAddress gateway = await vm.NeighbourAsync("10.9.0.1"), genkan = await isp.NeighbourAsync("203.0.113.2");
        using Socket server = isp.Listen(TwoHosts.Internet, Port), client = vm.Listen(address, 4001);
        vm.Send(gateway, Pieces.Cut(address, TwoHosts.Internet, (4001, Port), 1, [1], 1200));
        EndPoint from = new IPEndPoint(IPAddress.Any, 0);
        server.ReceiveFrom(new byte[16], ref from);
        IPEndPoint mapped = (IPEndPoint)from;

        mapped.Address.ToString().ShouldBe("198.51.100.10");
        Check("back through source NAT to " + vm.Role, client, isp, genkan, TwoHosts.Internet, "198.51.100.10",
            (Port, (ushort)mapped.Port));
    }

    private static void Check(
        string what, Socket socket, RawHost from, MacAddress to, string source, string destination,
        (ushort From, ushort To) ports)
    {
        uint id = 100;
        byte[] received = new byte[65536];
        for (int count = 1; count <= 8; count++)
        {
            byte[] payload = Pieces.Payload((count * 600) - 20, count);
            (string Name, Func<List<byte[]>, List<byte[]>> Order)[] orders =
            [
                ("in order", p => p),
                ("reversed", p => [.. Enumerable.Reverse(p)]),
                ("shuffled by 1", p => Pieces.Shuffled(p, 1)),
                ("shuffled by 2", p => Pieces.Shuffled(p, 2)),
            ];
            foreach ((string name, Func<List<byte[]>, List<byte[]>> order) in orders)
            {
                from.Send(to, order(Pieces.Cut(source, destination, ports, ++id, payload, 600)));
                string text = $"{what}, {source} to {destination}, {count} pieces {name}";
                int length = Should.NotThrow(() => socket.Receive(received), text);
                received.AsSpan(0, length).SequenceEqual(payload).ShouldBeTrue(text);
            }
        }
    }
}
