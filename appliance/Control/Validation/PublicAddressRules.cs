using System.Collections.Generic;
using System.Collections.Immutable;
using System.Linq;
using Genkan.Control.Model;
using Genkan.Control.Plan;
using Genkan.Wire;
using ExternalNetwork = Genkan.Control.Model.ExternalNetwork;
using FloatingIp = Genkan.Control.Model.FloatingIp;
using PortForward = Genkan.Control.Model.PortForward;
using Uplink = Genkan.Control.Model.Uplink;

namespace Genkan.Control.Validation;

/// <summary>Floating IPs, port forwards and routed subnets: every public address has one owner.</summary>
internal static class PublicAddressRules
{
    public static void Check(TenantPlan tenant, string tenantPath, ErrorList errors)
    {
        ImmutableArray<FloatingIp> floatingIps = tenant.Tenant.FloatingIps;
        errors.Limit($"{tenantPath}.floating_ips", floatingIps.Length, ControlLimits.FloatingIpsMax, "floating IPs");
        for (int i = 0; i < floatingIps.Length; i++)
        {
            FloatingIp ip = floatingIps[i];
            string path = $"{tenantPath}.floating_ips[{i}]";
            CheckTarget(tenant, path, ip.Address, ip.Network, ip.Port, ip.FixedIp, errors);
            CheckAlone(tenant, i, path, errors);
        }

        ImmutableArray<PortForward> forwards = tenant.Tenant.PortForwards;
        errors.Limit($"{tenantPath}.port_forwards", forwards.Length, ControlLimits.FloatingIpsMax, "port forwards");
        for (int i = 0; i < forwards.Length; i++)
        {
            PortForward forward = forwards[i];
            string path = $"{tenantPath}.port_forwards[{i}]";
            CheckTarget(tenant, path, forward.Address, null, forward.Port, forward.FixedIp, errors);
            if (forward.Protocol is not (IpProtocol.Tcp or IpProtocol.Udp))
            {
                errors.Add($"{path}.protocol", $"{forward.Protocol} has no ports to forward", "tcp or udp");
            }
            else
            {
                CheckWayBack(tenant, i, path, errors);
            }

            if (forward.ExternalPort == 0) errors.Add($"{path}.external_port", "port 0 does not exist", "1 to 65535");
            if (forward.InternalPort == 0) errors.Add($"{path}.internal_port", "port 0 does not exist", "1 to 65535");
        }
    }

    // A router would have to choose which of two public addresses an answer leaves with. Routers to two external
    // networks need not.
    private static void CheckAlone(TenantPlan tenant, int index, string path, ErrorList errors)
    {
        FloatingIp ip = tenant.Tenant.FloatingIps[index];
        if (FixedIp(tenant, ip.Port, ip.FixedIp) is not { } fixedIp) return;
        string? outside = tenant.State.ExternalNetworkOf(ip.Address)?.Name;
        FloatingIp? other = tenant.Tenant.FloatingIps.Take(index).FirstOrDefault(f => f.Port == ip.Port
            && f.Address != ip.Address && FixedIp(tenant, f.Port, f.FixedIp) == fixedIp
            && tenant.State.ExternalNetworkOf(f.Address)?.Name == outside);
        if (other is null) return;
        errors.Add(
            $"{path}.port",
            $"port '{ip.Port}' has floating IP {other.Address} already",
            "one floating IP for each address");
    }

    // What answers a connection says only which of the VM's addresses and ports it comes from: one public address and
    // port may stand for those, else it would leave under another than was asked (Neutron refuses both as well).
    private static void CheckWayBack(TenantPlan tenant, int index, string path, ErrorList errors)
    {
        PortForward forward = tenant.Tenant.PortForwards[index];
        if (FixedIp(tenant, forward.Port, forward.FixedIp) is not { } fixedIp) return;
        FloatingIp? floating = tenant.Tenant.FloatingIps.FirstOrDefault(
            f => f.Port == forward.Port && FixedIp(tenant, f.Port, f.FixedIp) == fixedIp);
        if (floating is not null)
        {
            errors.Add(
                $"{path}.port",
                $"port '{forward.Port}' has floating IP {floating.Address} already",
                $"{floating.Address} reaches all its ports already: remove the forward, or the floating IP if only "
                + "single ports shall be open");
        }

        PortForward? other = tenant.Tenant.PortForwards.Take(index).FirstOrDefault(f => f.Port == forward.Port
            && f.InternalPort == forward.InternalPort && f.Protocol == forward.Protocol
            && FixedIp(tenant, f.Port, f.FixedIp) == fixedIp
            && (f.Address != forward.Address || f.ExternalPort != forward.ExternalPort));
        if (other is null) return;
        string protocol = forward.Protocol == IpProtocol.Tcp ? "tcp" : "udp";
        errors.Add(
            $"{path}.internal_port",
            $"{protocol} port {forward.InternalPort} of port '{forward.Port}' is reached as "
            + $"{other.Address}:{other.ExternalPort} already",
            "remove this forward, or have the VM listen on another port too");
    }

    // Null: told elsewhere.
    private static IpAddress? FixedIp(TenantPlan tenant, string port, IpAddress? asked) =>
        tenant.PortsByName.TryGetValue(port, out PortPlan? plan) ? plan.FixedIp(asked) : null;

    /// <summary>A public address must be one that the ISP routes to us.</summary>
    public static void CheckInside(string path, IpAddress address, ExternalNetwork network, ErrorList errors)
    {
        if (network.Prefixes.Any(p => p.Contains(address))) return;
        errors.Add(
            path,
            $"{address} is in no prefix of external network '{network.Name}'",
            $"its prefixes: {string.Join(", ", network.Prefixes.Select(static p => p.ToString()))}");
    }

    private static void CheckTarget(
        TenantPlan tenant, string path, IpAddress address, string? network, string port, IpAddress? fixedIp,
        ErrorList errors)
    {
        StatePlan plan = tenant.State;
        ExternalNetwork? outside = plan.ExternalNetworkOf(address);
        if (network is not null
            && errors.Reference($"{path}.network", network, plan.ExternalNetworks.Keys, "external network"))
        {
            CheckInside($"{path}.address", address, plan.ExternalNetworks[network], errors);
        }
        else if (outside is null)
        {
            string known = string.Join(
                ", ", plan.State.ExternalNetworks.SelectMany(static n => n.Prefixes).Select(static p => p.ToString()));
            errors.Add(
                $"{path}.address",
                $"{address} is in no external network",
                known.Length == 0 ? "there is no external network" : $"public prefixes: {known}");
        }

        if (!address.IsIpv4)
        {
            errors.Add($"{path}.address", $"{address} is IPv6, which is routed without translation", "an IPv4 address");
        }
        if (!errors.Reference($"{path}.port", port, tenant.PortsByName.Keys, "port")) return;
        PortPlan target = tenant.PortsByName[port];
        if (fixedIp is not null && !target.Addresses.Any(a => a.Address == fixedIp))
        {
            errors.Add(
                $"{path}.fixed_ip",
                $"{fixedIp} is not an address of port '{port}'",
                $"it has {string.Join(", ", target.Addresses.Select(static a => a.Address.ToString()))}");
        }
        else if (fixedIp is { IsIpv4: false })
        {
            errors.Add(
                $"{path}.fixed_ip", $"{fixedIp} is IPv6, which is routed without translation", "an IPv4 address");
        }
        else if (!target.Addresses.Any(static a => a.Address.IsIpv4)
            // an address that does not fit is told elsewhere
            && target.Port.Addresses?.Any(static a => a.IsIpv4) != true)
        {
            errors.Add($"{path}.port", $"port '{port}' has no IPv4 address to translate to");
        }

        if (outside is not null && tenant.FindRouter(target.Network, outside.Name) is null)
        {
            errors.Add(
                $"{path}.port",
                $"no router leads from network '{target.Network.Name}' to external network '{outside.Name}'",
                "a router with an interface on that network and external_gateway: { network: … }");
        }
    }

    /// <summary>Each public address, and each public port, belongs to one.</summary>
    public static void CheckAcrossTenants(StatePlan plan, ErrorList errors)
    {
        Dictionary<IpAddress, string> owners = [];
        foreach (Uplink uplink in plan.State.Uplinks)
        {
            foreach (IpInterface address in uplink.Addresses) owners.TryAdd(address.Address, $"uplink '{uplink.Name}'");
        }

        Dictionary<IpAddress, (string Router, ImmutableArray<SnatBlock> Blocks)> translated = [];
        foreach (TenantPlan tenant in plan.Tenants)
        {
            string path = $"tenants.{tenant.Tenant.Name}";
            foreach (RouterPlan router in tenant.Routers)
            {
                if (router.Router.ExternalGateway is not { Address: { } address } gateway) continue;
                translated.TryAdd(address, (router.FullName, SnatShares.Of(plan, gateway)));
                string at = $"{path}.routers[{router.Index}].external_gateway.address";
                if (plan.State.Uplinks.Any(u => u.Addresses.Any(a => a.Address == address))) continue; // told elsewhere
                Own(owners, at, address, $"router '{router.FullName}'", errors);
            }

            for (int i = 0; i < tenant.Tenant.FloatingIps.Length; i++)
            {
                FloatingIp ip = tenant.Tenant.FloatingIps[i];
                Own(
                    owners,
                    $"{path}.floating_ips[{i}].address",
                    ip.Address,
                    $"floating IP of port '{tenant.FullName(ip.Port)}'",
                    errors);
            }
        }

        CheckForwards(plan, owners, translated, errors);
        CheckRoutedSubnets(plan, owners, errors);
    }

    private static void Own(
        Dictionary<IpAddress, string> owners, string path, IpAddress address, string owner, ErrorList errors)
    {
        if (owners.TryAdd(address, owner)) return;
        errors.Add(path, $"{address} belongs to {owners[address]} already", "each public address has one owner");
    }

    private static void CheckForwards(
        StatePlan plan, Dictionary<IpAddress, string> owners,
        Dictionary<IpAddress, (string Router, ImmutableArray<SnatBlock> Blocks)> translated, ErrorList errors)
    {
        Dictionary<(IpAddress, IpProtocol, ushort), string> taken = [];
        foreach (TenantPlan tenant in plan.Tenants)
        {
            for (int i = 0; i < tenant.Tenant.PortForwards.Length; i++)
            {
                PortForward forward = tenant.Tenant.PortForwards[i];
                string path = $"tenants.{tenant.Tenant.Name}.port_forwards[{i}]";
                if (!taken.TryAdd((forward.Address, forward.Protocol, forward.ExternalPort), path))
                {
                    errors.Add(
                        $"{path}.external_port",
                        $"{forward.Address} port {forward.ExternalPort} is forwarded already",
                        "another port or address");
                }

                string? router = RouterOf(tenant, forward);
                if (translated.TryGetValue(forward.Address, out (string Router, ImmutableArray<SnatBlock> Blocks) snat)
                    && snat.Router == router)
                {
                    SnatBlock? block = snat.Blocks.FirstOrDefault(
                        b => forward.ExternalPort >= b.FirstPort && forward.ExternalPort <= b.LastPort);
                    if (block is null) continue;
                    errors.Add(
                        $"{path}.external_port",
                        $"port {forward.ExternalPort} of {forward.Address} is in the SNAT block "
                        + $"{block.FirstPort}-{block.LastPort} of host '{block.Host}'",
                        "a port outside all blocks, or smaller snat_blocks");
                }
                else
                {
                    string owner = $"port forwards of router '{router}'";
                    if (owners.TryGetValue(forward.Address, out string? first) && first == owner) continue;
                    Own(owners, $"{path}.address", forward.Address, owner, errors);
                }
            }
        }
    }

    private static string? RouterOf(TenantPlan tenant, PortForward forward) =>
        tenant.PortsByName.TryGetValue(forward.Port, out PortPlan? port)
        && tenant.State.ExternalNetworkOf(forward.Address) is { } outside
            ? tenant.FindRouter(port.Network, outside.Name)?.FullName
            : null;

    private static void CheckRoutedSubnets(StatePlan plan, Dictionary<IpAddress, string> owners, ErrorList errors)
    {
        List<(IpPrefix Prefix, string Router)> routed = [];
        foreach (TenantPlan tenant in plan.Tenants)
        {
            foreach (RouterPlan router in tenant.Routers)
            {
                string path = $"tenants.{tenant.Tenant.Name}.routers[{router.Index}].interfaces";
                foreach (IpPrefix prefix in RoutedSubnets.Of(plan, router))
                {
                    (IpPrefix other, string owner) = routed.Find(r => r.Prefix.Overlaps(prefix));
                    if (owner is not null)
                    {
                        errors.Add(
                            path,
                            $"{prefix} is public and overlaps {other} of router '{owner}'",
                            "each public address has one owner");
                    }

                    foreach ((IpAddress address, string holder) in owners)
                    {
                        if (prefix.Contains(address))
                        {
                            errors.Add(
                                path, $"{prefix} is public and holds {address} of {holder}", "use another range");
                        }
                    }

                    routed.Add((prefix, router.FullName));
                }
            }
        }
    }
}
