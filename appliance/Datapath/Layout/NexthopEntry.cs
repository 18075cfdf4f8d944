using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Genkan.Overlay.Flows;

namespace Genkan.Datapath.Layout;

/// <summary><c>struct nexthop</c>.</summary>
[StructLayout(LayoutKind.Explicit, Size = 40)]
internal struct NexthopEntry
{
    [FieldOffset(0)] internal NexthopKind Kind;
    [FieldOffset(1)] internal DropReason DropReason;
    [FieldOffset(2)] internal byte PeerIsIpv6;
    [FieldOffset(4)] internal uint Arg;
    [FieldOffset(8)] internal uint TunnelKey;
    [FieldOffset(12)] internal uint Port;
    [FieldOffset(16)] internal AddressOctets Peer;
    [FieldOffset(32)] internal uint Mtu;
    [FieldOffset(36)] internal uint DeviceTick;
}

/// <summary><c>struct delivery</c>.</summary>
[StructLayout(LayoutKind.Explicit, Size = 16)]
internal struct DeliveryEntry
{
    [FieldOffset(0)] internal DeliveryKind Kind;
    [FieldOffset(1)] internal byte Generation;
    [FieldOffset(4)] internal uint Arg;
    [FieldOffset(8)] internal uint Port;
}

/// <summary><c>struct replication</c>.</summary>
[StructLayout(LayoutKind.Explicit, Size = 132)]
internal struct ReplicationEntry
{
    [FieldOffset(0)] internal uint Count;
    [FieldOffset(4)] internal ReplicationTargets Nexthop;
}

/// <summary>Next hops of a replication list.</summary>
[InlineArray(LayoutLimits.ReplicationTargetsMax)]
internal struct ReplicationTargets
{
    private uint _first;
}
