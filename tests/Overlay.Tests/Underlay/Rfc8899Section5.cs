using System;
using System.Collections.Generic;
using Genkan.Overlay.Underlay;
using Shouldly;

namespace Genkan.Overlay.Tests.Underlay;

/// <summary>RFC 8899 §5, "Datagram Packetization Layer PMTUD", as between two hosts of the overlay.</summary>
public sealed class Rfc8899Section5
{
    private const int Max = 1600;

    private TimeSpan _now = TimeSpan.FromHours(1);

    [Fact]
    public void A_path_that_carries_the_full_size_costs_one_probe_a_round()
    {
        PathMtuSearch search = new(Max, _now);

        Round(search, carries: Max).ShouldBe([Max]);
        search.FoundOctets.ShouldBe(Max);
        (search.DueAt - _now).ShouldBeInRange(PathMtuSearch.RoundInterval, PathMtuSearch.RoundInterval * 1.5);
        Round(search, carries: Max).ShouldBe([Max]);
    }

    [Theory]
    [InlineData(1599)]
    [InlineData(1500)]
    [InlineData(1400)]
    [InlineData(1281)]
    [InlineData(1280)]
    public void A_narrower_path_is_found_to_a_few_octets_and_never_overrated(int carries)
    {
        PathMtuSearch search = new(Max, _now);

        List<int> probes = Round(search, carries);

        search.FoundOctets.ShouldBeInRange(carries - PathMtuSearch.GrainOctets + 1, carries);
        probes[..PathMtuSearch.ProbesMax].ShouldAllBe(p => p == Max);
        probes.Count.ShouldBeLessThan(35);
    }

    [Theory]
    [InlineData(1600, 1279)]
    [InlineData(1600, 900)]
    [InlineData(1600, 626)]
    [InlineData(1280, 1000)]
    [InlineData(1000, 700)]
    public void On_IPv4_a_path_below_BASE_PLPMTU_is_found_as_well(int max, int carries)
    {
        PathMtuSearch search = new(max, _now, PathMtuSearch.LeastOctets4);

        Round(search, carries).Count.ShouldBeLessThan(40);

        search.FoundOctets.ShouldBeInRange(carries - PathMtuSearch.GrainOctets + 1, carries);
    }

    [Fact]
    public void Below_MIN_PLPMTU_nothing_is_found()
    {
        PathMtuSearch search = new(Max, _now, PathMtuSearch.LeastOctets4);

        Round(search, PathMtuSearch.LeastOctets4 - 1).Count.ShouldBe(3 * PathMtuSearch.ProbesMax);

        (search.FoundOctets, search.HasEnded).ShouldBe((0, true));
    }

    [Fact]
    public void One_lost_probe_is_no_narrower_path()
    {
        PathMtuSearch search = new(Max, _now);
        Round(search, Max);
        _now = search.DueAt;

        search.Step(_now, 0).ShouldBe(Max);
        _now += PathMtuSearch.ProbeTimer;
        search.Step(_now, 0).ShouldBe(Max);
        search.Answer(Max, _now, 0);

        search.FoundOctets.ShouldBe(Max);
    }

    [Fact]
    public void A_path_that_heals_is_noticed_in_the_next_round()
    {
        PathMtuSearch search = new(Max, _now);
        Round(search, 1400);
        Round(search, Max).ShouldBe([Max]);
        search.FoundOctets.ShouldBe(Max);
    }

    [Fact]
    public void A_peer_that_answers_nothing_tells_nothing()
    {
        PathMtuSearch search = new(Max, _now);
        search.HasEnded.ShouldBeFalse("nothing is known yet, which is no silence");

        Round(search, 0).Count.ShouldBe(2 * PathMtuSearch.ProbesMax);

        (search.FoundOctets, search.HasEnded).ShouldBe((0, true));
    }

    [Fact]
    public void A_size_that_the_own_interface_refuses_is_lost_at_once()
    {
        PathMtuSearch search = new(Max, _now);
        search.Step(_now, 0).ShouldBe(Max);
        search.Refuse(Max, _now, 0);
        search.Step(_now, 0).ShouldBe(PathMtuSearch.BaseOctets);
    }

    [Fact]
    public void A_late_answer_to_another_size_is_ignored()
    {
        PathMtuSearch search = new(Max, _now);
        search.Step(_now, 0);
        search.Answer(1500, _now, 0);
        search.FoundOctets.ShouldBe(0);
        search.Step(_now, 0).ShouldBe(0, "it waits for the answer to its own");
    }

    [Fact]
    public void Below_the_base_size_only_the_full_size_is_asked()
    {
        PathMtuSearch search = new(1200, _now);
        Round(search, 1100).ShouldBe([1200, 1200, 1200]);
        search.FoundOctets.ShouldBe(0);
    }

    /// <summary>One round over a path that answers what it carries at once.</summary>
    private List<int> Round(PathMtuSearch search, int carries)
    {
        List<int> probes = [];
        _now = search.DueAt;
        TimeSpan patience = _now + TimeSpan.FromMinutes(2);
        while (search.DueAt - _now < PathMtuSearch.RoundInterval)
        {
            _now.ShouldBeLessThan(patience);
            if (search.DueAt > _now) _now = search.DueAt;
            int size = search.Step(_now, 30_000);
            if (size == 0) continue;
            probes.Add(size);
            if (size <= carries) search.Answer(size, _now, 30_000);
        }

        return probes;
    }
}
