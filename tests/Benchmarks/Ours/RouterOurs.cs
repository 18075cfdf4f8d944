using System;
using Genkan.Benchmarks.Traffic;

namespace Genkan.Benchmarks.Ours;

/// <summary>One genkan host between a VM that sends and a sink: another VM, or the ISP behind source NAT.</summary>
internal sealed class RouterOurs : ISide
{
    private const string Sender = "vm1";
    private const string Gateway = "10.0.1.1";

    private readonly GenkanLab _genkan = new();
    private readonly Sink _sink;
    private readonly FrameGenerator _generator;

    /// <summary>Builds it and learns the gateway's address.</summary>
    /// <param name="translated">
    /// Whether the frames leave by source NAT and an uplink; else to the other network.
    /// </param>
    /// <param name="flowCount">Flows that the generator sends by turns.</param>
    internal RouterOurs(bool translated, int flowCount)
    {
        Lab lab = _genkan.Lab;
        lab.AddNamespace("host1");
        lab.AddNamespace("host2"); // only the other end of the underlay
        lab.AddCable("host1", "underlay", "host2", "underlay", mtu: 1_600);
        lab.Ip("host1", "address add 192.0.2.1/24 dev underlay");
        _genkan.AddVm(Sender, "host1", Configurations.SenderMac, "10.0.1.2/24", Gateway);
        byte[] destination = translated ? [203, 0, 113, 1] : [10, 0, 2, 2];
        if (translated) AddIsp(lab);
        else _genkan.AddVm("vm2", "host1", Configurations.ReceiverMac, "10.0.2.2/24", "10.0.2.1");
        _genkan.StartAgents(translated ? Configurations.Translated : Configurations.Routed, "host1");

        byte[] gateway = _genkan.GatewayMac(Sender, Gateway);
        byte[] sender = Convert.FromHexString(Configurations.SenderMac.Replace(":", "", StringComparison.Ordinal));
        _sink = new Sink(lab, translated ? "isp" : "vm2", "eth0");
        _generator = new FrameGenerator(
            lab, Sender, "eth0", new UdpBursts(gateway, sender, [10, 0, 1, 2], destination), flowCount);
    }

    /// <summary>Millions of packets that arrive for each second of the core's time.</summary>
    public double[] Measure() => [_generator.Measure(_sink)];

    /// <inheritdoc />
    public void Dispose()
    {
        _sink.Dispose();
        _genkan.Dispose();
    }

    private static void AddIsp(Lab lab)
    {
        lab.AddNamespace("isp");
        lab.AddCable("isp", "eth0", "host1", "isp0");
        lab.Ip("isp", "address add 203.0.113.1/30 dev eth0");
        lab.Ip("isp", "route add 198.51.100.0/24 via 203.0.113.2");
    }
}
