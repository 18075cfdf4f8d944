using System;
using System.Buffers.Binary;

namespace Genkan.Wire;

/// <summary>
/// Writes one Ethernet frame front to back, a method a header; <see cref="Finish"/> fills in lengths and checksums. The
/// caller's span must have room (<see cref="HeadersSizeMax"/> and the payload): too small a span is our own fault and
/// throws.
/// </summary>
public ref struct FrameWriter
{
    /// <summary>Octets of the longest headers that this writes: Ethernet, 802.1Q, IPv6, Fragment, TCP.</summary>
    public const int HeadersSizeMax = 14 + 4 + 40 + 8 + 20;

    private const ushort DontFragmentBit = 0x4000;
    private const int Ipv4Size = 20;
    private const int Ipv6Size = 40;
    private const int Unset = -1;

    private readonly Span<byte> _frame;
    private int _typeAt;
    private int _networkAt;
    private int _nextHeaderAt;
    private int _transportAt;
    private bool _isFragment;
    private IpAddress _source;
    private IpAddress _destination;
    private IpProtocol _protocol;

    /// <summary>Begins an empty frame.</summary>
    /// <param name="frame">Where to write.</param>
    public FrameWriter(Span<byte> frame)
    {
        _frame = frame;
        (_typeAt, _networkAt, _nextHeaderAt, _transportAt) = (Unset, Unset, Unset, Unset);
    }

    /// <summary>Octets written so far.</summary>
    public int LengthOctets { get; private set; }

    /// <summary>
    /// The room behind what is written, for a payload that is encoded in place; then call <see cref="Advance"/>.
    /// </summary>
    public readonly Span<byte> Rest => _frame[LengthOctets..];

    /// <summary>Writes the Ethernet header and, if there is a tag, the 802.1Q header.</summary>
    /// <param name="destination">Destination MAC address.</param>
    /// <param name="source">Source MAC address.</param>
    /// <param name="type">The type behind the tag. <see cref="Ip"/> and <see cref="Arp"/> set it themselves.</param>
    /// <param name="vlanTci">Tag control information; 0 writes no tag.</param>
    public void Ethernet(MacAddress destination, MacAddress source, EtherType type = EtherType.None, ushort vlanTci = 0)
    {
        Span<byte> header = Take(vlanTci == 0 ? 14 : 18);
        destination.CopyTo(header);
        source.CopyTo(header[6..]);
        if (vlanTci != 0)
        {
            BinaryPrimitives.WriteUInt16BigEndian(header[12..], (ushort)EtherType.Vlan);
            BinaryPrimitives.WriteUInt16BigEndian(header[14..], vlanTci);
        }

        _typeAt = LengthOctets - sizeof(ushort);
        SetType(type);
    }

    /// <summary>Writes an ARP packet for Ethernet and IPv4 (RFC 826).</summary>
    /// <param name="operation">Request or reply.</param>
    /// <param name="senderMac">Sender hardware address.</param>
    /// <param name="sender">Sender protocol address, IPv4.</param>
    /// <param name="targetMac">Target hardware address; zero in requests.</param>
    /// <param name="target">Target protocol address, IPv4; equal to the sender's if gratuitous (RFC 5227 §1.1).</param>
    public void Arp(
        ArpOperation operation, MacAddress senderMac, IpAddress sender, MacAddress targetMac, IpAddress target)
    {
        SetType(EtherType.Arp);
        Span<byte> arp = Take(28);
        BinaryPrimitives.WriteUInt64BigEndian(arp, (0x0001_0800_0604UL << 16) | (ushort)operation);
        senderMac.CopyTo(arp[8..]);
        BinaryPrimitives.WriteUInt32BigEndian(arp[14..], sender.ToIpv4());
        targetMac.CopyTo(arp[18..]);
        BinaryPrimitives.WriteUInt32BigEndian(arp[24..], target.ToIpv4());
    }

    /// <summary>
    /// Writes an IPv4 header without options (atomic: DF set, identification 0, RFC 6864 §4.1) or an IPv6 header.
    /// </summary>
    /// <param name="source">Source address; its family chooses the header.</param>
    /// <param name="destination">Destination address of the same family.</param>
    /// <param name="protocol">Protocol or next header.</param>
    /// <param name="hopLimit">TTL or hop limit.</param>
    /// <param name="trafficClass">TOS or traffic class.</param>
    public void Ip(
        IpAddress source, IpAddress destination, IpProtocol protocol, byte hopLimit = 64, byte trafficClass = 0)
    {
        _networkAt = LengthOctets;
        (_source, _destination, _protocol) = (source, destination, protocol);
        if (source.IsIpv4)
        {
            SetType(EtherType.Ipv4);
            Span<byte> ip = Take(Ipv4Size);
            ip[0] = 0x45;
            ip[1] = trafficClass;
            BinaryPrimitives.WriteUInt16BigEndian(ip[6..], DontFragmentBit);
            ip[8] = hopLimit;
            ip[9] = (byte)protocol;
            source.CopyTo(ip[12..]);
            destination.CopyTo(ip[16..]);
        }
        else
        {
            SetType(EtherType.Ipv6);
            Span<byte> ip = Take(Ipv6Size);
            BinaryPrimitives.WriteUInt32BigEndian(ip, 0x6000_0000u | ((uint)trafficClass << 20));
            _nextHeaderAt = _networkAt + 6;
            ip[6] = (byte)protocol;
            ip[7] = hopLimit;
            source.CopyTo16(ip[8..]);
            destination.CopyTo16(ip[24..]);
        }
    }

    /// <summary>
    /// Makes the packet a fragment: sets IPv4's fields, or writes IPv6's Fragment header (RFC 8200 §4.5). Transport
    /// checksums of fragments are left to the caller. Without more fragments and offset 0 it only clears IPv4's DF and
    /// sets its identification.
    /// </summary>
    /// <param name="identification">16 bits for IPv4, 32 for IPv6.</param>
    /// <param name="offsetOctets">A multiple of 8.</param>
    /// <param name="more">Whether more fragments follow.</param>
    public void Fragment(uint identification, int offsetOctets = 0, bool more = false)
    {
        _isFragment = more || offsetOctets != 0;
        int offset = offsetOctets / 8;
        if (_source.IsIpv4)
        {
            Span<byte> ip = _frame[_networkAt..];
            BinaryPrimitives.WriteUInt16BigEndian(ip[4..], (ushort)identification);
            BinaryPrimitives.WriteUInt16BigEndian(ip[6..], (ushort)((more ? 0x2000 : 0) | offset));
            return;
        }

        Span<byte> header = ExtensionHeader(IpProtocol.Fragment, 8);
        BinaryPrimitives.WriteUInt16BigEndian(header[2..], (ushort)((offset << 3) | (more ? 1 : 0)));
        BinaryPrimitives.WriteUInt32BigEndian(header[4..], identification);
    }

    /// <summary>Writes an IPv6 extension header of zero octets but for its next header and length fields.</summary>
    /// <param name="type">Hop-by-Hop Options, Routing, Destination Options or Fragment.</param>
    /// <param name="lengthOctets">A multiple of 8.</param>
    /// <returns>The header, to be filled in.</returns>
    public Span<byte> ExtensionHeader(IpProtocol type, int lengthOctets)
    {
        _frame[_nextHeaderAt] = (byte)type;
        _nextHeaderAt = LengthOctets;
        Span<byte> header = Take(lengthOctets);
        header[0] = (byte)_protocol;
        if (type != IpProtocol.Fragment) header[1] = (byte)((lengthOctets / 8) - 1);
        return header;
    }

    /// <summary>Writes a UDP header (RFC 768).</summary>
    /// <param name="sourcePort">Source port.</param>
    /// <param name="destinationPort">Destination port.</param>
    public void Udp(ushort sourcePort, ushort destinationPort) => Ports(sourcePort, destinationPort, 8);

    /// <summary>Writes a TCP header without options (RFC 9293 §3.1).</summary>
    /// <param name="sourcePort">Source port.</param>
    /// <param name="destinationPort">Destination port.</param>
    /// <param name="flags">Control bits.</param>
    /// <param name="sequence">Sequence number.</param>
    /// <param name="acknowledgment">Acknowledgment number.</param>
    /// <param name="window">Window.</param>
    public void Tcp(
        ushort sourcePort,
        ushort destinationPort,
        TcpFlags flags,
        uint sequence = 0,
        uint acknowledgment = 0,
        ushort window = 65535)
    {
        Span<byte> tcp = Ports(sourcePort, destinationPort, 20);
        BinaryPrimitives.WriteUInt32BigEndian(tcp[4..], sequence);
        BinaryPrimitives.WriteUInt32BigEndian(tcp[8..], acknowledgment);
        tcp[12] = 5 << 4;
        tcp[13] = (byte)flags;
        BinaryPrimitives.WriteUInt16BigEndian(tcp[14..], window);
    }

    /// <summary>Writes an ICMP or ICMPv6 header of 8 octets.</summary>
    /// <param name="type">Type.</param>
    /// <param name="code">Code.</param>
    /// <param name="rest">The second four octets: identifier and sequence, MTU, flags, or unused.</param>
    public void Icmp(byte type, byte code = 0, uint rest = 0)
    {
        _transportAt = LengthOctets;
        Span<byte> icmp = Take(8);
        (icmp[0], icmp[1]) = (type, code);
        BinaryPrimitives.WriteUInt32BigEndian(icmp[4..], rest);
    }

    /// <summary>Writes payload.</summary>
    /// <param name="octets">Octets as they are.</param>
    public void Octets(ReadOnlySpan<byte> octets) => octets.CopyTo(Take(octets.Length));

    /// <summary>Counts octets that the caller wrote into <see cref="Rest"/>.</summary>
    /// <param name="count">Octets.</param>
    public void Advance(int count)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(count, _frame.Length - LengthOctets);
        LengthOctets += count;
    }

    /// <summary>Fills in lengths and checksums.</summary>
    /// <returns>Octets of the frame.</returns>
    public readonly int Finish()
    {
        if (_networkAt == Unset) return LengthOctets;
        Span<byte> ip = _frame[_networkAt..LengthOctets];
        if (_source.IsIpv4)
        {
            BinaryPrimitives.WriteUInt16BigEndian(ip[2..], checked((ushort)ip.Length));
            BinaryPrimitives.WriteUInt16BigEndian(ip[10..], 0);
            BinaryPrimitives.WriteUInt16BigEndian(ip[10..], InternetChecksum.Compute(ip[..Ipv4Size]));
        }
        else
        {
            BinaryPrimitives.WriteUInt16BigEndian(ip[4..], checked((ushort)(ip.Length - Ipv6Size)));
        }

        if (_transportAt != Unset) FinishTransport(_frame[_transportAt..LengthOctets]);
        return LengthOctets;
    }

    private readonly void FinishTransport(Span<byte> transport)
    {
        if (_protocol == IpProtocol.Udp)
            BinaryPrimitives.WriteUInt16BigEndian(transport[4..], checked((ushort)transport.Length));
        int checksumAt = ChecksumAt(_protocol);
        if (checksumAt < 0 || _isFragment) return;
        ulong pseudo = _protocol == IpProtocol.Icmp
            ? 0
            : InternetChecksum.PseudoHeader(_source, _destination, _protocol, transport.Length);
        BinaryPrimitives.WriteUInt16BigEndian(transport[checksumAt..], 0);
        ushort checksum = InternetChecksum.Compute(transport, pseudo);
        if (checksum == 0 && IsZeroNone(_protocol)) checksum = 0xFFFF;
        BinaryPrimitives.WriteUInt16BigEndian(transport[checksumAt..], checksum);
    }

    /// <summary>Where the Internet checksum stands in a transport header; -1 if the protocol has none.</summary>
    internal static int ChecksumAt(IpProtocol protocol) => protocol switch
    {
        IpProtocol.Tcp => 16,
        IpProtocol.Udp => 6,
        IpProtocol.UdpLite or IpProtocol.Dccp => 6, // RFC 3828 §3.1, RFC 4340 §5.1: with the pseudo header
        IpProtocol.Icmp or IpProtocol.Icmpv6 => 2,
        _ => Unset,
    };

    /// <summary>Whether a checksum of zero says that there is none, so that a sum of zero is written as all ones: UDP
    /// (RFC 768), and UDP-Lite, which must have one (RFC 3828 §3.1).</summary>
    internal static bool IsZeroNone(IpProtocol protocol) => protocol is IpProtocol.Udp or IpProtocol.UdpLite;

    private Span<byte> Ports(ushort sourcePort, ushort destinationPort, int size)
    {
        _transportAt = LengthOctets;
        Span<byte> transport = Take(size);
        BinaryPrimitives.WriteUInt16BigEndian(transport, sourcePort);
        BinaryPrimitives.WriteUInt16BigEndian(transport[2..], destinationPort);
        return transport;
    }

    private readonly void SetType(EtherType type)
    {
        if (_typeAt != Unset) BinaryPrimitives.WriteUInt16BigEndian(_frame[_typeAt..], (ushort)type);
    }

    private Span<byte> Take(int size)
    {
        Span<byte> span = _frame.Slice(LengthOctets, size);
        span.Clear();
        LengthOctets += size;
        return span;
    }
}
