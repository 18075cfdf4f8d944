using System;
using System.Collections.Generic;
using System.Collections.Immutable;
using System.Linq;
using Genkan.Control.Model;
using Genkan.Control.Plan;
using Genkan.Overlay.Topology;
using Genkan.Wire;
using ExternalNetwork = Genkan.Control.Model.ExternalNetwork;
using Router = Genkan.Control.Model.Router;
using Subnet = Genkan.Control.Model.Subnet;
using Uplink = Genkan.Control.Model.Uplink;

namespace Genkan.Control.Validation;

/// <summary>Routers: what they join, their way out, their SNAT blocks and static routes.</summary>
internal static class RouterRules
{
    public static void Check(TenantPlan tenant, string tenantPath, ErrorList errors)
    {
        ImmutableArray<Router> routers = tenant.Tenant.Routers;
        errors.Limit($"{tenantPath}.routers", routers.Length, ControlLimits.NetworksMax, "routers");
        errors.Names(routers, static r => r.Name, i => $"{tenantPath}.routers[{i}].name", "routers");
        Dictionary<(string Network, IpAddress Address), string> taken = [];
        for (int i = 0; i < routers.Length; i++)
        {
            string path = $"{tenantPath}.routers[{i}]";
            CheckInterfaces(tenant, routers[i], path, taken, errors);
            if (routers[i].ExternalGateway is { } gateway)
            {
                CheckGateway(tenant.State, gateway, $"{path}.external_gateway", errors);
            }
            CheckRoutes(tenant.Routers[i], path, errors);
        }
    }

    private static void CheckInterfaces(
        TenantPlan tenant, Router router, string path, Dictionary<(string, IpAddress), string> taken, ErrorList errors)
    {
        List<SubnetPlace> joined = [];
        for (int i = 0; i < router.Interfaces.Length; i++)
        {
            RouterInterface attachment = router.Interfaces[i];
            string at = $"{path}.interfaces[{i}]";
            ImmutableArray<SubnetPlace> places = tenant.FindSubnets(attachment.Subnet);
            if (!CheckReference(tenant, attachment, places, at, errors)) continue;
            foreach (SubnetPlace place in places)
            {
                CheckAddress(router, attachment, place, at, taken, errors);
                SubnetPlace other = joined.Find(j => j.Subnet.Cidr.Overlaps(place.Subnet.Cidr));
                if (other.Subnet is not null)
                {
                    errors.Add(
                        at,
                        $"router '{router.Name}' would join {place.Subnet.Cidr} of network '{place.Network.Name}' "
                        + "and the "
                        + $"overlapping {other.Subnet.Cidr} of '{other.Network.Name}'",
                        "a router cannot tell overlapping subnets apart: use another range or another router");
                }

                joined.Add(place);
            }
        }

        int networks = joined.Select(static j => j.Network.Name).Distinct().Count();
        errors.Limit($"{path}.interfaces", networks, ControlLimits.RouterInterfacesMax, "networks on one router");
    }

    private static bool CheckReference(
        TenantPlan tenant, RouterInterface attachment, ImmutableArray<SubnetPlace> places, string at, ErrorList errors)
    {
        if (places.IsEmpty)
        {
            string hint = tenant.Networks.ContainsKey(attachment.Subnet)
                ? "that network has no subnet with a gateway"
                : Suggestion.Hint(attachment.Subnet, tenant.SubnetNames, "subnets");
            errors.Add(at, $"there is no subnet '{attachment.Subnet}'", hint);
            return false;
        }

        if (places.Select(static p => p.Network.Name).Distinct().Count() > 1)
        {
            errors.Add(
                at,
                $"'{attachment.Subnet}' is a subnet of several networks",
                $"write {string.Join(" or ", places.Select(p => $"{p.Network.Name}/{attachment.Subnet}"))}");
            return false;
        }

        if (attachment.Address is not null && places.Length > 1)
        {
            errors.Add(
                at, $"an address needs one subnet; '{attachment.Subnet}' has {places.Length}", "name the subnet");
            return false;
        }

        return true;
    }

    private static void CheckAddress(
        Router router, RouterInterface attachment, SubnetPlace place, string at,
        Dictionary<(string, IpAddress), string> taken, ErrorList errors)
    {
        if ((attachment.Address ?? place.Subnet.Gateway) is not { } address)
        {
            errors.Add(
                at,
                $"subnet {place.Subnet.DisplayName} has no gateway address that the router could take",
                "give it a gateway, or the interface an address");
            return;
        }

        if (attachment.Address is not null && !NetworkRules.IsHostAddress(place.Subnet.Cidr, address))
        {
            errors.Add($"{at}.address", $"{address} is not a host address of {place.Subnet.Cidr}", "");
        }

        if (!taken.TryAdd((place.Network.Name, address), router.Name))
        {
            errors.Add(
                at,
                $"router '{taken[(place.Network.Name, address)]}' already has the address {address} on network "
                + $"'{place.Network.Name}'",
                "a second router on a network needs an address of its own: { subnet: …, address: … }");
        }
    }

    private static void CheckGateway(StatePlan plan, ExternalGateway gateway, string path, ErrorList errors)
    {
        if (!errors.Reference($"{path}.network", gateway.Network, plan.ExternalNetworks.Keys, "external network"))
        {
            return;
        }
        ExternalNetwork network = plan.ExternalNetworks[gateway.Network];
        if (gateway.Address is { } address)
        {
            PublicAddressRules.CheckInside($"{path}.address", address, network, errors);
            if (!address.IsIpv4)
            {
                errors.Add(
                    $"{path}.address", $"{address} is IPv6, which is routed without translation", "an IPv4 address");
            }
            foreach (Uplink uplink in plan.State.Uplinks.Where(u => u.Addresses.Any(a => a.Address == address)))
            {
                errors.Add(
                    $"{path}.address",
                    $"{address} is the own address of uplink '{uplink.Name}'",
                    "another address of the prefix");
            }
        }
        else if (gateway.IsSnatEnabled && !gateway.SnatBlocks.IsEmpty)
        {
            errors.Add(
                path, "snat_blocks without an address to translate to", "address: an address of the external network");
        }

        if (!gateway.IsSnatEnabled && !gateway.SnatBlocks.IsEmpty)
        {
            errors.Add($"{path}.snat_blocks", "snat_blocks although snat is off", "remove one of them");
        }

        CheckBlocks(plan, gateway, $"{path}.snat_blocks", errors);
    }

    private static void CheckBlocks(StatePlan plan, ExternalGateway gateway, string path, ErrorList errors)
    {
        for (int i = 0; i < gateway.SnatBlocks.Length; i++)
        {
            SnatBlock block = gateway.SnatBlocks[i];
            string at = $"{path}.{block.Host}";
            errors.Reference(at, block.Host, plan.Hosts.Keys, "host");
            if (block.FirstPort > block.LastPort)
            {
                errors.Add(
                    at,
                    $"{block.FirstPort}-{block.LastPort} ends before it begins",
                    $"{block.LastPort}-{block.FirstPort}?");
                continue;
            }

            if (block.FirstPort < ControlLimits.SnatPortMin)
            {
                errors.Add(
                    at, $"ports below {ControlLimits.SnatPortMin} are not for translation", "begin at 1024 or later");
            }

            const int Granule = ControlLimits.SnatGranule;
            if (block.FirstPort % Granule != 0 || (block.LastPort + 1) % Granule != 0)
            {
                int first = Math.Max(ControlLimits.SnatPortMin, block.FirstPort / Granule * Granule);
                int last = ((block.LastPort / Granule) + 1) * Granule - 1;
                errors.Add(
                    at,
                    $"{block.FirstPort}-{block.LastPort} is not made of whole granules of {Granule} ports",
                    $"e.g. {first}-{last}");
            }

            SnatBlock? other = gateway.SnatBlocks.Take(i)
                .FirstOrDefault(o => o.FirstPort <= block.LastPort && block.FirstPort <= o.LastPort);
            if (other is not null)
            {
                errors.Add(
                    at,
                    $"{block.FirstPort}-{block.LastPort} overlaps {other.FirstPort}-{other.LastPort} of host "
                    + $"'{other.Host}'",
                    "each port of the address belongs to one host");
            }
        }
    }

    private static void CheckRoutes(RouterPlan router, string path, ErrorList errors)
    {
        ImmutableArray<StaticRoute> routes = router.Router.Routes;
        errors.Limit($"{path}.routes", routes.Length, ControlLimits.StaticRoutesMax, "static routes");
        IEnumerable<Subnet> subnets = router.Ports.SelectMany(static p => p.Subnets);
        for (int i = 0; i < routes.Length; i++)
        {
            if (routes[i].Target != RouteTarget.Port) continue;
            if (routes[i].NextHop is not { } nextHop || nextHop.IsIpv4 != routes[i].Destination.IsIpv4)
            {
                errors.Add(
                    $"{path}.routes[{i}]",
                    $"route {routes[i].Destination} has no next hop of its family",
                    "next_hop: an address");
            }
            else if (router.Ports.Any(p => p.Addresses.Any(a => a.Address == nextHop)))
            {
                errors.Add(
                    $"{path}.routes[{i}].next_hop",
                    $"{nextHop} is the router's own address",
                    "the next hop is another router");
            }
            else if (!subnets.Any(s => s.Cidr.Contains(nextHop)))
            {
                errors.Add(
                    $"{path}.routes[{i}].next_hop",
                    $"next hop {nextHop} is on no subnet of router '{router.Router.Name}'",
                    $"its subnets: {string.Join(", ", subnets.Select(static s => s.Cidr.ToString()))}");
            }
        }
    }
}
