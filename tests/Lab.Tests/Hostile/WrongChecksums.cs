using System;
using System.Collections.Generic;
using System.Linq;
using System.Net.Sockets;
using System.Threading.Tasks;
using Genkan.Lab.Tests.Agent;
using Genkan.Lab.Tests.Fragments;
using Genkan.Wire;
using Shouldly;
using static Genkan.Lab.Tests.Hostile.HostileFrames;

namespace Genkan.Lab.Tests.Hostile;

/// <summary>A router does not check transport checksums, and never makes a wrong one right (RFC 1812 §4.2.2.5, RFC
/// 1624): within the host, through the tunnel, and translated on its way to the Internet.</summary>
public sealed class WrongChecksums(ITestOutputHelper output)
{
    private const int Count = 8;
    private const ushort Port = 7780;
    private const string A = "10.9.0.11";

    [Fact]
    public async Task Of_first_packets_are_counted_drops_and_of_known_flows_arrive_as_wrong_as_they_were()
    {
        await using TwoHosts lab = await TwoHosts.CreateAsync();
        await lab.InAsync("z", "sysctl", "-qw", "net.ipv6.conf.eth0.disable_ipv6=1");
        await using AgentProcess one = await lab.One.StartAgentAsync();
        await using AgentProcess two = await lab.Two.StartAgentAsync();
        using RawHost a = new(lab, "a", "eth0");
        using RawHost b = new(lab, "b", "eth0");
        using RawHost c = new(lab, "c", "eth0");
        using RawHost isp = new(lab, "isp", "gw1");
        MacAddress router = await a.NeighbourAsync("10.9.0.1");
        foreach (string to in (string[])["10.9.0.12", "10.9.0.13", TwoHosts.Internet])
            (await lab.InAsync("a", "ping", "-c", "2", "-i", "0.1", "-W", "5", to)).ShouldContain("2 received");

        foreach ((RawHost receiver, string address, MacAddress to) in ((RawHost, string, MacAddress)[])
            [(c, "10.9.0.13", c.Mac), (b, "10.9.0.12", b.Mac), (isp, TwoHosts.Internet, router)])
        {
            using Socket socket = receiver.Listen(address, Port);
            await SendAsync(lab, a, receiver.Role, socket, to, address);
        }
    }

    private async Task SendAsync(
        TwoHosts lab, RawHost a, string receiver, Socket socket, MacAddress to, string address)
    {
        Dictionary<string, ulong> before = await OfA();
        long wrongBefore = await ChecksumErrorsAsync(lab, receiver);

        // Each the first packet of its flow; the agent tells what is left to the network card from what is damaged.
        a.SendFrames(Frames(a.Mac, to, address, isRight: false));
        string grown = DropCounts.Grown(before, await DropCounts.UntilGrownAsync(OfA, before, "bad_checksum", Count));
        output.WriteLine($"first packets to {receiver}: {grown}");
        grown.ShouldBe($"bad_checksum {Count}");
        socket.Available.ShouldBe(0);

        a.SendFrames(Frames(a.Mac, to, address, isRight: true));
        byte[] buffer = new byte[64];
        for (int i = 0; i < Count; i++) socket.Receive(buffer).ShouldBe(10);

        before = await OfA();
        a.SendFrames(Frames(a.Mac, to, address, isRight: false));
        a.SendFrames(Frames(a.Mac, to, address, isRight: true).Take(1)); // behind them, by the same way
        socket.Receive(buffer).ShouldBe(10);
        long wrong = await ChecksumErrorsAsync(lab, receiver) - wrongBefore;
        output.WriteLine($"known flows to {receiver}: {wrong} arrived wrong");
        wrong.ShouldBe(Count);
        socket.Available.ShouldBe(0);
        DropCounts.Grown(before, await OfA()).ShouldBeEmpty();

        Task<Dictionary<string, ulong>> OfA() => DropCounts.OfPortAsync(lab.One, "t/a");
    }

    private static IEnumerable<byte[]> Frames(MacAddress from, MacAddress to, string address, bool isRight)
    {
        for (int i = 0; i < Count; i++)
        {
            byte[] frame = Udp4(to, from, A, address, Port);
            frame[35] = (byte)i; // source port
            WriteUdpChecksum(frame);
            if (!isRight) frame[40] ^= (byte)(0x11 * (i + 1));
            yield return frame;
        }
    }

    /// <summary>Packets that the receiver's kernel found wrong (Udp: InCsumErrors).</summary>
    private static async Task<long> ChecksumErrorsAsync(TwoHosts lab, string role)
    {
        string[][] lines =
        [
            .. (await lab.InAsync(role, "cat", "/proc/net/snmp")).Split('\n')
                .Where(static l => l.StartsWith("Udp:", StringComparison.Ordinal)).Select(static l => l.Split(' ')),
        ];
        return long.Parse(lines[1][Array.IndexOf(lines[0], "InCsumErrors")], provider: null);
    }
}
