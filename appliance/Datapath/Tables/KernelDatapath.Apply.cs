using System.Collections.Generic;
using System.Globalization;
using Genkan.Datapath.Bpf;
using Genkan.Datapath.Layout;
using Genkan.Datapath.Native;
using Genkan.Overlay.Topology;

namespace Genkan.Datapath.Tables;

/// <summary>
/// Following the topology. Make before break: first what names nothing yet (slots, next hops, addresses), then what
/// leads packets there (interfaces, tunnel keys), then the old goes in the opposite order.
/// </summary>
public sealed partial class KernelDatapath
{
    private readonly List<string> _faults = [];
    private bool _haveLinksChanged;

    /// <summary>What the last <see cref="Apply"/> could not do, for the operator; empty if all is in place.</summary>
    public IReadOnlyList<string> Faults => _faults;

    /// <summary>Whether <see cref="FollowLinks"/> has something to do. Cheap; the agent asks often.</summary>
    public bool HaveLinksChanged => (_haveLinksChanged |= _watch.HasChanged()) && _plan is not null;

    /// <inheritdoc/>
    public void Apply(TopologySnapshot topology)
    {
        bool isFirst = _plan is null;
        _plan = new HostPlan(topology);
        Follow(isFirst);
    }

    /// <summary>
    /// Binds ports to interfaces that appeared, and lets go of those that went. Cheap if nothing happened.
    /// </summary>
    /// <returns>Whether an interface of a port came or went.</returns>
    public bool FollowLinks()
    {
        if (!HaveLinksChanged) return false;
        _haveLinksChanged = false;
        Follow(isFirst: false);
        return true;
    }

    private void Follow(bool isFirst)
    {
        HostPlan plan = _plan!;
        _faults.Clear();
        _devices.Refresh();
        _uplinks.Ensure(plan);
        _budgets.Begin();
        _ports.Allocate(plan, PurgeSlots, ResetCounters);
        _ports.Write(plan, _devices, _uplinks.Devices);
        _nextHops.Apply(plan);
        _longPackets.Follow(_nextHops.NarrowestTunnelMtu(), plan, _devices);
        _neighbours.Apply(plan, _uplinks.Devices);
        _services.Apply(plan);
        _destinations.Apply(plan);
        _vteps.Apply(plan);
        _natOwners.Apply(plan);
        _deliveries.Write(plan);
        _ports.Bind(plan, _uplinks.Devices);
        Attach(plan);
        _deliveries.Commit();
        _ports.Release();
        _uplinks.RemoveOthers(plan);
        _budgets.Commit();
        if (isFirst && IsAdopted) FinishAdoption();
        CollectFaults(plan);
    }

    private void Attach(HostPlan plan)
    {
        BpfProgramSet set = _tables.Set;
        Attachments attachments = _attachments.Value;
        attachments.Begin(_devices.Links.Values);
        attachments.Want(_devices.AgentIfindex, set.Program("from_agent"));
        foreach (UplinkDevice device in _uplinks.Devices.Values)
        {
            attachments.Want(device.WireIfindex, set.Program("from_host"));
        }

        // An uplink's program comes first where an interface is both: ports on other VLANs of an ISP's wire are not
        // bound.
        foreach (PlannedPort planned in plan.Ports)
        {
            if (planned.Uplink is not null) AttachPort(planned, set.Program("from_uplink"));
        }

        foreach (PlannedPort planned in plan.Ports)
        {
            if (planned.Uplink is null) AttachPort(planned, set.Program("from_port"));
        }

        attachments.Want(_devices.VxlanIfindex, set.Program("from_tunnel"));
        AttachUnderlay(plan, set.Program("from_underlay"));
        attachments.Commit();
    }

    private void AttachPort(PlannedPort planned, BpfProgram program)
    {
        if (!_devices.TryGet(planned.Interface, out InterfaceState state)) return;
        try
        {
            // The program first: an interface that is up without it hands what comes in to the host's own stack.
            _attachments.Value.Want(state.Ifindex, program);
            _devices.TakeOver(planned.Interface, isPromiscuous: planned.Uplink is not null);
        }
        catch (KernelException e) when (e.Error is Errno.ENODEV or Errno.ENOENT)
        {
            // It went while we looked; the monitor tells of it, and the port waits for the next one of that name.
            _faults.Add(
                $"Interface {planned.Interface} of port {planned.Port.Name} went away while it was being bound.");
        }
    }

    private void PurgeSlots(IReadOnlySet<uint> slots)
    {
        _hasOldSlots = true;
        _connections.Purge((uint keyPort, in ConnAction _) => slots.Contains(keyPort));
        _classes.Sweep([]);
    }

    private void ResetCounters(uint slot)
    {
        if (_hasOldSlots) _statistics.Reset(slot);
    }

    // Flows of ports that are gone, or whose next hop nobody can tell, would be met by whoever gets the number next.
    private void FinishAdoption()
    {
        HashSet<uint> dead = _nextHops.FinishAdoption();
        _connections.Purge((uint keyPort, in ConnAction action) =>
            !_ports.IsLive(keyPort) || dead.Contains(action.Nexthop) || IsUnknown(action));
        _classes.Sweep([]);
    }

    private bool IsUnknown(in ConnAction action) => action.Verdict == Overlay.Flows.FlowVerdict.Forward
        && _nextHops.Row(action.Nexthop).Kind == NexthopKind.None;

    private void CollectFaults(HostPlan plan)
    {
        foreach (PlannedPort planned in plan.Ports)
        {
            if (_devices.TryGet(planned.Interface, out _)) continue;
            _faults.Add(
                $"Interface {planned.Interface} of port {planned.Port.Name} does not exist on this host; "
                + "the port is bound as soon as it appears.");
        }

        foreach (Bridge bridge in plan.Bridges)
        {
            if (plan.Remote.IsEmpty || bridge.Mtu <= TenantMtuMax) continue;
            _faults.Add(string.Create(
                CultureInfo.InvariantCulture,
                $"Network {bridge.Name} has MTU {bridge.Mtu}, but tunnels carry {TenantMtuMax}: raise the underlay's "
                + $"MTU by {bridge.Mtu - TenantMtuMax}, or lower the network's."));
        }

        Refused("ports", _ports.RefusedCount);
        Refused(_neighbours.Table.Name, _neighbours.Table.RefusedCount);
        Refused(_natOwners.Table.Name, _natOwners.Table.RefusedCount);
        Refused(_services.Table.Name, _services.Table.RefusedCount);
        Refused(_destinations.Table.Name, _destinations.Table.RefusedCount);
        Refused(_vteps.Table.Name, _vteps.Table.RefusedCount);
    }

    private void Refused(string table, int count)
    {
        if (count == 0) return;
        _faults.Add(
            string.Create(CultureInfo.InvariantCulture, $"Table {table} is full: {count} entries were left out."));
    }
}
