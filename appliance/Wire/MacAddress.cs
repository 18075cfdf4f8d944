using System;
using System.Buffers.Binary;
using System.Globalization;

namespace Genkan.Wire;

/// <summary>
/// An IEEE 802 48-bit MAC address, held in the low 48 bits of a <see cref="ulong"/>, first octet highest.
/// </summary>
public readonly struct MacAddress : IEquatable<MacAddress>, IComparable<MacAddress>, ISpanFormattable,
    ISpanParsable<MacAddress>
{
    /// <summary>Octets on the wire.</summary>
    public const int Size = 6;

    /// <summary>Characters of the text form <c>02:00:00:00:00:01</c>.</summary>
    public const int TextLength = 17;

    private const ulong Mask = 0xFFFF_FFFF_FFFF;

    /// <summary>Makes an address of the low 48 bits; higher bits are dropped.</summary>
    /// <param name="value">First octet on the wire in bits 47..40.</param>
    public MacAddress(ulong value) => Value = value & Mask;

    /// <summary>The 48 bits, first octet on the wire in bits 47..40; bits 63..48 are zero.</summary>
    public ulong Value { get; }

    /// <summary>ff:ff:ff:ff:ff:ff.</summary>
    public static MacAddress Broadcast => new(Mask);

    /// <summary>00:00:00:00:00:00, which stands for "no address".</summary>
    public static MacAddress Zero => default;

    /// <summary>True for group addresses, broadcast too (IEEE 802: the I/G bit of the first octet).</summary>
    public bool IsMulticast => (Value & 0x0100_0000_0000) != 0;

    /// <summary>True for ff:ff:ff:ff:ff:ff.</summary>
    public bool IsBroadcast => Value == Mask;

    /// <summary>True for 00:00:00:00:00:00.</summary>
    public bool IsZero => Value == 0;

    /// <summary>True if the U/L bit says that the address is locally administered.</summary>
    public bool IsLocal => (Value & 0x0200_0000_0000) != 0;

    /// <summary>Reads the first six octets.</summary>
    /// <param name="octets">At least six octets in wire order.</param>
    /// <returns>The address.</returns>
    /// <exception cref="ArgumentOutOfRangeException">Fewer than six octets.</exception>
    public static MacAddress FromOctets(ReadOnlySpan<byte> octets) =>
        new(((ulong)BinaryPrimitives.ReadUInt16BigEndian(octets) << 32)
            | BinaryPrimitives.ReadUInt32BigEndian(octets[2..Size]));

    /// <summary>Writes six octets in wire order.</summary>
    /// <param name="destination">At least six octets long.</param>
    /// <exception cref="ArgumentOutOfRangeException">Fewer than six octets.</exception>
    public void CopyTo(Span<byte> destination)
    {
        BinaryPrimitives.WriteUInt32BigEndian(destination[2..Size], (uint)Value);
        BinaryPrimitives.WriteUInt16BigEndian(destination, (ushort)(Value >> 32));
    }

    /// <summary>
    /// The multicast MAC of an IP group: 01:00:5e + 23 bits (RFC 1112 §6.4), 33:33 + 32 bits (RFC 2464 §7).
    /// </summary>
    /// <param name="group">A multicast IPv4 or IPv6 address.</param>
    /// <returns>The group's MAC address.</returns>
    public static MacAddress OfMulticastGroup(IpAddress group) => group.IsIpv4
        ? new MacAddress(0x0100_5E00_0000UL | (group.ToIpv4() & 0x7F_FFFF))
        : new MacAddress(0x3333_0000_0000UL | (uint)group.Value);

    /// <inheritdoc />
    public bool Equals(MacAddress other) => Value == other.Value;

    /// <inheritdoc />
    public override bool Equals(object? obj) => obj is MacAddress other && Equals(other);

    /// <inheritdoc />
    public override int GetHashCode() => Value.GetHashCode();

    /// <inheritdoc />
    public int CompareTo(MacAddress other) => Value.CompareTo(other.Value);

    /// <summary>Lower-case hexadecimal with colons.</summary>
    /// <returns>Such as <c>02:00:00:00:00:01</c>.</returns>
    public override string ToString() =>
        string.Create(TextLength, this, static (text, mac) => mac.TryFormat(text, out _, default, null));

    /// <inheritdoc />
    public string ToString(string? format, IFormatProvider? formatProvider) => ToString();

    /// <inheritdoc />
    public bool TryFormat(
        Span<char> destination, out int charsWritten, ReadOnlySpan<char> format, IFormatProvider? provider)
    {
        charsWritten = 0;
        if (destination.Length < TextLength) return false;
        for (int i = 0; i < Size; i++)
        {
            int octet = (int)(Value >> (40 - (8 * i))) & 0xFF;
            destination[3 * i] = HexDigit(octet >> 4);
            destination[(3 * i) + 1] = HexDigit(octet & 0xF);
            if (i < Size - 1) destination[(3 * i) + 2] = ':';
        }

        charsWritten = TextLength;
        return true;
    }

    /// <summary>Reads six groups of two hexadecimal digits, all separated by colons or all by hyphens.</summary>
    /// <param name="s">The text, without blanks around it.</param>
    /// <param name="result">The address, or zero.</param>
    /// <returns>False if the text is anything else.</returns>
    public static bool TryParse(ReadOnlySpan<char> s, out MacAddress result)
    {
        result = default;
        if (s.Length != TextLength || s[2] is not (':' or '-')) return false;
        ulong value = 0;
        for (int i = 0; i < Size; i++)
        {
            if (i > 0 && s[(3 * i) - 1] != s[2]) return false;
            if (!char.IsAsciiHexDigit(s[3 * i]) || !char.IsAsciiHexDigit(s[(3 * i) + 1])) return false;
            value = (value << 8) | Octet(s.Slice(3 * i, 2));
        }

        result = new MacAddress(value);
        return true;
    }

    /// <inheritdoc cref="TryParse(ReadOnlySpan{char}, out MacAddress)" />
    public static bool TryParse(string? s, out MacAddress result) => TryParse(s.AsSpan(), out result);

    /// <inheritdoc />
    public static bool TryParse(ReadOnlySpan<char> s, IFormatProvider? provider, out MacAddress result) =>
        TryParse(s, out result);

    /// <inheritdoc />
    public static bool TryParse(string? s, IFormatProvider? provider, out MacAddress result) =>
        TryParse(s.AsSpan(), out result);

    /// <summary>Reads a text that is known to be good, such as a constant.</summary>
    /// <param name="s">Such as <c>02:00:00:00:00:01</c>.</param>
    /// <returns>The address.</returns>
    /// <exception cref="FormatException">The text is no MAC address.</exception>
    public static MacAddress Parse(ReadOnlySpan<char> s) => TryParse(s, out MacAddress mac)
        ? mac
        : throw new FormatException($"'{s}' is not a MAC address; write six octets such as 02:00:00:00:00:01.");

    /// <inheritdoc />
    public static MacAddress Parse(ReadOnlySpan<char> s, IFormatProvider? provider) => Parse(s);

    /// <inheritdoc />
    public static MacAddress Parse(string s, IFormatProvider? provider) => Parse(s.AsSpan());

    /// <summary>Same 48 bits.</summary>
    /// <param name="left">One address.</param>
    /// <param name="right">The other.</param>
    /// <returns>True if equal.</returns>
    public static bool operator ==(MacAddress left, MacAddress right) => left.Value == right.Value;

    /// <summary>Different 48 bits.</summary>
    /// <param name="left">One address.</param>
    /// <param name="right">The other.</param>
    /// <returns>True if not equal.</returns>
    public static bool operator !=(MacAddress left, MacAddress right) => left.Value != right.Value;

    /// <summary>Order of the octets on the wire.</summary>
    /// <param name="left">One address.</param>
    /// <param name="right">The other.</param>
    /// <returns>True if left sorts first.</returns>
    public static bool operator <(MacAddress left, MacAddress right) => left.Value < right.Value;

    /// <inheritdoc cref="op_LessThan" />
    /// <returns>True if right sorts first.</returns>
    public static bool operator >(MacAddress left, MacAddress right) => left.Value > right.Value;

    /// <inheritdoc cref="op_LessThan" />
    /// <returns>True if left sorts first or is equal.</returns>
    public static bool operator <=(MacAddress left, MacAddress right) => left.Value <= right.Value;

    /// <inheritdoc cref="op_LessThan" />
    /// <returns>True if right sorts first or is equal.</returns>
    public static bool operator >=(MacAddress left, MacAddress right) => left.Value >= right.Value;

    private static byte Octet(ReadOnlySpan<char> digits) =>
        byte.Parse(digits, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture);

    private static char HexDigit(int nibble) => (char)(nibble < 10 ? '0' + nibble : 'a' + nibble - 10);
}
