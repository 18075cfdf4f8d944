using System;
using Genkan.Overlay.Topology;
using static Genkan.Control.Tests.Samples;

namespace Genkan.Control.Tests;

public sealed class NetworkRulesTests
{
    [Fact]
    public void The_MTU_fits_into_the_underlay_less_50_over_IPv4() =>
        WithNetwork(n => n with { Mtu = 1551 }).ShouldBeRefused(
            "tenants.red.networks[0].mtu",
            "network 'red-1' has an MTU of 1551, but the underlay of host 'gw1' carries 1600 octets",
            "VXLAN over IPv4 adds 50: lower this MTU to 1550, or raise the underlay's to 1601");

    [Fact]
    public void An_MTU_of_1550_is_good_over_1600() => WithNetwork(n => n with { Mtu = 1550 }).ShouldBeGood();

    [Fact]
    public void The_MTU_fits_into_the_underlay_less_70_over_IPv6()
    {
        Model.DesiredState state = WithNetwork(n => n with { Mtu = 1531 });
        (state with
        {
            Hosts =
            [
                state.Hosts[0] with { Underlay = state.Hosts[0].Underlay with { Address = Ip("2001:db8::1") } },
                state.Hosts[1] with { Underlay = state.Hosts[1].Underlay with { Address = Ip("2001:db8::2") } },
            ],
        }).ShouldBeRefused(
            "tenants.red.networks[0].mtu", "MTU of 1531", "VXLAN over IPv6 adds 70: lower this MTU to 1530");
    }

    [Theory]
    [InlineData(1279, "outside 1280 to 9216")]
    [InlineData(9217, "outside 1280 to 9216")]
    public void A_network_with_IPv6_carries_1280(int mtu, string rule) =>
        WithNetwork(n => n with { Mtu = mtu }).ShouldBeRefused("tenants.red.networks[0].mtu", rule, "RFC 8200 §5");

    [Fact]
    public void A_network_with_IPv4_only_carries_576()
    {
        WithNetwork(n => n with { Mtu = 576, Subnets = [n.Subnets[0]] }).ShouldBeRefusedAmongOthers(
            "tenants.red.routers[0].interfaces[1]", "there is no subnet 'red-1-v6'");
        WithNetwork(n => n with { Mtu = 575, Subnets = [n.Subnets[0]] })
            .ShouldBeRefusedAmongOthers("tenants.red.networks[0].mtu", "outside 576 to 9216");
    }

    [Theory]
    [InlineData("224.0.0.0/24")]
    [InlineData("10.0.1.0/31")]
    [InlineData("127.0.0.0/8")]
    [InlineData("0.0.0.0/8")]
    [InlineData("240.0.0.0/24")]
    [InlineData("169.254.0.0/16")]
    public void A_subnet_is_a_unicast_range_with_room(string cidr) =>
        WithSubnet(s => s with { Cidr = Prefix(cidr) })
            .ShouldBeRefusedAmongOthers("tenants.red.networks[0].subnets[0].cidr", $"{cidr} cannot be a subnet");

    [Fact]
    public void Subnets_of_a_network_do_not_overlap() =>
        WithNetwork(n => n with { Subnets = n.Subnets.Add(new Model.Subnet { Cidr = Prefix("10.0.1.128/25") }) })
            .ShouldBeRefused(
                "tenants.red.networks[0].subnets[2].cidr", "10.0.1.128/25 overlaps subnet red-1-v4 (10.0.1.0/24)");

    [Fact]
    public void Subnets_of_a_network_have_different_names() =>
        WithNetwork(
            n => n with
            {
                Subnets = n.Subnets.Add(new Model.Subnet { Name = "red-1-v4", Cidr = Prefix("10.9.0.0/24") }),
            })
            .ShouldBeRefusedAmongOthers("tenants.red.networks[0].subnets[2].name", "are named 'red-1-v4'");

    [Fact]
    public void Autoconfiguration_needs_a_64() =>
        WithNetwork(n => n with { Subnets = n.Subnets.Add(new Model.Subnet { Cidr = Prefix("2001:db8:9::/56") }) })
            .ShouldBeRefused("tenants.red.networks[0].subnets[2].cidr", "needs a /64 (RFC 4862 §5.5.3)", "ra: none");

    [Fact]
    public void A_gateway_is_in_its_subnet() =>
        WithSubnet(s => s with { GatewayIp = Ip("10.0.2.1") })
            .ShouldBeRefusedAmongOthers(
                "tenants.red.networks[0].subnets[0].gateway", "gateway 10.0.2.1 is not in 10.0.1.0/24");

    [Theory]
    [InlineData("10.0.1.0")]
    [InlineData("10.0.1.255")]
    public void A_gateway_is_a_host_address(string gateway) =>
        WithSubnet(s => s with { GatewayIp = Ip(gateway) }).ShouldBeRefused(
            "tenants.red.networks[0].subnets[0].gateway",
            $"{gateway} is the network or broadcast address of 10.0.1.0/24");

    [Fact]
    public void Resolvers_are_of_the_subnets_family() =>
        WithSubnet(s => s with { DnsNameservers = [Ip("2001:db8::53")] }).ShouldBeRefused(
            "tenants.red.networks[0].subnets[0].dns[0]", "2001:db8::53 cannot be told to hosts of 10.0.1.0/24",
            "DHCPv4");

    [Fact]
    public void Time_servers_are_of_the_subnets_family() =>
        WithSubnet(s => s with { NtpServers = [Ip("2001:db8::7b")] })
            .ShouldBeRefused("tenants.red.networks[0].subnets[0].ntp[0]", "cannot be told");

    [Theory]
    [InlineData("red.example.")]
    [InlineData("-red.example")]
    [InlineData("red..example")]
    [InlineData("red example")]
    public void A_domain_is_a_domain_name(string domain) =>
        WithSubnet(s => s with { Domain = domain })
            .ShouldBeRefused("tenants.red.networks[0].subnets[0].domain", "is not a domain name");

    [Theory]
    [InlineData(59)]
    [InlineData(4_294_967_295)]
    public void A_lease_has_limits(long seconds) =>
        WithSubnet(s => s with { Lease = TimeSpan.FromSeconds(seconds) })
            .ShouldBeRefused("tenants.red.networks[0].subnets[0].lease", "is too short or too long");

    [Fact]
    public void A_host_routes_next_hop_is_on_the_subnet() =>
        WithSubnet(s => s with { HostRoutes = [new HostRoute(Prefix("10.9.0.0/16"), Ip("10.0.2.9"))] }).ShouldBeRefused(
            "tenants.red.networks[0].subnets[0].host_routes[0]", "cannot reach the next hop 10.0.2.9 of 10.9.0.0/16");

    [Fact]
    public void Two_networks_may_not_share_a_name() =>
        WithRed(r => r with { Networks = r.Networks.Add(r.Networks[1]) })
            .ShouldBeRefusedAmongOthers("tenants.red.networks[2].name", "two networks are named 'red-2'");
}
