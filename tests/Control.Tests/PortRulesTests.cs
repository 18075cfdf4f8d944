using System.Linq;
using Genkan.Control.Model;
using Genkan.Wire;
using static Genkan.Control.Tests.Samples;

namespace Genkan.Control.Tests;

public sealed class PortRulesTests
{
    private const string Path = "tenants.red.ports[0]";

    [Fact]
    public void A_port_names_a_network_that_exists() =>
        WithPort(p => p with { Network = "red1" })
            .ShouldBeRefusedAmongOthers($"{Path}.network", "there is no network 'red1'");

    [Fact]
    public void A_MAC_is_unicast() =>
        WithPort(p => p with { Mac = MacAddress.Parse("fb:16:3e:00:01:11") })
            .ShouldBeRefused($"{Path}.mac", "is a group address: its first octet is odd", "fa:16:3e:00:01:11");

    [Fact]
    public void A_MAC_is_not_zero() =>
        WithPort(p => p with { Mac = MacAddress.Zero }).ShouldBeRefused($"{Path}.mac", "is no address");

    [Fact]
    public void Two_ports_of_a_network_have_different_MACs() =>
        WithRed(r => r with { Ports = r.Ports.SetItem(1, r.Ports[1] with { Mac = r.Ports[0].Mac }) })
            .ShouldBeRefusedAmongOthers("tenants.red.ports[1].mac", "is the MAC of port 'a' on network 'red-1' too");

    [Fact]
    public void An_address_is_in_a_subnet_of_the_network() =>
        WithPort(p => p with { Addresses = [Ip("10.0.3.11")] }).ShouldBeRefused(
            $"{Path}.addresses[0]", "port 'a': 10.0.3.11 is in no subnet of network 'red-1'",
            "10.0.1.0/24, 2001:db8:1:1::/64");

    [Theory]
    [InlineData("10.0.1.0", "is the network or broadcast address of 10.0.1.0/24")]
    [InlineData("10.0.1.255", "is the network or broadcast address of 10.0.1.0/24")]
    [InlineData("2001:db8:1:1::", "is the network or broadcast address of 2001:db8:1:1::/64")]
    public void An_address_is_a_host_address(string address, string rule) =>
        WithPort(p => p with { Addresses = [Ip("10.0.1.11"), Ip(address)] })
            .ShouldBeRefused($"{Path}.addresses[1]", rule);

    [Fact]
    public void An_address_is_not_the_gateway() =>
        WithPort(p => p with { Addresses = [Ip("10.0.1.1")] })
            .ShouldBeRefusedAmongOthers($"{Path}.addresses[0]", "10.0.1.1 is the gateway of 10.0.1.0/24");

    [Fact]
    public void Two_ports_of_a_network_have_different_addresses() =>
        WithRed(r => r with { Ports = r.Ports.SetItem(1, r.Ports[1] with { Addresses = [Ip("10.0.1.11")] }) })
            .ShouldBeRefused(
            "tenants.red.ports[1].addresses[0]", "10.0.1.11 is the address of port 'a' on network 'red-1' too");

    [Fact]
    public void A_full_subnet_has_no_address_left() =>
        WithRed(r => r with
        {
            Networks = r.Networks.SetItem(
                1,
                new Network
                {
                    Name = "red-2",
                    Subnets = [new Subnet { Name = "red-2-v4", Cidr = Prefix("10.0.2.0/30") }],
                }),
            Ports =
            [
                .. r.Ports, new Port { Name = "x", Network = "red-2" }, new Port { Name = "y", Network = "red-2" },
            ],
        }).ShouldBeRefused("tenants.red.ports[3]", "port 'y' finds no free address: 10.0.2.0/30 is full");

    [Fact]
    public void A_security_group_exists() =>
        WithPort(p => p with { SecurityGroups = ["webb"] })
            .ShouldBeRefused($"{Path}.security_groups[0]", "there is no security group 'webb'", "did you mean 'web'?");

    [Fact]
    public void A_security_group_is_named_once() =>
        WithPort(p => p with { SecurityGroups = ["web", "web"] })
            .ShouldBeRefused($"{Path}.security_groups[1]", "'web' is named twice");

    [Fact]
    public void Security_groups_need_port_security() =>
        WithPort(p => p with { IsPortSecurityEnabled = false })
            .ShouldBeRefused($"{Path}.port_security", "but port security is off");

    [Fact]
    public void An_allowed_address_is_unicast() =>
        WithPort(p => p with { AllowedAddressPairs = [new AllowedAddressPair(Prefix("224.0.0.0/4"))] })
            .ShouldBeRefused($"{Path}.allowed_address_pairs[0].address", "is multicast");

    [Fact]
    public void An_allowed_MAC_is_unicast() =>
        WithPort(
            p => p with
            {
                AllowedAddressPairs = [new AllowedAddressPair(Prefix("10.0.1.100/32"), MacAddress.Broadcast)],
            })
            .ShouldBeRefused($"{Path}.allowed_address_pairs[0].mac", "is a group address");

    [Fact]
    public void A_binding_names_a_host_that_exists() =>
        WithPort(p => p with { Binding = new PortBinding("hv2", "a0") })
            .ShouldBeRefused($"{Path}.binding.host", "there is no host 'hv2'", "did you mean 'hv1'?");

    [Fact]
    public void An_interface_and_VLAN_carries_one_port() =>
        WithPort(p => p with { Binding = new PortBinding("gw1", "b0") })
            .ShouldBeRefused("tenants.red.ports[1].binding.interface", "'b0' of host 'gw1', as port 'red/a' is");

    [Fact]
    public void Two_VLANs_of_an_interface_carry_two_ports() =>
        WithPort(p => p with { Binding = new PortBinding("gw1", "b0", 7) }).ShouldBeGood();

    [Fact]
    public void A_port_is_not_on_an_uplink() =>
        WithPort(p => p with { Binding = new PortBinding("gw1", "isp0") })
            .ShouldBeRefused($"{Path}.binding.interface", "as uplink 'isp' is");

    [Fact]
    public void A_port_is_not_on_the_underlay() =>
        WithPort(p => p with { Binding = new PortBinding("hv1", "ul0") })
            .ShouldBeRefused($"{Path}.binding.interface", "'ul0', the underlay of host 'hv1'");

    [Fact]
    public void A_bindings_VLAN_is_1_to_4094() =>
        WithPort(p => p with { Binding = new PortBinding("hv1", "a0", 4095) })
            .ShouldBeRefused($"{Path}.binding.vlan", "VLAN 4095 does not exist");

    [Fact]
    public void A_bindings_interface_has_15_characters() =>
        WithPort(p => p with { Binding = new PortBinding("hv1", string.Concat(Enumerable.Repeat("x", 16))) })
            .ShouldBeRefused($"{Path}.binding.interface", "has 16");
}
