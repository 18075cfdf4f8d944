using System;
using System.Collections.Generic;
using Genkan.Nat;
using Genkan.Overlay.Flows;
using Genkan.Overlay.Simulation;
using Genkan.Overlay.Topology;
using Genkan.Wire;

namespace Genkan.Overlay.Tests.Fixtures;

/// <summary>One host of a topology with its NAT table and the connections that a test says it has.</summary>
internal sealed class Lab : IConnections
{
    private readonly Dictionary<(ObjectId, IpAddress, IpAddress, IpProtocol, ushort, ushort),
        ConnectionState> _connections = [];

    public Lab(ObjectId host, TopologyParts? parts = null)
    {
        Topology = Courtyard.Snapshot(host, parts ?? Courtyard.Parts);
        foreach (Router router in Topology.Parts.Routers)
        {
            if (router.SourceNat is null) continue;
            List<NatBlock> blocks = [];
            foreach (NatBlockLease lease in router.SourceNat.Blocks)
            {
                if (lease.Host == host) blocks.Add(new NatBlock(lease.Address, lease.FirstPort, lease.LastPort));
            }

            Nat.SetBlocks(router.Id.Value, blocks.ToArray());
        }
    }

    public TopologySnapshot Topology { get; }

    public NatTable Nat { get; } =
        new(new NatLimits { BindingsMax = 1024, BindingsPerSourceMax = 8 }, NatTimeouts.Default, seed: 1);

    public SimulationResult Result { get; } = new();

    public static Lab OnHv1 => new(Courtyard.Hv1);

    public static Lab OnGw1 => new(Courtyard.Gw1);

    public SimulationResult From(string port, byte[] frame, ConnectionState state = ConnectionState.None) =>
        Simulate(new Ingress(IngressKind.Port, Courtyard.Port(port), state), frame);

    public SimulationResult Simulate(in Ingress ingress, byte[] frame)
    {
        PacketHeader packet = Frames.Decode(frame);
        Simulator.Simulate(Topology, this, Nat, ingress, packet, frame, TimeSpan.Zero, Result);
        return Result;
    }

    /// <summary>Says that an entry exists for packets with these headers at an object.</summary>
    public void Connect(ObjectId at, in PacketHeader packet, ConnectionState state) =>
        _connections[KeyOf(at, packet)] = state;

    public ConnectionState Find(in Ingress ingress, in PacketHeader packet) =>
        _connections.GetValueOrDefault(KeyOf(ingress.Object, packet));

    public static string TextOf(SimulationResult result) =>
        result.Verdict == SimulationVerdict.Drop ? $"Drop {result.DropReason}" : result.Verdict.ToString();

    private static (ObjectId, IpAddress, IpAddress, IpProtocol, ushort, ushort) KeyOf(ObjectId at, in PacketHeader p) =>
        (at, p.Source, p.Destination, p.Protocol, p.SourcePort, p.DestinationPort);
}
