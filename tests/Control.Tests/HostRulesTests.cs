using Genkan.Control.Model;
using static Genkan.Control.Tests.Samples;

namespace Genkan.Control.Tests;

public sealed class HostRulesTests
{
    [Fact]
    public void The_sample_is_good() => Good.ShouldBeGood();

    [Fact]
    public void A_state_needs_a_host() => new DesiredState().ShouldBeRefused("hosts", "there is no host");

    [Fact]
    public void Two_hosts_may_not_share_a_name() =>
        WithHost(h => h with { Name = "gw1" }).ShouldBeRefusedAmongOthers("hosts.gw1", "two hosts are named 'gw1'");

    [Fact]
    public void Two_hosts_may_not_share_an_underlay_address() =>
        WithUnderlay(u => u with { Address = Ip("192.0.2.11") })
            .ShouldBeRefused("hosts.hv1.underlay.address", "'gw1' and 'hv1' have the same underlay address 192.0.2.11");

    [Theory]
    [InlineData("0.0.0.0")]
    [InlineData("224.0.0.1")]
    [InlineData("127.0.0.1")]
    [InlineData("255.255.255.255")]
    [InlineData("169.254.1.1")]
    public void A_tunnel_ends_at_a_unicast_address(string address) =>
        WithUnderlay(u => u with { Address = Ip(address) })
            .ShouldBeRefused("hosts.hv1.underlay.address", $"{address} cannot be the end of a tunnel");

    [Fact]
    public void Underlay_addresses_are_of_one_family() =>
        WithUnderlay(u => u with { Address = Ip("2001:db8::2") })
            .ShouldBeRefused("hosts.hv1.underlay.address", "different families", "all underlay addresses are IPv4");

    [Theory]
    [InlineData("", "has 0")]
    [InlineData("sixteen-letters-", "has 16")]
    [InlineData("a/b", "a character that Linux refuses")]
    [InlineData("a b", "a character that Linux refuses")]
    [InlineData("..", "is not an interface name")]
    public void An_interface_name_is_one_that_Linux_takes(string name, string rule) =>
        WithUnderlay(u => u with { Interface = name }).ShouldBeRefused("hosts.hv1.underlay.interface", rule);

    [Theory]
    [InlineData(625)]
    [InlineData(9217)]
    public void The_underlay_MTU_has_limits(int mtu) =>
        WithUnderlay(u => u with { Mtu = mtu })
            .ShouldBeRefusedAmongOthers("hosts.hv1.underlay.mtu", $"an underlay MTU of {mtu} is outside 626 to 9216");

    [Fact]
    public void All_hosts_use_one_VXLAN_port() =>
        WithUnderlay(u => u with { VxlanPort = 4790 })
            .ShouldBeRefused("hosts.hv1.underlay.vxlan_port", "4790 differs from the 4789 of host 'gw1'");

    [Theory]
    [InlineData("", "has 1 to 63 characters")]
    [InlineData("a b", "holds the character ' '")]
    [InlineData("a/b", "holds the character '/'")]
    [InlineData("..", "is not a name")]
    public void Names_fit_into_paths(string name, string rule) =>
        WithHost(h => h with { Name = name }).ShouldBeRefusedAmongOthers($"hosts.{name}", rule);
}
