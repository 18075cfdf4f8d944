using System;
using System.Collections.Generic;
using System.Linq;
using Genkan.Datapath.Layout;
using Genkan.Overlay.Flows;
using Genkan.Overlay.Topology;

namespace Genkan.Datapath.Tables;

/// <summary>Units a second and at once: a unit is a packet to the agent, one more each 2048 octets of it.</summary>
/// <param name="PerSecond">Above 0.</param>
/// <param name="Burst">At once.</param>
public readonly record struct BudgetRate(uint PerSecond, uint Burst);

/// <summary>How a budget is used.</summary>
/// <param name="Owner">Port, destination, host or total; see <see cref="BudgetOwners"/>.</param>
/// <param name="Admitted">Units of flows admitted since the tables were made.</param>
/// <param name="RefusedFlows">First packets of flows refused.</param>
/// <param name="RefusedControl">Control packets refused.</param>
/// <param name="RefusedCopies">Broadcasts refused.</param>
/// <param name="FlowsPerSecond">Limit of flows now, units a second; 0 none.</param>
/// <param name="AskedPerSecond">Units a second of flows that were asked for in the last turns; 0 of totals.</param>
/// <param name="Index">Index of the budget.</param>
public readonly record struct BudgetUse(
    ObjectId Owner, ulong Admitted, ulong RefusedFlows, ulong RefusedControl, ulong RefusedCopies,
    double FlowsPerSecond, double AskedPerSecond, uint Index)
{
    /// <summary>All packets refused.</summary>
    public ulong Refused => RefusedFlows + RefusedControl + RefusedCopies;

    /// <summary>Both together, as if of the first's owner.</summary>
    public BudgetUse Plus(in BudgetUse other) => this with
    {
        Admitted = Admitted + other.Admitted,
        RefusedFlows = RefusedFlows + other.RefusedFlows,
        RefusedControl = RefusedControl + other.RefusedControl,
        RefusedCopies = RefusedCopies + other.RefusedCopies,
        AskedPerSecond = AskedPerSecond + other.AskedPerSecond,
    };
}

/// <summary>Names of what owns totals and budgets besides ports and hosts.</summary>
public static class BudgetOwners
{
    /// <summary>All that comes in by uplinks, as if it were a tenant.</summary>
    public static ObjectId Outside { get; } = ObjectId.Of("budget", "outside");

    /// <summary>All that other hosts leave to this one's agent (broadcast, answers to NAT), as if it were a
    /// tenant.</summary>
    public static ObjectId Hosts { get; } = ObjectId.Of("budget", "hosts");

    /// <summary>A tenant.</summary>
    public static ObjectId Tenant(string name) => ObjectId.Of("tenant", name);

    /// <summary>What packets from outside may be sent to.</summary>
    /// <param name="prefix">As in the provider router's routes.</param>
    public static ObjectId Destination(string prefix) => ObjectId.Of("destination", prefix);
}

/// <summary>
/// Keeps the budgets at fair shares: every some milliseconds reads what each asked for and writes what each may have.
/// One thread, that of the agent's housekeeping.
/// </summary>
public sealed class BudgetShares
{
    private readonly BudgetTable _budgets;
    private readonly FairShare _flows = new(LayoutLimits.BudgetMax);
    private readonly FairShare _control = new(LayoutLimits.BudgetMax);

    internal BudgetShares(BudgetTable budgets) => _budgets = budgets;

    /// <summary>Packets over some budget.</summary>
    public ulong RefusedTotal => _budgets.RefusedTotal;

    /// <summary>One turn.</summary>
    /// <param name="elapsed">Since the last one, above zero.</param>
    /// <param name="capacity">What the slow path can take.</param>
    /// <param name="samples">What comes of flows.</param>
    public void Turn(TimeSpan elapsed, SlowPathCapacity capacity, FlowSamples samples)
    {
        double seconds = elapsed.TotalSeconds;
        double able = capacity.PerSecond;
        _budgets.LimitHost(able * DatapathLimits.HostHeadroom);
        _budgets.ReadDemand(BudgetLaneKind.Flows, seconds, _flows, samples, able);
        _flows.Share(
            able, capacity.SparePerSecond, DatapathLimits.SpeculativeFlowsPerSecond,
            Math.Max(DatapathLimits.SpeculativeFlowsPerSecond, able * DatapathLimits.SpeculativeShare));
        _budgets.WriteLimits(BudgetLaneKind.Flows, _flows, able, able);

        double control = DatapathLimits.HostControl.PerSecond;
        _budgets.ReadDemand(
            BudgetLaneKind.Control, seconds, _control, samples: null, DatapathLimits.PortControl.PerSecond);
        _control.Share(control, spare: 0, floor: 0, floorOfAll: 0);
        _budgets.WriteLimits(
            BudgetLaneKind.Control, _control, DatapathLimits.PortControl.PerSecond,
            DatapathLimits.TenantControl.PerSecond);
    }

    /// <summary>How totals, destinations and hosts are used; of a total what its ports were refused too.</summary>
    public IReadOnlyDictionary<ObjectId, BudgetUse> Read()
    {
        Dictionary<ObjectId, BudgetUse> uses = _budgets.Uses().ToDictionary(static u => u.Owner);
        foreach ((ObjectId total, BudgetUse use) in _budgets.Members())
        {
            if (uses.TryGetValue(total, out BudgetUse sum)) uses[total] = sum.Plus(use with { Admitted = 0 });
        }

        return uses;
    }

    /// <summary>The budgets that count in totals, by the total's owner.</summary>
    public ILookup<ObjectId, BudgetUse> ReadMembers() =>
        _budgets.Members().ToLookup(static m => m.Total, static m => m.Use);
}
