using System.Collections.Generic;
using static Genkan.Lab.Tests.Hostile.HostileFrames;

namespace Genkan.Lab.Tests.Hostile;

/// <summary>What is wrong with a packet whoever sends it and wherever it enters: each header cut short, each length
/// that lies, tags in tags.</summary>
internal static class DamagedHeaders
{
    private const byte HopByHop = 0;
    private const byte Icmp = 1;
    private const byte Tcp = 6;
    private const byte Udp = 17;
    private const byte Routing = 43;
    private const byte Icmpv6 = 58;
    private const byte Sctp = 132;

    /// <summary>Damaged headers.</summary>
    /// <param name="good">A UDP packet of <see cref="Udp4"/>.</param>
    /// <param name="good6">One of <see cref="Udp6"/>.</param>
    public static IEnumerable<(string Name, string Reason, byte[] Frame)> Of(byte[] good, byte[] good6)
    {
        yield return ("an IPv4 header cut short", "truncated", good[..30]);
        yield return ("an IPv6 header cut short", "truncated", good6[..50]);
        yield return ("a total length beyond the frame", "truncated", With(good, 2, 2));
        yield return ("a total length below the header", "malformed", With(good, 3, 10));
        yield return ("a header of four words", "malformed", With(good, 0, 0x44));
        yield return ("options beyond the packet", "malformed", With(good, 0, 0x4f));
        yield return ("version 5", "malformed", With(good, 0, 0x55));
        yield return ("version 7 where 6 is said", "malformed", With(good6, 0, 0x70));
        yield return ("a payload length beyond the frame", "truncated", With(good6, 4, 2));
        yield return ("an extension header cut short", "truncated", With(good6, 6, 60));
        yield return ("a routing header of type 0", "malformed",
            With(With(With(With(With(good6, 6, Routing), 40, Udp), 41, 0), 42, 0), 43, 1));
        yield return ("hop-by-hop options that do not come first", "malformed",
            With(With(With(good6, 6, 60), 40, HopByHop), 41, 0));
        yield return ("a TCP header cut short", "truncated", Cut4(good, Tcp, 12));
        yield return ("a UDP header cut short", "truncated", Cut4(good, Udp, 4));
        yield return ("an ICMP header cut short", "truncated", Cut4(good, Icmp, 2));
        yield return ("an SCTP header cut short", "truncated", Cut4(good, Sctp, 4));
        yield return ("a TCP header cut short in IPv6", "truncated", Cut6(good6, Tcp, 12));
        yield return ("a UDP header cut short in IPv6", "truncated", Cut6(good6, Udp, 4));
        yield return ("an ICMPv6 header cut short", "truncated", Cut6(good6, Icmpv6, 2));
    }

    /// <summary>Tags that stand for no port here (VID 7), and tags in tags, 802.1Q and 802.1ad.</summary>
    public static IEnumerable<(string Name, string Reason, byte[] Frame)> Tags(byte[] good)
    {
        yield return ("a tag without a port", "vlan_not_bound", Tagged(good, (0x8100, 7)));
        yield return ("a provider's tag without a port", "vlan_not_bound", Tagged(good, (0x88a8, 7)));
        yield return ("a tag in a tag without a port", "vlan_not_bound", Tagged(good, (0x88a8, 7), (0x8100, 7)));
        yield return ("a tag in a tag", "nested_vlan", Tagged(good, (0x8100, 0), (0x8100, 7)));
        yield return ("a customer's tag in a provider's", "nested_vlan", Tagged(good, (0x88a8, 0), (0x8100, 7)));
        yield return ("a provider's tag in a customer's", "nested_vlan", Tagged(good, (0x8100, 0), (0x88a8, 7)));
        yield return ("three tags", "nested_vlan", Tagged(good, (0x88a8, 0), (0x88a8, 0), (0x8100, 7)));
        yield return ("three priorities", "nested_vlan", Tagged(good, (0x8100, 0), (0x8100, 0), (0x8100, 0)));
    }
}
