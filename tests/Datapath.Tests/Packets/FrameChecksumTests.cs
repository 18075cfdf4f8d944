using System;
using System.Buffers.Binary;
using System.Linq;
using System.Runtime.CompilerServices;
using Genkan.Datapath.Packets;
using Genkan.Wire;
using Shouldly;

namespace Genkan.Datapath.Tests.Packets;

public sealed class FrameChecksumTests
{
    [Fact]
    public void The_header_is_as_long_as_virtio_says() => Unsafe.SizeOf<VnetHeader>().ShouldBe(VnetHeader.Size);

    [Theory]
    [InlineData(IpProtocol.Tcp, false)]
    [InlineData(IpProtocol.Tcp, true)]
    [InlineData(IpProtocol.Udp, false)]
    [InlineData(IpProtocol.Udp, true)]
    [InlineData(IpProtocol.Gre, false)]
    public void A_frame_with_a_right_checksum_needs_nothing(IpProtocol protocol, bool ipv6)
    {
        byte[] frame = Frames.Make(protocol, ipv6);

        Describe(frame, 0, out VnetHeader vnet).ShouldBe(ChecksumState.Sendable);

        vnet.ShouldBe(default);
    }

    [Theory]
    [InlineData(IpProtocol.Tcp, false, 34, 16, 54)]
    [InlineData(IpProtocol.Tcp, true, 54, 16, 74)]
    [InlineData(IpProtocol.Udp, false, 34, 6, 42)]
    [InlineData(IpProtocol.Udp, true, 54, 6, 62)]
    public void A_partial_checksum_is_left_to_the_kernel(
        IpProtocol protocol, bool ipv6, int start, int offset, int headers)
    {
        byte[] frame = Frames.WithPartialChecksum(Frames.Make(protocol, ipv6));
        byte[] before = [.. frame];

        Describe(frame, 0, out VnetHeader vnet).ShouldBe(ChecksumState.Sendable);

        vnet.ShouldBe(new VnetHeader
        {
            Flags = VnetFlags.NeedsChecksum,
            HeaderLength = (ushort)headers,
            ChecksumStart = (ushort)start,
            ChecksumOffset = (ushort)offset,
        });
        frame.ShouldBe(before);
    }

    [Theory]
    [InlineData(IpProtocol.Tcp, false, TcpFlags.Ack, VnetGsoType.TcpIpv4)]
    [InlineData(IpProtocol.Tcp, true, TcpFlags.Ack, VnetGsoType.TcpIpv6)]
    [InlineData(IpProtocol.Tcp, true, TcpFlags.Ack | TcpFlags.Cwr, VnetGsoType.TcpIpv6 | VnetGsoType.Ecn)]
    [InlineData(IpProtocol.Udp, false, TcpFlags.None, VnetGsoType.UdpL4)]
    [InlineData(IpProtocol.Udp, true, TcpFlags.None, VnetGsoType.UdpL4)]
    public void A_frame_of_several_segments_says_so_and_its_checksum_becomes_partial(
        IpProtocol protocol, bool ipv6, TcpFlags flags, VnetGsoType type)
    {
        byte[] complete = Frames.Make(protocol, ipv6, payload: 5000, flags);
        byte[] partial = Frames.WithPartialChecksum(complete);

        Describe(complete, 1400, out VnetHeader ofComplete).ShouldBe(ChecksumState.Sendable);
        Describe(partial, 1400, out VnetHeader ofPartial).ShouldBe(ChecksumState.Sendable);

        (ofPartial.GsoType, ofPartial.GsoSize, ofPartial.Flags).ShouldBe((type, (ushort)1400, VnetFlags.NeedsChecksum));
        ofComplete.ShouldBe(ofPartial);
        complete.ShouldBe(partial);
    }

    [Theory]
    [InlineData(IpProtocol.Tcp, 0)]
    [InlineData(IpProtocol.Tcp, 50)]
    [InlineData(IpProtocol.Udp, 0)]
    public void A_checksum_that_is_neither_right_nor_partial_is_wrong(IpProtocol protocol, int segmentSize)
    {
        byte[] frame = Frames.Make(protocol);
        frame[^1] ^= 0x40;

        Describe(frame, segmentSize, out _).ShouldBe(ChecksumState.Wrong);
    }

    [Fact]
    public void A_UDP_checksum_that_was_left_out_is_right()
    {
        byte[] frame = Frames.Make(IpProtocol.Udp);
        Frames.ChecksumOf(frame).Clear();

        Describe(frame, 0, out VnetHeader vnet).ShouldBe(ChecksumState.Sendable);

        vnet.ShouldBe(default);
    }

    [Theory]
    [InlineData(IpProtocol.Gre)]
    [InlineData(IpProtocol.Sctp)]
    public void Only_TCP_and_UDP_are_segmented(IpProtocol protocol) =>
        Describe(Frames.Make(protocol), 50, out _).ShouldBe(ChecksumState.NotSegmentable);

    [Fact]
    public void A_fragment_has_no_checksum_to_look_at()
    {
        byte[] frame = Frames.Make(IpProtocol.Udp);
        BinaryPrimitives.WriteUInt16BigEndian(frame.AsSpan(20), 0x2000); // more fragments
        Span<byte> ip = frame.AsSpan(14, 20);
        ip[10..12].Clear();
        BinaryPrimitives.WriteUInt16BigEndian(ip[10..], InternetChecksum.Compute(ip));
        frame[^1] ^= 0x40;

        Describe(frame, 0, out VnetHeader vnet).ShouldBe(ChecksumState.Sendable);

        vnet.ShouldBe(default);
    }

    [Fact]
    public void SCTP_s_left_out_CRC32c_is_filled_in_and_a_wrong_one_is_wrong()
    {
        // An INIT chunk; the CRC32c was computed by an implementation of its own (reflected polynomial 0x82F63B78).
        byte[] frame = Frames.Make(IpProtocol.Sctp, payload: 32);
        frame.AsSpan(34 + 8, 4).Clear();
        byte[] expected = [.. frame];
        BinaryPrimitives.WriteUInt32LittleEndian(expected.AsSpan(34 + 8), SlowCrc32c(frame.AsSpan(34)));

        Describe(frame, 0, out VnetHeader vnet).ShouldBe(ChecksumState.Sendable);

        vnet.ShouldBe(default);
        frame.ShouldBe(expected);
        Describe(frame, 0, out _).ShouldBe(ChecksumState.Sendable);
        frame[^1] ^= 1;
        Describe(frame, 0, out _).ShouldBe(ChecksumState.Wrong);
    }

    [Fact]
    public void Every_prefix_of_a_frame_gets_an_answer()
    {
        byte[] frame = Frames.Make(IpProtocol.Tcp, ipv6: true);
        foreach (int length in Enumerable.Range(0, frame.Length))
        {
            byte[] prefix = frame[..length];
            PacketHeader.TryDecode(prefix, out PacketHeader header);
            Should.NotThrow(() => FrameChecksum.Describe(prefix, header, 0, out _));
        }
    }

    private static ChecksumState Describe(byte[] frame, int segmentSize, out VnetHeader vnet) =>
        FrameChecksum.Describe(frame, Frames.Decode(frame), segmentSize, out vnet);

    private static uint SlowCrc32c(ReadOnlySpan<byte> octets)
    {
        uint crc = uint.MaxValue;
        foreach (byte octet in octets)
        {
            crc ^= octet;
            for (int bit = 0; bit < 8; bit++) crc = (crc >> 1) ^ ((crc & 1) != 0 ? 0x82F63B78u : 0);
        }
        return ~crc;
    }
}
