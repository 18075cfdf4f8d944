using System;
using System.Buffers.Binary;
using System.Collections.Generic;
using System.Linq;
using Genkan.Datapath.Netlink;
using Genkan.Datapath.Packets;
using Genkan.Datapath.Tables;
using Genkan.Fuzz.Engine;
using Genkan.Wire;

namespace Genkan.Fuzz.Targets;

/// <summary>Datagrams of netlink: messages, attributes, links and addresses.</summary>
internal sealed class NetlinkTarget : IFuzzTarget
{
    public string Name => "netlink";

    public int InputMax => 1024;

    public (int EachOctet, int Besides)? AllocationMax => (64, 8192);

    public (int EachOctet, int Besides) StepsMax => (256, 20_000);

    public IEnumerable<byte[]> Seeds =>
    [
        // RTM_NEWLINK of "eth0", MTU 1500, a MAC, kind veth; RTM_NEWADDR of 10.0.0.1/24
        Convert.FromHexString(
            "5000000010000000000000000000000000000000010000004310010000000000" + "0900030065746830000000000800040"
            + "0dc0500000a000100020000000001000010001200090001007665746800000000"),
        Convert.FromHexString(
            "28000000140000000000000000000000021800000100000008000100" + "0a0000010800020" + "00a000001"),
    ];

    public void Run(ReadOnlySpan<byte> input)
    {
        int count = 0;
        ReadOnlySpan<byte> rest = input;
        while (NetlinkSocket.TryTake(ref rest, out NetlinkSocket.MessageHeader _, out ReadOnlySpan<byte> body))
        {
            Contract.Require(++count <= input.Length, "each message takes something off the datagram");
            _ = RouteSocket.TryDecodeLink(body);
            _ = RouteSocket.TryDecodeAddress(body);
            NetlinkAttributes attributes = new(body);
            for (int i = 0; attributes.TryNext(); i++)
            {
                Contract.Require(i <= body.Length, "each attribute takes something off the message");
                _ = attributes.UInt32;
                _ = attributes.Text;
            }
        }
    }
}

/// <summary>Records of the rings by which the programs send packets up.</summary>
internal sealed class UpcallTarget : IFuzzTarget
{
    private const int HeaderSize = 64;
    private const int CapturedAt = 16;

    public string Name => "upcall";

    public int InputMax => 2048;

    public (int EachOctet, int Besides)? AllocationMax => (0, 512);

    public (int EachOctet, int Besides) StepsMax => (64, 10_000);

    public IEnumerable<byte[]> Seeds => PacketSeeds.All.Select(static frame =>
    {
        byte[] header = new byte[HeaderSize];
        BinaryPrimitives.WriteInt32LittleEndian(header.AsSpan(CapturedAt), frame.Length);
        return (byte[])[.. header, .. frame];
    });

    public void Run(ReadOnlySpan<byte> input)
    {
        if (!UpcallFrame.TryDecode(input, out UpcallFrame upcall)) return;
        Contract.Require(upcall.Frame.Length <= input.Length - HeaderSize, "a frame is in its record");
        _ = upcall.Upcall;
        _ = PacketHeader.TryDecode(upcall.Frame, out _);
    }
}

/// <summary>What the kernel must still do to a frame: two octets of segment size, then the frame.</summary>
internal sealed class ChecksumTarget : IFuzzTarget
{
    private const int FrameAt = 2;

    private readonly byte[] _copy = new byte[PacketMutator.FrameMax];

    public string Name => "checksum";

    public int InputMax => FrameAt + PacketMutator.FrameMax;

    public (int EachOctet, int Besides)? AllocationMax => (0, 512);

    public (int EachOctet, int Besides) StepsMax => (256, 20_000);

    public IEnumerable<byte[]> Seeds => PacketSeeds.All.Select(static f => (byte[])[0, 0, .. f]);

    public int Mutate(Span<byte> buffer, int length, FuzzRandom random) =>
        length < FrameAt ? length : FrameAt + PacketMutator.Mutate(buffer[FrameAt..], length - FrameAt, random);

    public void Run(ReadOnlySpan<byte> input)
    {
        if (input.Length < FrameAt) return;
        ReadOnlySpan<byte> frame = input[FrameAt..];
        if (PacketHeader.TryDecode(frame, out PacketHeader header) != PacketFault.None) return;
        Span<byte> copy = _copy.AsSpan(0, frame.Length);
        frame.CopyTo(copy);
        ushort segment = BinaryPrimitives.ReadUInt16LittleEndian(input);
        ChecksumState state = FrameChecksum.Describe(copy, header, segment, out VnetHeader vnet);
        if (state != ChecksumState.Sendable || !vnet.Flags.HasFlag(VnetFlags.NeedsChecksum)) return;
        int end = vnet.ChecksumStart + vnet.ChecksumOffset + sizeof(ushort);
        Contract.Require(end <= header.NetworkEnd, "the checksum that the kernel fills in is in the packet");
        Contract.Require(vnet.HeaderLength <= header.NetworkEnd, "the headers that are repeated are in the packet");
    }
}
