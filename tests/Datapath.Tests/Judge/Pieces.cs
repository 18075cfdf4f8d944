using System;
using System.Buffers.Binary;
using System.Collections.Generic;
using System.Linq;
using Genkan.Wire;

namespace Genkan.Datapath.Tests.Judge;

/// <summary>
/// Puts datagrams together again: connection tracking of Linux does so before it decides, and cuts them as it likes;
/// Genkan lets pieces pass as they are (decision 0006). What they say together is compared.
/// </summary>
internal static class Pieces
{
    private const int FragmentHeaderSize = 8;

    /// <summary>Replaces the pieces of each datagram that is complete by the whole of it.</summary>
    public static List<Arrival> Together(List<Arrival> arrivals)
    {
        List<Arrival> whole = [];
        Dictionary<(string, IpAddress, IpAddress, IpProtocol, uint), List<Arrival>> datagrams = [];
        foreach (Arrival arrival in arrivals)
        {
            _ = PacketHeader.TryDecode(arrival.Frame, out PacketHeader p);
            if (p.Fragment == FragmentKind.None)
            {
                whole.Add(arrival);
                continue;
            }

            (string, IpAddress, IpAddress, IpProtocol, uint) key =
                (arrival.Port, p.Source, p.Destination, p.Protocol, p.Identification);
            if (!datagrams.TryGetValue(key, out List<Arrival>? pieces)) datagrams.Add(key, pieces = []);
            pieces.Add(arrival);
        }

        foreach (List<Arrival> pieces in datagrams.Values)
        {
            if (Joined(pieces) is { } frame) whole.Add(pieces[0] with { Frame = frame });
            else whole.AddRange(pieces);
        }

        return whole;
    }

    private static byte[]? Joined(List<Arrival> pieces)
    {
        (int At, byte[] Data, bool HasMore, byte[] Frame)[] parts =
            [.. pieces.Select(static a => PartOf(a.Frame)).OrderBy(static p => p.At)];
        int end = 0;
        foreach ((int at, byte[] data, bool hasMore, _) in parts)
        {
            if (at != end) return null;
            end += data.Length;
            if (!hasMore && end != parts.Sum(static p => p.Data.Length)) return null;
        }

        if (parts[^1].HasMore) return null;
        byte[] all = [.. parts.SelectMany(static p => p.Data)];
        _ = PacketHeader.TryDecode(parts[0].Frame, out PacketHeader first);
        return first.IsIpv4 ? Whole4(parts[0].Frame, first, all) : Whole6(parts[0].Frame, first, all);
    }

    private static (int At, byte[] Data, bool HasMore, byte[] Frame) PartOf(byte[] frame)
    {
        _ = PacketHeader.TryDecode(frame, out PacketHeader p);
        ReadOnlySpan<byte> ip = frame.AsSpan(p.NetworkAt);
        if (p.IsIpv4)
        {
            ushort word = BinaryPrimitives.ReadUInt16BigEndian(ip[6..]);
            int start = p.NetworkAt + ((ip[0] & 0xf) * 4);
            return ((word & 0x1fff) * 8, frame[start..p.NetworkEnd], (word & 0x2000) != 0, frame);
        }

        int header = p.NetworkAt + 40; // the maker cuts no packet with other extension headers
        ushort offset = BinaryPrimitives.ReadUInt16BigEndian(frame.AsSpan(header + 2));
        return (offset & 0xfff8, frame[(header + FragmentHeaderSize)..p.NetworkEnd], (offset & 1) != 0, frame);
    }

    private static byte[] Whole4(byte[] first, in PacketHeader p, byte[] data)
    {
        int headerSize = (first[p.NetworkAt] & 0xf) * 4;
        byte[] frame = [.. first[..(p.NetworkAt + headerSize)], .. data];
        Span<byte> ip = frame.AsSpan(p.NetworkAt);
        BinaryPrimitives.WriteUInt16BigEndian(ip[2..], (ushort)ip.Length);
        BinaryPrimitives.WriteUInt32BigEndian(ip[4..], 0); // the identification of pieces is their maker's
        BinaryPrimitives.WriteUInt16BigEndian(ip[10..], 0);
        BinaryPrimitives.WriteUInt16BigEndian(ip[10..], InternetChecksum.Compute(ip[..headerSize]));
        return frame;
    }

    private static byte[] Whole6(byte[] first, in PacketHeader p, byte[] data)
    {
        byte[] frame = [.. first[..(p.NetworkAt + 40)], .. data];
        frame[p.NetworkAt + 6] = first[p.NetworkAt + 40];
        BinaryPrimitives.WriteUInt16BigEndian(frame.AsSpan(p.NetworkAt + 4), (ushort)data.Length);
        return frame;
    }
}
