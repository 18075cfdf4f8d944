using System;
using System.Collections.Generic;
using System.Collections.Immutable;
using System.Runtime.InteropServices;
using Genkan.Nat;
using Genkan.Overlay.Simulation;
using Genkan.Overlay.Topology;
using Genkan.Wire;

namespace Genkan.Overlay.Flows;

/// <summary>What happens to flows when something else than a packet comes: a new topology, adoption,
/// revalidation.</summary>
public sealed partial class SlowPath
{
    /// <summary>Takes over a connection that an earlier agent installed: its translation goes on with the same
    /// tuple.</summary>
    /// <returns>False if the translation cannot be kept (its block went to another host); the entry is
    /// removed.</returns>
    public bool Adopt(in FlowEntry entry)
    {
        if (!SourceBinding.TryRead(_topology, entry.Key, entry.Action, out NatBinding binding)) return true;
        if (_nat.TryRestore(binding, _datapath.Now, out NatRefusal _) && _nat.Retain(binding)) return true;
        _datapath.Remove(entry.Key);
        return false;
    }

    /// <summary>Simulates the flow of an entry again, from its key alone, and writes what comes out in its
    /// place.</summary>
    internal void Revalidate(in FlowEntry entry)
    {
        if (!_datapath.TryGetPort(entry.Key.KeyPort, out DatapathPort port))
        {
            _datapath.Remove(entry.Key);
            return;
        }

        _counters.Revalidated++;
        PacketHeader packet = FlowTranslator.Entering(entry.Key);
        Ingress ingress = new(port.Kind, port.Object, entry.Action.State);
        Simulator.Simulate(
            _topology, _connections, _nat, ingress, packet, ReadOnlySpan<byte>.Empty, _datapath.Now, _result);
        if (_result.Verdict == SimulationVerdict.Forward)
        {
            uint nextHop = _datapath.NextHop(_result.Egress, _result.Targets);
            if (nextHop != 0 && Install(entry.Action.State, port, packet, nextHop) == InstallOutcome.Installed) return;
        }

        // What cannot be forwarded any more is left to its next packet, which is simulated whole and counted.
        _datapath.Remove(entry.Key);
    }

    internal void CountExpired() => _counters.Expired++;

    private void RevokeTranslations(TopologySnapshot topology)
    {
        Dictionary<ObjectId, List<NatBlock>> blocks = [];
        foreach (Router router in topology.Parts.Routers)
        {
            List<NatBlock> own = blocks[router.Id] = [];
            if (router.SourceNat is null) continue;
            foreach (NatBlockLease lease in router.SourceNat.Blocks)
            {
                if (lease.Host == topology.LocalHost.Id)
                    own.Add(new NatBlock(lease.Address, lease.FirstPort, lease.LastPort));
            }
        }

        foreach (ObjectId gone in _zones)
        {
            if (!blocks.ContainsKey(gone)) blocks[gone] = [];
        }

        foreach ((ObjectId router, List<NatBlock> own) in blocks)
        {
            // Flows of revoked bindings depend on their router, whose change makes them stale at once.
            ImmutableArray<NatBinding> revoked = _nat.SetBlocks(router.Value, CollectionsMarshal.AsSpan(own));
            _counters.TranslationsRevoked += (ulong)revoked.Length;
            if (own.Count > 0) _zones.Add(router);
            else _zones.Remove(router);
        }
    }
}
