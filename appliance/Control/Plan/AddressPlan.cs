using System;
using System.Collections.Generic;
using System.Collections.Immutable;
using System.Linq;
using Genkan.Control.Model;
using Genkan.Wire;

namespace Genkan.Control.Plan;

/// <summary>
/// Gives every port its MAC and addresses. Addresses that are asked for come first; then each port without gets the
/// first free
/// one, in the order of the state, so that a port added at the end moves nobody.
/// </summary>
internal static class AddressPlan
{
    public static ImmutableArray<PortPlan> Allot(TenantPlan tenant)
    {
        Dictionary<string, Use> uses = new(StringComparer.Ordinal);
        foreach (string name in tenant.Networks.Keys) uses[name] = new Use();
        foreach (RouterPortPlan port in tenant.Routers.SelectMany(static router => router.Ports))
        {
            uses[port.Network.Name].Addresses.UnionWith(port.Addresses.Select(static a => a.Address));
        }

        foreach (Port port in tenant.Tenant.Ports)
        {
            if (!tenant.Networks.TryGetValue(port.Network, out Network? network)) continue;
            if (port.Addresses is { } addresses) uses[network.Name].Addresses.UnionWith(addresses);
        }

        ImmutableArray<PortPlan>.Builder plans = ImmutableArray.CreateBuilder<PortPlan>();
        for (int i = 0; i < tenant.Tenant.Ports.Length; i++)
        {
            Port port = tenant.Tenant.Ports[i];
            if (!tenant.Networks.TryGetValue(port.Network, out Network? network)) continue;
            string fullName = tenant.FullName(port.Name);
            MacAddress mac = port.Mac ?? DerivedMac.OfPort(ObjectIds.Port(fullName));
            plans.Add(
                new PortPlan(port, i, fullName, network, mac, AddressesOf(port, network, mac, uses[network.Name])));
        }

        return plans.ToImmutable();
    }

    private static ImmutableArray<IpInterface> AddressesOf(Port port, Network network, MacAddress mac, Use use)
    {
        ImmutableArray<IpInterface>.Builder addresses = ImmutableArray.CreateBuilder<IpInterface>();
        foreach (IpAddress address in port.Addresses ?? [])
        {
            Subnet? subnet = network.Subnets.FirstOrDefault(s => s.Cidr.Contains(address));
            if (subnet is not null) addresses.Add(new IpInterface(address, subnet.Cidr.LengthBits));
        }

        if (port.Addresses is { IsEmpty: true }) return [];
        if (port.Addresses is null && network.Subnets.FirstOrDefault(static s => s.Cidr.IsIpv4) is { } ipv4
            && FirstFree(ipv4, use) is { } free)
        {
            use.Addresses.Add(free);
            addresses.Add(new IpInterface(free, ipv4.Cidr.LengthBits));
        }

        foreach (Subnet subnet in network.Subnets)
        {
            // The VM forms this address by itself, whether or not another was asked for: RFC 4862 §5.5.3.
            if (subnet.Cidr.IsIpv4 || subnet.Cidr.LengthBits != 64 || !subnet.IsDhcpEnabled) continue;
            IpAddress address = subnet.Cidr.Eui64(mac);
            if (addresses.Any(a => a.Address == address)) continue;
            use.Addresses.Add(address);
            addresses.Add(new IpInterface(address, 64));
        }

        return addresses.ToImmutable();
    }

    private static IpAddress? FirstFree(Subnet subnet, Use use)
    {
        if (subnet.Cidr.LengthBits > 30) return null;
        uint last = subnet.Cidr.Last.ToIpv4() - 1; // below the broadcast address
        uint first = Math.Max(subnet.Cidr.Address.ToIpv4() + 1, use.NextIpv4);
        for (uint candidate = first; candidate <= last; candidate++)
        {
            IpAddress address = IpAddress.FromIpv4(candidate);
            if (address == subnet.Gateway || use.Addresses.Contains(address)) continue;
            use.NextIpv4 = candidate + 1;
            return address;
        }

        return null;
    }

    // Addresses of a network that are taken, and where the search for the next free one goes on.
    private sealed class Use
    {
        public HashSet<IpAddress> Addresses { get; } = [];

        public uint NextIpv4 { get; set; }
    }
}
