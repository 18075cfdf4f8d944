using Genkan.Benchmarks.Traffic;

namespace Genkan.Benchmarks.Peers;

/// <summary>
/// Linux as an overlay: two hosts, each with a bridge of a VM's veth and a VXLAN device, over an underlay of MTU
/// 1600. All offloads are as the kernel sets them, which is on.
/// </summary>
internal sealed class VxlanPeer : ISide
{
    /// <summary>MTU of the underlay, in octets; the VMs have 1500.</summary>
    internal const int UnderlayMtu = 1_600;

    private readonly Lab _lab = new();
    private readonly TcpTransfer _transfer;

    internal VxlanPeer()
    {
        foreach (string role in (string[])["vm1", "host1", "host2", "vm2"]) _lab.AddNamespace(role);
        _lab.AddCable("host1", "underlay", "host2", "underlay", UnderlayMtu);
        for (int i = 1; i <= 2; i++)
        {
            (string vm, string host) = ($"vm{i}", $"host{i}");
            _lab.AddCable(vm, "eth0", host, "tenant");
            _lab.Ip(vm, $"address add 10.0.1.{i}/24 dev eth0");
            _lab.Ip(host, $"address add 192.0.2.{i}/24 dev underlay");
            string ends = $"local 192.0.2.{i} remote 192.0.2.{3 - i}";
            _lab.Ip(host, $"link add vx type vxlan id 7 {ends} dev underlay dstport 4789");
            _lab.Ip(host, "link add br0 type bridge");
            foreach (string port in (string[])["tenant", "vx"])
            {
                _lab.Ip(host, $"link set {port} master br0");
                _lab.Ip(host, $"link set {port} up");
            }

            _lab.Ip(host, "link set br0 up");
        }

        _transfer = new TcpTransfer(_lab, "vm1", "vm2", "10.0.1.2");
    }

    /// <summary>Gigabits each second that one TCP connection carries.</summary>
    public double[] Measure() => [_transfer.Measure()];

    /// <inheritdoc />
    public void Dispose() => _lab.Dispose();
}
