using Genkan.Benchmarks.Traffic;

namespace Genkan.Benchmarks.Peers;

/// <summary>
/// Linux as a router: a namespace that forwards between two veths, a generator before and a sink behind it; with
/// source NAT and a stateful filter if asked. Neighbours are static, reverse-path filters are off: the fastest that
/// it can be.
/// </summary>
internal sealed class RouterPeer : ITestbed
{
    private const string InsideMac = "02:00:00:00:01:01";
    private const string SenderMac = "02:00:00:00:01:02";
    private const string OutsideMac = "02:00:00:00:02:01";
    private const string SinkMac = "02:00:00:00:02:02";

    private const string Rules = """
        table ip nat {
          chain postrouting {
            type nat hook postrouting priority 100
            oifname "outside" masquerade
          }
        }
        table ip filter {
          chain forward {
            type filter hook forward priority 0; policy drop
            ct state established,related accept
            ct state invalid drop
            iifname "inside" ip saddr 10.0.1.2 ether saddr 02:00:00:00:01:02 accept
          }
        }

        """;

    /// <summary>Builds it.</summary>
    /// <param name="masquerade">Whether it translates and filters, like a tenant's router with security groups.</param>
    internal RouterPeer(bool masquerade)
    {
        foreach (string role in (string[])[Sender, "router", Receiver]) Lab.AddNamespace(role);
        Lab.AddCable(Sender, "eth0", "router", "inside");
        Lab.AddCable("router", "outside", Receiver, "eth0");
        Lab.Ip(Sender, $"link set eth0 address {SenderMac}");
        Lab.Ip("router", $"link set inside address {InsideMac}");
        Lab.Ip("router", $"link set outside address {OutsideMac}");
        Lab.Ip(Receiver, $"link set eth0 address {SinkMac}");
        Lab.Ip("router", "address add 10.0.1.1/24 dev inside");
        Lab.Ip("router", "address add 10.0.2.1/24 dev outside");
        Lab.Ip("router", $"neighbour replace 10.0.1.2 lladdr {SenderMac} dev inside nud permanent");
        Lab.Ip("router", $"neighbour replace 10.0.2.2 lladdr {SinkMac} dev outside nud permanent");
        Lab.Run("router", "sysctl -qw net.ipv4.ip_forward=1 net.ipv4.conf.all.rp_filter=0 "
            + "net.ipv4.conf.inside.rp_filter=0 net.ipv4.conf.outside.rp_filter=0");
        if (masquerade) Lab.Run("router", "nft -f -", Rules);

        Lab.Ip("router", "route add default via 10.0.2.2 dev outside");
        Lab.Ip(Sender, "address add 10.0.1.2/24 dev eth0");
        Lab.Ip(Sender, "route add default via 10.0.1.1");
        Lab.Ip(Receiver, $"address add {ReceiverAddress}/24 dev eth0");
        Lab.Ip(Receiver, "route add default via 10.0.2.1");
        Bursts = new UdpBursts(Octets.OfMac(InsideMac), Octets.OfMac(SenderMac), [10, 0, 1, 2], [10, 0, 2, 2]);
        if (!masquerade) return;

        // Masquerading keeps a source port that is free. So these answer each flow: they are established.
        Bursts = Bursts with { Destination = [203, 0, 113, 129] };
        Answers = new UdpBursts(Octets.OfMac(OutsideMac), Octets.OfMac(SinkMac), Bursts.Destination, [10, 0, 2, 1])
        {
            AreReplies = true,
        };
    }

    public Lab Lab { get; } = new();

    public string Sender => "vm";

    public string Receiver => "sink";

    public string ReceiverAddress => "10.0.2.2";

    public UdpBursts Bursts { get; }

    public UdpBursts? Answers { get; }

    /// <inheritdoc />
    public void Dispose() => Lab.Dispose();
}
