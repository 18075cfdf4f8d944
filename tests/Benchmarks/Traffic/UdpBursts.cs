using System;
using System.Buffers.Binary;

namespace Genkan.Benchmarks.Traffic;

/// <summary>
/// UDP frames of 64 octets with the frame check sequence (60 without), in bursts of one flow each: a burst is one
/// packet with an offload header, which the sender's own kernel cuts into frames before its interface.
/// </summary>
/// <param name="DestinationMac">Six octets: the first hop.</param>
/// <param name="SourceMac">Six octets.</param>
/// <param name="Source">Four octets.</param>
/// <param name="Destination">Four octets.</param>
internal sealed record UdpBursts(byte[] DestinationMac, byte[] SourceMac, byte[] Source, byte[] Destination)
{
    /// <summary>Frames of a burst unless somebody asks for another number.</summary>
    internal const int FrameCountUsual = 16;

    /// <summary>Flows to or from one far address. A source may hold no more ports of a NAT (RFC 6888 REQ-4).</summary>
    private const int FlowsPerAddress = 4_000;

    /// <summary>Octets of each frame.</summary>
    internal const int FrameSize = EthernetSize + Ipv4Size + UdpSize + PayloadSize;

    private const int OffloadSize = 10; // struct virtio_net_hdr
    private const int EthernetSize = 14;
    private const int Ipv4Size = 20;
    private const int UdpSize = 8;
    private const int PayloadSize = 18;
    private const int ChecksumAt = 6; // in the UDP header
    private const byte NeedsChecksum = 1;
    private const byte UdpSegments = 5;
    private const byte Udp = 17;
    private const ushort FirstFlowPort = 10_000;
    private const ushort DiscardPort = 9;

    /// <summary>Frames that a burst becomes.</summary>
    internal int FrameCount { get; init; } = FrameCountUsual;

    /// <summary>Octets of a burst with its offload header.</summary>
    internal int BurstSize => OffloadSize + EthernetSize + Ipv4Size + UdpSize + (FrameCount * PayloadSize);

    /// <summary>
    /// Whether these answer: then the destination port is the flow's and the source port is the service's.
    /// </summary>
    internal bool AreReplies { get; init; }

    /// <summary>
    /// Bursts one behind the other; each next one is of the next flow, by its port, then by the last octet of the far
    /// address: the destination, of answers the source.
    /// </summary>
    /// <param name="flowCount">Flows; at most 100,000.</param>
    /// <param name="burstCount">Bursts.</param>
    internal byte[] Build(int flowCount, int burstCount)
    {
        byte[] bursts = new byte[burstCount * BurstSize];
        for (int i = 0; i < burstCount; i++)
            Write(bursts.AsSpan(i * BurstSize, BurstSize), i % flowCount);
        return bursts;
    }

    /// <summary>
    /// Frames as they leave the interface, without an offload header: one for each flow, no UDP checksum.
    /// </summary>
    internal byte[] BuildFrames(int flowCount)
    {
        UdpBursts single = this with { FrameCount = 1 };
        byte[] bursts = single.Build(flowCount, flowCount);
        byte[] frames = new byte[flowCount * FrameSize];
        for (int i = 0; i < flowCount; i++)
        {
            Span<byte> frame = frames.AsSpan(i * FrameSize, FrameSize);
            bursts.AsSpan((i * single.BurstSize) + OffloadSize, FrameSize).CopyTo(frame);
            frame.Slice(EthernetSize + Ipv4Size + ChecksumAt, 2).Clear();
        }

        return frames;
    }

    private void Write(Span<byte> burst, int flow)
    {
        ushort flowPort = (ushort)(FirstFlowPort + (flow % FlowsPerAddress));
        burst[0] = NeedsChecksum;
        if (FrameCount > 1) burst[1] = UdpSegments;
        BinaryPrimitives.WriteUInt16LittleEndian(burst[2..], EthernetSize + Ipv4Size + UdpSize);
        BinaryPrimitives.WriteUInt16LittleEndian(burst[4..], PayloadSize);
        BinaryPrimitives.WriteUInt16LittleEndian(burst[6..], EthernetSize + Ipv4Size);
        BinaryPrimitives.WriteUInt16LittleEndian(burst[8..], ChecksumAt);

        Span<byte> frame = burst[OffloadSize..];
        DestinationMac.CopyTo(frame);
        SourceMac.CopyTo(frame[6..]);
        BinaryPrimitives.WriteUInt16BigEndian(frame[12..], 0x0800);
        Span<byte> ip = frame[EthernetSize..];
        ip[0] = 0x45; // version 4, five words
        ip[8] = 64;   // Time to Live
        ip[9] = Udp;
        Source.CopyTo(ip[12..]);
        Destination.CopyTo(ip[16..]);
        ip[AreReplies ? 15 : 19] += (byte)(flow / FlowsPerAddress);
        Span<byte> udp = ip[Ipv4Size..];
        BinaryPrimitives.WriteUInt16BigEndian(udp, AreReplies ? DiscardPort : flowPort);
        BinaryPrimitives.WriteUInt16BigEndian(udp[2..], AreReplies ? flowPort : DiscardPort);
        WriteLengths(ip, (ushort)(UdpSize + (FrameCount * PayloadSize)));
    }

    /// <summary>
    /// Both lengths, the IPv4 checksum, and of the UDP checksum the pseudo header: the kernel does the rest.
    /// </summary>
    private static void WriteLengths(Span<byte> ip, ushort udpLength)
    {
        BinaryPrimitives.WriteUInt16BigEndian(ip[2..], (ushort)(Ipv4Size + udpLength));
        ip[10..12].Clear();
        BinaryPrimitives.WriteUInt16BigEndian(ip[10..], (ushort)~Sum(ip[..Ipv4Size], 0));
        BinaryPrimitives.WriteUInt16BigEndian(ip[(Ipv4Size + 4)..], udpLength);
        BinaryPrimitives.WriteUInt16BigEndian(
            ip[(Ipv4Size + ChecksumAt)..], Sum(ip[12..Ipv4Size], (uint)(Udp + udpLength)));
    }

    private static ushort Sum(ReadOnlySpan<byte> octets, uint sum)
    {
        for (int i = 0; i < octets.Length; i += 2) sum += BinaryPrimitives.ReadUInt16BigEndian(octets[i..]);
        while (sum >> 16 != 0) sum = (sum & 0xFFFF) + (sum >> 16);
        return (ushort)sum;
    }
}
