using System.Collections.Generic;
using System.Linq;
using Genkan.Control.Model;
using Genkan.Wire;

namespace Genkan.Control.Plan;

/// <summary>Subnets that the outside reaches without translation.</summary>
internal static class RoutedSubnets
{
    /// <summary>
    /// Those behind a router with a way out that lie in a public prefix: all of IPv6, and IPv4 where the router does no
    /// SNAT.
    /// </summary>
    public static IEnumerable<IpPrefix> Of(StatePlan plan, RouterPlan router)
    {
        if (router.Router.ExternalGateway is not { } gateway
            || !plan.ExternalNetworks.TryGetValue(gateway.Network, out ExternalNetwork? outside))
        {
            return [];
        }

        return router.Ports.SelectMany(static port => port.Subnets).Select(static subnet => subnet.Cidr)
            .Where(cidr => cidr.IsIpv6 || !gateway.IsSnatEnabled || gateway.Address is null)
            .Where(cidr => outside.Prefixes.Any(prefix => prefix.Contains(cidr)));
    }
}
