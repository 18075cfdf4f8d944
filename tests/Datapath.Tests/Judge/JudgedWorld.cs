using System.Collections.Generic;
using System.Collections.Immutable;
using System.Linq;
using Genkan.Control.Model;
using Genkan.Overlay.Topology;
using Genkan.Wire;
using PortForward = Genkan.Control.Model.PortForward;

namespace Genkan.Datapath.Tests.Judge;

/// <summary>A network of a world that Linux can be as well: a bridge, and the router's address in it.</summary>
/// <param name="Tenant">Whose network it is: each world has a tenant of its own.</param>
/// <param name="Number">From 1 on.</param>
/// <param name="Mtu">Octets of an IP packet, of the network and of each interface in it.</param>
/// <param name="Gateway4">The router's address and prefix.</param>
/// <param name="Gateway6">As for IPv4.</param>
internal sealed record JudgedNetwork(
    string Tenant, int Number, int Mtu, IpInterface Gateway4, IpInterface Gateway6)
{
    /// <summary>The router's MAC in it, which Genkan derives; set when it becomes this world.</summary>
    public MacAddress GatewayMac { get; set; }

    public string Name => $"net-{Number}";

    public string BridgeName => $"br{Number}";
}

/// <summary>A VM: an interface, and what the network knows of it.</summary>
internal sealed record JudgedPort(
    int Number, JudgedNetwork Network, MacAddress Mac, IpAddress Address4, IpAddress Address6)
{
    public string Name { get; init; } = $"vm{Number}";

    /// <summary>Its security groups; none: it has neither groups nor port security.</summary>
    public ImmutableArray<string> Groups { get; init; } = [];

    public bool IsSecured => !Groups.IsEmpty;
}

/// <summary>What lies beyond a second router, which the first one's way out leads to: the outside.</summary>
/// <param name="Isp">All that is out there, behind one interface; its network is the link.</param>
/// <param name="Address4">The router's public address.</param>
/// <param name="IsSnatEnabled">Whether it stands for all who have no floating IP.</param>
/// <param name="FloatingIps">Public addresses that are VMs'.</param>
/// <param name="Forwards">Public ports that are VMs'.</param>
internal sealed record JudgedOutside(
    JudgedPort Isp,
    IpAddress Address4,
    bool IsSnatEnabled,
    ImmutableArray<(IpAddress Address, JudgedPort Port)> FloatingIps,
    ImmutableArray<(PortForward Forward, JudgedPort Port)> Forwards)
{
    /// <summary>What is ours out there, of both families.</summary>
    public static readonly ImmutableArray<IpPrefix> Prefixes =
        [IpPrefix.Parse("198.51.100.0/24"), IpPrefix.Parse("2001:db8::/32")];

    /// <summary>The lowest port of source NAT; those below may be forwarded.</summary>
    public const ushort NatPortMin = 1_024;

    public IpAddress? FloatingIpOf(JudgedPort port) => FloatingIps.Where(f => f.Port == port)
        .Select(static f => (IpAddress?)f.Address).FirstOrDefault();
}

/// <summary>A static route of the router; <paramref name="NextHop"/> is the VM that it leads to, if any.</summary>
internal sealed record JudgedRoute(IpPrefix Destination, RouteTarget Target, JudgedPort? NextHop)
{
    /// <summary>The VM's address of the route's family; null if it leads to none.</summary>
    public IpAddress? Gateway => Destination.IsIpv4 ? NextHop?.Address4 : NextHop?.Address6;
}

/// <summary>Bridges, VMs and one router, as both sides are made of them.</summary>
internal sealed record JudgedWorld(
    int Seed,
    ImmutableArray<JudgedNetwork> Networks,
    ImmutableArray<JudgedPort> Ports,
    ImmutableArray<JudgedRoute> Routes)
{
    /// <summary>The tenant's security groups.</summary>
    public ImmutableArray<SecurityGroup> Groups { get; init; } = [];

    /// <summary>The outside, or null.</summary>
    public JudgedOutside? Outside { get; init; }

    /// <summary>The VMs and the outside.</summary>
    public IEnumerable<JudgedPort> AllPorts => Outside is null ? Ports : Ports.Append(Outside.Isp);

    /// <summary>Each world has an uplink of its own: connections that came by it are of the world before.</summary>
    public string UplinkName => $"isp-{Seed}";

    public string Tenant => TenantOf(Seed);

    public static string TenantOf(int seed) => $"w{seed}";

    /// <summary>Whether an address is one of the router's.</summary>
    public bool IsRouters(IpAddress address) =>
        Networks.Any(n => n.Gateway4.Address == address || n.Gateway6.Address == address)
            || Outside?.Address4 == address;

    /// <summary>The VM that has an address, or null.</summary>
    public JudgedPort? Owner(IpAddress address) =>
        Ports.FirstOrDefault(p => p.Address4 == address || p.Address6 == address);

    /// <summary>The network that an address is of, or null.</summary>
    public JudgedNetwork? NetworkOf(IpAddress address) => Networks.FirstOrDefault(
        n => n.Gateway4.Prefix.Contains(address) || n.Gateway6.Prefix.Contains(address));

    /// <summary>The longest static route that an address takes, or null.</summary>
    public JudgedRoute? RouteOf(IpAddress address) => NetworkOf(address) is not null
        ? null
        : Routes.Where(r => r.Destination.Contains(address)).MaxBy(static r => r.Destination.LengthBits);

    public override string ToString() => string.Join('\n',
    [
        .. Networks.Select(n => $"  {n.Name}: MTU {n.Mtu}, router {n.Gateway4} {n.Gateway6}"),
        .. Ports.Select(p => $"  {p.Name} in {p.Network.Name}: {p.Mac} {p.Address4} {p.Address6}"),
        .. Routes.Select(r => $"  route {r.Destination}: {r.Target} {r.NextHop?.Name}"),
        .. Ports.Where(p => p.IsSecured).Select(p => $"  {p.Name} is in {string.Join(' ', p.Groups)}"),
        .. Groups.Where(static g => g.DefaultEgress == true).Select(static g => $"  {g.Name}: everything may leave"),
        .. Groups.SelectMany(static g => g.Rules.Select(r => $"  {g.Name}: {TextOf(r)}")),
        .. OutsideLines,
    ]);

    private IEnumerable<string> OutsideLines => Outside is null
        ? []
        :
        [
            $"  outside: {Outside.Isp.Network.Gateway4} {Outside.Isp.Network.Gateway6}, {Outside.Isp.Mac}",
            $"  router {Outside.Address4}{(Outside.IsSnatEnabled ? " with source NAT" : "")}",
            .. Outside.FloatingIps.Select(f => $"  {f.Address} is {f.Port.Name}"),
            .. Outside.Forwards.Select(f => $"  {f.Forward.Address} {f.Forward.Protocol} {f.Forward.ExternalPort} is "
                + $"{f.Port.Name} {f.Forward.InternalPort}"),
        ];

    private static string TextOf(SecurityGroupRule rule) => $"{rule.Direction} {rule.Family} {rule.Protocol} "
        + $"{rule.PortRangeMin}-{rule.PortRangeMax} {rule.IcmpType}/{rule.IcmpCode} {rule.RemoteIpPrefix} "
        + rule.RemoteGroup;
}
