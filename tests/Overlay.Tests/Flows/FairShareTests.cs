using System;
using System.Collections.Generic;
using System.Linq;
using Genkan.Overlay.Flows;
using Shouldly;

namespace Genkan.Overlay.Tests.Flows;

/// <summary>Fair shares against a model that pours little by little.</summary>
public sealed class FairShareTests
{
    private const double Floor = 10;

    private readonly FairShare _share = new(64);

    private sealed record Asker(uint Budget, uint Total, double Demand, bool IsSpeculative);

    public static TheoryData<int> Seeds => [.. Enumerable.Range(1, 200)];

    [Theory]
    [MemberData(nameof(Seeds))]
    public void Firm_demand_is_shared_as_the_model_pours_it(int seed)
    {
        Asker[] askers = Draw(seed, speculative: false, out double capacity);

        Dictionary<uint, double> limits = Share(askers, capacity, spare: 0);

        Dictionary<uint, double> poured = Pour(askers, capacity);
        foreach (Asker asker in askers)
        {
            double granted = Math.Min(asker.Demand, limits[asker.Budget]);
            granted.ShouldBe(poured[asker.Budget], capacity / 100, $"seed {seed}, {asker}");
        }
    }

    [Theory]
    [MemberData(nameof(Seeds))]
    public void All_together_never_get_more_than_there_is_and_all_of_it_if_they_ask_for_it(int seed)
    {
        Asker[] askers = Draw(seed, speculative: true, out double capacity);

        Dictionary<uint, double> limits = Share(askers, capacity, spare: capacity);

        double granted = askers.Sum(a => Math.Min(a.Demand, limits[a.Budget]));
        granted.ShouldBeLessThanOrEqualTo(capacity * 1.000001, $"seed {seed}");
        if (askers.All(a => !a.IsSpeculative))
            granted.ShouldBe(Math.Min(capacity, askers.Sum(a => a.Demand)), capacity / 1000, $"seed {seed}");
    }

    [Theory]
    [MemberData(nameof(Seeds))]
    public void A_tenant_that_asks_for_no_more_than_an_equal_part_gets_all_of_it(int seed)
    {
        Asker[] askers = Draw(seed, speculative: false, out double capacity);
        IGrouping<uint, Asker>[] tenants = [.. askers.GroupBy(a => a.Total)];

        Dictionary<uint, double> limits = Share(askers, capacity, spare: 0);

        foreach (IGrouping<uint, Asker> tenant in tenants.Where(t => t.Sum(a => a.Demand) <= capacity / tenants.Length))
            tenant.ShouldAllBe(a => limits[a.Budget] >= a.Demand, $"seed {seed}");
    }

    [Fact]
    public void A_port_that_floods_is_cut_and_a_tenant_of_many_ports_gets_no_more_than_one_of_few()
    {
        Asker[] askers =
        [
            new(1, 40, 1_000_000, false),
            .. Enumerable.Range(2, 9).Select(i => new Asker((uint)i, 41, 1_000_000, false)),
            new(11, 42, 500, false),
        ];

        Dictionary<uint, double> limits = Share(askers, capacity: 20_500, spare: 0);

        limits[1].ShouldBe(10_000);
        limits[2].ShouldBe(10_000.0 / 9, 0.001);
        limits[11].ShouldBeGreaterThanOrEqualTo(500);
    }

    [Fact]
    public void Alone_anybody_may_have_all()
    {
        Share([new(1, 40, 30_000, false)], capacity: 100_000, spare: 0)[1].ShouldBe(100_000);
    }

    [Fact]
    public void What_comes_to_nothing_has_its_floor_and_what_is_spare_and_takes_nothing_from_others()
    {
        Asker[] askers = [new(1, 40, 5_000, true), new(2, 41, 900, false)];

        Dictionary<uint, double> busy = Share(askers, capacity: 1_000, spare: 0);
        (busy[1], busy[2] >= 900).ShouldBe((Floor, true));

        Dictionary<uint, double> idle = Share(askers, capacity: 1_000, spare: 500);
        (idle[1], idle[2] >= 900).ShouldBe((1_000 - 900, true));
    }

    [Fact]
    public void All_that_comes_to_nothing_shares_one_floor_by_tenant_then_by_budget()
    {
        Asker[] askers =
        [
            .. Enumerable.Range(1, 30).Select(i => new Asker((uint)i, 41, 1_000, true)), // a scan of 30 addresses
            new(31, 42, 1_000, true),
            new(32, 43, 900, false),
        ];

        Dictionary<uint, double> limits = Share(askers, capacity: 1_000, spare: 0, floorOfAll: 40);

        limits[1].ShouldBe(1);
        Enumerable.Range(1, 30).Sum(i => limits[(uint)i]).ShouldBe(40 - Floor, 0.001);
        limits[31].ShouldBe(Floor);
        limits[32].ShouldBeGreaterThanOrEqualTo(900);
    }

    private Dictionary<uint, double> Share(
        Asker[] askers, double capacity, double spare, double floorOfAll = double.MaxValue)
    {
        _share.Begin();
        foreach (Asker a in askers) _share.Add(a.Budget, a.Total, a.Demand, a.IsSpeculative);
        _share.Share(capacity, spare, Floor, floorOfAll);
        Dictionary<uint, double> limits = [];
        for (int i = 0; i < _share.Count; i++) limits[_share.Limit(i, out double limit)] = limit;
        return limits;
    }

    private static Asker[] Draw(int seed, bool speculative, out double capacity)
    {
        Random random = new(seed);
        capacity = random.Next(10, 10_000);
        int count = random.Next(1, 30);
        Asker[] askers = new Asker[count];
        for (int i = 0; i < count; i++)
        {
            double demand = Math.Exp(random.NextDouble() * 10) + 1;
            askers[i] = new((uint)i, 40 + (uint)random.Next(6), demand, speculative && random.Next(3) == 0);
        }

        return askers;
    }

    // A drop at a time to the tenant with the least that still wants, there to the port with the least.
    private static Dictionary<uint, double> Pour(Asker[] askers, double capacity)
    {
        double drop = capacity / 20_000;
        Dictionary<uint, double> got = askers.ToDictionary(a => a.Budget, _ => 0.0);
        for (double poured = 0; poured < capacity; poured += drop)
        {
            Asker[] thirsty = [.. askers.Where(a => got[a.Budget] < a.Demand)];
            if (thirsty.Length == 0) break;
            uint tenant = thirsty.Select(a => a.Total).Distinct()
                .MinBy(t => askers.Where(a => a.Total == t).Sum(a => got[a.Budget]));
            Asker least = thirsty.Where(a => a.Total == tenant).MinBy(a => got[a.Budget])!;
            got[least.Budget] = Math.Min(least.Demand, got[least.Budget] + drop);
        }

        return got;
    }
}

/// <summary>What the slow path can take.</summary>
public sealed class SlowPathCapacityTests
{
    private static readonly TimeSpan Turn = TimeSpan.FromMilliseconds(20);

    private readonly SlowPathCapacity _capacity = new();

    [Fact]
    public void It_is_the_workers_time_over_a_packet_s()
    {
        for (int i = 0; i < 50; i++) Observe(handled: 1_000, milliseconds: 4, workers: 2, idle: 1);

        _capacity.PerSecond.ShouldBe(500_000, 5_000);
        _capacity.Cost.TotalMicroseconds.ShouldBe(4, 0.1);
    }

    [Fact]
    public void A_turn_of_few_packets_tells_nothing_of_their_cost()
    {
        Observe(handled: SlowPathCapacity.SampleMin - 1, milliseconds: 20, workers: 1, idle: 1);

        _capacity.Cost.TotalMicroseconds.ShouldBe(10, 0.001);
    }

    [Fact]
    public void Less_is_let_in_while_packets_wait_and_all_again_when_none_does()
    {
        double before = _capacity.PerSecond;
        for (int i = 0; i < 10; i++) Observe(handled: 0, milliseconds: 0, workers: 1, idle: 1, backlog: 5_000);
        _capacity.PerSecond.ShouldBeLessThan(before / 5);
        _capacity.PerSecond.ShouldBeGreaterThanOrEqualTo(SlowPathCapacity.Min);

        for (int i = 0; i < 100; i++) Observe(handled: 0, milliseconds: 0, workers: 1, idle: 1);
        _capacity.PerSecond.ShouldBe(before, 1);
    }

    [Fact]
    public void What_comes_to_nothing_goes_before_anything_else_when_packets_wait()
    {
        double before = _capacity.PerSecond;
        _capacity.SparePerSecond.ShouldBeGreaterThan(0);

        Observe(handled: 0, milliseconds: 0, workers: 1, idle: 1, backlog: 5_000);
        _capacity.SparePerSecond.ShouldBe(0);
        _capacity.PerSecond.ShouldBe(before, 1);

        Observe(handled: 0, milliseconds: 0, workers: 1, idle: 1, backlog: 5_000);
        _capacity.PerSecond.ShouldBe(before * 0.8, 1);
    }

    [Fact]
    public void What_is_spare_goes_when_no_processor_is_idle_and_comes_back_when_one_is()
    {
        for (int i = 0; i < 30; i++) Observe(handled: 0, milliseconds: 0, workers: 1, idle: 0);
        _capacity.SparePerSecond.ShouldBeLessThan(1);

        Observe(handled: 0, milliseconds: 0, workers: 1, idle: -1);
        _capacity.SparePerSecond.ShouldBeLessThan(1, "not known is no news");

        for (int i = 0; i < 50; i++) Observe(handled: 0, milliseconds: 0, workers: 1, idle: 1);
        _capacity.SparePerSecond.ShouldBe(_capacity.PerSecond);
    }

    private void Observe(long handled, double milliseconds, int workers, double idle, long backlog = 0) =>
        _capacity.Observe(new SlowPathLoad(
            Turn, TimeSpan.FromMilliseconds(milliseconds), handled, backlog, workers, idle));
}
