using System;
using System.Buffers.Binary;

namespace Genkan.Benchmarks.Flooding;

/// <summary>
/// Frames of 60 octets whose addresses, ports and protocol are random: every other one UDP, the others TCP SYNs with a
/// valid checksum, so that a host which they reach answers them.
/// </summary>
/// <param name="DestinationMac">Six octets: the first hop.</param>
/// <param name="SourceMac">Six octets.</param>
/// <param name="Source">Whose addresses the sources are.</param>
/// <param name="Destination">Whose addresses the destinations are.</param>
internal sealed record FloodFrames(
    byte[] DestinationMac, byte[] SourceMac, AddressRange Source, AddressRange Destination)
{
    /// <summary>Octets of a frame without its check sequence.</summary>
    internal const int FrameSize = 60;

    private const int EthernetSize = 14;
    private const int Ipv4Size = 20;
    private const int TcpSize = 20;
    private const byte Tcp = 6;
    private const byte Udp = 17;
    private const byte Syn = 2;

    /// <summary>Writes what all frames have in common.</summary>
    internal void Begin(Span<byte> frame)
    {
        frame.Clear();
        DestinationMac.CopyTo(frame);
        SourceMac.CopyTo(frame[6..]);
        BinaryPrimitives.WriteUInt16BigEndian(frame[12..], 0x0800);
        frame[EthernetSize] = 0x45;   // version 4, five words
        frame[EthernetSize + 8] = 64; // Time to Live
    }

    /// <summary>Makes a frame another flow's.</summary>
    /// <param name="frame">As left by <see cref="Begin"/> or by this.</param>
    /// <param name="addresses">Random.</param>
    /// <param name="ports">Random; its last bit chooses the protocol.</param>
    internal void Next(Span<byte> frame, ulong addresses, uint ports)
    {
        bool isUdp = (ports & 1) == 0;
        Span<byte> ip = frame[EthernetSize..];
        BinaryPrimitives.WriteUInt32BigEndian(ip[12..], Source.At((uint)addresses));
        BinaryPrimitives.WriteUInt32BigEndian(ip[16..], Destination.At((uint)(addresses >> 32)));
        int length = isUdp ? FrameSize - EthernetSize : Ipv4Size + TcpSize;
        BinaryPrimitives.WriteUInt16BigEndian(ip[2..], (ushort)length);
        ip[9] = isUdp ? Udp : Tcp;
        ip[10..12].Clear();
        BinaryPrimitives.WriteUInt16BigEndian(ip[10..], (ushort)~Sum(ip[..Ipv4Size], 0));
        Span<byte> transport = ip[Ipv4Size..length];
        transport.Clear();
        BinaryPrimitives.WriteUInt32BigEndian(transport, ports | 0x0400_0400); // no port below 1024
        if (isUdp) BinaryPrimitives.WriteUInt16BigEndian(transport[4..], (ushort)transport.Length);
        else WriteSyn(transport, ip[12..Ipv4Size]);
    }

    private static void WriteSyn(Span<byte> tcp, ReadOnlySpan<byte> addresses)
    {
        tcp[12] = TcpSize / 4 << 4;
        tcp[13] = Syn;
        BinaryPrimitives.WriteUInt16BigEndian(tcp[14..], 64_240);
        ushort pseudo = Sum(addresses, Tcp + TcpSize);
        BinaryPrimitives.WriteUInt16BigEndian(tcp[16..], (ushort)~Sum(tcp, pseudo));
    }

    private static ushort Sum(ReadOnlySpan<byte> octets, uint sum)
    {
        for (int i = 0; i < octets.Length; i += 2) sum += BinaryPrimitives.ReadUInt16BigEndian(octets[i..]);
        while (sum >> 16 != 0) sum = (sum & 0xFFFF) + (sum >> 16);
        return (ushort)sum;
    }
}

/// <summary>Addresses with some bits in common.</summary>
/// <param name="First">The common bits.</param>
/// <param name="Free">Bits that differ.</param>
internal readonly record struct AddressRange(uint First, uint Free)
{
    /// <summary>One of them.</summary>
    internal uint At(uint random) => First | (random & Free);
}
