using System;
using Genkan.Benchmarks.Traffic;

namespace Genkan.Benchmarks.Ours;

/// <summary>One genkan host between a VM that sends and a receiver: another VM, or the ISP behind source NAT.</summary>
internal sealed class LocalOurs : ITestbed
{
    private const string Gateway = "10.0.1.1";

    private readonly GenkanLab _genkan = new();

    /// <summary>Builds it and learns the first hop's address.</summary>
    /// <param name="path">What lies between.</param>
    internal LocalOurs(LocalPath path)
    {
        Lab.AddNamespace("host1");
        Lab.AddNamespace("host2"); // only the other end of the underlay
        Lab.AddCable("host1", "underlay", "host2", "underlay", mtu: 1_600);
        Lab.Ip("host1", "address add 192.0.2.1/24 dev underlay");
        _genkan.AddVm(Sender, "host1", Configurations.SenderMac, "10.0.1.2/24", Gateway);
        (Receiver, ReceiverAddress, string configuration) = path switch
        {
            LocalPath.Bridged => ("vm2", "10.0.1.3", Configurations.Bridged),
            LocalPath.Routed => ("vm2", "10.0.2.2", Configurations.Routed),
            LocalPath.Translated => ("isp", "203.0.113.129", Configurations.Translated),
            _ => throw new ArgumentOutOfRangeException(nameof(path)),
        };
        if (path == LocalPath.Translated) AddIsp();
        else AddReceiver(path == LocalPath.Bridged ? Gateway : "10.0.2.1");
        _genkan.StartAgents(configuration, "host1");

        byte[] gateway = _genkan.GatewayMac(Sender, Gateway);
        byte[] firstHop = path == LocalPath.Bridged ? Octets.OfMac(Configurations.ReceiverMac) : gateway;
        Bursts = new UdpBursts(
            firstHop, Octets.OfMac(Configurations.SenderMac), [10, 0, 1, 2], Octets.OfIpv4(ReceiverAddress));
    }

    public Lab Lab => _genkan.Lab;

    public string Sender => "vm1";

    public string Receiver { get; }

    public string ReceiverAddress { get; }

    public UdpBursts Bursts { get; }

    public UdpBursts? Answers => null;

    /// <inheritdoc />
    public void Dispose() => _genkan.Dispose();

    private void AddReceiver(string gateway) =>
        _genkan.AddVm(Receiver, "host1", Configurations.ReceiverMac, ReceiverAddress + "/24", gateway);

    private void AddIsp()
    {
        Lab.AddNamespace(Receiver);
        Lab.AddCable(Receiver, "eth0", "host1", "isp0");
        Lab.Ip(Receiver, "address add 203.0.113.1/30 dev eth0");
        Lab.Ip(Receiver, "route add 198.51.100.0/24 via 203.0.113.2");
    }
}
