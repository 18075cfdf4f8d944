using System.Runtime.InteropServices;
using Genkan.Wire;

namespace Genkan.Datapath.Layout;

/// <summary><c>struct neighbour_key</c>.</summary>
[StructLayout(LayoutKind.Explicit, Size = 24)]
internal struct NeighbourKey
{
    [FieldOffset(0)] internal uint Bridge;
    [FieldOffset(4)] internal uint IsIpv6;
    [FieldOffset(8)] internal AddressOctets Address;

    /// <summary>The key of an address in a bridge, or beside an uplink.</summary>
    internal static NeighbourKey Of(uint bridge, IpAddress address) =>
        new() { Bridge = bridge, IsIpv6 = address.IsIpv4 ? 0u : 1u, Address = AddressOctets.Of(address) };
}

/// <summary><c>struct neighbour</c>.</summary>
[StructLayout(LayoutKind.Explicit, Size = 8)]
internal struct NeighbourEntry
{
    [FieldOffset(0)] internal MacOctets Mac;
    [FieldOffset(6)] internal byte IsRouter;
}

/// <summary><c>struct nat_owner_key</c>; the value is the index of a next hop.</summary>
[StructLayout(LayoutKind.Explicit, Size = 8)]
internal struct NatOwnerKey
{
    [FieldOffset(0)] internal uint Address;
    [FieldOffset(4)] internal ushort Granule;
}

/// <summary><c>struct local_service_key</c>.</summary>
[StructLayout(LayoutKind.Explicit, Size = 20)]
internal struct LocalServiceKey
{
    [FieldOffset(0)] internal AddressOctets Address;
    [FieldOffset(16)] internal ushort Port;
    [FieldOffset(18)] internal IpProtocol Proto;
    [FieldOffset(19)] internal byte IsIpv6;
}

/// <summary><c>struct local_service</c>.</summary>
[StructLayout(LayoutKind.Explicit, Size = 8)]
internal struct LocalServiceEntry
{
    [FieldOffset(0)] internal uint Budget;
}

/// <summary><c>struct destination_key</c>.</summary>
[StructLayout(LayoutKind.Explicit, Size = 24)]
internal struct DestinationKey
{
    /// <summary>Bits of the family octet, which the prefix comes after.</summary>
    internal const uint FamilyBits = 8;

    [FieldOffset(0)] internal uint PrefixBits;
    [FieldOffset(4)] internal byte IsIpv6;
    [FieldOffset(5)] internal AddressOctets Address;

    /// <summary>The key of a prefix.</summary>
    internal static DestinationKey Of(IpPrefix prefix) => new()
    {
        PrefixBits = FamilyBits + (uint)prefix.LengthBits,
        IsIpv6 = prefix.IsIpv4 ? (byte)0 : (byte)1,
        Address = AddressOctets.Of(prefix.Address),
    };
}

/// <summary><c>struct destination</c>.</summary>
[StructLayout(LayoutKind.Explicit, Size = 8)]
internal struct DestinationEntry
{
    [FieldOffset(0)] internal uint Budget;
    [FieldOffset(4)] internal uint Flags;
}

/// <summary><c>struct vtep_key</c>.</summary>
[StructLayout(LayoutKind.Explicit, Size = 20)]
internal struct VtepKey
{
    [FieldOffset(0)] internal byte IsIpv6;
    [FieldOffset(4)] internal AddressOctets Address;

    /// <summary>The key of an underlay address.</summary>
    internal static VtepKey Of(IpAddress address) =>
        new() { IsIpv6 = address.IsIpv4 ? (byte)0 : (byte)1, Address = AddressOctets.Of(address) };
}

/// <summary><c>struct vtep</c>.</summary>
[StructLayout(LayoutKind.Explicit, Size = 24)]
internal struct VtepEntry
{
    [FieldOffset(0)] internal ulong Packets;
    [FieldOffset(8)] internal ulong Octets;
    [FieldOffset(16)] internal uint Host;
    [FieldOffset(20)] internal uint Budget;
}
