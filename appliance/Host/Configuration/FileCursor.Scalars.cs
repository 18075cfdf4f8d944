using System;
using System.Collections.Generic;
using System.Globalization;
using Genkan.Control.Validation;
using Genkan.Wire;

namespace Genkan.Host.Configuration;

/// <content>Conversions of text.</content>
internal readonly partial struct FileCursor
{
    private static readonly Dictionary<string, IpProtocol> Protocols = new(StringComparer.OrdinalIgnoreCase)
    {
        ["tcp"] = IpProtocol.Tcp,
        ["udp"] = IpProtocol.Udp,
        ["icmp"] = IpProtocol.Icmp,
        ["icmpv6"] = IpProtocol.Icmpv6,
        ["ipv6-icmp"] = IpProtocol.Icmpv6,
        ["sctp"] = IpProtocol.Sctp,
        ["gre"] = IpProtocol.Gre,
        ["esp"] = IpProtocol.Esp,
        ["ah"] = IpProtocol.AuthenticationHeader,
        ["ospf"] = IpProtocol.Ospf,
        ["vrrp"] = IpProtocol.Vrrp,
        ["igmp"] = IpProtocol.Igmp,
    };

    /// <summary>Any text but none.</summary>
    public string? Text()
    {
        if (_node is YamlScalar { IsEmpty: false } scalar) return scalar.Text;
        Refuse("a value is expected here", "");
        return null;
    }

    /// <summary>A whole number.</summary>
    public long? Number(long min, long max)
    {
        if (Text() is not { } text) return null;
        if (long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out long number)
            && number >= min && number <= max)
        {
            return number;
        }

        Refuse($"'{text}' is not a whole number from {min} to {max}", "");
        return null;
    }

    /// <summary>A number of 16 bits.</summary>
    public ushort? UInt16() => (ushort?)Number(0, ushort.MaxValue);

    /// <summary><c>true</c> or <c>false</c>, as YAML 1.2 has them.</summary>
    public bool? Boolean()
    {
        if (Text() is not { } text) return null;
        if (text is "true" or "false") return text == "true";
        string hint = text.ToUpperInvariant() switch
        {
            "YES" or "ON" or "TRUE" or "Y" => "write true",
            "NO" or "OFF" or "FALSE" or "N" => "write false",
            _ => "",
        };
        Refuse($"'{text}' is neither true nor false", hint);
        return null;
    }

    /// <summary>An IP address.</summary>
    public IpAddress? Address()
    {
        if (Text() is not { } text) return null;
        if (IpAddress.TryParse(text, out IpAddress address)) return address;
        int slashAt = text.IndexOf('/', StringComparison.Ordinal);
        bool hasLength = slashAt > 0 && IpAddress.TryParse(text[..slashAt], out _);
        Refuse(
            hasLength
                ? $"'{text}' has a prefix length; an address alone is expected"
                : $"'{text}' is not an IP address",
            hasLength ? $"write {text[..slashAt]}" : "e.g. 10.0.1.1 or 2001:db8::1");
        return null;
    }

    /// <summary>A network such as 10.0.1.0/24.</summary>
    public IpPrefix? Prefix()
    {
        if (Text() is not { } text) return null;
        if (IpPrefix.TryParse(text, out IpPrefix prefix, out string? problem)) return prefix;
        Refuse(Rule(problem, text), Hint(problem));
        return null;
    }

    /// <summary>A network, or an address for a network of one.</summary>
    public IpPrefix? PrefixOrAddress()
    {
        if (_node is YamlScalar scalar && IpAddress.TryParse(scalar.Text, out IpAddress address))
        {
            return new IpPrefix(address, address.FamilyBits);
        }

        return Prefix();
    }

    /// <summary>An address with the length of its network.</summary>
    public IpInterface? Interface()
    {
        if (Text() is not { } text) return null;
        if (IpInterface.TryParse(text, out IpInterface address, out string? problem)) return address;
        Refuse(Rule(problem, text), Hint(problem));
        return null;
    }

    /// <summary>A MAC address.</summary>
    public MacAddress? Mac()
    {
        if (Text() is not { } text) return null;
        if (MacAddress.TryParse(text, out MacAddress mac)) return mac;
        Refuse($"'{text}' is not a MAC address", "six octets such as 02:00:00:00:00:01");
        return null;
    }

    /// <summary>An IP protocol by name or number.</summary>
    public IpProtocol? Protocol()
    {
        if (Text() is not { } text) return null;
        if (Protocols.TryGetValue(text, out IpProtocol protocol)) return protocol;
        if (byte.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out byte number) && number > 0)
        {
            return (IpProtocol)number;
        }
        Refuse(
            $"'{text}' is not a protocol",
            Suggestion.Hint(text, Protocols.Keys, "protocols (or a number from 1 to 255)"));
        return null;
    }

    /// <summary>One of a few words.</summary>
    public T? Word<T>(IReadOnlyDictionary<string, T> words)
        where T : struct
    {
        if (Text() is not { } text) return null;
        foreach ((string word, T value) in words)
        {
            if (string.Equals(word, text, StringComparison.OrdinalIgnoreCase)) return value;
        }

        Refuse($"'{text}' is none of {string.Join(", ", words.Keys)}", Suggestion.Hint(text, [.. words.Keys], "words"));
        return null;
    }

    /// <summary>One port, or <c>first-last</c>.</summary>
    public (ushort First, ushort Last)? PortRange()
    {
        if (Text() is not { } text) return null;
        int dashAt = text.IndexOf('-', StringComparison.Ordinal);
        string first = dashAt < 0 ? text : text[..dashAt].Trim();
        string last = dashAt < 0 ? text : text[(dashAt + 1)..].Trim();
        if (ushort.TryParse(first, NumberStyles.None, CultureInfo.InvariantCulture, out ushort min)
            && ushort.TryParse(last, NumberStyles.None, CultureInfo.InvariantCulture, out ushort max))
        {
            return (min, max);
        }

        Refuse($"'{text}' is not a port or range of ports", "e.g. 80 or 5000-5999; ports end at 65535");
        return null;
    }

    /// <summary>A time such as <c>90s</c>, <c>10m</c>, <c>1h30m</c> or <c>7d</c>.</summary>
    public TimeSpan? Duration()
    {
        if (Text() is not { } text) return null;
        TimeSpan sum = TimeSpan.Zero;
        ReadOnlySpan<char> rest = text;
        while (!rest.IsEmpty)
        {
            int digits = rest.IndexOfAnyExceptInRange('0', '9');
            TimeSpan? unit = digits > 0 ? UnitOf(rest[digits]) : null;
            if (unit is null || digits > 9) break;
            sum += unit.Value * int.Parse(rest[..digits], NumberStyles.None, CultureInfo.InvariantCulture);
            rest = rest[(digits + 1)..];
        }

        if (rest.IsEmpty) return sum;
        Refuse($"'{text}' is not a time", "a number with its unit: 90s, 10m, 1h30m, 7d");
        return null;
    }

    private static TimeSpan? UnitOf(char unit) => unit switch
    {
        's' => TimeSpan.FromSeconds(1),
        'm' => TimeSpan.FromMinutes(1),
        'h' => TimeSpan.FromHours(1),
        'd' => TimeSpan.FromDays(1),
        _ => null,
    };

    // The parsers say "X is wrong; do Y." in one sentence.
    private static string Rule(string? problem, string text) =>
        problem is null ? $"'{text}' is not an IP prefix" : problem.Split("; ", 2)[0].TrimEnd('.');

    private static string Hint(string? problem)
    {
        string[] parts = problem?.Split("; ", 2) ?? [];
        return parts.Length < 2 ? "" : parts[1].TrimEnd('.');
    }
}
