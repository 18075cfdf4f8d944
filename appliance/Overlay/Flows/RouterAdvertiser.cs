using System;
using Genkan.Overlay.Simulation;
using Genkan.Overlay.Simulation.Answers;
using Genkan.Overlay.Topology;

namespace Genkan.Overlay.Flows;

/// <summary>
/// Unsolicited router advertisements (RFC 4861 §6.2.4) to this host's ports of every network with announced IPv6
/// subnets. Hosts solicit only when their interface comes up, so that without these they would lose their default
/// route at the end of its lifetime. A pass over all networks takes as many turns as it needs.
/// </summary>
/// <param name="datapath">The kernel's tables.</param>
/// <param name="seed">Randomness of the intervals, so that hosts do not fall into step.</param>
public sealed class RouterAdvertiser(IDatapath datapath, ulong seed)
{
    /// <summary>Advertisements after which a turn ends, with the network that it is at.</summary>
    public const int PerTurnMax = 64;

    private readonly SimulationResult _result = new();
    private TimeSpan? _next;
    private ulong _passes;
    private int _bridge;

    /// <summary>MinRtrAdvInterval (RFC 4861 §6.2.1: 0.33 of the maximum).</summary>
    public static TimeSpan IntervalMin { get; } = TimeSpan.FromSeconds(200);

    /// <summary>MaxRtrAdvInterval (RFC 4861 §6.2.1).</summary>
    public static TimeSpan IntervalMax { get; } = TimeSpan.FromSeconds(600);

    /// <summary>Advertisements sent so far.</summary>
    public ulong Sent { get; private set; }

    /// <summary>Advertisements that had no next hop to be sent by.</summary>
    public ulong Unsent { get; private set; }

    /// <summary>Sends what is due.</summary>
    /// <param name="topology">The topology of now.</param>
    public void Turn(TopologySnapshot topology)
    {
        ArgumentNullException.ThrowIfNull(topology);
        _next ??= NextPass(); // hosts that start now solicit
        if (datapath.Now < _next) return;

        ulong last = Sent + Unsent + PerTurnMax;
        while (_bridge < topology.Parts.Bridges.Length && Sent + Unsent < last)
        {
            if (topology.BridgeNodes.TryGet(topology.Parts.Bridges[_bridge].Id, out BridgeNode? bridge))
                Advertise(bridge);
            _bridge++;
        }

        if (_bridge < topology.Parts.Bridges.Length) return;
        _bridge = 0;
        _next = NextPass();
    }

    private void Advertise(BridgeNode bridge)
    {
        if (!bridge.IsAdminUp || bridge.LocalPorts.Length == 0) return;
        if (!RouterAdvertisementAnswer.TryAdvertise(bridge, _result)) return;
        foreach (PortNode port in bridge.LocalPorts)
        {
            if (!port.IsAdminUp) continue;
            uint nextHop = datapath.NextHop(new Egress(EgressKind.Port, port.Id), []);
            if (nextHop == 0)
            {
                Unsent++;
                continue;
            }

            datapath.Output(nextHop, _result.Answer, default);
            Sent++;
        }
    }

    // §6.2.4: uniformly distributed between the minimum and the maximum, anew each time.
    private TimeSpan NextPass()
    {
        double fraction = Rendezvous.Weight(seed, _passes++) / (double)ulong.MaxValue;
        return datapath.Now + IntervalMin + ((IntervalMax - IntervalMin) * fraction);
    }
}
