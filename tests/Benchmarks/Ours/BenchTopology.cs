using System;
using System.Collections.Generic;
using System.Collections.Immutable;
using Genkan.Control.Model;
using Genkan.Control.Plan;
using Genkan.Control.Translation;
using Genkan.Control.Validation;
using Genkan.Overlay.Topology;
using Genkan.Wire;

namespace Genkan.Benchmarks.Ours;

/// <summary>
/// Two networks, a router with source NAT, security groups, an uplink: in memory, for simulations alone.
/// </summary>
internal static class BenchTopology
{
    internal const string Sender = "bench/vm1";
    internal const string Router = "bench/router";

    private const string HostName = "host1";

    /// <summary>The snapshot that the one host has.</summary>
    internal static TopologySnapshot Make()
    {
        if (!TopologyTranslator.TryTranslate(State, out TopologyParts? parts, out ImmutableArray<ConfigError> errors))
            throw new InvalidOperationException(string.Join("; ", errors));
        ObjectId host = ObjectIds.Host(HostName);
        if (!TopologySnapshot.TryCreate(
            parts!, host, 1, out TopologySnapshot? snapshot, out IReadOnlyList<TopologyFault> faults))
        {
            throw new InvalidOperationException(string.Join("; ", faults));
        }

        return snapshot;
    }

    /// <summary>The MAC address of the router towards the sender.</summary>
    internal static MacAddress GatewayMac(TopologySnapshot snapshot)
    {
        ObjectId id = ObjectIds.RouterPort(Router, "net-1");
        return snapshot.TryGetPort(id, out VirtualPort? port)
            ? port.Mac
            : throw new InvalidOperationException("the router has no port in net-1");
    }

    private static DesiredState State => new()
    {
        Hosts =
        [
            new Control.Model.Host
            {
                Name = HostName,
                Underlay = new Underlay { Address = Ip("192.0.2.1"), Interface = "underlay", Mtu = 1_600 },
            },
        ],
        ExternalNetworks =
        [
            new Control.Model.ExternalNetwork { Name = "public", Prefixes = [Prefix("198.51.100.0/24")] },
        ],
        Uplinks =
        [
            new Control.Model.Uplink
            {
                Name = "isp",
                ExternalNetwork = "public",
                Host = HostName,
                Interface = "isp0",
                Addresses = [IpInterface.Parse("203.0.113.2/30")],
                Gateways = [Ip("203.0.113.1")],
            },
        ],
        Tenants = [Tenant],
    };

    private static Tenant Tenant => new()
    {
        Name = "bench",
        Networks =
        [
            new Network { Name = "net-1", Subnets = [new() { Cidr = Prefix("10.0.1.0/24"), Name = "net-1-v4" }] },
            new Network { Name = "net-2", Subnets = [new() { Cidr = Prefix("10.0.2.0/24"), Name = "net-2-v4" }] },
        ],
        Routers =
        [
            new Control.Model.Router
            {
                Name = "router",
                Interfaces = [new RouterInterface("net-1-v4"), new RouterInterface("net-2-v4")],
                ExternalGateway = new ExternalGateway
                {
                    Network = "public",
                    Address = Ip("198.51.100.10"),
                    SnatBlocks = [new SnatBlock(HostName, 1_024, 65_535)],
                },
            },
        ],
        SecurityGroups =
        [
            new SecurityGroup
            {
                Name = "open",
                Rules =
                [
                    new SecurityGroupRule { Direction = Direction.Egress, EtherType = EtherType.Ipv4 },
                    new SecurityGroupRule
                    {
                        Direction = Direction.Ingress, Protocol = IpProtocol.Udp, RemoteGroup = "open",
                    },
                ],
            },
        ],
        Ports = [Port("vm1", "net-1", "10.0.1.2"), Port("vm2", "net-2", "10.0.2.2")],
    };

    private static Control.Model.Port Port(string name, string network, string address) => new()
    {
        Name = name,
        Network = network,
        Mac = MacAddress.Parse(name == "vm1" ? Configurations.SenderMac : Configurations.ReceiverMac),
        Addresses = [Ip(address)],
        SecurityGroups = ["open"],
        Binding = new Control.Model.PortBinding(HostName, name),
    };

    private static IpAddress Ip(string text) => IpAddress.Parse(text);

    private static IpPrefix Prefix(string text) => IpPrefix.Parse(text);
}
