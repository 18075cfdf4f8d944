using System;
using System.Buffers.Binary;
using System.Collections.Generic;
using Genkan.Wire;

namespace Genkan.Lab.Tests.Fragments;

/// <summary>UDP datagrams as IP packets, cut into fragments.</summary>
internal static class Pieces
{
    private const int EthernetSize = 14;

    /// <summary>A datagram's payload: no two pieces of it are the same.</summary>
    public static byte[] Payload(int octets, int seed)
    {
        byte[] payload = new byte[octets];
        new Random(seed).NextBytes(payload);
        return payload;
    }

    /// <summary>Cuts a datagram.</summary>
    /// <param name="source">Source address.</param>
    /// <param name="destination">Destination address, of the same family.</param>
    /// <param name="ports">Source and destination port.</param>
    /// <param name="id">Identification.</param>
    /// <param name="payload">Payload of UDP.</param>
    /// <param name="pieceOctets">IP payload of each fragment but the last, a multiple of 8.</param>
    /// <returns>IP packets in order; one whole packet if it fits.</returns>
    public static List<byte[]> Cut(
        string source, string destination, (ushort From, ushort To) ports, uint id, byte[] payload, int pieceOctets)
    {
        byte[] whole = Whole(source, destination, ports, payload, out int headerSize);
        ReadOnlySpan<byte> transport = whole.AsSpan(headerSize);
        List<byte[]> pieces = [];
        for (int at = 0; at < transport.Length; at += pieceOctets)
        {
            int size = Math.Min(pieceOctets, transport.Length - at);
            pieces.Add(Piece(whole, headerSize, transport.Slice(at, size), id, at, at + size < transport.Length));
        }

        return pieces.Count == 1 ? [whole] : pieces;
    }

    /// <summary>The pieces in another order.</summary>
    public static List<byte[]> Shuffled(IEnumerable<byte[]> pieces, int seed)
    {
        byte[][] order = [.. pieces];
        new Random(seed).Shuffle(order);
        return [.. order];
    }

    private static byte[] Whole(
        string source, string destination, (ushort From, ushort To) ports, byte[] payload, out int headerSize)
    {
        byte[] room = new byte[FrameWriter.HeadersSizeMax + payload.Length];
        FrameWriter writer = new(room);
        writer.Ethernet(default, default);
        writer.Ip(IpAddress.Parse(source), IpAddress.Parse(destination), IpProtocol.Udp);
        bool isIpv4 = IpAddress.Parse(source).IsIpv4;
        if (isIpv4) writer.Fragment(1); // clears DF
        writer.Udp(ports.From, ports.To);
        writer.Octets(payload);
        headerSize = isIpv4 ? 20 : 40;
        return room[EthernetSize..writer.Finish()];
    }

    private static byte[] Piece(
        byte[] whole, int headerSize, ReadOnlySpan<byte> part, uint id, int offset, bool more)
    {
        if (headerSize == 20)
        {
            byte[] packet = [.. whole[..20], .. part];
            BinaryPrimitives.WriteUInt16BigEndian(packet.AsSpan(2), (ushort)packet.Length);
            BinaryPrimitives.WriteUInt16BigEndian(packet.AsSpan(4), (ushort)id);
            BinaryPrimitives.WriteUInt16BigEndian(packet.AsSpan(6), (ushort)((more ? 0x2000 : 0) | (offset / 8)));
            BinaryPrimitives.WriteUInt16BigEndian(packet.AsSpan(10), 0);
            BinaryPrimitives.WriteUInt16BigEndian(packet.AsSpan(10), InternetChecksum.Compute(packet.AsSpan(0, 20)));
            return packet;
        }

        byte[] header = new byte[8];
        header[0] = whole[6];
        BinaryPrimitives.WriteUInt16BigEndian(header.AsSpan(2), (ushort)(offset | (more ? 1 : 0)));
        BinaryPrimitives.WriteUInt32BigEndian(header.AsSpan(4), id);
        byte[] result = [.. whole[..40], .. header, .. part];
        result[6] = (byte)IpProtocol.Fragment;
        BinaryPrimitives.WriteUInt16BigEndian(result.AsSpan(4), (ushort)(result.Length - 40));
        return result;
    }
}
