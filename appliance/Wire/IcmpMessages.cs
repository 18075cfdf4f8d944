using System;
using System.Buffers.Binary;

namespace Genkan.Wire;

/// <summary>The ICMP messages that a router answers with: echo replies and errors, as whole frames.</summary>
public static class IcmpMessages
{
    private const int EthernetSizeMax = 18;
    private const int Ipv4HeaderSize = 20;
    private const int Ipv6HeaderSize = 40;
    private const int IcmpSize = 8;
    private const int InternetworkControl = 0xC0; // precedence 6
    private const int TypeOfServiceMask = 0x1C; // RFC 1349 §2, without what is ECN now (RFC 3168 §5)

    /// <summary>Room that is enough for any error of <see cref="WriteError"/>.</summary>
    public const int ErrorFrameSizeMax = EthernetSizeMax + WireLimits.Icmpv6ErrorLengthMax;

    /// <summary>
    /// Writes the echo reply to a request (RFC 792, RFC 4443 §4.2): addresses swapped, data and identifier kept.
    /// </summary>
    /// <param name="output">At least as long as the request's frame.</param>
    /// <param name="frame">The request.</param>
    /// <param name="header">
    /// Its header; must be a whole echo request (<see cref="PacketHeader.IsEchoRequest"/>).
    /// </param>
    /// <param name="source">Who answers: the request's destination if that is unicast.</param>
    /// <param name="sourceMac">The MAC address of who answers.</param>
    /// <param name="hopLimit">TTL or hop limit of the reply.</param>
    /// <returns>Octets of the reply's frame; 0 if the packet is a fragment or no echo request.</returns>
    public static int WriteEchoReply(
        Span<byte> output,
        ReadOnlySpan<byte> frame,
        in PacketHeader header,
        IpAddress source,
        MacAddress sourceMac,
        byte hopLimit = 64)
    {
        if (!header.IsEchoRequest || header.Fragment != FragmentKind.None) return 0;
        ReadOnlySpan<byte> icmp = frame[header.TransportAt..header.NetworkEnd];
        FrameWriter writer = new(output);
        writer.Ethernet(header.EthernetSource, sourceMac, header.EtherType, header.VlanTci);
        writer.Ip(source, header.Source, header.Protocol, hopLimit, header.TrafficClass);
        byte type = header.IsIpv4 ? (byte)IcmpType.EchoReply : (byte)Icmpv6Type.EchoReply;
        writer.Icmp(type, 0, BinaryPrimitives.ReadUInt32BigEndian(icmp[4..]));
        writer.Octets(icmp[IcmpSize..]);
        return writer.Finish();
    }

    /// <summary>
    /// Writes an ICMP error about a packet, back to its sender. It quotes as much of the packet as fits into 576 octets
    /// (IPv4, RFC 1812 §4.3.2.3) or 1280 octets (IPv6, RFC 4443 §2.4 (c)). IPv4 errors have precedence 6 and the type
    /// of service of the packet (RFC 1812 §4.3.2.5).
    /// </summary>
    /// <param name="output">At least <see cref="ErrorFrameSizeMax"/> octets.</param>
    /// <param name="frame">The packet that the error is about.</param>
    /// <param name="header">
    /// Its header. Nothing is written unless <see cref="PacketHeader.MayCauseIcmpError"/>. Its VLAN tag comes back in
    /// the frame: clear it if the tag travels beside.
    /// </param>
    /// <param name="error">Type, code and parameter of the error.</param>
    /// <param name="source">The address of the router that complains, of the packet's family.</param>
    /// <param name="sourceMac">Its MAC address.</param>
    /// <returns>Octets of the error's frame, or 0 if none may be sent.</returns>
    public static int WriteError(
        Span<byte> output,
        ReadOnlySpan<byte> frame,
        in PacketHeader header,
        IcmpError error,
        IpAddress source,
        MacAddress sourceMac)
    {
        if (!header.MayCauseIcmpError || header.IsIpv4 != source.IsIpv4) return 0;
        int quotedMax = header.IsIpv4
            ? WireLimits.IcmpErrorLengthMax - Ipv4HeaderSize - IcmpSize
            : WireLimits.Icmpv6ErrorLengthMax - Ipv6HeaderSize - IcmpSize;
        ReadOnlySpan<byte> packet = frame[header.NetworkAt..header.NetworkEnd];
        FrameWriter writer = new(output);
        writer.Ethernet(header.EthernetSource, sourceMac, header.EtherType, header.VlanTci);
        IpProtocol protocol = header.IsIpv4 ? IpProtocol.Icmp : IpProtocol.Icmpv6;
        int trafficClass = header.IsIpv4 ? InternetworkControl | (header.TrafficClass & TypeOfServiceMask) : 0;
        writer.Ip(source, header.Source, protocol, hopLimit: 64, (byte)trafficClass);
        writer.Icmp(error.Type, error.Code, error.Parameter);
        writer.Octets(packet[..Math.Min(packet.Length, quotedMax)]);
        return writer.Finish();
    }
}

/// <summary>Type, code and second word of an ICMP error, of either family.</summary>
/// <param name="Type">ICMP or ICMPv6 type.</param>
/// <param name="Code">The code under that type.</param>
/// <param name="Parameter">The second four octets: MTU, pointer, or 0.</param>
public readonly record struct IcmpError(byte Type, byte Code, uint Parameter)
{
    /// <summary>TTL or hop limit exceeded in transit (RFC 792; RFC 4443 §3.3).</summary>
    /// <param name="isIpv4">Family of the packet.</param>
    /// <returns>The error.</returns>
    public static IcmpError TimeExceeded(bool isIpv4) =>
        new(isIpv4 ? (byte)IcmpType.TimeExceeded : (byte)Icmpv6Type.TimeExceeded, 0, 0);

    /// <summary>Destination Unreachable of ICMP (RFC 792, RFC 1812 §5.2.7.1).</summary>
    /// <param name="code">Why.</param>
    /// <returns>The error.</returns>
    public static IcmpError Unreachable(IcmpUnreachableCode code) =>
        new((byte)IcmpType.DestinationUnreachable, (byte)code, 0);

    /// <summary>Destination Unreachable of ICMPv6 (RFC 4443 §3.1).</summary>
    /// <param name="code">Why.</param>
    /// <returns>The error.</returns>
    public static IcmpError Unreachable(Icmpv6UnreachableCode code) =>
        new((byte)Icmpv6Type.DestinationUnreachable, (byte)code, 0);

    /// <summary>
    /// Fragmentation needed and DF set, with the next hop's MTU (RFC 1191 §4), or Packet Too Big (RFC 4443 §3.2).
    /// </summary>
    /// <param name="isIpv4">Family of the packet.</param>
    /// <param name="mtuOctets">The MTU of the next hop; for IPv4 below 65536.</param>
    /// <returns>The error.</returns>
    public static IcmpError PacketTooBig(bool isIpv4, int mtuOctets) => isIpv4
        ? Unreachable(IcmpUnreachableCode.FragmentationNeeded) with { Parameter = (ushort)mtuOctets }
        : new IcmpError((byte)Icmpv6Type.PacketTooBig, 0, (uint)mtuOctets);

    /// <summary>Parameter Problem with a pointer (RFC 792: first octet; RFC 4443 §3.4: 32 bits).</summary>
    /// <param name="isIpv4">Family of the packet.</param>
    /// <param name="code">The code.</param>
    /// <param name="pointer">Offset of the wrong octet in the packet.</param>
    /// <returns>The error.</returns>
    public static IcmpError ParameterProblem(bool isIpv4, byte code, int pointer) => isIpv4
        ? new IcmpError((byte)IcmpType.ParameterProblem, code, (uint)pointer << 24)
        : new IcmpError((byte)Icmpv6Type.ParameterProblem, code, (uint)pointer);
}
