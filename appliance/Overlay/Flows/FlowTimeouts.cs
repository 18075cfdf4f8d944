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

    /// <summary>An ACK was seen in a packet without SYN and RST: its sender is past its own SYN.</summary>
    public const byte TcpSeenBeyondSyn = 16;

    /// <summary>A whole handshake, by what one end alone has sent: nobody goes on after a SYN without an
    /// answer.</summary>
    public const byte TcpSeenHandshake = TcpSeenSyn | TcpSeenBeyondSyn;

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

    /// <summary>The shortest of all but drops: no other flow ends earlier.</summary>
    public static TimeSpan Shortest { get; } = TimeSpan.FromSeconds(60);

    /// <summary>
    /// What nobody has answered, or has ended, while its share of the table is more than half used. RFC 5382 §5 REQ-5
    /// asks for 4 minutes of what is opening or closing; a flood would hold its room for as long. The established are
    /// not touched.
    /// </summary>
    public static TimeSpan Unanswered { get; } = TimeSpan.FromSeconds(15);

    /// <summary>
    /// TCP that both ends have closed, while its share is scarce: a last ACK that was lost is asked for again after a
    /// second (RFC 6298 §2.1). A client that opens 9,000 connections a second would otherwise fill
    /// its share with ended ones, and then open none.
    /// </summary>
    public static TimeSpan Closed { get; } = TimeSpan.FromSeconds(2);

    /// <summary>Drops: long enough to absorb a scan, short enough to free the table after it.</summary>
    public static TimeSpan Drop { get; } = TimeSpan.FromSeconds(10);

    /// <summary>The idle time of an entry whose other direction is not on this host.</summary>
    /// <param name="entry">As read back.</param>
    public static TimeSpan Idle(in FlowEntry entry) => Idle(entry, default);

    /// <summary>The idle time of one entry of a connection: the same for both.</summary>
    /// <param name="entry">As read back.</param>
    /// <param name="twin">The other direction's entry; <c>default</c> without one.</param>
    /// <param name="isScarce">Whether the share of the table that they count in is more than half used.</param>
    public static TimeSpan Idle(in FlowEntry entry, in FlowEntry twin, bool isScarce = false)
    {
        // A refused reply keeps its connection's state for as long as the connection would live.
        if (IsNegative(entry)) return Drop;
        if (isScarce && IsClosed(entry, twin)) return Closed;
        if (isScarce && !IsInUse(entry, twin)) return Unanswered;
        if (entry.Action.State == ConnectionState.None) return Stateless;
        return entry.Key.Protocol switch
        {
            // Half closed, and the one who should go on may be gone for ever.
            IpProtocol.Tcp when isScarce && (IsEnding(entry) || IsEnding(twin)) => TcpTransitory,
            IpProtocol.Tcp => IsEstablished(entry, twin) ? TcpEstablished : TcpTransitory,
            IpProtocol.Udp => Udp,
            IpProtocol.Icmp or IpProtocol.Icmpv6 => Icmp,
            _ => Other,
        };
    }

    /// <summary>Whether an entry holds nothing but a drop verdict.</summary>
    /// <param name="entry">As read back.</param>
    public static bool IsNegative(in FlowEntry entry) =>
        entry.Action.Verdict == FlowVerdict.Drop && entry.Action.State != ConnectionState.Reply;

    /// <summary>Whether an entry may have less than <see cref="Unanswered"/> to live, whatever its twin says.</summary>
    /// <param name="entry">As read back.</param>
    public static bool IsEnding(in FlowEntry entry) =>
        entry.Key.Protocol == IpProtocol.Tcp && (entry.TcpSeen & TcpSeenFin) != 0;

    private static bool IsClosed(in FlowEntry entry, in FlowEntry twin) => entry.Key.Protocol == IpProtocol.Tcp
        && (entry.TcpSeen & twin.TcpSeen & TcpSeenFin) != 0;

    // TCP by its flags; else both directions have met packets. Where the answers enter at another host, the
    // originator's second packet has to do.
    private static bool IsInUse(in FlowEntry entry, in FlowEntry twin) => entry.Key.Protocol == IpProtocol.Tcp
        ? IsEstablished(entry, twin)
        : entry.Packets > 0 && (twin.Key == default ? entry.Packets > 1 : twin.Packets > 0);

    // RFC 7857 §2: both have acknowledged, not both have sent FIN, and no RST was the last word of its sender.
    private static bool IsEstablished(in FlowEntry entry, in FlowEntry twin)
    {
        if (((entry.TcpSeen | twin.TcpSeen) & TcpSeenRst) != 0) return false;
        if (entry.Packets > 0 && twin.Packets > 0)
            return (entry.TcpSeen & twin.TcpSeen & (TcpSeenAck | TcpSeenFin)) == TcpSeenAck;

        // Where the other direction enters at another host, this one's handshake tells of it; an ACK alone says
        // nothing. Its FIN is the only one to be seen here.
        return ((entry.TcpSeen | twin.TcpSeen) & (TcpSeenHandshake | TcpSeenFin)) == TcpSeenHandshake;
    }
}
