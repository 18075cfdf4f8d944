using System;
using System.Collections.Generic;
using System.Collections.Immutable;
using System.Linq;
using Genkan.Overlay.Topology;
using Genkan.Wire;
using Network = Genkan.Control.Model.Network;
using Subnet = Genkan.Control.Model.Subnet;

namespace Genkan.Host.Configuration;

/// <summary>
/// Reads networks with their subnets. What hosts are told (dns, domain, ntp) may stand at the network, for all its
/// subnets of the
/// address's family, or at a subnet, which then counts instead.
/// </summary>
internal static class NetworkReader
{
    private static readonly Dictionary<string, bool> RouterAdvertisements = new()
    {
        ["slaac"] = true,
        ["none"] = false,
    };

    public static Network? Read(FileCursor cursor)
    {
        if (cursor.Map("a network") is not { } map) return null;
        string? name = map.RequireText("name", "name: …");
        int? mtu = (int?)map.Find("mtu")?.Number(0, int.MaxValue);
        bool isUp = map.Find("admin_state_up")?.Boolean() ?? true;
        Told told = new(map);
        ImmutableArray<Subnet> subnets = map.ListOf("subnets", c => ReadSubnet(c, told));
        map.Close();
        if (!cursor.Reading.IsIncomplete) told.CheckUse(subnets);
        return name is null ? null : new Network { Name = name, Mtu = mtu, IsAdminUp = isUp, Subnets = subnets };
    }

    private static Subnet? ReadSubnet(FileCursor cursor, Told told)
    {
        if (cursor.Map("a subnet") is not { } map) return null;
        string? name = map.Find("name")?.Text();
        IpPrefix? cidr = map.Require("cidr", "the range, such as 10.0.1.0/24", static c => c.Prefix());
        FileCursor? gateway = map.Find("gateway");
        bool hasGateway = gateway is not { IsScalar: true } written || written.Text() != "none";
        IpAddress? gatewayIp = hasGateway ? gateway?.Address() : null;
        Told own = new(map);
        ImmutableArray<HostRoute> routes = map.List("host_routes", ReadHostRoute);
        TimeSpan lease = map.Find("lease")?.Duration() ?? Subnet.DefaultLease;
        bool? dhcp = ReadSwitch(map, cidr);
        map.Close();
        if (cidr is not { } range) return null;
        return new Subnet
        {
            Name = name,
            Cidr = range,
            GatewayIp = gatewayIp,
            HasGateway = hasGateway,
            DnsNameservers = own.HasDns ? own.Dns(null, map) : told.Dns(range, map),
            Domain = own.Domain ?? told.Domain ?? "",
            NtpServers = own.HasNtp ? own.Ntp(null, map) : told.Ntp(range, map),
            HostRoutes = routes,
            IsDhcpEnabled = dhcp ?? true,
            Lease = lease,
        };
    }

    // IPv4 has `dhcp`, IPv6 has `ra`: one switch of the model, but the operator should read what really happens.
    private static bool? ReadSwitch(FileMap map, IpPrefix? cidr)
    {
        FileCursor? dhcp = map.Find("dhcp");
        FileCursor? ra = map.Find("ra");
        if (cidr is { IsIpv4: true } && ra is not null)
        {
            ra.Value.Refuse("IPv4 has no router advertisements", "dhcp: true or false");
        }
        if (cidr is { IsIpv4: false } && dhcp is not null)
        {
            dhcp.Value.Refuse(
                "an IPv6 subnet is announced by router advertisements", "ra: slaac (with stateless DHCPv6) or none");
        }

        return cidr is { IsIpv4: false } ? ra?.Word(RouterAdvertisements) : dhcp?.Boolean();
    }

    private static HostRoute? ReadHostRoute(FileCursor cursor)
    {
        if (cursor.Map("a host route") is not { } map) return null;
        IpPrefix? destination = map.Require("destination", "a prefix", static c => c.Prefix());
        IpAddress? nextHop = map.Require("next_hop", "an address of the subnet", static c => c.Address());
        map.Close();
        return destination is null || nextHop is null ? null : new HostRoute(destination.Value, nextHop.Value);
    }

    // What a network or subnet tells hosts.
    private sealed class Told(FileMap map)
    {
        private readonly FileCursor? _dns = map.Find("dns");
        private readonly FileCursor? _ntp = map.Find("ntp");
        private ImmutableArray<IpAddress>? _dnsServers;
        private ImmutableArray<IpAddress>? _ntpServers;

        public string? Domain { get; } = map.Find("domain")?.Text();

        public bool HasDns => _dns is not null;

        public bool HasNtp => _ntp is not null;

        public ImmutableArray<IpAddress> Dns(IpPrefix? range, FileMap subnet) =>
            Of(_dns, ref _dnsServers, range, $"{subnet.Path}.dns");

        public ImmutableArray<IpAddress> Ntp(IpPrefix? range, FileMap subnet) =>
            Of(_ntp, ref _ntpServers, range, $"{subnet.Path}.ntp");

        // An address of a family that no subnet has would be told to nobody.
        public void CheckUse(ImmutableArray<Subnet> subnets)
        {
            foreach (FileCursor item in (_dns?.Items() ?? []).Concat(_ntp?.Items() ?? []))
            {
                if (item.Address() is not { } address || subnets.Any(s => s.Cidr.IsIpv4 == address.IsIpv4)) continue;
                item.Refuse(
                    $"{address} is told to nobody: the network has no subnet of its family",
                    "remove it, or add the subnet");
            }
        }

        private static ImmutableArray<IpAddress> Of(
            FileCursor? cursor, ref ImmutableArray<IpAddress>? servers, IpPrefix? range, string path)
        {
            if (cursor is not { } written) return [];
            written.Reading.Place(path, written.Position);
            servers ??= written.List(static c => c.Address());
            return range is null ? servers.Value : [.. servers.Value.Where(s => s.IsIpv4 == range.Value.IsIpv4)];
        }
    }
}
