using System;
using System.Collections.Generic;
using System.Collections.Immutable;
using System.Linq;
using Genkan.Control.Model;
using Genkan.Control.Translation;
using Genkan.Control.Validation;
using Genkan.Overlay.Topology;
using Genkan.Wire;
using Shouldly;
using ExternalGateway = Genkan.Control.Model.ExternalGateway;
using ExternalNetwork = Genkan.Control.Model.ExternalNetwork;
using FloatingIp = Genkan.Control.Model.FloatingIp;
using Host = Genkan.Control.Model.Host;
using PortBinding = Genkan.Control.Model.PortBinding;
using Router = Genkan.Control.Model.Router;
using Subnet = Genkan.Control.Model.Subnet;
using Uplink = Genkan.Control.Model.Uplink;
using Network = Genkan.Control.Model.Network;
using PortForward = Genkan.Control.Model.PortForward;

namespace Genkan.Control.Tests;

/// <summary>A small good state, and how tests change and judge it.</summary>
internal static class Samples
{
    public static DesiredState Good { get; } = new()
    {
        Hosts =
        [
            new Host
            {
                Name = "gw1",
                Underlay = new Underlay { Address = Ip("192.0.2.11"), Interface = "ul0", Mtu = 1600 },
            },
            new Host
            {
                Name = "hv1",
                Underlay = new Underlay { Address = Ip("192.0.2.12"), Interface = "ul0", Mtu = 1600 },
            },
        ],
        ExternalNetworks =
        [
            new ExternalNetwork { Name = "public", Prefixes = [Prefix("198.51.100.0/24"), Prefix("2001:db8:1::/48")] },
        ],
        Uplinks =
        [
            new Uplink
            {
                Name = "isp", ExternalNetwork = "public", Host = "gw1", Interface = "isp0",
                Addresses = [IpInterface.Parse("203.0.113.2/30")], Gateways = [Ip("203.0.113.1")],
            },
        ],
        Tenants = [Red, new Tenant { Name = "blue" }],
    };

    public static Tenant Red => new()
    {
        Name = "red",
        Networks =
        [
            new Network
            {
                Name = "red-1",
                Mtu = 1500,
                Subnets =
                [
                    new Subnet { Name = "red-1-v4", Cidr = Prefix("10.0.1.0/24") },
                    new Subnet { Name = "red-1-v6", Cidr = Prefix("2001:db8:1:1::/64") },
                ],
            },
            new Network { Name = "red-2", Subnets = [new Subnet { Name = "red-2-v4", Cidr = Prefix("10.0.2.0/24") }] },
        ],
        Routers =
        [
            new Router
            {
                Name = "edge",
                Interfaces =
                [
                    new RouterInterface("red-1-v4"), new RouterInterface("red-1-v6"), new RouterInterface("red-2-v4"),
                ],
                ExternalGateway = new ExternalGateway
                {
                    Network = "public",
                    Address = Ip("198.51.100.10"),
                    SnatBlocks = [new SnatBlock("gw1", 1024, 32767), new SnatBlock("hv1", 32768, 49151)],
                },
            },
        ],
        SecurityGroups =
        [
            new SecurityGroup
            {
                Name = "web",
                Rules =
                [
                    new SecurityGroupRule
                    {
                        Direction = Direction.Ingress, Protocol = IpProtocol.Tcp, PortRangeMin = 80, PortRangeMax = 80,
                    },
                    new SecurityGroupRule { Direction = Direction.Ingress, RemoteGroup = "web" },
                ],
            },
        ],
        Ports =
        [
            new Port
            {
                Name = "a", Network = "red-1", Mac = MacAddress.Parse("fa:16:3e:00:01:11"),
                Addresses = [Ip("10.0.1.11")],
                SecurityGroups = ["web"], Binding = new PortBinding("hv1", "a0"),
            },
            new Port { Name = "b", Network = "red-1", Binding = new PortBinding("gw1", "b0") },
        ],
        FloatingIps = [new FloatingIp(Ip("198.51.100.20"), "a")],
        PortForwards = [new PortForward(Ip("198.51.100.10"), IpProtocol.Tcp, 50_080, "b", 80)],
    };

    public static IpAddress Ip(string text) => IpAddress.Parse(text);

    public static IpPrefix Prefix(string text) => IpPrefix.Parse(text);

    /// <summary>The good state with tenant red changed.</summary>
    public static DesiredState WithRed(Func<Tenant, Tenant> change) =>
        Good with { Tenants = Good.Tenants.SetItem(0, change(Good.Tenants[0])) };

    public static DesiredState WithHost(Func<Host, Host> change) =>
        Good with { Hosts = Good.Hosts.SetItem(1, change(Good.Hosts[1])) };

    public static DesiredState WithUnderlay(Func<Underlay, Underlay> change) =>
        WithHost(host => host with { Underlay = change(host.Underlay) });

    public static DesiredState WithUplink(Func<Uplink, Uplink> change) =>
        Good with { Uplinks = [change(Good.Uplinks[0])] };

    public static DesiredState WithNetwork(Func<Network, Network> change) =>
        WithRed(red => red with { Networks = red.Networks.SetItem(0, change(red.Networks[0])) });

    public static DesiredState WithSubnet(Func<Subnet, Subnet> change) =>
        WithNetwork(network => network with { Subnets = network.Subnets.SetItem(0, change(network.Subnets[0])) });

    public static DesiredState WithRouter(Func<Router, Router> change) =>
        WithRed(red => red with { Routers = [change(red.Routers[0])] });

    public static DesiredState WithGateway(Func<ExternalGateway, ExternalGateway> change) =>
        WithRouter(router => router with { ExternalGateway = change(router.ExternalGateway!) });

    public static DesiredState WithGroup(Func<SecurityGroup, SecurityGroup> change) =>
        WithRed(red => red with { SecurityGroups = [change(red.SecurityGroups[0])] });

    public static DesiredState WithRule(Func<SecurityGroupRule, SecurityGroupRule> change) =>
        WithGroup(group => group with { Rules = group.Rules.SetItem(0, change(group.Rules[0])) });

    public static DesiredState WithPort(Func<Port, Port> change) =>
        WithRed(red => red with { Ports = red.Ports.SetItem(0, change(red.Ports[0])) });

    /// <summary>Exactly one error, at a path, whose rule and hint hold a text.</summary>
    public static void ShouldBeRefused(this DesiredState state, string path, string rule, string hint = "")
    {
        ImmutableArray<ConfigError> errors = DesiredStateValidator.Validate(state);
        errors.Length.ShouldBe(1, string.Join('\n', errors));
        errors[0].Path.ShouldBe(path);
        errors[0].Rule.ShouldContain(rule);
        errors[0].Hint.ShouldContain(hint);
    }

    /// <summary>An error at a path whose rule holds a text, perhaps among others.</summary>
    public static void ShouldBeRefusedAmongOthers(this DesiredState state, string path, string rule)
    {
        ImmutableArray<ConfigError> errors = DesiredStateValidator.Validate(state);
        errors.ShouldContain(
            e => e.Path == path && e.Rule.Contains(rule, StringComparison.Ordinal), string.Join('\n', errors));
    }

    public static void ShouldBeGood(this DesiredState state) => DesiredStateValidator.Validate(state).ShouldBeEmpty();

    /// <summary>Good, and each host takes it: what validation lets through must load.</summary>
    public static void ShouldBeAccepted(this DesiredState state)
    {
        state.ShouldBeGood();
        TopologyParts parts = state.Translated();
        foreach (Overlay.Topology.Host host in parts.Hosts)
        {
            TopologySnapshot.TryCreate(parts, host.Id, 1, out _, out IReadOnlyList<TopologyFault> faults)
                .ShouldBeTrue(string.Join('\n', faults));
        }
    }

    public static TopologyParts Translated(this DesiredState state)
    {
        TopologyTranslator.TryTranslate(state, out TopologyParts? parts, out ImmutableArray<ConfigError> errors)
            .ShouldBeTrue(string.Join('\n', errors));
        return parts!;
    }

    public static VirtualPort Port(this TopologyParts parts, string name) => parts.Ports.Single(p => p.Name == name);
}
