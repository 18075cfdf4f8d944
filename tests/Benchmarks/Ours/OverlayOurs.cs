using Genkan.Benchmarks.Peers;
using Genkan.Benchmarks.Traffic;

namespace Genkan.Benchmarks.Ours;

/// <summary>Two genkan hosts and a VM on each, in one network, over the same underlay as the peer's.</summary>
internal sealed class OverlayOurs : ITestbed
{
    private readonly GenkanLab _genkan = new();

    internal OverlayOurs()
    {
        Lab.AddNamespace("host1");
        Lab.AddNamespace("host2");
        Lab.AddCable("host1", "underlay", "host2", "underlay", VxlanPeer.UnderlayMtu);
        Lab.Ip("host1", "address add 192.0.2.1/24 dev underlay");
        Lab.Ip("host2", "address add 192.0.2.2/24 dev underlay");
        _genkan.AddVm(Sender, "host1", Configurations.SenderMac, "10.0.1.2/24", "10.0.1.1");
        _genkan.AddVm(Receiver, "host2", Configurations.ReceiverMac, ReceiverAddress + "/24", "10.0.1.1");
        _genkan.StartAgents(Configurations.Spanned, "host1", "host2");
    }

    public Lab Lab => _genkan.Lab;

    public string Sender => "vm1";

    public string Receiver => "vm2";

    public string ReceiverAddress => "10.0.1.3";

    public UdpBursts Bursts { get; } = new(
        Octets.OfMac(Configurations.ReceiverMac), Octets.OfMac(Configurations.SenderMac), [10, 0, 1, 2], [10, 0, 1, 3]);

    public UdpBursts? Answers => null;

    /// <inheritdoc />
    public void Dispose() => _genkan.Dispose();
}
