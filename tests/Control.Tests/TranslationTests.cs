using System.Linq;
using Genkan.Control.Model;
using Genkan.Overlay.Topology;
using Genkan.Wire;
using Shouldly;
using static Genkan.Control.Tests.Samples;
using Chain = Genkan.Overlay.Topology.Chain;
using Router = Genkan.Overlay.Topology.Router;

namespace Genkan.Control.Tests;

public sealed class TranslationTests
{
    private readonly TopologyParts _parts = Good.Translated();

    private Router Edge => _parts.Routers.Single(r => r.Name == "red/edge");

    private Router Provider => _parts.Routers.Single(r => r.Name == "public provider router");

    [Fact]
    public void Every_host_accepts_the_topology()
    {
        foreach (Overlay.Topology.Host host in _parts.Hosts)
        {
            TopologySnapshot.TryCreate(
                _parts, host.Id, 1, out _, out System.Collections.Generic.IReadOnlyList<TopologyFault> faults)
                .ShouldBeTrue(string.Join('\n', faults));
        }
    }

    [Fact]
    public void The_same_state_gives_the_same_topology() =>
        Good.Translated().Ports.Select(p => p.Id).ShouldBe(_parts.Ports.Select(p => p.Id));

    [Fact]
    public void A_port_without_addresses_gets_the_first_free_one_and_its_EUI_64()
    {
        VirtualPort b = _parts.Port("red/b");
        b.Mac.Value.ShouldBeInRange(0x0201_0000_0000UL, 0x0201_FFFF_FFFFUL);
        b.Addresses.ShouldBe(
            [IpInterface.Parse("10.0.1.2/24"), new IpInterface(Prefix("2001:db8:1:1::/64").Eui64(b.Mac), 64)]);
    }

    [Fact]
    public void A_port_may_use_its_addresses_and_its_link_local_one()
    {
        VirtualPort a = _parts.Port("red/a");
        a.AllowedPairs.ShouldBe(
        [
            new AddressPair(a.Mac, Prefix("10.0.1.11/32")),
            new AddressPair(a.Mac, Prefix("2001:db8:1:1:f816:3eff:fe00:111/128")),
            new AddressPair(a.Mac, Prefix("fe80::f816:3eff:fe00:111/128")),
        ]);
        a.Binding.ShouldBe(new Overlay.Topology.PortBinding(ObjectId.Of("host", "hv1"), "a0", 0));
    }

    [Fact]
    public void A_network_without_MTU_gets_1500_or_what_the_underlay_carries()
    {
        _parts.Bridges.Single(b => b.Name == "red/red-2").Mtu.ShouldBe(1500);
        DesiredState small = WithUnderlay(u => u with { Mtu = 1500 });
        small = small with
        {
            Tenants =
            [
                small.Tenants[0] with
                {
                    Networks = small.Tenants[0].Networks.SetItem(0, small.Tenants[0].Networks[0] with { Mtu = null }),
                },
            ],
        };
        small.Translated().Bridges.Single(b => b.Name == "red/red-1").Mtu.ShouldBe(1450);
    }

    [Fact]
    public void The_gateway_serves_DHCP()
    {
        Overlay.Topology.Subnet subnet = _parts.Bridges.Single(b => b.Name == "red/red-1").Subnets[0];
        subnet.Gateway.ShouldBe(Ip("10.0.1.1"));
        subnet.DhcpServer.ShouldBe(Ip("10.0.1.1"));
        subnet.LeaseSeconds.ShouldBe(86_400u);
    }

    [Fact]
    public void A_router_has_one_port_on_a_network_for_all_its_subnets_and_a_link_local_address()
    {
        VirtualPort inside = _parts.Port("red/edge:red-1");
        inside.Addresses.ShouldBe(
        [
            IpInterface.Parse("10.0.1.1/24"), IpInterface.Parse("2001:db8:1:1::1/64"),
            new IpInterface(IpAddress.LinkLocalOf(inside.Mac), 64),
        ]);
        (inside.Mac.Value >> 32).ShouldBe(0x0200UL);
        VirtualPort bridgeSide = _parts.Port("red/red-1:edge");
        inside.Peer.ShouldBe(bridgeSide.Id);
        bridgeSide.Peer.ShouldBe(inside.Id);
        _parts.Port("red/edge:red-2").Addresses.ShouldBe([IpInterface.Parse("10.0.2.1/24")]);
    }

    [Fact]
    public void A_router_routes_its_subnets_and_all_else_to_the_outside()
    {
        Edge.Routes.Select(r => $"{r.Destination} {_parts.Ports.Single(p => p.Id == r.Port).Name}").ShouldBe(
        [
            "10.0.1.0/24 red/edge:red-1", "2001:db8:1:1::/64 red/edge:red-1", "10.0.2.0/24 red/edge:red-2",
            "0.0.0.0/0 red/edge:public", "::/0 red/edge:public",
        ]);
    }

    [Fact]
    public void The_provider_router_routes_public_addresses_to_their_router_and_ends_the_rest_of_the_prefixes()
    {
        Provider.Routes.Select(r => $"{r.Destination} {r.Target}").ShouldBe(
        [
            "198.51.100.20/32 Port", "198.51.100.10/32 Port", "2001:db8:1:1::/64 Port",
            "198.51.100.0/24 Blackhole", "2001:db8:1::/48 Blackhole", "0.0.0.0/0 FibExit", "::/0 FibExit",
        ]);
        Provider.Routes.Where(r => r.Target == RouteTarget.Port)
            .ShouldAllBe(r => r.Port == _parts.Port("public:red/edge").Id);
    }

    [Fact]
    public void A_prefix_on_the_link_to_the_ISP_is_not_ended()
    {
        DesiredState state = WithUplink(
            u => u with { Addresses = [IpInterface.Parse("198.51.100.2/24")], Gateways = [Ip("198.51.100.1")] });
        state.Translated().Routers.Single(r => r.Name == "public provider router")
            .Routes.ShouldNotContain(r => r.Destination == Prefix("198.51.100.0/24"));
    }

    [Fact]
    public void SNAT_blocks_belong_to_hosts()
    {
        Edge.SourceNat!.Blocks.ShouldBe(
        [
            new NatBlockLease(Ip("198.51.100.10"), 1024, 32767, ObjectId.Of("host", "gw1")),
            new NatBlockLease(Ip("198.51.100.10"), 32768, 49151, ObjectId.Of("host", "hv1")),
        ]);
    }

    [Fact]
    public void Without_blocks_hosts_share_equally_in_whole_granules()
    {
        DesiredState state = WithGateway(g => g with { SnatBlocks = [] });
        state = state with { Tenants = [state.Tenants[0] with { PortForwards = [] }] };
        state.Translated().Routers.Single(r => r.Name == "red/edge").SourceNat!.Blocks.ShouldBe(
        [
            new NatBlockLease(Ip("198.51.100.10"), 1024, 33279, ObjectId.Of("host", "gw1")),
            new NatBlockLease(Ip("198.51.100.10"), 33280, 65535, ObjectId.Of("host", "hv1")),
        ]);
    }

    [Fact]
    public void A_floating_IP_and_a_forward_are_the_routers()
    {
        Edge.FloatingIps.Single().FixedAddress.ShouldBe(Ip("10.0.1.11"));
        Edge.PortForwards.Single().FixedAddress.ShouldBe(Ip("10.0.1.2"));
        Edge.PortForwards.Single().ExternalPort.ShouldBe(_parts.Port("red/edge:public").Id);
    }

    [Fact]
    public void A_port_jumps_to_its_groups_and_drops_the_rest()
    {
        Chain toPort = _parts.Chains.Single(c => c.Id == _parts.Port("red/a").ToPort);
        toPort.Default.ShouldBe(RuleVerdict.Drop);
        Chain group = _parts.Chains.Single(c => c.Id == toPort.Rules.Single().JumpTo);
        group.Name.ShouldBe("ingress of security group red/web");
        group.Rules.ShouldBe(
        [
            new Rule(
                RuleVerdict.Accept,
                Protocol: IpProtocol.Tcp,
                DestinationPortMin: 80,
                DestinationPortMax: 80,
                HasPorts: true),
            new Rule(RuleVerdict.Accept, SourceGroup: _parts.AddressGroups.Single(g => g.Name == "red/web").Id),
        ]);
    }

    [Fact]
    public void A_group_without_egress_rules_lets_everything_leave()
    {
        Chain fromPort = _parts.Chains.Single(c => c.Id == _parts.Port("red/a").FromPort);
        _parts.Chains.Single(
            c => c.Id == fromPort.Rules.Single().JumpTo).Rules.ShouldBe([new Rule(RuleVerdict.Accept)]);
    }

    [Fact]
    public void A_group_with_an_egress_rule_lets_only_that_leave()
    {
        SecurityGroupRule udp = new()
        {
            Direction = Direction.Egress,
            Protocol = IpProtocol.Udp,
            RemoteIpPrefix = Prefix("10.0.0.0/8"),
        };
        TopologyParts parts = WithGroup(g => g with { Rules = [udp] }).Translated();
        parts.Chains.Single(c => c.Name == "egress of security group red/web").Rules.ShouldBe(
            [
                new Rule(
                    RuleVerdict.Accept,
                    EtherType: EtherType.Ipv4,
                    Protocol: IpProtocol.Udp,
                    Destination: Prefix("10.0.0.0/8")),
            ]);
    }

    [Fact]
    public void The_default_group_lets_its_members_in()
    {
        AddressGroup members = _parts.AddressGroups.Single(g => g.Name == "red/default");
        members.Members.ShouldBe(_parts.Port("red/b").Addresses.Select(a => a.Address), ignoreOrder: true);
        _parts.Chains.Single(c => c.Name == "ingress of security group red/default").Rules
            .ShouldBe([new Rule(RuleVerdict.Accept, SourceGroup: members.Id)]);
    }

    [Fact]
    public void Members_of_a_remote_group_are_its_ports_addresses() =>
        _parts.AddressGroups.Single(g => g.Name == "red/web").Members.ShouldBe(
            [Ip("10.0.1.11"), Ip("2001:db8:1:1:f816:3eff:fe00:111")], ignoreOrder: true);

    [Theory]
    [InlineData(null, null, EtherType.Ipv4, IpProtocol.Icmp)]
    [InlineData(EtherType.Ipv6, null, EtherType.Ipv6, IpProtocol.Icmpv6)]
    [InlineData(null, "2001:db8::/32", EtherType.Ipv6, IpProtocol.Icmpv6)]
    public void ICMP_means_the_familys_own(
        EtherType? etherType, string? prefix, EtherType expected, IpProtocol protocol)
    {
        SecurityGroupRule rule = new()
        {
            Direction = Direction.Ingress,
            Protocol = IpProtocol.Icmp,
            IcmpType = 8,
            EtherType = etherType,
            RemoteIpPrefix = prefix is null ? null : Prefix(prefix),
        };
        TopologyParts parts = WithGroup(g => g with { Rules = [rule] }).Translated();
        parts.Chains.Single(c => c.Name == "ingress of security group red/web").Rules.ShouldBe(
        [
            new Rule(
                RuleVerdict.Accept, EtherType: expected, Protocol: protocol, Source: rule.RemoteIpPrefix,
                DestinationPortMin: 8, DestinationPortMax: 255, HasPorts: true),
        ]);
    }

    [Fact]
    public void Without_port_security_a_port_has_no_chains()
    {
        VirtualPort open = WithPort(
            p => p with { SecurityGroups = null, IsPortSecurityEnabled = false }).Translated().Port("red/a");
        open.FromPort.ShouldBe(ObjectId.None);
        open.ToPort.ShouldBe(ObjectId.None);
        open.PortSecurity.ShouldBeFalse();
    }

    [Fact]
    public void An_uplink_is_a_port_of_the_provider_router()
    {
        VirtualPort uplink = _parts.Port("uplink isp");
        uplink.Role.ShouldBe(PortRole.Uplink);
        uplink.Device.ShouldBe(Provider.Id);
        _parts.ExternalNetworks.Single().Uplinks.Single().Id.ShouldBe(uplink.Id);
    }

    [Fact]
    public void Names_that_fall_into_one_tunnel_key_slot_are_refused()
    {
        // With 16 bits of slot, a thousand ports on one host hold a pair by chance (the chance that they do not is 1 in
        // 2,000).
        DesiredState state = WithRed(r => r with
        {
            Networks = r.Networks.Add(new Model.Network { Name = "big" }),
            Ports =
            [
                .. r.Ports,
                .. Enumerable.Range(0, 1000).Select(
                    i => new Port { Name = $"p{i}", Network = "big", Binding = new Model.PortBinding("hv1", $"i{i}") }),
            ],
        });
        Control.Translation.TopologyTranslator.TryTranslate(
            state,
            out TopologyParts? parts,
            out System.Collections.Immutable.ImmutableArray<Validation.ConfigError> errors)
            .ShouldBeFalse();
        parts.ShouldBeNull();
        errors.ShouldAllBe(e => e.Path == "hosts.hv1" && e.Hint == "rename one of the two");
    }
}
