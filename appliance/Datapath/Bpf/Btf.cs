using System;
using System.Buffers.Binary;
using System.Collections.Generic;
using System.Text;

namespace Genkan.Datapath.Bpf;

/// <summary>
/// Type information of the kernel (Documentation/bpf/btf.rst), read as far as keys and values of maps need it: what
/// fields a struct has, where, and how wide.
/// </summary>
/// <remarks>
/// <code>
/// header    u16 magic EB9F, u8 version, u8 flags, u32 header length, u32 type offset, u32 type length,
///           u32 string offset, u32 string length; offsets count from the header's end
/// type      u32 name, u32 info (0..15 count of members, 24..28 kind, 31 bit fields), u32 size or type, members
/// </code>
/// The octets may be anything: what is out of bounds, too deep or too many is refused.
/// </remarks>
internal sealed class Btf
{
    /// <summary>Types of one blob.</summary>
    internal const int TypesMax = 65_536;

    /// <summary>Fields of one key or value.</summary>
    internal const int FieldsMax = 4_096;

    /// <summary>Types inside types.</summary>
    internal const int DepthMax = 16;

    /// <summary>Octets of a key or value.</summary>
    internal const int SizeMax = 1 << 20;

    private const ushort Magic = 0xEB9F;
    private const int HeaderSize = 24;
    private const int TypeSize = 12;

    private readonly byte[] _raw;
    private readonly List<int> _types = [-1]; // type 0 is void
    private readonly int _stringsAt;
    private readonly int _stringsEnd;

    private Btf(byte[] raw, int typesAt, int typesEnd, int stringsAt, int stringsEnd)
    {
        (_raw, _stringsAt, _stringsEnd) = (raw, stringsAt, stringsEnd);
        for (int at = typesAt; at < typesEnd;)
        {
            if (_types.Count >= TypesMax) throw new BtfException($"more than {TypesMax} types");
            if (typesEnd - at < TypeSize) throw new BtfException("a type ends early");
            _types.Add(at);
            at += TypeSize + MembersSize(at);
            if (at > typesEnd) throw new BtfException("a type's members end early");
        }
    }

    private enum Kind
    {
        Int = 1,
        Pointer = 2,
        Array = 3,
        Struct = 4,
        Union = 5,
        Enum = 6,
        Forward = 7,
        Typedef = 8,
        Volatile = 9,
        Const = 10,
        Restrict = 11,
        Function = 12,
        FunctionPrototype = 13,
        Variable = 14,
        DataSection = 15,
        Float = 16,
        DeclarationTag = 17,
        TypeTag = 18,
        Enum64 = 19,
    }

    /// <summary>Types, void included.</summary>
    internal int TypeCount => _types.Count;

    /// <summary>Reads the frame of a blob.</summary>
    /// <exception cref="BtfException">It is none.</exception>
    internal static Btf Parse(ReadOnlySpan<byte> octets)
    {
        byte[] raw = octets.ToArray();
        if (raw.Length < HeaderSize) throw new BtfException("shorter than its header");
        if (BinaryPrimitives.ReadUInt16LittleEndian(raw) != Magic) throw new BtfException("another magic number");
        long header = Read(raw, 4);
        long typesAt = header + Read(raw, 8);
        long typesEnd = typesAt + Read(raw, 12);
        long stringsAt = header + Read(raw, 16);
        long stringsEnd = stringsAt + Read(raw, 20);
        if (header < HeaderSize || typesEnd > raw.Length || stringsEnd > raw.Length)
        {
            throw new BtfException("a section beyond the end");
        }

        return new Btf(raw, (int)typesAt, (int)typesEnd, (int)stringsAt, (int)stringsEnd);
    }

    /// <summary>The fields of a type, those of inner structs by dotted names.</summary>
    /// <exception cref="BtfException">It cannot be told by names and offsets.</exception>
    internal BtfLayout LayoutOf(uint type)
    {
        List<BtfField> fields = [];
        int size = Add(type, "", 0, 0, fields);
        return new BtfLayout(size, fields);
    }

    private int Add(uint type, string name, int at, int depth, List<BtfField> fields)
    {
        if (depth > DepthMax) throw new BtfException($"{name}: types nest more than {DepthMax} deep");
        int here = Find(type);
        switch (KindAt(here))
        {
            case Kind.Typedef or Kind.Volatile or Kind.Const or Kind.Restrict or Kind.TypeTag:
                return Add(Read(_raw, here + 8), name, at, depth + 1, fields);
            case Kind.Int or Kind.Enum or Kind.Enum64 or Kind.Float:
                AddField(fields, new BtfField(name, at, ScalarSize(here, name), 1, IsSigned(here)));
                return fields[^1].ElementSize;
            case Kind.Array:
                return AddArray(here, name, at, depth, fields);
            case Kind.Struct or Kind.Union:
                return AddMembers(here, name, at, depth, fields);
            default:
                throw new BtfException($"{name}: a {KindAt(here)} cannot be carried over");
        }
    }

    private int AddArray(int here, string name, int at, int depth, List<BtfField> fields)
    {
        uint element = Read(_raw, here + TypeSize);
        uint count = Read(_raw, here + TypeSize + 8);
        int scalar = Find(Resolve(element));
        if (KindAt(scalar) is Kind.Int or Kind.Enum or Kind.Enum64)
        {
            int size = ScalarSize(scalar, name);
            if (count > SizeMax / size) throw new BtfException($"{name}: {count} elements are too many");
            if (count > 0) AddField(fields, new BtfField(name, at, size, (int)count, IsSigned(scalar)));
            return size * (int)count;
        }

        if (count > FieldsMax) throw new BtfException($"{name}: {count} elements are too many");
        int next = at;
        for (int i = 0; i < count; i++) next += Add(element, $"{name}[{i}]", next, depth + 1, fields);
        return next - at;
    }

    private int AddMembers(int here, string name, int at, int depth, List<BtfField> fields)
    {
        uint info = Read(_raw, here + 4);
        int size = Size(here, name);
        bool hasBitFields = info >> 31 != 0;
        for (int i = 0; i < (int)(info & 0xffff); i++)
        {
            int member = here + TypeSize + (i * 12);
            uint offset = Read(_raw, member + 8);
            string inner = Text(Read(_raw, member));
            string full = name.Length == 0 ? inner : inner.Length == 0 ? name : $"{name}.{inner}";
            uint bits = hasBitFields ? offset & 0xff_ffff : offset;
            if ((hasBitFields && offset >> 24 != 0) || bits % 8 != 0)
            {
                throw new BtfException($"{full}: bit fields cannot be carried over");
            }

            if (bits / 8 > (uint)size) throw new BtfException($"{full}: outside its struct");
            int length = Add(Read(_raw, member + 4), full, at + (int)(bits / 8), depth + 1, fields);
            if ((bits / 8) + length > size) throw new BtfException($"{full}: outside its struct");
        }

        return size;
    }

    private static void AddField(List<BtfField> fields, BtfField field)
    {
        if (fields.Count >= FieldsMax) throw new BtfException($"more than {FieldsMax} fields");
        fields.Add(field);
    }

    private uint Resolve(uint type)
    {
        for (int depth = 0; depth <= DepthMax; depth++)
        {
            int here = Find(type);
            if (KindAt(here) is not (Kind.Typedef or Kind.Volatile or Kind.Const or Kind.Restrict or Kind.TypeTag))
            {
                return type;
            }

            type = Read(_raw, here + 8);
        }

        throw new BtfException("names of types refer to each other");
    }

    private int ScalarSize(int here, string name)
    {
        int size = Size(here, name);
        if (size is not (1 or 2 or 4 or 8 or 16)) throw new BtfException($"{name}: {size} octets are no number");
        if (KindAt(here) != Kind.Int) return size;
        uint encoding = Read(_raw, here + TypeSize);
        bool isWhole = (encoding & 0xff) == size * 8 && (encoding >> 16 & 0xff) == 0;
        return isWhole ? size : throw new BtfException($"{name}: bit fields cannot be carried over");
    }

    private bool IsSigned(int here) => KindAt(here) == Kind.Int && (Read(_raw, here + TypeSize) >> 24 & 1) != 0;

    private int Size(int here, string name)
    {
        uint size = Read(_raw, here + 8);
        return size is > 0 and <= SizeMax ? (int)size : throw new BtfException($"{name}: {size} octets");
    }

    private int Find(uint type) => type > 0 && type < (uint)_types.Count
        ? _types[(int)type]
        : throw new BtfException($"there is no type {type}");

    private Kind KindAt(int here) => (Kind)(Read(_raw, here + 4) >> 24 & 0x1f);

    private int MembersSize(int here)
    {
        int count = (int)(Read(_raw, here + 4) & 0xffff);
        return KindAt(here) switch
        {
            Kind.Int or Kind.Variable or Kind.DeclarationTag => 4,
            Kind.Array => 12,
            Kind.Struct or Kind.Union or Kind.DataSection or Kind.Enum64 => count * 12,
            Kind.Enum or Kind.FunctionPrototype => count * 8,
            Kind.Pointer or Kind.Forward or Kind.Typedef or Kind.Volatile or Kind.Const or Kind.Restrict
                or Kind.Function or Kind.Float or Kind.TypeTag => 0,
            _ => throw new BtfException($"kind {(int)KindAt(here)} is not known"),
        };
    }

    private string Text(uint offset)
    {
        if (offset >= (uint)(_stringsEnd - _stringsAt)) throw new BtfException("a name beyond the end");
        ReadOnlySpan<byte> rest = _raw.AsSpan((_stringsAt + (int)offset).._stringsEnd);
        int end = rest.IndexOf((byte)0);
        return end >= 0 ? Encoding.ASCII.GetString(rest[..end]) : throw new BtfException("a name without end");
    }

    private static uint Read(byte[] raw, int at) => BinaryPrimitives.ReadUInt32LittleEndian(raw.AsSpan(at));
}
