using System;
using System.Buffers.Binary;
using System.Numerics;

namespace Genkan.Wire;

/// <summary>
/// Rewrites frames in place: the same changes that the data plane makes, with checksums updated by the difference (RFC
/// 1624), so that a packet that came damaged leaves damaged.
/// </summary>
public static class PacketRewriter
{
    private const int Ipv4ChecksumAt = 10;
    private const int SctpChecksumAt = 8;

    /// <summary>
    /// Makes a frame's headers those of <paramref name="to"/>: MAC addresses, ARP fields, IP addresses, hop limit,
    /// traffic class, IPv4 identification, ports and the ICMP echo identifier and type. Other differences (VLAN,
    /// family, lengths) are ignored.
    /// </summary>
    /// <param name="frame">The frame that <paramref name="from"/> was decoded from.</param>
    /// <param name="from">The headers as they are.</param>
    /// <param name="to">The headers as they shall be.</param>
    /// <param name="isPartial">
    /// True if the transport checksum field holds the pseudo header's sum only, to be completed by the device (Linux's
    /// CHECKSUM_PARTIAL).
    /// </param>
    public static void Apply(Span<byte> frame, in PacketHeader from, in PacketHeader to, bool isPartial = false)
    {
        if (from.EthernetDestination != to.EthernetDestination) to.EthernetDestination.CopyTo(frame);
        if (from.EthernetSource != to.EthernetSource) to.EthernetSource.CopyTo(frame[MacAddress.Size..]);
        if (from.IsArp) ApplyArp(frame[from.NetworkAt..], to);
        else if (from.IsIpv4 || from.IsIpv6) ApplyIp(frame[..from.NetworkEnd], from, to, isPartial);
    }

    /// <summary>
    /// Whether the transport checksum is one that the device is to complete (Linux's CHECKSUM_PARTIAL): it holds the
    /// pseudo header's sum alone. Of frames that a ring buffer gave us nothing else tells.
    /// </summary>
    /// <param name="frame">A frame that holds the whole datagram.</param>
    /// <param name="header">Its headers, decoded without fault.</param>
    /// <returns>False for all but whole TCP and UDP.</returns>
    public static bool IsPartial(ReadOnlySpan<byte> frame, in PacketHeader header)
    {
        if (header.Protocol is not (IpProtocol.Tcp or IpProtocol.Udp) || header.Fragment != FragmentKind.None)
            return false;
        int checksumAt = header.TransportAt + FrameWriter.ChecksumAt(header.Protocol);
        int end = header.NetworkEnd;
        if (header.TransportAt < 0 || end > frame.Length || checksumAt + sizeof(ushort) > end) return false;
        ulong pseudo = InternetChecksum.PseudoHeader(
            header.Source, header.Destination, header.Protocol, end - header.TransportAt);
        return BinaryPrimitives.ReadUInt16BigEndian(frame[checksumAt..]) == InternetChecksum.Fold(pseudo);
    }

    /// <summary>
    /// Writes the whole transport checksum where the field holds the pseudo header's sum alone
    /// (<see cref="IsPartial"/>): no device completes it once the packet is cut into fragments.
    /// </summary>
    /// <param name="frame">A frame that holds the whole datagram.</param>
    /// <param name="header">Its headers, decoded without fault.</param>
    public static void CompleteChecksum(Span<byte> frame, in PacketHeader header)
    {
        if (!IsPartial(frame, header)) return;
        Span<byte> segment = frame[header.TransportAt..header.NetworkEnd];
        ushort checksum = InternetChecksum.Compute(segment); // the field stands for the pseudo header
        if (checksum == 0 && header.Protocol == IpProtocol.Udp) checksum = 0xFFFF; // RFC 768: zero means "none"
        BinaryPrimitives.WriteUInt16BigEndian(segment[FrameWriter.ChecksumAt(header.Protocol)..], checksum);
    }

    /// <summary>
    /// Makes the packet that an ICMP error quotes look as its sender knows it (RFC 5508 §4.2): IP addresses, ports,
    /// identifier and the quoted checksums, and then the error's own checksum. The outer header is changed by
    /// <see cref="Apply"/>.
    /// </summary>
    /// <param name="frame">The frame of the error.</param>
    /// <param name="outer">Its header.</param>
    /// <param name="from">The quoted packet (<see cref="PacketHeader.TryDecodeEmbedded"/>).</param>
    /// <param name="to">The quoted packet as it shall be.</param>
    public static void ApplyToEmbedded(
        Span<byte> frame, in PacketHeader outer, in PacketHeader from, in PacketHeader to)
    {
        Span<byte> message = frame[..outer.NetworkEnd];
        Span<byte> quoted = message[from.NetworkAt..];
        ulong before = InternetChecksum.Sum(quoted);
        ApplyIp(message[..Math.Min(message.Length, from.NetworkEnd)], from, to, isPartial: false);
        ulong after = InternetChecksum.Sum(quoted);
        UpdateAt(message, outer.TransportAt + FrameWriter.ChecksumAt(outer.Protocol), before, after);
    }

    private static void ApplyArp(Span<byte> arp, in PacketHeader to)
    {
        BinaryPrimitives.WriteUInt16BigEndian(arp[6..], (ushort)to.ArpOperation);
        to.ArpSenderMac.CopyTo(arp[8..]);
        to.Source.CopyTo(arp[14..18]);
        to.ArpTargetMac.CopyTo(arp[18..]);
        to.Destination.CopyTo(arp[24..28]);
    }

    private static void ApplyIp(Span<byte> packet, in PacketHeader from, in PacketHeader to, bool isPartial)
    {
        Span<byte> ip = packet[from.NetworkAt..];
        if (from.IsIpv4) ApplyIpv4(ip, to);
        else ApplyIpv6(ip, to);
        if (from.TransportAt < 0) return;

        int checksumAt = from.TransportAt + FrameWriter.ChecksumAt(from.Protocol);
        bool hasChecksum = FrameWriter.ChecksumAt(from.Protocol) >= 0 && checksumAt + sizeof(ushort) <= packet.Length;
        if (hasChecksum && FrameWriter.IsZeroNone(from.Protocol)) // RFC 768, RFC 6935 §5
            hasChecksum = BinaryPrimitives.ReadUInt16BigEndian(packet[checksumAt..]) != 0;

        (ulong before, ulong after) = ApplyPorts(packet[from.TransportAt..], from, to);
        ulong addressesBefore = AddressesSum(from);
        ulong addressesAfter = AddressesSum(to);
        if (!hasChecksum)
        {
            if (from.Protocol == IpProtocol.Sctp && before != after) WriteSctpChecksum(packet[from.TransportAt..]);
        }
        else if (isPartial)
        {
            ushort sum = BinaryPrimitives.ReadUInt16BigEndian(packet[checksumAt..]);
            sum = (ushort)~InternetChecksum.Update((ushort)~sum, addressesBefore, addressesAfter);
            BinaryPrimitives.WriteUInt16BigEndian(packet[checksumAt..], sum);
        }
        else
        {
            if (from.Protocol != IpProtocol.Icmp) // which alone has no pseudo header
                (before, after) = (before + addressesBefore, after + addressesAfter);
            UpdateAt(packet, checksumAt, before, after, FrameWriter.IsZeroNone(from.Protocol));
        }
    }

    private static void ApplyIpv4(Span<byte> ip, in PacketHeader to)
    {
        Span<byte> header = ip[..20];
        ulong before = InternetChecksum.Sum(header);
        header[1] = to.TrafficClass;
        BinaryPrimitives.WriteUInt16BigEndian(header[4..], (ushort)to.Identification);
        header[8] = to.HopLimit;
        to.Source.CopyTo(header[12..16]);
        to.Destination.CopyTo(header[16..20]);
        UpdateAt(header, Ipv4ChecksumAt, before, InternetChecksum.Sum(header));
    }

    private static void ApplyIpv6(Span<byte> ip, in PacketHeader to)
    {
        uint word = BinaryPrimitives.ReadUInt32BigEndian(ip);
        BinaryPrimitives.WriteUInt32BigEndian(ip, (word & 0xF00F_FFFF) | ((uint)to.TrafficClass << 20));
        ip[7] = to.HopLimit;
        to.Source.CopyTo16(ip[8..]);
        to.Destination.CopyTo16(ip[24..]);
    }

    // Writes ports, or the type and identifier of an ICMP echo, and gives the sums of the octets before and after.
    private static (
        ulong Before, ulong After) ApplyPorts(Span<byte> transport, in PacketHeader from, in PacketHeader to)
    {
        if (from.SourcePort == to.SourcePort && from.DestinationPort == to.DestinationPort) return (0, 0);
        if (from.IsIcmp)
        {
            BinaryPrimitives.WriteUInt16BigEndian(transport, to.DestinationPort);
            if (from.IsEchoRequest || from.IsEchoReply)
                BinaryPrimitives.WriteUInt16BigEndian(transport[4..], to.SourcePort);
        }
        else if (from.Protocol is IpProtocol.Tcp or IpProtocol.Udp or IpProtocol.Sctp)
        {
            BinaryPrimitives.WriteUInt16BigEndian(transport, to.SourcePort);
            BinaryPrimitives.WriteUInt16BigEndian(transport[2..], to.DestinationPort);
        }
        else
        {
            return (0, 0);
        }

        return ((ulong)from.SourcePort + from.DestinationPort, (ulong)to.SourcePort + to.DestinationPort);
    }

    private static ulong AddressesSum(in PacketHeader header) =>
        InternetChecksum.AddressSum(header.Source) + InternetChecksum.AddressSum(header.Destination);

    private static void UpdateAt(Span<byte> octets, int at, ulong before, ulong after, bool isZeroNone = false)
    {
        if (before == after) return;
        ushort checksum = BinaryPrimitives.ReadUInt16BigEndian(octets[at..]);
        checksum = InternetChecksum.Update(checksum, before, after);
        if (isZeroNone && checksum == 0) checksum = 0xFFFF;
        BinaryPrimitives.WriteUInt16BigEndian(octets[at..], checksum);
    }

    // RFC 9260 appendix A: CRC32c, least significant octet first. It covers the whole packet and no addresses.
    private static void WriteSctpChecksum(Span<byte> packet)
    {
        if (packet.Length < SctpChecksumAt + sizeof(uint)) return; // a quotation that ends before it
        BinaryPrimitives.WriteUInt32LittleEndian(packet[SctpChecksumAt..], 0);
        uint crc = uint.MaxValue;
        foreach (byte octet in packet) crc = BitOperations.Crc32C(crc, octet);
        BinaryPrimitives.WriteUInt32LittleEndian(packet[SctpChecksumAt..], ~crc);
    }
}
