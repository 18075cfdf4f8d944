using Genkan.Control.Model;
using Genkan.Overlay.Topology;
using static Genkan.Control.Tests.Samples;
using Network = Genkan.Control.Model.Network;
using Router = Genkan.Control.Model.Router;
using Subnet = Genkan.Control.Model.Subnet;

namespace Genkan.Control.Tests;

public sealed class RouterRulesTests
{
    private const string Path = "tenants.red.routers[0]";

    [Fact]
    public void An_interface_names_a_subnet_that_exists() =>
        WithRouter(r => r with { Interfaces = r.Interfaces.Add(new RouterInterface("red-2-v6")) })
            .ShouldBeRefused($"{Path}.interfaces[3]", "there is no subnet 'red-2-v6'", "did you mean 'red-1-v6'?");

    [Theory]
    [InlineData("red-2")]
    [InlineData("red-2/red-2-v4")]
    [InlineData("red-2/10.0.2.0/24")]
    public void An_interface_names_a_subnet_in_several_ways(string reference) =>
        WithRouter(r => r with { Interfaces = r.Interfaces.SetItem(2, new RouterInterface(reference)) }).ShouldBeGood();

    [Fact]
    public void A_subnet_name_that_two_networks_have_is_not_enough()
    {
        Network third = new()
        {
            Name = "red-3",
            Subnets = [new Subnet { Name = "red-2-v4", Cidr = Prefix("10.0.3.0/24") }],
        };
        WithRed(r => r with { Networks = r.Networks.Add(third) }).ShouldBeRefused(
            $"{Path}.interfaces[2]", "'red-2-v4' is a subnet of several networks",
            "write red-2/red-2-v4 or red-3/red-2-v4");
    }

    [Fact]
    public void A_router_joins_no_overlapping_subnets()
    {
        Network third = new() { Name = "red-3", Subnets = [new Subnet { Cidr = Prefix("10.0.0.0/16") }] };
        WithRed(r => r with
        {
            Networks = r.Networks.Add(third),
            Routers = [r.Routers[0] with { Interfaces = r.Routers[0].Interfaces.Add(new RouterInterface("red-3")) }],
        }).ShouldBeRefusedAmongOthers($"{Path}.interfaces[3]", "overlapping 10.0.1.0/24 of 'red-1'");
    }

    [Fact]
    public void A_router_needs_an_address_on_the_subnet() =>
        WithRed(r => r with
        {
            Networks = r.Networks.SetItem(
                1, r.Networks[1] with { Subnets = [r.Networks[1].Subnets[0] with { HasGateway = false }] }),
        }).ShouldBeRefused($"{Path}.interfaces[2]", "subnet red-2-v4 has no gateway address");

    [Fact]
    public void An_interface_address_is_a_host_address_of_the_subnet() =>
        WithRouter(
            r => r with { Interfaces = r.Interfaces.SetItem(2, new RouterInterface("red-2-v4", Ip("10.0.1.254"))) })
            .ShouldBeRefused($"{Path}.interfaces[2].address", "10.0.1.254 is not a host address of 10.0.2.0/24");

    [Fact]
    public void An_interface_address_needs_one_subnet() =>
        WithRouter(r => r with { Interfaces = [new RouterInterface("red-1", Ip("10.0.1.254")), r.Interfaces[2]] })
            .ShouldBeRefusedAmongOthers($"{Path}.interfaces[0]", "an address needs one subnet; 'red-1' has 2");

    [Fact]
    public void Two_routers_on_a_network_have_different_addresses() =>
        WithRed(
            r => r with
            {
                Routers = r.Routers.Add(new Router { Name = "two", Interfaces = [new RouterInterface("red-2-v4")] }),
            })
            .ShouldBeRefused(
                "tenants.red.routers[1].interfaces[0]", "router 'edge' already has the address 10.0.2.1", "address: …");

    [Fact]
    public void A_second_router_with_its_own_address_is_good() =>
        WithRed(r => r with
        {
            Routers = r.Routers.Add(
                new Router { Name = "two", Interfaces = [new RouterInterface("red-2-v4", Ip("10.0.2.2"))] }),
        }).ShouldBeGood();

    [Fact]
    public void An_external_gateway_names_a_network_that_exists() =>
        WithGateway(g => g with { Network = "publik" }).ShouldBeRefusedAmongOthers(
            $"{Path}.external_gateway.network", "there is no external network 'publik'");

    [Fact]
    public void A_SNAT_address_is_in_the_external_network() =>
        WithGateway(g => g with { Address = Ip("198.51.101.10") }).ShouldBeRefusedAmongOthers(
            $"{Path}.external_gateway.address", "198.51.101.10 is in no prefix of external network 'public'");

    [Fact]
    public void A_SNAT_address_is_IPv4() =>
        WithGateway(g => g with { Address = Ip("2001:db8:1::10") })
            .ShouldBeRefusedAmongOthers(
                $"{Path}.external_gateway.address", "is IPv6, which is routed without translation");

    [Fact]
    public void A_SNAT_address_is_not_an_uplinks_own()
    {
        DesiredState state = WithUplink(
            u => u with { Addresses = [Wire.IpInterface.Parse("198.51.100.10/24")], Gateways = [] });
        state.ShouldBeRefused($"{Path}.external_gateway.address", "is the own address of uplink 'isp'");
    }

    [Fact]
    public void Blocks_need_an_address() =>
        WithGateway(g => g with { Address = null })
            .ShouldBeRefused($"{Path}.external_gateway", "snat_blocks without an address");

    [Fact]
    public void Blocks_need_SNAT() =>
        WithGateway(g => g with { IsSnatEnabled = false })
            .ShouldBeRefused($"{Path}.external_gateway.snat_blocks", "snat_blocks although snat is off");

    [Theory]
    [InlineData(1024, 32000, "1024-32000 is not made of whole granules of 64 ports", "e.g. 1024-32063")]
    [InlineData(1025, 32767, "is not made of whole granules", "e.g. 1024-32767")]
    [InlineData(960, 32767, "ports below 1024 are not for translation", "")]
    [InlineData(32767, 1024, "ends before it begins", "1024-32767?")]
    [InlineData(1024, 33023, "", "")]
    public void Blocks_are_whole_granules_above_1023(ushort first, ushort last, string rule, string hint)
    {
        string at = rule.Length == 0 ? "hv1" : "gw1";
        if (rule.Length == 0) (rule, hint) = ("32768-49151 overlaps 1024-33023 of host 'gw1'", "belongs to one host");
        WithGateway(g => g with { SnatBlocks = g.SnatBlocks.SetItem(0, new SnatBlock("gw1", first, last)) })
            .ShouldBeRefused($"{Path}.external_gateway.snat_blocks.{at}", rule, hint);
    }

    [Fact]
    public void Blocks_name_hosts_that_exist() =>
        WithGateway(g => g with { SnatBlocks = [new SnatBlock("gw9", 1024, 2047)] })
            .ShouldBeRefused($"{Path}.external_gateway.snat_blocks.gw9", "there is no host 'gw9'");

    [Fact]
    public void A_next_hop_is_on_a_subnet_of_the_router() =>
        WithRouter(r => r with { Routes = [new StaticRoute(Prefix("10.9.0.0/16"), RouteTarget.Port, Ip("10.0.3.9"))] })
            .ShouldBeRefused(
                $"{Path}.routes[0].next_hop", "next hop 10.0.3.9 is on no subnet of router 'edge'", "10.0.1.0/24");

    [Fact]
    public void A_next_hop_is_another_router() =>
        WithRouter(r => r with { Routes = [new StaticRoute(Prefix("10.9.0.0/16"), RouteTarget.Port, Ip("10.0.1.1"))] })
            .ShouldBeRefused($"{Path}.routes[0].next_hop", "10.0.1.1 is the router's own address");

    [Fact]
    public void A_next_hop_is_of_the_routes_family() =>
        WithRouter(
            r => r with { Routes = [new StaticRoute(Prefix("2001:db8:9::/48"), RouteTarget.Port, Ip("10.0.1.9"))] })
            .ShouldBeRefused($"{Path}.routes[0]", "has no next hop of its family");
}
