using System;
using System.Buffers.Binary;

namespace Genkan.Wire;

/// <summary>Why a UDP datagram to ourselves is not taken.</summary>
public enum UdpFault : byte
{
    /// <summary>It is taken.</summary>
    None,

    /// <summary>A fragment, or a length past the end of its IP packet (RFC 768).</summary>
    BadLength,

    /// <summary>The checksum is wrong, or left out where it may not be.</summary>
    BadChecksum,
}

/// <summary>What a host does with UDP that is for itself (RFC 1122 §4.1.3.4, RFC 8200 §8.1).</summary>
public static class UdpDatagram
{
    private const int Size = 8;
    private const int LengthAt = 4;
    private const int ChecksumAt = 6;

    /// <summary>Gives the data of a datagram whose length and checksum hold.</summary>
    /// <param name="frame">A frame of the same machine, whose checksum a network card may have been left to complete:
    /// then it is the pseudo header's sum alone (<see cref="PacketRewriter.IsPartial"/>).</param>
    /// <param name="header">Its headers, decoded without fault as UDP.</param>
    /// <param name="data">Octets behind the UDP header up to its own length, which may be less than IP's; else
    /// empty.</param>
    /// <returns>The first fault, or none. A checksum of zero says over IPv4 that there is none (RFC 768); over IPv6 it
    /// is wrong.</returns>
    public static UdpFault TryOpen(ReadOnlySpan<byte> frame, in PacketHeader header, out ReadOnlySpan<byte> data)
    {
        data = default;
        if (header.Fragment != FragmentKind.None || header.TransportAt < 0 || header.NetworkEnd > frame.Length)
            return UdpFault.BadLength;
        ReadOnlySpan<byte> datagram = frame[header.TransportAt..header.NetworkEnd];
        int length = BinaryPrimitives.ReadUInt16BigEndian(datagram[LengthAt..]);
        if (length < Size || length > datagram.Length) return UdpFault.BadLength;

        datagram = datagram[..length];
        if (!IsChecksumTaken(datagram, header)) return UdpFault.BadChecksum;
        data = datagram[Size..];
        return UdpFault.None;
    }

    private static bool IsChecksumTaken(ReadOnlySpan<byte> datagram, in PacketHeader header)
    {
        ushort checksum = BinaryPrimitives.ReadUInt16BigEndian(datagram[ChecksumAt..]);
        if (checksum == 0) return header.IsIpv4;
        ulong pseudo = InternetChecksum.PseudoHeader(
            header.Source, header.Destination, IpProtocol.Udp, datagram.Length);
        return checksum == InternetChecksum.Fold(pseudo) || InternetChecksum.Compute(datagram, pseudo) == 0;
    }
}
