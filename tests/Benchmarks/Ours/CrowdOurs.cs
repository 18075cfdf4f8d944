using System;
using System.Diagnostics;
using System.Globalization;
using System.Linq;
using System.Threading;
using Genkan.Benchmarks.Traffic;
using Genkan.Datapath.Namespaces;

namespace Genkan.Benchmarks.Ours;

/// <summary>
/// One genkan host with many VMs that open flows to a VM of another network: together more than one port's budget of
/// new flows allows.
/// </summary>
internal sealed class CrowdOurs : IDisposable
{
    private const int SenderCount = 8;
    private const int FlowsInBurst = 200; // below the burst of any budget; all together below that of a total
    private const int WarmUpRounds = 12;
    private const int Rounds = 10;
    private const string Gateway = "10.0.1.1";
    private const string PacketThreads = "packets";

    // Nobody answers these flows. So that no budget holds that against them, each has been forgotten as one who asks
    // before the next burst: the figure is processor time, and a rest costs none.
    private static readonly TimeSpan Refill = TimeSpan.FromMilliseconds(900);

    private static readonly TimeSpan ArrivalMax = TimeSpan.FromSeconds(5);

    private readonly GenkanLab _genkan = new();
    private readonly Sink _sink;
    private readonly NewFlows[] _senders;

    /// <summary>Builds it, and sends until the agent's code is compiled.</summary>
    internal CrowdOurs()
    {
        Lab lab = _genkan.Lab;
        lab.AddNamespace("host1");
        lab.AddNamespace("host2"); // only the other end of the underlay
        lab.AddCable("host1", "underlay", "host2", "underlay", mtu: 1_600);
        lab.Ip("host1", "address add 192.0.2.1/24 dev underlay");
        for (int i = 1; i <= SenderCount; i++)
            _genkan.AddVm(NameOf(i), "host1", Configurations.MacOf(i), $"10.0.1.{i + 1}/24", Gateway);
        _genkan.AddVm("vm0", "host1", Configurations.ReceiverMac, "10.0.2.2/24", "10.0.2.1");
        _genkan.StartAgents(Configurations.Crowd(SenderCount), "host1");
        byte[] gateway = _genkan.GatewayMac(NameOf(1), Gateway);
        _sink = new Sink(lab, "vm0", "eth0");
        _senders = [.. Enumerable.Range(1, SenderCount).Select(i => MakeSender(i, gateway))];
        for (int i = 0; i < WarmUpRounds; i++) Round();
    }

    /// <summary>First packets that arrive for each second of the packet threads' processor time.</summary>
    internal double Measure()
    {
        TimeSpan time = ProcessTime.Of(_genkan.AgentIds[0], PacketThreads);
        for (int i = 0; i < Rounds; i++) Round();
        time = ProcessTime.Of(_genkan.AgentIds[0], PacketThreads) - time;
        return Rounds * SenderCount * FlowsInBurst / time.TotalSeconds;
    }

    /// <inheritdoc />
    public void Dispose()
    {
        foreach (NewFlows sender in _senders) sender.Dispose();
        _sink.Dispose();
        _genkan.Dispose();
    }

    private static string NameOf(int vm) => string.Create(CultureInfo.InvariantCulture, $"vm{vm}");

    private NewFlows MakeSender(int vm, byte[] gateway)
    {
        Lab lab = _genkan.Lab;
        byte[] mac = Octets.OfMac(Configurations.MacOf(vm));
        UdpBursts template = new(gateway, mac, [10, 0, 1, (byte)(vm + 1)], [10, 0, 2, 2]);
        int index = lab.InterfaceIndex(NameOf(vm), "eth0");
        using NetworkNamespace space = lab.Open(NameOf(vm));
        return space.Run(() => new NewFlows(index, template));
    }

    /// <summary>A burst from every VM. That a packet arrives proves all of it: only its flow's entry in the kernel lets
    /// the re-injected packet out.</summary>
    private void Round()
    {
        Thread.Sleep(Refill);
        const long expected = SenderCount * FlowsInBurst;
        long before = _sink.Count();
        foreach (NewFlows sender in _senders) sender.Send(FlowsInBurst);
        long start = Stopwatch.GetTimestamp();
        while (_sink.Count() - before < expected)
        {
            if (Stopwatch.GetElapsedTime(start) > ArrivalMax)
                throw new InvalidOperationException($"{_sink.Count() - before} of {expected} first packets arrived");
            Thread.Sleep(1);
        }
    }
}
