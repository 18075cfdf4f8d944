using System;
using System.Collections.Generic;
using Genkan.Fuzz.Engine;
using Genkan.Wire;
using Genkan.Wire.NeighborDiscovery;

namespace Genkan.Fuzz.Targets;

/// <summary>Every decoder of a frame, and the answers that are written about it.</summary>
internal sealed class FrameTarget : IFuzzTarget
{
    private readonly byte[] _answer = new byte[PacketMutator.FrameMax + IcmpMessages.ErrorFrameSizeMax];

    public string Name => "frame";

    public int InputMax => PacketMutator.FrameMax;

    // Prefixes, routes and names of a router advertisement are lists that grow by copying.
    public (int EachOctet, int Besides)? AllocationMax => (512, 16_384);

    public (int EachOctet, int Besides) StepsMax => (512, 20_000);

    public IEnumerable<byte[]> Seeds => PacketSeeds.All;

    public int Mutate(Span<byte> buffer, int length, FuzzRandom random) =>
        PacketMutator.Mutate(buffer, length, random);

    public void Run(ReadOnlySpan<byte> input)
    {
        _ = PacketHeader.TryDecode(input, 0x2007, out _);
        PacketFault fault = PacketHeader.TryDecode(input, out PacketHeader header);
        Contract.Require(Enum.IsDefined(fault), "a fault has a name");
        if (fault != PacketFault.None) return;

        RequireOffsets(header, input.Length);
        Contract.Require(header.Reversed().Reversed() == header, "twice reversed is the same again");
        if (PacketHeader.TryDecodeEmbedded(input, header, out PacketHeader quoted))
        {
            Contract.Require(quoted.NetworkAt > header.NetworkAt, "a quotation stands behind its error");
            Contract.Require(quoted.Reversed().Reversed() == quoted, "twice reversed is the same again, quoted");
        }

        if (header.IsIpv4 || header.IsIpv6)
        {
            int pointer = header.ProtocolPointer(input);
            Contract.Require(pointer < header.NetworkLengthOctets, "the protocol's octet is in the packet");
        }

        DecodeNeighborDiscovery(input, header);
        RequireAnswers(input, header);
    }

    private static void RequireOffsets(in PacketHeader header, int length)
    {
        Contract.Require(header.NetworkAt >= 14 && header.NetworkAt <= length, "the network header is in the frame");
        if (!header.IsIpv4 && !header.IsIpv6) return;
        Contract.Require(header.NetworkEnd <= length, "the packet is in the frame");
        Contract.Require(header.TransportAt <= header.NetworkEnd, "the transport header is in the packet");
        Contract.Require(header.PayloadAt <= header.NetworkEnd, "the payload is in the packet");
        bool isLater = header.Fragment == FragmentKind.Later;
        Contract.Require(isLater == (header.TransportAt < 0), "only a later fragment has no transport header");
    }

    private static void DecodeNeighborDiscovery(ReadOnlySpan<byte> input, in PacketHeader header)
    {
        _ = NeighborSolicitation.TryDecode(input, header, out _);
        _ = NeighborAdvertisement.TryDecode(input, header, out _);
        _ = RouterSolicitation.TryDecode(input, header, out _);
        _ = RouterAdvertisement.TryDecode(input, header);
        _ = header.HasRightIcmpChecksum(input);
    }

    private void RequireAnswers(ReadOnlySpan<byte> input, in PacketHeader header)
    {
        MacAddress mac = World.Macs[0];
        IpAddress source = header.IsIpv4 ? World.Ipv4[0] : World.Ipv6[0];
        int length = IcmpMessages.WriteError(
            _answer, input, header, IcmpError.TimeExceeded(header.IsIpv4), source, mac);
        if (length > 0) RequireAnswer(_answer.AsSpan(0, length), "an error decodes");
        length = IcmpMessages.WriteEchoReply(_answer, input, header, source, mac);
        if (length > 0) RequireAnswer(_answer.AsSpan(0, length), "an echo reply decodes");
    }

    private static void RequireAnswer(ReadOnlySpan<byte> answer, string sentence)
    {
        PacketFault fault = PacketHeader.TryDecode(answer, out PacketHeader header);
        Contract.Require(fault == PacketFault.None, $"{sentence}: {fault}");
        Contract.Require(header.HasRightIcmpChecksum(answer), "an answer's checksum is right");
    }
}
