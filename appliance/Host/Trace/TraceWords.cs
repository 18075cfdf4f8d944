using System;
using System.Collections.Generic;
using System.Collections.Immutable;
using System.Globalization;
using System.Linq;
using Genkan.Control.Validation;
using Genkan.Wire;

namespace Genkan.Host.Trace;

/// <summary>
/// Reads the words of <c>genkan trace</c>, which follow tcpdump:
/// <code>
/// trace    = ( PORT | "uplink" NAME ) packet *option
/// packet   = "arp" "who-has" ADDRESS [ "tell" ADDRESS ]
///          | "nd" "who-has" ADDRESS [ "tell" ADDRESS ]
///          | ( "tcp" | "udp" | "sctp" ) endpoint ">" endpoint
///          | ( "icmp" | "icmp6" ) ADDRESS ">" ADDRESS [ "echo" | "reply" | "type" N [ "code" N ] ] [ "id" N ]
///          | "proto" N ADDRESS ">" ADDRESS
/// endpoint = ADDRESS [ ":" PORT ] | "[" ADDRESS "]" ":" PORT
/// option   = "ttl" N | "from" MAC | "to" MAC | "syn" | "ack" | "fin" | "rst" | "psh"
/// </code>
/// <c>to</c> may stand for <c>></c>, which a shell takes for itself unless it is quoted.
/// </summary>
internal sealed class TraceWords
{
    /// <summary>Words of a trace; more are refused.</summary>
    public const int WordsMax = 64;

    private const ushort DefaultSourcePort = 49152; // the first dynamic port, RFC 6335 §6
    private const ushort DefaultIdentifier = 1;

    private static readonly string[] Protocols = ["tcp", "udp", "sctp", "icmp", "icmp6", "arp", "nd", "proto"];

    private static readonly Dictionary<string, TcpFlags> Flags = new(StringComparer.Ordinal)
    {
        ["syn"] = TcpFlags.Syn,
        ["ack"] = TcpFlags.Ack,
        ["fin"] = TcpFlags.Fin,
        ["rst"] = TcpFlags.Rst,
        ["psh"] = TcpFlags.Psh,
    };

    private readonly ImmutableArray<string> _words;
    private int _next;

    private TraceWords(ImmutableArray<string> words) => _words = words;

    /// <summary>Reads words.</summary>
    /// <param name="words">Words; each may hold several, with blanks between.</param>
    /// <param name="spec">The packet, or null.</param>
    /// <param name="fault">What is wrong, or null.</param>
    /// <returns>Whether they are a packet.</returns>
    public static bool TryParse(IEnumerable<string> words, out TraceSpec? spec, out TraceFault? fault)
    {
        ImmutableArray<string> all = Split(words);
        (spec, fault) = (null, null);
        TraceWords reader = new(all);
        try
        {
            if (all.Length > WordsMax) throw reader.Fault($"there are {all.Length} words; the limit is {WordsMax}", "");
            spec = reader.Read();
        }
        catch (TraceException found)
        {
            fault = found.Fault;
        }

        return spec is not null;
    }

    /// <summary>The words as faults count characters in them.</summary>
    public static string Join(IEnumerable<string> words) => string.Join(' ', Split(words));

    private static ImmutableArray<string> Split(IEnumerable<string> words) =>
        [.. words.SelectMany(static w => w.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries))];

    private TraceSpec Read()
    {
        string place = Take(
            "the name of a port, or uplink and its name", "e.g. red-a tcp 10.0.1.11:40000 '>' 10.0.2.11:80");
        bool isUplink = place == "uplink";
        if (isUplink) place = Take("the name of an uplink", "genkan port list shows it");
        string protocol = Take("a protocol", string.Join(", ", Protocols));
        TracePacket packet = protocol switch
        {
            "arp" => ReadArp(),
            "nd" => ReadSolicitation(),
            "tcp" => ReadPorts(IpProtocol.Tcp),
            "udp" => ReadPorts(IpProtocol.Udp),
            "sctp" => ReadPorts(IpProtocol.Sctp),
            "icmp" or "icmp6" or "icmpv6" => ReadIcmp(isVersion6: protocol != "icmp"),
            "proto" => ReadProtocol(),
            _ => throw Back().Fault(
                $"'{protocol}' is not a protocol", Suggestion.Hint(protocol, Protocols, "protocols")),
        };
        return ReadOptions(place, isUplink, packet);
    }

    private TracePacket.Arp ReadArp()
    {
        (IpAddress target, IpAddress? sender) = ReadWhoHas();
        if (target.IsIpv6 || sender is { IsIpv6: true })
        {
            throw Back().Fault("ARP is for IPv4", "nd who-has asks for an IPv6 address");
        }
        return new TracePacket.Arp(target, sender);
    }

    private TracePacket.NeighborSolicitation ReadSolicitation()
    {
        (IpAddress target, IpAddress? sender) = ReadWhoHas();
        if (target.IsIpv4 || sender is { IsIpv4: true })
        {
            throw Back().Fault("neighbour discovery is for IPv6", "arp who-has asks for an IPv4 address");
        }
        return new TracePacket.NeighborSolicitation(target, sender);
    }

    private (IpAddress Target, IpAddress? Sender) ReadWhoHas()
    {
        Expect("who-has");
        IpAddress target = ReadAddress();
        return (target, TrySkip("tell") ? ReadAddress() : null);
    }

    private TracePacket.Ip ReadPorts(IpProtocol protocol)
    {
        (IpAddress source, ushort? sourcePort) = ReadEndpoint();
        SkipArrow();
        (IpAddress destination, ushort? destinationPort) = ReadEndpoint();
        CheckFamilies(source, destination);
        if (destinationPort is null)
        {
            string example = destination.IsIpv4 ? $"{destination}:80" : $"[{destination}]:80";
            throw Back().Fault("the destination has no port", $"e.g. {example}");
        }

        TcpFlags flags = protocol == IpProtocol.Tcp ? ReadFlags() : TcpFlags.None;
        return new TracePacket.Ip(
            source, destination, protocol, sourcePort ?? DefaultSourcePort, destinationPort.Value, flags);
    }

    private TcpFlags ReadFlags()
    {
        TcpFlags flags = TcpFlags.None;
        while (_next < _words.Length && Flags.TryGetValue(_words[_next], out TcpFlags flag))
        {
            flags |= flag;
            _next++;
        }

        return flags == TcpFlags.None ? TcpFlags.Syn : flags;
    }

    private TracePacket.Icmp ReadIcmp(bool isVersion6)
    {
        IpAddress source = ReadAddress();
        SkipArrow();
        IpAddress destination = ReadAddress();
        CheckFamilies(source, destination);
        if (isVersion6 && source.IsIpv4) throw Back().Fault("icmp6 is for IPv6", "icmp for IPv4");
        byte type = source.IsIpv4 ? (byte)IcmpType.Echo : (byte)Icmpv6Type.EchoRequest;
        byte code = 0;
        if (TrySkip("reply"))
        {
            type = source.IsIpv4 ? (byte)IcmpType.EchoReply : (byte)Icmpv6Type.EchoReply;
        }
        else if (TrySkip("type"))
        {
            type = (byte)ReadNumber("an ICMP type", byte.MaxValue);
            if (TrySkip("code")) code = (byte)ReadNumber("an ICMP code", byte.MaxValue);
        }
        else
        {
            TrySkip("echo");
        }

        ushort identifier = TrySkip("id") ? (ushort)ReadNumber("an identifier", ushort.MaxValue) : DefaultIdentifier;
        return new TracePacket.Icmp(source, destination, type, code, identifier);
    }

    private TracePacket.Ip ReadProtocol()
    {
        IpProtocol protocol = (IpProtocol)ReadNumber("a protocol number", byte.MaxValue);
        if (protocol is IpProtocol.Tcp or IpProtocol.Udp or IpProtocol.Sctp or IpProtocol.Icmp or IpProtocol.Icmpv6)
        {
            throw Back().Fault(
                $"protocol {(int)protocol} has a name and fields of its own", "tcp, udp, sctp, icmp or icmp6");
        }

        IpAddress source = ReadAddress();
        SkipArrow();
        IpAddress destination = ReadAddress();
        CheckFamilies(source, destination);
        return new TracePacket.Ip(source, destination, protocol, 0, 0, TcpFlags.None);
    }

    private TraceSpec ReadOptions(string place, bool isUplink, TracePacket packet)
    {
        byte hopLimit = TraceSpec.DefaultHopLimit;
        MacAddress? from = null;
        MacAddress? to = null;
        while (_next < _words.Length)
        {
            string option = _words[_next++];
            switch (option)
            {
                case "ttl" or "hlim":
                    hopLimit = (byte)ReadNumber("a TTL", byte.MaxValue);
                    break;
                case "from":
                    from = ReadMac();
                    break;
                case "to":
                    to = ReadMac();
                    break;
                default:
                    string[] known = packet is TracePacket.Ip { Protocol: IpProtocol.Tcp }
                        ? ["ttl", "from", "to", .. Flags.Keys]
                        : ["ttl", "from", "to"];
                    throw Back().Fault($"'{option}' means nothing here", Suggestion.Hint(option, known, "options"));
            }
        }

        return new TraceSpec(place, isUplink, packet, hopLimit, from, to);
    }

    private string Take(string what, string hint) =>
        _next < _words.Length ? _words[_next++] : throw Fault($"{what} is missing", hint);

    private TraceWords Back()
    {
        _next--;
        return this;
    }

    private bool TrySkip(string word)
    {
        if (_next >= _words.Length || _words[_next] != word) return false;
        _next++;
        return true;
    }

    private void Expect(string word)
    {
        if (!TrySkip(word)) throw Fault($"'{word}' is expected", "e.g. arp who-has 10.0.1.1");
    }

    private void SkipArrow()
    {
        if (TrySkip(">") || TrySkip("to")) return;
        throw Fault("'>' and a destination are expected", "a shell takes > for itself: write '>' in quotes, or to");
    }

    private IpAddress ReadAddress()
    {
        string word = Take("an address", "e.g. 10.0.1.11 or 2001:db8::1");
        return IpAddress.TryParse(word.Trim('[', ']'), out IpAddress address)
            ? address
            : throw Back().Fault($"'{word}' is not an address", "e.g. 10.0.1.11 or 2001:db8::1, here without a port");
    }

    private (IpAddress Address, ushort? Port) ReadEndpoint()
    {
        string word = Take("an address and port", "e.g. 10.0.1.11:40000 or [2001:db8::1]:80");
        if (IpAddress.TryParse(word.Trim('[', ']'), out IpAddress alone)) return (alone, null);
        int colonAt = word.LastIndexOf(':');
        bool isBracketed = word.StartsWith('[');
        if (colonAt > 0 && (!isBracketed || word[colonAt - 1] == ']'))
        {
            string text = word[..colonAt];
            bool isGood = IpAddress.TryParse(isBracketed ? text[1..^1] : text, out IpAddress address)
                && address.IsIpv6 == isBracketed;
            ReadOnlySpan<char> digits = word.AsSpan(colonAt + 1);
            if (isGood && ushort.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out ushort port))
            {
                return (address, port);
            }
        }

        throw Back().Fault(
            $"'{word}' is not an address and port", "e.g. 10.0.1.11:40000 or [2001:db8::1]:80; ports end at 65535");
    }

    private int ReadNumber(string what, int max)
    {
        string word = Take(what, $"0 to {max}");
        return int.TryParse(word, NumberStyles.None, CultureInfo.InvariantCulture, out int number) && number <= max
            ? number
            : throw Back().Fault($"'{word}' is not {what}", $"0 to {max}");
    }

    private MacAddress ReadMac()
    {
        string word = Take("a MAC address", "e.g. 02:00:00:00:00:01");
        return MacAddress.TryParse(word, out MacAddress mac)
            ? mac
            : throw Back().Fault($"'{word}' is not a MAC address", "e.g. 02:00:00:00:00:01");
    }

    private void CheckFamilies(IpAddress source, IpAddress destination)
    {
        if (source.IsIpv4 != destination.IsIpv4)
        {
            throw Back().Fault("source and destination are of different families", "");
        }
    }

    // Points at the next word, or behind the last.
    private TraceException Fault(string rule, string hint)
    {
        int at = _words.Take(_next).Sum(static word => word.Length + 1);
        int length = _next < _words.Length ? _words[_next].Length : 1;
        return new TraceException(new TraceFault(at, length, rule, hint));
    }

    // Only inside this class: a grammar this small reads best when it stops where it stands.
    private sealed class TraceException(TraceFault fault) : Exception(fault.Rule)
    {
        public TraceFault Fault => fault;
    }
}
