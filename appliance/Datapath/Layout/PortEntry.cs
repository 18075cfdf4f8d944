using System.Runtime.InteropServices;

namespace Genkan.Datapath.Layout;

/// <summary><c>struct port</c>: one slot of <c>ports</c>.</summary>
[StructLayout(LayoutKind.Explicit, Size = 64)]
internal struct PortEntry
{
    [FieldOffset(0)] internal ulong ObjectId;
    [FieldOffset(8)] internal uint Ifindex;
    [FieldOffset(12)] internal uint Nexthop;
    [FieldOffset(16)] internal ushort KeyPort;
    [FieldOffset(18)] internal ushort Vlan;
    [FieldOffset(20)] internal PortKind Kind;
    [FieldOffset(21)] internal PortFlags Flags;
    [FieldOffset(22)] internal ushort ClassMasks;
    [FieldOffset(24)] internal uint Bridge;
    [FieldOffset(28)] internal uint Budget;
    [FieldOffset(32)] internal MacOctets Mac;
    [FieldOffset(38)] internal ushort Mtu;
    [FieldOffset(40)] internal uint Ipv4;
    [FieldOffset(44)] internal uint HostIfindex;
    [FieldOffset(48)] internal AddressOctets Ipv6;
}

/// <summary><c>struct link_key</c>.</summary>
[StructLayout(LayoutKind.Explicit, Size = 8)]
internal record struct LinkKey
{
    [FieldOffset(0)] internal uint Ifindex;
    [FieldOffset(4)] internal uint Vlan;
}

/// <summary><c>struct port_stats</c>, of one CPU or summed.</summary>
[StructLayout(LayoutKind.Explicit, Size = 48)]
internal struct PortStats
{
    [FieldOffset(0)] internal ulong RxPackets;
    [FieldOffset(8)] internal ulong RxOctets;
    [FieldOffset(16)] internal ulong TxPackets;
    [FieldOffset(24)] internal ulong TxOctets;
    [FieldOffset(32)] internal ulong DropPackets;
    [FieldOffset(40)] internal ulong UpcallPackets;
}
