using System;
using System.Buffers.Binary;
using Genkan.Wire;

namespace Genkan.Datapath.Tests.Judge;

/// <summary>What the rules take out of frames.</summary>
internal static class Details
{
    /// <summary>The frame up to the end of its packet by the IP header's length, wrong as the rest may be.</summary>
    public static byte[] WithoutPadding(byte[] frame)
    {
        PacketHeader.TryDecode(frame, out PacketHeader p);
        int headerSize = p.IsIpv4 ? 20 : 40;
        if ((!p.IsIpv4 && !p.IsIpv6) || frame.Length < p.NetworkAt + headerSize) return frame;
        ReadOnlySpan<byte> ip = frame.AsSpan(p.NetworkAt);
        int length = p.IsIpv4
            ? BinaryPrimitives.ReadUInt16BigEndian(ip[2..])
            : headerSize + BinaryPrimitives.ReadUInt16BigEndian(ip[4..]);
        return length < headerSize || length > ip.Length ? frame : frame[..(p.NetworkAt + length)];
    }

    public static byte[] WithoutIdentity(byte[] frame)
    {
        bool isOwn = PacketHeader.TryDecode(frame, out PacketHeader p) == PacketFault.None
            && (p.IsIcmpError || p.IsEchoReply);
        if (!isOwn) return frame;
        byte[] copy = [.. frame];
        Span<byte> ip = copy.AsSpan(p.NetworkAt);
        if (p.IsIpv4)
        {
            BinaryPrimitives.WriteUInt32BigEndian(ip[4..], 0);
            WriteHeaderChecksum(ip);
        }
        else
        {
            ip[1] &= 0xf0;
            ip[2] = ip[3] = 0;
        }

        return copy;
    }

    public static byte[] WithoutHopLimit(byte[] frame)
    {
        if (PacketHeader.TryDecode(frame, out PacketHeader p) != PacketFault.None) return frame;
        byte[] copy = [.. frame];
        Span<byte> ip = copy.AsSpan(p.NetworkAt);
        ip[p.IsIpv4 ? 8 : 7] = 0;
        if (p.IsIpv4) WriteHeaderChecksum(ip);
        return copy;
    }

    /// <summary>Of the error and of the packet that it quotes.</summary>
    public static byte[] WithoutErrorsHopLimits(byte[] frame)
    {
        bool isError = TryError(frame, out PacketHeader e)
            && PacketHeader.TryDecodeEmbedded(frame, e, out PacketHeader _);
        if (!isError) return frame;
        byte[] copy = WithoutHopLimit(frame);
        int quotedAt = e.TransportAt + 8;
        copy.AsSpan(e.TransportAt + 2, 2).Clear();
        copy[quotedAt + (e.IsIpv4 ? 8 : 7)] = 0;
        if (e.IsIpv4) WriteHeaderChecksum(copy.AsSpan(quotedAt));
        return copy;
    }

    public static ReadOnlySpan<byte> TagType => [0x81, 0x00];

    public static byte[] WithoutPriorityTag(byte[] frame)
    {
        bool isTagged = frame.Length > 18 && frame.AsSpan(12, 2).SequenceEqual(TagType);
        return isTagged ? [.. frame[..12], .. frame[16..]] : frame;
    }

    public static byte[] WithoutAnswersMac(byte[] frame)
    {
        bool isAnswer = PacketHeader.TryDecode(frame, out PacketHeader p) == PacketFault.None
            && (p.IsIcmpError || p.IsEchoReply);
        if (!isAnswer) return frame;
        byte[] copy = [.. frame];
        copy.AsSpan(0, MacAddress.Size).Clear();
        return copy;
    }

    public static byte[] WithoutErrorsSource(byte[] frame)
    {
        if (!TryError(frame, out PacketHeader e)) return frame;
        byte[] copy = [.. frame];
        Span<byte> ip = copy.AsSpan(e.NetworkAt);
        if (e.IsIpv4)
        {
            ip[12..16].Clear();
            WriteHeaderChecksum(ip);
        }
        else
        {
            ip[8..24].Clear();
            copy.AsSpan(e.TransportAt + 2, 2).Clear(); // its checksum holds the source
        }

        return copy;
    }

    public static byte[] WithoutErrorsEcn(byte[] frame)
    {
        if (!TryError(frame, out PacketHeader e) || e.IsIpv6) return frame;
        byte[] copy = [.. frame];
        Span<byte> ip = copy.AsSpan(e.NetworkAt);
        ip[1] &= 0xfc;
        WriteHeaderChecksum(ip);
        return copy;
    }

    public static byte[] WithoutUnreachableCode(byte[] frame)
    {
        if (!TryError(frame, out PacketHeader e) || !IsUnreachable(e)) return frame;
        byte[] copy = [.. frame];
        copy.AsSpan(e.TransportAt + 1, 3).Clear(); // code and checksum
        return copy;
    }

    public static bool HasRightChecksum(in PacketHeader header, byte[] frame)
    {
        if (header.TransportAt < 0 || header.Protocol is not (IpProtocol.Tcp or IpProtocol.Udp)) return true;
        Span<byte> segment = frame.AsSpan()[header.TransportAt..header.NetworkEnd];
        ulong pseudo =
            InternetChecksum.PseudoHeader(header.Source, header.Destination, header.Protocol, segment.Length);
        return InternetChecksum.Compute(segment, pseudo) == 0;
    }

    private static bool IsUnreachable(in PacketHeader error) => error.IcmpType
        == (error.IsIpv4 ? (byte)IcmpType.DestinationUnreachable : (byte)Icmpv6Type.DestinationUnreachable);

    private static void WriteHeaderChecksum(Span<byte> ip)
    {
        BinaryPrimitives.WriteUInt16BigEndian(ip[10..], 0);
        BinaryPrimitives.WriteUInt16BigEndian(ip[10..], InternetChecksum.Compute(ip[..((ip[0] & 0xf) * 4)]));
    }

    private static bool TryError(byte[] frame, out PacketHeader error) =>
        PacketHeader.TryDecode(frame, out error) == PacketFault.None && error.IsIcmpError;
}
