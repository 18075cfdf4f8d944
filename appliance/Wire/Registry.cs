using System;

namespace Genkan.Wire;

/// <summary>EtherType numbers (IEEE 802 numbers registry).</summary>
public enum EtherType : ushort
{
    /// <summary>No type.</summary>
    None = 0,

    /// <summary>
    /// The field held a length (below 0x0600): an LLC frame such as a BPDU. The number is Linux's ETH_P_802_2.
    /// </summary>
    Llc = 0x0004,

    /// <summary>IPv4.</summary>
    Ipv4 = 0x0800,

    /// <summary>ARP (RFC 826).</summary>
    Arp = 0x0806,

    /// <summary>802.1Q customer tag.</summary>
    Vlan = 0x8100,

    /// <summary>IPv6.</summary>
    Ipv6 = 0x86DD,

    /// <summary>802.3 slow protocols: LACP.</summary>
    SlowProtocols = 0x8809,

    /// <summary>802.1ad service tag.</summary>
    ServiceVlan = 0x88A8,

    /// <summary>LLDP.</summary>
    Lldp = 0x88CC,
}

/// <summary>Protocol numbers and IPv6 extension header types (IANA protocol numbers).</summary>
public enum IpProtocol : byte
{
    /// <summary>IPv6 Hop-by-Hop Options (RFC 8200 §4.3).</summary>
    HopByHopOptions = 0,

    /// <summary>ICMP (RFC 792).</summary>
    Icmp = 1,

    /// <summary>IGMP.</summary>
    Igmp = 2,

    /// <summary>IPv4 in IP.</summary>
    Ipv4 = 4,

    /// <summary>TCP (RFC 9293).</summary>
    Tcp = 6,

    /// <summary>UDP (RFC 768).</summary>
    Udp = 17,

    /// <summary>DCCP (RFC 4340).</summary>
    Dccp = 33,

    /// <summary>IPv6 in IP.</summary>
    Ipv6 = 41,

    /// <summary>IPv6 Routing header (RFC 8200 §4.4).</summary>
    Routing = 43,

    /// <summary>IPv6 Fragment header (RFC 8200 §4.5).</summary>
    Fragment = 44,

    /// <summary>GRE.</summary>
    Gre = 47,

    /// <summary>ESP (RFC 4303).</summary>
    Esp = 50,

    /// <summary>Authentication Header (RFC 4302).</summary>
    AuthenticationHeader = 51,

    /// <summary>ICMPv6 (RFC 4443).</summary>
    Icmpv6 = 58,

    /// <summary>IPv6 No Next Header (RFC 8200 §4.7).</summary>
    NoNextHeader = 59,

    /// <summary>IPv6 Destination Options (RFC 8200 §4.6).</summary>
    DestinationOptions = 60,

    /// <summary>OSPF.</summary>
    Ospf = 89,

    /// <summary>VRRP.</summary>
    Vrrp = 112,

    /// <summary>L2TP version 3.</summary>
    L2tp = 115,

    /// <summary>SCTP (RFC 9260).</summary>
    Sctp = 132,

    /// <summary>IPv6 Mobility header (RFC 6275 §6.1).</summary>
    Mobility = 135,

    /// <summary>UDP-Lite (RFC 3828).</summary>
    UdpLite = 136,

    /// <summary>Host Identity Protocol, over IPv6 an extension header (RFC 7401 §5.1).</summary>
    Hip = 139,

    /// <summary>Shim6, an IPv6 extension header (RFC 5533 §5.1).</summary>
    Shim6 = 140,
}

/// <summary>ICMP types (RFC 792; RFC 1812 §4.3).</summary>
public enum IcmpType : byte
{
    /// <summary>Echo Reply.</summary>
    EchoReply = 0,

    /// <summary>Destination Unreachable.</summary>
    DestinationUnreachable = 3,

    /// <summary>Source Quench (deprecated by RFC 6633).</summary>
    SourceQuench = 4,

    /// <summary>Redirect.</summary>
    Redirect = 5,

    /// <summary>Echo.</summary>
    Echo = 8,

    /// <summary>Router Advertisement (RFC 1256).</summary>
    RouterAdvertisement = 9,

    /// <summary>Router Solicitation (RFC 1256).</summary>
    RouterSolicitation = 10,

    /// <summary>Time Exceeded.</summary>
    TimeExceeded = 11,

    /// <summary>Parameter Problem.</summary>
    ParameterProblem = 12,

    /// <summary>Timestamp.</summary>
    Timestamp = 13,

    /// <summary>Timestamp Reply.</summary>
    TimestampReply = 14,
}

/// <summary>Codes of ICMP Destination Unreachable (RFC 792, RFC 1812 §5.2.7.1).</summary>
public enum IcmpUnreachableCode : byte
{
    /// <summary>Network unreachable.</summary>
    Network = 0,

    /// <summary>Host unreachable.</summary>
    Host = 1,

    /// <summary>Protocol unreachable.</summary>
    Protocol = 2,

    /// <summary>Port unreachable.</summary>
    Port = 3,

    /// <summary>Fragmentation needed and DF set (RFC 1191 §4).</summary>
    FragmentationNeeded = 4,

    /// <summary>Source route failed.</summary>
    SourceRouteFailed = 5,

    /// <summary>Communication administratively prohibited.</summary>
    AdministrativelyProhibited = 13,
}

/// <summary>ICMPv6 types (RFC 4443, RFC 4861, RFC 2710, RFC 3810).</summary>
public enum Icmpv6Type : byte
{
    /// <summary>Destination Unreachable.</summary>
    DestinationUnreachable = 1,

    /// <summary>Packet Too Big.</summary>
    PacketTooBig = 2,

    /// <summary>Time Exceeded.</summary>
    TimeExceeded = 3,

    /// <summary>Parameter Problem.</summary>
    ParameterProblem = 4,

    /// <summary>Echo Request.</summary>
    EchoRequest = 128,

    /// <summary>Echo Reply.</summary>
    EchoReply = 129,

    /// <summary>Multicast Listener Query.</summary>
    MulticastListenerQuery = 130,

    /// <summary>Multicast Listener Report.</summary>
    MulticastListenerReport = 131,

    /// <summary>Multicast Listener Done.</summary>
    MulticastListenerDone = 132,

    /// <summary>Router Solicitation.</summary>
    RouterSolicitation = 133,

    /// <summary>Router Advertisement.</summary>
    RouterAdvertisement = 134,

    /// <summary>Neighbor Solicitation.</summary>
    NeighborSolicitation = 135,

    /// <summary>Neighbor Advertisement.</summary>
    NeighborAdvertisement = 136,

    /// <summary>Redirect.</summary>
    Redirect = 137,

    /// <summary>Version 2 Multicast Listener Report (RFC 3810).</summary>
    MulticastListenerReportV2 = 143,
}

/// <summary>Codes of ICMPv6 Destination Unreachable (RFC 4443 §3.1).</summary>
public enum Icmpv6UnreachableCode : byte
{
    /// <summary>No route to destination.</summary>
    NoRoute = 0,

    /// <summary>Communication with destination administratively prohibited.</summary>
    AdministrativelyProhibited = 1,

    /// <summary>Beyond scope of source address.</summary>
    BeyondScope = 2,

    /// <summary>Address unreachable.</summary>
    Address = 3,

    /// <summary>Port unreachable.</summary>
    Port = 4,

    /// <summary>Source address failed ingress/egress policy.</summary>
    SourcePolicy = 5,

    /// <summary>Reject route to destination.</summary>
    RejectRoute = 6,
}

/// <summary>ARP operations (RFC 826).</summary>
public enum ArpOperation : ushort
{
    /// <summary>No ARP packet.</summary>
    None = 0,

    /// <summary>ares_op$REQUEST.</summary>
    Request = 1,

    /// <summary>ares_op$REPLY.</summary>
    Reply = 2,
}

/// <summary>TCP control bits (RFC 9293 §3.1).</summary>
[Flags]
public enum TcpFlags : byte
{
    /// <summary>No bit set, or no TCP.</summary>
    None = 0,

    /// <summary>No more data from sender.</summary>
    Fin = 0x01,

    /// <summary>Synchronize sequence numbers.</summary>
    Syn = 0x02,

    /// <summary>Reset the connection.</summary>
    Rst = 0x04,

    /// <summary>Push function.</summary>
    Psh = 0x08,

    /// <summary>Acknowledgment field is significant.</summary>
    Ack = 0x10,

    /// <summary>Urgent pointer field is significant.</summary>
    Urg = 0x20,

    /// <summary>ECN-Echo (RFC 3168).</summary>
    Ece = 0x40,

    /// <summary>Congestion Window Reduced (RFC 3168).</summary>
    Cwr = 0x80,
}

/// <summary>Which part of a datagram a packet is.</summary>
public enum FragmentKind : byte
{
    /// <summary>The whole datagram (IPv6 atomic fragments too, RFC 6946).</summary>
    None = 0,

    /// <summary>The first fragment: it has the transport header.</summary>
    First = 1,

    /// <summary>Any other fragment: no ports are known.</summary>
    Later = 2,
}

/// <summary>
/// Why a frame is refused by <see cref="PacketHeader.TryDecode(ReadOnlySpan{byte}, out PacketHeader)"/>.
/// </summary>
public enum PacketFault : byte
{
    /// <summary>Nothing is wrong.</summary>
    None = 0,

    /// <summary>The frame ends inside a header.</summary>
    Truncated,

    /// <summary>The IP version differs from what the EtherType says.</summary>
    BadVersion,

    /// <summary>IHL below 5, TCP data offset below 5, or UDP length below 8.</summary>
    BadHeaderLength,

    /// <summary>The IP length is below its header or past the frame's end.</summary>
    BadTotalLength,

    /// <summary>
    /// More than <see cref="WireLimits.ExtensionHeadersMax"/> extension headers, Hop-by-Hop Options not first (RFC 8200
    /// §4.1), or a type 0 Routing header with segments left (RFC 5095 §3).
    /// </summary>
    BadExtensionHeader,

    /// <summary>The IPv4 header checksum is wrong.</summary>
    BadHeaderChecksum,

    /// <summary>A VLAN tag behind a VLAN tag, or an 802.1ad service tag.</summary>
    NestedVlan,

    /// <summary>ARP for other than Ethernet and IPv4, or an operation other than request and reply.</summary>
    BadArp,

    /// <summary>
    /// An IPv6 header with an IPv4-mapped address, which must not be on a wire (RFC 4291 §2.5.5.2, RFC 6890 §2.2.3).
    /// </summary>
    MappedAddress,
}
