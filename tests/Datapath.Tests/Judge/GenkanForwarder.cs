using System;
using System.Collections.Generic;
using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using System.IO;
using System.Linq;
using Genkan.Control.Model;
using Genkan.Control.Plan;
using Genkan.Control.Translation;
using Genkan.Control.Validation;
using Genkan.Datapath.Bpf;
using Genkan.Datapath.Native;
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
    private const int PendingPackets = 8; // of one flow that wait behind another, at least

    private readonly TestHost _host = new();
    private readonly Dictionary<string, Tap> _taps = new(StringComparer.Ordinal);
    private readonly Fence _fence;
    private readonly KernelDatapath _datapath;
    private readonly PacedDatapath _tables;
    private readonly SlowPath _slowPath;
    private readonly FlowSweeper _sweeper;
    private readonly BpfMap _shareMap;
    private readonly BpfTable<uint, ulong> _shares;
    private readonly BpfMap _pendingMap;
    private readonly BpfTable<ulong, ulong> _pending;
    private int _passed;
    private Dictionary<string, ulong> _dropsBefore = new(StringComparer.Ordinal);

    public GenkanForwarder(Fence fence)
    {
        _fence = fence;
        _datapath = _host.StartDatapath();
        _tables = new PacedDatapath(_datapath.Workers[0]);
        NatTable nat = new(new NatLimits { BindingsPerSourceMax = 60_000 }, NatTimeouts.Default, seed: 1);
        TopologySnapshot nothing = TestHost.Topology();
        FlowClasses classes = new();
        _slowPath = new SlowPath(_tables, nat, classes, nothing);
        _sweeper = new FlowSweeper(_tables, classes, _slowPath);
        _host.Run(() =>
        {
            _datapath.Apply(nothing);
            LinuxForwarder.Execute("nft", "-f -", LinuxForwarder.Quiet); // the host's own end of an uplink
        });
        _shareMap = Open("fragment_share");
        _shares = new BpfTable<uint, ulong>(_shareMap);
        _pendingMap = Open("pending");
        _pending = new BpfTable<ulong, ulong>(_pendingMap);
    }

    /// <summary>Becomes another world, as by a reload of its configuration.</summary>
    /// <returns>False if two of its names have one tunnel key slot, which an operator is told to change.</returns>
    public bool TryBecome(JudgedWorld world)
    {
        if (!TryMakeTopology(world, out TopologySnapshot? topology)) return false;
        foreach (Tap tap in _taps.Values) tap.Dispose();
        _taps.Clear();
        Forget();
        foreach (JudgedNetwork network in world.Networks)
        {
            ObjectId id = ObjectIds.RouterPort($"{world.Tenant}/router", network.Name);
            topology.TryGetPort(id, out VirtualPort? port).ShouldBeTrue();
            network.GatewayMac = port!.Mac;
        }

        if (world.Outside is { } outside)
            outside.Isp.Network.GatewayMac = UplinkDevices.MacOf(ObjectIds.Uplink(world.UplinkName));

        _host.Run(() =>
        {
            using RouteSocket netlink = new();
            foreach (JudgedPort port in world.AllPorts)
            {
                _taps.Add(port.Name, new Tap(port.Name));
                InterfaceSysctl.SetDisableIpv6(port.Name, disabled: true);
                LinkSettings settings = new() { IsUp = true, MtuOctets = port.Network.Mtu };
                netlink.SetLink(netlink.FindLink(port.Name)!.Ifindex, settings);
            }

            _slowPath.Apply(topology);
            if (world.Outside is not null) LinuxForwarder.Execute("ip", "-batch -", Neighbours(world));
        });
        _datapath.Faults.ShouldBeEmpty();
        _dropsBefore = DropCounts();
        return true;
    }

    private static string Neighbours(JudgedWorld world)
    {
        JudgedPort isp = world.Outside!.Isp;
        string device = UplinkDevices.HostNameOf(ObjectIds.Uplink(world.UplinkName));
        return $"neighbour replace {isp.Address4} lladdr {isp.Mac} dev {device} nud permanent\n"
            + $"neighbour replace {isp.Address6} lladdr {isp.Mac} dev {device} nud permanent\n";
    }

    /// <summary>Packets that the agent decided so far.</summary>
    public ulong Upcalls => _slowPath.Counters.Upcalls;

    /// <summary>Lets time go on, between two packets: the agent's, and that of what the programs allow only so often,
    /// datagrams in pieces and packets that wait behind another.</summary>
    /// <param name="tenant">The world's.</param>
    /// <param name="next">What is sent next.</param>
    public void Pass(string tenant, JudgedPacket next)
    {
        _tables.Pass();
        bool isInPieces = next.PieceOctets > 0;
        if (!isInPieces && ++_passed % PendingPackets != 0) return; // to look into the table takes 0.1 ms
        while (_pending.TryGetFirstKey(out ulong digest)) _pending.Delete(digest);
        if (isInPieces && _tables.TryGetSlot(ObjectIds.Port($"{tenant}/{next.From.Name}"), out uint slot))
            _shares.Update(slot, 0).ShouldBe(Errno.None);
    }

    public List<Arrival> Forward(string port, ReadOnlySpan<byte> frame)
    {
        _taps[port].Send(frame);
        do _fence.Pass();
        while (Serve());
        List<Arrival> arrivals = [];
        foreach (Tap tap in _taps.Values) arrivals.AddRange(tap.TakeAll().Select(f => new Arrival(tap.Name, f)));
        return arrivals;
    }

    /// <summary>What was dropped in this world, by reason.</summary>
    public IEnumerable<string> Drops() => DropCounts()
        .Select(d => (d.Key, Count: d.Value - _dropsBefore.GetValueOrDefault(d.Key)))
        .Where(static d => d.Count > 0)
        .OrderByDescending(static d => d.Count)
        .Select(static d => $"{d.Key} {d.Count}");

    public void Dispose()
    {
        _pendingMap.Dispose();
        _shareMap.Dispose();
        _datapath.Dispose();
        foreach (Tap tap in _taps.Values) tap.Dispose();
        _host.Dispose();
    }

    private BpfMap Open(string name) => BpfMap.TryOpenPinned(Path.Combine(_host.Options.PinRoot, "h1", name))!;

    // The tables are those of a small machine, too small for the connections of many worlds.
    private void Forget()
    {
        _tables.PassLong();
        while (!_sweeper.Turn())
        {
            // a batch at a time
        }

        _datapath.Reclaim();
    }

    private Dictionary<string, ulong> DropCounts()
    {
        Dictionary<string, ulong> counts = new(StringComparer.Ordinal);
        foreach (DropCount drop in _datapath.ReadPortStatistics().SelectMany(static s => s.Drops))
        {
            string name = drop.Reason.ToString();
            counts[name] = counts.GetValueOrDefault(name) + drop.Packets;
        }

        return counts;
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

    private static bool TryMakeTopology(JudgedWorld world, [NotNullWhen(true)] out TopologySnapshot? topology)
    {
        topology = null;
        bool isValid = TopologyTranslator.TryTranslate(
            StateOf(world), out TopologyParts? parts, out ImmutableArray<ConfigError> errors);
        if (errors.Any(static e => e.Rule.Contains("the same tunnel key slot", StringComparison.Ordinal))) return false;
        isValid.ShouldBeTrue(string.Join("; ", errors));
        TopologySnapshot.TryCreate(
            parts!, ObjectIds.Host("h1"), 1, out topology, out IReadOnlyList<TopologyFault> faults)
            .ShouldBeTrue(string.Join("; ", faults));
        return topology is not null;
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
        ExternalNetworks = world.Outside is null
            ? []
            : [new Control.Model.ExternalNetwork { Name = "public", Prefixes = JudgedOutside.Prefixes }],
        Uplinks = world.Outside is null ? [] : [UplinkOf(world, world.Outside)],
        Tenants =
        [
            new Tenant
            {
                Name = world.Tenant,
                SecurityGroups = world.Groups,
                FloatingIps =
                [
                    .. world.Outside?.FloatingIps.Select(static f =>
                        new Control.Model.FloatingIp(f.Address, f.Port.Name)) ?? [],
                ],
                PortForwards = [.. world.Outside?.Forwards.Select(static f => f.Forward) ?? []],
                Networks = [.. world.Networks.Select(NetworkOf)],
                Routers =
                [
                    new ControlRouter
                    {
                        Name = "router",
                        Interfaces = [.. world.Networks.Select(static n => new RouterInterface(n.Name))],
                        Routes = [.. world.Routes.Select(RouteOf)],
                        ExternalGateway = world.Outside is null ? null : GatewayOf(world.Outside),
                    },
                ],
                Ports = [.. world.Ports.Select(PortOf)],
            },
        ],
    };

    private static Control.Model.Uplink UplinkOf(JudgedWorld world, JudgedOutside outside) => new()
    {
        Name = world.UplinkName,
        ExternalNetwork = "public",
        Host = "h1",
        Interface = outside.Isp.Name,
        Addresses = [outside.Isp.Network.Gateway4, outside.Isp.Network.Gateway6],
        Gateways = [outside.Isp.Address4, outside.Isp.Address6],
    };

    private static ExternalGateway GatewayOf(JudgedOutside outside) => new()
    {
        Network = "public",
        Address = outside.Address4,
        IsSnatEnabled = outside.IsSnatEnabled,
        SnatBlocks = outside.IsSnatEnabled ? [new SnatBlock("h1", JudgedOutside.NatPortMin, ushort.MaxValue)] : [],
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
        SecurityGroups = port.Groups,
        IsPortSecurityEnabled = port.IsSecured,
        Binding = new Control.Model.PortBinding("h1", port.Name),
    };
}
