using System;
using System.Collections.Immutable;
using System.Linq;
using Genkan.Control.Model;
using Genkan.Control.Validation;
using Genkan.Overlay.Topology;
using Genkan.Wire;
using Shouldly;
using static Genkan.Control.Tests.Samples;
using FloatingIp = Genkan.Control.Model.FloatingIp;
using Host = Genkan.Control.Model.Host;
using Network = Genkan.Control.Model.Network;
using PortBinding = Genkan.Control.Model.PortBinding;
using PortForward = Genkan.Control.Model.PortForward;
using Router = Genkan.Control.Model.Router;
using Subnet = Genkan.Control.Model.Subnet;

namespace Genkan.Control.Tests;

/// <summary>Each named maximum, one past it.</summary>
public sealed class LimitTests
{
    private static ImmutableArray<T> Many<T>(int count, Func<int, T> make) =>
        [.. Enumerable.Range(0, count).Select(make)];

    private static IpAddress Nth(string first, int n) => Ip(first).Plus((UInt128)n);

    private static string TooMany(int max, string noun) => $"there are {max + 1} {noun}; the limit is {max}";

    [Fact]
    public void Hosts() => (new DesiredState
    {
        Hosts = Many(ControlLimits.HostsMax + 1, i => new Host
        {
            Name = $"h{i}",
            Underlay = new Underlay { Address = Nth("192.0.2.0", i + 1), Interface = "u" },
        }),
    }).ShouldBeRefused("hosts", TooMany(ControlLimits.HostsMax, "hosts"));

    [Fact]
    public void External_networks() =>
        (
            Good with
            {
                ExternalNetworks =
                [
                    .. Good.ExternalNetworks,
                    .. Many(ControlLimits.ExternalNetworksMax, i => new Model.ExternalNetwork { Name = $"x{i}" }),
                ],
            })
            .ShouldBeRefused("external_networks", TooMany(ControlLimits.ExternalNetworksMax, "external networks"));

    [Fact]
    public void Prefixes() =>
        (Good with
        {
            ExternalNetworks =
            [
                Good.ExternalNetworks[0] with
                {
                    Prefixes =
                    [
                        .. Good.ExternalNetworks[0].Prefixes,
                        .. Many(ControlLimits.PrefixesMax - 1, i => new IpPrefix(Nth("203.0.120.0", i), 32)),
                    ],
                },
            ],
        }).ShouldBeRefused("external_networks[0].prefixes", TooMany(ControlLimits.PrefixesMax, "prefixes"));

    [Fact]
    public void Uplinks() =>
        (
            Good with
            {
                Uplinks = Many(
                    ControlLimits.UplinksMax + 1, i => Good.Uplinks[0] with { Name = $"u{i}", Interface = $"isp{i}" }),
            })
            .ShouldBeRefused("uplinks", TooMany(ControlLimits.UplinksMax, "uplinks"));

    [Fact]
    public void Tenants() =>
        (
            Good with
            {
                Tenants = [.. Good.Tenants, .. Many(ControlLimits.TenantsMax - 1, i => new Tenant { Name = $"t{i}" })],
            })
            .ShouldBeRefused("tenants", TooMany(ControlLimits.TenantsMax, "tenants"));

    [Fact]
    public void Networks() =>
        WithRed(
            r => r with
            {
                Networks = [.. r.Networks, .. Many(ControlLimits.NetworksMax - 1, i => new Network { Name = $"n{i}" })],
            })
            .ShouldBeRefused("tenants.red.networks", TooMany(ControlLimits.NetworksMax, "networks"));

    [Fact]
    public void Subnets() =>
        WithNetwork(n => n with
        {
            Subnets =
            [
                .. n.Subnets,
                .. Many(
                    ControlLimits.SubnetsMax - 1, i => new Subnet { Cidr = new IpPrefix(Nth("10.9.0.0", i << 8), 24) }),
            ],
        }).ShouldBeRefused("tenants.red.networks[0].subnets", TooMany(ControlLimits.SubnetsMax, "subnets"));

    [Fact]
    public void Routers() =>
        WithRed(
            r => r with
            {
                Routers = [.. r.Routers, .. Many(ControlLimits.NetworksMax, i => new Router { Name = $"r{i}" })],
            })
            .ShouldBeRefused("tenants.red.routers", TooMany(ControlLimits.NetworksMax, "routers"));

    [Fact]
    public void Security_groups() =>
        WithRed(
            r => r with
            {
                SecurityGroups =
                [
                    .. r.SecurityGroups, .. Many(ControlLimits.NetworksMax, i => new SecurityGroup { Name = $"g{i}" }),
                ],
            })
            .ShouldBeRefused("tenants.red.security_groups", TooMany(ControlLimits.NetworksMax, "security groups"));

    [Fact]
    public void Rules_of_a_security_group()
    {
        SecurityGroupRule rule = new() { Direction = Direction.Ingress };
        WithGroup(g => g with { Rules = Many((TopologyLimits.RulesMax / 2) + 1, _ => rule) }).ShouldBeRefused(
            "tenants.red.security_groups[0].rules", TooMany(
                TopologyLimits.RulesMax / 2, "rules in one security group"));
    }

    [Fact]
    public void Ports_of_a_tenant() =>
        WithRed(r => r with
        {
            Networks = r.Networks.Add(new Network { Name = "big" }),
            Ports =
            [
                .. r.Ports, .. Many(ControlLimits.PortsMax - 1, i => new Port { Name = $"p{i}", Network = "big" }),
            ],
        }).ShouldBeRefused("tenants.red.ports", TooMany(ControlLimits.PortsMax, "ports"));

    [Fact]
    public void Ports_of_a_host() =>
        WithRed(r => r with
        {
            Networks = r.Networks.Add(new Network { Name = "big" }),
            Ports =
            [
                .. r.Ports,
                .. Many(
                    TopologyLimits.PortsPerHostMax,
                    i => new Port { Name = $"p{i}", Network = "big", Binding = new PortBinding("hv1", $"i{i}") }),
            ],
        }).ShouldBeRefused(
            "hosts.hv1.ports", TooMany(TopologyLimits.PortsPerHostMax, "ports and uplinks on host 'hv1'"));

    [Fact]
    public void Addresses_of_a_port() =>
        WithPort(p => p with { Addresses = Many(ControlLimits.AddressesMax + 1, i => Nth("10.0.1.11", i)) })
            .ShouldBeRefused(
                "tenants.red.ports[0].addresses", TooMany(ControlLimits.AddressesMax, "addresses on one port"));

    [Fact]
    public void Security_groups_of_a_port() =>
        WithRed(r => r with
        {
            SecurityGroups =
            [
                .. r.SecurityGroups,
                .. Many(ControlLimits.SecurityGroupsPerPortMax, i => new SecurityGroup { Name = $"g{i}" }),
            ],
            Ports = r.Ports.SetItem(0, r.Ports[0] with
            {
                SecurityGroups = ["web", .. Many(ControlLimits.SecurityGroupsPerPortMax, i => $"g{i}")],
            }),
        }).ShouldBeRefused(
            "tenants.red.ports[0].security_groups",
            TooMany(ControlLimits.SecurityGroupsPerPortMax, "security groups on one port"));

    [Fact]
    public void Allowed_address_pairs_with_fixed_addresses_fit_into_what_the_topology_holds()
    {
        const int Max = TopologyLimits.AllowedPairsMax - ControlLimits.AddressesMax - ControlLimits.SubnetsMax;
        WithPort(
            p => p with
            {
                AllowedAddressPairs = Many(
                    Max + 1, i => new AllowedAddressPair(new IpPrefix(Nth("10.0.1.100", i), 32))),
            })
            .ShouldBeRefused("tenants.red.ports[0].allowed_address_pairs", TooMany(Max, "allowed address pairs"));
    }

    [Fact]
    public void Floating_IPs() =>
        WithRed(
            r => r with
            {
                FloatingIps = Many(
                    ControlLimits.FloatingIpsMax + 1, i => new FloatingIp(Nth("198.51.100.20", i % 200), "a")),
            })
            .ShouldBeRefusedAmongOthers(
                "tenants.red.floating_ips", TooMany(ControlLimits.FloatingIpsMax, "floating IPs"));

    [Fact]
    public void Port_forwards() =>
        WithRed(r => r with
        {
            PortForwards = Many(
                ControlLimits.FloatingIpsMax + 1,
                i => new PortForward(Ip("198.51.100.10"), IpProtocol.Tcp, (ushort)(50_000 + i), "b", (ushort)(1 + i))),
        }).ShouldBeRefused("tenants.red.port_forwards", TooMany(ControlLimits.FloatingIpsMax, "port forwards"));

    [Fact]
    public void Networks_on_a_router() =>
        WithRed(r => r with
        {
            Networks =
            [
                .. r.Networks,
                .. Many(
                    ControlLimits.RouterInterfacesMax - 1,
                    i => new Network
                    {
                        Name = $"n{i}",
                        Subnets = [new Subnet { Cidr = new IpPrefix(Nth("10.9.0.0", i << 8), 24) }],
                    }),
            ],
            Routers =
            [
                r.Routers[0] with
                {
                    Interfaces =
                    [
                        .. r.Routers[0].Interfaces,
                        .. Many(ControlLimits.RouterInterfacesMax - 1, i => new RouterInterface($"n{i}")),
                    ],
                },
            ],
        }).ShouldBeRefused(
            "tenants.red.routers[0].interfaces", TooMany(ControlLimits.RouterInterfacesMax, "networks on one router"));

    [Fact]
    public void Static_routes() =>
        WithRouter(r => r with
        {
            Routes = Many(
                ControlLimits.StaticRoutesMax + 1,
                i => new StaticRoute(new IpPrefix(Nth("10.9.0.0", i), 32), RouteTarget.Blackhole, null)),
        }).ShouldBeRefused("tenants.red.routers[0].routes", TooMany(ControlLimits.StaticRoutesMax, "static routes"));

    [Fact]
    public void Resolvers_and_time_servers()
    {
        ImmutableArray<IpAddress> servers = Many(ControlLimits.DnsNameserversMax + 1, i => Nth("10.0.1.53", i));
        WithSubnet(s => s with { DnsNameservers = servers })
            .ShouldBeRefused(
                "tenants.red.networks[0].subnets[0].dns", TooMany(ControlLimits.DnsNameserversMax, "resolvers"));
        WithSubnet(s => s with { NtpServers = servers })
            .ShouldBeRefused(
                "tenants.red.networks[0].subnets[0].ntp", TooMany(ControlLimits.DnsNameserversMax, "time servers"));
    }

    [Fact]
    public void Host_routes() =>
        WithSubnet(
            s => s with
            {
                HostRoutes = Many(
                    ControlLimits.HostRoutesMax + 1,
                    i => new HostRoute(new IpPrefix(Nth("10.9.0.0", i), 32), Ip("10.0.1.9"))),
            })
            .ShouldBeRefused(
                "tenants.red.networks[0].subnets[0].host_routes", TooMany(ControlLimits.HostRoutesMax, "host routes"));

    [Fact]
    public void Names_have_63_characters()
    {
        WithRed(r => r with { Name = new string('x', ControlLimits.NameLengthMax) }).ShouldBeGood();
        string name = new('x', ControlLimits.NameLengthMax + 1);
        WithRed(r => r with { Name = name })
            .ShouldBeRefused($"tenants.{name}", "a name has 1 to 63 characters; this one has 64");
    }

    [Fact]
    public void Domains_have_253_characters() =>
        WithSubnet(s => s with { Domain = string.Join('.', Enumerable.Repeat("abcdefghi", 26)) })
            .ShouldBeRefused("tenants.red.networks[0].subnets[0].domain", "is not a domain name");

    [Fact]
    public void A_report_has_100_errors_and_counts_the_rest()
    {
        DesiredState state = WithRed(r => r with
        {
            Ports =
            [
                .. r.Ports, .. Many(ControlLimits.ErrorsMax + 7, i => new Port { Name = $"p{i}", Network = "none" }),
            ],
        });
        ImmutableArray<ConfigError> errors = DesiredStateValidator.Validate(state);
        errors.Length.ShouldBe(ControlLimits.ErrorsMax + 1);
        errors[^1].ShouldBe(new ConfigError("", "7 more errors are not shown", "correct these first"));
    }
}
