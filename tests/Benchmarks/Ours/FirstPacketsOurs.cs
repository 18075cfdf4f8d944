using System;
using System.Diagnostics;
using System.Linq;
using System.Net;
using System.Net.Sockets;
using System.Threading;
using Genkan.Datapath.Namespaces;

namespace Genkan.Benchmarks.Ours;

/// <summary>Two VMs on an idle host: one sends a packet of a new flow, the other waits for it; then the next.</summary>
internal sealed class FirstPacketsOurs : IDisposable
{
    private const int FlowCount = 1_000; // a run
    private const int FirstPort = 10_000;
    private const int DiscardPort = 9;

    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(2); // the agent's threads are asleep again
    private static readonly TimeSpan ArrivalMax = TimeSpan.FromSeconds(1);

    private readonly GenkanLab _genkan = new();
    private readonly double[] _microseconds = new double[FlowCount];
    private readonly Socket _receiver;
    private int _nextPort = FirstPort;

    /// <summary>Builds it, and sends until the agent's code is compiled.</summary>
    internal FirstPacketsOurs()
    {
        Lab lab = _genkan.Lab;
        lab.AddNamespace("host1");
        lab.AddNamespace("host2"); // only the other end of the underlay
        lab.AddCable("host1", "underlay", "host2", "underlay", mtu: 1_600);
        lab.Ip("host1", "address add 192.0.2.1/24 dev underlay");
        _genkan.AddVm("vm1", "host1", Configurations.SenderMac, "10.0.1.2/24", "10.0.1.1");
        _genkan.AddVm("vm2", "host1", Configurations.ReceiverMac, "10.0.2.2/24", "10.0.2.1");
        _genkan.StartAgents(Configurations.Routed, "host1");
        _genkan.GatewayMac("vm1", "10.0.1.1"); // resolved, and so is the way back
        _genkan.GatewayMac("vm2", "10.0.2.1");
        _receiver = Open("vm2", new IPEndPoint(IPAddress.Parse("10.0.2.2"), DiscardPort));
        _receiver.ReceiveTimeout = (int)ArrivalMax.TotalMilliseconds;
        Measure();
    }

    /// <summary>Microseconds from the sender's call to the receiver's: of the middle flow, and of the slowest but one
    /// in a hundred.</summary>
    internal double[] Measure()
    {
        byte[] packet = new byte[18];
        for (int i = 0; i < FlowCount; i++)
        {
            using Socket sender = Open("vm1", new IPEndPoint(IPAddress.Parse("10.0.1.2"), _nextPort++));
            sender.Connect(IPAddress.Parse("10.0.2.2"), DiscardPort);
            Thread.Sleep(Pause);
            long start = Stopwatch.GetTimestamp();
            sender.Send(packet);
            _receiver.Receive(packet);
            _microseconds[i] = Stopwatch.GetElapsedTime(start).TotalMicroseconds;
        }

        double[] sorted = [.. _microseconds.Order()];
        return [sorted[FlowCount / 2], sorted[FlowCount * 99 / 100]];
    }

    /// <inheritdoc />
    public void Dispose()
    {
        _receiver.Dispose();
        _genkan.Dispose();
    }

    private Socket Open(string vm, IPEndPoint at)
    {
        using NetworkNamespace space = _genkan.Lab.Open(vm);
        return space.Run(() =>
        {
            Socket socket = new(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
            socket.Bind(at);
            return socket;
        });
    }
}
