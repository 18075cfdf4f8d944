using System;
using System.Collections.Generic;
using System.Collections.Immutable;
using System.Linq;
using Genkan.Control.Model;
using Genkan.Control.Plan;
using Genkan.Control.Translation;
using Genkan.Control.Validation;
using Genkan.Datapath.Netlink;
using Genkan.Datapath.Tables;
using Genkan.Datapath.Tests.Tables;
using Genkan.Nat;
using Genkan.Overlay.Flows;
using Genkan.Overlay.Topology;
using Genkan.Wire;
using Shouldly;
using ControlHost = Genkan.Control.Model.Host;
using ControlPort = Genkan.Control.Model.Port;
using ControlRouter = Genkan.Control.Model.Router;

namespace Genkan.Datapath.Tests.Judge;

/// <summary>
/// A world as Genkan forwards it: from the desired state by translation, simulation and slow path to the tables and
/// the attached programs. What the agent does between its rings and its sockets is done here, on one thread.
/// </summary>
internal sealed class GenkanForwarder : IForwarder
{
    private readonly TestHost _host = new();
    private readonly Dictionary<string, Tap> _taps = new(StringComparer.Ordinal);
    private readonly Fence _fence;
    private readonly KernelDatapath _datapath;
    private readonly PacedDatapath _tables;
    private readonly SlowPath _slowPath;

    public GenkanForwarder(Fence fence)
    {
        _fence = fence;
        _datapath = _host.StartDatapath();
        _tables = new PacedDatapath(_datapath.Workers[0]);
        NatTable nat = new(new NatLimits { BindingsPerSourceMax = 60_000 }, NatTimeouts.Default, seed: 1);
        TopologySnapshot nothing = TestHost.Topology();
        _slowPath = new SlowPath(_tables, nat, new FlowClasses(), nothing);
        _host.Run(() => _datapath.Apply(nothing));
    }

    /// <summary>Becomes another world, as by a reload of its configuration.</summary>
    public void Become(JudgedWorld world)
    {
        foreach (Tap tap in _taps.Values) tap.Dispose();
        _taps.Clear();
        TopologySnapshot topology = MakeTopology(world);
        foreach (JudgedNetwork network in world.Networks)
        {
            ObjectId id = ObjectIds.RouterPort($"{world.Tenant}/router", network.Name);
            topology.TryGetPort(id, out VirtualPort? port).ShouldBeTrue();
            network.GatewayMac = port!.Mac;
        }

        _host.Run(() =>
        {
            using RouteSocket netlink = new();
            foreach (JudgedPort port in world.Ports)
            {
                _taps.Add(port.Name, new Tap(port.Name));
                InterfaceSysctl.SetDisableIpv6(port.Name, disabled: true);
                LinkSettings settings = new() { IsUp = true, MtuOctets = port.Network.Mtu };
                netlink.SetLink(netlink.FindLink(port.Name)!.Ifindex, settings);
            }

            _slowPath.Apply(topology);
        });
        _datapath.Faults.ShouldBeEmpty();
    }

    /// <summary>Packets that the agent decided so far.</summary>
    public ulong Upcalls => _slowPath.Counters.Upcalls;

    /// <summary>Lets the agent's time go on, between two packets.</summary>
    public void Pass() => _tables.Pass();

    public List<Arrival> Forward(string port, ReadOnlySpan<byte> frame)
    {
        _taps[port].Send(frame);
        do _fence.Pass();
        while (Serve());
        List<Arrival> arrivals = [];
        foreach (Tap tap in _taps.Values) arrivals.AddRange(tap.TakeAll().Select(f => new Arrival(tap.Name, f)));
        return arrivals;
    }

    /// <summary>What was dropped since the start, by reason.</summary>
    public Dictionary<string, ulong> DropCounts()
    {
        Dictionary<string, ulong> counts = new(StringComparer.Ordinal);
        foreach (DropCount drop in _datapath.ReadPortStatistics().SelectMany(static s => s.Drops))
        {
            string name = drop.Reason.ToString();
            counts[name] = counts.GetValueOrDefault(name) + drop.Packets;
        }

        return counts;
    }

    public void Dispose()
    {
        _datapath.Dispose();
        foreach (Tap tap in _taps.Values) tap.Dispose();
        _host.Dispose();
    }

    private bool Serve()
    {
        bool any = false;
        while (_datapath.Upcalls.TryRead(out UpcallFrame upcall))
        {
            any = true;
            _slowPath.Handle(upcall.Upcall, upcall.Frame);
        }

        _tables.Flush();
        return any;
    }

    private static TopologySnapshot MakeTopology(JudgedWorld world)
    {
        TopologyTranslator
            .TryTranslate(StateOf(world), out TopologyParts? parts, out ImmutableArray<ConfigError> errors)
            .ShouldBeTrue(string.Join("; ", errors));
        TopologySnapshot.TryCreate(
            parts!, ObjectIds.Host("h1"), 1, out TopologySnapshot? snapshot, out IReadOnlyList<TopologyFault> faults)
            .ShouldBeTrue(string.Join("; ", faults));
        return snapshot!;
    }

    private static DesiredState StateOf(JudgedWorld world) => new()
    {
        Hosts =
        [
            new ControlHost
            {
                Name = "h1",
                Underlay = new Underlay { Address = TestHost.Underlay, Interface = "ul0", Mtu = 1_600 },
            },
        ],
        Tenants =
        [
            new Tenant
            {
                Name = world.Tenant,
                Networks = [.. world.Networks.Select(NetworkOf)],
                Routers =
                [
                    new ControlRouter
                    {
                        Name = "router",
                        Interfaces = [.. world.Networks.Select(static n => new RouterInterface(n.Name))],
                        Routes = [.. world.Routes.Select(RouteOf)],
                    },
                ],
                Ports = [.. world.Ports.Select(PortOf)],
            },
        ],
    };

    private static Network NetworkOf(JudgedNetwork network) => new()
    {
        Name = network.Name,
        Mtu = network.Mtu,
        Subnets =
        [
            .. ((IpInterface[])[network.Gateway4, network.Gateway6]).Select(static gateway => new Control.Model.Subnet
            {
                Cidr = gateway.Prefix,
                GatewayIp = gateway.Address,
                IsDhcpEnabled = false, // a service that a plain router does not have
            }),
        ],
    };

    private static StaticRoute RouteOf(JudgedRoute route) => new(route.Destination, route.Target, route.Gateway);

    private static ControlPort PortOf(JudgedPort port) => new()
    {
        Name = port.Name,
        Network = port.Network.Name,
        Mac = port.Mac,
        Addresses = [port.Address4, port.Address6],
        SecurityGroups = [],
        IsPortSecurityEnabled = false,
        Binding = new Control.Model.PortBinding("h1", port.Name),
    };
}
