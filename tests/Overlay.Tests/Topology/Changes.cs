using System.Collections.Generic;
using System.Linq;
using Genkan.Overlay.Tests.Fixtures;
using Genkan.Overlay.Topology;
using Shouldly;

namespace Genkan.Overlay.Tests.Topology;

/// <summary>Which flows a change makes stale, and how.</summary>
public sealed class Changes
{
    private static readonly VirtualPort A = Courtyard.Parts.PortOf("red/red-a");
    private static readonly Router Red = Courtyard.Parts.RouterOf("red/router");

    [Fact]
    public void Nothing_changes_nothing() => Of(Courtyard.Parts).ShouldBeEmpty();

    [Fact]
    public void A_rule_taken_away_is_hard_for_its_chain_alone()
    {
        Chain chain = Courtyard.Parts.Chains.First(c => c.Id == Courtyard.ChainId("red/web"));
        Of(Courtyard.Parts.With(chain with { Rules = [] })).ShouldBe([new StaleTag(chain.Id, IsHard: true)]);
    }

    [Fact]
    public void A_member_that_leaves_a_group_is_hard_for_the_group()
    {
        AddressGroup group = Courtyard.Parts.AddressGroups[0];
        Of(Courtyard.Parts with { AddressGroups = [group with { Members = group.Members.RemoveAt(0) }] })
            .ShouldBe([new StaleTag(group.Id, IsHard: true)]);
    }

    [Fact]
    public void A_port_that_moves_is_hard_for_itself_and_for_the_members_of_its_bridge()
    {
        TopologyParts moved = Courtyard.Parts.With(A with { Binding = A.Binding! with { Host = Courtyard.Gw1 } });
        Of(moved).ShouldBe(
            [new StaleTag(A.Id, true), new StaleTag(Courtyard.Device("red/red-1").Aspect(Aspects.BridgeMembers), true)],
            ignoreOrder: true);
    }

    [Fact]
    public void A_new_port_concerns_who_asked_for_what_was_not_there()
    {
        TopologyParts more =
            Courtyard.Parts.With(Courtyard.Vm("red", "red-d", "red-1", "gw1", "fa:16:3e:00:01:14", "10.0.1.14"));
        Of(more).ShouldBe([new StaleTag(Courtyard.Device("red/red-1").Aspect(Aspects.BridgeMembers), true)]);
    }

    [Theory]
    [InlineData(true, false)]
    [InlineData(false, true)]
    public void A_route_that_comes_is_soft_and_one_that_goes_is_hard(bool comes, bool isHard)
    {
        Router changed = comes
            ? Red with { Routes = Red.Routes.Add(Courtyard.To("10.7.0.0/16", RouteTarget.Blackhole)) }
            : Red with { Routes = Red.Routes.RemoveAt(0) };
        Of(Courtyard.Parts.With(changed)).ShouldBe([new StaleTag(Red.Id.Aspect(Aspects.RouterRoutes), isHard)]);
    }

    [Fact]
    public void A_routers_port_that_goes_down_moves_its_routes()
    {
        TopologyParts down = Courtyard.Parts.With(Courtyard.Parts.PortOf("red/router-2") with { IsAdminUp = false });
        Of(down).ShouldContain(new StaleTag(Red.Id.Aspect(Aspects.RouterRoutes), true));
    }

    [Fact]
    public void A_floating_IP_that_goes_is_hard_and_one_that_comes_is_soft()
    {
        TopologyParts without = Courtyard.Parts.With(Red with { FloatingIps = [] });
        Of(without).ShouldContain(new StaleTag(Red.FloatingIps[0].Id, true));
        TopologyDiff.ChangedTags(Courtyard.Snapshot(Courtyard.Hv1, without), Courtyard.Snapshot(Courtyard.Hv1))
            .ShouldBe([new StaleTag(Red.Id.Aspect(Aspects.RouterTranslations), false)]);
    }

    [Fact]
    public void A_NAT_block_that_goes_is_hard_for_its_pool()
    {
        TopologyParts less =
            Courtyard.Parts.With(Red with { SourceNat = Red.SourceNat! with { Blocks = [Red.SourceNat.Blocks[0]] } });
        Of(less).ShouldBe([new StaleTag(Courtyard.Pool, true)]);
    }

    [Fact]
    public void What_hosts_are_told_concerns_no_flow()
    {
        Bridge bridge = Courtyard.Parts.Bridges[0];
        Bridge told = bridge with { Subnets = [bridge.Subnets[0] with { LeaseSeconds = 60 }, bridge.Subnets[1]] };
        Of(Courtyard.Parts.With(told)).ShouldBeEmpty();
    }

    private static IReadOnlyList<StaleTag> Of(TopologyParts parts) =>
        TopologyDiff.ChangedTags(Courtyard.Snapshot(Courtyard.Hv1), Courtyard.Snapshot(Courtyard.Hv1, parts));
}
