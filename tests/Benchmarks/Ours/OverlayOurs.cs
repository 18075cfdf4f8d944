using Genkan.Benchmarks.Peers;
using Genkan.Benchmarks.Traffic;

namespace Genkan.Benchmarks.Ours;

/// <summary>Two genkan hosts and a VM on each, in one network, over the same underlay as the peer's.</summary>
internal sealed class OverlayOurs : ISide
{
    private readonly GenkanLab _genkan = new();
    private readonly TcpTransfer _transfer;

    internal OverlayOurs()
    {
        Lab lab = _genkan.Lab;
        lab.AddNamespace("host1");
        lab.AddNamespace("host2");
        lab.AddCable("host1", "underlay", "host2", "underlay", VxlanPeer.UnderlayMtu);
        lab.Ip("host1", "address add 192.0.2.1/24 dev underlay");
        lab.Ip("host2", "address add 192.0.2.2/24 dev underlay");
        _genkan.AddVm("vm1", "host1", Configurations.SenderMac, "10.0.1.2/24", "10.0.1.1");
        _genkan.AddVm("vm2", "host2", Configurations.ReceiverMac, "10.0.1.3/24", "10.0.1.1");
        _genkan.StartAgents(Configurations.Spanned, "host1", "host2");
        _transfer = new TcpTransfer(lab, "vm1", "vm2", "10.0.1.3");
    }

    /// <summary>Gigabits each second that one TCP connection carries.</summary>
    public double[] Measure() => [_transfer.Measure()];

    /// <inheritdoc />
    public void Dispose() => _genkan.Dispose();
}
