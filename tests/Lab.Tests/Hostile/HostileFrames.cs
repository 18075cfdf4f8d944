using System;
using System.Buffers.Binary;
using Genkan.Wire;

namespace Genkan.Lab.Tests.Hostile;

/// <summary>Frames that no stack sends, octet by octet: nothing of the product decides what they are.</summary>
internal static class HostileFrames
{
    private const int EthernetSize = 14;
    private const int Ipv4Size = 20;

    /// <summary>A UDP packet of ten octets, right in all respects.</summary>
    public static byte[] Udp4(MacAddress to, MacAddress from, string source, string destination, ushort port)
    {
        byte[] frame = Ethernet(to, from, 0x0800, Ipv4Size + 18);
        Span<byte> ip = frame.AsSpan(EthernetSize);
        ip[0] = 0x45;
        BinaryPrimitives.WriteUInt16BigEndian(ip[2..], Ipv4Size + 18);
        ip[8] = 64;
        ip[9] = 17;
        IpAddress.Parse(source).CopyTo(ip[12..]);
        IpAddress.Parse(destination).CopyTo(ip[16..]);
        WriteHeaderChecksum(frame);
        BinaryPrimitives.WriteUInt16BigEndian(ip[20..], 40_000);
        BinaryPrimitives.WriteUInt16BigEndian(ip[22..], port);
        BinaryPrimitives.WriteUInt16BigEndian(ip[24..], 18); // no UDP checksum: allowed in IPv4
        return frame;
    }

    /// <summary>A UDP packet in IPv6; its checksum is 0, which is why nothing should take it (RFC 8200 §8.1).</summary>
    public static byte[] Udp6(MacAddress to, MacAddress from, string source, string destination, ushort port)
    {
        byte[] frame = Ethernet(to, from, 0x86dd, 40 + 18);
        Span<byte> ip = frame.AsSpan(EthernetSize);
        ip[0] = 0x60;
        BinaryPrimitives.WriteUInt16BigEndian(ip[4..], 18);
        ip[6] = 17;
        ip[7] = 64;
        IpAddress.Parse(source).CopyTo(ip[8..]);
        IpAddress.Parse(destination).CopyTo(ip[24..]);
        BinaryPrimitives.WriteUInt16BigEndian(ip[40..], 40_000);
        BinaryPrimitives.WriteUInt16BigEndian(ip[42..], port);
        BinaryPrimitives.WriteUInt16BigEndian(ip[44..], 18);
        return frame;
    }

    /// <summary>An ARP request (RFC 826).</summary>
    public static byte[] Arp(MacAddress from, string sender, string target)
    {
        byte[] frame = Ethernet(MacAddress.Broadcast, from, 0x0806, 28);
        Span<byte> arp = frame.AsSpan(EthernetSize);
        ReadOnlySpan<byte> start = [0, 1, 8, 0, 6, 4, 0, 1];
        start.CopyTo(arp);
        from.CopyTo(arp[8..]);
        IpAddress.Parse(sender).CopyTo(arp[14..]);
        IpAddress.Parse(target).CopyTo(arp[24..]);
        return frame;
    }

    /// <summary>The same frame behind 802.1Q or 802.1ad tags.</summary>
    public static byte[] Tagged(byte[] frame, params (ushort Type, ushort Tci)[] tags)
    {
        byte[] tagged = new byte[frame.Length + (4 * tags.Length)];
        frame.AsSpan(0, 12).CopyTo(tagged);
        for (int i = 0; i < tags.Length; i++)
        {
            BinaryPrimitives.WriteUInt16BigEndian(tagged.AsSpan(12 + (4 * i)), tags[i].Type);
            BinaryPrimitives.WriteUInt16BigEndian(tagged.AsSpan(14 + (4 * i)), tags[i].Tci);
        }

        frame.AsSpan(12).CopyTo(tagged.AsSpan(12 + (4 * tags.Length)));
        return tagged;
    }

    /// <summary>The frame with one octet of its IP packet changed, and the header's checksum right again.</summary>
    public static byte[] With(byte[] frame, int at, byte value)
    {
        byte[] changed = [.. frame];
        changed[EthernetSize + at] = value;
        if (changed[12] == 8 && changed[13] == 0) WriteHeaderChecksum(changed);
        return changed;
    }

    /// <summary>The frame with a wrong header checksum.</summary>
    public static byte[] WithWrongHeaderChecksum(byte[] frame)
    {
        byte[] changed = [.. frame];
        changed[EthernetSize + 10] ^= 0x55;
        return changed;
    }

    /// <summary>A VXLAN packet (RFC 7348 §5) as the payload of UDP.</summary>
    /// <param name="key">The 24-bit VNI.</param>
    /// <param name="hasGroupPolicy">Whether the group-policy extension is there, with the bit always set.</param>
    /// <param name="inner">Frame inside.</param>
    public static byte[] Vxlan(uint key, bool hasGroupPolicy, byte[] inner)
    {
        byte[] packet = new byte[8 + inner.Length];
        packet[0] = (byte)(hasGroupPolicy ? 0x88 : 0x08);
        if (hasGroupPolicy) BinaryPrimitives.WriteUInt16BigEndian(packet.AsSpan(2), 0x4000);
        BinaryPrimitives.WriteUInt32BigEndian(packet.AsSpan(4), key << 8);
        inner.CopyTo(packet, 8);
        return packet;
    }

    /// <summary>One of ours: the group-policy extension with the bit that is always set.</summary>
    /// <param name="key">The 24-bit VNI.</param>
    /// <param name="policy">Bits beside that one.</param>
    /// <param name="inner">Frame inside.</param>
    public static byte[] Vxlan(uint key, int policy, byte[] inner)
    {
        byte[] packet = Vxlan(key, hasGroupPolicy: true, inner);
        BinaryPrimitives.WriteUInt16BigEndian(packet.AsSpan(2), (ushort)(0x4000 | policy));
        return packet;
    }

    /// <summary>The packet, whose IP header now says another protocol and so few octets of it.</summary>
    public static byte[] Cut4(byte[] udp, byte protocol, int transportOctets)
    {
        byte[] frame = [.. udp];
        frame[EthernetSize + 9] = protocol;
        BinaryPrimitives.WriteUInt16BigEndian(frame.AsSpan(EthernetSize + 2), (ushort)(Ipv4Size + transportOctets));
        WriteHeaderChecksum(frame);
        return frame;
    }

    /// <summary>The same in IPv6.</summary>
    public static byte[] Cut6(byte[] udp, byte protocol, int transportOctets)
    {
        byte[] frame = [.. udp];
        frame[EthernetSize + 6] = protocol;
        BinaryPrimitives.WriteUInt16BigEndian(frame.AsSpan(EthernetSize + 4), (ushort)transportOctets);
        return frame;
    }

    /// <summary>An IPv4 packet with any transport octets.</summary>
    public static byte[] Ip4(
        MacAddress to, MacAddress from, string source, string destination, byte protocol, ReadOnlySpan<byte> transport,
        bool dontFragment = false)
    {
        byte[] frame = Ethernet(to, from, 0x0800, Ipv4Size + transport.Length);
        Span<byte> ip = frame.AsSpan(EthernetSize);
        ip[0] = 0x45;
        BinaryPrimitives.WriteUInt16BigEndian(ip[2..], (ushort)(Ipv4Size + transport.Length));
        if (dontFragment) ip[6] = 0x40;
        ip[8] = 64;
        ip[9] = protocol;
        IpAddress.Parse(source).CopyTo(ip[12..]);
        IpAddress.Parse(destination).CopyTo(ip[16..]);
        transport.CopyTo(ip[Ipv4Size..]);
        WriteHeaderChecksum(frame);
        return frame;
    }

    /// <summary>An ICMPv6 message with hop limit 255 and a right checksum (RFC 4443 §2.3).</summary>
    public static byte[] Icmp6(MacAddress to, MacAddress from, string source, string destination, byte[] message)
    {
        byte[] frame = Ethernet(to, from, 0x86dd, 40 + message.Length);
        Span<byte> ip = frame.AsSpan(EthernetSize);
        ip[0] = 0x60;
        BinaryPrimitives.WriteUInt16BigEndian(ip[4..], (ushort)message.Length);
        ip[6] = 58;
        ip[7] = 255;
        IpAddress.Parse(source).CopyTo(ip[8..]);
        IpAddress.Parse(destination).CopyTo(ip[24..]);
        message.CopyTo(ip[40..]);
        uint sum = 58 + (uint)message.Length;
        for (int i = 8; i < 40 + message.Length; i += 2) sum += BinaryPrimitives.ReadUInt16BigEndian(ip[i..]);
        while (sum >> 16 != 0) sum = (sum & 0xffff) + (sum >> 16);
        BinaryPrimitives.WriteUInt16BigEndian(ip[42..], (ushort)~sum);
        return frame;
    }

    /// <summary>UDP header without checksum and zeros behind it.</summary>
    public static byte[] UdpOctets(ushort source, ushort destination, int payload)
    {
        byte[] udp = new byte[8 + payload];
        BinaryPrimitives.WriteUInt16BigEndian(udp, source);
        BinaryPrimitives.WriteUInt16BigEndian(udp.AsSpan(2), destination);
        BinaryPrimitives.WriteUInt16BigEndian(udp.AsSpan(4), (ushort)udp.Length);
        return udp;
    }

    /// <summary>Writes the right checksum of a UDP packet in IPv4 without options (RFC 768).</summary>
    public static void WriteUdpChecksum(Span<byte> frame)
    {
        Span<byte> udp = frame.Slice(
            EthernetSize + Ipv4Size, BinaryPrimitives.ReadUInt16BigEndian(frame[(EthernetSize + Ipv4Size + 4)..]));
        udp[6..8].Clear();
        uint sum = 17 + (uint)udp.Length;
        for (int i = 12; i < Ipv4Size; i += 2) sum += BinaryPrimitives.ReadUInt16BigEndian(frame[(EthernetSize + i)..]);
        for (int i = 0; i < udp.Length; i += 2) sum += BinaryPrimitives.ReadUInt16BigEndian(udp[i..]);
        while (sum >> 16 != 0) sum = (sum & 0xffff) + (sum >> 16);
        BinaryPrimitives.WriteUInt16BigEndian(udp[6..], (ushort)~sum);
    }

    private static byte[] Ethernet(MacAddress to, MacAddress from, ushort type, int payloadSize)
    {
        byte[] frame = new byte[Math.Max(60, EthernetSize + payloadSize)];
        to.CopyTo(frame);
        from.CopyTo(frame.AsSpan(6));
        BinaryPrimitives.WriteUInt16BigEndian(frame.AsSpan(12), type);
        return frame;
    }

    private static void WriteHeaderChecksum(byte[] frame)
    {
        Span<byte> header = frame.AsSpan(EthernetSize, Ipv4Size);
        header[10..12].Clear();
        uint sum = 0;
        for (int i = 0; i < Ipv4Size; i += 2) sum += BinaryPrimitives.ReadUInt16BigEndian(header[i..]);
        while (sum >> 16 != 0) sum = (sum & 0xffff) + (sum >> 16);
        BinaryPrimitives.WriteUInt16BigEndian(header[10..], (ushort)~sum);
    }
}
