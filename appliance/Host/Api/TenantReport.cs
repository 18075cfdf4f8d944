using System.Collections.Generic;

namespace Genkan.Host.Api;

/// <summary>
/// Who asks for the agent's time and for room in its tables: a tenant with its ports on this host, all that comes from
/// outside, all that other hosts send. Entries of a tenant are those that its ports opened; of hosts, those of answers
/// to what they opened to ports here: <see cref="ShareReport.Answers"/> says to which.
/// </summary>
public sealed record TenantReport : QuotaReport
{
    /// <summary>Name of the tenant; <c>outside</c> and <c>hosts</c> of the other two.</summary>
    public required string Name { get; init; }

    /// <summary><c>tenant</c>, <c>outside</c> or <c>hosts</c>.</summary>
    public required string Kind { get; init; }

    /// <summary>First packets of flows a second that were asked for in the last turns.</summary>
    public required double AskedPerSecond { get; init; }

    /// <summary>First packets of flows a second that it may have now.</summary>
    public required double AllowedPerSecond { get; init; }

    /// <summary>Packets and broadcasts over its budget or over a member's, since the tables were made.</summary>
    public required ulong Refused { get; init; }

    /// <summary>Its ports; of outside what is sent to, of hosts the hosts. Whoever was refused most is first.</summary>
    public required IReadOnlyList<ShareReport> Members { get; init; }
}

/// <summary>One budget: of a port, of a destination from outside, of another host. Other hosts have no quota of entries
/// each, nor has a prefix of many addresses.</summary>
public sealed record ShareReport : QuotaReport
{
    /// <summary>Full name of the port, prefix of the destination, or name of the host.</summary>
    public required string Name { get; init; }

    /// <summary>Of a port: entries of its answers, both families; it did not open those connections, others did, here
    /// or on other hosts.</summary>
    public required long Answers { get; init; }

    /// <summary>First packets of flows a second that were asked for in the last turns.</summary>
    public required double AskedPerSecond { get; init; }

    /// <summary>First packets of flows a second that it may have now.</summary>
    public required double AllowedPerSecond { get; init; }

    /// <summary>Whether most of its flows come to nothing: a scan, or a flood.</summary>
    public required bool ComesToNothing { get; init; }

    /// <summary>Units admitted: first packets of flows, and one more each 2,048 octets.</summary>
    public required ulong Admitted { get; init; }

    /// <summary>First packets of flows refused.</summary>
    public required ulong RefusedFlows { get; init; }

    /// <summary>ARP, ND, DHCP and ICMP to the agent refused.</summary>
    public required ulong RefusedControl { get; init; }

    /// <summary>Copies of broadcasts refused.</summary>
    public required ulong RefusedCopies { get; init; }

    /// <summary>All that was refused.</summary>
    public ulong Refused => RefusedFlows + RefusedControl + RefusedCopies;
}
