using System;
using System.Buffers.Binary;
using System.Collections.Generic;
using System.Linq;
using Shouldly;

namespace Genkan.Wire.Tests;

/// <summary>RFC 791 §3.2, "An Example Fragmentation Procedure", and the copied flag of §3.1.</summary>
public sealed class Ipv4FragmenterTests
{
    private const int NetworkAt = 14;

    [Theory]
    [InlineData(576)]
    [InlineData(1280)]
    [InlineData(1500)]
    [InlineData(68)]
    public void The_pieces_fit_and_make_up_the_packet(int mtu)
    {
        byte[] frame = Datagram(4000);
        PacketHeader whole = Decode(frame);

        List<byte[]> pieces = Cut(frame, mtu);

        byte[] payload = new byte[whole.NetworkLengthOctets - 20];
        int covered = 0;
        for (int i = 0; i < pieces.Count; i++)
        {
            PacketHeader piece = Decode(pieces[i]); // header checksums are right, or it would not decode
            int at = OffsetOf(pieces[i]);
            piece.NetworkLengthOctets.ShouldBeLessThanOrEqualTo(mtu);
            HasMore(pieces[i]).ShouldBe(i < pieces.Count - 1);
            (piece.Source, piece.Destination, piece.Protocol, piece.Identification, piece.HopLimit)
                .ShouldBe((whole.Source, whole.Destination, whole.Protocol, whole.Identification, whole.HopLimit));
            at.ShouldBe(covered);
            pieces[i].AsSpan(NetworkAt + 20).CopyTo(payload.AsSpan(at));
            covered += piece.NetworkLengthOctets - 20;
        }

        covered.ShouldBe(payload.Length);
        payload.ShouldBe(frame[(NetworkAt + 20)..]);
    }

    [Fact]
    public void A_fragment_is_cut_further_and_stays_where_it_was()
    {
        byte[] middle = Cut(Datagram(4000), 1500)[1];

        List<byte[]> pieces = Cut(middle, 776);

        pieces.Select(OffsetOf).ShouldBe([1480, 1480 + 752]);
        pieces.ShouldAllBe(p => HasMore(p), "more fragments of the datagram follow the last of these");
    }

    [Fact]
    public void Later_pieces_have_the_options_that_are_to_be_copied_and_no_others()
    {
        // NOP, record route (not copied), loose source route (copied), stream identifier (copied)
        byte[] options = [1, 7, 7, 4, 0, 0, 0, 0, 131, 7, 4, 9, 9, 9, 9, 136, 4, 1, 2, 0];
        byte[] frame = WithOptions(Datagram(1200), options);

        List<byte[]> pieces = Cut(frame, 576);

        pieces[0][(NetworkAt + 20)..(NetworkAt + 40)].ShouldBe(options);
        foreach (byte[] later in pieces.Skip(1))
        {
            (later[NetworkAt] & 0xF).ShouldBe(8);
            later[(NetworkAt + 20)..(NetworkAt + 32)].ShouldBe([131, 7, 4, 9, 9, 9, 9, 136, 4, 1, 2, 0]);
        }

        pieces.Sum(p => Decode(p).NetworkLengthOctets - ((p[NetworkAt] & 0xF) * 4)).ShouldBe(1208);
    }

    [Theory]
    [InlineData(new byte[] { 131, 0, 0, 0 })]
    [InlineData(new byte[] { 131, 1, 0, 0 })]
    [InlineData(new byte[] { 131, 9, 0, 0 })]
    [InlineData(new byte[] { 1, 1, 1, 131 })]
    public void Options_that_are_none_end_the_list(byte[] options)
    {
        foreach (byte[] later in Cut(WithOptions(Datagram(1200), options), 576).Skip(1))
            (later[NetworkAt] & 0xF).ShouldBe(5);
    }

    [Fact]
    public void Nothing_is_cut_with_DF_or_below_68_octets_or_of_a_frame_that_is_not_whole()
    {
        byte[] frame = Datagram(1200);
        byte[] atomic = [.. frame];
        atomic[NetworkAt + 6] |= 0x40;
        FixHeader(atomic);

        Cut(atomic, 576).ShouldBeEmpty();
        Cut(frame, 67).ShouldBeEmpty();
        PacketHeader header = Decode(frame);
        Ipv4Fragmenter cut = new(frame.AsSpan(0, 600), header, 576);
        cut.TryNext(new byte[2000], out _).ShouldBeFalse();
    }

    [Fact]
    public void A_checksum_that_a_device_was_to_complete_is_complete_before_the_cut()
    {
        byte[] frame = Datagram(1200);
        PacketHeader header = Decode(frame);
        byte[] partial = [.. frame];
        ulong pseudo = InternetChecksum.PseudoHeader(header.Source, header.Destination, IpProtocol.Udp, 1208);
        BinaryPrimitives.WriteUInt16BigEndian(partial.AsSpan(NetworkAt + 26), InternetChecksum.Fold(pseudo));

        PacketRewriter.CompleteChecksum(partial, header);

        partial.ShouldBe(frame);
        PacketRewriter.CompleteChecksum(partial, header);
        partial.ShouldBe(frame);
    }

    private static int OffsetOf(byte[] frame) =>
        (BinaryPrimitives.ReadUInt16BigEndian(frame.AsSpan(NetworkAt + 6)) & 0x1FFF) * 8;

    private static bool HasMore(byte[] frame) => (frame[NetworkAt + 6] & 0x20) != 0;

    private static PacketHeader Decode(byte[] frame)
    {
        PacketHeader.TryDecode(frame, out PacketHeader header).ShouldBe(PacketFault.None);
        return header;
    }

    private static List<byte[]> Cut(byte[] frame, int mtu)
    {
        List<byte[]> pieces = [];
        byte[] room = new byte[2000];
        Ipv4Fragmenter fragmenter = new(frame, Decode(frame), mtu);
        while (fragmenter.TryNext(room, out int length)) pieces.Add(room[..length]);
        return pieces;
    }

    private static byte[] Datagram(int payloadOctets)
    {
        byte[] room = new byte[FrameWriter.HeadersSizeMax + payloadOctets];
        FrameWriter writer = new(room);
        writer.Ethernet(MacAddress.Parse("02:00:00:00:00:02"), MacAddress.Parse("02:00:00:00:00:01"));
        writer.Ip(IpAddress.Parse("192.0.2.1"), IpAddress.Parse("192.0.2.2"), IpProtocol.Udp);
        writer.Fragment(77);
        writer.Udp(1000, 2000);
        for (int i = 0; i < payloadOctets; i++) writer.Rest[i] = (byte)(i * 7);
        writer.Advance(payloadOctets);
        return room[..writer.Finish()];
    }

    private static byte[] WithOptions(byte[] frame, byte[] options)
    {
        byte[] longer = [.. frame[..(NetworkAt + 20)], .. options, .. frame[(NetworkAt + 20)..]];
        longer[NetworkAt] = (byte)(0x45 + (options.Length / 4));
        BinaryPrimitives.WriteUInt16BigEndian(longer.AsSpan(NetworkAt + 2), (ushort)(longer.Length - NetworkAt));
        FixHeader(longer);
        return longer;
    }

    private static void FixHeader(byte[] frame)
    {
        Span<byte> header = frame.AsSpan(NetworkAt, (frame[NetworkAt] & 0xF) * 4);
        BinaryPrimitives.WriteUInt16BigEndian(header[10..], 0);
        BinaryPrimitives.WriteUInt16BigEndian(header[10..], InternetChecksum.Compute(header));
    }
}
