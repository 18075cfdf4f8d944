using System;
using System.Buffers.Binary;

namespace Genkan.Wire;

/// <summary>
/// The Internet checksum (RFC 1071): the one's complement of the one's complement sum of 16-bit words. A running sum
/// here is an unfolded <see cref="ulong"/> of big-endian words, so that parts can be added in any order; each part but
/// the last is even.
/// </summary>
public static class InternetChecksum
{
    /// <summary>Adds octets to a running sum; an odd last octet is padded with a zero octet (RFC 1071 §4.1).</summary>
    /// <param name="octets">The data, in wire order. Below 2^32 octets in all.</param>
    /// <param name="sum">The sum so far.</param>
    /// <returns>The new, unfolded sum.</returns>
    public static ulong Sum(ReadOnlySpan<byte> octets, ulong sum = 0)
    {
        while (octets.Length >= sizeof(uint))
        {
            // 2^16 is 1 in this arithmetic, so wide words may be added.
            sum += BinaryPrimitives.ReadUInt32BigEndian(octets);
            octets = octets[sizeof(uint)..];
        }

        if (octets.Length >= sizeof(ushort))
        {
            sum += BinaryPrimitives.ReadUInt16BigEndian(octets);
            octets = octets[sizeof(ushort)..];
        }

        return octets.IsEmpty ? sum : sum + ((ulong)octets[0] << 8);
    }

    /// <summary>Folds a running sum into 16 bits, without the final complement.</summary>
    /// <param name="sum">The unfolded sum.</param>
    /// <returns>The one's complement sum.</returns>
    public static ushort Fold(ulong sum)
    {
        sum = (sum >> 32) + (uint)sum;
        sum = (sum >> 32) + (uint)sum;
        sum = (sum >> 16) + (ushort)sum;
        sum = (sum >> 16) + (ushort)sum;
        return (ushort)sum;
    }

    /// <summary>The checksum of octets, to be put in the (until then zero) checksum field.</summary>
    /// <param name="octets">Octets with the checksum field zero.</param>
    /// <param name="sum">What to add first, such as a pseudo header.</param>
    /// <returns>The complement of the folded sum; 0 if the octets hold their own right checksum.</returns>
    public static ushort Compute(ReadOnlySpan<byte> octets, ulong sum = 0) => (ushort)~Fold(Sum(octets, sum));

    /// <summary>The pseudo header's sum for TCP, UDP and ICMPv6 (RFC 9293 §3.1, RFC 768, RFC 8200 §8.1).</summary>
    /// <param name="source">Source address.</param>
    /// <param name="destination">Destination address, of the same family.</param>
    /// <param name="protocol">The upper-layer protocol.</param>
    /// <param name="lengthOctets">Upper-layer header and data.</param>
    /// <returns>The unfolded sum.</returns>
    public static ulong PseudoHeader(IpAddress source, IpAddress destination, IpProtocol protocol, int lengthOctets) =>
        AddressSum(source) + AddressSum(destination) + (ulong)protocol + (ulong)lengthOctets;

    /// <summary>The sum of an address's octets on the wire (4 or 16).</summary>
    /// <param name="address">The address.</param>
    /// <returns>The unfolded sum.</returns>
    public static ulong AddressSum(IpAddress address)
    {
        if (address.IsIpv4) return address.ToIpv4();
        ulong high = (ulong)(address.Value >> 64);
        ulong low = (ulong)address.Value;
        return (high >> 32) + (uint)high + (low >> 32) + (uint)low;
    }

    /// <summary>The checksum after a field changed, HC' = ~(~HC + ~m + m') (RFC 1624 §3, equation 3).</summary>
    /// <param name="checksum">The checksum field as it stands.</param>
    /// <param name="before">Unfolded sum of the changed octets as they were.</param>
    /// <param name="after">Unfolded sum of the changed octets as they are.</param>
    /// <returns>The new checksum field. UDP writes a zero as 0xFFFF (RFC 768), which is up to the caller.</returns>
    public static ushort Update(ushort checksum, ulong before, ulong after) =>
        (ushort)~Fold((ulong)(ushort)~checksum + (ushort)~Fold(before) + Fold(after));
}
