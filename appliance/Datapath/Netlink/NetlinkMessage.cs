using System;
using System.Buffers.Binary;
using System.Text;

namespace Genkan.Datapath.Netlink;

/// <summary>
/// Builds one netlink message (RFC 3549 §2.2): header, the family's fixed part, attributes. Numbers are in the
/// machine's order, each attribute is padded to four octets, and nested attributes are closed in the order opened.
/// </summary>
internal sealed class NetlinkMessage
{
    /// <summary>Octets of struct nlmsghdr.</summary>
    internal const int HeaderSize = 16;

    /// <summary>Limit on a message that we send.</summary>
    internal const int SizeMax = 4096;

    private const int TypeAt = 4;
    private const int FlagsAt = 6;
    private const int SequenceAt = 8;
    private const int AttributeHeaderSize = 4;
    private const ushort NestedFlag = 0x8000;

    private readonly byte[] _buffer = new byte[SizeMax];
    private int _length;

    /// <summary>Begins a message.</summary>
    /// <param name="type">RTM_*.</param>
    /// <param name="flags">NLM_F_*, without REQUEST and ACK.</param>
    /// <param name="fixedPart">The family's header, such as struct ifinfomsg.</param>
    internal NetlinkMessage(NetlinkType type, NetlinkFlags flags, ReadOnlySpan<byte> fixedPart)
    {
        BinaryPrimitives.WriteUInt16LittleEndian(_buffer.AsSpan(TypeAt), (ushort)type);
        BinaryPrimitives.WriteUInt16LittleEndian(_buffer.AsSpan(FlagsAt), (ushort)(flags | NetlinkFlags.Request));
        _length = HeaderSize;
        Append(fixedPart);
    }

    /// <summary>Adds an attribute.</summary>
    internal void Add(int type, ReadOnlySpan<byte> value)
    {
        BinaryPrimitives.WriteUInt16LittleEndian(_buffer.AsSpan(_length), (ushort)(AttributeHeaderSize + value.Length));
        BinaryPrimitives.WriteUInt16LittleEndian(_buffer.AsSpan(_length + 2), (ushort)type);
        _length += AttributeHeaderSize;
        Append(value);
    }

    /// <summary>Adds a flag: an attribute without a value.</summary>
    internal void AddFlag(int type) => Add(type, []);

    /// <summary>Adds one octet.</summary>
    internal void AddByte(int type, byte value) => Add(type, [value]);

    /// <summary>Adds 16 bits in network order.</summary>
    internal void AddPort(int type, ushort value)
    {
        Span<byte> octets = stackalloc byte[sizeof(ushort)];
        BinaryPrimitives.WriteUInt16BigEndian(octets, value);
        Add(type, octets);
    }

    /// <summary>Adds 32 bits in the machine's order.</summary>
    internal void AddUInt32(int type, uint value)
    {
        Span<byte> octets = stackalloc byte[sizeof(uint)];
        BinaryPrimitives.WriteUInt32LittleEndian(octets, value);
        Add(type, octets);
    }

    /// <summary>Adds a text with its final zero.</summary>
    internal void AddText(int type, string value) => Add(type, Encoding.UTF8.GetBytes(value + "\0"));

    /// <summary>Opens a nested attribute.</summary>
    /// <returns>What <see cref="Close"/> takes.</returns>
    internal int Open(int type)
    {
        int at = _length;
        Add(type | NestedFlag, []);
        return at;
    }

    /// <summary>Adds a fixed part inside a nested attribute (VETH_INFO_PEER begins with struct ifinfomsg).</summary>
    internal void Append(ReadOnlySpan<byte> octets)
    {
        octets.CopyTo(_buffer.AsSpan(_length));
        int padded = (octets.Length + 3) & ~3;
        _buffer.AsSpan(_length + octets.Length, padded - octets.Length).Clear();
        _length += padded;
    }

    /// <summary>Closes a nested attribute.</summary>
    internal void Close(int at) =>
        BinaryPrimitives.WriteUInt16LittleEndian(_buffer.AsSpan(at), (ushort)(_length - at));

    /// <summary>Ends the message.</summary>
    internal Span<byte> Finish(uint sequence, NetlinkFlags flags)
    {
        BinaryPrimitives.WriteInt32LittleEndian(_buffer, _length);
        _buffer[FlagsAt] |= (byte)flags;
        BinaryPrimitives.WriteUInt32LittleEndian(_buffer.AsSpan(SequenceAt), sequence);
        return _buffer.AsSpan(0, _length);
    }
}
