using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.Linq;
using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using System.Threading;
using System.Threading.Tasks;
using Genkan.Datapath.Namespaces;
using Genkan.Lab.Tests.Agent;
using Genkan.Lab.Tests.Fragments;
using Genkan.Wire;
using Shouldly;
using static Genkan.Lab.Tests.Hostile.HostileFrames;

namespace Genkan.Lab.Tests.Hostile;

/// <summary>
/// One tenant's VMs, on two hosts, open connections until they get no more of a table of 4,096 entries. Another
/// tenant's VM on the same host pings, keeps its connection and opens new ones (decision 0013).
/// </summary>
public sealed class FullTable(ITestOutputHelper output)
{
    private const int Entries = 4096;
    private const int Flows = 40_000; // of each flooding VM
    private const ushort Port = 7800;
    private const string Y = "10.8.0.22";

    private static readonly string[] Refusals =
        ["flow_quota", "budget_port", "budget_tenant", "pending", "ring_full"];

    [Fact]
    public async Task Of_one_tenant_is_its_own_trouble_and_another_s_old_and_new_connections_go_on()
    {
        await using TwoHosts lab = await TwoHosts.CreateAsync(WithY);
        await lab.AddVmAsync("y", "h1", 22);
        await using AgentProcess one = await lab.One.StartAgentAsync("--connections", $"{Entries}");
        await using AgentProcess two = await lab.Two.StartAgentAsync();
        (await lab.InAsync("z", "ping", "-c", "2", "-i", "0.1", "-W", "5", Y)).ShouldContain("2 received");
        (await lab.InAsync("b", "ping", "-c", "2", "-i", "0.1", "-W", "5", "10.9.0.11")).ShouldContain("2 received");
        using RawHost z = new(lab, "z", "eth0");
        using RawHost y = new(lab, "y", "eth0");
        Dictionary<string, ulong> victimBefore = await DropCounts.OfPortAsync(lab.One, "other/z");
        using Process pings = lab.StartIn("z", "ping", "-i", "0.01", "-c", "1500", "-W", "2", Y);
        using CancellationTokenSource flooding = new();
        using Victim victim = new(lab);
        Task<int> opened = Task.Run(() => victim.OpenUntil(flooding.Token), TestContext.Current.CancellationToken);

        Dictionary<string, ulong>[] offended = await FloodAsync(lab);
        int held = await EntriesAsync(lab);
        await flooding.CancelAsync();
        int count = await opened;

        output.WriteLine($"{held} of {Entries} entries, {count} new connections of z meanwhile");
        count.ShouldBeGreaterThan(10);
        (await pings.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken))
            .ShouldContain("1500 received, 0% packet loss");
        victim.Echo().ShouldBeTrue("the old connection goes on");
        (await lab.InAsync("z", "nstat", "-asz", "TcpRetransSegs")).ShouldContain("TcpRetransSegs                  0");
        DropCounts.Grown(victimBefore, await DropCounts.OfPortAsync(lab.One, "other/z")).ShouldBeEmpty();
        held.ShouldBeInRange(Entries * 3 / 5, Entries * 19 / 20);
        foreach (Dictionary<string, ulong> of in offended)
        {
            of.GetValueOrDefault("flow_quota").ShouldBeGreaterThan(0UL);
            of.Keys.Except(Refusals).ShouldBeEmpty();
        }

        (await DropCounts.EverywhereAsync(lab.One)).ShouldNotContainKey("conn_table_full");
        (await lab.One.AskAsync("status")).GetProperty("warnings").ToString().ShouldNotContain("faults");
    }

    /// <summary>a floods c, c floods a, b floods a from the other host.</summary>
    /// <returns>What was dropped of a's and of c's, and, of b's, where it arrived.</returns>
    private async Task<Dictionary<string, ulong>[]> FloodAsync(TwoHosts lab)
    {
        using RawHost a = new(lab, "a", "eth0");
        using RawHost b = new(lab, "b", "eth0");
        using RawHost c = new(lab, "c", "eth0");
        // Nobody answers: errors of closed ports would be control packets, and drops, of the receivers.
        using Socket atA = a.Listen("10.9.0.11", Port);
        using Socket atC = c.Listen("10.9.0.13", Port);
        Task[] floods =
        [
            Task.Run(() => a.SendFrames(FlowsOf(c.Mac, a.Mac, "10.9.0.11", "10.9.0.13"))),
            Task.Run(() => c.SendFrames(FlowsOf(a.Mac, c.Mac, "10.9.0.13", "10.9.0.11"))),
            Task.Run(() => b.SendFrames(FlowsOf(a.Mac, b.Mac, "10.9.0.12", "10.9.0.11"))),
        ];
        await Task.WhenAll(floods);
        Dictionary<string, ulong>[] drops =
        [
            await DropCounts.OfPortAsync(lab.One, "t/a"), await DropCounts.OfPortAsync(lab.One, "t/c"),
        ];
        foreach (Dictionary<string, ulong> of in drops)
            output.WriteLine(string.Join(", ", of.Select(static d => $"{d.Key} {d.Value}")));
        return drops;
    }

    private static IEnumerable<byte[]> FlowsOf(MacAddress to, MacAddress from, string source, string destination)
    {
        for (int i = 0; i < Flows; i++)
        {
            byte[] frame = Udp4(to, from, source, destination, Port);
            (frame[34], frame[35]) = ((byte)((10_000 + i) >> 8), (byte)(10_000 + i)); // source port
            yield return frame;
        }
    }

    private static async Task<int> EntriesAsync(TwoHosts lab)
    {
        string pin = $"{lab.One.Pins}/{lab.One.Name}/conn4";
        string json = await Command.MustAsync("bpftool", "-j", "map", "dump", "pinned", pin);
        using JsonDocument dump = JsonDocument.Parse(json);
        return dump.RootElement.GetArrayLength();
    }

    private static string WithY(string file) => file
        .Replace(
            "      z: { interface: vm-z }\n", "      z: { interface: vm-z }\n      y: { interface: vm-y }\n",
            StringComparison.Ordinal)
        + "\n      - { name: y, network: m, mac: \"02:00:00:00:00:22\", addresses: [10.8.0.22], "
        + "security_groups: [open] }\n";

    /// <summary>z, which has a connection to y and opens others, one after the other.</summary>
    private sealed class Victim : IDisposable
    {
        private const int OpenMax = 120; // fewer than its own share
        private const int EchoesBetween = 50;

        private static readonly IPEndPoint Server = new(IPAddress.Parse(Y), Port);

        private readonly NetworkNamespace _z;
        private readonly Socket _listener;
        private readonly Socket _old;
        private readonly Socket _oldAtServer;

        public Victim(TwoHosts lab)
        {
            _z = NetworkNamespace.OpenNamed(lab.NamespaceOf("z"));
            using NetworkNamespace y = NetworkNamespace.OpenNamed(lab.NamespaceOf("y"));
            _listener = y.Run(static () =>
            {
                Socket socket = Tcp();
                socket.Bind(Server);
                socket.Listen(16);
                return socket;
            });
            _old = Connect();
            _oldAtServer = _listener.Accept();
            _oldAtServer.ReceiveTimeout = 2000;
        }

        /// <summary>Opens connections until told to stop; each must come about, and what goes must come.</summary>
        /// <returns>How many.</returns>
        public int OpenUntil(CancellationToken stop)
        {
            int count = 0;
            for (; count < OpenMax && !stop.IsCancellationRequested; count++)
            {
                using Socket client = Connect();
                using Socket server = _listener.Accept();
                for (int i = 0; i < EchoesBetween; i++) Echo().ShouldBeTrue($"the old one after {count} new ones");
            }

            return count;
        }

        public bool Echo() => _old.Send([1]) == 1 && _oldAtServer.Receive(new byte[1]) == 1;

        public void Dispose()
        {
            foreach (Socket socket in (Socket[])[_old, _oldAtServer, _listener]) socket.Dispose();
            _z.Dispose();
        }

        private Socket Connect() => _z.Run(static () =>
        {
            Socket socket = Tcp();
            socket.Connect(Server);
            return socket;
        });

        private static Socket Tcp() => new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp)
        {
            SendTimeout = 2000,
        };
    }
}
