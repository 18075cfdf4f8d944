using System;
using System.Buffers.Binary;
using System.Text;

namespace Genkan.Datapath.Netlink;

/// <summary>Walks attributes; one that does not fit ends the walk.</summary>
internal ref struct NetlinkAttributes(ReadOnlySpan<byte> octets)
{
    private const int HeaderSize = 4;
    private const int TypeMask = 0x3FFF; // without NESTED and NET_BYTEORDER

    private ReadOnlySpan<byte> _rest = octets;

    /// <summary>Type of the current attribute.</summary>
    internal int Type { get; private set; }

    /// <summary>Value of the current attribute.</summary>
    internal ReadOnlySpan<byte> Value { get; private set; }

    /// <summary>The value as 32 bits in the machine's order, or 0 if it is shorter.</summary>
    internal readonly uint UInt32 =>
        BinaryPrimitives.TryReadUInt32LittleEndian(Value, out uint value) ? value : 0;

    /// <summary>The value as a text without its final zero.</summary>
    internal readonly string Text => Encoding.UTF8.GetString(Value.TrimEnd((byte)0));

    /// <summary>Goes to the next attribute.</summary>
    /// <returns>False at the end.</returns>
    internal bool TryNext()
    {
        if (_rest.Length < HeaderSize) return false;
        int length = BinaryPrimitives.ReadUInt16LittleEndian(_rest);
        if (length < HeaderSize || length > _rest.Length) return false;
        Type = BinaryPrimitives.ReadUInt16LittleEndian(_rest[2..]) & TypeMask;
        Value = _rest[HeaderSize..length];
        _rest = _rest[Math.Min((length + 3) & ~3, _rest.Length)..];
        return true;
    }
}
