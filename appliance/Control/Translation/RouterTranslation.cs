using System.Collections.Generic;
using System.Collections.Immutable;
using System.Linq;
using Genkan.Control.Model;
using Genkan.Control.Plan;
using Genkan.Overlay.Topology;
using Genkan.Wire;
using FloatingIp = Genkan.Overlay.Topology.FloatingIp;
using PortForward = Genkan.Overlay.Topology.PortForward;
using Router = Genkan.Overlay.Topology.Router;

namespace Genkan.Control.Translation;

/// <summary>A tenant's router: linked to its bridges and to the provider router by pairs of interior ports.</summary>
internal static class RouterTranslation
{
    /// <summary>
    /// The provider router's IPv4 address towards tenants: link-local, so it needs no public one (RFC 3927 §2.7).
    /// </summary>
    private static readonly IpInterface ProviderAddress = IpInterface.Parse("169.254.0.1/32");

    public static void Add(TenantPlan tenant, RouterPlan plan, PartsBuilder parts)
    {
        ObjectId id = ObjectIds.Router(plan.FullName);
        List<Route> routes = [];
        foreach (RouterPortPlan port in plan.Ports)
        {
            ObjectId portId = AddLinkToBridge(tenant, plan, id, port, parts);
            routes.AddRange(port.Subnets.Select(subnet => Connected(subnet.Cidr, portId)));
        }

        foreach (StaticRoute route in plan.Router.Routes) routes.Add(Translate(plan, route));
        ImmutableArray<FloatingIp> floatingIps = [];
        ImmutableArray<PortForward> forwards = [];
        SourceNat? sourceNat = null;
        if (plan.Router.ExternalGateway is { } gateway)
        {
            ObjectId external = AddLinkToProvider(plan, id, gateway, routes, parts);
            floatingIps = FloatingIps(tenant, plan, gateway, external);
            forwards = PortForwards(tenant, plan, gateway, external);
            sourceNat = Translate(tenant.State, plan, gateway, external);
            AddProviderRoutes(tenant.State, plan, gateway, floatingIps, forwards, parts);
        }

        parts.Routers.Add(new Router(
            id, plan.FullName, plan.Router.IsAdminUp, [.. routes], floatingIps, sourceNat, forwards));
    }

    private static Route Connected(IpPrefix cidr, ObjectId port) =>
        new(cidr, RouteTarget.Port, port, Unspecified(cidr), 0);

    private static IpAddress Unspecified(IpPrefix prefix) =>
        prefix.IsIpv4 ? IpAddress.Unspecified4 : IpAddress.Unspecified6;

    private static ObjectId AddLinkToBridge(
        TenantPlan tenant, RouterPlan plan, ObjectId router, RouterPortPlan port, PartsBuilder parts)
    {
        string network = port.Network.Name;
        ObjectId inside = ObjectIds.RouterPort(plan.FullName, network);
        ObjectId bridgeSide = ObjectIds.NetworkPort(plan.FullName, network);
        parts.Ports.Add(Interior(inside, $"{plan.FullName}:{network}", router, port.Mac, port.Addresses, bridgeSide));
        parts.Ports.Add(Interior(
            bridgeSide, $"{tenant.FullName(network)}:{plan.Router.Name}", ObjectIds.Network(tenant.FullName(network)),
            default, [], inside));
        return inside;
    }

    private static ObjectId AddLinkToProvider(
        RouterPlan plan, ObjectId router, ExternalGateway gateway, List<Route> routes, PartsBuilder parts)
    {
        ObjectId external = ObjectIds.ExternalPort(plan.FullName);
        ObjectId provider = ObjectIds.ProviderPort(plan.FullName);
        MacAddress externalMac = DerivedMac.OfRouterPort(external);
        MacAddress providerMac = DerivedMac.OfRouterPort(provider);
        IpInterface linkLocal = new(IpAddress.LinkLocalOf(externalMac), 64);
        IpInterface providerLinkLocal = new(IpAddress.LinkLocalOf(providerMac), 64);
        ImmutableArray<IpInterface> addresses =
            gateway.Address is { } address ? [new IpInterface(address, 32), linkLocal] : [linkLocal];
        parts.Ports.Add(
            Interior(external, $"{plan.FullName}:{gateway.Network}", router, externalMac, addresses, provider));
        parts.Ports.Add(Interior(
            provider, $"{gateway.Network}:{plan.FullName}", ObjectIds.ProviderRouter(gateway.Network), providerMac,
            [ProviderAddress, providerLinkLocal], external));
        routes.Add(new Route(IpPrefix.All4, RouteTarget.Port, external, ProviderAddress.Address, 0));
        routes.Add(new Route(IpPrefix.All6, RouteTarget.Port, external, providerLinkLocal.Address, 0));
        return external;
    }

    private static VirtualPort Interior(
        ObjectId id, string name, ObjectId device, MacAddress mac, ImmutableArray<IpInterface> addresses,
        ObjectId peer) => new(
        id, name, device, PortRole.Interior, mac, addresses, peer,
        Binding: null, IsAdminUp: true, PortSecurity: false, AllowedPairs: [], FromPort: ObjectId.None,
        ToPort: ObjectId.None);

    private static Route Translate(RouterPlan plan, StaticRoute route)
    {
        IpAddress nextHop = route.NextHop ?? Unspecified(route.Destination);
        RouterPortPlan? port = route.Target != RouteTarget.Port
            ? null
            : plan.Ports.First(p => p.Subnets.Any(s => s.Cidr.Contains(nextHop)));
        ObjectId portId = port is null ? ObjectId.None : ObjectIds.RouterPort(plan.FullName, port.Network.Name);
        return new Route(route.Destination, route.Target, portId, nextHop, 0);
    }

    private static ImmutableArray<FloatingIp> FloatingIps(
        TenantPlan tenant, RouterPlan plan, ExternalGateway gateway, ObjectId external) =>
        [.. tenant.Tenant.FloatingIps
            .Select(ip => (Ip: ip, Port: tenant.PortsByName[ip.Port]))
            .Where(pair => IsBehind(tenant, plan, gateway, pair.Port, pair.Ip.Address))
            .Select(pair => new FloatingIp(
                ObjectIds.FloatingIp(pair.Ip.Address),
                pair.Ip.Address,
                pair.Port.FixedIp(pair.Ip.FixedIp)!.Value,
                external))];

    private static ImmutableArray<PortForward> PortForwards(
        TenantPlan tenant, RouterPlan plan, ExternalGateway gateway, ObjectId external) =>
        [.. tenant.Tenant.PortForwards
            .Select(forward => (Forward: forward, Port: tenant.PortsByName[forward.Port]))
            .Where(pair => IsBehind(tenant, plan, gateway, pair.Port, pair.Forward.Address))
            .Select(pair => new PortForward(
                ObjectIds.PortForward(
                    $"{pair.Forward.Address}:{(int)pair.Forward.Protocol}:{pair.Forward.ExternalPort}"),
                pair.Forward.Address, pair.Forward.Protocol, pair.Forward.ExternalPort,
                pair.Port.FixedIp(pair.Forward.FixedIp)!.Value, pair.Forward.InternalPort, external))];

    private static bool IsBehind(
        TenantPlan tenant, RouterPlan plan, ExternalGateway gateway, PortPlan port, IpAddress address) =>
        tenant.State.ExternalNetworkOf(address)?.Name == gateway.Network
        && ReferenceEquals(tenant.FindRouter(port.Network, gateway.Network), plan);

    private static SourceNat? Translate(StatePlan state, RouterPlan plan, ExternalGateway gateway, ObjectId external)
    {
        ImmutableArray<SnatBlock> blocks = SnatShares.Of(state, gateway);
        return blocks.IsEmpty || gateway.Address is not { } address
            ? null
            : new SourceNat(
                ObjectIds.SourceNat(plan.FullName),
                external,
                [.. blocks.Select(b => new NatBlockLease(address, b.FirstPort, b.LastPort, ObjectIds.Host(b.Host)))]);
    }

    private static void AddProviderRoutes(
        StatePlan state, RouterPlan plan, ExternalGateway gateway, ImmutableArray<FloatingIp> floatingIps,
        ImmutableArray<PortForward> forwards, PartsBuilder parts)
    {
        ObjectId provider = ObjectIds.ProviderPort(plan.FullName);
        IpAddress linkLocal = IpAddress.LinkLocalOf(DerivedMac.OfRouterPort(ObjectIds.ExternalPort(plan.FullName)));
        IEnumerable<IpAddress> addresses =
            floatingIps.Select(static ip => ip.Address).Concat(forwards.Select(static f => f.Address));
        if (gateway.Address is { } own) addresses = addresses.Append(own);
        foreach (IpAddress address in addresses.Distinct()) Add(new IpPrefix(address, address.FamilyBits));
        foreach (IpPrefix prefix in RoutedSubnets.Of(state, plan)) Add(prefix);

        void Add(IpPrefix destination)
        {
            IpAddress nextHop = destination.IsIpv6 ? linkLocal : gateway.Address ?? IpAddress.Unspecified4;
            parts.AddProviderRoute(gateway.Network, new Route(destination, RouteTarget.Port, provider, nextHop, 0));
        }
    }
}
