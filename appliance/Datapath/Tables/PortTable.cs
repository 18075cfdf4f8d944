using System;
using System.Collections.Generic;
using System.Linq;
using System.Threading;
using Genkan.Datapath.Bpf;
using Genkan.Datapath.Layout;
using Genkan.Overlay.Flows;
using Genkan.Overlay.Simulation;
using Genkan.Overlay.Topology;
using Genkan.Wire;

namespace Genkan.Datapath.Tables;

/// <summary>Port slots (<c>ports</c>) and the interfaces that lead to them (<c>link</c>).</summary>
internal sealed class PortTable : IDisposable
{
    private readonly MmapArray<PortEntry> _ports;
    private readonly TableSync<LinkKey, uint> _links;
    private readonly BudgetTable _budgets;
    private readonly SlotAllocator _allocator = new();
    private readonly Dictionary<ObjectId, uint> _slots = [];
    private readonly DatapathPort[] _known = new DatapathPort[LayoutLimits.PortMax];
    private readonly HashSet<ObjectId> _wanted = [];

    /// <summary>Takes over the ports of a former agent, recognised by their object ids.</summary>
    internal PortTable(BpfMap ports, BpfMap link, BudgetTable budgets)
    {
        _ports = new MmapArray<PortEntry>(ports);
        _links = new TableSync<LinkKey, uint>(link);
        _budgets = budgets;
        for (uint slot = 1; slot < _ports.Count; slot++)
        {
            ulong id = _ports[(int)slot].ObjectId;
            if (id == 0) continue;
            _slots[new ObjectId(id)] = slot;
            _allocator.Adopt(slot);
        }
    }

    /// <summary>Ports that found no slot.</summary>
    internal int RefusedCount { get; private set; }

    /// <summary>Slots in use.</summary>
    internal IEnumerable<(uint Slot, DatapathPort Port)> Used => _slots.Values.Order().Select(s => (s, _known[s]));

    /// <summary>Rows of <c>link</c>.</summary>
    internal int LinkCount => _links.Count;

    /// <summary>Limit of <c>link</c>.</summary>
    internal uint LinkMax => _links.MaxEntries;

    /// <summary>See <see cref="IDatapath.TryGetPort"/>.</summary>
    internal bool TryGetPort(uint slot, out DatapathPort port)
    {
        port = slot < _known.Length ? _known[slot] : default;
        return port.Object != ObjectId.None;
    }

    /// <summary>See <see cref="IDatapath.TryGetSlot"/>.</summary>
    internal bool TryGetSlot(ObjectId id, out uint slot) => _slots.TryGetValue(id, out slot);

    /// <summary>The slot of an object, 0 if it has none.</summary>
    internal uint SlotOf(ObjectId id) => _slots.GetValueOrDefault(id);

    /// <summary>Whether flows with this key port can still be met: the port of the key is in use.</summary>
    internal bool IsLive(uint keyPort) => keyPort < _ports.Count && _ports[(int)keyPort].Kind != PortKind.Unused;

    /// <summary>The kernel's row of a slot.</summary>
    internal PortEntry Row(uint slot) => _ports[(int)slot];

    /// <summary>Gives every port, bridge and NAT pool of the plan a slot.</summary>
    /// <param name="plan">What is bound here.</param>
    /// <param name="purge">Removes the flows of slots before they are handed out again.</param>
    /// <param name="reset">Zeroes the counters of a slot handed out.</param>
    internal void Allocate(HostPlan plan, Action<IReadOnlySet<uint>> purge, Action<uint> reset)
    {
        _wanted.Clear();
        RefusedCount = 0;
        IEnumerable<ObjectId> objects = plan.Ports.Select(p => p.Port.Id)
            .Concat(plan.Bridges.Select(b => b.Id))
            .Concat(plan.Pools.Select(p => p.Id));
        foreach (ObjectId id in objects)
        {
            _wanted.Add(id);
            if (_slots.ContainsKey(id)) continue;
            if (!_allocator.TryAllocate(purge, out uint slot))
            {
                RefusedCount++;
                continue;
            }

            reset(slot);
            _slots[id] = slot;
        }
    }

    /// <summary>Writes the rows of all slots that the plan names.</summary>
    internal void Write(HostPlan plan, IInterfaces interfaces, IReadOnlyDictionary<ObjectId, UplinkDevice> uplinks)
    {
        foreach (Bridge bridge in plan.Bridges)
        {
            WritePseudo(bridge.Id, IngressKind.Flood, isL3: false, SlotOf(bridge.Id));
        }

        foreach (SourceNat pool in plan.Pools) WritePseudo(pool.Id, IngressKind.NatReturn, isL3: true, bridge: 0);
        foreach (PlannedPort port in plan.Ports)
        {
            if (_slots.TryGetValue(port.Port.Id, out uint slot)) WritePort(slot, port, plan, interfaces, uplinks);
        }
    }

    /// <summary>Points interfaces at their slots; rows of interfaces that no port of the plan has go.</summary>
    internal void Bind(HostPlan plan, IReadOnlyDictionary<ObjectId, UplinkDevice> uplinks)
    {
        _links.Begin();
        foreach (PlannedPort port in plan.Ports)
        {
            if (!_slots.TryGetValue(port.Port.Id, out uint slot)) continue;
            uint ifindex = _ports[(int)slot].Ifindex;
            if (ifindex != 0) _links.Want(new LinkKey { Ifindex = ifindex, Vlan = port.Vlan }, slot);
            if (port.Uplink is null || !uplinks.TryGetValue(port.Port.Id, out UplinkDevice device)) continue;
            _links.Want(new LinkKey { Ifindex = device.HostIfindex }, slot);
            _links.Want(new LinkKey { Ifindex = device.WireIfindex }, slot);
        }

        _links.Commit();
    }

    /// <summary>Empties the slots of what the plan does not name.</summary>
    internal void Release()
    {
        foreach ((ObjectId id, uint slot) in _slots)
        {
            if (_wanted.Contains(id)) continue;
            _slots.Remove(id); // allowed while enumerating
            _known[slot] = default;
            _ports[(int)slot] = default;
            _allocator.Free(slot);
        }
    }

    /// <summary>Tells the programs that the class table may hold a mask for a key port.</summary>
    internal void AddClassMask(uint keyPort, FlowMask mask)
    {
        ushort bit = (ushort)(1 << (int)mask);
        foreach (uint slot in _slots.Values)
        {
            ref PortEntry row = ref _ports[(int)slot];
            if (row.KeyPort == keyPort) row.ClassMasks |= bit;
        }
    }

    /// <summary>Sets the masks of all ports.</summary>
    /// <param name="masks">By key port.</param>
    internal void SetClassMasks(ReadOnlySpan<ushort> masks)
    {
        foreach (uint slot in _slots.Values)
        {
            ref PortEntry row = ref _ports[(int)slot];
            row.ClassMasks = masks[row.KeyPort];
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _ports.Dispose();

    private void WritePseudo(ObjectId id, IngressKind kind, bool isL3, uint bridge)
    {
        if (!_slots.TryGetValue(id, out uint slot)) return;
        Set(slot, new PortEntry
        {
            ObjectId = id.Value,
            KeyPort = (ushort)slot,
            Kind = PortKind.Pseudo,
            Flags = isL3 ? PortFlags.L3Key : PortFlags.None,
            Bridge = bridge,
            Budget = _budgets.OfSlot(slot, id, tenant: ""),
        });
        _known[slot] = new DatapathPort(kind, id, slot, isL3);
    }

    private void WritePort(
        uint slot,
        PlannedPort planned,
        HostPlan plan,
        IInterfaces interfaces,
        IReadOnlyDictionary<ObjectId, UplinkDevice> uplinks)
    {
        VirtualPort port = planned.Port;
        bool isUplink = planned.Uplink is not null;
        bool isThere = interfaces.TryGet(planned.Interface, out InterfaceState state);
        UplinkDevice device = isUplink ? uplinks.GetValueOrDefault(port.Id) : default;
        uint keyPort = isUplink ? KeyPortOf(planned.External!, plan) : slot;
        PortFlags flags = port.IsAdminUp ? PortFlags.None : PortFlags.AdminDown;
        if (isUplink) flags |= PortFlags.L3Key;
        if (isThere && state.IsPeer && !isUplink) flags |= PortFlags.Peer;
        IEnumerable<IpAddress> addresses =
            (isUplink ? planned.Uplink!.Addresses : port.Addresses).Select(a => a.Address);
        Set(slot, new PortEntry
        {
            ObjectId = port.Id.Value,
            Ifindex = isThere ? state.Ifindex : 0,
            KeyPort = (ushort)keyPort,
            Vlan = planned.Vlan,
            Kind = isUplink ? PortKind.Uplink : PortKind.Tenant,
            Flags = flags,
            Bridge = SlotOf(port.Device),
            Budget = _budgets.OfSlot(slot, port.Id, isUplink ? "" : port.Tenant),
            Mac = MacOctets.Of(isUplink ? device.Mac : port.Mac),
            Mtu = MtuOf(planned, plan, interfaces, device),
            Ipv4 = addresses.Where(a => a.IsIpv4).Select(NetworkOrder.Of).FirstOrDefault(),
            Ipv6 = addresses.Where(a => a.IsIpv6 && !a.IsLinkLocal).Select(AddressOctets.Of).FirstOrDefault(),
            HostIfindex = device.HostIfindex,
        });
        _known[slot] = new DatapathPort(IngressKind.Port, port.Id, keyPort, isUplink);
    }

    // What MSS is clamped to: of a network it is what its ports were told, of an uplink what its wire carries.
    private static ushort MtuOf(PlannedPort planned, HostPlan plan, IInterfaces interfaces, UplinkDevice device)
    {
        if (planned.Uplink is null)
            return (ushort)(plan.Bridges.FirstOrDefault(b => b.Id == planned.Port.Device)?.Mtu ?? 0);
        if (device.HostIfindex == 0 || !interfaces.TryGet(planned.Interface, out InterfaceState wire)) return 0;
        return (ushort)Math.Min(wire.Mtu, ushort.MaxValue);
    }

    // Uplinks of one external network share a slot in flow keys, so that a reply may come in by another ISP. The
    // choice stays as long as the uplink that has it.
    private uint KeyPortOf(ExternalNetwork external, HostPlan plan)
    {
        uint[] slots =
            [.. plan.Ports.Where(p => p.External?.Id == external.Id).Select(p => SlotOf(p.Port.Id)).Where(s => s != 0)];
        foreach (uint slot in slots)
        {
            uint present = _ports[(int)slot].KeyPort;
            if (slots.Contains(present)) return present;
        }

        return slots.Min();
    }

    // The kind comes last in a slot that was empty: programs take no notice of the row before.
    private void Set(uint slot, in PortEntry wanted)
    {
        ref PortEntry row = ref _ports[(int)slot];
        PortEntry next = wanted;
        next.ClassMasks = row.ClassMasks;
        if (row.Kind == PortKind.Unused)
        {
            next.Kind = PortKind.Unused;
            row = next;
            Thread.MemoryBarrier();
            row.Kind = wanted.Kind;
        }
        else if (!OctetComparer<PortEntry>.Instance.Equals(row, next))
        {
            row = next;
        }
    }
}
