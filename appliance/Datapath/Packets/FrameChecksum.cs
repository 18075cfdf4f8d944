using System;
using System.Buffers.Binary;
using System.Numerics;
using Genkan.Wire;

namespace Genkan.Datapath.Packets;

/// <summary>What a frame's transport checksum is.</summary>
public enum ChecksumState
{
    /// <summary>The frame can be sent as its <see cref="VnetHeader"/> says.</summary>
    Sendable,

    /// <summary>
    /// The checksum is neither right nor partial: the frame was damaged on its way and must not be sent.
    /// </summary>
    Wrong,

    /// <summary>A segment size is given, but the frame is no whole TCP or UDP packet.</summary>
    NotSegmentable,
}

/// <summary>
/// Finds out what the kernel must still do to a frame that it gave us by a ring buffer, where "checksum partial" is not
/// told: a frame that never left the machine holds only the pseudo header's sum.
/// </summary>
public static class FrameChecksum
{
    private const int TcpChecksumAt = 16;
    private const int UdpChecksumAt = 6;
    private const int UdpHeaderSize = 8;
    private const int SctpChecksumAt = 8;
    private const int SctpHeaderSize = 12;

    /// <summary>Describes a frame, and completes in it what the header in front cannot say.</summary>
    /// <param name="frame">
    /// The frame. Its checksum is written where the kernel demands another form: a GSO packet's complete one becomes
    /// partial, and SCTP's left-out one (zero) is computed.
    /// </param>
    /// <param name="header">The frame, decoded without fault.</param>
    /// <param name="segmentSize">Payload octets of a segment (gso_size), or 0.</param>
    /// <param name="vnet">What to put in front, if sendable.</param>
    /// <returns>Whether it can be sent.</returns>
    public static ChecksumState Describe(Span<byte> frame, in PacketHeader header, int segmentSize, out VnetHeader vnet)
    {
        vnet = default;
        bool isWhole = (header.IsIpv4 || header.IsIpv6) && header.Fragment == FragmentKind.None
            && header.TransportAt >= 0 && header.NetworkEnd <= frame.Length;
        bool isTcpOrUdp = isWhole && header.Protocol is IpProtocol.Tcp or IpProtocol.Udp;
        if (segmentSize != 0 && (!isTcpOrUdp || segmentSize > ushort.MaxValue)) return ChecksumState.NotSegmentable;
        if (!isWhole) return ChecksumState.Sendable; // fragments have no checksum of their own
        return header.Protocol switch
        {
            IpProtocol.Tcp or IpProtocol.Udp => DescribeTcpOrUdp(frame, header, segmentSize, out vnet),
            IpProtocol.Sctp => CompleteSctp(frame[header.TransportAt..header.NetworkEnd]),
            _ => ChecksumState.Sendable,
        };
    }

    private static ChecksumState DescribeTcpOrUdp(
        Span<byte> frame, in PacketHeader header, int segmentSize, out VnetHeader vnet)
    {
        vnet = default;
        bool isTcp = header.Protocol == IpProtocol.Tcp;
        Span<byte> segment = frame[header.TransportAt..header.NetworkEnd];
        int offset = isTcp ? TcpChecksumAt : UdpChecksumAt;
        Span<byte> field = segment.Slice(offset, sizeof(ushort));
        ushort checksum = BinaryPrimitives.ReadUInt16BigEndian(field);
        ulong pseudo = InternetChecksum.PseudoHeader(
            header.Source, header.Destination, header.Protocol, segment.Length);
        ushort partial = InternetChecksum.Fold(pseudo);

        if (checksum != partial)
        {
            bool isLeftOut = !isTcp && checksum == 0; // RFC 768, RFC 6935
            if (!isLeftOut && InternetChecksum.Compute(segment, pseudo) != 0) return ChecksumState.Wrong;
            if (segmentSize == 0) return ChecksumState.Sendable;
            BinaryPrimitives.WriteUInt16BigEndian(field, partial); // the kernel segments only what it also checksums
        }
        vnet = new VnetHeader
        {
            Flags = VnetFlags.NeedsChecksum,
            GsoType = segmentSize == 0 ? VnetGsoType.None : GsoTypeOf(header),
            HeaderLength = (ushort)(isTcp ? header.PayloadAt : header.TransportAt + UdpHeaderSize),
            GsoSize = (ushort)segmentSize,
            ChecksumStart = (ushort)header.TransportAt,
            ChecksumOffset = (ushort)offset,
        };
        return ChecksumState.Sendable;
    }

    private static VnetGsoType GsoTypeOf(in PacketHeader header)
    {
        if (header.Protocol == IpProtocol.Udp) return VnetGsoType.UdpL4;
        VnetGsoType type = header.IsIpv4 ? VnetGsoType.TcpIpv4 : VnetGsoType.TcpIpv6;
        return (header.TcpFlags & TcpFlags.Cwr) != TcpFlags.None ? type | VnetGsoType.Ecn : type;
    }

    /// <summary>
    /// SCTP has a CRC32c (RFC 9260 §6.8, appendix A), which the kernel leaves zero where it expects offload; a packet
    /// socket cannot say so, hence it is computed here.
    /// </summary>
    private static ChecksumState CompleteSctp(Span<byte> packet)
    {
        if (packet.Length < SctpHeaderSize) return ChecksumState.Wrong;
        Span<byte> field = packet.Slice(SctpChecksumAt, sizeof(uint));
        uint found = BinaryPrimitives.ReadUInt32LittleEndian(field);
        uint crc = Crc32c(packet[..SctpChecksumAt], uint.MaxValue);
        crc = BitOperations.Crc32C(crc, 0u); // the field counts as zero
        crc = ~Crc32c(packet[SctpHeaderSize..], crc);
        if (found == crc) return ChecksumState.Sendable;
        if (found != 0) return ChecksumState.Wrong;
        BinaryPrimitives.WriteUInt32LittleEndian(field, crc);
        return ChecksumState.Sendable;
    }

    private static uint Crc32c(ReadOnlySpan<byte> octets, uint crc)
    {
        while (octets.Length >= sizeof(ulong))
        {
            crc = BitOperations.Crc32C(crc, BinaryPrimitives.ReadUInt64LittleEndian(octets));
            octets = octets[sizeof(ulong)..];
        }
        foreach (byte octet in octets) crc = BitOperations.Crc32C(crc, octet);
        return crc;
    }
}
