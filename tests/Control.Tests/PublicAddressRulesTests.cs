using Genkan.Control.Model;
using Genkan.Wire;
using Shouldly;
using static Genkan.Control.Tests.Samples;

namespace Genkan.Control.Tests;

public sealed class PublicAddressRulesTests
{
    private const string Path = "tenants.red.floating_ips[0]";
    private const string ForwardPath = "tenants.red.port_forwards[0]";

    private static DesiredState WithFloatingIp(FloatingIp ip) => WithRed(r => r with { FloatingIps = [ip] });

    private static DesiredState WithForward(PortForward forward) => WithRed(r => r with { PortForwards = [forward] });

    [Fact]
    public void A_floating_IP_is_in_an_external_network() =>
        WithFloatingIp(new FloatingIp(Ip("192.0.2.20"), "a"))
            .ShouldBeRefused($"{Path}.address", "192.0.2.20 is in no external network", "198.51.100.0/24");

    [Fact]
    public void A_floating_IP_is_in_the_external_network_that_it_names() =>
        WithFloatingIp(new FloatingIp(Ip("192.0.2.20"), "a", Network: "public"))
            .ShouldBeRefused($"{Path}.address", "192.0.2.20 is in no prefix of external network 'public'");

    [Fact]
    public void The_external_network_of_a_floating_IP_exists() =>
        WithFloatingIp(new FloatingIp(Ip("198.51.100.20"), "a", Network: "publi"))
            .ShouldBeRefused($"{Path}.network", "there is no external network 'publi'", "did you mean 'public'?");

    [Fact]
    public void A_floating_IP_is_IPv4() =>
        WithFloatingIp(new FloatingIp(Ip("2001:db8:1:f::20"), "a"))
            .ShouldBeRefused($"{Path}.address", "is IPv6, which is routed without translation");

    [Fact]
    public void The_port_of_a_floating_IP_exists() =>
        WithFloatingIp(new FloatingIp(Ip("198.51.100.20"), "aa"))
            .ShouldBeRefused($"{Path}.port", "there is no port 'aa'", "ports: a, b");

    [Fact]
    public void A_fixed_IP_is_the_ports() =>
        WithFloatingIp(new FloatingIp(Ip("198.51.100.20"), "a", Ip("10.0.1.12")))
            .ShouldBeRefused($"{Path}.fixed_ip", "10.0.1.12 is not an address of port 'a'", "10.0.1.11");

    [Fact]
    public void A_port_without_IPv4_has_no_floating_IP() =>
        WithRed(r => r with { Ports = r.Ports.SetItem(0, r.Ports[0] with { Addresses = [] }) })
            .ShouldBeRefused($"{Path}.port", "port 'a' has no IPv4 address to translate to");

    [Fact]
    public void A_router_leads_from_the_port_to_the_outside() =>
        WithRouter(r => r with { ExternalGateway = null })
            .ShouldBeRefusedAmongOthers(
                $"{Path}.port", "no router leads from network 'red-1' to external network 'public'");

    [Fact]
    public void A_public_address_has_one_owner() =>
        WithFloatingIp(new FloatingIp(Ip("198.51.100.10"), "a"))
            .ShouldBeRefused($"{Path}.address", "198.51.100.10 belongs to router 'red/edge' already");

    [Fact]
    public void Two_floating_IPs_have_different_addresses() =>
        WithRed(r => r with
        {
            FloatingIps = r.FloatingIps.Add(new FloatingIp(Ip("198.51.100.20"), "b")),
            PortForwards = [],
        })
            .ShouldBeRefused("tenants.red.floating_ips[1].address", "belongs to floating IP of port 'red/a' already");

    [Fact]
    public void A_forward_is_of_TCP_or_UDP() =>
        WithForward(new PortForward(Ip("198.51.100.10"), IpProtocol.Icmp, 50_080, "b", 80))
            .ShouldBeRefused($"{ForwardPath}.protocol", "has no ports to forward");

    [Fact]
    public void A_forwards_ports_exist()
    {
        WithForward(new PortForward(Ip("198.51.100.10"), IpProtocol.Tcp, 0, "b", 80))
            .ShouldBeRefused($"{ForwardPath}.external_port", "port 0 does not exist");
        WithForward(new PortForward(Ip("198.51.100.10"), IpProtocol.Tcp, 50_080, "b", 0))
            .ShouldBeRefused($"{ForwardPath}.internal_port", "port 0 does not exist");
    }

    [Fact]
    public void A_forward_on_the_SNAT_address_is_outside_its_blocks() =>
        WithForward(new PortForward(Ip("198.51.100.10"), IpProtocol.Tcp, 8080, "b", 80)).ShouldBeRefused(
            $"{ForwardPath}.external_port", "port 8080 of 198.51.100.10 is in the SNAT block 1024-32767 of host 'gw1'");

    [Fact]
    public void A_forward_has_its_port_alone() =>
        WithRed(r => r with { PortForwards = [r.PortForwards[0], r.PortForwards[0]] })
            .ShouldBeRefused("tenants.red.port_forwards[1].external_port", "port 50080 is forwarded already");

    [Fact]
    public void A_forward_is_not_on_a_floating_IP() =>
        WithForward(new PortForward(Ip("198.51.100.20"), IpProtocol.Tcp, 80, "b", 80))
            .ShouldBeRefused($"{ForwardPath}.address", "198.51.100.20 belongs to floating IP of port 'red/a' already");

    [Fact]
    public void An_address_has_one_floating_IP() =>
        WithRed(r => r with { FloatingIps = r.FloatingIps.Add(new FloatingIp(Ip("198.51.100.21"), "a")) })
            .ShouldBeRefused(
                "tenants.red.floating_ips[1].port", "port 'a' has floating IP 198.51.100.20 already",
                "one floating IP for each address");

    [Fact]
    public void The_first_address_is_the_same_named_or_not()
    {
        WithRed(
            r => r with { FloatingIps = r.FloatingIps.Add(new FloatingIp(Ip("198.51.100.21"), "a", Ip("10.0.1.11"))) })
            .ShouldBeRefused("tenants.red.floating_ips[1].port", "port 'a' has floating IP 198.51.100.20 already");
        WithForward(new PortForward(Ip("198.51.100.30"), IpProtocol.Tcp, 80, "a", 80, Ip("10.0.1.11")))
            .ShouldBeRefused($"{ForwardPath}.port", "port 'a' has floating IP 198.51.100.20 already");
        WithRed(r => r with
        {
            FloatingIps = [],
            PortForwards =
            [
                new PortForward(Ip("198.51.100.30"), IpProtocol.Tcp, 80, "a", 80),
                new PortForward(Ip("198.51.100.30"), IpProtocol.Tcp, 8_080, "a", 80, Ip("10.0.1.11")),
            ],
        }).ShouldBeRefused("tenants.red.port_forwards[1].internal_port", "tcp port 80 of port 'a'");
    }

    [Fact]
    public void Each_address_of_a_port_has_public_addresses_of_its_own() =>
        WithRed(r => r with
        {
            Ports = r.Ports.SetItem(
                0, r.Ports[0] with { Addresses = [Ip("10.0.1.11"), Ip("10.0.1.12"), Ip("10.0.1.13")] }),
            FloatingIps = r.FloatingIps.Add(new FloatingIp(Ip("198.51.100.21"), "a", Ip("10.0.1.12"))),
            PortForwards = [new PortForward(Ip("198.51.100.30"), IpProtocol.Tcp, 80, "a", 80, Ip("10.0.1.13"))],
        }).ShouldBeAccepted();

    [Fact]
    public void An_address_may_have_a_floating_IP_of_each_external_network()
    {
        DesiredState state = WithRed(r => r with
        {
            Routers = r.Routers.Add(new Router
            {
                Name = "second",
                Interfaces = [new RouterInterface("red-1-v4", Ip("10.0.1.254"))],
                ExternalGateway = new ExternalGateway { Network = "other" },
            }),
            FloatingIps = r.FloatingIps.Add(new FloatingIp(Ip("192.0.2.200"), "a")),
        });
        (state with
        {
            ExternalNetworks = state.ExternalNetworks.Add(
                new ExternalNetwork { Name = "other", Prefixes = [Prefix("192.0.2.192/26")] }),
        }).ShouldBeAccepted();
    }

    [Fact]
    public void A_fixed_IP_is_IPv4()
    {
        IpAddress own = Good.Translated().Port("red/a").Addresses[^1].Address;
        own.IsIpv4.ShouldBeFalse();
        WithFloatingIp(new FloatingIp(Ip("198.51.100.20"), "a", own))
            .ShouldBeRefused($"{Path}.fixed_ip", "is IPv6, which is routed without translation");
    }

    [Fact]
    public void A_port_with_a_floating_IP_has_no_forwards_besides() =>
        WithForward(new PortForward(Ip("198.51.100.30"), IpProtocol.Tcp, 80, "a", 80))
            .ShouldBeRefused(
                $"{ForwardPath}.port", "port 'a' has floating IP 198.51.100.20 already",
                "198.51.100.20 reaches all its ports already: remove the forward, or the floating IP");

    [Fact]
    public void A_ports_transport_port_is_forwarded_to_once() =>
        WithRed(r => r with
        {
            PortForwards =
            [
                new PortForward(Ip("198.51.100.30"), IpProtocol.Tcp, 80, "b", 80),
                new PortForward(Ip("198.51.100.30"), IpProtocol.Udp, 80, "b", 80),
                new PortForward(Ip("198.51.100.30"), IpProtocol.Tcp, 8_080, "b", 80),
            ],
        }).ShouldBeRefused(
            "tenants.red.port_forwards[2].internal_port",
            "tcp port 80 of port 'b' is reached as 198.51.100.30:80 already",
            "remove this forward, or have the VM listen on another port too");

    [Fact]
    public void Two_forwards_of_a_router_may_share_an_address() =>
        WithRed(r => r with
        {
            PortForwards =
            [
                new PortForward(Ip("198.51.100.30"), IpProtocol.Tcp, 80, "b", 80),
                new PortForward(Ip("198.51.100.30"), IpProtocol.Tcp, 443, "b", 443),
            ],
        }).ShouldBeGood();

    [Fact]
    public void Routed_subnets_of_two_tenants_do_not_overlap()
    {
        Tenant blue = Red with { Name = "blue", FloatingIps = [], PortForwards = [], Ports = [] };
        blue = blue with
        {
            Routers = [blue.Routers[0] with { ExternalGateway = new ExternalGateway { Network = "public" } }],
        };
        (Good with { Tenants = Good.Tenants.SetItem(1, blue) }).ShouldBeRefused(
            "tenants.blue.routers[0].interfaces",
            "2001:db8:1:1::/64 is public and overlaps 2001:db8:1:1::/64 of router 'red/edge'");
    }

    [Fact]
    public void A_routed_subnet_holds_no_translated_address()
    {
        Subnet open = new() { Name = "open", Cidr = Prefix("198.51.100.0/27") };
        DesiredState state = WithRed(r => r with
        {
            Networks = r.Networks.Add(new Network { Name = "red-3", Subnets = [open] }),
            Routers = r.Routers.Add(new Router
            {
                Name = "plain",
                Interfaces = [new RouterInterface("open")],
                ExternalGateway = new ExternalGateway { Network = "public" },
            }),
        });
        state.ShouldBeRefusedAmongOthers(
            "tenants.red.routers[1].interfaces", "holds 198.51.100.10 of router 'red/edge'");
    }
}
