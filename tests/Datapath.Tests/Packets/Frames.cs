using System;
using System.Buffers.Binary;
using Genkan.Wire;
using Shouldly;

namespace Genkan.Datapath.Tests.Packets;

/// <summary>Frames as a tenant's stack would send them.</summary>
internal static class Frames
{
    private static readonly MacAddress Destination = MacAddress.Parse("02:00:00:00:00:02");
    private static readonly MacAddress Source = MacAddress.Parse("02:00:00:00:00:01");

    /// <summary>A frame with a right checksum.</summary>
    public static byte[] Make(IpProtocol protocol, bool ipv6 = false, int payload = 100, TcpFlags flags = TcpFlags.Ack)
    {
        byte[] buffer = new byte[70_000];
        FrameWriter writer = new(buffer);
        writer.Ethernet(Destination, Source);
        IpAddress from = IpAddress.Parse(ipv6 ? "2001:db8::1" : "10.0.1.1");
        IpAddress to = IpAddress.Parse(ipv6 ? "2001:db8::2" : "10.0.1.2");
        writer.Ip(from, to, protocol);
        if (protocol == IpProtocol.Tcp) writer.Tcp(40000, 80, flags, sequence: 1000);
        else if (protocol == IpProtocol.Udp) writer.Udp(40000, 53);
        byte[] data = new byte[payload];
        for (int i = 0; i < data.Length; i++) data[i] = (byte)(i * 7);
        writer.Octets(data);
        int length = writer.Finish();
        return buffer[..length];
    }

    /// <summary>The same frame as a stack hands it to a device with checksum offload.</summary>
    public static byte[] WithPartialChecksum(byte[] frame)
    {
        PacketHeader header = Decode(frame);
        byte[] copy = [.. frame];
        int length = header.NetworkEnd - header.TransportAt;
        ulong pseudo = InternetChecksum.PseudoHeader(header.Source, header.Destination, header.Protocol, length);
        BinaryPrimitives.WriteUInt16BigEndian(ChecksumOf(copy), InternetChecksum.Fold(pseudo));
        return copy;
    }

    public static Span<byte> ChecksumOf(byte[] frame)
    {
        PacketHeader header = Decode(frame);
        return frame.AsSpan(header.TransportAt + (header.Protocol == IpProtocol.Tcp ? 16 : 6), 2);
    }

    public static bool HasRightChecksum(byte[] frame)
    {
        PacketHeader header = Decode(frame);
        ReadOnlySpan<byte> segment = frame.AsSpan()[header.TransportAt..header.NetworkEnd];
        ulong pseudo = InternetChecksum.PseudoHeader(
            header.Source, header.Destination, header.Protocol, segment.Length);
        return InternetChecksum.Compute(segment, pseudo) == 0;
    }

    public static PacketHeader Decode(ReadOnlySpan<byte> frame)
    {
        PacketHeader.TryDecode(frame, out PacketHeader header).ShouldBe(PacketFault.None);
        return header;
    }
}
