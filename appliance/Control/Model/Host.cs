using Genkan.Wire;

namespace Genkan.Control.Model;

/// <summary>A server that runs an agent: a hypervisor, a gateway, or both.</summary>
public sealed record Host
{
    /// <summary>Name as operators write it.</summary>
    public required string Name { get; init; }

    /// <summary>Its side of the tunnels.</summary>
    public required Underlay Underlay { get; init; }
}

/// <summary>The network between hosts, seen from one of them.</summary>
public sealed record Underlay
{
    /// <summary>The host's own address: outer source of its tunnels. All hosts use one family.</summary>
    public required IpAddress Address { get; init; }

    /// <summary>The interface that holds the address.</summary>
    public required string Interface { get; init; }

    /// <summary>Octets of the largest IP packet that the underlay carries.</summary>
    public int Mtu { get; init; } = 1500;

    /// <summary>UDP port of VXLAN (RFC 7348 §5), the same on all hosts.</summary>
    public ushort VxlanPort { get; init; } = 4789;

    /// <summary>Who puts the outer headers on, and takes them off.</summary>
    public Encapsulation Encapsulation { get; init; } = Encapsulation.Direct;

    /// <summary>
    /// Octets that VXLAN adds to an IP packet: 50 over IPv4, 70 over IPv6 (outer IP, UDP, VXLAN, inner Ethernet).
    /// </summary>
    public int OverheadOctets => Address.IsIpv4 ? 50 : 70;

    /// <summary>Octets of the largest tenant packet that crosses without fragments.</summary>
    public int TenantMtuMax => Mtu - OverheadOctets;
}

/// <summary>Who puts a tunnel's outer headers on, and takes them off.</summary>
public enum Encapsulation
{
    /// <summary>Our programs where that is sure, past the host's own firewall; the kernel elsewhere.</summary>
    Direct,

    /// <summary>The kernel, for every packet: netfilter and IPsec of the host see them all.</summary>
    Kernel,
}
