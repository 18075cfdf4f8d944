using System.Collections.Immutable;
using Genkan.Wire;

namespace Genkan.Control.Model;

/// <summary>A port of a network that a VM or server is plugged into.</summary>
public sealed record Port
{
    /// <summary>Name, unique among the tenant's ports.</summary>
    public required string Name { get; init; }

    /// <summary>Name of a network of the same tenant.</summary>
    public required string Network { get; init; }

    /// <summary>Null for one derived from the port's full name (02:…).</summary>
    public MacAddress? Mac { get; init; }

    /// <summary>
    /// Addresses asked for (Neutron: <c>fixed_ips</c>); null for the first free one of the first IPv4 subnet. Each
    /// advertised IPv6 subnet gives the EUI-64 address besides, since the VM forms it by itself. Empty: no address at
    /// all.
    /// </summary>
    public ImmutableArray<IpAddress>? Addresses { get; init; }

    /// <summary>Groups by name; null for the group <see cref="SecurityGroup.DefaultName"/>.</summary>
    public ImmutableArray<string>? SecurityGroups { get; init; }

    /// <summary>Anti-spoofing and security groups (Neutron: <c>port_security_enabled</c>).</summary>
    public bool IsPortSecurityEnabled { get; init; } = true;

    /// <summary>Further sources that the port may use.</summary>
    public ImmutableArray<AllowedAddressPair> AllowedAddressPairs { get; init; } = [];

    /// <summary>False drops everything.</summary>
    public bool IsAdminUp { get; init; } = true;

    /// <summary>Where it is plugged in, null for nowhere yet.</summary>
    public PortBinding? Binding { get; init; }
}

/// <summary>A source that a port may use besides its own.</summary>
/// <param name="Prefix">Addresses.</param>
/// <param name="Mac">Null for the port's own.</param>
public sealed record AllowedAddressPair(IpPrefix Prefix, MacAddress? Mac = null);

/// <summary>Where a port is plugged in.</summary>
/// <param name="Host">Name of a host.</param>
/// <param name="Interface">Interface there, at most 15 octets.</param>
/// <param name="Vlan">802.1Q VID on it, 0 untagged.</param>
public sealed record PortBinding(string Host, string Interface, ushort Vlan = 0);
