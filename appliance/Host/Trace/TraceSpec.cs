using Genkan.Wire;

namespace Genkan.Host.Trace;

/// <summary>A packet to trace, as it was asked for; what is left out is filled in from the topology.</summary>
/// <param name="Place">Name of a port (with or without its tenant) or of an uplink.</param>
/// <param name="IsUplink">Whether <paramref name="Place"/> is an uplink.</param>
/// <param name="Packet">The packet.</param>
/// <param name="HopLimit">TTL or hop limit.</param>
/// <param name="From">Source MAC; null for the port's own.</param>
/// <param name="To">Destination MAC; null for what the topology says.</param>
internal sealed record TraceSpec(
    string Place, bool IsUplink, TracePacket Packet, byte HopLimit, MacAddress? From, MacAddress? To)
{
    /// <summary>TTL of a packet that names none.</summary>
    public const byte DefaultHopLimit = 64;
}

/// <summary>What is inside the Ethernet header.</summary>
internal abstract record TracePacket
{
    /// <summary>ARP request, <c>arp who-has TARGET tell SENDER</c>; null for the port's own address.</summary>
    public sealed record Arp(IpAddress Target, IpAddress? Sender) : TracePacket;

    /// <summary>Neighbour solicitation, <c>nd who-has TARGET tell SENDER</c>.</summary>
    public sealed record NeighborSolicitation(IpAddress Target, IpAddress? Sender) : TracePacket;

    /// <summary>TCP, UDP or SCTP, or another protocol without ports.</summary>
    public sealed record Ip(
        IpAddress Source, IpAddress Destination, IpProtocol Protocol, ushort SourcePort, ushort DestinationPort,
        TcpFlags Flags)
        : TracePacket;

    /// <summary>ICMP or ICMPv6.</summary>
    public sealed record Icmp(
        IpAddress Source, IpAddress Destination, byte Type, byte Code, ushort Identifier) : TracePacket;
}

/// <summary>Why words are no packet.</summary>
/// <param name="At">Character in the words, joined by single blanks, from 0; a word that is missing at the end is one
/// blank behind them.</param>
/// <param name="Length">Characters, at least 1.</param>
/// <param name="Rule">What is wrong.</param>
/// <param name="Hint">What to do, or empty.</param>
internal sealed record TraceFault(int At, int Length, string Rule, string Hint);
