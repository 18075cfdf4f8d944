using System.Collections.Immutable;
using System.Linq;
using Genkan.Overlay.Topology;
using Genkan.Wire;

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
    public string Name => $"vm{Number}";
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
    public string Tenant => TenantOf(Seed);

    public static string TenantOf(int seed) => $"w{seed}";

    /// <summary>Whether an address is one of the router's.</summary>
    public bool IsRouters(IpAddress address) =>
        Networks.Any(n => n.Gateway4.Address == address || n.Gateway6.Address == address);

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
    ]);
}
