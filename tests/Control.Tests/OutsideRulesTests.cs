using Genkan.Control.Model;
using Genkan.Wire;
using static Genkan.Control.Tests.Samples;

namespace Genkan.Control.Tests;

public sealed class OutsideRulesTests
{
    [Fact]
    public void An_uplink_names_a_host_that_exists() =>
        WithUplink(u => u with { Host = "gw2" })
            .ShouldBeRefused("uplinks[0].host", "there is no host 'gw2'", "did you mean 'gw1'?");

    [Fact]
    public void An_uplink_names_an_external_network_that_exists() =>
        WithUplink(u => u with { ExternalNetwork = "pubic" })
            .ShouldBeRefused(
                "uplinks[0].external_network", "there is no external network 'pubic'", "did you mean 'public'?");

    [Theory]
    [InlineData(4095)]
    [InlineData(65535)]
    public void A_VLAN_is_1_to_4094(ushort vlan) =>
        WithUplink(u => u with { Vlan = vlan }).ShouldBeRefused("uplinks[0].vlan", $"VLAN {vlan} does not exist");

    [Fact]
    public void VLAN_4094_is_good() => WithUplink(u => u with { Vlan = 4094 }).ShouldBeGood();

    [Theory]
    [InlineData(0u)]
    [InlineData(253u)]
    [InlineData(255u)]
    public void A_FIB_table_is_not_the_kernels_own(uint table) =>
        WithUplink(u => u with { Table = table })
            .ShouldBeRefused("uplinks[0].table", $"routing table {table} is the kernel's own");

    [Fact]
    public void A_gateway_is_on_the_link() =>
        WithUplink(u => u with { Gateways = [Ip("203.0.113.9")] })
            .ShouldBeRefused(
                "uplinks[0].gateways[0]", "gateway 203.0.113.9 is on no network of uplink 'isp'", "203.0.113.2/30");

    [Fact]
    public void A_link_local_IPv6_gateway_is_on_the_link() =>
        WithUplink(u => u with { Gateways = [Ip("fe80::1")] }).ShouldBeGood();

    [Fact]
    public void A_gateway_is_not_the_uplink_itself() =>
        WithUplink(u => u with { Gateways = [Ip("203.0.113.2")] })
            .ShouldBeRefused("uplinks[0].gateways[0]", "is this uplink's own address");

    [Fact]
    public void An_uplink_has_one_gateway_a_family() =>
        WithUplink(
            u => u with
            {
                Addresses = [IpInterface.Parse("203.0.113.2/24")],
                Gateways = [Ip("203.0.113.1"), Ip("203.0.113.3")],
            })
            .ShouldBeRefused("uplinks[0].gateways[1]", "203.0.113.3 is a second gateway of its family");

    [Theory]
    [InlineData("203.0.113.0/30", "network or broadcast address")]
    [InlineData("203.0.113.3/30", "network or broadcast address")]
    [InlineData("224.0.0.1/4", "not a unicast address")]
    public void An_uplink_address_is_a_host_address(string address, string rule) =>
        WithUplink(u => u with { Addresses = [IpInterface.Parse(address)], Gateways = [] })
            .ShouldBeRefused("uplinks[0].addresses[0]", rule);

    [Fact]
    public void Both_addresses_of_a_31_are_host_addresses() =>
        WithUplink(u => u with { Addresses = [IpInterface.Parse("203.0.113.0/31")], Gateways = [Ip("203.0.113.1")] })
            .ShouldBeGood();

    [Theory]
    [InlineData("0.0.0.0/0")]
    [InlineData("224.0.0.0/8")]
    [InlineData("240.0.0.0/8")]
    [InlineData("fe80::/64")]
    public void A_public_prefix_is_unicast(string prefix)
    {
        ExternalNetwork more = new() { Name = "more", Prefixes = [Prefix(prefix)] };
        (Good with { ExternalNetworks = Good.ExternalNetworks.Add(more) })
            .ShouldBeRefused("external_networks[1].prefixes[0]", "is not a unicast prefix");
    }

    [Fact]
    public void Public_prefixes_do_not_overlap()
    {
        ExternalNetwork more = new() { Name = "more", Prefixes = [Prefix("198.51.100.128/25")] };
        (Good with { ExternalNetworks = Good.ExternalNetworks.Add(more) })
            .ShouldBeRefused(
                "external_networks[1].prefixes[0]",
                "198.51.100.128/25 overlaps 198.51.100.0/24 of external network 'public'");
    }

    [Fact]
    public void Two_uplinks_may_not_share_a_name() =>
        (Good with { Uplinks = [Good.Uplinks[0], Good.Uplinks[0] with { Interface = "isp1" }] })
            .ShouldBeRefused("uplinks[1].name", "two uplinks are named 'isp'");
}
