using System.Collections.Generic;

namespace Genkan.Host.Api;

/// <summary>How an agent is.</summary>
public sealed record StatusReport
{
    /// <summary>The host.</summary>
    public required string Host { get; init; }

    /// <summary>Version of the program.</summary>
    public required string Version { get; init; }

    /// <summary>Process number.</summary>
    public required int ProcessId { get; init; }

    /// <summary>Seconds since the agent started.</summary>
    public required double UptimeSeconds { get; init; }

    /// <summary>The file that it was given.</summary>
    public required string ConfigFile { get; init; }

    /// <summary>Revision of the topology: 1 at start, one more at each reload.</summary>
    public required long Revision { get; init; }

    /// <summary><c>tcx</c> or <c>clsact</c>.</summary>
    public required string Attach { get; init; }

    /// <summary>Seconds since the packet loop last said that it lives; after 10 nothing crosses between external
    /// segments.</summary>
    public required double HeartbeatAgeSeconds { get; init; }

    /// <summary>The longest time between two such signs since the agent started.</summary>
    public required double HeartbeatGapMaxSeconds { get; init; }

    /// <summary>Pins were found at start and taken over: flows went on meanwhile.</summary>
    public required bool IsAdopted { get; init; }

    /// <summary>Address of its tunnels.</summary>
    public required string UnderlayAddress { get; init; }

    /// <summary>Who puts the tunnels' outer headers on: <c>direct on INTERFACE</c>, or <c>kernel: </c> and
    /// why.</summary>
    public required string Tunnels { get; init; }

    /// <summary>All hosts of the topology.</summary>
    public required IReadOnlyList<HostReport> Hosts { get; init; }

    /// <summary>Ports of this host, bound ones of them, uplinks.</summary>
    public required PortCounts Ports { get; init; }

    /// <summary>Threads that handle packets.</summary>
    public required int Workers { get; init; }

    /// <summary>Octets of packets that wait for them.</summary>
    public required long BacklogOctets { get; init; }

    /// <summary>How long packets took in each worker.</summary>
    public required IReadOnlyList<LatencyReport> UpcallLatency { get; init; }

    /// <summary>Entries of the kernel's tables.</summary>
    public required TableCounts Tables { get; init; }

    /// <summary>What the slow path did since start.</summary>
    public required SlowPathCounts SlowPath { get; init; }

    /// <summary>Packets dropped since the tables were made, all reasons but <c>answered</c>.</summary>
    public required ulong DroppedPackets { get; init; }

    /// <summary>Things an operator should look at, as sentences; empty if all is well.</summary>
    public required IReadOnlyList<string> Warnings { get; init; }
}

/// <summary>A host of the topology.</summary>
/// <param name="Name">Name.</param>
/// <param name="UnderlayAddress">Address of its tunnels.</param>
/// <param name="IsLocal">Whether it is the one that answers.</param>
/// <param name="PathMtuOctets">Longest packet that is known to arrive there; 0 if nothing is known, and for the one
/// that answers.</param>
/// <param name="PathMtuState"><c>found</c>; <c>silent</c>: it answered no probe of the last round; <c>probing</c>: the
/// first round is not over; <c>local</c>.</param>
public sealed record HostReport(
    string Name, string UnderlayAddress, bool IsLocal, int PathMtuOctets, string PathMtuState);

/// <summary>Ports of a host.</summary>
/// <param name="Known">Ports that the topology binds here, uplinks too.</param>
/// <param name="Bound">Those whose interface exists and has the program.</param>
/// <param name="Uplinks">Uplinks among the known.</param>
public sealed record PortCounts(int Known, int Bound, int Uplinks);

/// <summary>Entries of the kernel's tables.</summary>
/// <param name="Ipv4">Entries of IPv4's connection table, each direction counted, and room for them.</param>
/// <param name="Ipv6">The same of IPv6.</param>
/// <param name="Classes">Flow classes.</param>
/// <param name="NextHops">Next hops.</param>
/// <param name="Translations">NAT mappings of this host.</param>
/// <param name="MemoryOctets">Kernel memory of all tables and rings.</param>
/// <param name="HeapOctets">Memory that the agent's collector holds.</param>
public sealed record TableCounts(
    FamilyCounts Ipv4, FamilyCounts Ipv6, long Classes, long NextHops, long Translations, long MemoryOctets,
    long HeapOctets);

/// <summary>What the slow path did.</summary>
/// <param name="Upcalls">Packets that came up.</param>
/// <param name="Simulations">Packets simulated.</param>
/// <param name="Installs">Flows installed.</param>
/// <param name="Answers">Packets answered (ARP, ND, DHCP, ICMP).</param>
/// <param name="InstallsRefused">Installs refused: the topology had moved on, or a table was full.</param>
/// <param name="ErrorsWithheld">ICMP errors not sent, over the limit of their port.</param>
/// <param name="Fragmented">Packets cut into fragments, since their way out did not take them whole.</param>
/// <param name="WaitingFragments">Fragments that wait for their first one.</param>
public sealed record SlowPathCounts(
    long Upcalls, long Simulations, long Installs, long Answers, long InstallsRefused, long ErrorsWithheld,
    long Fragmented, long WaitingFragments);
