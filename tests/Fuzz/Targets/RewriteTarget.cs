using System;
using System.Collections.Generic;
using System.Linq;
using Genkan.Fuzz.Engine;
using Genkan.Wire;

namespace Genkan.Fuzz.Targets;

/// <summary>
/// Rewriting in place: what decodes afterwards is what was asked for, a right checksum stays right, and back again is
/// the packet as it was. Sixteen octets in front choose the new headers.
/// </summary>
internal sealed class RewriteTarget : IFuzzTarget
{
    private const int FrameAt = 16;

    private readonly byte[] _copy = new byte[PacketMutator.FrameMax];

    public string Name => "rewrite";

    public int InputMax => FrameAt + PacketMutator.FrameMax;

    public (int EachOctet, int Besides)? AllocationMax => (0, 512);

    public (int EachOctet, int Besides) StepsMax => (256, 20_000);

    public IEnumerable<byte[]> Seeds => PacketSeeds.All.Select(static f => (byte[])[.. new byte[FrameAt], .. f]);

    public int Mutate(Span<byte> buffer, int length, FuzzRandom random)
    {
        if (length < FrameAt || random.OneIn(4))
        {
            buffer[random.Below(FrameAt)] = random.Octet();
            return length;
        }

        return FrameAt + PacketMutator.Mutate(buffer[FrameAt..], length - FrameAt, random);
    }

    public void Run(ReadOnlySpan<byte> input)
    {
        if (input.Length < FrameAt) return;
        ReadOnlySpan<byte> frame = input[FrameAt..];
        if (PacketHeader.TryDecode(frame, out PacketHeader from) != PacketFault.None) return;
        Span<byte> copy = _copy.AsSpan(0, frame.Length);
        frame.CopyTo(copy);
        PacketHeader to = Wanted(from, input[..FrameAt]);
        PacketRewriter.Apply(copy, from, to, PacketRewriter.IsPartial(copy, from));

        PacketFault fault = PacketHeader.TryDecode(copy, out PacketHeader found);
        Contract.Require(fault == PacketFault.None, "what was rewritten decodes");
        Contract.Require(found == to, "it has the headers that were asked for");
        if (from.HasRightIcmpChecksum(frame))
            Contract.Require(found.HasRightIcmpChecksum(copy), "a right ICMP checksum stays right");

        PacketRewriter.Apply(copy, found, from, PacketRewriter.IsPartial(copy, found));
        _ = PacketHeader.TryDecode(copy, out found);
        Contract.Require(found == from, "back again it has the first headers");
        RewriteQuoted(copy, frame, from, input[..FrameAt]);
    }

    private static void RewriteQuoted(
        Span<byte> copy, ReadOnlySpan<byte> frame, in PacketHeader outer, ReadOnlySpan<byte> choice)
    {
        frame.CopyTo(copy);
        if (!PacketHeader.TryDecodeEmbedded(copy, outer, out PacketHeader quoted)) return;
        PacketHeader to = Wanted(quoted, choice) with { EthernetDestination = default, EthernetSource = default };
        PacketRewriter.ApplyToEmbedded(copy, outer, quoted, to);
        bool isFound = PacketHeader.TryDecodeEmbedded(copy, outer, out PacketHeader found);
        Contract.Require(isFound && found == to, "a quotation has the headers that were asked for");
        if (outer.HasRightIcmpChecksum(frame))
            Contract.Require(outer.HasRightIcmpChecksum(copy), "an error's right checksum stays right");
    }

    /// <summary>What a simulation may change: MACs, addresses, hop limit, ports of who has ports.</summary>
    private static PacketHeader Wanted(PacketHeader header, ReadOnlySpan<byte> choice)
    {
        header.EthernetDestination = World.Macs[choice[0] % World.Macs.Length];
        if (header.IsArp || (!header.IsIpv4 && !header.IsIpv6)) return header;
        header.Source = Pick(header.IsIpv4, choice[1], header.Source);
        header.Destination = Pick(header.IsIpv4, choice[2], header.Destination);
        header.HopLimit = choice[3];
        bool hasPorts = header.Protocol is IpProtocol.Tcp or IpProtocol.Udp or IpProtocol.Sctp;
        if (header.TransportAt < 0 || !(hasPorts || header.IsEchoRequest || header.IsEchoReply)) return header;
        header.SourcePort = BitConverter.ToUInt16(choice[4..]);
        if (hasPorts) header.DestinationPort = BitConverter.ToUInt16(choice[6..]);
        return header;
    }

    private static IpAddress Pick(bool isIpv4, byte choice, IpAddress old) =>
        choice == 0 ? old : isIpv4 ? World.Ipv4[choice % World.Ipv4.Length] : World.Ipv6[choice % World.Ipv6.Length];
}
