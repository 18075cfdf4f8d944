using System;
using System.Linq;
using Genkan.Overlay.Flows;
using Genkan.Overlay.Topology;
using Genkan.Wire;
using Genkan.Wire.NeighborDiscovery;

namespace Genkan.Overlay.Simulation.Answers;

/// <summary>Router advertisements of a bridge (RFC 4861 §6.2, RFC 4191, RFC 8106).</summary>
internal static class RouterAdvertisementAnswer
{
    // RFC 4861 §6.2.1: AdvDefaultLifetime 1800 s, AdvValidLifetime 30 days, AdvPreferredLifetime 7 days. The
    // default route gets the longest lifetime that the field holds, which RFC 8319 §4 allows: it shall outlast an agent
    // that is away.
    private static readonly TimeSpan DefaultLifetime = TimeSpan.FromSeconds(ushort.MaxValue);
    private static readonly TimeSpan ValidLifetime = TimeSpan.FromDays(30);
    private static readonly TimeSpan PreferredLifetime = TimeSpan.FromDays(7);
    private static readonly IpAddress AllNodes = IpAddress.Parse("ff02::1");
    private static readonly MacAddress AllNodesMac = MacAddress.Parse("33:33:00:00:00:01");

    /// <summary>Answers a router solicitation.</summary>
    /// <param name="bridge">The bridge that it was sent on.</param>
    /// <param name="port">The port that sent it.</param>
    /// <param name="routerMac">The router's MAC on this bridge.</param>
    /// <param name="routerLinkLocal">Its link-local address: source of the advertisement (RFC 4861 §4.2).</param>
    /// <param name="packet">The solicitation.</param>
    /// <param name="frame">Its octets.</param>
    /// <param name="result">Filled.</param>
    /// <returns>False if no IPv6 subnet of the bridge is announced.</returns>
    public static bool TryAnswer(
        Bridge bridge,
        VirtualPort port,
        MacAddress routerMac,
        IpAddress routerLinkLocal,
        in PacketHeader packet,
        ReadOnlySpan<byte> frame,
        SimulationResult result)
    {
        Subnet[] subnets = Announced(bridge);
        if (subnets.Length == 0) return false;

        result.IsCacheable = false;
        if (!RouterSolicitation.TryDecode(frame, packet, out _))
        {
            result.Verdict = SimulationVerdict.Drop;
            result.DropReason = DropReason.Malformed;
            return true;
        }

        // §6.2.6: to the asker, or to all nodes if it has no address yet; only this port hears it either way.
        bool toAll = packet.Source.IsUnspecified;
        result.AnswerLength = Advertisement(bridge, subnets, routerMac).Write(
            result.AnswerBuffer,
            routerMac,
            toAll ? AllNodesMac : port.Mac,
            routerLinkLocal,
            toAll ? AllNodes : packet.Source);
        result.AnswerEgress = new Egress(EgressKind.Port, port.Id);
        result.Verdict = SimulationVerdict.Answer;
        result.Trace?.Add(
            new TraceStep(bridge.Name, $"router advertisement: {string.Join(", ", subnets.Select(s => s.Prefix))}"));
        return true;
    }

    /// <summary>Writes the unsolicited advertisement to all nodes (§6.2.4).</summary>
    /// <param name="bridge">The bridge that it is about.</param>
    /// <param name="result">Its answer is filled, nothing else.</param>
    /// <returns>False if no IPv6 subnet of the bridge is announced.</returns>
    public static bool TryAdvertise(BridgeNode bridge, SimulationResult result)
    {
        Subnet[] subnets = Announced(bridge.Model);
        if (subnets.Length == 0) return false;
        (MacAddress mac, IpAddress linkLocal) = Walk.RouterOf(bridge);
        result.AnswerLength = Advertisement(bridge.Model, subnets, mac).Write(
            result.AnswerBuffer, mac, AllNodesMac, linkLocal, AllNodes);
        return true;
    }

    private static Subnet[] Announced(Bridge bridge) =>
        [.. bridge.Subnets.Where(s => s.IsDhcpEnabled && s.Prefix.IsIpv6)];

    private static RouterAdvertisement Advertisement(Bridge bridge, Subnet[] subnets, MacAddress routerMac) => new()
    {
        HasOtherConfiguration =
            subnets.Any(s => s.Dns.Any(a => a.IsIpv6) || s.Ntp.Any(a => a.IsIpv6) || s.Domain.Length > 0),
        RouterLifetime = subnets.Any(s => !s.Gateway.IsUnspecified) ? DefaultLifetime : TimeSpan.Zero,
        SourceLinkLayer = routerMac,
        MtuOctets = bridge.Mtu,
        Prefixes =
        [
            .. subnets.Select(s => new PrefixInformation(
                s.Prefix, IsOnLink: true, IsAutonomous: s.Prefix.LengthBits == 64, ValidLifetime, PreferredLifetime)),
        ],
        Routes =
        [
            .. subnets.SelectMany(s => s.HostRoutes).Where(r => r.Destination.IsIpv6)
                .Select(r => new RouteInformation(r.Destination, RouterPreference.Medium, DefaultLifetime)),
        ],
        DnsServers = [.. subnets.SelectMany(s => s.Dns).Where(a => a.IsIpv6).Distinct()],
        DnsSearch = [.. subnets.Select(s => s.Domain).Where(d => d.Length > 0).Distinct(StringComparer.Ordinal)],
        DnsLifetime = DefaultLifetime,
    };
}
