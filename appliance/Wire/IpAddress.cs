using System;
using System.Buffers.Binary;

namespace Genkan.Wire;

/// <summary>
/// An IPv4 or IPv6 address in 16 octets. IPv4 is held as IPv4-mapped, ::ffff:a.b.c.d (RFC 4291 §2.5.5.2), so that an
/// IPv6 address of that form cannot be held: text of it is refused, and <see cref="PacketHeader"/> refuses packets that
/// carry one. <c>default</c> is the IPv6 unspecified address.
/// </summary>
public readonly partial struct IpAddress : IEquatable<IpAddress>, IComparable<IpAddress>, ISpanFormattable,
    ISpanParsable<IpAddress>
{
    /// <summary>Octets of an IPv4 address.</summary>
    public const int Ipv4Size = 4;

    /// <summary>Octets of an IPv6 address.</summary>
    public const int Ipv6Size = 16;

    private const ulong MappedMarker = 0xFFFF_0000_0000;

    /// <summary>Takes the 128 bits as they are; ::ffff:0:0/96 is IPv4.</summary>
    /// <param name="value">First octet on the wire in the highest bits.</param>
    public IpAddress(UInt128 value) => Value = value;

    /// <summary>The 128 bits, first octet on the wire highest; IPv4 as ::ffff:a.b.c.d.</summary>
    public UInt128 Value { get; }

    /// <summary>0.0.0.0.</summary>
    public static IpAddress Unspecified4 => FromIpv4(0);

    /// <summary>::, which is also <c>default</c>.</summary>
    public static IpAddress Unspecified6 => default;

    /// <summary>255.255.255.255, the limited broadcast (RFC 919 §7).</summary>
    public static IpAddress Broadcast4 => FromIpv4(uint.MaxValue);

    /// <summary>ff02::1 (RFC 4291 §2.7.1).</summary>
    public static IpAddress AllNodes => new(new UInt128(0xFF02_0000_0000_0000, 1));

    /// <summary>ff02::2 (RFC 4291 §2.7.1).</summary>
    public static IpAddress AllRouters => new(new UInt128(0xFF02_0000_0000_0000, 2));

    /// <summary>True if the address is IPv4.</summary>
    public bool IsIpv4 => High == 0 && Low >> 32 == MappedMarker >> 32;

    /// <summary>True if the address is IPv6.</summary>
    public bool IsIpv6 => !IsIpv4;

    /// <summary>Bits of the family: 32 or 128.</summary>
    public int FamilyBits => IsIpv4 ? 32 : 128;

    /// <summary>Octets of the family on the wire: 4 or 16.</summary>
    public int SizeOctets => IsIpv4 ? Ipv4Size : Ipv6Size;

    /// <summary>True in 224.0.0.0/4 or ff00::/8.</summary>
    public bool IsMulticast => IsIpv4 ? (uint)Low >> 28 == 0xE : High >> 56 == 0xFF;

    /// <summary>True in 169.254.0.0/16 (RFC 3927) or fe80::/10 (RFC 4291 §2.5.6).</summary>
    public bool IsLinkLocal => IsIpv4 ? (uint)Low >> 16 == 0xA9FE : High >> 54 == 0x3FA;

    /// <summary>True in 127.0.0.0/8 or for ::1.</summary>
    public bool IsLoopback => IsIpv4 ? (uint)Low >> 24 == 127 : Value == UInt128.One;

    /// <summary>True for 0.0.0.0 and for ::.</summary>
    public bool IsUnspecified => High == 0 && Low is 0 or MappedMarker;

    /// <summary>
    /// True in 0.0.0.0/8, "this network" (RFC 6890 §2.2.2), which no router forwards (RFC 1812 §5.3.7).
    /// </summary>
    public bool IsThisNetwork => IsIpv4 && (uint)Low >> 24 == 0;

    /// <summary>
    /// True in 240.0.0.0/4 but for 255.255.255.255: class E, no host's (RFC 1812 §5.3.7, RFC 6890 §2.2.2).
    /// </summary>
    public bool IsReserved => IsIpv4 && (uint)Low >> 28 == 0xF && !IsBroadcast;

    /// <summary>True for 255.255.255.255 only; a subnet's broadcast is <see cref="IpPrefix.Broadcast"/>.</summary>
    public bool IsBroadcast => Value == Broadcast4.Value;

    private ulong High => (ulong)(Value >> 64);

    private ulong Low => (ulong)Value;

    /// <summary>Makes an IPv4 address.</summary>
    /// <param name="hostOrder">10.0.0.1 is 0x0A000001.</param>
    /// <returns>The address.</returns>
    public static IpAddress FromIpv4(uint hostOrder) => new(new UInt128(0, MappedMarker | hostOrder));

    /// <summary>Reads four octets of IPv4 or sixteen of IPv6 (of which ::ffff:0:0/96 becomes IPv4).</summary>
    /// <param name="octets">Exactly 4 or 16 octets in wire order.</param>
    /// <returns>The address.</returns>
    /// <exception cref="ArgumentException">Another length.</exception>
    public static IpAddress FromOctets(ReadOnlySpan<byte> octets) => octets.Length switch
    {
        Ipv4Size => FromIpv4(BinaryPrimitives.ReadUInt32BigEndian(octets)),
        Ipv6Size => new IpAddress(BinaryPrimitives.ReadUInt128BigEndian(octets)),
        _ => throw new ArgumentException("An IP address has 4 or 16 octets.", nameof(octets)),
    };

    /// <summary>The solicited-node group of an IPv6 address, ff02::1:ffXX:XXXX (RFC 4291 §2.7.1).</summary>
    /// <returns>The group that neighbour solicitations for this address are sent to.</returns>
    public IpAddress SolicitedNode() =>
        new(new UInt128(0xFF02_0000_0000_0000, 0x0000_0001_FF00_0000 | (Low & 0xFF_FFFF)));

    /// <summary>The link-local address with the modified EUI-64 identifier of a MAC (RFC 4291 appendix A).</summary>
    /// <param name="mac">The interface's MAC address.</param>
    /// <returns>An address in fe80::/64.</returns>
    public static IpAddress LinkLocalOf(MacAddress mac) =>
        new IpPrefix(new IpAddress(new UInt128(0xFE80_0000_0000_0000, 0)), 64).Eui64(mac);

    /// <summary>The IPv4 address in host order.</summary>
    /// <returns>10.0.0.1 gives 0x0A000001.</returns>
    /// <exception cref="InvalidOperationException">The address is IPv6.</exception>
    public uint ToIpv4() => IsIpv4 ? (uint)Low : throw new InvalidOperationException("The address is IPv6.");

    /// <summary>Writes 4 octets for IPv4, 16 for IPv6, in wire order.</summary>
    /// <param name="destination">At least <see cref="SizeOctets"/> long.</param>
    public void CopyTo(Span<byte> destination)
    {
        if (IsIpv4) BinaryPrimitives.WriteUInt32BigEndian(destination, (uint)Low);
        else BinaryPrimitives.WriteUInt128BigEndian(destination, Value);
    }

    /// <summary>Writes 16 octets in wire order, IPv4 as IPv4-mapped.</summary>
    /// <param name="destination">At least 16 octets long.</param>
    public void CopyTo16(Span<byte> destination) => BinaryPrimitives.WriteUInt128BigEndian(destination, Value);

    /// <summary>The address at a distance, within the family (wraps around inside IPv4's 32 bits).</summary>
    /// <param name="distance">How many addresses further.</param>
    /// <returns>The address.</returns>
    public IpAddress Plus(UInt128 distance) =>
        IsIpv4 ? FromIpv4(unchecked((uint)Low + (uint)distance)) : new IpAddress(unchecked(Value + distance));

    /// <inheritdoc />
    public bool Equals(IpAddress other) => Value == other.Value;

    /// <inheritdoc />
    public override bool Equals(object? obj) => obj is IpAddress other && Equals(other);

    /// <inheritdoc />
    public override int GetHashCode() => Value.GetHashCode();

    /// <inheritdoc />
    public int CompareTo(IpAddress other) => Value.CompareTo(other.Value);

    /// <summary>Same family and bits.</summary>
    /// <param name="left">One address.</param>
    /// <param name="right">The other.</param>
    /// <returns>True if equal.</returns>
    public static bool operator ==(IpAddress left, IpAddress right) => left.Value == right.Value;

    /// <summary>Different family or bits.</summary>
    /// <param name="left">One address.</param>
    /// <param name="right">The other.</param>
    /// <returns>True if not equal.</returns>
    public static bool operator !=(IpAddress left, IpAddress right) => left.Value != right.Value;

    /// <summary>Order of the 128 bits, so that IPv4 sorts together.</summary>
    /// <param name="left">One address.</param>
    /// <param name="right">The other.</param>
    /// <returns>True if left sorts first.</returns>
    public static bool operator <(IpAddress left, IpAddress right) => left.Value < right.Value;

    /// <inheritdoc cref="op_LessThan" />
    /// <returns>True if right sorts first.</returns>
    public static bool operator >(IpAddress left, IpAddress right) => left.Value > right.Value;

    /// <inheritdoc cref="op_LessThan" />
    /// <returns>True if left sorts first or is equal.</returns>
    public static bool operator <=(IpAddress left, IpAddress right) => left.Value <= right.Value;

    /// <inheritdoc cref="op_LessThan" />
    /// <returns>True if right sorts first or is equal.</returns>
    public static bool operator >=(IpAddress left, IpAddress right) => left.Value >= right.Value;
}
