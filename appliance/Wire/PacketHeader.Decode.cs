using System;
using System.Buffers.Binary;

namespace Genkan.Wire;

/// <content>Decoding. Offsets are into the whole frame, also those of a packet that an ICMP error quotes.</content>
public partial record struct PacketHeader
{
    private const int EthernetSize = 14;
    private const int VlanTagSize = 4;
    private const int TypeLowest = 0x0600; // below, the field is a length (IEEE 802.3 §3.2.6)
    private const int ArpSize = 28;
    private const int Ipv4Size = 20;
    private const int Ipv6Size = 40;
    private const int TcpSize = 20;
    private const int TcpFlagsAt = 13;
    private const int UdpSize = 8;
    private const int SctpSize = 12;
    private const int IcmpSize = 8;
    private const int IcmpSizeMin = 4;

    // Octets of transport header that an ICMP error quotes at least (RFC 792).
    private const int QuotedTransportSize = 8;

    private enum Extent
    {
        Whole,  // the frame holds the whole datagram
        Quoted, // an ICMP error's quotation, which may end early
    }

    /// <summary>Decodes an Ethernet frame down to the transport header.</summary>
    /// <param name="frame">From the destination MAC to the end, without frame check sequence.</param>
    /// <param name="header">All that was decoded up to the fault; complete if none.</param>
    /// <returns>
    /// <see cref="PacketFault.None"/> or the first fault. Never throws. Transport checksums are not looked at.
    /// </returns>
    public static PacketFault TryDecode(ReadOnlySpan<byte> frame, out PacketHeader header) =>
        TryDecode(frame, 0, out header);

    /// <summary>Decodes an Ethernet frame whose VLAN tag may have been taken off by the kernel.</summary>
    /// <param name="frame">From the destination MAC to the end, without frame check sequence.</param>
    /// <param name="vlanTci">The tag beside the frame; 0 none.</param>
    /// <param name="header">All that was decoded up to the fault; complete if none.</param>
    /// <returns>
    /// <see cref="PacketFault.None"/> or the first fault. Never throws. Transport checksums are not looked at.
    /// </returns>
    public static PacketFault TryDecode(ReadOnlySpan<byte> frame, ushort vlanTci, out PacketHeader header)
    {
        header = Empty(frame.Length);
        header.VlanTci = vlanTci;
        if (frame.Length < EthernetSize) return PacketFault.Truncated;

        header.EthernetDestination = MacAddress.FromOctets(frame);
        header.EthernetSource = MacAddress.FromOctets(frame[MacAddress.Size..]);
        ushort type = BinaryPrimitives.ReadUInt16BigEndian(frame[12..]);
        int at = EthernetSize;
        if (type == (ushort)EtherType.Vlan)
        {
            if (vlanTci != 0) return PacketFault.NestedVlan;
            if (frame.Length < at + VlanTagSize) return PacketFault.Truncated;
            header.VlanTci = BinaryPrimitives.ReadUInt16BigEndian(frame[at..]);
            type = BinaryPrimitives.ReadUInt16BigEndian(frame[(at + 2)..]);
            at += VlanTagSize;
        }

        header.EtherType = type < TypeLowest ? EtherType.Llc : (EtherType)type;
        header.NetworkAt = at;
        header.NetworkLengthOctets = frame.Length - at;
        return header.EtherType switch
        {
            EtherType.Vlan or EtherType.ServiceVlan => PacketFault.NestedVlan,
            EtherType.Arp => header.DecodeArp(frame),
            EtherType.Ipv4 => header.DecodeIpv4(frame, Extent.Whole),
            EtherType.Ipv6 => header.DecodeIpv6(frame, Extent.Whole),
            _ => PacketFault.None,
        };
    }

    /// <summary>Decodes the packet that an ICMP error quotes (RFC 792, RFC 4443 §2.4 (c)).</summary>
    /// <param name="frame">The whole frame of the error.</param>
    /// <param name="outer">The frame's own header, decoded without fault.</param>
    /// <param name="embedded">
    /// The quoted packet: MACs zero, offsets into <paramref name="frame"/>, ports zero if it is a later fragment.
    /// </param>
    /// <returns>
    /// False if the frame is no ICMP error, or the quotation is too short for its ports (8 octets behind the IP
    /// header), is of another family, or fails a check (RFC 5508 §4.1 REQ-3 (a): its header checksum too).
    /// </returns>
    public static bool TryDecodeEmbedded(ReadOnlySpan<byte> frame, in PacketHeader outer, out PacketHeader embedded)
    {
        embedded = Empty(outer.LengthOctets);
        if (!outer.IsIcmpError || outer.TransportAt < 0 || frame.Length < outer.NetworkEnd) return false;

        frame = frame[..outer.NetworkEnd];
        embedded.NetworkAt = outer.TransportAt + IcmpSize;
        embedded.EtherType = outer.EtherType;
        PacketFault fault = outer.IsIpv4
            ? embedded.DecodeIpv4(frame, Extent.Quoted)
            : embedded.DecodeIpv6(frame, Extent.Quoted);
        return fault == PacketFault.None;
    }

    private static PacketHeader Empty(int lengthOctets) =>
        new() { LengthOctets = lengthOctets, NetworkAt = -1, TransportAt = -1, PayloadAt = -1 };

    private PacketFault DecodeArp(ReadOnlySpan<byte> frame)
    {
        ReadOnlySpan<byte> arp = frame[NetworkAt..];
        if (arp.Length < ArpSize) return PacketFault.Truncated;
        if (BinaryPrimitives.ReadUInt64BigEndian(arp) >> 16 != 0x0001_0800_0604) return PacketFault.BadArp;
        ushort operation = BinaryPrimitives.ReadUInt16BigEndian(arp[6..]);
        if (operation is not ((ushort)ArpOperation.Request or (ushort)ArpOperation.Reply)) return PacketFault.BadArp;

        ArpOperation = (ArpOperation)operation;
        ArpSenderMac = MacAddress.FromOctets(arp[8..]);
        Source = IpAddress.FromOctets(arp[14..18]);
        ArpTargetMac = MacAddress.FromOctets(arp[18..]);
        Destination = IpAddress.FromOctets(arp[24..ArpSize]);
        NetworkLengthOctets = ArpSize;
        return PacketFault.None;
    }

    private PacketFault DecodeIpv4(ReadOnlySpan<byte> frame, Extent extent)
    {
        ReadOnlySpan<byte> ip = frame[Math.Min(NetworkAt, frame.Length)..];
        if (ip.Length < Ipv4Size) return PacketFault.Truncated;
        if (ip[0] >> 4 != 4) return PacketFault.BadVersion;
        int headerSize = (ip[0] & 0xF) * 4;
        if (headerSize < Ipv4Size) return PacketFault.BadHeaderLength;
        if (ip.Length < headerSize) return PacketFault.Truncated;
        ushort totalLength = BinaryPrimitives.ReadUInt16BigEndian(ip[2..]);
        if (totalLength < headerSize) return PacketFault.BadTotalLength;
        if (extent == Extent.Whole && totalLength > ip.Length) return PacketFault.BadTotalLength;
        if (InternetChecksum.Compute(ip[..headerSize]) != 0) return PacketFault.BadHeaderChecksum;

        TrafficClass = ip[1];
        Identification = BinaryPrimitives.ReadUInt16BigEndian(ip[4..]);
        ushort flagsAndOffset = BinaryPrimitives.ReadUInt16BigEndian(ip[6..]);
        DontFragment = (flagsAndOffset & 0x4000) != 0;
        Fragment = KindOf(flagsAndOffset & 0x1FFF, (flagsAndOffset & 0x2000) != 0);
        HopLimit = ip[8];
        Protocol = (IpProtocol)ip[9];
        Source = IpAddress.FromOctets(ip[12..16]);
        Destination = IpAddress.FromOctets(ip[16..20]);
        NetworkLengthOctets = totalLength;
        return DecodeTransport(frame[..Math.Min(frame.Length, NetworkEnd)], NetworkAt + headerSize, extent);
    }

    private PacketFault DecodeIpv6(ReadOnlySpan<byte> frame, Extent extent)
    {
        ReadOnlySpan<byte> ip = frame[Math.Min(NetworkAt, frame.Length)..];
        if (ip.Length < Ipv6Size) return PacketFault.Truncated;
        if (ip[0] >> 4 != 6) return PacketFault.BadVersion;
        int totalLength = Ipv6Size + BinaryPrimitives.ReadUInt16BigEndian(ip[4..]);
        if (extent == Extent.Whole && totalLength > ip.Length) return PacketFault.BadTotalLength;

        TrafficClass = (byte)(BinaryPrimitives.ReadUInt16BigEndian(ip) >> 4);
        DontFragment = true;
        HopLimit = ip[7];
        Source = IpAddress.FromOctets(ip[8..24]);
        Destination = IpAddress.FromOctets(ip[24..40]);
        if (Source.IsIpv4 || Destination.IsIpv4) return PacketFault.MappedAddress;

        NetworkLengthOctets = totalLength;
        frame = frame[..Math.Min(frame.Length, NetworkEnd)];
        PacketFault fault = WalkExtensionHeaders(frame, (IpProtocol)ip[6], out int at);
        return fault == PacketFault.None ? DecodeTransport(frame, at, extent) : fault;
    }

    // RFC 8200 §4: each extension header begins with the next header's type and its own length.
    private PacketFault WalkExtensionHeaders(ReadOnlySpan<byte> frame, IpProtocol next, out int at)
    {
        at = NetworkAt + Ipv6Size;
        for (int count = 0; ; count++)
        {
            Protocol = next;
            if (!IsExtensionHeader(next) || Fragment == FragmentKind.Later) return PacketFault.None;
            if (count == WireLimits.ExtensionHeadersMax) return PacketFault.BadExtensionHeader;
            if (next == IpProtocol.HopByHopOptions && count > 0) return PacketFault.BadExtensionHeader;
            if (frame.Length < at + 8) return PacketFault.Truncated;

            ReadOnlySpan<byte> header = frame[at..];
            int size = SizeOf(next, header[1]);
            if (next == IpProtocol.Routing && header[2] == 0 && header[3] != 0) return PacketFault.BadExtensionHeader;
            if (next == IpProtocol.Fragment)
            {
                if (Fragment != FragmentKind.None) return PacketFault.BadExtensionHeader;
                ushort offsetAndMore = BinaryPrimitives.ReadUInt16BigEndian(header[2..]);
                Fragment = KindOf(offsetAndMore >> 3, (offsetAndMore & 1) != 0);
                Identification = BinaryPrimitives.ReadUInt32BigEndian(header[4..]);
            }

            if (frame.Length < at + size) return PacketFault.Truncated;
            next = (IpProtocol)header[0];
            at += size;
        }
    }

    /// <summary>
    /// Where the octet stands that names <see cref="Protocol"/>: the pointer of a Parameter Problem about it (RFC 8200
    /// §4, RFC 4443 §3.4).
    /// </summary>
    /// <param name="frame">The frame that this was decoded from without fault, with all its IPv6 headers.</param>
    /// <returns>Octets from the start of the IP header.</returns>
    public readonly int ProtocolPointer(ReadOnlySpan<byte> frame)
    {
        if (!IsIpv6) return 9;
        int pointer = NetworkAt + 6;
        int at = NetworkAt + Ipv6Size;
        while ((IpProtocol)frame[pointer] is var type && type != Protocol && IsExtensionHeader(type))
        {
            pointer = at;
            at += SizeOf(type, frame[at + 1]);
        }

        return pointer - NetworkAt;
    }

    /// <summary>
    /// Whether there is an IPv6 Fragment header, also that of an atomic fragment (RFC 6946), which is a whole datagram:
    /// RFC 6980 §5 asks for it.
    /// </summary>
    /// <param name="frame">The frame that this was decoded from without fault, with all its IPv6 headers.</param>
    /// <returns>False for all that is not IPv6.</returns>
    public readonly bool HasFragmentHeader(ReadOnlySpan<byte> frame)
    {
        if (!IsIpv6) return false;
        if (Fragment != FragmentKind.None) return true;
        IpProtocol type = (IpProtocol)frame[NetworkAt + 6];
        for (int at = NetworkAt + Ipv6Size; at < TransportAt;)
        {
            if (type == IpProtocol.Fragment) return true;
            int size = SizeOf(type, frame[at + 1]);
            type = (IpProtocol)frame[at];
            at += size;
        }

        return false;
    }

    private static int SizeOf(IpProtocol type, byte length) => type switch
    {
        IpProtocol.Fragment => 8,
        IpProtocol.AuthenticationHeader => (length + 2) * 4, // RFC 4302 §2.2
        _ => (length + 1) * 8,
    };

    // RFC 7045 §4; 253 and 254 (RFC 3692) have no known format, so they end the walk like any protocol.
    private static bool IsExtensionHeader(IpProtocol type) => type is IpProtocol.HopByHopOptions or IpProtocol.Routing
        or IpProtocol.Fragment or IpProtocol.AuthenticationHeader or IpProtocol.DestinationOptions
        or IpProtocol.Mobility or IpProtocol.Hip or IpProtocol.Shim6;

    private static FragmentKind KindOf(int offset, bool more) =>
        offset != 0 ? FragmentKind.Later : more ? FragmentKind.First : FragmentKind.None;

    private PacketFault DecodeTransport(ReadOnlySpan<byte> frame, int at, Extent extent)
    {
        PayloadAt = at;
        if (Fragment == FragmentKind.Later) return PacketFault.None;
        TransportAt = at;
        ReadOnlySpan<byte> transport = frame[at..];
        return Protocol switch
        {
            IpProtocol.Tcp => DecodeTcp(transport, extent),
            IpProtocol.Udp => DecodeUdp(transport),
            // No ports are read, but a checksum stands in their first octets (FrameWriter.ChecksumAt).
            IpProtocol.UdpLite or IpProtocol.Dccp when transport.Length < UdpSize => PacketFault.Truncated,
            IpProtocol.Sctp => DecodePorts(transport, SizeMin(extent, SctpSize), SctpSize),
            IpProtocol.Icmp when IsIpv4 => DecodeIcmp(transport),
            IpProtocol.Icmpv6 when IsIpv6 => DecodeIcmp(transport),
            _ => PacketFault.None,
        };
    }

    private static int SizeMin(Extent extent, int size) => extent == Extent.Whole ? size : QuotedTransportSize;

    private PacketFault DecodePorts(ReadOnlySpan<byte> transport, int sizeMin, int size)
    {
        if (transport.Length < sizeMin) return PacketFault.Truncated;
        SourcePort = BinaryPrimitives.ReadUInt16BigEndian(transport);
        DestinationPort = BinaryPrimitives.ReadUInt16BigEndian(transport[2..]);
        PayloadAt = TransportAt + size;
        return PacketFault.None;
    }

    private PacketFault DecodeTcp(ReadOnlySpan<byte> transport, Extent extent)
    {
        PacketFault fault = DecodePorts(transport, SizeMin(extent, TcpSize), TcpSize);
        if (fault != PacketFault.None || transport.Length <= TcpFlagsAt) return fault;

        TcpFlags = (TcpFlags)transport[TcpFlagsAt];
        int size = (transport[TcpFlagsAt - 1] >> 4) * 4;
        if (size < TcpSize) return PacketFault.BadHeaderLength;
        if (extent == Extent.Whole && size > transport.Length) return PacketFault.Truncated;
        PayloadAt = TransportAt + size;
        return PacketFault.None;
    }

    private PacketFault DecodeUdp(ReadOnlySpan<byte> transport)
    {
        PacketFault fault = DecodePorts(transport, UdpSize, UdpSize);
        if (fault != PacketFault.None) return fault;
        ushort length = BinaryPrimitives.ReadUInt16BigEndian(transport[4..]);
        return length < UdpSize ? PacketFault.BadHeaderLength : PacketFault.None;
    }

    private PacketFault DecodeIcmp(ReadOnlySpan<byte> transport)
    {
        if (transport.Length < IcmpSizeMin) return PacketFault.Truncated;
        DestinationPort = BinaryPrimitives.ReadUInt16BigEndian(transport);
        bool isEcho = IsEchoRequest || IsEchoReply;
        if (transport.Length < IcmpSize) return isEcho || IsIcmpError ? PacketFault.Truncated : PacketFault.None;
        if (isEcho) SourcePort = BinaryPrimitives.ReadUInt16BigEndian(transport[4..]);
        PayloadAt = TransportAt + IcmpSize;
        return PacketFault.None;
    }
}
