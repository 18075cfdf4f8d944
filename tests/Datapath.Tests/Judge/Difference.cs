using System;
using System.Collections.Immutable;
using System.Linq;
using Genkan.Overlay.Topology;
using Genkan.Wire;

namespace Genkan.Datapath.Tests.Judge;

/// <summary>
/// A rule by which the two judges rightly differ. It says of which packets, and what each of the two does with them.
/// </summary>
/// <param name="Name">What it is counted under.</param>
/// <param name="Why">Which of the two does what, and by what right.</param>
/// <param name="Applies">Whether a case is of its kind; of a rule without details, whether it explains the
/// whole.</param>
internal sealed record Difference(string Name, string Why, Func<JudgedCase, bool> Applies)
{
    private const int EthernetSize = 14;
    private const int TcpSize = 20;
    private const int TransportAtMax = 1_023; // L4_AT_MAX of the programs

    /// <summary>Takes a detail in which the two may differ out of a frame; null: the rule is of the whole.</summary>
    public Func<byte[], byte[]>? TakeAway { get; init; }

    /// <summary>Whether only long runs meet it, so that a short one does not demand it.</summary>
    public bool IsRare { get; init; }

    /// <summary>Those that any packet may meet.</summary>
    public static readonly ImmutableArray<Difference> All =
    [
        new("Ethernet padding",
            "Linux takes it off when it routes, Genkan whatever makes a frame longer than 60 octets (decision 0006)",
            static c => c.Header.IsIpv4 || c.Header.IsIpv6) { TakeAway = Details.WithoutPadding },
        new("identity of a router's own message",
            "RFC 6864 §4.1, RFC 6437 §3: identification, DF and flow label of a message that is whole and of no flow "
            + "say nothing",
            static c => c.IsToRouter || c.World.IsRouters(c.Header.Destination)) { TakeAway = Details.WithoutIdentity },
        new("MAC that an answer goes back to",
            "Linux asks its neighbour table, Genkan sends it back to the MAC that it came from",
            static c => c.Header.EthernetSource != c.World.Owner(c.Header.Source)?.Mac)
        { TakeAway = Details.WithoutAnswersMac },
        new("source of an error about a packet to the router",
            "RFC 1812 §4.3.2.4 wants an address of the interface that the error leaves by, Linux takes the one that "
            + "was asked",
            static c => c.Header.IsIpv4 && c.World.IsRouters(c.Header.Destination))
        { TakeAway = Details.WithoutErrorsSource },
        new("ECN of an error", "Linux copies the first bit of it as one of the old type of service (RFC 1349)",
            static c => (c.Header.TrafficClass & 2) != 0) { TakeAway = Details.WithoutErrorsEcn },
        new("code of a rejecting route",
            "Genkan says that the network is unreachable, of IPv6 by a rejecting route (RFC 4443 §3.1, code 6); Linux "
            + "says that the host is, of IPv6 that there is no route",
            static c => c.World.RouteOf(c.Header.Destination)?.Target == RouteTarget.Reject)
        { TakeAway = Details.WithoutUnreachableCode },

        new("options of later fragments",
            "RFC 791 §3.1: those that are not copied Linux overwrites by no-operations, Genkan leaves out",
            static c => c.Option != 0 && c.Linux.Length > 1 && c.Linux.Length == c.Genkan.Length),
        new("hop limit before route", "Genkan looks at the hop limit first, Linux at the route",
            static c => c.Header.HopLimit <= 1 && c.GenkanError is (11 or 3, 0)
                && c.Linux.All(static a => JudgedCase.ErrorOf([a]) is (3 or 1, _))),
        new("neighbour unknown",
            "Genkan knows who is there and says at once that the address is not; Linux would after three questions",
            static c => c.GenkanError is (3, 1) or (1, 3) && (c.Linux.IsEmpty || c.LinuxError is (3, 4) or (2, 0))
                && c.World.NetworkOf(c.Header.Destination) is not null && c.World.Owner(c.Header.Destination) is null),
        new("rate of errors", "Linux sends about one a second of these to a host (ip_error), after five",
            static c => c.Linux.IsEmpty && c.GenkanError is (3, 0) && c.Header.IsIpv4),
        new("MTU of a bridge",
            "Linux drops in silence what is longer than its port, with four octets for a tag; Genkan says so or cuts",
            static c => c.Packet.Frame.Length > c.Packet.From.Network.Mtu + EthernetSize && !c.IsToRouter),
        new("pieces for the router", "nobody reassembles (decision 0006): Genkan's router answers no ping in pieces",
            static c => c.Packet.PieceOctets > 0 && c.World.IsRouters(c.Header.Destination)),
        new("errors about later pieces",
            "RFC 4443 §2.4 (e) allows them, and Linux sends one a piece; Genkan speaks of first ones alone",
            static c => c.Header.IsIpv6 && c.Packet.PieceOctets > 0 && c.GenkanError is { } error
                && c.Linux.Length > 1 && c.Linux.All(a => JudgedCase.ErrorOf([a]) == error)),
        new("first pieces that are too small",
            "RFC 1858 §3: without its whole TCP header Genkan drops one; a router need not read it",
            static c => c.Genkan.IsEmpty && c.Header.Protocol == IpProtocol.Tcp
                && c.Packet.PieceOctets is > 0 and < TcpSize),
        new("transport that ends early", "a router does not read it; Genkan drops what it cannot read",
            static c => c.IsToRouter && c.Genkan.IsEmpty && c.Fault != PacketFault.None && c.Header.TransportAt > 0),
        new("malformed extension headers",
            "a router may look no further than hop-by-hop options; Genkan reads them all",
            static c => c.Header.IsIpv6 && c.Genkan.IsEmpty && (c.Header.TransportAt > TransportAtMax
                || c.Fault is PacketFault.BadExtensionHeader or PacketFault.Truncated)),
        new("options of each hop",
            "RFC 8200 §4: a node on the way looks at them only if it is configured to; Linux does, and refuses what it "
            + "does not know",
            static c => c.HasHopByHop && !c.World.IsRouters(c.Header.Destination)
                && c.Linux.All(a => JudgedCase.ErrorOf([a]) is (4, 2) || c.IsGenkans(a))),
        new("padding of options",
            "Linux takes at most seven octets of it (RFC 4942 §2.1.9.5) in what is for itself",
            static c => c.Header.IsIpv6 && c.Linux.IsEmpty && c.World.IsRouters(c.Header.Destination)
                && c.Header.TransportAt > c.Header.NetworkAt + 40),
        new("options that routers fill in",
            "Genkan looks at no IPv4 option; RFC 1812 §5.2.4 lets routers fill in three",
            static c => c.Option is 7 or 68 or 131),
        new("priority tag",
            "IEEE 802.1Q §6.9: it names no VLAN; Linux's bridge passes it on, Genkan takes it off",
            static c => c.Packet.Frame.AsSpan(12, 2).SequenceEqual(Details.TagType) && c.Header.VlanId == 0)
        { TakeAway = Details.WithoutPriorityTag },
        new("802.1Q tag", "Linux's bridge without VLAN filtering does not look at it; Genkan has no port for it",
            static c => c.Genkan.IsEmpty && c.Packet.Frame[12] is 0x81 or 0x88),
        new("martians",
            "Linux routes 0.0.0.0/8, 240.0.0.0/4, 169.254.0.0/16 and ::; Genkan does not (RFC 1812 §5.3.7, RFC 6890, "
            + "RFC 3927 §2.7)",
            static c => c.Genkan.IsEmpty && c.Fault == PacketFault.None
                && (IsMartian(c.Header.Source) || IsMartian(c.Header.Destination))),
        new("IPv6 under the router's own address", "Linux drops it of IPv4 alone, Genkan of both",
            static c => c.Genkan.IsEmpty && c.Header.IsIpv6 && c.World.IsRouters(c.Header.Source)),
        new("header checksum of a known flow",
            "Genkan's programs leave it to the receiver (decision 0010); Linux drops the packet",
            static c => c.Linux.IsEmpty && c.Fault == PacketFault.BadHeaderChecksum && c.IsToRouter),
        new("spanning tree's group", "Linux's bridge passes it on where it runs no spanning tree itself",
            static c => c.Genkan.IsEmpty && c.Header.EthernetDestination.Value == 0x0180_C200_0000),
        new("first address of a network", "Linux takes it for a host; RFC 1812 §4.2.3.1 has it as a broadcast address",
            static c => c.Genkan.IsEmpty && c.LinuxError is (3, 4) or (11, 0)
                && c.World.NetworkOf(c.Header.Destination)?.Gateway4.Prefix.Network == c.Header.Destination),
        new("ping longer than the MTU", "Linux cuts its answer, Genkan gives back what it got",
            static c => c.Header.IsEchoRequest && c.World.IsRouters(c.Header.Destination)
                && c.Header.NetworkLengthOctets > c.Packet.From.Network.Mtu),
        new("Subnet-Router anycast", "Linux answers to it; Genkan does not have it (RFC 4291 §2.6.1)",
            static c => c.Header.IsIpv6
                && c.World.NetworkOf(c.Header.Destination)?.Gateway6.Prefix.Network == c.Header.Destination),
        new("malformed IP on a bridge", "a bridge does not read it; Genkan drops what it cannot read",
            static c => c.Genkan.IsEmpty && c.Fault != PacketFault.None && !c.IsToRouter),
        new("service of the router",
            "Linux resets TCP, tells the time, and answers a ping to all nodes or in a frame to a group; Genkan's "
            + "router has no TCP, not the (optional) timestamp, and is in no group",
            static c => c.Linux.Length > c.Genkan.Length
                && (c.World.IsRouters(c.Header.Destination)
                    ? c.Header.Protocol == IpProtocol.Tcp || (c.Header.IsIcmpv4 && c.Header.IcmpType == 13)
                        || (c.Header.IsEchoRequest && c.Header.EthernetDestination.IsMulticast)
                    : c.Header.Destination.IsMulticast && (c.Header.IsEchoRequest || c.LinuxError is (4, _)))),
        new("pieces of ICMP that is no echo",
            "what else ICMP says is read as one piece (decision 0006): Genkan sends the first one alone on",
            static c => c.Header.IsIcmp && !c.Header.IsEchoRequest && !c.Header.IsEchoReply
                && c.Linux.Length > c.Genkan.Length && c.Genkan.Length > 0),
        new("Routing headers at the router",
            "RFC 8200 §4.4: with segments left, of a type that is not known, Linux refuses them; Genkan walks past "
            + "them",
            static c => c.LinuxError is (4, 0) && c.Header.IsIpv6 && c.World.IsRouters(c.Header.Destination))
        { IsRare = true },
        new("errors about errors",
            "Linux takes each ICMP type but the queries that it knows for an error; RFC 1122 §3.2.2 names five",
            static c => c.Header.IsIcmpv4 && !c.Header.IsIcmpError && c.Linux.IsEmpty && c.GenkanError is not null),
        new("errors to a broadcast address",
            "RFC 1812 §4.3.2.7: none about a packet whose source is no single host; Linux tells the whole network",
            static c => c.World.NetworkOf(c.Header.Source)?.Gateway4.Prefix.Last == c.Header.Source
                && !c.Linux.IsEmpty && c.Linux.All(static a => JudgedCase.ErrorOf([a]) is not null))
        { IsRare = true },
        new("answer to a borrowed source",
            "Linux routes it to whom the source belongs; Genkan sends it to who used it",
            static c => c.World.Owner(c.Header.Source) != c.Packet.From
                && (c.GenkanError is not null || (c.Header.IsEchoRequest && c.World.IsRouters(c.Header.Destination)))
                && (c.Linux.All(static a => JudgedCase.ErrorOf([a]) is not null) || c.Header.IsEchoRequest)),
        new("options that Linux refuses", "Genkan reads no option; Linux drops, or tells of, those that are malformed",
            static c => c.Option != 0 && (c.Linux.IsEmpty || c.LinuxError is (12, _))),
        new("a piece twice, or without its first one",
            "decision 0006: Genkan waits for the first one, and takes each octet once; Linux sends any piece on",
            static c => c.Header.Fragment != FragmentKind.None && c.Genkan.IsEmpty),
        new("ICMP error that quotes nothing",
            "RFC 5508 §4.1: Genkan forwards none that is about no packet it can read",
            static c => c.Header.IsIcmpError && c.Genkan.IsEmpty),
        new("wrong transport checksum",
            "a router does not look at it; Genkan's agent drops the first packet of a flow, and Linux what is for "
            + "itself",
            static c => !Details.HasRightChecksum(c.Header, c.Packet.Frame) && (c.World.IsRouters(c.Header.Destination)
                ? c.Linux.IsEmpty
                : c.Genkan.IsEmpty && c.Turn == 0)),
    ];

    private static bool IsMartian(IpAddress address) =>
        address.IsReserved || address.IsThisNetwork || address.IsUnspecified || address.IsLinkLocal;
}
