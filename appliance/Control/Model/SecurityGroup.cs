using System.Collections.Immutable;
using Genkan.Wire;

namespace Genkan.Control.Model;

/// <summary>What may enter and leave the ports that are its members; everything else is dropped.</summary>
public sealed record SecurityGroup
{
    /// <summary>Name of the group that every tenant has and that ports are in by default.</summary>
    public const string DefaultName = "default";

    /// <summary>Name, unique among the tenant's groups.</summary>
    public required string Name { get; init; }

    /// <summary>Answers to what is allowed are allowed. Only true is supported.</summary>
    public bool IsStateful { get; init; } = true;

    /// <summary>
    /// Everything may leave: the two egress rules that Neutron gives a new group. Null: true if <see cref="Rules"/> has
    /// no egress
    /// rule.
    /// </summary>
    public bool? DefaultEgress { get; init; }

    /// <summary>What is allowed, order does not matter.</summary>
    public ImmutableArray<SecurityGroupRule> Rules { get; init; } = [];

    /// <summary>
    /// The group named <see cref="DefaultName"/> of a tenant that does not list one: all egress, and ingress from its
    /// own members.
    /// </summary>
    public static SecurityGroup Default { get; } = new()
    {
        Name = DefaultName,
        DefaultEgress = true,
        Rules = [new SecurityGroupRule { Direction = Direction.Ingress, RemoteGroup = DefaultName }],
    };
}

/// <summary>Seen from the port, as in Neutron.</summary>
public enum Direction : byte
{
    /// <summary>Towards the VM.</summary>
    Ingress,

    /// <summary>From the VM.</summary>
    Egress,
}

/// <summary>One thing that is allowed. Unset fields match everything.</summary>
public sealed record SecurityGroupRule
{
    /// <summary>Direction.</summary>
    public required Direction Direction { get; init; }

    /// <summary>IPv4, IPv6, or null for what prefix and protocol imply, else both.</summary>
    public EtherType? EtherType { get; init; }

    /// <summary>Transport protocol, or null for all. ICMP in an IPv6 rule means ICMPv6.</summary>
    public IpProtocol? Protocol { get; init; }

    /// <summary>First destination port of TCP, UDP or SCTP.</summary>
    public ushort? PortRangeMin { get; init; }

    /// <summary>Last destination port, inclusive.</summary>
    public ushort? PortRangeMax { get; init; }

    /// <summary>Type of ICMP or ICMPv6.</summary>
    public byte? IcmpType { get; init; }

    /// <summary>Code; only with <see cref="IcmpType"/>.</summary>
    public byte? IcmpCode { get; init; }

    /// <summary>The other side's addresses.</summary>
    public IpPrefix? RemoteIpPrefix { get; init; }

    /// <summary>Or: the other side is a member of this group of the same tenant.</summary>
    public string? RemoteGroup { get; init; }

    /// <summary>The family that the rule is for, null for both.</summary>
    public EtherType? Family => EtherType ?? FamilyOfPrefix ?? Protocol switch
    {
        IpProtocol.Icmp => Wire.EtherType.Ipv4,
        IpProtocol.Icmpv6 => Wire.EtherType.Ipv6,
        _ => null,
    };

    private EtherType? FamilyOfPrefix => RemoteIpPrefix is not { } prefix
        ? null
        : prefix.IsIpv4 ? Wire.EtherType.Ipv4 : Wire.EtherType.Ipv6;
}
