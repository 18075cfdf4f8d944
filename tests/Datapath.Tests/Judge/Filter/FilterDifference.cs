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
        new("hop limits in a router's own error",
            "Genkan's ingress answers for all routers that it is, with the packet as it came in; of Linux's two routers "
            + "the outer one quotes what the inner one sent on, and its error passes that one again",
            static c => c.GenkanError is not null && !c.Header.IsIcmpError)
        { TakeAway = Details.WithoutErrorsHopLimits },

        new("TCP that opens with neither SYN nor ACK alone",
            "RFC 5382 §4.2: Linux knows the states of TCP and takes it for no connection; Genkan looks at no flags "
            + "before a connection is idle",
            static c => c.Header.Protocol == IpProtocol.Tcp && c.Linux.All(static a => a.Port == "isp0") && c.Genkan.Length == 1
                && c.Header.TcpFlags is not (TcpFlags.Syn or TcpFlags.Ack)),
        new("error about no connection",
            "RFC 5508 §4.2: a floating IP is a mapping that is always there, and a port without rules takes errors "
            + "about anything; connection tracking of Linux calls both invalid and does not translate them",
            static c => c.Header.IsIcmpError && c.Linux.IsEmpty && c.Genkan.Length == 1),
        new("a datagram that is not whole",
            "decision 0006: Linux puts it together before it decides, Genkan lets pass what there is behind its first "
            + "piece",
            static c => c.Linux.IsEmpty && !c.Packet.IsComplete),
        new("public address that nobody stands for",
            "Linux's routers send it to and fro until its hop limit ends; Genkan sees the loop and drops it",
            static c => c.Genkan.IsEmpty && c.LinuxError is (11, 0)
                && JudgedOutside.Prefixes.Any(p => p.Contains(c.Header.Destination))),
        new("error about a datagram in pieces", "Linux quotes the whole that it made of them, Genkan the first one",
            static c => c.Packet.PieceOctets > 0 && c.GenkanError is { } error && c.LinuxError == error),
        new("error with a wrong checksum",
            "RFC 5508 §4.1, REQ-3: Genkan drops it; Linux calls it invalid, and lets it pass where no rule says otherwise",
            static c => c.Header.IsIcmpError && c.Genkan.IsEmpty
                && !c.Header.HasRightIcmpChecksum(c.Packet.Frame)),
        new("to a public address from who has none",
            "RFC 4787 §6, REQ-9a: Genkan refuses what it cannot give a public source; Linux translates the one end, and "
            + "remembers",
            static c => c.GenkanError is (3, 13) && c.LinuxError is null && !IsFromOutside(c)
                && c.World.Outside!.FloatingIpOf(c.Packet.From) is null
                && JudgedOutside.Prefixes.Any(p => p.Contains(c.Header.Destination))),
        new("error to who has no public address",
            "Linux's outer router does not know the way back; Genkan answers where the packet came in",
            static c => c.GenkanError is (11, 0) && c.Header.IsIpv4 && !c.World.Outside!.IsSnatEnabled
                && !IsFromOutside(c) && c.World.Outside!.FloatingIpOf(c.Packet.From) is null),
        new("to nothing of ours",
            "Genkan's gateway drops it before it looks at the hop limit, lest what is out there costs the agent time",
            static c => IsFromOutside(c) && c.Genkan.IsEmpty && c.LinuxError is (11, 0)
                && !JudgedOutside.Prefixes.Any(p => p.Contains(c.Header.Destination))),
        new("hop limit of a NAT return", "Genkan's is higher by the outer router that it does not pass",
            static c => IsFromOutside(c) && c.Header.Destination == c.World.Outside!.Address4
                && c.Header.HopLimit <= 2 && c.LinuxError is (11, 0)),
    ];

    private static bool IsFromOutside(JudgedCase judged) => judged.Packet.From == judged.World.Outside!.Isp;

    private static Difference Named(string name) => Difference.All.First(d => d.Name == name);
}
