using System;
using System.Collections.Generic;
using System.Threading;
using Genkan.Datapath.Bpf;
using Genkan.Datapath.Layout;
using Genkan.Overlay.Flows;
using Genkan.Overlay.Topology;

namespace Genkan.Datapath.Tables;

/// <summary>
/// Budgets of what costs the agent's time: one a port slot, with the slot's number; behind them one an object
/// (destination, local service, VTEP); behind them totals, first the host's, then one a tenant. Past the last, objects
/// share by hash: a budget too small for two is still a budget. A new agent finds its objects by their owners.
/// </summary>
internal sealed class BudgetTable : IDisposable
{
    private const double NsPerSecond = 1e9;

    // What was asked for fades within some turns: a pause between two bursts is no end of a flood.
    private const double Fading = 0.7;
    private const double IdleBelow = 1;

    private static readonly ObjectId HostTotal = ObjectId.Of("budget", "host");

    private readonly MmapArray<BudgetEntry> _budgets;
    private readonly OwnedIndices _objects;
    private readonly OwnedIndices _totals;
    private readonly List<uint> _members = [];
    private readonly LaneState[] _lanes = [new(), new()];

    internal BudgetTable(BpfMap map)
    {
        _budgets = new MmapArray<BudgetEntry>(map);
        _objects = new OwnedIndices(_budgets, LayoutLimits.BudgetDestinationAt, LayoutLimits.BudgetTotalAt);
        _totals = new OwnedIndices(_budgets, LayoutLimits.BudgetTotalAt + 1, LayoutLimits.BudgetMax);
        Own(LayoutLimits.BudgetTotalAt, HostTotal, parent: 0);
        WriteFixed(LayoutLimits.BudgetTotalAt, BudgetLaneKind.Flows, DatapathLimits.HostFlows);
        WriteFixed(LayoutLimits.BudgetTotalAt, BudgetLaneKind.Control, DatapathLimits.HostControl);
        WriteFixed(LayoutLimits.BudgetTotalAt, BudgetLaneKind.Copies, DatapathLimits.HostCopies);
    }

    /// <summary>Packets that were over some budget.</summary>
    internal ulong RefusedTotal
    {
        get
        {
            ulong total = 0;
            for (uint i = 0; i < _budgets.Count; i++) total += Refused(i);
            return total;
        }
    }

    /// <summary>Packets that were over one budget, all lanes.</summary>
    internal ulong Refused(uint index)
    {
        ref BudgetEntry budget = ref _budgets[(int)index];
        return budget.Refused + budget.ControlRefused + budget.CopyRefused;
    }

    /// <summary>Begins a new set of ports and objects.</summary>
    internal void Begin()
    {
        _objects.Begin();
        _totals.Begin();
        _members.Clear();
    }

    /// <summary>Sets the budget of a port slot: shared below its tenant's total, fixed if it has no tenant.</summary>
    /// <param name="slot">The slot.</param>
    /// <param name="owner">Its port.</param>
    /// <param name="tenant">Name of its tenant, empty none.</param>
    /// <returns>Its index, which is the slot.</returns>
    internal uint OfSlot(uint slot, ObjectId owner, string tenant)
    {
        uint parent = tenant.Length == 0 ? 0 : Total(BudgetOwners.Tenant(tenant));
        Own(slot, owner, parent);
        WriteFixed(slot, BudgetLaneKind.Copies, DatapathLimits.PortCopies);
        Start(slot, parent, DatapathLimits.PortFlows, DatapathLimits.PortControl);
        return slot;
    }

    /// <summary>Sets the budget of something that others send flows to or through: all of them are as one more
    /// tenant.</summary>
    /// <param name="id">Destination or host.</param>
    /// <param name="group">Whose total it counts in.</param>
    /// <returns>Its index.</returns>
    internal uint OfSource(ObjectId id, ObjectId group)
    {
        uint parent = Total(group);
        uint index = _objects.Of(id);
        Own(index, id, parent);
        WriteFixed(index, BudgetLaneKind.Copies, DatapathLimits.HostCopies);
        Start(index, parent, DatapathLimits.PortFlows, DatapathLimits.PortControl);
        return index;
    }

    /// <summary>Sets the budget of one of the host's own services.</summary>
    /// <returns>Its index.</returns>
    internal uint OfService(ObjectId id)
    {
        uint index = _objects.Of(id);
        Own(index, id, parent: 0);
        WriteFixed(index, BudgetLaneKind.Control, DatapathLimits.Service);
        return index;
    }

    /// <summary>Frees the budgets of objects that were not named. Call it after the tables that refer to
    /// them.</summary>
    internal void Commit()
    {
        _objects.Commit(Forget);
        _totals.Commit(Forget);
    }

    /// <summary>Hands the demand since the last call to a share.</summary>
    /// <param name="kind">Flows or control.</param>
    /// <param name="seconds">Since the last call.</param>
    /// <param name="share">Begun anew.</param>
    /// <param name="samples">What comes of flows; null if all are as good.</param>
    /// <param name="idle">Limit of who asks for nothing, units a second.</param>
    internal void ReadDemand(
        BudgetLaneKind kind, double seconds, FairShare share, FlowSamples? samples, double idle)
    {
        share.Begin();
        LaneState state = _lanes[(int)kind];
        foreach (uint index in _members)
        {
            ref BudgetEntry budget = ref _budgets[(int)index];
            ref BudgetLane lane = ref BudgetLane.Of(ref budget, kind);
            samples?.Belongs(index, budget.Parent);
            ulong asked = Volatile.Read(ref lane.Admitted) + Volatile.Read(ref lane.Refused);
            double demand = Math.Max((asked - state.Asked[index]) / seconds, state.Demand[index] * Fading);
            state.Asked[index] = asked;
            state.Demand[index] = demand < IdleBelow ? 0 : demand;
            if (demand >= IdleBelow)
                share.Add(index, budget.Parent, demand, samples is not null && samples.IsUseless(index));
            else
                Limit(kind, index, idle, tolerance: 0.25);
        }
    }

    /// <summary>Writes the limits of a share.</summary>
    /// <param name="kind">Flows or control.</param>
    /// <param name="share">Shared.</param>
    /// <param name="portMax">Units a second of a budget at most.</param>
    /// <param name="totalMax">Units a second of a total at most.</param>
    internal void WriteLimits(BudgetLaneKind kind, FairShare share, double portMax, double totalMax)
    {
        for (int i = 0; i < share.Count; i++)
        {
            uint index = share.Limit(i, out double limit);
            Limit(kind, index, Math.Min(limit, portMax), tolerance: 0.05);
        }

        for (int i = 0; i < share.GroupCount; i++)
        {
            uint index = share.GroupLimit(i, out double limit);
            Limit(kind, index, Math.Min(limit, totalMax), tolerance: 0.05);
        }
    }

    /// <summary>Sets the host's total of flows, a second.</summary>
    internal void LimitHost(double perSecond) =>
        Limit(BudgetLaneKind.Flows, LayoutLimits.BudgetTotalAt, perSecond, tolerance: 0.05);

    /// <summary>How a budget is used.</summary>
    internal BudgetUse Use(uint index)
    {
        ref BudgetEntry budget = ref _budgets[(int)index];
        ulong interval = Volatile.Read(ref budget.IntervalNs);
        return new BudgetUse(
            new ObjectId(budget.Owner), budget.Admitted, budget.Refused, budget.ControlRefused, budget.CopyRefused,
            interval == 0 ? 0 : NsPerSecond / interval, _lanes[(int)BudgetLaneKind.Flows].Demand[index], index);
    }

    /// <summary>How the totals are used, and the destinations and hosts: all that is in use behind the slots.</summary>
    internal IEnumerable<BudgetUse> Uses()
    {
        yield return Use(LayoutLimits.BudgetTotalAt);
        foreach (uint index in _objects.InUse) yield return Use(index);
        foreach (uint index in _totals.InUse) yield return Use(index);
    }

    /// <summary>Budgets that count in a total: their uses, summed.</summary>
    internal IEnumerable<(ObjectId Total, BudgetUse Use)> Members()
    {
        foreach (uint index in _members)
            yield return (new ObjectId(_budgets[(int)_budgets[(int)index].Parent].Owner), Use(index));
    }

    /// <inheritdoc/>
    public void Dispose() => _budgets.Dispose();

    private uint Total(ObjectId owner)
    {
        uint index = _totals.Of(owner);
        Own(index, owner, LayoutLimits.BudgetTotalAt);
        WriteFixed(index, BudgetLaneKind.Copies, DatapathLimits.TenantCopies);
        StartLane(BudgetLaneKind.Flows, index, DatapathLimits.TenantFlows);
        StartLane(BudgetLaneKind.Control, index, DatapathLimits.TenantControl);
        return index;
    }

    // Who gets an index begins with what the one before spent and was refused at nothing.
    private void Own(uint index, ObjectId owner, uint parent)
    {
        ref BudgetEntry budget = ref _budgets[(int)index];
        if (budget.Owner != owner.Value)
        {
            budget = new BudgetEntry { Owner = owner.Value };
            Forget(index);
        }

        Volatile.Write(ref budget.Parent, parent);
    }

    private void Forget(uint index)
    {
        foreach (LaneState lane in _lanes) lane.Forget(index);
    }

    private void Start(uint index, uint parent, BudgetRate flows, BudgetRate control)
    {
        if (parent != 0)
        {
            _members.Add(index);
            StartLane(BudgetLaneKind.Flows, index, flows);
            StartLane(BudgetLaneKind.Control, index, control);
        }
        else
        {
            WriteFixed(index, BudgetLaneKind.Flows, flows);
            WriteFixed(index, BudgetLaneKind.Control, control);
        }
    }

    // Afterwards the turns set the rate.
    private void StartLane(BudgetLaneKind kind, uint index, BudgetRate rate)
    {
        LaneState state = _lanes[(int)kind];
        if (state.Limit[index] != 0) return;
        ref BudgetLane lane = ref BudgetLane.Of(ref _budgets[(int)index], kind);
        state.Asked[index] = lane.Admitted + lane.Refused;
        state.Limit[index] = rate.PerSecond;
        WriteFixed(index, kind, rate);
    }

    private void Limit(BudgetLaneKind kind, uint index, double perSecond, double tolerance)
    {
        ref double limit = ref _lanes[(int)kind].Limit[index];
        if (Math.Abs(perSecond - limit) <= limit * tolerance) return;
        limit = Math.Max(perSecond, 1);
        WriteFixed(index, kind, new BudgetRate((uint)limit, (uint)Math.Clamp(
            limit * DatapathLimits.BurstSeconds, DatapathLimits.BurstMin, DatapathLimits.BurstMax)));
    }

    // Two stores that a program may see apart: a packet more or less, once.
    private void WriteFixed(uint index, BudgetLaneKind kind, BudgetRate rate)
    {
        ref BudgetLane lane = ref BudgetLane.Of(ref _budgets[(int)index], kind);
        ulong interval = (ulong)(NsPerSecond / rate.PerSecond);
        Volatile.Write(ref lane.BurstNs, interval * rate.Burst);
        Volatile.Write(ref lane.IntervalNs, interval);
    }

    /// <summary>What the agent knows of one lane of all budgets.</summary>
    private sealed class LaneState
    {
        internal ulong[] Asked { get; } = new ulong[LayoutLimits.BudgetMax];

        internal double[] Demand { get; } = new double[LayoutLimits.BudgetMax];

        internal double[] Limit { get; } = new double[LayoutLimits.BudgetMax];

        internal void Forget(uint index) => (Asked[index], Demand[index], Limit[index]) = (0, 0, 0);
    }
}
