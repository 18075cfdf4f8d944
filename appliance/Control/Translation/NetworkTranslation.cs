using System.Collections.Immutable;
using System.Linq;
using Genkan.Control.Model;
using Genkan.Control.Plan;
using Genkan.Overlay.Topology;
using Genkan.Wire;
using Network = Genkan.Control.Model.Network;
using PortBinding = Genkan.Overlay.Topology.PortBinding;
using Subnet = Genkan.Control.Model.Subnet;

namespace Genkan.Control.Translation;

/// <summary>Networks become bridges, their ports exterior ports.</summary>
internal static class NetworkTranslation
{
    public static void Add(TenantPlan tenant, PartsBuilder parts)
    {
        foreach (Network network in tenant.Networks.Values)
        {
            string fullName = tenant.FullName(network.Name);
            parts.Bridges.Add(new Bridge(
                ObjectIds.Network(fullName),
                fullName,
                tenant.State.MtuOf(network),
                network.IsAdminUp,
                [.. network.Subnets.Select(subnet => Translate(tenant, network, subnet))]));
        }

        foreach (PortPlan port in tenant.Ports) parts.Ports.Add(Translate(tenant, port, parts));
    }

    private static Overlay.Topology.Subnet Translate(TenantPlan tenant, Network network, Subnet subnet)
    {
        IpAddress none = subnet.Cidr.IsIpv4 ? IpAddress.Unspecified4 : IpAddress.Unspecified6;
        return new Overlay.Topology.Subnet(
            subnet.Cidr,
            subnet.Gateway ?? none,
            subnet.Gateway ?? DhcpServer(tenant, network, subnet),
            subnet.IsDhcpEnabled,
            subnet.DnsNameservers,
            subnet.Domain,
            subnet.NtpServers,
            subnet.HostRoutes,
            (uint)subnet.Lease.TotalSeconds);
    }

    // DHCP needs a server identifier even where there is no gateway: the highest address that no port has.
    private static IpAddress DhcpServer(TenantPlan tenant, Network network, Subnet subnet)
    {
        if (subnet.Cidr.IsIpv6) return IpAddress.Unspecified6;
        uint candidate = subnet.Cidr.Broadcast.ToIpv4() - 1;
        while (candidate > subnet.Cidr.Network.ToIpv4() && IsTaken(IpAddress.FromIpv4(candidate))) candidate--;
        return IpAddress.FromIpv4(candidate);

        bool IsTaken(IpAddress address) => tenant.Ports.Any(port =>
            port.Network.Name == network.Name && port.Addresses.Any(a => a.Address == address));
    }

    private static VirtualPort Translate(TenantPlan tenant, PortPlan plan, PartsBuilder parts)
    {
        Port port = plan.Port;
        return new VirtualPort(
            plan.Id,
            plan.FullName,
            ObjectIds.Network(tenant.FullName(plan.Network.Name)),
            PortRole.Exterior,
            plan.Mac,
            plan.Addresses,
            ObjectId.None,
            port.Binding is { } binding
                ? new PortBinding(ObjectIds.Host(binding.Host), binding.Interface, binding.Vlan)
                : null,
            port.IsAdminUp,
            port.IsPortSecurityEnabled,
            AllowedPairs(plan),
            FromPort: SecurityGroupTranslation.PortChain(tenant, plan, Direction.Egress, parts),
            ToPort: SecurityGroupTranslation.PortChain(tenant, plan, Direction.Ingress, parts));
    }

    private static ImmutableArray<AddressPair> AllowedPairs(PortPlan plan)
    {
        ImmutableArray<AddressPair>.Builder pairs = ImmutableArray.CreateBuilder<AddressPair>();
        foreach (IpInterface address in plan.Addresses) pairs.Add(Pair(plan.Mac, address.Address));

        // RFC 4862 §5.3: every IPv6 host has a link-local address of its MAC, and speaks ND from it.
        if (plan.Addresses.Any(static a => a.Address.IsIpv6))
        {
            pairs.Add(Pair(plan.Mac, IpAddress.LinkLocalOf(plan.Mac)));
        }
        foreach (AllowedAddressPair pair in plan.Port.AllowedAddressPairs)
        {
            pairs.Add(new AddressPair(pair.Mac ?? plan.Mac, pair.Prefix));
        }

        return [.. pairs.Distinct()];
    }

    private static AddressPair Pair(MacAddress mac, IpAddress address) =>
        new(mac, new IpPrefix(address, address.FamilyBits));
}
