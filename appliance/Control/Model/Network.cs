using System;
using System.Collections.Immutable;
using Genkan.Overlay.Topology;
using Genkan.Wire;

namespace Genkan.Control.Model;

/// <summary>A virtual switch.</summary>
public sealed record Network
{
    /// <summary>Name, unique among the tenant's networks.</summary>
    public required string Name { get; init; }

    /// <summary>Octets of an IP packet; null for what the smallest underlay carries, at most 1500.</summary>
    public int? Mtu { get; init; }

    /// <summary>False drops everything (Neutron: <c>admin_state_up</c>).</summary>
    public bool IsAdminUp { get; init; } = true;

    /// <summary>Its address ranges.</summary>
    public ImmutableArray<Subnet> Subnets { get; init; } = [];
}

/// <summary>An address range of a network and what its hosts are told.</summary>
public sealed record Subnet
{
    /// <summary>Neutron's default lease, one day.</summary>
    public static readonly TimeSpan DefaultLease = TimeSpan.FromDays(1);

    /// <summary>The range.</summary>
    public required IpPrefix Cidr { get; init; }

    /// <summary>Name, or null: then it is called by its range.</summary>
    public string? Name { get; init; }

    /// <summary>The gateway's address; null for the first address of the range (Neutron's default).</summary>
    public IpAddress? GatewayIp { get; init; }

    /// <summary>False: hosts are told of no gateway and no router takes an interface here by default.</summary>
    public bool HasGateway { get; init; } = true;

    /// <summary>Resolvers.</summary>
    public ImmutableArray<IpAddress> DnsNameservers { get; init; } = [];

    /// <summary>Domain and search list, empty for none.</summary>
    public string Domain { get; init; } = "";

    /// <summary>Time servers.</summary>
    public ImmutableArray<IpAddress> NtpServers { get; init; } = [];

    /// <summary>Further routes for its hosts.</summary>
    public ImmutableArray<HostRoute> HostRoutes { get; init; } = [];

    /// <summary>IPv4: DHCP answers. IPv6: router advertisements with stateless DHCPv6.</summary>
    public bool IsDhcpEnabled { get; init; } = true;

    /// <summary>DHCPv4 lease, whole seconds.</summary>
    public TimeSpan Lease { get; init; } = DefaultLease;

    /// <summary>What it is called in messages and references.</summary>
    public string DisplayName => Name ?? Cidr.ToString();

    /// <summary>The gateway's address with the default filled in; null if there is none.</summary>
    public IpAddress? Gateway => HasGateway && !Cidr.IsHost ? GatewayIp ?? Cidr.Host(1) : null;
}
