using System;
using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using Genkan.Wire;

namespace Genkan.Datapath.Layout;

/// <summary>Six octets of a MAC in wire order.</summary>
[InlineArray(MacAddress.Size)]
internal struct MacOctets
{
    private byte _first;

    /// <summary>The octets of an address.</summary>
    internal static MacOctets Of(MacAddress mac)
    {
        MacOctets octets = default;
        mac.CopyTo(octets);
        return octets;
    }

    /// <summary>The address.</summary>
    internal readonly MacAddress ToMac() => MacAddress.FromOctets(this);
}

/// <summary>Sixteen octets of an address in wire order; IPv4 in the first four, the rest zero.</summary>
[InlineArray(IpAddress.Ipv6Size)]
internal struct AddressOctets
{
    private byte _first;

    /// <summary>The octets of an address of either family.</summary>
    internal static AddressOctets Of(IpAddress address)
    {
        AddressOctets octets = default;
        address.CopyTo(octets);
        return octets;
    }

    /// <summary>The address, of the family that the table or a flag beside it says.</summary>
    internal readonly IpAddress ToAddress(bool isIpv4) =>
        IpAddress.FromOctets(((ReadOnlySpan<byte>)this)[..(isIpv4 ? IpAddress.Ipv4Size : IpAddress.Ipv6Size)]);
}

/// <summary>Numbers as they stand on the wire (<c>__be16</c>, <c>__be32</c>).</summary>
internal static class NetworkOrder
{
    /// <summary>Host order to wire order, and back.</summary>
    internal static ushort Of(ushort value) =>
        BitConverter.IsLittleEndian ? BinaryPrimitives.ReverseEndianness(value) : value;

    /// <summary>Host order to wire order, and back.</summary>
    internal static uint Of(uint value) =>
        BitConverter.IsLittleEndian ? BinaryPrimitives.ReverseEndianness(value) : value;

    /// <summary>An IPv4 address in wire order.</summary>
    internal static uint Of(IpAddress ipv4) => Of(ipv4.ToIpv4());

    /// <summary>The IPv4 address that stands in wire order.</summary>
    internal static IpAddress ToIpv4(uint wire) => IpAddress.FromIpv4(Of(wire));
}
