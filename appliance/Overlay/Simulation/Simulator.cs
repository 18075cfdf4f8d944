using System;
using Genkan.Nat;
using Genkan.Overlay.Topology;
using Genkan.Wire;

namespace Genkan.Overlay.Simulation;

/// <summary>
/// What the virtual topology does with a packet: a walk over its devices. A function of its arguments alone; what it
/// changes is <c>result</c> and, for a new source NAT mapping, the NAT table.
/// </summary>
public static class Simulator
{
    /// <summary>Simulates one packet. Never throws for any octets, allocates nothing unless traced.</summary>
    /// <param name="topology">The snapshot that the host has.</param>
    /// <param name="connections">Asked only about ICMP errors and about packets to a NAT address of this host.</param>
    /// <param name="nat">Source NAT mappings of this host; zone = <see cref="ObjectId.Value"/> of the router.</param>
    /// <param name="ingress">Where the packet enters.</param>
    /// <param name="packet">Its headers, decoded without fault.</param>
    /// <param name="frame">The frame that they were decoded from; may be cut behind the transport header.</param>
    /// <param name="now">Time since boot.</param>
    /// <param name="result">Overwritten.</param>
    public static void Simulate(
        TopologySnapshot topology,
        IConnections connections,
        NatTable nat,
        in Ingress ingress,
        in PacketHeader packet,
        ReadOnlySpan<byte> frame,
        TimeSpan now,
        SimulationResult result)
    {
        result.Reset(packet);
        Walk walk = new(topology, connections, nat, ingress, in packet, frame, now, result);
        walk.Run();
    }
}
