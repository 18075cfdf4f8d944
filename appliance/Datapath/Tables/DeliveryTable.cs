using System;
using System.Collections.Generic;
using System.Linq;
using System.Threading;
using Genkan.Datapath.Bpf;
using Genkan.Datapath.Layout;
using Genkan.Overlay.Flows;
using Genkan.Overlay.Topology;

namespace Genkan.Datapath.Tables;

/// <summary>What this host does for the tunnel keys that it is sent.</summary>
internal sealed class DeliveryTable : IDisposable
{
    private readonly MmapArray<DeliveryEntry> _deliveries;
    private readonly PortTable _ports;
    private readonly HashSet<ushort> _used = [];
    private readonly HashSet<ushort> _wanted = [];

    internal DeliveryTable(BpfMap map, PortTable ports)
    {
        _deliveries = new MmapArray<DeliveryEntry>(map);
        _ports = ports;
        for (int i = 0; i < _deliveries.Count; i++)
        {
            if (_deliveries[i].Kind != DeliveryKind.None) _used.Add((ushort)i);
        }
    }

    internal int Count => _used.Count;

    internal int Max => _deliveries.Count;

    /// <summary>The kernel's row of a slot.</summary>
    internal DeliveryEntry Row(ushort slot) => _deliveries[slot];

    /// <summary>Writes the deliveries of the plan; <see cref="Commit"/> removes the others.</summary>
    internal void Write(HostPlan plan)
    {
        _wanted.Clear();
        ObjectId here = plan.Local.Id;
        foreach (PlannedPort planned in plan.Ports)
        {
            if (planned.Uplink is not null) continue;
            DeliveryKey key =
                DeliveryKey.Of(DeliveryKind.Port, planned.Port.Id, here, HostPlan.BindingOf(planned.Port));
            Want(key, DeliveryKind.Port, _ports.SlotOf(planned.Port.Id));
        }

        foreach (Bridge bridge in plan.Bridges)
        {
            DeliveryKey key = DeliveryKey.Of(DeliveryKind.Flood, bridge.Id, here, ObjectId.None);
            Want(key, DeliveryKind.Flood, _ports.SlotOf(bridge.Id));
        }

        foreach (SourceNat pool in plan.Pools)
        {
            DeliveryKey key = DeliveryKey.Of(DeliveryKind.NatReturn, pool.Id, here, ObjectId.None);
            Want(key, DeliveryKind.NatReturn, _ports.SlotOf(pool.Id));
        }

        foreach (ExternalNetwork external in plan.LocalExternals)
        {
            Uplink uplink = external.Uplinks.First(u => u.Host == here);
            DeliveryKey key = DeliveryKey.Of(DeliveryKind.FibExit, external.Id, here, ObjectId.None);
            Want(key, DeliveryKind.FibExit, uplink.FibTable, _ports.SlotOf(uplink.Id));
        }
    }

    /// <summary>Removes what <see cref="Write"/> did not name.</summary>
    internal void Commit()
    {
        foreach (ushort slot in _used)
        {
            if (_wanted.Contains(slot)) continue;
            _deliveries[slot].Kind = DeliveryKind.None;
            Thread.MemoryBarrier();
            _deliveries[slot] = default;
        }

        _used.IntersectWith(_wanted);
    }

    /// <inheritdoc/>
    public void Dispose() => _deliveries.Dispose();

    private void Want(DeliveryKey key, DeliveryKind kind, uint arg, uint port = 0)
    {
        if (kind == DeliveryKind.FibExit ? port == 0 : arg == 0) return; // no slot was left: a counted drop
        _wanted.Add(key.Slot);
        _used.Add(key.Slot);
        DeliveryEntry wanted = new() { Kind = kind, Generation = key.Generation, Arg = arg, Port = port };
        ref DeliveryEntry row = ref _deliveries[key.Slot];
        if (OctetComparer<DeliveryEntry>.Instance.Equals(row, wanted)) return;
        row.Kind = DeliveryKind.None; // first out, last in: programs never see a half of each
        Thread.MemoryBarrier();
        row.Generation = wanted.Generation;
        row.Arg = wanted.Arg;
        row.Port = wanted.Port;
        Thread.MemoryBarrier();
        row.Kind = kind;
    }
}
