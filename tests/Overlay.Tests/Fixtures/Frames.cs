using System;
using Genkan.Wire;
using Genkan.Wire.NeighborDiscovery;

namespace Genkan.Overlay.Tests.Fixtures;

/// <summary>Frames as hosts send them.</summary>
internal static class Frames
{
    public static byte[] Tcp(
        MacAddress to, MacAddress from, string source, string destination, ushort sourcePort, ushort destinationPort,
        TcpFlags flags = TcpFlags.Syn, byte hopLimit = 64)
    {
        FrameWriter writer = Begin(out byte[] buffer, to, from, source, destination, IpProtocol.Tcp, hopLimit);
        writer.Tcp(sourcePort, destinationPort, flags, 1, 0, 65535);
        return buffer[..writer.Finish()];
    }

    public static byte[] Udp(
        MacAddress to, MacAddress from, string source, string destination, ushort sourcePort, ushort destinationPort,
        byte hopLimit = 64, int payloadOctets = 8)
    {
        FrameWriter writer = Begin(out byte[] buffer, to, from, source, destination, IpProtocol.Udp, hopLimit);
        writer.Udp(sourcePort, destinationPort);
        writer.Octets(new byte[payloadOctets]);
        return buffer[..writer.Finish()];
    }

    public static byte[] Ping(
        MacAddress to, MacAddress from, string source, string destination, ushort id = 7,
        bool isReply = false, byte hopLimit = 64)
    {
        bool isIpv4 = IpAddress.Parse(source).IsIpv4;
        FrameWriter writer = Begin(
            out byte[] buffer, to, from, source, destination, isIpv4 ? IpProtocol.Icmp : IpProtocol.Icmpv6, hopLimit);
        byte type = isIpv4 ? (byte)(isReply ? IcmpType.EchoReply : IcmpType.Echo)
            : (byte)(isReply ? Icmpv6Type.EchoReply : Icmpv6Type.EchoRequest);
        writer.Icmp(type, 0, ((uint)id << 16) | 1);
        writer.Octets("abcdefgh"u8);
        return buffer[..writer.Finish()];
    }

    public static byte[] Arp(
        MacAddress to, MacAddress from, MacAddress sender, string source, string target,
        ArpOperation operation = ArpOperation.Request)
    {
        byte[] buffer = new byte[64];
        FrameWriter writer = new(buffer);
        writer.Ethernet(to, from);
        writer.Arp(operation, sender, IpAddress.Parse(source),
            operation == ArpOperation.Request ? MacAddress.Zero : to, IpAddress.Parse(target));
        return buffer[..writer.Finish()];
    }

    public static byte[] Solicit(MacAddress from, string source, string target)
    {
        byte[] buffer = new byte[128];
        IpAddress address = IpAddress.Parse(target);
        IpAddress group = address.SolicitedNode();
        IpAddress sender = IpAddress.Parse(source);
        NeighborSolicitation ns = new(address, sender.IsUnspecified ? null : from);
        return buffer[..ns.Write(buffer, from, MacAddress.OfMulticastGroup(group), sender, group)];
    }

    /// <summary>An ICMP error that quotes a whole frame's packet.</summary>
    public static byte[] Error(MacAddress to, MacAddress from, string source, byte[] about, IcmpError error)
    {
        PacketHeader header = Decode(about);
        header.EthernetSource = to;
        byte[] buffer = new byte[IcmpMessages.ErrorFrameSizeMax];
        return buffer[..IcmpMessages.WriteError(buffer, about, header, error, IpAddress.Parse(source), from)];
    }

    public static PacketHeader Decode(ReadOnlySpan<byte> frame)
    {
        PacketFault fault = PacketHeader.TryDecode(frame, out PacketHeader header);
        return fault == PacketFault.None ? header : throw new Xunit.Sdk.XunitException(fault.ToString());
    }

    public static FrameWriter Begin(
        out byte[] buffer, MacAddress to, MacAddress from, string source, string destination, IpProtocol protocol,
        byte hopLimit = 64)
    {
        buffer = new byte[2048];
        FrameWriter writer = new(buffer);
        writer.Ethernet(to, from);
        writer.Ip(IpAddress.Parse(source), IpAddress.Parse(destination), protocol, hopLimit);
        return writer;
    }
}
