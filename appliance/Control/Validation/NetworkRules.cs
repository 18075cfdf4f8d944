using System;
using System.Collections.Immutable;
using System.Linq;
using Genkan.Control.Model;
using Genkan.Control.Plan;
using Genkan.Wire;
using HostRoute = Genkan.Overlay.Topology.HostRoute;

namespace Genkan.Control.Validation;

/// <summary>Networks and subnets of a tenant.</summary>
internal static class NetworkRules
{
    public static void Check(TenantPlan tenant, string tenantPath, ErrorList errors)
    {
        ImmutableArray<Network> networks = tenant.Tenant.Networks;
        errors.Limit($"{tenantPath}.networks", networks.Length, ControlLimits.NetworksMax, "networks");
        errors.Names(networks, static n => n.Name, i => $"{tenantPath}.networks[{i}].name", "networks");
        for (int i = 0; i < networks.Length; i++)
        {
            Network network = networks[i];
            string path = $"{tenantPath}.networks[{i}]";
            CheckMtu(tenant.State, network, path, errors);
            errors.Limit($"{path}.subnets", network.Subnets.Length, ControlLimits.SubnetsMax, "subnets");
            for (int j = 0; j < network.Subnets.Length; j++) CheckSubnet(network, j, $"{path}.subnets[{j}]", errors);
        }
    }

    private static void CheckMtu(StatePlan plan, Network network, string path, ErrorList errors)
    {
        int mtu = plan.MtuOf(network);
        int least = network.Subnets.Any(static s => s.Cidr.IsIpv6) ? ControlLimits.Ipv6MtuMin : ControlLimits.MtuMin;
        if (mtu < least || mtu > ControlLimits.MtuMax)
        {
            errors.Add(
                $"{path}.mtu",
                $"network '{network.Name}' has an MTU of {mtu}, outside {least} to {ControlLimits.MtuMax}",
                least == ControlLimits.Ipv6MtuMin ? "IPv6 needs 1280 (RFC 8200 §5)" : "IPv4 needs 576 (RFC 791 §3.2)");
            return;
        }

        foreach (Host host in plan.State.Hosts)
        {
            Underlay underlay = host.Underlay;
            if (mtu <= underlay.TenantMtuMax) continue;
            errors.Add(
                $"{path}.mtu",
                $"network '{network.Name}' has an MTU of {mtu}, but the underlay of host '{host.Name}' carries "
                + $"{underlay.Mtu} octets",
                $"VXLAN over {(underlay.Address.IsIpv4 ? "IPv4" : "IPv6")} adds {underlay.OverheadOctets}: "
                + "lower this MTU to "
                + $"{underlay.TenantMtuMax}, or raise the underlay's to {mtu + underlay.OverheadOctets} "
                + $"(hosts.{host.Name}.underlay.mtu and the interface {underlay.Interface})");
            return; // one host is enough to know
        }
    }

    private static void CheckSubnet(Network network, int index, string path, ErrorList errors)
    {
        Subnet subnet = network.Subnets[index];
        IpPrefix cidr = subnet.Cidr;
        if (subnet.Name is not null) errors.Name($"{path}.name", subnet.Name);
        if (network.Subnets.Take(index).Any(other => other.Name is not null && other.Name == subnet.Name))
        {
            errors.Add(
                $"{path}.name",
                $"two subnets of network '{network.Name}' are named '{subnet.Name}'",
                "rename one of them");
        }

        // RFC 1812 §5.3.7: no router forwards what is of network 0 or of 240.0.0.0/4.
        if (cidr.LengthBits == 0 || cidr.Address.IsMulticast || cidr.Address.IsLoopback || cidr.Address.IsLinkLocal
            || cidr.Address.IsThisNetwork || cidr.Address.IsReserved
            || (cidr.IsIpv4 && cidr.LengthBits > 30) || (cidr.IsIpv6 && cidr.LengthBits > 126))
        {
            errors.Add(
                $"{path}.cidr",
                $"{cidr} cannot be a subnet",
                "a unicast range with room for a gateway and a host: IPv4 up to /30, IPv6 best /64");
            return;
        }

        Subnet? overlapped = network.Subnets.Take(index).FirstOrDefault(other => other.Cidr.Overlaps(cidr));
        if (overlapped is not null)
        {
            errors.Add(
                $"{path}.cidr",
                $"{cidr} overlaps subnet {overlapped.DisplayName} ({overlapped.Cidr}) of the same network");
        }

        if (cidr.IsIpv6 && subnet.IsDhcpEnabled && cidr.LengthBits != 64)
        {
            errors.Add(
                $"{path}.cidr",
                $"{cidr} is advertised for autoconfiguration, which needs a /64 (RFC 4862 §5.5.3)",
                "use a /64, or set ra: none");
        }

        CheckGateway(subnet, path, errors);
        CheckServices(subnet, path, errors);
    }

    private static void CheckGateway(Subnet subnet, string path, ErrorList errors)
    {
        if (subnet.GatewayIp is not { } gateway) return;
        if (!subnet.Cidr.Contains(gateway))
        {
            errors.Add(
                $"{path}.gateway",
                $"gateway {gateway} is not in {subnet.Cidr}",
                $"e.g. {subnet.Cidr.Host(1)}, which is the default");
        }
        else if (!IsHostAddress(subnet.Cidr, gateway))
        {
            errors.Add(
                $"{path}.gateway",
                $"{gateway} is the network or broadcast address of {subnet.Cidr}",
                $"e.g. {subnet.Cidr.Host(1)}");
        }
    }

    /// <summary>
    /// Neither the network address (IPv6: subnet-router anycast, RFC 4291 §2.6.1) nor the IPv4 broadcast.
    /// </summary>
    public static bool IsHostAddress(IpPrefix cidr, IpAddress address) =>
        cidr.Contains(address) && address != cidr.Network && (cidr.IsIpv6 || address != cidr.Broadcast);

    private static void CheckServices(Subnet subnet, string path, ErrorList errors)
    {
        CheckServers(subnet, subnet.DnsNameservers, $"{path}.dns", "resolvers", errors);
        CheckServers(subnet, subnet.NtpServers, $"{path}.ntp", "time servers", errors);
        CheckDomain(subnet.Domain, $"{path}.domain", errors);
        if (subnet.Lease < ControlLimits.LeaseMin || subnet.Lease > ControlLimits.LeaseMax)
        {
            errors.Add(
                $"{path}.lease",
                $"a lease of {subnet.Lease.TotalSeconds:0} s is too short or too long",
                "60s to 136 years; a day is usual: 24h");
        }

        errors.Limit($"{path}.host_routes", subnet.HostRoutes.Length, ControlLimits.HostRoutesMax, "host routes");
        for (int i = 0; i < subnet.HostRoutes.Length; i++)
        {
            HostRoute route = subnet.HostRoutes[i];
            if (route.Destination.IsIpv4 != subnet.Cidr.IsIpv4 || !subnet.Cidr.Contains(route.NextHop))
            {
                errors.Add(
                    $"{path}.host_routes[{i}]",
                    $"hosts of {subnet.Cidr} cannot reach the next hop {route.NextHop} of {route.Destination}",
                    $"an address in {subnet.Cidr}, and a destination of the same family");
            }
        }
    }

    private static void CheckServers(
        Subnet subnet, ImmutableArray<IpAddress> servers, string path, string noun, ErrorList errors)
    {
        errors.Limit(path, servers.Length, ControlLimits.DnsNameserversMax, noun);
        for (int i = 0; i < servers.Length; i++)
        {
            IpAddress server = servers[i];
            if (server.IsIpv4 == subnet.Cidr.IsIpv4 && !server.IsUnspecified && !server.IsMulticast) continue;
            errors.Add(
                $"{path}[{i}]",
                $"{server} cannot be told to hosts of {subnet.Cidr}",
                subnet.Cidr.IsIpv4
                    ? "DHCPv4 carries IPv4 unicast addresses"
                    : "RDNSS and DHCPv6 carry IPv6 unicast addresses");
        }
    }

    // RFC 1035 §2.3.1 and §2.3.4, with the digits that RFC 1123 §2.1 allows in front.
    private static void CheckDomain(string domain, string path, ErrorList errors)
    {
        if (domain.Length == 0) return;
        string[] labels = domain.Split('.');
        bool isGood = domain.Length <= ControlLimits.DomainLengthMax && Array.TrueForAll(labels, static label =>
            label.Length is >= 1 and <= 63 && label[0] != '-' && label[^1] != '-'
            && label.All(static c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_'));
        if (!isGood) errors.Add(path, $"'{domain}' is not a domain name", "e.g. red.example, without a dot at the end");
    }
}
