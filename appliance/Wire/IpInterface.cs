using System;
using System.Globalization;

namespace Genkan.Wire;

/// <summary>
/// An interface's address with the length of its network, such as 203.0.113.2/30: host bits are kept.
/// </summary>
public readonly struct IpInterface : IEquatable<IpInterface>, ISpanParsable<IpInterface>
{
    /// <summary>Makes an interface address.</summary>
    /// <param name="address">The interface's own address.</param>
    /// <param name="lengthBits">0..32 for IPv4, 0..128 for IPv6.</param>
    /// <exception cref="ArgumentOutOfRangeException">The length does not fit the family.</exception>
    public IpInterface(IpAddress address, int lengthBits)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(lengthBits);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(lengthBits, address.FamilyBits);
        (Address, LengthBits) = (address, lengthBits);
    }

    /// <summary>The interface's own address.</summary>
    public IpAddress Address { get; }

    /// <summary>0..32 for IPv4, 0..128 for IPv6.</summary>
    public int LengthBits { get; }

    /// <summary>The network that the interface is in.</summary>
    public IpPrefix Prefix => new(Address, LengthBits);

    /// <inheritdoc />
    public bool Equals(IpInterface other) => Address == other.Address && LengthBits == other.LengthBits;

    /// <inheritdoc />
    public override bool Equals(object? obj) => obj is IpInterface other && Equals(other);

    /// <inheritdoc />
    public override int GetHashCode() => HashCode.Combine(Address, LengthBits);

    /// <summary>Address, slash, length.</summary>
    /// <returns>Such as <c>203.0.113.2/30</c>.</returns>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Address}/{LengthBits}");

    /// <summary>Reads an address and a length such as 203.0.113.2/30.</summary>
    /// <param name="s">The text.</param>
    /// <param name="result">The interface address, or <c>default</c>.</param>
    /// <param name="problem">A sentence that says what is wrong, or null.</param>
    /// <returns>False if refused.</returns>
    public static bool TryParse(ReadOnlySpan<char> s, out IpInterface result, out string? problem)
    {
        (result, problem) = (default, null);
        int slashAt = s.IndexOf('/');
        if (slashAt < 0)
        {
            problem = $"'{s}' has no length; write it such as 10.0.1.1/24.";
            return false;
        }

        if (!IpAddress.TryParse(s[..slashAt], out IpAddress address))
        {
            problem = $"'{s[..slashAt]}' is not an IP address; write it such as 10.0.1.1 or 2001:db8::1.";
            return false;
        }

        ReadOnlySpan<char> digits = s[(slashAt + 1)..];
        if (digits.Length is 0 or > 3
            || !int.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out int length)
            || length > address.FamilyBits)
        {
            problem = $"'{s}' has a bad length; it is a number from 0 to {address.FamilyBits}.";
            return false;
        }

        result = new IpInterface(address, length);
        return true;
    }

    /// <inheritdoc cref="TryParse(ReadOnlySpan{char}, out IpInterface, out string?)" />
    public static bool TryParse(string? s, out IpInterface result) => TryParse(s.AsSpan(), out result, out _);

    /// <inheritdoc />
    public static bool TryParse(ReadOnlySpan<char> s, IFormatProvider? provider, out IpInterface result) =>
        TryParse(s, out result, out _);

    /// <inheritdoc />
    public static bool TryParse(string? s, IFormatProvider? provider, out IpInterface result) =>
        TryParse(s.AsSpan(), out result, out _);

    /// <summary>Reads a text that is known to be good, such as a constant.</summary>
    /// <param name="s">Such as <c>203.0.113.2/30</c>.</param>
    /// <returns>The interface address.</returns>
    /// <exception cref="FormatException">The text is none; the message says why.</exception>
    public static IpInterface Parse(ReadOnlySpan<char> s) =>
        TryParse(s, out IpInterface result, out string? problem) ? result : throw new FormatException(problem);

    /// <inheritdoc />
    public static IpInterface Parse(ReadOnlySpan<char> s, IFormatProvider? provider) => Parse(s);

    /// <inheritdoc />
    public static IpInterface Parse(string s, IFormatProvider? provider) => Parse(s.AsSpan());

    /// <summary>Same address and length.</summary>
    /// <param name="left">One interface address.</param>
    /// <param name="right">The other.</param>
    /// <returns>True if equal.</returns>
    public static bool operator ==(IpInterface left, IpInterface right) => left.Equals(right);

    /// <summary>Different address or length.</summary>
    /// <param name="left">One interface address.</param>
    /// <param name="right">The other.</param>
    /// <returns>True if not equal.</returns>
    public static bool operator !=(IpInterface left, IpInterface right) => !left.Equals(right);
}
