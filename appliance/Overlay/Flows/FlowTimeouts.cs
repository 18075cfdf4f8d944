using System;
using Genkan.Wire;

namespace Genkan.Overlay.Flows;

/// <summary>How long a flow without packets stays. Long-lived connections keep the times that their RFCs ask of a
/// NAT.</summary>
public static class FlowTimeouts
{
    /// <summary>A SYN was seen in <see cref="FlowEntry.TcpSeen"/>.</summary>
    public const byte TcpSeenSyn = 1;

    /// <summary>A FIN was seen.</summary>
    public const byte TcpSeenFin = 2;

    /// <summary>A RST was seen.</summary>
    public const byte TcpSeenRst = 4;

    /// <summary>An ACK was seen.</summary>
    public const byte TcpSeenAck = 8;

    /// <summary>TCP after the handshake: 2 h 4 min (RFC 5382 §5, REQ-5).</summary>
    public static TimeSpan TcpEstablished { get; } = new(2, 4, 0);

    /// <summary>TCP while opening or closing: 4 min (RFC 5382 §5, REQ-5).</summary>
    public static TimeSpan TcpTransitory { get; } = TimeSpan.FromMinutes(4);

    /// <summary>UDP: 5 min (RFC 4787 §4.3, REQ-5 recommends it and forbids less than 2).</summary>
    public static TimeSpan Udp { get; } = TimeSpan.FromMinutes(5);

    /// <summary>ICMP queries: 60 s (RFC 5508 §3.2, REQ-2).</summary>
    public static TimeSpan Icmp { get; } = TimeSpan.FromSeconds(60);

    /// <summary>Other protocols, as RFC 4787 has it for UDP.</summary>
    public static TimeSpan Other { get; } = TimeSpan.FromMinutes(5);

    /// <summary>Flows without state: nothing is lost with them but one simulation.</summary>
    public static TimeSpan Stateless { get; } = TimeSpan.FromSeconds(60);

    /// <summary>Drops: long enough to absorb a scan, short enough to free the table after it.</summary>
    public static TimeSpan Drop { get; } = TimeSpan.FromSeconds(10);

    /// <summary>The idle time of one entry. Of a connection's two entries the agent takes the later end for
    /// both.</summary>
    /// <param name="entry">As read back.</param>
    public static TimeSpan Idle(in FlowEntry entry)
    {
        if (entry.Action.Verdict == FlowVerdict.Drop) return Drop;
        if (entry.Action.State == ConnectionState.None) return Stateless;
        return entry.Key.Protocol switch
        {
            IpProtocol.Tcp => IsEstablished(entry.TcpSeen) ? TcpEstablished : TcpTransitory,
            IpProtocol.Udp => Udp,
            IpProtocol.Icmp or IpProtocol.Icmpv6 => Icmp,
            _ => Other,
        };
    }

    // A state-only entry has seen nothing yet: it is as old as its SYN.
    private static bool IsEstablished(byte seen) =>
        (seen & TcpSeenAck) != 0 && (seen & (TcpSeenFin | TcpSeenRst)) == 0;
}
