using System.Collections.Generic;
using System.Collections.Immutable;
using System.Linq;
using Genkan.Control.Model;
using Genkan.Control.Plan;
using Genkan.Overlay.Topology;
using Genkan.Wire;
using Network = Genkan.Control.Model.Network;
using Subnet = Genkan.Control.Model.Subnet;

namespace Genkan.Control.Validation;

/// <summary>Ports: network, MAC, addresses, groups, allowed address pairs.</summary>
internal static class PortRules
{
    public static void Check(TenantPlan tenant, string tenantPath, ErrorList errors)
    {
        ImmutableArray<Port> ports = tenant.Tenant.Ports;
        errors.Limit($"{tenantPath}.ports", ports.Length, ControlLimits.PortsMax, "ports");
        errors.Names(ports, static p => p.Name, i => $"{tenantPath}.ports[{i}].name", "ports");
        for (int i = 0; i < ports.Length; i++)
        {
            string path = $"{tenantPath}.ports[{i}]";
            errors.Reference($"{path}.network", ports[i].Network, tenant.Networks.Keys, "network");
            CheckMac($"{path}.mac", ports[i].Mac, errors);
            CheckSecurity(tenant, ports[i], path, errors);
        }

        Dictionary<(string Network, IpAddress Address), string> addresses = [];
        Dictionary<(string Network, MacAddress Mac), string> macs = [];
        foreach (RouterPortPlan port in tenant.Routers.SelectMany(static r => r.Ports))
        {
            string owner = $"router '{port.RouterName}'";
            macs.TryAdd((port.Network.Name, port.Mac), owner);
            foreach (IpInterface address in port.Addresses)
            {
                addresses.TryAdd((port.Network.Name, address.Address), owner);
            }
        }

        foreach (PortPlan port in tenant.Ports)
        {
            CheckAddresses(port, $"{tenantPath}.ports[{port.Index}]", addresses, macs, errors);
        }
    }

    private static void CheckMac(string path, MacAddress? mac, ErrorList errors)
    {
        if (mac is not { } value || (!value.IsMulticast && !value.IsZero)) return;
        string fixedUp = new MacAddress((value.Value & ~0x0100_0000_0000UL) | 0x0200_0000_0000).ToString();
        errors.Add(
            path,
            value.IsZero ? $"{value} is no address" : $"{value} is a group address: its first octet is odd",
            $"an interface needs a unicast MAC, e.g. {fixedUp}");
    }

    private static void CheckSecurity(TenantPlan tenant, Port port, string path, ErrorList errors)
    {
        ImmutableArray<string> groups = port.SecurityGroups ?? [];
        errors.Limit(
            $"{path}.security_groups", groups.Length, ControlLimits.SecurityGroupsPerPortMax,
            "security groups on one port");
        for (int i = 0; i < groups.Length; i++)
        {
            errors.Reference($"{path}.security_groups[{i}]", groups[i], tenant.SecurityGroups.Keys, "security group");
            if (groups.Take(i).Contains(groups[i]))
            {
                errors.Add($"{path}.security_groups[{i}]", $"'{groups[i]}' is named twice");
            }
        }

        if (!port.IsPortSecurityEnabled && (groups.Length > 0 || port.AllowedAddressPairs.Length > 0))
        {
            errors.Add(
                $"{path}.port_security",
                $"port '{port.Name}' has security groups or allowed address pairs, but port security is off",
                "without port security everything is allowed: remove them, or port_security: false");
        }

        errors.Limit(
            $"{path}.allowed_address_pairs",
            port.AllowedAddressPairs.Length,
            TopologyLimits.AllowedPairsMax - ControlLimits.AddressesMax - ControlLimits.SubnetsMax,
            "allowed address pairs");
        for (int i = 0; i < port.AllowedAddressPairs.Length; i++)
        {
            AllowedAddressPair pair = port.AllowedAddressPairs[i];
            CheckMac($"{path}.allowed_address_pairs[{i}].mac", pair.Mac, errors);
            if (pair.Prefix.Address.IsMulticast)
            {
                errors.Add(
                    $"{path}.allowed_address_pairs[{i}].address",
                    $"{pair.Prefix} is multicast: nothing is sent from there");
            }
        }
    }

    private static void CheckAddresses(
        PortPlan plan, string path, Dictionary<(string, IpAddress), string> addresses,
        Dictionary<(string, MacAddress), string> macs, ErrorList errors)
    {
        Port port = plan.Port;
        Network network = plan.Network;
        string owner = $"port '{port.Name}'";
        if (!macs.TryAdd((network.Name, plan.Mac), owner))
        {
            errors.Add(
                port.Mac is null ? path : $"{path}.mac",
                $"{plan.Mac} is the MAC of {macs[(network.Name, plan.Mac)]} on network '{network.Name}' too",
                "give each port its own");
        }

        ImmutableArray<IpAddress> asked = port.Addresses ?? [];
        errors.Limit($"{path}.addresses", asked.Length, ControlLimits.AddressesMax, "addresses on one port");
        for (int i = 0; i < asked.Length; i++) CheckAsked(plan, asked[i], $"{path}.addresses[{i}]", errors);
        if (port.Addresses is null && network.Subnets.Any(static s => s.Cidr.IsIpv4)
            && !plan.Addresses.Any(static a => a.Address.IsIpv4))
        {
            errors.Add(
                path,
                $"port '{port.Name}' finds no free address: {network.Subnets.First(static s => s.Cidr.IsIpv4).Cidr} "
                + "is full",
                "remove ports, or add a larger subnet and name an address of it");
        }

        foreach (IpInterface address in plan.Addresses)
        {
            if (addresses.TryAdd((network.Name, address.Address), owner)) continue;
            int at = asked.IndexOf(address.Address);
            errors.Add(
                at < 0 ? path : $"{path}.addresses[{at}]",
                $"{address.Address} is the address of {addresses[(network.Name, address.Address)]} on network "
                + $"'{network.Name}' too",
                at < 0 ? "it follows from the MAC: give each port its own" : "choose another, or leave addresses out");
        }
    }

    private static void CheckAsked(PortPlan plan, IpAddress address, string path, ErrorList errors)
    {
        Network network = plan.Network;
        Subnet? subnet = network.Subnets.FirstOrDefault(s => s.Cidr.Contains(address));
        if (subnet is null)
        {
            string ranges = string.Join(", ", network.Subnets.Select(static s => s.Cidr.ToString()));
            errors.Add(
                path,
                $"port '{plan.Port.Name}': {address} is in no subnet of network '{network.Name}'",
                ranges.Length == 0 ? "the network has no subnet" : $"its subnets: {ranges}");
        }
        else if (!NetworkRules.IsHostAddress(subnet.Cidr, address))
        {
            errors.Add(path, $"{address} is the network or broadcast address of {subnet.Cidr}", "choose another");
        }
        else if (address == subnet.Gateway)
        {
            errors.Add(path, $"{address} is the gateway of {subnet.Cidr}", "choose another");
        }
    }
}
