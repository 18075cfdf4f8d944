using System;

namespace Genkan.Wire.NeighborDiscovery;

/// <summary>
/// The Prefix Information option (RFC 4861 §4.6.2).
/// <code>
/// |     Type = 3  |   Length = 4  | Prefix Length |L|A| Reserved1 |
/// |                         Valid Lifetime                        |
/// |                       Preferred Lifetime                      |
/// |                           Reserved2                           |
/// |                      Prefix (16 octets)                       |
/// </code>
/// </summary>
/// <param name="Prefix">The IPv6 prefix.</param>
/// <param name="IsOnLink">The L flag.</param>
/// <param name="IsAutonomous">The A flag: hosts make their own addresses (RFC 4862).</param>
/// <param name="ValidLifetime">Whole seconds; <see cref="TimeSpan.MaxValue"/> is infinity.</param>
/// <param name="PreferredLifetime">Whole seconds; <see cref="TimeSpan.MaxValue"/> is infinity.</param>
public readonly record struct PrefixInformation(
    IpPrefix Prefix,
    bool IsOnLink,
    bool IsAutonomous,
    TimeSpan ValidLifetime,
    TimeSpan PreferredLifetime)
{
    private const int Size = 32;

    internal static bool TryDecode(ReadOnlySpan<byte> option, out PrefixInformation information)
    {
        information = default;
        if (option.Length != Size || option[2] > 128) return false;
        IpAddress address = IpAddress.FromOctets(option[16..]);
        if (address.IsIpv4) return false;
        information = new PrefixInformation(
            new IpPrefix(address, option[2]),
            (option[3] & 0x80) != 0,
            (option[3] & 0x40) != 0,
            NdOptions.ReadLifetime(option[4..]),
            NdOptions.ReadLifetime(option[8..]));
        return true;
    }

    internal void Encode(Span<byte> option)
    {
        option[2] = (byte)Prefix.LengthBits;
        option[3] = (byte)((IsOnLink ? 0x80 : 0) | (IsAutonomous ? 0x40 : 0));
        NdOptions.WriteLifetime(option[4..], ValidLifetime);
        NdOptions.WriteLifetime(option[8..], PreferredLifetime);
        Prefix.Address.CopyTo16(option[16..]);
    }
}
