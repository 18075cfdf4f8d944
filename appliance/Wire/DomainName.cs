using System;
using System.Collections.Generic;
using System.Collections.Immutable;
using System.Text;

namespace Genkan.Wire;

/// <summary>
/// Domain names as a sequence of labels (RFC 1035 §3.1), as DHCP options and router advertisements carry them.
/// </summary>
public static class DomainName
{
    private const int LabelLengthMax = 63;
    private const byte PointerBits = 0xC0;

    /// <summary>True if the text is a name of letters, digits, hyphens and underscores in labels of 1 to 63.</summary>
    /// <param name="name">Such as <c>red.example</c>, with or without the final dot.</param>
    /// <returns>Whether <see cref="TryEncode"/> can write it.</returns>
    public static bool IsValid(ReadOnlySpan<char> name)
    {
        name = name.TrimEnd('.');
        if (name.Length is 0 or > WireLimits.DomainNameLengthMax) return false;
        foreach (Range range in name.Split('.'))
        {
            ReadOnlySpan<char> label = name[range];
            if (label.Length is 0 or > LabelLengthMax) return false;
            foreach (char c in label)
                if (!char.IsAsciiLetterOrDigit(c) && c is not ('-' or '_')) return false;
        }

        return true;
    }

    /// <summary>Writes a name, uncompressed, with its final zero octet.</summary>
    /// <param name="name">A valid name.</param>
    /// <param name="destination">Where to write: the name's length + 2 octets.</param>
    /// <param name="length">Octets written, or 0.</param>
    /// <returns>False if the name is not valid or the room too small.</returns>
    public static bool TryEncode(ReadOnlySpan<char> name, Span<byte> destination, out int length)
    {
        length = 0;
        name = name.TrimEnd('.');
        if (!IsValid(name) || destination.Length < name.Length + 2) return false;
        int at = 0;
        foreach (Range range in name.Split('.'))
        {
            ReadOnlySpan<char> label = name[range];
            destination[at++] = (byte)label.Length;
            at += Encoding.ASCII.GetBytes(label, destination[at..]);
        }

        destination[at++] = 0;
        length = at;
        return true;
    }

    /// <summary>Writes a list of names, uncompressed, one behind the other.</summary>
    /// <param name="names">Valid names.</param>
    /// <returns>The octets.</returns>
    /// <exception cref="ArgumentException">
    /// A name is not valid; configuration checks names with <see cref="IsValid"/>.
    /// </exception>
    public static byte[] EncodeList(IEnumerable<string> names)
    {
        List<byte> octets = [];
        Span<byte> one = stackalloc byte[WireLimits.DomainNameLengthMax + 2];
        foreach (string name in names)
        {
            if (!TryEncode(name, one, out int length))
                throw new ArgumentException($"'{name}' is no domain name.", nameof(names));
            octets.AddRange(one[..length]);
        }

        return [.. octets];
    }

    /// <summary>Reads one name.</summary>
    /// <param name="source">All octets that compression pointers may point into.</param>
    /// <param name="at">Where the name begins; then, where the octets behind it begin.</param>
    /// <param name="name">The name without final dot; empty for the root.</param>
    /// <param name="allowsPointers">
    /// Whether compression (RFC 1035 §4.1.4) is allowed; pointers must point backwards.
    /// </param>
    /// <returns>False if malformed; then <paramref name="at"/> is unchanged. Never throws.</returns>
    public static bool TryDecode(ReadOnlySpan<byte> source, ref int at, out string name, bool allowsPointers = false)
    {
        name = string.Empty;
        StringBuilder text = new();
        int next = -1;
        int pointers = 0;
        for (int i = at; (uint)i < (uint)source.Length;)
        {
            int length = source[i];
            if (length == 0)
            {
                at = next < 0 ? i + 1 : next;
                name = text.ToString();
                return true;
            }

            if ((length & PointerBits) == PointerBits)
            {
                if (!allowsPointers || i + 1 >= source.Length) return false;
                if (++pointers > WireLimits.DomainNamePointersMax) return false;
                int target = ((length & ~PointerBits) << 8) | source[i + 1];
                if (target >= i) return false;
                if (next < 0) next = i + 2;
                i = target;
                continue;
            }

            if (length > LabelLengthMax || i + 1 + length > source.Length) return false;
            if (!TryAppend(text, source.Slice(i + 1, length))) return false;
            i += 1 + length;
        }

        return false;
    }

    /// <summary>
    /// Reads a list of names that fills the octets; zero octets behind the last are padding (RFC 8106 §5.2).
    /// </summary>
    /// <param name="source">The list.</param>
    /// <param name="names">The names in order; empty if malformed.</param>
    /// <param name="allowsPointers">Whether names may be compressed (RFC 3397 §2).</param>
    /// <returns>False if malformed or past <see cref="WireLimits.DomainSearchMax"/>. Never throws.</returns>
    public static bool TryDecodeList(
        ReadOnlySpan<byte> source, out ImmutableArray<string> names, bool allowsPointers = false)
    {
        names = [];
        ImmutableArray<string>.Builder list = ImmutableArray.CreateBuilder<string>();
        int at = 0;
        while (at < source.Length && source[at..].ContainsAnyExcept((byte)0))
        {
            if (list.Count == WireLimits.DomainSearchMax) return false;
            if (!TryDecode(source, ref at, out string name, allowsPointers) || name.Length == 0) return false;
            list.Add(name);
        }

        names = list.ToImmutable();
        return true;
    }

    private static bool TryAppend(StringBuilder text, ReadOnlySpan<byte> label)
    {
        if (text.Length > 0) text.Append('.');
        foreach (byte octet in label)
        {
            char c = (char)octet;
            if (!char.IsAsciiLetterOrDigit(c) && c is not ('-' or '_')) return false;
            text.Append(c);
        }

        return text.Length <= WireLimits.DomainNameLengthMax;
    }
}
