using System.Collections.Generic;
using System.Collections.Immutable;
using System.Linq;
using Genkan.Control.Plan;
using Genkan.Overlay.Topology;
using Genkan.Wire;

namespace Genkan.Control.Translation;

/// <summary>
/// Each external network gets a provider router: the virtual device that stands between tenants and the ISPs.
/// </summary>
internal static class ProviderTranslation
{
    public static void Add(StatePlan plan, PartsBuilder parts)
    {
        foreach (Model.ExternalNetwork network in plan.State.ExternalNetworks)
        {
            ImmutableArray<Uplink> uplinks =
                [.. plan.State.Uplinks.Where(uplink => uplink.ExternalNetwork == network.Name).Select(Translate)];
            ObjectId router = ObjectIds.ProviderRouter(network.Name);
            string name = $"{network.Name} provider router";
            parts.Routers.Add(new Router(router, name, true, [.. Routes(network, uplinks, parts)], [], null, []));
            parts.ExternalNetworks.Add(new ExternalNetwork(
                ObjectIds.ExternalNetwork(network.Name), network.Name, router, network.Prefixes, uplinks));
        }

        foreach (Model.Uplink uplink in plan.State.Uplinks) parts.Ports.Add(UplinkPort(uplink));
    }

    private static List<Route> Routes(Model.ExternalNetwork network, ImmutableArray<Uplink> uplinks, PartsBuilder parts)
    {
        List<Route> routes = parts.ProviderRoutes.GetValueOrDefault(network.Name) ?? [];
        foreach (IpPrefix prefix in network.Prefixes)
        {
            // What the ISP routes to us and nobody has must end here: sent out again it would come back until its TTL
            // is used up.
            // A prefix on the link to the ISP is an exception: the ISP's router is in it.
            if (uplinks.Any(uplink => uplink.Addresses.Any(a => a.Prefix.Overlaps(prefix)))) continue;
            if (routes.Exists(route => route.Destination == prefix)) continue;
            routes.Add(new Route(prefix, RouteTarget.Blackhole, ObjectId.None, Unspecified(prefix), 0));
        }

        routes.Add(new Route(IpPrefix.All4, RouteTarget.FibExit, ObjectId.None, IpAddress.Unspecified4, 0));
        routes.Add(new Route(IpPrefix.All6, RouteTarget.FibExit, ObjectId.None, IpAddress.Unspecified6, 0));
        return routes;
    }

    private static IpAddress Unspecified(IpPrefix prefix) =>
        prefix.IsIpv4 ? IpAddress.Unspecified4 : IpAddress.Unspecified6;

    private static Uplink Translate(Model.Uplink uplink) => new(
        ObjectIds.Uplink(uplink.Name), ObjectIds.Host(uplink.Host), uplink.Interface, uplink.Vlan, uplink.Addresses,
        uplink.Gateways, uplink.Table);

    private static VirtualPort UplinkPort(Model.Uplink uplink)
    {
        ObjectId id = ObjectIds.Uplink(uplink.Name);
        return new VirtualPort(
            id,
            $"uplink {uplink.Name}",
            ObjectIds.ProviderRouter(uplink.ExternalNetwork),
            PortRole.Uplink,
            DerivedMac.OfRouterPort(id),
            uplink.Addresses,
            ObjectId.None,
            new PortBinding(ObjectIds.Host(uplink.Host), uplink.Interface, uplink.Vlan),
            IsAdminUp: true,
            PortSecurity: false,
            AllowedPairs: [],
            FromPort: ObjectId.None,
            ToPort: ObjectId.None);
    }
}
