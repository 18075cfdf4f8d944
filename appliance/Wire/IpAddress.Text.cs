using System;
using System.Globalization;

namespace Genkan.Wire;

/// <content>The text forms: dotted decimal, and RFC 4291 §2.2 written as RFC 5952 §4 recommends.</content>
public readonly partial struct IpAddress
{
    /// <summary>Characters of the longest text, IPv6 in full.</summary>
    public const int TextLengthMax = 39;

    private const int GroupCount = 8;

    private static CultureInfo Culture => CultureInfo.InvariantCulture;

    /// <summary>
    /// Dotted decimal, or RFC 5952 §4 (lower case, no leading zeros, longest run of zero groups as ::).
    /// </summary>
    /// <returns>Such as <c>10.0.1.1</c> or <c>2001:db8::1</c>.</returns>
    public override string ToString()
    {
        Span<char> text = stackalloc char[TextLengthMax];
        TryFormat(text, out int length, default, null);
        return new string(text[..length]);
    }

    /// <inheritdoc />
    public string ToString(string? format, IFormatProvider? formatProvider) => ToString();

    /// <inheritdoc />
    public bool TryFormat(
        Span<char> destination, out int charsWritten, ReadOnlySpan<char> format, IFormatProvider? provider)
    {
        Span<char> text = stackalloc char[TextLengthMax];
        int length = IsIpv4 ? WriteIpv4(text) : WriteIpv6(text);
        charsWritten = text[..length].TryCopyTo(destination) ? length : 0;
        return charsWritten > 0;
    }

    private int WriteIpv4(Span<char> text)
    {
        int at = 0;
        for (int shift = 24; shift >= 0; shift -= 8)
        {
            if (shift < 24) text[at++] = '.';
            at += Write((byte)(Low >> shift), text[at..], "D");
        }

        return at;
    }

    private int WriteIpv6(Span<char> text)
    {
        (int zerosAt, int zerosCount) = LongestZeroRun();
        int at = 0;
        for (int i = 0; i < GroupCount; i++)
        {
            if (i == zerosAt)
            {
                text[at++] = ':';
                if (zerosAt + zerosCount == GroupCount) text[at++] = ':';
                i += zerosCount - 1;
                continue;
            }

            if (i > 0) text[at++] = ':';
            at += Write(Group(i), text[at..], "x");
        }

        return at;
    }

    // RFC 5952 §4.2: only runs of two or more groups are shortened; of equal runs, the first.
    private (int At, int Count) LongestZeroRun()
    {
        (int At, int Count) best = (-1, 1);
        int run = 0;
        for (int i = 0; i < GroupCount; i++)
        {
            run = Group(i) == 0 ? run + 1 : 0;
            if (run > best.Count) best = (i - run + 1, run);
        }

        return best;
    }

    private ushort Group(int index) => (ushort)(Value >> (16 * (GroupCount - 1 - index)));

    private static int Write(ushort number, Span<char> text, string format)
    {
        number.TryFormat(text, out int length, format, Culture);
        return length;
    }

    /// <summary>
    /// Reads dotted decimal (four numbers without leading zeros) or the forms of RFC 4291 §2.2. Zones, IPv4-mapped IPv6
    /// (see the type), blanks and brackets are refused.
    /// </summary>
    /// <param name="s">The text.</param>
    /// <param name="result">The address, or <c>default</c>.</param>
    /// <returns>False if the text is anything else.</returns>
    public static bool TryParse(ReadOnlySpan<char> s, out IpAddress result)
    {
        result = default;
        if (s.Contains(':'))
        {
            if (!TryParseIpv6(s, out UInt128 value) || new IpAddress(value).IsIpv4) return false;
            result = new IpAddress(value);
            return true;
        }

        if (!TryParseIpv4(s, out uint ipv4)) return false;
        result = FromIpv4(ipv4);
        return true;
    }

    private static bool TryParseIpv4(ReadOnlySpan<char> s, out uint value)
    {
        value = 0;
        int count = 0;
        foreach (Range range in s.Split('.'))
        {
            ReadOnlySpan<char> part = s[range];
            if (++count > Ipv4Size || part.Length is 0 or > 3 || part.Length > 1 && part[0] == '0') return false;
            if (!byte.TryParse(part, NumberStyles.None, Culture, out byte octet)) return false;
            value = (value << 8) | octet;
        }

        return count == Ipv4Size;
    }

    private static bool TryParseIpv6(ReadOnlySpan<char> s, out UInt128 value)
    {
        value = default;
        int gapAt = s.IndexOf("::", StringComparison.Ordinal);
        if (gapAt < 0) return TryParseGroups(s, out value, out int all) && all == GroupCount;

        ReadOnlySpan<char> tail = s[(gapAt + 2)..];
        if (!TryParseGroups(s[..gapAt], out UInt128 head, out int headCount, allowIpv4: false)) return false;
        if (!TryParseGroups(tail, out UInt128 low, out int tailCount)) return false;
        if (headCount + tailCount >= GroupCount) return false; // "::" stands for at least one group
        value = headCount == 0 ? low : (head << (16 * (GroupCount - headCount))) | low;
        return true;
    }

    // Zero or more groups between colons; the last may be dotted decimal, which counts as two.
    private static bool TryParseGroups(ReadOnlySpan<char> s, out UInt128 value, out int count, bool allowIpv4 = true)
    {
        (value, count) = (default, 0);
        while (!s.IsEmpty)
        {
            int colonAt = s.IndexOf(':');
            ReadOnlySpan<char> group = colonAt < 0 ? s : s[..colonAt];
            if (colonAt < 0 && allowIpv4 && group.Contains('.'))
            {
                if (!TryParseIpv4(group, out uint ipv4)) return false;
                (value, count) = ((value << 32) | ipv4, count + 2);
                return count <= GroupCount;
            }

            if (group.Length is 0 or > 4 || ++count > GroupCount) return false;
            if (!ushort.TryParse(group, NumberStyles.AllowHexSpecifier, Culture, out ushort bits)) return false;
            value = (value << 16) | bits;
            if (colonAt == s.Length - 1) return false; // ends in a single colon
            s = colonAt < 0 ? [] : s[(colonAt + 1)..];
        }

        return true;
    }

    /// <inheritdoc cref="TryParse(ReadOnlySpan{char}, out IpAddress)" />
    public static bool TryParse(string? s, out IpAddress result) => TryParse(s.AsSpan(), out result);

    /// <inheritdoc />
    public static bool TryParse(ReadOnlySpan<char> s, IFormatProvider? provider, out IpAddress result) =>
        TryParse(s, out result);

    /// <inheritdoc />
    public static bool TryParse(string? s, IFormatProvider? provider, out IpAddress result) =>
        TryParse(s.AsSpan(), out result);

    /// <summary>Reads a text that is known to be good, such as a constant.</summary>
    /// <param name="s">Such as <c>10.0.1.1</c> or <c>2001:db8::1</c>.</param>
    /// <returns>The address.</returns>
    /// <exception cref="FormatException">The text is no IP address.</exception>
    public static IpAddress Parse(ReadOnlySpan<char> s) => TryParse(s, out IpAddress address)
        ? address
        : throw new FormatException($"'{s}' is not an IP address; write it such as 10.0.1.1 or 2001:db8::1.");

    /// <inheritdoc />
    public static IpAddress Parse(ReadOnlySpan<char> s, IFormatProvider? provider) => Parse(s);

    /// <inheritdoc />
    public static IpAddress Parse(string s, IFormatProvider? provider) => Parse(s.AsSpan());
}
