using System;

namespace Genkan.Wire;

/// <summary>
/// The headers of one Ethernet frame, decoded without allocation. Fields that the frame lacks are zero.
/// </summary>
public partial record struct PacketHeader
{
    /// <summary>Destination MAC address.</summary>
    public MacAddress EthernetDestination { get; set; }

    /// <summary>Source MAC address.</summary>
    public MacAddress EthernetSource { get; set; }

    /// <summary>
    /// The 802.1Q tag control information (priority, DEI, VLAN identifier) of the frame or beside it; 0 none.
    /// </summary>
    public ushort VlanTci { get; set; }

    /// <summary>The type behind the VLAN tag; <see cref="EtherType.Llc"/> if the field is a length.</summary>
    public EtherType EtherType { get; set; }

    /// <summary>Source address; for ARP the sender's protocol address. <c>default</c> if neither IP nor ARP.</summary>
    public IpAddress Source { get; set; }

    /// <summary>
    /// Destination address; for ARP the target's protocol address. <c>default</c> if neither IP nor ARP.
    /// </summary>
    public IpAddress Destination { get; set; }

    /// <summary>IPv4 protocol, or the last next header of IPv6 behind its extension headers; 0 if not IP.</summary>
    public IpProtocol Protocol { get; set; }

    /// <summary>TCP, UDP, SCTP: source port. ICMP echo: identifier. Else and in later fragments 0.</summary>
    public ushort SourcePort { get; set; }

    /// <summary>TCP, UDP, SCTP: destination port. ICMP: type&lt;&lt;8 | code. Else and in later fragments 0.</summary>
    public ushort DestinationPort { get; set; }

    /// <summary>Which part of a datagram this is.</summary>
    public FragmentKind Fragment { get; set; }

    /// <summary>IPv4 identification, or that of the IPv6 Fragment header; 0 if none.</summary>
    public uint Identification { get; set; }

    /// <summary>True if IPv4's Don't Fragment bit is set. IPv6 packets are never fragmented on the way: true.</summary>
    public bool DontFragment { get; set; }

    /// <summary>Hop limit, or IPv4 TTL.</summary>
    public byte HopLimit { get; set; }

    /// <summary>Traffic class, or IPv4 TOS: DSCP and ECN.</summary>
    public byte TrafficClass { get; set; }

    /// <summary>TCP control bits; none if not TCP.</summary>
    public TcpFlags TcpFlags { get; set; }

    /// <summary>ARP operation; none if not ARP.</summary>
    public ArpOperation ArpOperation { get; set; }

    /// <summary>ARP sender hardware address.</summary>
    public MacAddress ArpSenderMac { get; set; }

    /// <summary>ARP target hardware address.</summary>
    public MacAddress ArpTargetMac { get; set; }

    /// <summary>Offset of the IP or ARP header, or of what follows the EtherType; -1 unknown.</summary>
    public int NetworkAt { get; set; }

    /// <summary>Offset of the transport header; -1 if not IP, or in later fragments.</summary>
    public int TransportAt { get; set; }

    /// <summary>
    /// Offset of the data behind the transport header; in later fragments behind the IP headers; -1 unknown.
    /// </summary>
    public int PayloadAt { get; set; }

    /// <summary>
    /// Octets from <see cref="NetworkAt"/> to the datagram's end by the IP header; without the frame's padding.
    /// </summary>
    public int NetworkLengthOctets { get; set; }

    /// <summary>Octets of the frame.</summary>
    public int LengthOctets { get; set; }

    /// <summary>The VLAN identifier; 0 if none or a priority tag.</summary>
    public readonly ushort VlanId => (ushort)(VlanTci & 0xFFF);

    /// <summary>True for an IPv4 packet (not for ARP).</summary>
    public readonly bool IsIpv4 => EtherType == EtherType.Ipv4;

    /// <summary>True for an IPv6 packet.</summary>
    public readonly bool IsIpv6 => EtherType == EtherType.Ipv6;

    /// <summary>True for an ARP packet.</summary>
    public readonly bool IsArp => EtherType == EtherType.Arp;

    /// <summary>True for ICMP over IPv4, in whatever fragment.</summary>
    public readonly bool IsIcmpv4 => IsIpv4 && Protocol == IpProtocol.Icmp;

    /// <summary>True for ICMPv6 over IPv6, in whatever fragment.</summary>
    public readonly bool IsIcmpv6 => IsIpv6 && Protocol == IpProtocol.Icmpv6;

    /// <summary>True for ICMP of the packet's own family, in whatever fragment.</summary>
    public readonly bool IsIcmp => IsIcmpv4 || IsIcmpv6;

    /// <summary>The ICMP type; meaningful if <see cref="IsIcmp"/> and not a later fragment.</summary>
    public readonly byte IcmpType => (byte)(DestinationPort >> 8);

    /// <summary>The ICMP code; meaningful if <see cref="IsIcmp"/> and not a later fragment.</summary>
    public readonly byte IcmpCode => (byte)DestinationPort;

    /// <summary>Offset just behind the datagram.</summary>
    public readonly int NetworkEnd => NetworkAt + NetworkLengthOctets;

    /// <summary>True for an ICMP echo request.</summary>
    public readonly bool IsEchoRequest => Fragment != FragmentKind.Later
        && ((IsIcmpv4 && IcmpType == (byte)Wire.IcmpType.Echo)
            || (IsIcmpv6 && IcmpType == (byte)Icmpv6Type.EchoRequest));

    /// <summary>True for an ICMP echo reply.</summary>
    public readonly bool IsEchoReply => Fragment != FragmentKind.Later
        && ((IsIcmpv4 && IcmpType == (byte)Wire.IcmpType.EchoReply)
            || (IsIcmpv6 && IcmpType == (byte)Icmpv6Type.EchoReply));

    /// <summary>
    /// True for an ICMP error (RFC 1122 §3.2.2: Redirect too; RFC 4443 §2.1: type below 128), which quotes a packet.
    /// </summary>
    public readonly bool IsIcmpError => Fragment != FragmentKind.Later
        && ((IsIcmpv4 && IsIcmpv4Error(IcmpType)) || (IsIcmpv6 && IcmpType < 128));

    /// <summary>
    /// True if an ICMP error may be sent about this packet (RFC 1122 §3.2.2, RFC 1812 §4.3.2.7, RFC 4443 §2.4 (e)).
    /// </summary>
    /// <remarks>Packet Too Big about IPv6 multicast is the one exception, which the caller knows.</remarks>
    public readonly bool MayCauseIcmpError => (IsIpv4 || IsIpv6) && (Fragment == FragmentKind.None || IsFirstFragment)
        && !IsIcmpError
        && !(IsIcmpv6 && IcmpType == (byte)Icmpv6Type.Redirect)
        && !EthernetDestination.IsMulticast && !Destination.IsMulticast && !Destination.IsBroadcast
        && !Source.IsMulticast && !Source.IsBroadcast && !Source.IsUnspecified && !Source.IsLoopback
        && !Source.IsThisNetwork && !Source.IsReserved;

    /// <summary>Whether the packet is a fragment that begins its datagram, transport header and all.</summary>
    public readonly bool IsFirstFragment => Fragment == FragmentKind.First && TransportAt >= 0;

    /// <summary>Whether an ICMP message's own checksum is right (RFC 792; RFC 4443 §2.3).</summary>
    /// <param name="frame">The frame that this was decoded from.</param>
    /// <returns>False too if it is no whole ICMP message.</returns>
    public readonly bool HasRightIcmpChecksum(ReadOnlySpan<byte> frame)
    {
        if (!IsIcmp || Fragment != FragmentKind.None || TransportAt < 0 || NetworkEnd > frame.Length) return false;
        ReadOnlySpan<byte> message = frame[TransportAt..NetworkEnd];
        ulong pseudo = IsIpv4
            ? 0
            : InternetChecksum.PseudoHeader(Source, Destination, IpProtocol.Icmpv6, message.Length);
        return InternetChecksum.Compute(message, pseudo) == 0;
    }

    /// <summary>
    /// The header that a reply would have: MAC addresses, addresses and ports swapped; echo request and reply
    /// exchanged, identifier kept; ARP sender and target swapped, request and reply exchanged. Everything else, offsets
    /// too, stays as it is.
    /// </summary>
    /// <returns>The reply's header. Twice reversed is the same again.</returns>
    public readonly PacketHeader Reversed()
    {
        PacketHeader reply = this;
        (reply.EthernetDestination, reply.EthernetSource) = (EthernetSource, EthernetDestination);
        (reply.Source, reply.Destination) = (Destination, Source);
        if (IsArp)
        {
            (reply.ArpSenderMac, reply.ArpTargetMac) = (ArpTargetMac, ArpSenderMac);
            reply.ArpOperation = ArpOperation == ArpOperation.Request ? ArpOperation.Reply : ArpOperation.Request;
        }
        else if (IsIcmp)
        {
            if (Fragment != FragmentKind.Later) reply.DestinationPort = ReversedEcho();
        }
        else
        {
            (reply.SourcePort, reply.DestinationPort) = (DestinationPort, SourcePort);
        }

        return reply;
    }

    private readonly ushort ReversedEcho()
    {
        byte type = IcmpType;
        if (IsIcmpv4) type = type switch { 0 => 8, 8 => 0, _ => type };
        else type = type switch { 128 => 129, 129 => 128, _ => type };
        return (ushort)((type << 8) | IcmpCode);
    }

    private static bool IsIcmpv4Error(byte type) => (Wire.IcmpType)type is Wire.IcmpType.DestinationUnreachable
        or Wire.IcmpType.SourceQuench or Wire.IcmpType.Redirect or Wire.IcmpType.TimeExceeded
        or Wire.IcmpType.ParameterProblem;
}
