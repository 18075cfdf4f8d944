using System;
using System.Buffers.Binary;
using System.Collections.Generic;
using System.Collections.Immutable;
using System.Linq;
using Genkan.Wire;

namespace Genkan.Datapath.Tests.Judge;

/// <summary>A packet that a VM sends: whole, or in pieces.</summary>
internal sealed record JudgedPacket(JudgedPort From, byte[] Frame)
{
    private const int FragmentHeaderSize = 8;

    /// <summary>Octets of data in each piece but the last, a multiple of 8; 0 sends it whole.</summary>
    public int PieceOctets { get; init; }

    /// <summary>Identification of its pieces at first; each time it is sent it is the next one.</summary>
    public uint Identification { get; init; }

    /// <summary>In which order the pieces are sent; those that are not named stay away.</summary>
    public ImmutableArray<int> Order { get; init; } = [];

    /// <summary>Whether all its pieces are sent.</summary>
    public bool IsComplete => PieceOctets == 0 || Cut(0).Count <= Order.Distinct().Count(i => i < Cut(0).Count);

    /// <summary>The frames to send.</summary>
    /// <param name="turn">How often it was sent before: each time is a datagram of its own.</param>
    public IReadOnlyList<byte[]> FramesOf(int turn)
    {
        if (PieceOctets == 0) return [Frame];
        List<byte[]> pieces = Cut(turn);
        return [.. Order.Where(i => i < pieces.Count).Select(i => pieces[i])];
    }

    private List<byte[]> Cut(int turn)
    {
        _ = PacketHeader.TryDecode(Frame, out PacketHeader p);
        int headerSize = p.IsIpv4 ? (Frame[p.NetworkAt] & 0xf) * 4 : 40;
        byte[] head = Frame[..(p.NetworkAt + headerSize)];
        byte[] data = Frame[(p.NetworkAt + headerSize)..p.NetworkEnd];
        List<byte[]> pieces = [];
        for (int at = 0; at < data.Length; at += PieceOctets)
        {
            byte[] piece = data[at..Math.Min(data.Length, at + PieceOctets)];
            bool hasMore = at + piece.Length < data.Length;
            uint id = Identification + (uint)turn;
            pieces.Add(p.IsIpv4 ? Piece4(head, piece, at, hasMore, id) : Piece6(head, piece, at, hasMore, id));
        }

        return pieces;
    }

    private static byte[] Piece4(byte[] head, byte[] data, int at, bool hasMore, uint id)
    {
        byte[] frame = [.. head, .. data];
        Span<byte> ip = frame.AsSpan(14);
        BinaryPrimitives.WriteUInt16BigEndian(ip[2..], (ushort)ip.Length);
        BinaryPrimitives.WriteUInt16BigEndian(ip[4..], (ushort)id);
        BinaryPrimitives.WriteUInt16BigEndian(ip[6..], (ushort)((at / 8) | (hasMore ? 0x2000 : 0)));
        BinaryPrimitives.WriteUInt16BigEndian(ip[10..], 0);
        BinaryPrimitives.WriteUInt16BigEndian(ip[10..], InternetChecksum.Compute(ip[..(head.Length - 14)]));
        return frame;
    }

    private static byte[] Piece6(byte[] head, byte[] data, int at, bool hasMore, uint id)
    {
        byte[] fragment = new byte[FragmentHeaderSize];
        fragment[0] = head[20];
        BinaryPrimitives.WriteUInt16BigEndian(fragment.AsSpan(2), (ushort)(at | (hasMore ? 1 : 0)));
        BinaryPrimitives.WriteUInt32BigEndian(fragment.AsSpan(4), id);
        byte[] frame = [.. head, .. fragment, .. data];
        frame[20] = (byte)IpProtocol.Fragment;
        BinaryPrimitives.WriteUInt16BigEndian(frame.AsSpan(18), (ushort)(fragment.Length + data.Length));
        return frame;
    }
}
