using System.Collections.Generic;
using System.Collections.Immutable;
using System.Linq;
using Genkan.Control.Model;
using Genkan.Control.Plan;
using Genkan.Wire;

namespace Genkan.Control.Validation;

/// <summary>External networks and uplinks.</summary>
internal static class OutsideRules
{
    // The kernel's own tables: default, main, local. FIB-EXIT looks up a table that holds nothing but the outside.
    private const uint FirstKernelTable = 253;
    private const uint LastKernelTable = 255;

    public static void Check(StatePlan plan, ErrorList errors)
    {
        ImmutableArray<ExternalNetwork> networks = plan.State.ExternalNetworks;
        errors.Limit("external_networks", networks.Length, ControlLimits.ExternalNetworksMax, "external networks");
        errors.Names(networks, static n => n.Name, i => $"external_networks[{i}].name", "external networks");
        List<(IpPrefix Prefix, string Network)> prefixes = [];
        for (int i = 0; i < networks.Length; i++)
        {
            CheckPrefixes(networks[i], $"external_networks[{i}]", prefixes, errors);
        }

        ImmutableArray<Uplink> uplinks = plan.State.Uplinks;
        errors.Limit("uplinks", uplinks.Length, ControlLimits.UplinksMax, "uplinks");
        errors.Names(uplinks, static u => u.Name, i => $"uplinks[{i}].name", "uplinks");
        for (int i = 0; i < uplinks.Length; i++) CheckUplink(uplinks[i], $"uplinks[{i}]", plan, errors);
    }

    private static void CheckPrefixes(
        ExternalNetwork network, string path, List<(IpPrefix Prefix, string Network)> seen, ErrorList errors)
    {
        errors.Limit($"{path}.prefixes", network.Prefixes.Length, ControlLimits.PrefixesMax, "prefixes");
        for (int i = 0; i < network.Prefixes.Length; i++)
        {
            IpPrefix prefix = network.Prefixes[i];
            string at = $"{path}.prefixes[{i}]";
            IpAddress first = prefix.Address;
            if (prefix.LengthBits == 0 || first.IsMulticast || first.IsLinkLocal || first.IsLoopback
                || first.IsThisNetwork || first.IsReserved)
            {
                errors.Add(
                    at, $"{prefix} is not a unicast prefix that an ISP can route to you", "e.g. 198.51.100.0/24");
                continue;
            }

            foreach ((IpPrefix other, string owner) in seen)
            {
                if (!other.Overlaps(prefix)) continue;
                errors.Add(
                    at,
                    $"{prefix} overlaps {other} of external network '{owner}'",
                    "each public address is in one prefix");
                break;
            }

            seen.Add((prefix, network.Name));
        }
    }

    private static void CheckUplink(Uplink uplink, string path, StatePlan plan, ErrorList errors)
    {
        errors.Reference($"{path}.host", uplink.Host, plan.Hosts.Keys, "host");
        errors.Reference(
            $"{path}.external_network", uplink.ExternalNetwork, plan.ExternalNetworks.Keys, "external network");
        errors.Interface($"{path}.interface", uplink.Interface);
        errors.Vlan($"{path}.vlan", uplink.Vlan);
        if (uplink.Table is 0 or (>= FirstKernelTable and <= LastKernelTable))
        {
            errors.Add(
                $"{path}.table",
                $"routing table {uplink.Table} is the kernel's own",
                $"any other number, such as {Uplink.DefaultTable}: it holds nothing but routes to the outside");
        }

        for (int i = 0; i < uplink.Addresses.Length; i++)
        {
            IpInterface address = uplink.Addresses[i];
            IpAddress ip = address.Address;
            if (ip.IsMulticast || ip.IsUnspecified || ip.IsLoopback || ip.IsBroadcast)
            {
                errors.Add($"{path}.addresses[{i}]", $"{ip} is not a unicast address", "");
            }
            else if (address.LengthBits < 31 && ip.IsIpv4 && !NetworkRules.IsHostAddress(address.Prefix, ip))
            {
                errors.Add(
                    $"{path}.addresses[{i}]", $"{ip} is the network or broadcast address of {address.Prefix}", "");
            }
        }

        CheckGateways(uplink, path, errors);
    }

    private static void CheckGateways(Uplink uplink, string path, ErrorList errors)
    {
        for (int i = 0; i < uplink.Gateways.Length; i++)
        {
            IpAddress gateway = uplink.Gateways[i];
            string at = $"{path}.gateways[{i}]";
            if (uplink.Gateways.Take(i).Any(other => other.IsIpv4 == gateway.IsIpv4))
            {
                errors.Add(
                    at, $"{gateway} is a second gateway of its family", "one each for IPv4 and IPv6; more need BGP");
            }

            if (gateway.IsIpv6 && gateway.IsLinkLocal) continue; // on the link by definition, RFC 4291 §2.5.6
            if (uplink.Addresses.Any(a => a.Address == gateway))
            {
                errors.Add(at, $"{gateway} is this uplink's own address", "the gateway is the ISP's router");
            }
            else if (!uplink.Addresses.Any(a => a.Prefix.Contains(gateway)))
            {
                string own = string.Join(", ", uplink.Addresses.Select(static a => a.ToString()));
                errors.Add(
                    at,
                    $"gateway {gateway} is on no network of uplink '{uplink.Name}'",
                    own.Length == 0 ? "the uplink has no address" : $"its addresses are {own}");
            }
        }
    }
}
