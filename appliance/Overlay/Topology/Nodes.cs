using System;
using Genkan.Wire;

namespace Genkan.Overlay.Topology;

/// <summary>A virtual port, linked to what it touches. Written by <see cref="TopologyLinker"/> only.</summary>
internal sealed class PortNode(VirtualPort model)
{
    public readonly VirtualPort Model = model;
    public readonly ObjectId Id = model.Id;
    public readonly string Name = model.Name;
    public readonly PortRole Role = model.Role;
    public readonly MacAddress Mac = model.Mac;
    public readonly bool IsAdminUp = model.IsAdminUp;
    public readonly bool PortSecurity = model.PortSecurity;
    public BridgeNode? Bridge;
    public RouterNode? Router;
    public PortNode? Peer;
    public ChainNode? FromPort;
    public ChainNode? ToPort;
    public PairNode[] Pairs = [];

    /// <summary>A router's port at which translations take place.</summary>
    public bool IsExternal;

    /// <summary>Own address of each family (router ports), unspecified without one; link-local for any port with a
    /// MAC.</summary>
    public IpAddress Address4 = IpAddress.Unspecified4;
    public IpAddress Address6 = IpAddress.Unspecified6;
    public IpAddress LinkLocal = IpAddress.Unspecified6;

    /// <summary>Uplinks: the network behind.</summary>
    public ExternalNetworkNode? ExternalNetwork;

    /// <summary>Exterior and uplink: where it is bound, None if nowhere.</summary>
    public ObjectId Host = model.Binding?.Host ?? ObjectId.None;
}

/// <summary>A source that a port may use.</summary>
internal readonly struct PairNode(AddressPair pair)
{
    private readonly ulong _mac = pair.Mac.Value;
    private readonly UInt128 _network = pair.Prefix.Address.Value;
    private readonly UInt128 _mask = Masks.Of(pair.Prefix);

    public bool HasMac(MacAddress mac) => _mac == mac.Value;

    public bool Allows(MacAddress mac, IpAddress address) =>
        _mac == mac.Value && (address.Value & _mask) == _network;
}

/// <summary>Masks over the 128 bits of an address, so that IPv4 and IPv6 compare alike.</summary>
internal static class Masks
{
    public static UInt128 Of(IpPrefix prefix) => OfLength(prefix.IsIpv4 ? prefix.LengthBits + 96 : prefix.LengthBits);

    public static UInt128 OfLength(int bits) => bits == 0 ? UInt128.Zero : UInt128.MaxValue << (128 - bits);
}

/// <summary>Whose an address of a bridge is. Without a port the bridge itself answers (DHCP server).</summary>
internal sealed record NeighbourNode(IpAddress Address, MacAddress Mac, PortNode? Port, bool IsRouter);

/// <summary>A bridge, linked.</summary>
internal sealed class BridgeNode(Bridge model)
{
    public readonly Bridge Model = model;
    public readonly ObjectId Id = model.Id;
    public readonly ObjectId MembersTag = model.Id.Aspect(Aspects.BridgeMembers);
    public readonly string Name = model.Name;
    public readonly int Mtu = model.Mtu;
    public readonly bool IsAdminUp = model.IsAdminUp;

    /// <summary>Source of answers where no router stands for the service: locally administered, from the bridge's
    /// id.</summary>
    public readonly MacAddress ServiceMac = new((model.Id.Value & 0x00ff_ffff_ffff) | 0x0200_0000_0000);

    /// <summary>Port by MAC: exterior ports, and interior ports by the MAC of the router behind.</summary>
    public KeyTable<PortNode> Macs = new([]);
    public KeyTable<NeighbourNode> Neighbours = new([]);
    public NeighbourNode[] NeighbourList = [];
    public PortNode[] LocalPorts = [];
    public ObjectId[] OtherHosts = [];

    /// <summary>Router ports that face this bridge.</summary>
    public PortNode[] RouterPorts = [];
    public bool HasDhcpv4;
    public bool HasIpv6;
}

/// <summary>A router, linked.</summary>
internal sealed class RouterNode(Router model)
{
    public readonly Router Model = model;
    public readonly ObjectId Id = model.Id;
    public readonly ObjectId RoutesTag = model.Id.Aspect(Aspects.RouterRoutes);
    public readonly ObjectId TranslationsTag = model.Id.Aspect(Aspects.RouterTranslations);
    public readonly string Name = model.Name;
    public readonly bool IsAdminUp = model.IsAdminUp;
    public RouteTable Routes = RouteTable.Empty;
    public PortNode[] Ports = [];

    /// <summary>Port by own address; link-local ones are looked for at the port itself.</summary>
    public KeyTable<PortNode> OwnAddresses = new([]);
    public KeyTable<FloatingIpNode> FloatingByAddress = new([]);
    public KeyTable<FloatingIpNode> FloatingByFixed = new([]);
    public KeyTable<PortForward[]> ForwardsByAddress = new([]);
    public KeyTable<PortForward[]> ForwardsByFixed = new([]);
    public SourceNatNode? SourceNat;
    public bool HasTranslations;

    /// <summary>The outside, if this is its provider router.</summary>
    public ExternalNetworkNode? Provides;
}

/// <summary>A floating IP, linked.</summary>
internal sealed record FloatingIpNode(FloatingIp Model, PortNode ExternalPort);

/// <summary>A source NAT pool, linked.</summary>
internal sealed class SourceNatNode(SourceNat model, RouterNode router, PortNode externalPort)
{
    public readonly SourceNat Model = model;
    public readonly ObjectId Id = model.Id;
    public readonly RouterNode Router = router;
    public readonly PortNode ExternalPort = externalPort;

    /// <summary>Leases of one public address.</summary>
    public KeyTable<NatBlockLease[]> Leases = new([]);

    /// <summary>First lease of the local host, <c>default</c> without one.</summary>
    public NatBlockLease LocalLease;
}

/// <summary>The outside, linked.</summary>
internal sealed class ExternalNetworkNode(ExternalNetwork model)
{
    public readonly ExternalNetwork Model = model;
    public readonly ObjectId Id = model.Id;
    public RouterNode? Router;

    /// <summary>Gateway hosts, each once.</summary>
    public ObjectId[] Hosts = [];
}

/// <summary>A chain, compiled.</summary>
internal sealed class ChainNode(Chain model)
{
    public readonly ObjectId Id = model.Id;
    public readonly string Name = model.Name;
    public readonly RuleVerdict Default = model.Default;
    public RuleNode[] Rules = [];
}

/// <summary>Members of an address group, for look-up.</summary>
internal sealed class GroupNode(AddressGroup model, KeyTable<bool> members)
{
    public readonly ObjectId Id = model.Id;
    public readonly KeyTable<bool> Members = members;
}

/// <summary>A rule, compiled: unset parts match by a zero mask.</summary>
internal struct RuleNode
{
    public UInt128 Source;
    public UInt128 SourceMask;
    public UInt128 Destination;
    public UInt128 DestinationMask;
    public ChainNode? JumpTo;
    public GroupNode? SourceGroup;
    public GroupNode? DestinationGroup;
    public EtherType EtherType;
    public ushort PortMin;
    public ushort PortMax;
    public IpProtocol Protocol;
    public RuleVerdict Verdict;
    public bool HasPorts;
    public bool HasSource;
    public bool HasDestination;
}

/// <summary>A route, linked.</summary>
internal sealed record RouteNode(Route Model, PortNode? Port, ulong Hash)
{
    public readonly RouteTarget Target = Model.Target;
    public readonly IpAddress Gateway = Model.Gateway;
    public readonly bool HasGateway = !Model.Gateway.IsUnspecified;
}
