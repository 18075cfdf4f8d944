using System;
using System.Linq;
using Genkan.Datapath.Bpf;
using Genkan.Datapath.Tables;
using Shouldly;

namespace Genkan.Datapath.Tests.Tables;

/// <summary>A table that follows a wanted state, when there is more of it than room.</summary>
public sealed class FullWantedState : IDisposable
{
    private const int Room = 8;

    private readonly BpfMap _map =
        BpfMap.Create(new BpfMapSpec("full", BpfMapType.Hash, sizeof(uint), sizeof(uint), Room));

    public void Dispose() => _map.Dispose();

    [Fact]
    public void What_is_too_much_is_counted_and_all_else_stands()
    {
        TableSync<uint, uint> table = new(_map);
        Apply(table, 1, Room + 3);

        table.RefusedCount.ShouldBe(3);
        table.Count.ShouldBe(Room);
        Present().ShouldBe([.. Enumerable.Range(1, Room).Select(static i => (uint)i)]);
    }

    [Fact]
    public void A_full_table_s_entries_can_all_be_exchanged_at_once()
    {
        TableSync<uint, uint> table = new(_map);
        Apply(table, 1, Room);
        Apply(table, 101, Room);

        table.RefusedCount.ShouldBe(0);
        Present().ShouldBe([.. Enumerable.Range(101, Room).Select(static i => (uint)i)]);
    }

    private static void Apply(TableSync<uint, uint> table, uint first, int count)
    {
        table.Begin();
        for (uint key = first; key < first + count; key++) table.Want(key, key);
        table.Commit();
    }

    private uint[] Present()
    {
        BpfTable<uint, uint> table = new(_map);
        return [.. Enumerable.Range(0, 200).Select(static i => (uint)i).Where(key => table.TryLookup(key, out _))];
    }
}
