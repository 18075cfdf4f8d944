using Genkan.Datapath.Tables;
using Genkan.Host.Agent;
using Genkan.Overlay.Flows;
using Shouldly;

namespace Genkan.Host.Tests.Agent;

/// <summary>Shares end at three sevenths of a connection table: a warning that waits until it is full never
/// comes.</summary>
public sealed class TableWarningsTests
{
    private static readonly QuotaUse Little = new(10, 1_000);
    private static readonly QuotaUse Much = new(430, 450);

    [Fact]
    public void Whoever_holds_nine_tenths_of_a_share_is_named_by_family()
    {
        TableWarnings.Scarce(
            [
                ("port red/red-a", new QuotaUses(Much, Little)), ("tenant red", new QuotaUses(Little, Little)),
                ("port red/red-b", new QuotaUses(Much, Much)),
            ])
            .ShouldBe(
            [
                "IPv4 connections: port red/red-a and 1 more hold nine tenths of their shares of the table, more is "
                + "dropped as flow_quota: genkan tenant list says who; more room: genkan run --connections",
                "IPv6 connections: port red/red-b holds nine tenths of its share of the table, more is dropped as "
                + "flow_quota: genkan tenant list says who; more room: genkan run --connections",
            ]);
    }

    [Fact]
    public void Who_has_no_quota_or_enough_of_it_is_no_warning() =>
        TableWarnings.Scarce([("port a", default), ("port b", new QuotaUses(Little, new QuotaUse(0, 1)))])
            .ShouldBeEmpty();

    [Fact]
    public void A_table_that_is_nine_tenths_full_is_named_with_what_to_do()
    {
        TableWarnings.Full(
            [
                new TableOccupancy("conn4", 899, 1_000), new TableOccupancy("conn6", 900, 1_000),
                new TableOccupancy("class", 10, 10), new TableOccupancy("nexthop", 10, 10),
            ])
            .ShouldBe(
            [
                "table conn6 is nine tenths full: genkan tenant list says who; more room: genkan run --connections",
                "table class is nine tenths full: exact entries will take its place; more room: genkan run "
                + "--connections",
                "table nexthop is nine tenths full",
            ]);
    }
}
