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
    /// <summary>Takes a new topology: kernel tables first, then the flows that depended on what changed.</summary>
    /// <returns>Flow classes that became stale.</returns>
    public int Apply(TopologySnapshot topology) => Apply(topology, TopologyDiff.ChangedTags(Topology, topology));

    /// <summary>Takes over a connection that an earlier agent installed: its translation goes on with the same
    /// tuple.</summary>
    /// <remarks>
    /// Its class is that agent's: nobody knows what it depends on, so that from here on every change makes it stale.
    /// Call
    /// <see cref="FlowSweeper.RevalidateAll"/> after the last one.
    /// </remarks>
    /// <returns>False if the translation cannot be kept (its block went to another host); the entry is
    /// removed.</returns>
    public bool Adopt(in FlowEntry entry)
    {
        _classes.AdoptUnknown(entry.Action.Stamp.ClassId);
        if (FlowTimeouts.IsNegative(entry)) Quota.TryTakeNegative(entry.Key);
        if (!SourceBinding.TryRead(Topology, entry.Key, entry.Action, out NatBinding binding)) return true;
        if (_nat.TryRestore(binding, _datapath.Now, out NatRefusal _) && _nat.Retain(binding)) return true;
        _datapath.Remove(entry.Key);
        return false;
    }

    /// <summary>Takes a topology with its difference from the current one.</summary>
    internal int Apply(TopologySnapshot topology, IReadOnlyList<StaleTag> changes)
    {
        _shared.Topology = topology;
        RevokeTranslations(topology);
        _datapath.Apply(topology);
        Quota.Apply(topology);
        return _classes.Bump(changes, _datapath);
    }

    /// <summary>Simulates the flow of an entry again, from its key alone, and writes what comes out in its
    /// place.</summary>
    internal void Revalidate(in FlowEntry entry)
    {
        _counters.Revalidated++;
        if (TryForwardAgain(entry)) return;

        // What cannot be forwarded any more is left to its next packet, which is simulated whole, answered and counted.
        // Of a
        // reply its state stays: when the rules open again, the connection goes on.
        if (entry.Action.State != ConnectionState.Reply
            || _datapath.Install(entry.Key, FlowTranslator.ReplyState) != InstallOutcome.Installed)
        {
            Remove(entry);
        }
    }

    /// <summary>Removes an entry with the hold that it has on a translation.</summary>
    /// <returns>Whether it was there.</returns>
    internal bool Remove(in FlowEntry entry)
    {
        if (!_datapath.Remove(entry.Key)) return false;
        if (SourceBinding.TryRead(Topology, entry.Key, entry.Action, out NatBinding held))
            _nat.Release(held, _datapath.Now);
        return true;
    }

    internal void CountExpired() => _counters.Expired++;

    private bool TryForwardAgain(in FlowEntry entry)
    {
        if (!_datapath.TryGetPort(entry.Key.KeyPort, out DatapathPort port)) return false;
        PacketHeader packet = FlowTranslator.Entering(entry.Key);
        Ingress ingress = new(port.Kind, port.Object, entry.Action.State);
        Simulator.Simulate(
            Topology, _connections, _nat, ingress, packet, ReadOnlySpan<byte>.Empty, _datapath.Now, _result);
        if (_result.Verdict != SimulationVerdict.Forward || !_result.IsCacheable) return false;

        uint nextHop = _datapath.NextHop(_result.Egress, _result.Targets);
        return nextHop != 0
            && Install(entry.Key, packet.EtherType, entry.Action.State, nextHop) == InstallOutcome.Installed;
    }

    private void RevokeTranslations(TopologySnapshot topology)
    {
        Dictionary<ObjectId, List<NatBlock>> blocks = [];
        foreach (Router router in topology.Parts.Routers)
        {
            List<NatBlock> own = blocks[router.Id] = [];
            if (router.SourceNat is null) continue;
            foreach (NatBlockLease lease in router.SourceNat.Blocks)
            {
                if (lease.Host != topology.LocalHost.Id) continue;
                own.Add(new NatBlock(lease.Address, lease.FirstPort, lease.LastPort));
            }
        }

        foreach (ObjectId gone in _shared.Zones)
        {
            if (!blocks.ContainsKey(gone)) blocks[gone] = [];
        }

        foreach ((ObjectId router, List<NatBlock> own) in blocks)
        {
            // Flows of revoked bindings depend on their router, whose change makes them stale at once.
            ImmutableArray<NatBinding> revoked = _nat.SetBlocks(router.Value, CollectionsMarshal.AsSpan(own));
            _counters.TranslationsRevoked += (ulong)revoked.Length;
            if (own.Count > 0) _shared.Zones.Add(router);
            else _shared.Zones.Remove(router);
        }
    }
}
