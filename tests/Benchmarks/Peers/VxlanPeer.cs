using Genkan.Benchmarks.Traffic;

namespace Genkan.Benchmarks.Peers;

/// <summary>
/// Linux as an overlay: two hosts, each with a bridge of a VM's veth and a VXLAN device, over an underlay of MTU
/// 1600. All offloads are as the kernel sets them, which is on.
/// </summary>
internal sealed class VxlanPeer : ITestbed
{
    /// <summary>MTU of the underlay, in octets; the VMs have 1500.</summary>
    internal const int UnderlayMtu = 1_600;

    internal VxlanPeer()
    {
        foreach (string role in (string[])[Sender, "host1", "host2", Receiver]) Lab.AddNamespace(role);
        Lab.AddCable("host1", "underlay", "host2", "underlay", UnderlayMtu);
        for (int i = 1; i <= 2; i++)
        {
            (string vm, string host) = ($"vm{i}", $"host{i}");
            Lab.AddCable(vm, "eth0", host, "tenant");
            Lab.Ip(vm, $"link set eth0 address 02:00:00:00:01:0{i}");
            Lab.Ip(vm, $"address add 10.0.1.{i}/24 dev eth0");
            Lab.Ip(host, $"address add 192.0.2.{i}/24 dev underlay");
            string ends = $"local 192.0.2.{i} remote 192.0.2.{3 - i}";
            Lab.Ip(host, $"link add vx type vxlan id 7 {ends} dev underlay dstport 4789");
            Lab.KeepNetfilterOutOfBridges(host);
            Lab.Ip(host, "link add br0 type bridge");
            foreach (string port in (string[])["tenant", "vx"])
            {
                Lab.Ip(host, $"link set {port} master br0");
                Lab.Ip(host, $"link set {port} up");
            }

            Lab.Ip(host, "link set br0 up");
        }
    }

    public Lab Lab { get; } = new();

    public string Sender => "vm1";

    public string Receiver => "vm2";

    public string ReceiverAddress => "10.0.1.2";

    public UdpBursts Bursts { get; } = new(MacOf(2), MacOf(1), [10, 0, 1, 1], [10, 0, 1, 2]);

    public UdpBursts? Answers => null;

    /// <inheritdoc />
    public void Dispose() => Lab.Dispose();

    private static byte[] MacOf(int vm) => [2, 0, 0, 0, 1, (byte)vm];
}
