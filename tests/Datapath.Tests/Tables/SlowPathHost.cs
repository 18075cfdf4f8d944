using System;
using System.Collections.Generic;
using System.Collections.Immutable;
using System.Linq;
using Genkan.Control.Model;
using Genkan.Control.Plan;
using Genkan.Control.Translation;
using Genkan.Control.Validation;
using Genkan.Datapath.Tables;
using Genkan.Nat;
using Genkan.Overlay.Flows;
using Genkan.Overlay.Topology;
using Genkan.Wire;
using Shouldly;
using ControlHost = Genkan.Control.Model.Host;
using ControlPort = Genkan.Control.Model.Port;
using ControlRouter = Genkan.Control.Model.Router;
using ControlUplink = Genkan.Control.Model.Uplink;

namespace Genkan.Datapath.Tests.Tables;

/// <summary>
/// The slow path's workers over the real kernel: vm1 in 10.0.1.0/24 and vm2 in 10.0.2.0/24, a router between them with
/// source NAT to an ISP. TCP port 80 is open, the rest is not.
/// </summary>
internal sealed class SlowPathHost : IDisposable
{
    private readonly TestHost _host = new();

    public SlowPathHost(int workerCount, TableSizes? sizes = null)
    {
        _host.AddVm(1);
        _host.AddVm(2);
        _host.AddIsp("isp0", IpInterface.Parse("203.0.113.1/30"));
        Topology = MakeTopology();
        Datapath = _host.Run(() => KernelDatapath.Start(_host.Options with
        {
            Workers = workerCount,
            Sizes = sizes ?? TableSizes.Small,
        }));
        Main = new SlowPath(Datapath, Nat, new FlowClasses(), Topology);
        Workers = [.. Datapath.Workers.Select(worker => (new SlowPath(Main, worker), worker))];
        _host.Run(() => Datapath.Apply(Topology));
        Datapath.Faults.ShouldBeEmpty();
    }

    public TopologySnapshot Topology { get; }

    public KernelDatapath Datapath { get; }

    public NatTable Nat { get; } =
        new(new NatLimits { BindingsPerSourceMax = 60_000 }, NatTimeouts.Default, seed: 1);

    public SlowPath Main { get; }

    public IReadOnlyList<(SlowPath SlowPath, DatapathWorker Datapath)> Workers { get; }

    /// <summary>The router's MAC towards vm1.</summary>
    public MacAddress Gateway => Topology.TryGetPort(ObjectIds.RouterPort("red/router", "net-1"), out VirtualPort? port)
        ? port.Mac
        : throw new InvalidOperationException("the router has no port in net-1");

    public ObjectId Router => ObjectIds.Router("red/router");

    /// <summary>A packet of vm1 as the kernel sends it up.</summary>
    public (Upcall Upcall, byte[] Frame) Up(
        byte[] frame, UpcallKind kind = UpcallKind.Miss, ConnectionState state = ConnectionState.None)
    {
        Datapath.TryGetSlot(ObjectIds.Port("red/vm1"), out uint slot).ShouldBeTrue();
        return (new Upcall(slot, kind, state, (uint)frame.Length, 2, default), frame);
    }

    /// <summary>A TCP packet of vm1 that opens a connection.</summary>
    public byte[] Tcp(string destination, ushort sourcePort, ushort port = 80, byte hopLimit = 64)
    {
        byte[] buffer = new byte[128];
        FrameWriter writer = new(buffer);
        writer.Ethernet(Gateway, TestHost.MacOf(1));
        writer.Ip(TestHost.AddressOf(1), IpAddress.Parse(destination), IpProtocol.Tcp, hopLimit);
        writer.Tcp(sourcePort, port, TcpFlags.Syn, 1, 0, 65535);
        return buffer[..writer.Finish()];
    }

    /// <summary>A UDP packet of vm1.</summary>
    public byte[] Udp(string destination, ushort sourcePort, ushort port = 53)
    {
        byte[] buffer = new byte[128];
        FrameWriter writer = new(buffer);
        writer.Ethernet(Gateway, TestHost.MacOf(1));
        writer.Ip(TestHost.AddressOf(1), IpAddress.Parse(destination), IpProtocol.Udp);
        writer.Udp(sourcePort, port);
        writer.Octets("12345678"u8);
        return buffer[..writer.Finish()];
    }

    /// <summary>vm1's ping of an address.</summary>
    public byte[] Ping(string destination, ushort id)
    {
        byte[] buffer = new byte[128];
        FrameWriter writer = new(buffer);
        writer.Ethernet(Gateway, TestHost.MacOf(1));
        writer.Ip(TestHost.AddressOf(1), IpAddress.Parse(destination), IpProtocol.Icmp);
        writer.Icmp((byte)IcmpType.Echo, 0, ((uint)id << 16) | 1);
        return buffer[..writer.Finish()];
    }

    /// <summary>vm1's question for its gateway's MAC.</summary>
    public static byte[] Arp()
    {
        byte[] buffer = new byte[64];
        FrameWriter writer = new(buffer);
        writer.Ethernet(MacAddress.Broadcast, TestHost.MacOf(1));
        writer.Arp(
            ArpOperation.Request, TestHost.MacOf(1), TestHost.AddressOf(1), MacAddress.Zero,
            IpAddress.Parse("10.0.1.254"));
        return buffer[..writer.Finish()];
    }

    /// <summary>All connections.</summary>
    public List<FlowEntry> Scan()
    {
        List<FlowEntry> all = [];
        FlowEntry[] batch = new FlowEntry[FlowLimits.SweepBatch];
        ulong cursor = 0;
        do
        {
            int count = Datapath.Scan(batch, ref cursor);
            all.AddRange(batch[..count]);
        }
        while (cursor != 0);
        return all;
    }

    public void Dispose()
    {
        Datapath.Dispose();
        _host.Dispose();
    }

    private static TopologySnapshot MakeTopology()
    {
        TopologyTranslator.TryTranslate(State, out TopologyParts? parts, out ImmutableArray<ConfigError> errors)
            .ShouldBeTrue(string.Join("; ", errors));
        TopologySnapshot.TryCreate(
            parts!, ObjectIds.Host("h1"), 1, out TopologySnapshot? snapshot, out IReadOnlyList<TopologyFault> faults)
            .ShouldBeTrue(string.Join("; ", faults));
        return snapshot!;
    }

    private static DesiredState State => new()
    {
        Hosts =
        [
            new ControlHost
            {
                Name = "h1",
                Underlay = new Underlay { Address = TestHost.Underlay, Interface = "ul0", Mtu = 1_600 },
            },
        ],
        ExternalNetworks =
        [
            new Control.Model.ExternalNetwork { Name = "public", Prefixes = [IpPrefix.Parse("198.51.100.0/24")] },
        ],
        Uplinks =
        [
            new ControlUplink
            {
                Name = "isp",
                ExternalNetwork = "public",
                Host = "h1",
                Interface = "isp0",
                Addresses = [IpInterface.Parse("203.0.113.2/30")],
                Gateways = [IpAddress.Parse("203.0.113.1")],
            },
        ],
        Tenants = [Red],
    };

    private static Tenant Red => new()
    {
        Name = "red",
        Networks =
        [
            new Network { Name = "net-1", Subnets = [SubnetOf("10.0.1.0/24", "10.0.1.254", "net-1-v4")] },
            new Network { Name = "net-2", Subnets = [SubnetOf("10.0.2.0/24", "10.0.2.254", "net-2-v4")] },
        ],
        Routers =
        [
            new ControlRouter
            {
                Name = "router",
                Interfaces = [new RouterInterface("net-1-v4"), new RouterInterface("net-2-v4")],
                ExternalGateway = new ExternalGateway
                {
                    Network = "public",
                    Address = IpAddress.Parse("198.51.100.10"),
                    SnatBlocks = [new SnatBlock("h1", 1_024, 65_535)],
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
                    new SecurityGroupRule { Direction = Direction.Egress, EtherType = EtherType.Ipv4 },
                    new SecurityGroupRule
                    {
                        Direction = Direction.Ingress, EtherType = EtherType.Ipv4, Protocol = IpProtocol.Tcp,
                        PortRangeMin = 80, PortRangeMax = 80,
                    },
                ],
            },
        ],
        Ports =
        [
            PortOf(1, "net-1", TestHost.AddressOf(1)), PortOf(2, "net-2", IpAddress.Parse("10.0.2.2")),
        ],
    };

    private static Control.Model.Subnet SubnetOf(string cidr, string gateway, string name) =>
        new() { Cidr = IpPrefix.Parse(cidr), GatewayIp = IpAddress.Parse(gateway), Name = name };

    private static ControlPort PortOf(int vm, string network, IpAddress address) => new()
    {
        Name = TestHost.InterfaceOf(vm),
        Network = network,
        Mac = TestHost.MacOf(vm),
        Addresses = [address],
        SecurityGroups = ["web"],
        Binding = new Control.Model.PortBinding("h1", TestHost.InterfaceOf(vm)),
    };
}
