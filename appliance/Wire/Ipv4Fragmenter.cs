using System;
using System.Buffers.Binary;

namespace Genkan.Wire;

/// <summary>
/// Cuts an IPv4 packet into fragments (RFC 791 §3.2), front to back; a packet that is a fragment itself is cut further.
/// <code>
///  Version IHL TOS Total Length | Identification | 0 DF MF  Fragment Offset (8 octets) | TTL Protocol Checksum | …
/// </code>
/// The first one has all options, the others those whose copied flag is set (§3.1).
/// </summary>
public ref struct Ipv4Fragmenter
{
    private const int HeaderSize = 20;
    private const int OptionsMax = 40;
    private const int UnitSize = 8;
    private const int MtuMin = HeaderSize + OptionsMax + UnitSize; // RFC 791 §3.2: every module takes 68 octets
    private const int MoreFragments = 0x2000;
    private const int OffsetMask = 0x1FFF;
    private const byte CopiedFlag = 0x80;
    private const byte EndOfOptions = 0;
    private const byte NoOperation = 1;

    private readonly ReadOnlySpan<byte> _frame;
    private readonly int _networkAt;
    private readonly int _headerSize;
    private readonly int _mtu;
    private readonly int _flagsAndOffset;
    private ReadOnlySpan<byte> _rest;
    private int _sent;

    /// <summary>Begins to cut.</summary>
    /// <param name="frame">
    /// The frame; must hold the whole packet, with a complete transport checksum (see
    /// <see cref="PacketRewriter.CompleteChecksum"/>).
    /// </param>
    /// <param name="header">Its headers, decoded without fault. Nothing is cut unless it is IPv4 without DF.</param>
    /// <param name="mtu">Octets of the longest IP packet; nothing is cut below 68.</param>
    public Ipv4Fragmenter(ReadOnlySpan<byte> frame, in PacketHeader header, int mtu)
    {
        if (!header.IsIpv4 || header.DontFragment || mtu < MtuMin || header.NetworkEnd > frame.Length) return;
        ReadOnlySpan<byte> ip = frame[header.NetworkAt..header.NetworkEnd];
        _frame = frame;
        _networkAt = header.NetworkAt;
        _mtu = mtu;
        _headerSize = (ip[0] & 0xF) * 4;
        _flagsAndOffset = BinaryPrimitives.ReadUInt16BigEndian(ip[6..]);
        _rest = ip[_headerSize..];
    }

    /// <summary>Writes the next fragment.</summary>
    /// <param name="output">Room for MTU and Ethernet header.</param>
    /// <param name="length">Octets of its frame.</param>
    /// <returns>False if there is no more.</returns>
    public bool TryNext(Span<byte> output, out int length)
    {
        length = 0;
        if (_rest.IsEmpty) return false;
        Span<byte> ip = output[_networkAt..];
        _frame[.._networkAt].CopyTo(output);
        int headerSize = _sent == 0 ? CopyHeader(ip) : CopyLaterHeader(ip);

        int room = _mtu - headerSize;
        bool isLast = _rest.Length <= room;
        int size = isLast ? _rest.Length : room / UnitSize * UnitSize;
        _rest[..size].CopyTo(ip[headerSize..]);

        int offset = (_flagsAndOffset & OffsetMask) + (_sent / UnitSize);
        int more = isLast ? _flagsAndOffset & MoreFragments : MoreFragments;
        BinaryPrimitives.WriteUInt16BigEndian(ip[2..], (ushort)(headerSize + size));
        BinaryPrimitives.WriteUInt16BigEndian(ip[6..], (ushort)(more | offset));
        BinaryPrimitives.WriteUInt16BigEndian(ip[10..], 0);
        BinaryPrimitives.WriteUInt16BigEndian(ip[10..], InternetChecksum.Compute(ip[..headerSize]));
        _rest = _rest[size..];
        _sent += size;
        length = _networkAt + headerSize + size;
        return true;
    }

    private readonly int CopyHeader(Span<byte> ip)
    {
        _frame.Slice(_networkAt, _headerSize).CopyTo(ip);
        return _headerSize;
    }

    // An option that does not fit ends the list, as does the end itself.
    private readonly int CopyLaterHeader(Span<byte> ip)
    {
        _frame.Slice(_networkAt, HeaderSize).CopyTo(ip);
        ReadOnlySpan<byte> options = _frame[(_networkAt + HeaderSize)..(_networkAt + _headerSize)];
        int at = HeaderSize;
        while (!options.IsEmpty && options[0] != EndOfOptions)
        {
            int size = options[0] == NoOperation ? 1 : options.Length > 1 ? options[1] : 0;
            if (size < 1 || size > options.Length || (size == 1 && options[0] != NoOperation)) break;
            if ((options[0] & CopiedFlag) != 0)
            {
                options[..size].CopyTo(ip[at..]);
                at += size;
            }

            options = options[size..];
        }

        int headerSize = (at + 3) & ~3;
        ip[at..headerSize].Clear(); // EndOfOptions
        ip[0] = (byte)(0x40 | (headerSize / 4));
        return headerSize;
    }
}
