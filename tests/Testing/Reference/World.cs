using System;
using System.Collections.Generic;
using System.Text.Json.Serialization;
using Genkan.Overlay.Flows;
using Genkan.Wire;

namespace Genkan.Testing.Reference;

/// <summary><c>enum port_kind</c>.</summary>
internal enum PortKind : byte
{
    Unused = 0,
    Tenant = 1,
    Uplink = 2,
    L2External = 3,
    Pseudo = 4,
}

/// <summary><c>enum nexthop_kind</c>.</summary>
internal enum NextHopKind : byte
{
    None = 0,
    Port = 1,
    Tunnel = 2,
    FibExit = 3,
    Replicate = 4,
    Deliver = 5,
}

/// <summary><c>enum delivery_kind</c>.</summary>
internal enum DeliveryKind : byte
{
    None = 0,
    Port = 1,
    Flood = 2,
    FibExit = 3,
    NatReturn = 4,
}

/// <summary>What may be wrong with the tags of an entry that is reused while it is read.</summary>
internal enum TagFault : byte
{
    None = 0,
    OtherKey = 1, // both tags hold the digest of another key
    Torn = 2, // head and tail differ
}

/// <summary>What a route says (RFC 1812 §5.2.4; <c>ip-route(8)</c>).</summary>
internal enum RouteResult : byte
{
    Known = 0, // the gateway's MAC is known
    Unresolved = 1,
    Blackhole = 2,
    Reject = 3,
}

/// <summary>
/// The tables before the first packet (flow_maps.h), and what the kernel knows besides: devices and routes. Rows are
/// plain values, so that a case is a file that one can read and change. MACs are 48-bit numbers; addresses are 128-bit
/// numbers, IPv4 in the first 32 bits, as <c>flow_types.h</c> has its octets.
/// </summary>
internal sealed record World
{
    public uint VxlanIfindex { get; init; } = 4;

    public ushort VxlanPort { get; init; } = 4790;

    /// <summary>Octets of the longest packet that every way out takes; 0: 1280.</summary>
    public ushort MtuAlways { get; init; }

    public ulong DigestSeed { get; init; } = 0x0123_4567_89AB_CDEF;

    /// <summary>max_entries of each connection table.</summary>
    public int ConnectionsMax { get; init; } = 64;

    public IReadOnlyList<LinkRow> Links { get; init; } = [];

    public IReadOnlyList<PortRow> Ports { get; init; } = [];

    public IReadOnlyList<ConnRow> Connections { get; init; } = [];

    public IReadOnlyList<ClassRow> Classes { get; init; } = [];

    public IReadOnlyList<GenerationRow> Generations { get; init; } = [];

    public IReadOnlyList<NextHopRow> NextHops { get; init; } = [];

    public IReadOnlyList<DeliveryRow> Deliveries { get; init; } = [];

    public IReadOnlyList<ReplicationRow> Replications { get; init; } = [];

    public IReadOnlyList<NeighbourRow> Neighbours { get; init; } = [];

    public IReadOnlyList<NatOwnerRow> NatOwners { get; init; } = [];

    public IReadOnlyList<ServiceRow> Services { get; init; } = [];

    public IReadOnlyList<DestinationRow> Destinations { get; init; } = [];

    public IReadOnlyList<VtepRow> Vteps { get; init; } = [];

    public IReadOnlyList<BudgetRow> Budgets { get; init; } = [];

    public IReadOnlyList<CreditRow> Credits { get; init; } = [];

    public IReadOnlyList<DatagramRow> Datagrams { get; init; } = [];

    public IReadOnlyList<ShareRow> Shares { get; init; } = [];

    /// <summary>No agent has been heard of for longer than FENCE_SECONDS.</summary>
    public bool IsAgentSilent { get; init; }

    /// <summary>The agent does not read: no room for first packets of flows.</summary>
    public bool IsDataRingFull { get; init; }

    /// <summary>The same for control packets.</summary>
    public bool IsControlRingFull { get; init; }

    [JsonIgnore]
    public IReadOnlyList<DeviceRow> Devices { get; init; } = [];

    [JsonIgnore]
    public IReadOnlyList<RouteRow> Routes { get; init; } = [];
}

internal sealed record LinkRow(uint Ifindex, uint Vlan, uint Slot);

/// <summary><c>struct port</c>.</summary>
internal sealed record PortRow(uint Slot, PortKind Kind)
{
    public bool IsAdminDown { get; init; }

    public bool IsPeer { get; init; }

    public bool IsL3Key { get; init; }

    public uint Ifindex { get; init; }

    public ushort KeyPort { get; init; }

    public ushort Vlan { get; init; }

    public ushort ClassMasks { get; init; }

    public uint Bridge { get; init; }

    public uint Budget { get; init; }

    public ulong Mac { get; init; }

    public UInt128 Ipv4 { get; init; }

    public UInt128 Ipv6 { get; init; }

    public uint HostIfindex { get; init; }

    public ushort Mtu { get; init; }
}

/// <summary><c>struct conn4_key</c> and <c>conn6_key</c>.</summary>
internal readonly record struct ConnKey(
    bool IsIpv6, uint Port, UInt128 Source, UInt128 Destination, ushort SourcePort, ushort DestinationPort,
    byte Protocol, FragmentKind Fragment, ulong DestinationMac, ulong SourceMac);

/// <summary><c>struct class_key</c>.</summary>
internal readonly record struct ClassKey(
    uint Port, ushort EtherType, FlowMask Mask, byte Protocol, ushort DestinationPort, FragmentKind Fragment,
    ulong DestinationMac, ulong SourceMac, UInt128 Source, UInt128 Destination);

/// <summary><c>struct action</c>.</summary>
internal sealed record Action
{
    public uint ClassId { get; init; }

    public uint Generation { get; init; }

    public uint Soft { get; init; }

    public uint NextHop { get; init; }

    public FlowVerdict Verdict { get; init; }

    public DropReason DropReason { get; init; }

    public Rewrites Rewrites { get; init; }

    public byte Hops { get; init; }

    public bool Commit { get; init; }

    public ConnectionState State { get; init; }

    /// <summary>Of the network behind a router, 0 none.</summary>
    public ushort Mtu { get; init; }

    public ushort SourcePort { get; init; }

    public ushort DestinationPort { get; init; }

    public ulong DestinationMac { get; init; }

    public ulong SourceMac { get; init; }

    public UInt128 Source { get; init; }

    public UInt128 Destination { get; init; }

    public bool Has(Rewrites one) => (Rewrites & one) != Rewrites.None;
}

internal sealed record ConnRow(ConnKey Key, Action Action, TagFault Tag = TagFault.None);

internal sealed record ClassRow(ClassKey Key, Action Action, TagFault Tag = TagFault.None);

internal sealed record GenerationRow(uint ClassId, uint Hard, uint Soft, bool Revalidate);

internal sealed record NextHopRow(
    uint Index, NextHopKind Kind, DropReason DropReason, bool PeerIsIpv6, uint Arg, uint TunnelKey, uint Port,
    UInt128 Peer)
{
    public uint Mtu { get; init; }
}

internal sealed record DeliveryRow(uint Slot, DeliveryKind Kind, byte Generation, uint Arg, uint Port);

internal sealed record ReplicationRow(uint Index, IReadOnlyList<uint> NextHops);

internal sealed record NeighbourRow(uint Bridge, bool IsIpv6, UInt128 Address, ulong Mac, bool IsRouter);

internal sealed record NatOwnerRow(UInt128 Address, ushort Granule, uint NextHop);

internal sealed record ServiceRow(UInt128 Address, bool IsIpv6, ushort Port, byte Protocol, uint Budget);

internal sealed record DestinationRow(bool IsIpv6, UInt128 Address, int LengthBits, uint Budget);

internal sealed record VtepRow(bool IsIpv6, UInt128 Address, uint Host, uint Budget);

/// <summary>
/// A budget, and the total that it counts in. The kernel's clock cannot be set, so a lane's rate is given as units that
/// may still pass; null without limit.
/// </summary>
internal sealed record BudgetRow(uint Index, uint? Flows, uint? Control, uint? Copies, uint Parent = 0);

/// <summary><c>struct flow_credit</c>.</summary>
internal sealed record CreditRow(uint KeyPort, uint Made4, uint Limit4, uint Made6, uint Limit6);

/// <summary>How many datagrams a port may still begin, or a source from outside (by its counter's number).</summary>
internal sealed record ShareRow(bool IsForeign, uint Index, int Room);

/// <summary><c>struct fragment_key</c>: a datagram in pieces.</summary>
internal readonly record struct DatagramKey(
    bool IsIpv6, uint Port, uint Identification, UInt128 Source, UInt128 Destination, byte Protocol);

/// <summary><c>struct fragment</c>; <see cref="IsForeign"/>: in the table of what anybody may send.</summary>
internal sealed record DatagramRow(DatagramKey Key, bool IsForeign)
{
    /// <summary>Came longer ago than FRAGMENT_NS.</summary>
    public bool IsExpired { get; init; }

    public bool IsFirstKnown { get; init; }

    public bool IsAwaited { get; init; }

    public bool IsOverlapped { get; init; }

    public bool IsWhole { get; init; }

    public bool IsOfAgent { get; init; }

    public ushort SourcePort { get; init; }

    public ushort DestinationPort { get; init; }

    public byte Protocol { get; init; }

    public ushort NewIdentification { get; init; }

    /// <summary>Fragments that the agent has in hand.</summary>
    public uint Held { get; init; }

    public TagFault Tag { get; init; }
}

internal sealed record DeviceRow(uint Ifindex, uint Mtu);

internal sealed record RouteRow(
    uint Table, bool IsIpv6, UInt128 Address, int LengthBits, RouteResult Result, uint Ifindex, ulong GatewayMac,
    ulong DeviceMac);
