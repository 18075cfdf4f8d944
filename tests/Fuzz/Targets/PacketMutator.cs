using System;
using System.Buffers.Binary;
using Genkan.Fuzz.Engine;
using Genkan.Wire;

namespace Genkan.Fuzz.Targets;

/// <summary>
/// Changes a frame by its fields: types, tags, lengths that lie, addresses of the world, extension headers, quotations;
/// and then, mostly, puts checksums right again, so that a mutant gets past the first check.
/// </summary>
internal static class PacketMutator
{
    /// <summary>Octets of the longest frame.</summary>
    public const int FrameMax = 1600;

    private const int NetworkAt = 14;
    private const int Ipv6Size = 40;

    private static readonly ushort[] Types =
        [0x0800, 0x0800, 0x86dd, 0x86dd, 0x0806, 0x8100, 0x88a8, 0x05dc, 0x0003, 0x8847, 0x88cc, 0xffff];

    private static readonly byte[] Protocols = [0, 1, 2, 6, 17, 41, 43, 44, 47, 50, 51, 58, 59, 60, 132, 135, 255];
    private static readonly byte[] Extensions = [0, 43, 44, 51, 60, 135, 139, 140];
    private static readonly ushort[] Ports = [0, 53, 67, 68, 80, 546, 547, 4789, 5201, 8080, 40000, 65535];
    private static readonly byte[] IcmpTypes =
        [0, 3, 4, 5, 8, 9, 11, 12, 13, 1, 2, 128, 129, 130, 133, 134, 135, 136, 137, 143];

    /// <summary>One change.</summary>
    /// <param name="frame">Room; holds the frame at its start.</param>
    /// <param name="length">Its octets.</param>
    /// <param name="random">Chance.</param>
    /// <returns>The new length.</returns>
    public static int Mutate(Span<byte> frame, int length, FuzzRandom random)
    {
        if (length < NetworkAt + 20) return length;
        bool isIpv6 = frame[12] == 0x86;
        switch (random.Below(12))
        {
            case 0:
                random.Of(World.Macs.AsSpan()).CopyTo(frame[(random.OneIn(2) ? 0 : 6)..]);
                return length; // no checksum covers it
            case 1:
                BinaryPrimitives.WriteUInt16BigEndian(frame[12..], random.Of<ushort>(Types));
                break;
            case 2:
                return Tag(frame, length, random);
            case 3:
                MutateLength(frame[NetworkAt..length], isIpv6, random);
                break;
            case 4 or 5:
                MutateAddress(frame[NetworkAt..length], isIpv6, random);
                break;
            case 6:
                frame[NetworkAt + (isIpv6 ? 6 : 9)] = random.Of<byte>(Protocols);
                break;
            case 7:
                MutateTransport(frame[..length], isIpv6, random);
                break;
            case 8 when isIpv6:
                length = AddExtension(frame, length, random);
                break;
            case 8:
                frame[NetworkAt + 6] = random.Of<byte>([0, 0x20, 0x40, 0x3f, 0x80]);
                frame[NetworkAt + 7] = random.OneIn(2) ? (byte)0 : random.Octet();
                break;
            case 9:
                frame[NetworkAt + (isIpv6 ? 7 : 8)] = random.Of<byte>([0, 1, 2, 63, 64, 255]);
                break;
            case 10:
                length = Quote(frame, length, isIpv6, random);
                break;
            default:
                length = random.OneIn(2) ? NetworkAt + 20 + random.Below(length - NetworkAt - 19) : length;
                if (!random.OneIn(3)) FixLength(frame[NetworkAt..length], isIpv6);
                break;
        }

        if (!random.OneIn(8)) FixChecksums(frame[..length]);
        return length;
    }

    private static int Tag(Span<byte> frame, int length, FuzzRandom random)
    {
        Span<byte> tag = stackalloc byte[4];
        BinaryPrimitives.WriteUInt16BigEndian(tag, random.Of<ushort>([0x8100, 0x88a8]));
        BinaryPrimitives.WriteUInt16BigEndian(tag[2..], random.Of<ushort>([0, 1, 7, 0xe000, 0xffff]));
        return BlindMutator.InsertAt(frame, length, 12, tag);
    }

    private static void MutateLength(Span<byte> ip, bool isIpv6, FuzzRandom random)
    {
        if (!isIpv6 && random.OneIn(3))
        {
            ip[0] = (byte)(random.Of<byte>([0x40, 0x50, 0x60, 0]) | random.Below(16));
            return;
        }

        Span<byte> field = ip[(isIpv6 ? 4 : 2)..];
        int length = BinaryPrimitives.ReadUInt16BigEndian(field);
        length = random.Of<int>([0, 1, 19, 20, 39, 40, length - 1, length + 1, ip.Length, ip.Length + 1, 0xffff]);
        BinaryPrimitives.WriteUInt16BigEndian(field, (ushort)length);
    }

    private static void MutateAddress(Span<byte> ip, bool isIpv6, FuzzRandom random)
    {
        if (!isIpv6) random.Of(World.Ipv4.AsSpan()).CopyTo(ip[(random.OneIn(2) ? 12 : 16)..]);
        else if (ip.Length >= Ipv6Size) random.Of(World.Ipv6.AsSpan()).CopyTo16(ip[(random.OneIn(2) ? 8 : 24)..]);
    }

    private static void MutateTransport(Span<byte> frame, bool isIpv6, FuzzRandom random)
    {
        int at = NetworkAt + (isIpv6 ? Ipv6Size : (frame[NetworkAt] & 0xf) * 4);
        if (at + 14 > frame.Length) return;
        byte protocol = frame[NetworkAt + (isIpv6 ? 6 : 9)];
        if (protocol is 1 or 58)
            (frame[at], frame[at + 1]) = (random.Of<byte>(IcmpTypes), (byte)random.Below(random.OneIn(4) ? 256 : 2));
        else if (protocol == 6 && random.OneIn(2))
            frame[at + 12 + random.Below(2)] = random.Octet();
        else
            BinaryPrimitives.WriteUInt16BigEndian(frame[(at + (random.OneIn(2) ? 0 : 2))..], random.Of<ushort>(Ports));
    }

    private static int AddExtension(Span<byte> frame, int length, FuzzRandom random)
    {
        if (length < NetworkAt + Ipv6Size) return length;
        Span<byte> header = stackalloc byte[8 * (1 + random.Below(3))];
        header.Clear();
        byte type = random.Of<byte>(Extensions);
        header[0] = frame[NetworkAt + 6];
        header[1] = (byte)(type == 51 ? (header.Length / 4) - 2 : (header.Length / 8) - 1);
        if (random.OneIn(4)) header[1] = random.Octet();
        if (random.OneIn(2)) (header[2], header[3]) = (random.Octet(), random.Octet());
        frame[NetworkAt + 6] = type;
        int longer = BlindMutator.InsertAt(frame, length, NetworkAt + Ipv6Size, header);
        if (!random.OneIn(4)) FixLength(frame[NetworkAt..longer], isIpv6: true);
        return longer;
    }

    /// <summary>Makes an ICMP error that quotes the packet.</summary>
    private static int Quote(Span<byte> frame, int length, bool isIpv6, FuzzRandom random)
    {
        int headerSize = isIpv6 ? Ipv6Size : 20;
        if (length < NetworkAt + headerSize) return length;
        Span<byte> outer = stackalloc byte[Ipv6Size + 8];
        outer = outer[..(headerSize + 8)];
        outer.Clear();
        frame.Slice(NetworkAt, headerSize).CopyTo(outer);
        int addressSize = isIpv6 ? 16 : 4, sourceAt = headerSize - (2 * addressSize);
        if (!random.OneIn(4)) // back to its sender
            outer.Slice(sourceAt, addressSize).CopyTo(outer[(sourceAt + addressSize)..]);
        outer[isIpv6 ? 6 : 9] = (byte)(isIpv6 ? 58 : 1);
        outer[headerSize] = random.Of<byte>(IcmpTypes);
        if (!isIpv6) (outer[0], outer[6], outer[7]) = (0x45, 0, 0);
        int longer = BlindMutator.InsertAt(frame, length, NetworkAt, outer);
        FixLength(frame[NetworkAt..longer], isIpv6);
        return longer;
    }

    private static void FixLength(Span<byte> ip, bool isIpv6)
    {
        int length = isIpv6 ? ip.Length - Ipv6Size : ip.Length;
        if (length >= 0) BinaryPrimitives.WriteUInt16BigEndian(ip[(isIpv6 ? 4 : 2)..], (ushort)length);
    }

    /// <summary>Right checksums of the IPv4 header, and of TCP, UDP and ICMP that stand directly behind it.</summary>
    private static void FixChecksums(Span<byte> frame)
    {
        Span<byte> ip = frame[NetworkAt..];
        int headerSize = (ip[0] & 0xf) * 4;
        if (frame[12] == 8 && frame[13] == 0 && headerSize is >= 20 && headerSize <= ip.Length)
        {
            BinaryPrimitives.WriteUInt16BigEndian(ip[10..], 0);
            BinaryPrimitives.WriteUInt16BigEndian(ip[10..], InternetChecksum.Compute(ip[..headerSize]));
        }

        if (PacketHeader.TryDecode(frame, out PacketHeader header) != PacketFault.None) return;
        int checksumAt = header.Protocol switch
        {
            IpProtocol.Tcp => 16,
            IpProtocol.Udp => 6,
            IpProtocol.Icmp or IpProtocol.Icmpv6 => 2,
            _ => -1,
        };
        if (header.TransportAt < 0 || checksumAt < 0 || header.Fragment != FragmentKind.None) return;
        Span<byte> message = frame[header.TransportAt..header.NetworkEnd];
        if (message.Length < checksumAt + 2) return;
        message.Slice(checksumAt, 2).Clear();
        ulong pseudo = header.Protocol == IpProtocol.Icmp
            ? 0
            : InternetChecksum.PseudoHeader(header.Source, header.Destination, header.Protocol, message.Length);
        BinaryPrimitives.WriteUInt16BigEndian(message[checksumAt..], InternetChecksum.Compute(message, pseudo));
    }
}
