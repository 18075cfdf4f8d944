using System.Collections.Immutable;
using Genkan.Wire;

namespace Genkan.Control.Model;

/// <summary>A network outside (Neutron: <c>router:external</c>): the public prefixes that are routed to us.</summary>
public sealed record ExternalNetwork
{
    /// <summary>Name.</summary>
    public required string Name { get; init; }

    /// <summary>
    /// Public prefixes that the ISPs route to us: floating IPs, SNAT addresses and routed subnets come from them.
    /// </summary>
    public ImmutableArray<IpPrefix> Prefixes { get; init; } = [];
}

/// <summary>One attachment to an ISP: an interface of a gateway host.</summary>
public sealed record Uplink
{
    /// <summary>The FIB table of an uplink that names none.</summary>
    public const uint DefaultTable = 100;

    /// <summary>Name, unique in the whole state.</summary>
    public required string Name { get; init; }

    /// <summary>Name of the external network that it leads to.</summary>
    public required string ExternalNetwork { get; init; }

    /// <summary>The gateway host.</summary>
    public required string Host { get; init; }

    /// <summary>Interface of that host.</summary>
    public required string Interface { get; init; }

    /// <summary>802.1Q VID on that interface, 0 untagged.</summary>
    public ushort Vlan { get; init; }

    /// <summary>The host's own addresses there.</summary>
    public ImmutableArray<IpInterface> Addresses { get; init; } = [];

    /// <summary>Static default gateways, at most one a family; none where BGP writes the routes.</summary>
    public ImmutableArray<IpAddress> Gateways { get; init; } = [];

    /// <summary>Kernel routing table that packets to the outside are looked up in.</summary>
    public uint Table { get; init; } = DefaultTable;
}
