using System;
using System.Buffers.Binary;
using Genkan.Overlay.Flows;
using Genkan.Wire;
using Shouldly;

namespace Genkan.Datapath.Tests.Programs;

/// <summary>Crafted packets, all between the same two machines.</summary>
internal static class Frames
{
    public const int L3At = 14;
    public const int Ipv4L4At = 34;
    public const int Ipv6L4At = 54;

    public static readonly MacAddress Mac1 = MacAddress.Parse("02:00:00:00:00:01");
    public static readonly MacAddress Mac2 = MacAddress.Parse("02:00:00:00:00:02");
    public static readonly MacAddress Mac3 = MacAddress.Parse("02:00:00:00:00:03");
    public static readonly IpAddress Ip1 = IpAddress.Parse("10.0.1.1");
    public static readonly IpAddress Ip2 = IpAddress.Parse("10.0.1.2");
    public static readonly IpAddress Ip3 = IpAddress.Parse("198.51.100.3");
    public static readonly IpAddress Ip61 = IpAddress.Parse("2001:db8:1::1");
    public static readonly IpAddress Ip62 = IpAddress.Parse("2001:db8:1::2");
    public static readonly IpAddress Ip63 = IpAddress.Parse("2001:db8:9::3");

    public static IpAddress From(bool v6) => v6 ? Ip61 : Ip1;

    public static IpAddress To(bool v6) => v6 ? Ip62 : Ip2;

    public static IpAddress Other(bool v6) => v6 ? Ip63 : Ip3;

    public static int L4At(bool v6) => v6 ? Ipv6L4At : Ipv4L4At;

    public static byte[] Udp(
        bool v6 = false, int payloadOctets = 18, ushort from = 1000, ushort to = 2000, byte hopLimit = 64,
            ushort vlan = 0) =>
        Udp(From(v6), To(v6), payloadOctets, from, to, hopLimit, vlan);

    public static byte[] Udp(
        IpAddress source, IpAddress destination, int payloadOctets = 18, ushort from = 1000, ushort to = 2000,
        byte hopLimit = 64, ushort vlan = 0)
    {
        byte[] room = new byte[FrameWriter.HeadersSizeMax + payloadOctets];
        FrameWriter writer = new(room);
        writer.Ethernet(Mac2, Mac1, vlanTci: vlan);
        writer.Ip(source, destination, IpProtocol.Udp, hopLimit);
        writer.Udp(from, to);
        return Finish(room, ref writer, payloadOctets);
    }

    /// <summary>UDP-Lite or DCCP, whose first eight octets look alike; a checksum of the first octets alone, or of all
    /// (0).</summary>
    public static byte[] Partial(IpProtocol protocol, bool v6, byte coverage = 0)
    {
        byte[] room = new byte[FrameWriter.HeadersSizeMax + 18];
        byte[] header = [0x03, 0xE8, 0x07, 0xD0, 0, coverage, 0, 0];
        FrameWriter writer = new(room);
        writer.Ethernet(Mac2, Mac1);
        writer.Ip(From(v6), To(v6), protocol);
        writer.Octets(header);
        byte[] frame = Finish(room, ref writer, 18);
        frame.WritePartialChecksum(v6, coverage);
        return frame;
    }

    /// <summary>The checksum of <see cref="Partial"/> (RFC 3828 §3.1, RFC 4340 §9.1).</summary>
    public static void WritePartialChecksum(this byte[] frame, bool v6, byte coverage)
    {
        PacketHeader.TryDecode(frame, out PacketHeader header).ShouldBe(PacketFault.None);
        Span<byte> segment = frame.AsSpan(L4At(v6));
        ulong pseudo = InternetChecksum.PseudoHeader(
            header.Source, header.Destination, header.Protocol, segment.Length);
        segment.Slice(6, 2).Clear();
        ushort checksum = InternetChecksum.Compute(coverage == 0 ? segment : segment[..coverage], pseudo);
        BinaryPrimitives.WriteUInt16BigEndian(segment[6..], checksum);
    }

    public static byte[] Tcp(bool v6 = false, TcpFlags flags = TcpFlags.Syn, int payloadOctets = 6) =>
        Tcp(From(v6), To(v6), flags, payloadOctets);

    public static byte[] Tcp(
        IpAddress source, IpAddress destination, TcpFlags flags = TcpFlags.Syn, int payloadOctets = 6,
        ushort from = 1000, ushort to = 2000)
    {
        byte[] room = new byte[FrameWriter.HeadersSizeMax + payloadOctets];
        FrameWriter writer = new(room);
        writer.Ethernet(Mac2, Mac1);
        writer.Ip(source, destination, IpProtocol.Tcp);
        writer.Tcp(from, to, flags);
        return Finish(room, ref writer, payloadOctets);
    }

    /// <summary>An echo request of identifier 1000, or any other message.</summary>
    public static byte[] Icmp(bool v6 = false, byte? type = null, byte code = 0, byte hopLimit = 64) =>
        Icmp(From(v6), To(v6), type ?? (byte)(v6 ? 128 : 8), code, new byte[18], hopLimit);

    public static byte[] Icmp(
        IpAddress source, IpAddress destination, byte type, byte code, byte[] payload, byte hopLimit = 64)
    {
        byte[] room = new byte[FrameWriter.HeadersSizeMax + payload.Length];
        FrameWriter writer = new(room);
        writer.Ethernet(Mac2, Mac1);
        writer.Ip(source, destination, source.IsIpv4 ? IpProtocol.Icmp : IpProtocol.Icmpv6, hopLimit);
        writer.Icmp(type, code, (1000u << 16) | 1);
        writer.Octets(payload);
        return Finish(room, ref writer, 0);
    }

    public static byte[] Arp(
        MacAddress ethernetSource, MacAddress sender, IpAddress senderIp, IpAddress target,
        ArpOperation operation = ArpOperation.Request)
    {
        byte[] room = new byte[60];
        FrameWriter writer = new(room);
        writer.Ethernet(MacAddress.Broadcast, ethernetSource);
        writer.Arp(operation, sender, senderIp, default, target);
        writer.Advance(18); // as a NIC pads it
        return Finish(room, ref writer, 0);
    }

    public static byte[] Other(EtherType type, int octets = 60)
    {
        byte[] room = new byte[octets];
        FrameWriter writer = new(room);
        writer.Ethernet(Mac2, Mac1, type);
        writer.Advance(octets - 14);
        return Finish(room, ref writer, 0);
    }

    /// <summary>A fragment of UDP; the first one has 8 octets more.</summary>
    public static byte[] Fragment(bool v6, int offsetOctets, bool more, uint id = 7, int payloadOctets = 64) =>
        Fragment(From(v6), To(v6), offsetOctets, more, id, payloadOctets);

    /// <inheritdoc cref="Fragment(bool, int, bool, uint, int)"/>
    public static byte[] Fragment(
        IpAddress source, IpAddress destination, int offsetOctets, bool more, uint id = 7, int payloadOctets = 64)
    {
        byte[] room = new byte[HeadersRoom + payloadOctets];
        FrameWriter writer = new(room);
        writer.Ethernet(Mac2, Mac1);
        writer.Ip(source, destination, IpProtocol.Udp);
        writer.Fragment(id, offsetOctets, more);
        if (offsetOctets == 0) writer.Udp(1000, 2000);
        return Finish(room, ref writer, payloadOctets);
    }

    /// <summary>The whole datagram that the fragments are of, as far as its key goes.</summary>
    public static FlowKey KeyOfWhole(bool v6, uint keyPort, bool isL3 = false) => KeyOf(Udp(v6), keyPort, isL3);

    private const int HeadersRoom = FrameWriter.HeadersSizeMax + 8;

    /// <summary>UDP behind extension headers, each of eight octets.</summary>
    public static byte[] Extended(params IpProtocol[] headers)
    {
        byte[] room = new byte[400];
        FrameWriter writer = new(room);
        writer.Ethernet(Mac2, Mac1);
        writer.Ip(Ip61, Ip62, IpProtocol.Udp);
        foreach (IpProtocol header in headers) writer.ExtensionHeader(header, 8);
        writer.Udp(1000, 2000);
        return Finish(room, ref writer, 18);
    }

    /// <summary>The key that the agent derives from a frame.</summary>
    public static FlowKey KeyOf(byte[] frame, uint keyPort, bool isL3 = false)
    {
        PacketHeader.TryDecode(frame, out PacketHeader header).ShouldBe(PacketFault.None);
        return FlowKey.Of(keyPort, header, isL3);
    }

    /// <summary>Fails if a checksum that the frame holds is wrong.</summary>
    public static void ShouldHaveRightChecksums(this byte[] frame)
    {
        PacketHeader.TryDecode(frame, out PacketHeader header).ShouldBe(PacketFault.None);
        bool v4 = header.Source.IsIpv4;
        int l4 = L4At(!v4);
        int end = v4 ? L3At + BinaryPrimitives.ReadUInt16BigEndian(frame.AsSpan(16)) : frame.Length;
        if (v4) InternetChecksum.Compute(frame.AsSpan(L3At, 20)).ShouldBe((ushort)0, "IPv4 header checksum");
        ulong pseudo = header.Protocol == IpProtocol.Icmp
            ? 0
            : InternetChecksum.PseudoHeader(header.Source, header.Destination, header.Protocol, end - l4);
        InternetChecksum.Compute(frame.AsSpan(l4, end - l4), pseudo).ShouldBe((ushort)0, "transport checksum");
    }

    /// <summary>The frame with octets changed, and checksums as they were.</summary>
    public static byte[] With(this byte[] frame, int at, params byte[] octets)
    {
        byte[] copy = [.. frame];
        octets.CopyTo(copy, at);
        return copy;
    }

    private static byte[] Finish(byte[] room, ref FrameWriter writer, int payloadOctets)
    {
        for (int i = 0; i < payloadOctets; i++) writer.Rest[i] = (byte)i;
        writer.Advance(payloadOctets);
        return room[..writer.Finish()];
    }
}
