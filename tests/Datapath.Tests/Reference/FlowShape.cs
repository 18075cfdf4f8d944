using System;
using System.Collections.Generic;
using Genkan.Testing.Reference;
using Genkan.Wire;

namespace Genkan.Datapath.Tests.Reference;

/// <summary>
/// What the packets of a flow look like, from which both its frames and its keys are made. Extension headers, options
/// and lengths vary from packet to packet and are in no key.
/// </summary>
internal sealed record FlowShape(bool IsIpv6, UInt128 Source, UInt128 Destination, byte Protocol)
{
    public ulong DestinationMac { get; init; }

    public ulong SourceMac { get; init; }

    public ushort SourcePort { get; init; }

    public ushort DestinationPort { get; init; }

    public byte IcmpType { get; init; }

    public byte IcmpCode { get; init; }

    /// <summary>Where it stands in its datagram; null the whole of it.</summary>
    public Piece? Piece { get; init; }

    public FragmentKind Fragment => Piece switch
    {
        null => FragmentKind.None,
        { FromUnits: 0 } => FragmentKind.First,
        _ => FragmentKind.Later,
    };

    public byte HopLimit { get; init; } = 64;

    public bool IsIcmp => Protocol == (IsIpv6 ? 58 : 1);

    public bool IsEcho => IsIcmp && (IsIpv6 ? IcmpType is 128 or 129 : IcmpType is 0 or 8);

    public ushort EtherType => IsIpv6 ? (ushort)0x86dd : (ushort)0x0800;

    /// <summary>The key that flow_types.h says such packets have, and all pieces of them.</summary>
    public ConnKey KeyAt(uint keyPort, bool isL3)
    {
        bool hasPorts = Protocol is 6 or 17 or 132;
        ushort source = hasPorts || IsEcho ? SourcePort : (ushort)0;
        ushort destination = hasPorts ? DestinationPort : IsIcmp ? (ushort)((IcmpType << 8) | IcmpCode) : (ushort)0;
        return new ConnKey(
            IsIpv6, keyPort, Source, Destination, source, destination, Protocol, FragmentKind.None,
            isL3 ? 0 : DestinationMac, isL3 ? 0 : SourceMac);
    }

    public FlowShape Reversed() => this with
    {
        Source = Destination,
        Destination = Source,
        SourcePort = IsEcho ? SourcePort : DestinationPort,
        DestinationPort = SourcePort,
        IcmpType = !IsEcho ? IcmpType : IsIpv6 ? (byte)(IcmpType ^ 1) : (byte)(IcmpType ^ 8),
        SourceMac = DestinationMac,
        DestinationMac = SourceMac,
    };
}

/// <summary>A piece of a datagram: where it begins, in units of eight octets, and whether more follow.</summary>
internal sealed record Piece(uint Identification, int FromUnits, bool HasMore);

/// <summary>Octet 13 of a TCP header, and options: a multiple of four octets up to 40.</summary>
internal sealed record TcpPart(byte Flags, byte[] Options)
{
    public static TcpPart Syn { get; } = new(0x02, []);
}

/// <summary>Puts frames together octet by octet.</summary>
internal static class FrameMaker
{
    /// <summary>A frame with right checksums.</summary>
    /// <param name="shape">Its flow.</param>
    /// <param name="payload">Octets behind the transport header.</param>
    /// <param name="options">IPv4: octets of options, a multiple of four up to 40.</param>
    /// <param name="extensions">IPv6: types of extension headers, each of eight octets, in front of any fragment
    /// header.</param>
    /// <param name="hasUdpChecksum">Else zero.</param>
    /// <param name="tcp">Flags and options of a TCP header.</param>
    public static byte[] Frame(
        FlowShape shape, byte[] payload, int options = 0, IReadOnlyList<byte>? extensions = null,
        bool hasUdpChecksum = true, TcpPart? tcp = null)
    {
        List<byte> frame = [.. Number(shape.DestinationMac, 6), .. Number(shape.SourceMac, 6)];
        frame.AddRange(Number(shape.EtherType, 2));
        byte[] transport = Transport(shape, payload, hasUdpChecksum, tcp ?? TcpPart.Syn);
        frame.AddRange(shape.IsIpv6
            ? Ipv6(shape, extensions ?? [], transport)
            : Ipv4(shape, options, transport));
        return [.. frame];
    }

    public static byte[] Number(UInt128 value, int octets)
    {
        byte[] result = new byte[octets];
        for (int i = octets - 1; i >= 0; i--, value >>= 8) result[i] = (byte)value;
        return result;
    }

    private static byte[] Ipv4(FlowShape shape, int options, byte[] transport)
    {
        ushort fragment = shape.Piece is { } p ? (ushort)((p.HasMore ? 0x2000 : 0) | p.FromUnits) : (ushort)0x4000;
        ushort identification = (ushort)(shape.Piece?.Identification ?? 0x1234);
        byte[] header =
        [
            (byte)(0x40 | ((20 + options) / 4)), 0, .. Number((UInt128)(20 + options + transport.Length), 2),
            .. Number(identification, 2), .. Number(fragment, 2), shape.HopLimit, shape.Protocol, 0, 0,
            .. Number(shape.Source >> 96, 4), .. Number(shape.Destination >> 96, 4), .. NoOperations(options),
        ];
        Octets.SetWord(header, 10, (ushort)~Octets.Sum(header, 0, header.Length));
        return [.. header, .. transport];
    }

    private static byte[] NoOperations(int count)
    {
        byte[] options = new byte[count];
        Array.Fill(options, (byte)1);
        return options;
    }

    private static byte[] Ipv6(FlowShape shape, IReadOnlyList<byte> extensions, byte[] transport)
    {
        List<byte> types = [.. extensions];
        Piece piece = shape.Piece ?? new Piece(7, 0, HasMore: false);
        if (shape.Piece is not null) types.Add(44);
        types.Add(shape.Protocol);
        List<byte> headers = [];
        for (int i = 0; i + 1 < types.Count; i++)
        {
            byte[] header = types[i] == 44
                ? [types[i + 1], 0, .. Number(PlaceOf(piece), 2), .. Number(piece.Identification, 4)]
                : [types[i + 1], 0, 1, 4, 0, 0, 0, 0]; // PadN of six octets
            headers.AddRange(header);
        }

        return
        [
            0x60, 0, 0, 0, .. Number((UInt128)(headers.Count + transport.Length), 2), types[0], shape.HopLimit,
            .. Number(shape.Source, 16), .. Number(shape.Destination, 16), .. headers, .. transport,
        ];
    }

    private static ushort PlaceOf(Piece piece) => (ushort)((piece.FromUnits << 3) | (piece.HasMore ? 1 : 0));

    private static byte[] Transport(FlowShape shape, byte[] payload, bool hasUdpChecksum, TcpPart tcp)
    {
        if (shape.Fragment == FragmentKind.Later) return payload;
        byte[] ports = [.. Number(shape.SourcePort, 2), .. Number(shape.DestinationPort, 2)];
        byte[] segment;
        int checksumAt;
        switch (shape.Protocol)
        {
            case 6:
                byte words = (byte)((20 + tcp.Options.Length) / 4 << 4);
                segment =
                [
                    .. ports, 0, 0, 0, 1, 0, 0, 0, 0, words, tcp.Flags, 0x10, 0, 0, 0, 0, 0,
                    .. tcp.Options, .. payload,
                ];
                checksumAt = 16;
                break;
            case 17:
                segment = [.. ports, .. Number((UInt128)(8 + payload.Length), 2), 0, 0, .. payload];
                if (!hasUdpChecksum) return segment;
                checksumAt = 6;
                break;
            case 136 or 33: // UDP-Lite that covers all of it; DCCP
                segment = [.. ports, 0, 0, 0, 0, .. payload];
                if (!hasUdpChecksum) return segment;
                checksumAt = 6;
                break;
            case 1 or 58:
                segment = [shape.IcmpType, shape.IcmpCode, 0, 0, .. Number(shape.SourcePort, 2), 0, 1, .. payload];
                checksumAt = 2;
                break;
            default:
                return [.. ports, 0, 0, 0, 0, .. payload];
        }

        ushort checksum = (ushort)~Octets.Sum(segment, 0, segment.Length, PseudoHeader(shape, segment.Length));
        Octets.SetWord(segment, checksumAt, checksum == 0 && shape.Protocol is (17 or 136) ? (ushort)0xffff : checksum);
        return segment;
    }

    private static ushort PseudoHeader(FlowShape shape, int length)
    {
        if (shape.Protocol == 1) return 0;
        byte[] pseudo = [.. Number(shape.Source, 16), .. Number(shape.Destination, 16), 0, shape.Protocol];
        return Octets.Plus(Octets.Sum(pseudo, 0, pseudo.Length), (ushort)length);
    }
}
