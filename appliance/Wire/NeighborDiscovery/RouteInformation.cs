using System;

namespace Genkan.Wire.NeighborDiscovery;

/// <summary>
/// The Route Information option (RFC 4191 §2.3).
/// <code>
/// |    Type = 24  |    Length     | Prefix Length |Resvd|Prf|Resvd|
/// |                        Route Lifetime                         |
/// |                   Prefix (0, 8 or 16 octets)                  |
/// </code>
/// </summary>
/// <param name="Prefix">The IPv6 destination.</param>
/// <param name="Preference">How much this router is preferred for it.</param>
/// <param name="Lifetime">Whole seconds; <see cref="TimeSpan.MaxValue"/> is infinity.</param>
public readonly record struct RouteInformation(IpPrefix Prefix, RouterPreference Preference, TimeSpan Lifetime)
{
    private const int HeaderSize = 8;

    internal int SizeOctets =>
        Prefix.LengthBits switch { 0 => HeaderSize, <= 64 => HeaderSize + 8, _ => HeaderSize + 16 };

    internal static bool TryDecode(ReadOnlySpan<byte> option, out RouteInformation information)
    {
        information = default;
        Span<byte> prefix = stackalloc byte[IpAddress.Ipv6Size];
        if (option.Length > HeaderSize + IpAddress.Ipv6Size || option[2] > 8 * IpAddress.Ipv6Size) return false;
        prefix.Clear();
        option[HeaderSize..].CopyTo(prefix);
        IpAddress address = IpAddress.FromOctets(prefix);
        RouterPreference preference = (RouterPreference)((option[3] >> 3) & 0b11);
        if (address.IsIpv4 || preference == RouterPreference.Reserved) return false;
        information = new RouteInformation(
            new IpPrefix(address, option[2]), preference, NdOptions.ReadLifetime(option[4..]));
        return option.Length >= information.SizeOctets;
    }

    internal void Encode(Span<byte> option)
    {
        Span<byte> prefix = stackalloc byte[IpAddress.Ipv6Size];
        Prefix.Address.CopyTo16(prefix);
        option[2] = (byte)Prefix.LengthBits;
        option[3] = (byte)((int)Preference << 3);
        NdOptions.WriteLifetime(option[4..], Lifetime);
        prefix[..(option.Length - HeaderSize)].CopyTo(option[HeaderSize..]);
    }
}
