using System.Collections.Immutable;
using System.Linq;
using Genkan.Wire;

namespace Genkan.Datapath.Tests.Judge.Filter;

/// <summary>Where connection tracking and nftables rightly differ from Genkan.</summary>
internal static class FilterDifference
{
    /// <summary>Those that any packet may meet.</summary>
    public static readonly ImmutableArray<Difference> All =
    [
        Named("identity of a router's own message"),
        Named("pieces for the router"),
        new("hops of a NAT return",
            "Genkan's gateway gives what comes back to a source NAT's port to the port's host at once, past the outer "
            + "router",
            static c => IsFromOutside(c) && c.Header.Destination == c.World.Outside!.Address4)
        { TakeAway = Details.WithoutHopLimit },
        new("source of an error about a public address",
            "Linux translates the router's own error back as if it were of who was asked; Genkan's router speaks for "
            + "itself (RFC 1812 §4.3.2.4)",
            static c => c.Header.IsIpv4 && c.GenkanError is not null
                && JudgedOutside.Prefixes.Any(p => p.Contains(c.Header.Destination)))
        { TakeAway = Details.WithoutErrorsSource },
        new("source of an error over a link without addresses",
            "RFC 4443 §2.2: any of the router's addresses that is good out there, each takes its own choice",
            static c => IsFromOutside(c) && c.Header.IsIpv6 && c.GenkanError is not null)
        { TakeAway = Details.WithoutErrorsSource },
        new("hop limits in a router's own error",
            "Genkan's ingress answers for all routers that it is, with the packet as it came in; of Linux's two "
            + "the outer one quotes what the inner one sent on, and its error passes that one again",
            static c => c.GenkanError is not null && !c.Header.IsIcmpError)
        { TakeAway = Details.WithoutErrorsHopLimits },

        new("TCP that opens with neither SYN nor ACK alone",
            "RFC 5382 §4.2: Linux knows the states of TCP and takes it for no connection; Genkan looks at no flags "
            + "before a connection is idle",
            static c => c.Header.Protocol == IpProtocol.Tcp && (c.Linux.IsEmpty || c.LinuxError is (11, 0))
                && c.Header.TcpFlags is not (TcpFlags.Syn or TcpFlags.Ack)),
        new("a datagram that is not whole",
            "decision 0006: Linux puts it together before it decides, Genkan lets pass what there is behind its "
            + "first piece",
            static c => !c.Packet.IsComplete && (c.Linux.IsEmpty || c.Genkan.IsEmpty)),
        new("public address that nobody stands for",
            "Linux's routers send it to and fro until its hop limit ends; Genkan sees the loop and drops it",
            static c => IsUnclaimed(c) && (c.Genkan.IsEmpty || c.GenkanError is (11, 0))
                && (c.Linux.IsEmpty || c.LinuxError is (11, 0))),
        new("hop limit of what is refused",
            "Genkan's programs know that the flow is refused, and look no further",
            static c => c.Genkan.IsEmpty && c.Header.HopLimit <= 2
                && c.LinuxError == (c.Header.IsIpv4 ? ((byte)11, (byte)0) : ((byte)3, (byte)0))),
        new("error about a datagram in pieces",
            "Linux's inner router quotes the whole that it made of them, its outer one speaks of each (RFC 4443 §2.4 "
            + "allows it); Genkan speaks of the first one",
            static c => c.Packet.PieceOctets > 0 && c.GenkanError is { } error && !c.Linux.IsEmpty
                && c.Linux.All(a => JudgedCase.ErrorOf([a]) == error)),
        new("error with a wrong checksum",
            "RFC 5508 §4.1, REQ-3: Genkan drops it; Linux calls it invalid, and lets it pass where no rule says "
            + "otherwise",
            static c => c.Header.IsIcmpError && c.Genkan.IsEmpty
                && !c.Header.HasRightIcmpChecksum(c.Packet.Frame)),
        new("to a public address from who has none",
            "RFC 4787 §6, REQ-9a: Genkan refuses what it cannot give a public source; Linux translates the one end, "
            + "and remembers",
            static c => c.GenkanError is (3, 13) && !IsFromOutside(c)
                && c.World.Outside!.FloatingIpOf(c.Packet.From) is null
                && JudgedOutside.Prefixes.Any(p => p.Contains(c.Header.Destination))),
        new("hop limit of a NAT return", "Genkan's is higher by the outer router that it does not pass",
            static c => IsFromOutside(c) && c.Header.Destination == c.World.Outside!.Address4
                && c.Header.HopLimit <= 2 && c.LinuxError is (11, 0)),
    ];

    private static bool IsFromOutside(JudgedCase judged) => judged.Packet.From == judged.World.Outside!.Isp;

    private static bool IsUnclaimed(JudgedCase judged)
    {
        JudgedOutside outside = judged.World.Outside!;
        PacketHeader p = judged.Header;
        return p.IsIpv4 && JudgedOutside.Prefixes.Any(prefix => prefix.Contains(p.Destination))
            && p.Destination != outside.Address4
            && outside.FloatingIps.All(f => f.Address != p.Destination)
            && outside.Forwards.All(f => f.Forward.Address != p.Destination || f.Forward.Protocol != p.Protocol
                || f.Forward.ExternalPort != p.DestinationPort);
    }

    private static Difference Named(string name) => Difference.All.First(d => d.Name == name);
}
