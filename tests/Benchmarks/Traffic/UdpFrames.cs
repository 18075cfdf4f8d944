using System;
using System.Buffers.Binary;

namespace Genkan.Benchmarks.Traffic;

/// <summary>
/// UDP frames of 64 octets with the frame check sequence, which a packet socket does not carry: 60 octets.
/// </summary>
/// <param name="DestinationMac">Six octets: the first hop.</param>
/// <param name="SourceMac">Six octets.</param>
/// <param name="Source">Four octets.</param>
/// <param name="Destination">Four octets.</param>
internal sealed record UdpFrames(byte[] DestinationMac, byte[] SourceMac, byte[] Source, byte[] Destination)
{
    /// <summary>Octets of a frame.</summary>
    internal const int FrameSize = 60;

    private const int EthernetSize = 14;
    private const int Ipv4Size = 20;
    private const ushort FirstFlowPort = 10_000;
    private const ushort DiscardPort = 9;

    /// <summary>
    /// Whether these answer: then the destination port is the flow's and the source port is the service's.
    /// </summary>
    internal bool AreReplies { get; init; }

    /// <summary>Frames one behind the other; each next one is of the next flow, by its port.</summary>
    /// <param name="flowCount">Flows; at most 50,000.</param>
    /// <param name="frameCount">Frames.</param>
    internal byte[] Build(int flowCount, int frameCount)
    {
        byte[] frames = new byte[frameCount * FrameSize];
        for (int i = 0; i < frameCount; i++)
            Write(frames.AsSpan(i * FrameSize, FrameSize), (ushort)(FirstFlowPort + (i % flowCount)));
        return frames;
    }

    private void Write(Span<byte> frame, ushort flowPort)
    {
        DestinationMac.CopyTo(frame);
        SourceMac.CopyTo(frame[6..]);
        BinaryPrimitives.WriteUInt16BigEndian(frame[12..], 0x0800);

        Span<byte> ip = frame[EthernetSize..];
        ip[0] = 0x45; // version 4, five words
        BinaryPrimitives.WriteUInt16BigEndian(ip[2..], FrameSize - EthernetSize);
        ip[8] = 64;   // Time to Live
        ip[9] = 17;   // UDP
        Source.CopyTo(ip[12..]);
        Destination.CopyTo(ip[16..]);
        BinaryPrimitives.WriteUInt16BigEndian(ip[10..], Checksum(ip[..Ipv4Size]));

        Span<byte> udp = ip[Ipv4Size..]; // its checksum stays 0: none (RFC 768)
        BinaryPrimitives.WriteUInt16BigEndian(udp, AreReplies ? DiscardPort : flowPort);
        BinaryPrimitives.WriteUInt16BigEndian(udp[2..], AreReplies ? flowPort : DiscardPort);
        BinaryPrimitives.WriteUInt16BigEndian(udp[4..], FrameSize - EthernetSize - Ipv4Size);
    }

    private static ushort Checksum(ReadOnlySpan<byte> header)
    {
        uint sum = 0;
        for (int i = 0; i < header.Length; i += 2) sum += BinaryPrimitives.ReadUInt16BigEndian(header[i..]);
        while (sum >> 16 != 0) sum = (sum & 0xFFFF) + (sum >> 16);
        return (ushort)~sum;
    }
}
