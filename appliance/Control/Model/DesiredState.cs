using System.Collections.Immutable;

namespace Genkan.Control.Model;

/// <summary>
/// What operators and tenants want, in the nouns of OpenStack Networking. It knows nothing of the file, the request or
/// the
/// store that it came from; order is kept, because errors name elements by their index.
/// </summary>
public sealed record DesiredState
{
    /// <summary>Every host that runs an agent.</summary>
    public ImmutableArray<Host> Hosts { get; init; } = [];

    /// <summary>The outside: what public addresses there are.</summary>
    public ImmutableArray<ExternalNetwork> ExternalNetworks { get; init; } = [];

    /// <summary>Attachments of hosts to ISPs.</summary>
    public ImmutableArray<Uplink> Uplinks { get; init; } = [];

    /// <summary>Tenants (Neutron: projects); their names and addresses are apart from each other's.</summary>
    public ImmutableArray<Tenant> Tenants { get; init; } = [];
}

/// <summary>One owner of virtual networks (Neutron: project). Names are unique inside it.</summary>
public sealed record Tenant
{
    /// <summary>Name, the first part of every full name such as <c>red/red-a</c>.</summary>
    public required string Name { get; init; }

    /// <summary>Virtual switches.</summary>
    public ImmutableArray<Network> Networks { get; init; } = [];

    /// <summary>Virtual routers.</summary>
    public ImmutableArray<Router> Routers { get; init; } = [];

    /// <summary>Security groups; <see cref="SecurityGroup.DefaultName"/> exists even if it is not listed.</summary>
    public ImmutableArray<SecurityGroup> SecurityGroups { get; init; } = [];

    /// <summary>Ports that VMs and servers are plugged into.</summary>
    public ImmutableArray<Port> Ports { get; init; } = [];

    /// <summary>Public addresses, each mapped 1:1 to a port.</summary>
    public ImmutableArray<FloatingIp> FloatingIps { get; init; } = [];

    /// <summary>Public transport ports, each mapped to a port's transport port.</summary>
    public ImmutableArray<PortForward> PortForwards { get; init; } = [];
}
