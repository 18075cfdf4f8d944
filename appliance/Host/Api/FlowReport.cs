using System.Collections.Generic;

namespace Genkan.Host.Api;

/// <summary>One direction of a connection in the kernel's table.</summary>
public sealed record FlowReport
{
    /// <summary>Port where its packets enter.</summary>
    public required string Port { get; init; }

    /// <summary><c>tcp</c>, <c>udp</c>, <c>icmp</c>, <c>icmpv6</c>, or a number.</summary>
    public required string Protocol { get; init; }

    /// <summary>Source address.</summary>
    public required string Source { get; init; }

    /// <summary>Source port, or ICMP identifier.</summary>
    public required ushort SourcePort { get; init; }

    /// <summary>Destination address.</summary>
    public required string Destination { get; init; }

    /// <summary>Destination port; of ICMP type × 256 + code.</summary>
    public required ushort DestinationPort { get; init; }

    /// <summary><c>none</c>, <c>first</c> or <c>later</c>.</summary>
    public string Fragment { get; init; } = "none";

    /// <summary><c>forward</c>, <c>reply</c> or <c>none</c>.</summary>
    public required string State { get; init; }

    /// <summary><c>forward</c>, <c>drop</c> or <c>upcall</c> (state only: the first packet is simulated).</summary>
    public required string Verdict { get; init; }

    /// <summary>Reason if dropped.</summary>
    public string? DropReason { get; init; }

    /// <summary>What is rewritten, e.g. <c>source 198.51.100.10:1024</c>.</summary>
    public required IReadOnlyList<string> Rewrites { get; init; }

    /// <summary>Way out, e.g. <c>port red/red-b on gw1</c>; null if dropped.</summary>
    public string? Egress { get; init; }

    /// <summary>Packets so far.</summary>
    public required ulong Packets { get; init; }

    /// <summary>Octets so far.</summary>
    public required ulong Octets { get; init; }

    /// <summary>Seconds since the last packet.</summary>
    public required double IdleSeconds { get; init; }

    /// <summary>Seconds since the install.</summary>
    public required double AgeSeconds { get; init; }

    /// <summary>Whether what it depends on has changed since: the next packet is decided anew.</summary>
    public required bool IsStale { get; init; }

    /// <summary>Names of the objects that it depends on.</summary>
    public required IReadOnlyList<string> DependsOn { get; init; }
}
