using System.Collections.Immutable;
using Genkan.Control.Model;
using Genkan.Overlay.Topology;
using Genkan.Wire;
using ExternalGateway = Genkan.Control.Model.ExternalGateway;
using FloatingIp = Genkan.Control.Model.FloatingIp;
using PortForward = Genkan.Control.Model.PortForward;
using Router = Genkan.Control.Model.Router;

namespace Genkan.Host.Configuration;

/// <summary>
/// Reads one tenant: routers, ports, public addresses. Networks and security groups have readers of their own.
/// </summary>
internal static class TenantReader
{
    public static Tenant? Read(string name, FileCursor cursor)
    {
        if (cursor.Map("a tenant") is not { } map) return null;
        Tenant tenant = new()
        {
            Name = name,
            Networks = map.ListOf("networks", NetworkReader.Read),
            Routers = map.ListOf("routers", ReadRouter),
            SecurityGroups = map.ListOf("security_groups", SecurityGroupReader.Read),
            Ports = map.ListOf("ports", ReadPort),
            FloatingIps = map.ListOf("floating_ips", ReadFloatingIp),
            PortForwards = map.ListOf("port_forwards", ReadPortForward),
        };
        map.Close();
        return tenant;
    }

    private static Router? ReadRouter(FileCursor cursor)
    {
        if (cursor.Map("a router") is not { } map) return null;
        string? name = map.RequireText("name", "name: …");
        bool isUp = map.Find("admin_state_up")?.Boolean() ?? true;
        ImmutableArray<RouterInterface> interfaces = map.ListOf("interfaces", ReadInterface);
        ExternalGateway? gateway = map.Find("external_gateway") is { } found ? ReadGateway(found) : null;
        ImmutableArray<StaticRoute> routes = map.ListOf("routes", ReadRoute);
        map.Close();
        return name is null
            ? null
            : new Router
            {
                Name = name,
                IsAdminUp = isUp,
                Interfaces = interfaces,
                ExternalGateway = gateway,
                Routes = routes,
            };
    }

    private static RouterInterface? ReadInterface(FileCursor cursor)
    {
        if (cursor.IsScalar) return cursor.Text() is { } text ? new RouterInterface(text) : null;
        if (cursor.Map("an interface") is not { } map) return null;
        string? subnet = map.RequireText("subnet", "the name of a subnet, or network/subnet");
        IpAddress? address = map.Find("address")?.Address();
        map.Close();
        return subnet is null ? null : new RouterInterface(subnet, address);
    }

    private static ExternalGateway? ReadGateway(FileCursor cursor)
    {
        if (cursor.Map("an external gateway") is not { } map) return null;
        string? network = map.RequireText("network", "the name of an external network");
        IpAddress? address = map.Find("address")?.Address();
        bool isSnatEnabled = map.Find("snat")?.Boolean() ?? true;
        ImmutableArray<SnatBlock>.Builder blocks = ImmutableArray.CreateBuilder<SnatBlock>();
        foreach ((YamlScalar host, FileCursor value) in map.Find("snat_blocks")?.Entries() ?? [])
        {
            if (value.PortRange() is { } range) blocks.Add(new SnatBlock(host.Text, range.First, range.Last));
            else value.Reading.IsIncomplete = true;
        }

        map.Close();
        return network is null
            ? null
            : new ExternalGateway
            {
                Network = network,
                Address = address,
                IsSnatEnabled = isSnatEnabled,
                SnatBlocks = blocks.ToImmutable(),
            };
    }

    private static StaticRoute? ReadRoute(FileCursor cursor)
    {
        if (cursor.Map("a route") is not { } map) return null;
        IpPrefix? destination = map.Require("destination", "a prefix such as 10.9.0.0/16", static c => c.Prefix());
        FileCursor? nextHop = map.Require("next_hop", "an address on a subnet of the router, blackhole or reject");
        map.Close();
        if (destination is not { } prefix || nextHop is not { } hop) return null;
        return hop.Text() switch
        {
            null => null,
            "blackhole" => new StaticRoute(prefix, RouteTarget.Blackhole, null),
            "reject" => new StaticRoute(prefix, RouteTarget.Reject, null),
            _ => hop.Address() is { } address ? new StaticRoute(prefix, RouteTarget.Port, address) : null,
        };
    }

    private static Port? ReadPort(FileCursor cursor)
    {
        if (cursor.Map("a port") is not { } map) return null;
        string? name = map.RequireText("name", "name: …");
        string? network = map.RequireText("network", "the name of a network of this tenant");
        MacAddress? mac = map.Find("mac")?.Mac();
        ImmutableArray<IpAddress>? addresses = map.Find("addresses")?.List(static c => c.Address());
        ImmutableArray<string>? groups = map.Find("security_groups")?.ListOf(static c => c.Text());
        bool isSecure = map.Find("port_security")?.Boolean() ?? true;
        ImmutableArray<AllowedAddressPair> pairs = map.ListOf("allowed_address_pairs", ReadPair);
        bool isUp = map.Find("admin_state_up")?.Boolean() ?? true;
        map.Close();
        return name is null || network is null
            ? null
            : new Port
            {
                Name = name,
                Network = network,
                Mac = mac,
                Addresses = addresses,
                SecurityGroups = groups,
                IsPortSecurityEnabled = isSecure,
                AllowedAddressPairs = pairs,
                IsAdminUp = isUp,
            };
    }

    private static AllowedAddressPair? ReadPair(FileCursor cursor)
    {
        if (cursor.Map("an allowed address pair") is not { } map) return null;
        IpPrefix? prefix = map.Require("address", "an address or prefix", static c => c.PrefixOrAddress());
        MacAddress? mac = map.Find("mac")?.Mac();
        map.Close();
        return prefix is null ? null : new AllowedAddressPair(prefix.Value, mac);
    }

    private static FloatingIp? ReadFloatingIp(FileCursor cursor)
    {
        if (cursor.Map("a floating IP") is not { } map) return null;
        IpAddress? address = map.Require("address", "a public address", static c => c.Address());
        string? port = map.RequireText("port", "the name of a port of this tenant");
        IpAddress? fixedIp = map.Find("fixed_ip")?.Address();
        string? network = map.Find("network")?.Text();
        map.Close();
        return address is null || port is null ? null : new FloatingIp(address.Value, port, fixedIp, network);
    }

    private static PortForward? ReadPortForward(FileCursor cursor)
    {
        if (cursor.Map("a port forward") is not { } map) return null;
        IpAddress? address = map.Require("address", "a public address", static c => c.Address());
        IpProtocol? protocol = map.Require("protocol", "tcp or udp", static c => c.Protocol());
        ushort? external = map.Require("external_port", "the public port", static c => c.UInt16());
        string? port = map.RequireText("port", "the name of a port of this tenant");
        ushort? inside = map.Require("internal_port", "the transport port there", static c => c.UInt16());
        IpAddress? fixedIp = map.Find("fixed_ip")?.Address();
        map.Close();
        return address is null || protocol is null || external is null || port is null || inside is null
            ? null
            : new PortForward(address.Value, protocol.Value, external.Value, port, inside.Value, fixedIp);
    }
}
