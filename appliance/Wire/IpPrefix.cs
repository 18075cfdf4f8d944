using System;
using System.Globalization;

namespace Genkan.Wire;

/// <summary>A network: an address whose host bits are zero, and a length in the bits of its own family.</summary>
public readonly struct IpPrefix : IEquatable<IpPrefix>, ISpanParsable<IpPrefix>
{
    /// <summary>Makes the network that an address lies in: host bits are cleared.</summary>
    /// <param name="address">Any address of the network.</param>
    /// <param name="lengthBits">0..32 for IPv4, 0..128 for IPv6.</param>
    /// <exception cref="ArgumentOutOfRangeException">The length does not fit the family.</exception>
    public IpPrefix(IpAddress address, int lengthBits)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(lengthBits);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(lengthBits, address.FamilyBits);
        Address = new IpAddress(address.Value & ~HostMask(address, lengthBits));
        LengthBits = lengthBits;
    }

    /// <summary>The first address; its host bits are zero.</summary>
    public IpAddress Address { get; }

    /// <summary>0..32 for IPv4, 0..128 for IPv6.</summary>
    public int LengthBits { get; }

    /// <summary>0.0.0.0/0.</summary>
    public static IpPrefix All4 => new(IpAddress.Unspecified4, 0);

    /// <summary>::/0, which is also <c>default</c>. It does not contain IPv4.</summary>
    public static IpPrefix All6 => default;

    /// <summary>True if the network is IPv4.</summary>
    public bool IsIpv4 => Address.IsIpv4;

    /// <summary>True if the network is IPv6.</summary>
    public bool IsIpv6 => Address.IsIpv6;

    /// <summary>True if the network is one address (/32 or /128).</summary>
    public bool IsHost => LengthBits == Address.FamilyBits;

    /// <summary>The first address, the same as <see cref="Address"/>.</summary>
    public IpAddress Network => Address;

    /// <summary>The last address. For IPv4 with a length up to 30 it is the directed broadcast address.</summary>
    public IpAddress Last => new(Address.Value | HostMask(Address, LengthBits));

    /// <summary>The directed broadcast address (RFC 922 §7).</summary>
    /// <exception cref="InvalidOperationException">The network is IPv6, which has none.</exception>
    public IpAddress Broadcast => IsIpv4 ? Last : throw new InvalidOperationException("IPv6 has no broadcast address.");

    /// <summary>The netmask as an address, such as 255.255.255.0 (DHCP option 1) or ffff:ffff::.</summary>
    public IpAddress Netmask => IsIpv4
        ? IpAddress.FromIpv4(~(uint)HostMask(Address, LengthBits))
        : new IpAddress(~HostMask(Address, LengthBits));

    /// <summary>True if the address is of the same family and inside.</summary>
    /// <param name="address">Any address.</param>
    /// <returns>Whether it lies in the network.</returns>
    public bool Contains(IpAddress address) =>
        address.IsIpv4 == IsIpv4 && (address.Value & ~HostMask(Address, LengthBits)) == Address.Value;

    /// <summary>True if the other network is the same or a part.</summary>
    /// <param name="other">Any network.</param>
    /// <returns>Whether it lies wholly in this one.</returns>
    public bool Contains(IpPrefix other) => other.LengthBits >= LengthBits && Contains(other.Address);

    /// <summary>True if any address lies in both.</summary>
    /// <param name="other">Any network.</param>
    /// <returns>Whether the two share addresses.</returns>
    public bool Overlaps(IpPrefix other) => Contains(other.Address) || other.Contains(Address);

    /// <summary>The address at a distance from the first one.</summary>
    /// <param name="n">0 is the first address.</param>
    /// <returns>The address.</returns>
    /// <exception cref="ArgumentOutOfRangeException">The distance leaves the network.</exception>
    public IpAddress Host(UInt128 n)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(n, HostMask(Address, LengthBits));
        return new IpAddress(Address.Value | n);
    }

    /// <summary>
    /// The address that stateless autoconfiguration forms from a MAC (RFC 4862 §5.5.3, RFC 4291 appendix A).
    /// </summary>
    /// <param name="mac">The interface's MAC address.</param>
    /// <returns>The network's 64 bits followed by the modified EUI-64.</returns>
    /// <exception cref="InvalidOperationException">The network is not an IPv6 /64.</exception>
    public IpAddress Eui64(MacAddress mac)
    {
        if (IsIpv4 || LengthBits != 64) throw new InvalidOperationException("Autoconfiguration needs an IPv6 /64.");
        ulong identifier = ((mac.Value & 0xFFFF_FF00_0000) << 16) | 0x0000_00FF_FE00_0000 | (mac.Value & 0xFF_FFFF);
        return new IpAddress(Address.Value | (identifier ^ 0x0200_0000_0000_0000));
    }

    /// <inheritdoc />
    public bool Equals(IpPrefix other) => Address == other.Address && LengthBits == other.LengthBits;

    /// <inheritdoc />
    public override bool Equals(object? obj) => obj is IpPrefix other && Equals(other);

    /// <inheritdoc />
    public override int GetHashCode() => HashCode.Combine(Address, LengthBits);

    /// <summary>Address, slash, length.</summary>
    /// <returns>Such as <c>10.0.1.0/24</c>.</returns>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Address}/{LengthBits}");

    /// <summary>Reads a network such as 10.0.1.0/24; a network with host bits is refused.</summary>
    /// <param name="s">The text.</param>
    /// <param name="result">The network, or <c>default</c>.</param>
    /// <param name="problem">A sentence that says what is wrong, or null.</param>
    /// <returns>False if refused.</returns>
    public static bool TryParse(ReadOnlySpan<char> s, out IpPrefix result, out string? problem)
    {
        result = default;
        if (!IpInterface.TryParse(s, out IpInterface whole, out problem)) return false;
        IpPrefix prefix = whole.Prefix;
        if (prefix.Address != whole.Address)
        {
            problem = $"'{s}' has host bits set; the network is {prefix}.";
            return false;
        }

        result = prefix;
        return true;
    }

    /// <inheritdoc cref="TryParse(ReadOnlySpan{char}, out IpPrefix, out string?)" />
    public static bool TryParse(ReadOnlySpan<char> s, out IpPrefix result) => TryParse(s, out result, out _);

    /// <inheritdoc cref="TryParse(ReadOnlySpan{char}, out IpPrefix, out string?)" />
    public static bool TryParse(string? s, out IpPrefix result) => TryParse(s.AsSpan(), out result, out _);

    /// <inheritdoc />
    public static bool TryParse(ReadOnlySpan<char> s, IFormatProvider? provider, out IpPrefix result) =>
        TryParse(s, out result, out _);

    /// <inheritdoc />
    public static bool TryParse(string? s, IFormatProvider? provider, out IpPrefix result) =>
        TryParse(s.AsSpan(), out result, out _);

    /// <summary>Reads a text that is known to be good, such as a constant.</summary>
    /// <param name="s">Such as <c>10.0.1.0/24</c>.</param>
    /// <returns>The network.</returns>
    /// <exception cref="FormatException">The text is no network; the message says why.</exception>
    public static IpPrefix Parse(ReadOnlySpan<char> s) =>
        TryParse(s, out IpPrefix prefix, out string? problem) ? prefix : throw new FormatException(problem);

    /// <inheritdoc />
    public static IpPrefix Parse(ReadOnlySpan<char> s, IFormatProvider? provider) => Parse(s);

    /// <inheritdoc />
    public static IpPrefix Parse(string s, IFormatProvider? provider) => Parse(s.AsSpan());

    /// <summary>Same network.</summary>
    /// <param name="left">One network.</param>
    /// <param name="right">The other.</param>
    /// <returns>True if equal.</returns>
    public static bool operator ==(IpPrefix left, IpPrefix right) => left.Equals(right);

    /// <summary>Different networks.</summary>
    /// <param name="left">One network.</param>
    /// <param name="right">The other.</param>
    /// <returns>True if not equal.</returns>
    public static bool operator !=(IpPrefix left, IpPrefix right) => !left.Equals(right);

    private static UInt128 HostMask(IpAddress address, int lengthBits)
    {
        int hostBits = address.FamilyBits - lengthBits;
        return hostBits == 128 ? UInt128.MaxValue : (UInt128.One << hostBits) - 1;
    }
}
