using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.IO;
using System.Linq;
using System.Net;
using System.Net.Sockets;
using System.Threading;
using Genkan.Benchmarks.Traffic;
using Genkan.Datapath.Bpf;
using Genkan.Datapath.Migration;
using Genkan.Datapath.Namespaces;
using Genkan.Datapath.Tables;

namespace Genkan.Benchmarks.Ours;

/// <summary>
/// One host with two VMs and an uplink, 20,000 packets a second each way through it (between the VMs, by source NAT, by
/// a floating IP) and a TCP transfer, and an agent that can be killed.
/// </summary>
internal sealed class RestartLab : IDisposable
{
    private const int PacketsPerSecond = 20_000;
    private const int BurstMax = 32;
    private const int FirstPackets = 3;
    private const int SettleMs = 300;
    private const string Host = "host1";
    private const string Ready = "is ready";

    private static readonly TimeSpan FirstPacketsWait = TimeSpan.FromSeconds(5);

    private readonly GenkanLab _genkan = new();
    private readonly string _run;
    private readonly string _pins;
    private readonly string _file;
    private readonly List<Conversation> _conversations = [];
    private readonly Socket _firstReceiver;
    private Process _agent;
    private int _firstPort = 20_000;
    private long _firstSent;
    private long _firstLost;

    /// <summary>Builds it, and lets each flow begin.</summary>
    internal RestartLab()
    {
        Lab lab = _genkan.Lab;
        foreach (string role in (string[])[Host, "host2", "isp"]) lab.AddNamespace(role);
        lab.AddCable(Host, "underlay", "host2", "underlay", mtu: 1_600);
        lab.Ip(Host, "address add 192.0.2.1/24 dev underlay");
        _genkan.AddVm("vm1", Host, Configurations.SenderMac, "10.0.1.2/24", "10.0.1.1");
        _genkan.AddVm("vm2", Host, Configurations.ReceiverMac, "10.0.2.2/24", "10.0.2.1");
        lab.AddCable("isp", "eth0", Host, "isp0");
        lab.Ip("isp", "address add 203.0.113.1/30 dev eth0");
        lab.Ip("isp", "route add 198.51.100.0/24 via 203.0.113.2");
        _run = lab.AddDirectory(Lab.FilesParent);
        _pins = lab.AddDirectory(Lab.PinsParent);
        _file = Path.Combine(_run, "bench.yaml");
        File.WriteAllText(_file, Configurations.Restarted);
        _agent = StartAgent();

        _conversations.Add(new Conversation(
            "between the VMs", lab, ("vm1", At("10.0.1.2", 7001)), At("10.0.2.2", 7001),
            ("vm2", At("10.0.2.2", 7001))));
        _conversations.Add(new Conversation(
            "source NAT", lab, ("vm1", At("10.0.1.2", 7002)), At("203.0.113.1", 7002),
            ("isp", At("203.0.113.1", 7002))));
        _conversations.Add(new Conversation(
            "floating IP", lab, ("isp", At("203.0.113.1", 7003)), At("198.51.100.20", 7003),
            ("vm2", At("10.0.2.2", 7003))));
        _firstReceiver = Conversation.Open(lab, "vm2", At("10.0.2.2", 7004));
    }

    /// <summary>Runs all traffic while something happens.</summary>
    internal RestartFigures Measure(Action<RestartLab> happening)
    {
        (_firstSent, _firstLost) = (0, 0);
        foreach (Conversation conversation in _conversations) conversation.Start();
        using TcpStream tcp = new(_genkan.Lab, "vm1", "vm2", At("10.0.2.2", 7005));
        using CancellationTokenSource stop = new();
        long began = Stopwatch.GetTimestamp();
        Thread pacer = new(() => Pace(stop.Token)) { IsBackground = true };
        pacer.Start();
        try
        {
            happening(this);
        }
        finally
        {
            stop.Cancel();
            pacer.Join();
            foreach (Conversation conversation in _conversations) conversation.Finish();
        }

        double seconds = Stopwatch.GetElapsedTime(began).TotalSeconds;
        long octets = tcp.End();
        foreach (Conversation c in _conversations.Where(c => c.LostCount + c.StrangeCount > 0))
        {
            Console.Error.WriteLine($"{c.Name}: {c.LostCount} of {c.SentCount} lost, {c.StrangeCount} strange");
        }

        return new RestartFigures(
            seconds,
            _conversations.Sum(c => c.SentCount),
            _conversations.Sum(c => c.LostCount),
            _conversations.Sum(c => c.DoubledCount),
            _conversations.Sum(c => c.OvertakenCount),
            _conversations.Sum(c => c.StrangeCount),
            _firstSent,
            _firstLost,
            octets,
            tcp.Retransmits);
    }

    /// <summary>
    /// Kills the agent and starts another one. New flows begin while none lives: their packets wait for the next.
    /// </summary>
    /// <param name="otherLayout">Whether the tables go to another layout in between, and back with the agent.</param>
    internal void Restart(bool otherLayout)
    {
        _agent.Kill(); // SIGKILL
        _agent.WaitForExit();
        if (otherLayout) GoToOtherLayout();
        SendFirstPackets();
        _agent = StartAgent();
        ReceiveFirstPackets();
        Thread.Sleep(SettleMs);
    }

    /// <inheritdoc />
    public void Dispose()
    {
        foreach (Conversation conversation in _conversations) conversation.Dispose();
        _firstReceiver.Dispose();
        _genkan.Dispose();
    }

    private static IPEndPoint At(string address, int port) => new(IPAddress.Parse(address), port);

    private Process StartAgent() => Process.GetProcessById(_genkan.Lab.Start(
        Host,
        $"env GENKAN_RUN_DIRECTORY={_run} {GenkanLab.Executable()} run --config {_file} --host {Host} --pins {_pins}",
        until: Ready));

    // What an agent of that layout would do at its start, by the same code: our test build of the programs has another
    // layout (GENKAN_LAYOUT_OTHER in flow_types.h).
    private void GoToOtherLayout()
    {
        using NetworkNamespace space = _genkan.Lab.Open(Host);
        LoadedGeneration loaded = space.Run(() => TableMigration.Load(
            new KernelDatapathOptions
            {
                HostName = Host,
                UnderlayAddress = Wire.IpAddress.Parse("192.0.2.1"),
                PinRoot = _pins,
                RunDirectory = _run,
            },
            new BpfProgramSetOptions { Assembly = typeof(RestartLab).Assembly, Objects = KernelTables.Objects }));
        loaded.Set.Dispose();
        if (!loaded.Migrated.Contains("conn4")) throw new InvalidOperationException("the layouts do not differ");
    }

    private void SendFirstPackets()
    {
        using Socket socket = Conversation.Open(_genkan.Lab, "vm1", At("10.0.1.2", ++_firstPort));
        for (int i = 0; i < FirstPackets; i++) socket.SendTo(BitConverter.GetBytes(_firstPort), At("10.0.2.2", 7004));
        _firstSent += FirstPackets;
    }

    private void ReceiveFirstPackets()
    {
        byte[] octets = new byte[64];
        int missing = FirstPackets;
        long began = Stopwatch.GetTimestamp();
        while (missing > 0 && Stopwatch.GetElapsedTime(began) < FirstPacketsWait)
        {
            try
            {
                int length = _firstReceiver.Receive(octets);
                if (length == sizeof(int) && BitConverter.ToInt32(octets) == _firstPort) missing--;
            }
            catch (SocketException e) when (Conversation.IsSilence(e))
            {
                continue;
            }
        }

        _firstLost += missing;
    }

    private void Pace(CancellationToken stop)
    {
        long began = Stopwatch.GetTimestamp();
        while (!stop.IsCancellationRequested)
        {
            double seconds = Stopwatch.GetElapsedTime(began).TotalSeconds;
            long due = (long)(seconds * PacketsPerSecond / _conversations.Count);
            foreach (Conversation conversation in _conversations) conversation.Send(due, BurstMax);
            Thread.Sleep(1);
        }
    }
}
