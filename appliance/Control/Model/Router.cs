using System.Collections.Immutable;
using Genkan.Overlay.Topology;
using Genkan.Wire;

namespace Genkan.Control.Model;

/// <summary>A virtual router.</summary>
public sealed record Router
{
    /// <summary>Name, unique among the tenant's routers.</summary>
    public required string Name { get; init; }

    /// <summary>False drops everything.</summary>
    public bool IsAdminUp { get; init; } = true;

    /// <summary>Networks it joins.</summary>
    public ImmutableArray<RouterInterface> Interfaces { get; init; } = [];

    /// <summary>Its way out, or null.</summary>
    public ExternalGateway? ExternalGateway { get; init; }

    /// <summary>Static routes (Neutron: extra routes).</summary>
    public ImmutableArray<StaticRoute> Routes { get; init; } = [];
}

/// <summary>
/// A router's attachment to a subnet, or to several of one network. All of one network share a port of the router.
/// </summary>
/// <param name="Subnet">
/// A subnet's name, or <c>network/subnet</c> with its name or range, or a network's name for all its subnets that have
/// a gateway.
/// </param>
/// <param name="Address">The router's address there; null for the subnet's gateway. Only with a single subnet.</param>
public sealed record RouterInterface(string Subnet, IpAddress? Address = null);

/// <summary>A router's way out (Neutron: <c>external_gateway_info</c>).</summary>
public sealed record ExternalGateway
{
    /// <summary>Name of the external network.</summary>
    public required string Network { get; init; }

    /// <summary>
    /// The router's public IPv4 address: source of what SNAT translates. Null: no IPv4 to the outside but floating IPs.
    /// </summary>
    public IpAddress? Address { get; init; }

    /// <summary>
    /// Translate the source of what has no floating IP (Neutron: <c>enable_snat</c>). Needs <see cref="Address"/>.
    /// </summary>
    public bool IsSnatEnabled { get; init; } = true;

    /// <summary>
    /// Ports of the address by host; empty for equal shares of 1024 to 65535, in the order of the hosts.
    /// </summary>
    public ImmutableArray<SnatBlock> SnatBlocks { get; init; } = [];
}

/// <summary>Ports of a SNAT address that one host translates with; whole granules of 64.</summary>
/// <param name="Host">Name of the host.</param>
/// <param name="FirstPort">First port.</param>
/// <param name="LastPort">Last port, inclusive.</param>
public sealed record SnatBlock(string Host, ushort FirstPort, ushort LastPort);

/// <summary>A static route of a router.</summary>
/// <param name="Destination">Where to.</param>
/// <param name="Target">Port (by <paramref name="NextHop"/>), blackhole or reject.</param>
/// <param name="NextHop">An address on one of the router's subnets; null unless the target is a port.</param>
public sealed record StaticRoute(IpPrefix Destination, RouteTarget Target, IpAddress? NextHop);
