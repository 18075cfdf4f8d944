using Genkan.Control.Model;
using Genkan.Wire;
using static Genkan.Control.Tests.Samples;

namespace Genkan.Control.Tests;

public sealed class SecurityGroupRulesTests
{
    private const string Path = "tenants.red.security_groups[0]";
    private const string RulePath = $"{Path}.rules[0]";

    [Fact]
    public void Stateless_groups_are_not_supported() =>
        WithGroup(g => g with { IsStateful = false }).ShouldBeRefused($"{Path}.stateful", "'web' is stateless");

    [Fact]
    public void An_egress_rule_beside_default_egress_does_nothing() =>
        WithGroup(
            g => g with { DefaultEgress = true, Rules = [new SecurityGroupRule { Direction = Direction.Egress }] })
            .ShouldBeRefused(RulePath, "lets everything leave already", "default_egress: false");

    [Fact]
    public void A_remote_group_exists() =>
        WithRule(r => r with { RemoteGroup = "wep" })
            .ShouldBeRefused($"{RulePath}.remote_group", "there is no security group 'wep'", "did you mean 'web'?");

    [Fact]
    public void Every_tenant_has_the_default_group() =>
        WithRule(r => r with { RemoteGroup = "default" }).ShouldBeGood();

    [Fact]
    public void A_rule_has_one_remote() =>
        WithRule(r => r with { RemoteGroup = "web", RemoteIpPrefix = Prefix("10.0.0.0/8") })
            .ShouldBeRefused($"{RulePath}.remote_prefix", "a remote prefix or a remote group, not both");

    [Fact]
    public void A_remote_prefix_is_of_the_rules_family() =>
        WithRule(r => r with { EtherType = EtherType.Ipv6, RemoteIpPrefix = Prefix("10.0.0.0/8") })
            .ShouldBeRefused($"{RulePath}.remote_prefix", "10.0.0.0/8 is not of the rule's family", "ethertype: ipv4");

    [Fact]
    public void ICMPv6_is_not_for_IPv4() =>
        WithRule(
            _ => new SecurityGroupRule
            {
                Direction = Direction.Ingress,
                Protocol = IpProtocol.Icmpv6,
                EtherType = EtherType.Ipv4,
            })
            .ShouldBeRefused($"{RulePath}.protocol", "ICMPv6 is not carried by IPv4");

    [Fact]
    public void Rules_are_for_IP() =>
        WithRule(r => r with { EtherType = EtherType.Arp })
            .ShouldBeRefused($"{RulePath}.ethertype", "rules are for IPv4 or IPv6");

    [Fact]
    public void Ports_belong_to_protocols_with_ports() =>
        WithRule(r => r with { Protocol = IpProtocol.Gre })
            .ShouldBeRefused($"{RulePath}.ports", "ports belong to tcp, udp and sctp");

    [Fact]
    public void A_range_ends_after_it_begins() =>
        WithRule(r => r with { PortRangeMin = 81 })
            .ShouldBeRefused($"{RulePath}.ports", "81-80 ends before it begins", "80-81?");

    [Fact]
    public void An_ICMP_type_belongs_to_ICMP() =>
        WithRule(r => r with { IcmpType = 8 }).ShouldBeRefused($"{RulePath}.icmp_type", "belongs to icmp or icmpv6");

    [Fact]
    public void An_ICMP_code_needs_a_type() =>
        WithRule(_ => new SecurityGroupRule { Direction = Direction.Ingress, Protocol = IpProtocol.Icmp, IcmpCode = 1 })
            .ShouldBeRefused($"{RulePath}.icmp_code", "needs a type");

    [Fact]
    public void ICMP_code_255_is_reserved() =>
        WithRule(
            _ => new SecurityGroupRule
            {
                Direction = Direction.Ingress,
                Protocol = IpProtocol.Icmp,
                IcmpType = 3,
                IcmpCode = 255,
            })
            .ShouldBeRefused($"{RulePath}.icmp_code", "255 is reserved");
}
