using System;
using Genkan.Benchmarks.Traffic;

namespace Genkan.Benchmarks.Peers;

/// <summary>
/// Linux as a router: a namespace that forwards between two veths, a generator before and a sink behind it; with
/// source NAT and a stateful filter if asked. Neighbours are static, reverse-path filters are off: the fastest that
/// it can be.
/// </summary>
internal sealed class RouterPeer : ISide
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

    private readonly Lab _lab = new();
    private readonly Sink _sink;
    private readonly FrameGenerator _generator;
    private readonly FrameGenerator? _answers;

    /// <summary>Builds it.</summary>
    /// <param name="masquerade">Whether it translates and filters, like a tenant's router with security groups.</param>
    /// <param name="flowCount">Flows that the generator sends by turns.</param>
    internal RouterPeer(bool masquerade, int flowCount)
    {
        foreach (string role in (string[])["vm", "router", "sink"]) _lab.AddNamespace(role);
        _lab.AddCable("vm", "eth0", "router", "inside");
        _lab.AddCable("router", "outside", "sink", "eth0");
        _lab.Ip("vm", $"link set eth0 address {SenderMac}");
        _lab.Ip("router", $"link set inside address {InsideMac}");
        _lab.Ip("router", $"link set outside address {OutsideMac}");
        _lab.Ip("sink", $"link set eth0 address {SinkMac}");
        _lab.Ip("router", "address add 10.0.1.1/24 dev inside");
        _lab.Ip("router", "address add 10.0.2.1/24 dev outside");
        _lab.Ip("router", $"neighbour replace 10.0.1.2 lladdr {SenderMac} dev inside nud permanent");
        _lab.Ip("router", $"neighbour replace 10.0.2.2 lladdr {SinkMac} dev outside nud permanent");
        _lab.Run("router", "sysctl -qw net.ipv4.ip_forward=1 net.ipv4.conf.all.rp_filter=0 "
            + "net.ipv4.conf.inside.rp_filter=0 net.ipv4.conf.outside.rp_filter=0");
        if (masquerade) _lab.Run("router", "nft -f -", Rules);

        _sink = new Sink(_lab, "sink", "eth0");
        UdpBursts bursts = new(Mac(InsideMac), Mac(SenderMac), [10, 0, 1, 2], [10, 0, 2, 2]);
        _generator = new FrameGenerator(_lab, "vm", "eth0", bursts, flowCount);
        if (!masquerade) return;

        // Masquerading keeps a source port that is free. So these answer each flow: they are established.
        UdpBursts replies = new(Mac(OutsideMac), Mac(SinkMac), [10, 0, 2, 2], [10, 0, 2, 1]) { AreReplies = true };
        _answers = new FrameGenerator(_lab, "sink", "eth0", replies, flowCount);
    }

    /// <summary>Millions of packets that arrive for each second of the core's time.</summary>
    public double[] Measure() => [_generator.Measure(_sink, _answers)];

    /// <inheritdoc />
    public void Dispose()
    {
        _sink.Dispose();
        _lab.Dispose();
    }

    private static byte[] Mac(string text) => Convert.FromHexString(text.Replace(":", "", StringComparison.Ordinal));
}
