using System;
using System.Collections.Generic;
using Genkan.Datapath.Bpf;
using Genkan.Datapath.Layout;
using Genkan.Datapath.Tables;
using Genkan.Overlay.Flows;
using Genkan.Overlay.Topology;
using Genkan.Testing.Kernel;
using Shouldly;

namespace Genkan.Datapath.Tests.Tables;

/// <summary>Budgets in a bare table: what turns read and write, whose they are, an agent over another's.</summary>
public sealed class Budgets : IDisposable
{
    private static readonly TimeSpan Turn = TimeSpan.FromMilliseconds(20);
    private static readonly ObjectId Quiet = ObjectId.Of("port", "red/quiet");
    private static readonly ObjectId Loud = ObjectId.Of("port", "blue/loud");

    private readonly BpfMap _map;
    private readonly MmapArray<BudgetEntry> _rows;
    private readonly SlowPathCapacity _capacity = new();
    private readonly FlowSamples _samples = new(FlowLimits.Budgets);
    private BudgetTable _table;

    public Budgets()
    {
        Netns.DemandRoot();
        _map = BpfMap.Create(new BpfMapSpec(
            "budget", BpfMapType.Array, sizeof(uint), 136, LayoutLimits.BudgetMax, BpfMapFlags.Mmapable));
        _rows = new MmapArray<BudgetEntry>(_map);
        _table = new BudgetTable(_map);
        Name();
    }

    public void Dispose()
    {
        _table.Dispose();
        _rows.Dispose();
        _map.Dispose();
    }

    [Fact]
    public void A_flood_is_cut_within_a_turn_and_who_asks_for_little_keeps_it()
    {
        BudgetShares shares = new(_table);
        (_rows[1].Admitted, _rows[2].Admitted, _rows[2].Refused) = (200, 2_000, 100_000);

        shares.Turn(Turn, _capacity, _samples);

        Rate(1).ShouldBe(_capacity.PerSecond - 10_000, 1_000); // each may have what the other leaves
        Rate(2).ShouldBe(_capacity.PerSecond - 10_000, 1_000);
        Repeat(30, () => _samples.Refused(2));
        (_rows[1].Admitted, _rows[2].Refused) = (_rows[1].Admitted + 200, _rows[2].Refused + 100_000);
        Repeat(1, () => Busy(30));
        shares.Turn(Turn, _capacity, _samples);

        Rate(2).ShouldBe(DatapathLimits.SpeculativeFlowsPerSecond, 50);
        Rate(1).ShouldBeGreaterThan(10_000);
    }

    [Fact]
    public void Who_has_stopped_may_have_all_again()
    {
        BudgetShares shares = new(_table);
        Busy(30);
        Repeat(30, () => _samples.Refused(2));
        _rows[2].Refused = 100_000;
        shares.Turn(Turn, _capacity, _samples);
        Rate(2).ShouldBe(DatapathLimits.SpeculativeFlowsPerSecond, 50);

        for (int i = 0; i < 60; i++) shares.Turn(Turn, _capacity, _samples);

        Rate(2).ShouldBe(_capacity.PerSecond, _capacity.PerSecond / 4);
    }

    [Fact]
    public void Refusals_are_told_by_tenant_those_of_its_ports_too()
    {
        _rows[2].Refused = 5;
        _rows[2].ControlRefused = 6;
        _rows[(int)_rows[2].Parent].Refused = 7;

        IReadOnlyDictionary<ObjectId, BudgetUse> uses = new BudgetShares(_table).Read();

        uses[BudgetOwners.Tenant("blue")].Refused.ShouldBe(18ul);
        uses[BudgetOwners.Tenant("red")].Refused.ShouldBe(0ul);
    }

    [Fact]
    public void A_new_agent_finds_totals_and_objects_by_their_owners_and_a_slot_s_new_owner_begins_at_nothing()
    {
        uint parent = _rows[2].Parent;
        (_rows[2].Refused, _rows[(int)parent].Refused) = (3, 4);
        _table.Dispose();
        _table = new BudgetTable(_map);
        _table.Begin();
        _table.OfSlot(1, ObjectId.Of("port", "green/new"), "green");
        Name();

        (_rows[2].Refused, _rows[2].Parent, _rows[(int)parent].Refused).ShouldBe((3ul, parent, 4ul));
        _table.OfSlot(2, ObjectId.Of("port", "blue/other"), "blue");
        _rows[2].Refused.ShouldBe(0ul);
    }

    private void Name()
    {
        _table.Begin();
        _table.OfSlot(1, Quiet, "red");
        _table.OfSlot(2, Loud, "blue");
        _table.Commit();
    }

    private void Busy(int turns)
    {
        for (int i = 0; i < turns; i++) _capacity.Observe(new SlowPathLoad(Turn, TimeSpan.Zero, 0, 0, 1, 0));
    }

    private double Rate(int index) => 1e9 / _rows[index].IntervalNs;

    private static void Repeat(int samples, Action action)
    {
        for (int i = 0; i < samples * FlowSamples.Interval; i++) action();
    }
}
