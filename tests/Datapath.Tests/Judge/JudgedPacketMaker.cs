using System;
using System.Buffers.Binary;
using System.Collections.Generic;
using System.Linq;
using Genkan.Wire;

namespace Genkan.Datapath.Tests.Judge;

/// <summary>Makes packets for a world: most of them good, the rest wrong in one or two ways.</summary>
internal sealed class JudgedPacketMaker(JudgedWorld world, int seed)
{
    private const int PiecesMax = 40; // a port may have 128 waiting for their first one
    private const int IdentificationsPerWorld = 512;

    private const int RoomSize = 4_096;

    private static readonly IpAddress[] Strange4 =
    [
        .. ((string[])
        [
            "255.255.255.255", "224.0.0.5", "239.1.2.3", "127.0.0.1", "0.0.0.0", "0.1.2.3", "240.0.0.1", "169.254.1.1",
        ]).Select(static s => IpAddress.Parse(s)),
    ];

    private static readonly IpAddress[] Strange6 =
    [
        .. ((string[])["fe80::1", "::", "::1", "ff02::1", "ff02::2", "ff0e::5", "fec0::1", "fd00::1", "64:ff9b::1"])
            .Select(static s => IpAddress.Parse(s)),
    ];

    private static readonly IpAddress[] Far4 =
    [
        .. ((string[])
        [
            "172.16.5.7", "172.16.5.9", "172.16.4.1", "172.31.1.1", "203.0.113.5", "203.0.113.200", "8.8.8.8",
        ]).Select(static s => IpAddress.Parse(s)),
    ];

    private static readonly IpAddress[] Far6 =
    [
        .. ((string[])["2001:db8:f000:5::7", "2001:db8:f000:5::8", "2001:db8:f123::1", "2600::1"])
            .Select(static s => IpAddress.Parse(s)),
    ];

    private static readonly MacAddress[] StrangeMacs =
    [
        .. ((string[])
        [
            "02:00:00:00:77:77", "ff:ff:ff:ff:ff:ff", "01:00:5e:00:00:05", "33:33:00:00:00:01", "01:80:c2:00:00:00",
            "01:80:c2:00:00:0e", "01:80:c2:00:00:20", "00:00:00:00:00:00",
        ]).Select(static s => MacAddress.Parse(s)),
    ];

    private readonly Random _random = new(seed);

    // Of each world its own: what another one left unfinished is remembered for half a minute.
    private uint _identification = (uint)seed * IdentificationsPerWorld;

    public JudgedPacket Next()
    {
        JudgedPort from = From(world.Ports);
        byte[] frame = OneIn(25) ? NoIp(from) : Ip(from);
        if (OneIn(10) && IsCuttable(frame)) return InPieces(new JudgedPacket(from, frame));
        if (OneIn(12)) frame = Broken(frame);
        if (OneIn(40)) frame = Tagged(frame);
        return new JudgedPacket(from, frame);
    }

    private static bool IsCuttable(byte[] frame) =>
        PacketHeader.TryDecode(frame, out PacketHeader p) == PacketFault.None && p.NetworkLengthOctets > 90
            && (p.IsIpv4 || (p.IsIpv6 && p.TransportAt == p.NetworkAt + 40));

    private JudgedPacket InPieces(JudgedPacket packet)
    {
        int units = OneIn(8) ? 2 : _random.Next(2, 60); // the least, into which no TCP header fits
        int octets = Math.Max(8 * units, packet.Frame.Length / PiecesMax / 8 * 8);
        int[] order = [.. Enumerable.Range(0, (packet.Frame.Length / octets) + 1)];
        if (OneIn(2)) _random.Shuffle(order);
        _identification += 2;
        return packet with { PieceOctets = octets, Order = [.. order], Identification = _identification };
    }

    private byte[] Ip(JudgedPort from)
    {
        bool isIpv6 = OneIn(2);
        JudgedPort? to = OneIn(3) ? null : From(world.Ports);
        IpAddress destination = to is null ? Destination(isIpv6) : isIpv6 ? to.Address6 : to.Address4;
        IpAddress source = OneIn(12) ? Source(isIpv6) : isIpv6 ? from.Address6 : from.Address4;
        MacAddress mac = to is not null && to.Network == from.Network && !OneIn(8)
            ? to.Mac
            : OneIn(15) ? AnyMac() : from.Network.GatewayMac;

        byte[] room = new byte[RoomSize];
        FrameWriter writer = new(room);
        writer.Ethernet(mac, OneIn(30) ? AnyMac() : from.Mac);
        byte hopLimit = OneIn(5) ? Of<byte>(0, 1, 2, 3, 255) : (byte)64;
        IpProtocol protocol = Protocol(isIpv6);
        bool hasDf = OneIn(2);
        writer.Ip(source, destination, protocol, hopLimit, OneIn(4) ? (byte)_random.Next(256) : (byte)0);
        int extensions = isIpv6 && OneIn(8) ? _random.Next(1, 4) : 0;
        for (int i = 0; i < extensions; i++)
        {
            IpProtocol type = Of(IpProtocol.DestinationOptions, IpProtocol.HopByHopOptions, IpProtocol.Routing);
            Span<byte> header = writer.ExtensionHeader(type, 8 * _random.Next(1, 3));
            if (!OneIn(2)) continue;
            bool isRouting = type == IpProtocol.Routing; // of a type that nobody knows, with a segment left
            header[2] = isRouting ? (byte)99 : Of<byte>(1, 0x1e, 0x5e, 0x9e, 0xde); // PadN, or unknown with each action
            header[3] = isRouting ? (byte)1 : (byte)(header.Length - 4);
        }

        Transport(ref writer, protocol, isIpv6);
        int head = writer.LengthOctets - 14;
        Random data = new(_random.Next());
        int payload = Length(head);
        data.NextBytes(writer.Rest[..payload]);
        writer.Advance(payload);
        byte[] frame = room[..writer.Finish()];
        if (!isIpv6) Ipv4Header(frame, hasDf);
        if (!isIpv6 && OneIn(15)) frame = WithOptions(frame);
        return frame.Length < 60 && !OneIn(4) ? [.. frame, .. new byte[60 - frame.Length]] : frame;
    }

    private void Transport(ref FrameWriter writer, IpProtocol protocol, bool isIpv6)
    {
        ushort source = (ushort)(1_000 + _random.Next(8));
        ushort destination = (ushort)(2_000 + _random.Next(8));
        switch (protocol)
        {
            case IpProtocol.Udp:
                writer.Udp(source, destination);
                break;
            case IpProtocol.Tcp:
                writer.Tcp(source, destination, Of(TcpFlags.Syn, TcpFlags.Ack, TcpFlags.Rst, TcpFlags.Fin), 1, 0, 512);
                break;
            case IpProtocol.Icmp when !isIpv6:
            case IpProtocol.Icmpv6 when isIpv6:
                writer.Icmp(Of<byte>(isIpv6 ? [128, 128, 129, 1] : [8, 8, 0, 13, 3, 10]), 0, 0x0007_0001);
                break;
            default:
                break;
        }
    }

    private int Length(int head)
    {
        int total = OneIn(4)
            ? From(world.Networks).Mtu + Of(-8, -1, 0, 0, 1, 2, 8)
            : OneIn(12) ? Of(1_600, 2_000, 3_000) : head + Of(0, 1, 18, 64, 200, 900);
        return Math.Clamp(total - head, 0, RoomSize - head - 100);
    }

    private void Ipv4Header(byte[] frame, bool hasDf)
    {
        Span<byte> ip = frame.AsSpan(14);
        BinaryPrimitives.WriteUInt16BigEndian(ip[4..], (ushort)_random.Next(65_536));
        BinaryPrimitives.WriteUInt16BigEndian(ip[6..], (ushort)(hasDf ? 0x4000 : 0));
        Checksum(ip[..20]);
    }

    private static void Checksum(Span<byte> header)
    {
        BinaryPrimitives.WriteUInt16BigEndian(header[10..], 0);
        BinaryPrimitives.WriteUInt16BigEndian(header[10..], InternetChecksum.Compute(header));
    }

    private byte[] WithOptions(byte[] frame)
    {
        byte[] options = Of<byte[]>(
            [1, 1, 1, 0], [148, 4, 0, 0], [148, 9, 0, 0], [7, 7, 4, 0, 0, 0, 0, 0], [131, 7, 4, 10, 1, 0, 2, 0],
            [68, 8, 5, 0, 0, 0, 0, 0], [30, 4, 1, 2]);
        byte[] longer = [.. frame[..34], .. options, .. frame[34..]];
        longer[14] = (byte)(0x45 + (options.Length / 4));
        int length = BinaryPrimitives.ReadUInt16BigEndian(longer.AsSpan(16)) + options.Length;
        BinaryPrimitives.WriteUInt16BigEndian(longer.AsSpan(16), (ushort)length);
        Checksum(longer.AsSpan(14, 20 + options.Length));
        return longer;
    }

    private byte[] NoIp(JudgedPort from)
    {
        byte[] frame = new byte[Of(14, 20, 60, 200, 1_514)];
        _random.NextBytes(frame);
        (OneIn(2) ? AnyMac() : From(world.Ports).Mac).CopyTo(frame);
        from.Mac.CopyTo(frame.AsSpan(6));
        BinaryPrimitives.WriteUInt16BigEndian(
            frame.AsSpan(12), Of<ushort>(0x88b5, 0x0800, 0x86dd, 0x88cc, 0x8847, 0x0030, 0x05ff, 0x0600));
        return frame;
    }

    /// <summary>Cut, lengthened, or with some octets of its headers changed; checksums stay as they were.</summary>
    private byte[] Broken(byte[] frame)
    {
        if (OneIn(4)) return EndingEarly(frame);
        if (OneIn(3)) return frame[..Math.Max(14, frame.Length - _random.Next(1, 40))];
        if (OneIn(3)) return [.. frame, .. new byte[_random.Next(1, 20)]];
        byte[] copy = [.. frame];
        int count = _random.Next(1, 3);
        for (int i = 0; i < count; i++)
        {
            int at = _random.Next(14, Math.Max(15, Math.Min(copy.Length, 70)));
            if (at < copy.Length) copy[at] ^= (byte)(1 << _random.Next(8));
        }

        bool isIpv4 = copy.Length >= 34 && copy[12] == 8 && copy[13] == 0 && copy[14] >> 4 == 4;
        if (isIpv4 && OneIn(2)) Checksum(copy.AsSpan(14, 20)); // so that the change itself is looked at
        return copy;
    }

    /// <summary>An IP packet that ends within its transport header.</summary>
    private byte[] EndingEarly(byte[] frame)
    {
        byte[] copy = [.. frame];
        bool isWhole = PacketHeader.TryDecode(frame, out PacketHeader p) == PacketFault.None;
        if (!isWhole || (!p.IsIpv4 && !p.IsIpv6)) return copy;
        Span<byte> ip = copy.AsSpan(p.NetworkAt);
        int octets = _random.Next(8);
        if (p.IsIpv6) BinaryPrimitives.WriteUInt16BigEndian(ip[4..], (ushort)octets);
        else BinaryPrimitives.WriteUInt16BigEndian(ip[2..], (ushort)(((ip[0] & 0xf) * 4) + octets));
        if (p.IsIpv4) Checksum(ip[..((ip[0] & 0xf) * 4)]);
        return copy;
    }

    private byte[] Tagged(byte[] frame)
    {
        byte[] tag = Of<byte[]>([0x81, 0, 0, 0], [0x81, 0, 0xa0, 0], [0x81, 0, 0, 100], [0x88, 0xa8, 0, 100]);
        return [.. frame[..12], .. tag, .. frame[12..]];
    }

    private IpProtocol Protocol(bool isIpv6) => _random.Next(8) switch
    {
        0 or 1 or 2 => IpProtocol.Udp,
        3 or 4 => IpProtocol.Tcp,
        5 or 6 => isIpv6 ? IpProtocol.Icmpv6 : IpProtocol.Icmp,
        _ => Of((IpProtocol)47, (IpProtocol)50, (IpProtocol)89, (IpProtocol)253),
    };

    private IpAddress Destination(bool isIpv6) => _random.Next(6) switch
    {
        0 => Gateway(isIpv6),
        1 => Unused(isIpv6),
        2 => From(isIpv6 ? Strange6 : Strange4),
        _ => From(isIpv6 ? Far6 : Far4),
    };

    private IpAddress Source(bool isIpv6) => _random.Next(6) switch
    {
        5 when !isIpv6 => From(world.Networks).Gateway4.Prefix.Last,
        0 => Gateway(isIpv6),
        1 => Unused(isIpv6),
        2 => From(isIpv6 ? Strange6 : Strange4),
        3 => From(isIpv6 ? Far6 : Far4),
        _ => isIpv6 ? From(world.Ports).Address6 : From(world.Ports).Address4,
    };

    private IpAddress Gateway(bool isIpv6)
    {
        JudgedNetwork network = From(world.Networks);
        return isIpv6 ? network.Gateway6.Address : network.Gateway4.Address;
    }

    /// <summary>An address of a network that nobody has: unused, or the first or last one.</summary>
    private IpAddress Unused(bool isIpv6)
    {
        JudgedNetwork network = From(world.Networks);
        IpPrefix prefix = isIpv6 ? network.Gateway6.Prefix : network.Gateway4.Prefix;
        return Of(prefix.Host(5), prefix.Network, prefix.Last);
    }

    private MacAddress AnyMac() => _random.Next(3) switch
    {
        0 => From(world.Ports).Mac,
        1 => From(world.Networks).GatewayMac,
        _ => From(StrangeMacs),
    };

    private bool OneIn(int count) => _random.Next(count) == 0;

    private T Of<T>(params ReadOnlySpan<T> values) => values[_random.Next(values.Length)];

    private T From<T>(IReadOnlyList<T> values) => values[_random.Next(values.Count)];
}
