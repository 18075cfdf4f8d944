using System;
using System.Buffers.Binary;
using Genkan.Wire;

namespace Genkan.Datapath.Tests.Programs;

/// <summary>A frame of the underlay (RFC 7348 §5), octet by octet: Ethernet 14, IPv4 20, UDP 8, VXLAN 8.</summary>
internal static class OuterFrame
{
    public const int Size = 50;
    public const int TosAt = 15;
    public const int LengthAt = 16;
    public const int FragmentAt = 20;
    public const int ProtocolAt = 23;
    public const int ChecksumAt = 24;
    public const int SourceAt = 26;
    public const int DestinationAt = 30;
    public const int UdpAt = 34;
    public const int VxlanAt = 42;

    /// <summary>Puts outer headers around a frame, right in all respects.</summary>
    public static byte[] Around(
        byte[] inner, MacAddress to, MacAddress from, IpAddress source, IpAddress destination, ushort port, uint key,
        ushort groupPolicy)
    {
        byte[] frame = new byte[Size + inner.Length];
        to.CopyTo(frame);
        from.CopyTo(frame.AsSpan(6));
        frame[12] = 8;
        frame[14] = 0x45;
        frame[FragmentAt] = 0x40;
        frame[22] = 64;
        frame[ProtocolAt] = 17;
        source.CopyTo(frame.AsSpan(SourceAt));
        destination.CopyTo(frame.AsSpan(DestinationAt));
        BinaryPrimitives.WriteUInt16BigEndian(frame.AsSpan(LengthAt), (ushort)(frame.Length - 14));
        BinaryPrimitives.WriteUInt16BigEndian(frame.AsSpan(UdpAt), 50_000);
        BinaryPrimitives.WriteUInt16BigEndian(frame.AsSpan(UdpAt + 2), port);
        BinaryPrimitives.WriteUInt16BigEndian(frame.AsSpan(UdpAt + 4), (ushort)(frame.Length - 34));
        frame[VxlanAt] = 0x88;
        BinaryPrimitives.WriteUInt16BigEndian(frame.AsSpan(VxlanAt + 2), groupPolicy);
        BinaryPrimitives.WriteUInt32BigEndian(frame.AsSpan(VxlanAt + 4), key << 8);
        inner.CopyTo(frame, Size);
        return Whole(frame);
    }

    /// <summary>The frame with outer octets changed, and the header's checksum right again.</summary>
    public static byte[] WithOuter(this byte[] frame, int at, params byte[] octets) => Whole(frame.With(at, octets));

    private static byte[] Whole(byte[] frame)
    {
        Span<byte> header = frame.AsSpan(14, 20);
        header[10..12].Clear();
        BinaryPrimitives.WriteUInt16BigEndian(header[10..], InternetChecksum.Compute(header));
        return frame;
    }
}
