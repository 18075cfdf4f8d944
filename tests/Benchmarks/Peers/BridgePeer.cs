using Genkan.Benchmarks.Traffic;

namespace Genkan.Benchmarks.Peers;

/// <summary>Linux as a bridge: two veths in it and nothing else, no filter, no VLANs, no netfilter.</summary>
internal sealed class BridgePeer : ITestbed
{
    private const string SenderMac = "02:00:00:00:01:02";
    private const string SinkMac = "02:00:00:00:01:03";

    internal BridgePeer()
    {
        foreach (string role in (string[])[Sender, "host", Receiver]) Lab.AddNamespace(role);
        Lab.KeepNetfilterOutOfBridges("host");
        Lab.Ip("host", "link add br0 type bridge");
        foreach ((string role, string mac) in ((string, string)[])[(Sender, SenderMac), (Receiver, SinkMac)])
        {
            Lab.AddCable(role, "eth0", "host", role);
            Lab.Ip(role, $"link set eth0 address {mac}");
            Lab.Ip("host", $"link set {role} master br0");
            // known before it speaks, as ours knows it: nothing is flooded
            Lab.Run("host", $"bridge fdb replace {mac} dev {role} master static");
        }

        Lab.Ip("host", "link set br0 up");
        Lab.Ip(Sender, "address add 10.0.1.2/24 dev eth0");
        Lab.Ip(Receiver, $"address add {ReceiverAddress}/24 dev eth0");
    }

    public Lab Lab { get; } = new();

    public string Sender => "vm";

    public string Receiver => "sink";

    public string ReceiverAddress => "10.0.1.3";

    public UdpBursts Bursts { get; } = new(
        Octets.OfMac(SinkMac), Octets.OfMac(SenderMac), [10, 0, 1, 2], [10, 0, 1, 3]);

    public UdpBursts? Answers => null;

    /// <inheritdoc />
    public void Dispose() => Lab.Dispose();
}
