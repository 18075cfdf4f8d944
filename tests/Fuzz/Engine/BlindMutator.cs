using System;
using System.Buffers.Binary;
using System.Collections.Generic;

namespace Genkan.Fuzz.Engine;

/// <summary>Changes octets without knowing what they mean.</summary>
internal static class BlindMutator
{
    private static readonly uint[] Interesting =
        [0, 1, 7, 8, 15, 16, 31, 32, 63, 64, 127, 128, 254, 255, 256, 511, 512, 1023, 1024, 1500, 4095, 4096, 16383,
            32767, 32768, 65533, 65534, 65535, 65536, 0x7fffffff, 0x80000000, 0xfffffffe, 0xffffffff];

    /// <summary>One change.</summary>
    /// <returns>The new length.</returns>
    public static int Mutate(
        Span<byte> buffer, int length, IReadOnlyList<byte[]> words, ReadOnlySpan<byte> other, FuzzRandom random)
    {
        if (length == 0) return Insert(buffer, 0, Octets(random), random);
        int at = random.Below(length);
        switch (random.Below(words.Count > 0 ? 14 : 11))
        {
            case 0:
                buffer[at] ^= (byte)(1 << random.Below(8));
                return length;
            case 1:
                buffer[at] = random.Octet();
                return length;
            case 2:
                buffer[at] += (byte)(random.Below(35) - 17);
                return length;
            case 3:
                WriteNumber(buffer[at..length], random);
                return length;
            case 4:
                return Remove(buffer, length, at, random.Length(length - at));
            case 5:
                return Insert(buffer, length, Octets(random), random);
            case 6:
                return Repeat(buffer, length, at, random);
            case 7:
                return random.OneIn(2) ? at : length; // cut
            case 8:
                byte[] over = Octets(random);
                over.AsSpan(0, Math.Min(over.Length, length - at)).CopyTo(buffer[at..]);
                return length;
            case 9:
                return Splice(buffer, length, at, other, random);
            case 10:
                int from = random.Below(length), count = random.Length(length - Math.Max(from, at));
                buffer.Slice(from, count).ToArray().CopyTo(buffer[at..]);
                return length;
            default:
                byte[] word = words[random.Below(words.Count)];
                if (!random.OneIn(3)) return Insert(buffer, length, word, random);
                if (at + word.Length <= length) word.CopyTo(buffer[at..]);
                return length;
        }
    }

    private static byte[] Octets(FuzzRandom random)
    {
        byte[] octets = new byte[random.Length(32)];
        byte fill = random.Octet();
        bool isPlain = random.OneIn(2);
        for (int i = 0; i < octets.Length; i++) octets[i] = isPlain ? fill : random.Octet();
        return octets;
    }

    private static void WriteNumber(Span<byte> at, FuzzRandom random)
    {
        uint number = random.Of<uint>(Interesting) + (uint)(random.OneIn(3) ? random.Below(3) - 1 : 0);
        if (at.Length >= 4 && random.OneIn(3)) BinaryPrimitives.WriteUInt32BigEndian(at, number);
        else if (at.Length >= 2 && random.OneIn(2)) BinaryPrimitives.WriteUInt16BigEndian(at, (ushort)number);
        else if (at.Length >= 2) BinaryPrimitives.WriteUInt16LittleEndian(at, (ushort)number);
        else at[0] = (byte)number;
    }

    internal static int Remove(Span<byte> buffer, int length, int at, int count)
    {
        buffer[(at + count)..length].CopyTo(buffer[at..]);
        return length - count;
    }

    private static int Insert(Span<byte> buffer, int length, ReadOnlySpan<byte> octets, FuzzRandom random) =>
        InsertAt(buffer, length, random.Below(length + 1), octets);

    internal static int InsertAt(Span<byte> buffer, int length, int at, ReadOnlySpan<byte> octets)
    {
        if (length + octets.Length > buffer.Length) return length;
        buffer[at..length].CopyTo(buffer[(at + octets.Length)..]);
        octets.CopyTo(buffer[at..]);
        return length + octets.Length;
    }

    private static int Repeat(Span<byte> buffer, int length, int at, FuzzRandom random)
    {
        byte[] part = buffer.Slice(at, random.Length(length - at)).ToArray();
        int times = random.OneIn(8) ? random.Below(64) : 1;
        for (int i = 0; i <= times; i++) length = InsertAt(buffer, length, at, part);
        return length;
    }

    private static int Splice(Span<byte> buffer, int length, int at, ReadOnlySpan<byte> other, FuzzRandom random)
    {
        if (other.IsEmpty) return length;
        int from = random.Below(other.Length);
        ReadOnlySpan<byte> rest = other[from..];
        rest = rest[..Math.Min(rest.Length, buffer.Length - at)];
        if (random.OneIn(2)) rest = rest[..random.Length(rest.Length == 0 ? 1 : rest.Length)];
        rest.CopyTo(buffer[at..]);
        return Math.Max(at + rest.Length, random.OneIn(2) ? length : at + rest.Length);
    }
}
