using System;
using System.Buffers.Binary;

namespace Genkan.Wire.NeighborDiscovery;

/// <summary>
/// Walks the options of a Neighbor Discovery message: type, length in units of 8 octets, data (RFC 4861 §4.6).
/// </summary>
internal ref struct NdOptions(ReadOnlySpan<byte> octets)
{
    /// <summary>Type and length fields.</summary>
    public const int HeaderSize = 2;

    /// <summary>The unit of the length field.</summary>
    public const int Unit = 8;

    private ReadOnlySpan<byte> _rest = octets;

    /// <summary>The option's type.</summary>
    public NdOptionType Type { get; private set; }

    /// <summary>The whole option, from its type on.</summary>
    public ReadOnlySpan<byte> Octets { get; private set; }

    /// <summary>RFC 4861 §4.6 and §6.1.1: all options have a length above zero and end inside the message.</summary>
    public static bool AreValid(ReadOnlySpan<byte> octets)
    {
        for (int count = 0; !octets.IsEmpty; count++)
        {
            if (count == WireLimits.NdOptionsMax || octets.Length < HeaderSize) return false;
            int length = octets[1] * Unit;
            if (length == 0 || length > octets.Length) return false;
            octets = octets[length..];
        }

        return true;
    }

    /// <summary>Goes to the next option of valid octets.</summary>
    public bool MoveNext()
    {
        if (_rest.IsEmpty) return false;
        Type = (NdOptionType)_rest[0];
        Octets = _rest[..(_rest[1] * Unit)];
        _rest = _rest[Octets.Length..];
        return true;
    }

    /// <summary>The first link-layer address option of a type; null if there is none.</summary>
    public static MacAddress? FindLinkLayer(ReadOnlySpan<byte> octets, NdOptionType type)
    {
        NdOptions options = new(octets);
        while (options.MoveNext())
            if (options.Type == type) return MacAddress.FromOctets(options.Octets[HeaderSize..]);
        return null;
    }

    /// <summary>Writes a link-layer address option.</summary>
    public static void WriteLinkLayer(ref FrameWriter writer, NdOptionType type, MacAddress mac)
    {
        Span<byte> option = Write(ref writer, type, Unit);
        mac.CopyTo(option[HeaderSize..]);
    }

    /// <summary>Writes an option's type and length and zeroes behind them.</summary>
    public static Span<byte> Write(ref FrameWriter writer, NdOptionType type, int sizeOctets)
    {
        Span<byte> option = writer.Rest[..sizeOctets];
        option.Clear();
        (option[0], option[1]) = ((byte)type, (byte)(sizeOctets / Unit));
        writer.Advance(sizeOctets);
        return option;
    }

    /// <summary>
    /// A lifetime of 32 bits in seconds; all ones is infinity, held as <see cref="TimeSpan.MaxValue"/>.
    /// </summary>
    public static TimeSpan ReadLifetime(ReadOnlySpan<byte> source)
    {
        uint seconds = BinaryPrimitives.ReadUInt32BigEndian(source);
        return seconds == uint.MaxValue ? TimeSpan.MaxValue : TimeSpan.FromSeconds(seconds);
    }

    /// <summary>The reverse of <see cref="ReadLifetime"/>; times past 32 bits are infinity.</summary>
    public static void WriteLifetime(Span<byte> destination, TimeSpan lifetime)
    {
        double seconds = Math.Min(lifetime.TotalSeconds, uint.MaxValue);
        BinaryPrimitives.WriteUInt32BigEndian(destination, (uint)seconds);
    }

    /// <summary>
    /// The checks that all messages share: hop limit 255 (so that it comes from this link), checksum, code 0, length,
    /// options (RFC 4861 §6.1 and §7.1); no Fragment header
    /// (RFC 6980 §5).
    /// </summary>
    public static bool TryOpen(
        ReadOnlySpan<byte> frame,
        in PacketHeader header,
        Icmpv6Type type,
        int size,
        out ReadOnlySpan<byte> message)
    {
        message = default;
        if (!header.IsIcmpv6 || header.Fragment != FragmentKind.None || header.TransportAt < 0) return false;
        if (header.IcmpType != (byte)type || header.NetworkEnd > frame.Length) return false;
        if (header.HasFragmentHeader(frame)) return false; // RFC 6980 §5: also of one piece
        message = frame[header.TransportAt..header.NetworkEnd];
        if (header.HopLimit != 255 || header.IcmpCode != 0 || message.Length < size) return false;
        ulong pseudo = InternetChecksum.PseudoHeader(
            header.Source, header.Destination, IpProtocol.Icmpv6, message.Length);
        return InternetChecksum.Compute(message, pseudo) == 0 && AreValid(message[size..]);
    }
}
