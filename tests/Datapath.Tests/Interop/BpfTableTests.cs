using System;
using System.Linq;
using Genkan.Datapath.Bpf;
using Genkan.Datapath.Native;
using Genkan.Testing.Kernel;
using Shouldly;

namespace Genkan.Datapath.Tests.Interop;

public sealed class BpfTableTests : IDisposable
{
    private readonly BpfMap _map;
    private readonly BpfTable<uint, ulong> _table;

    public BpfTableTests()
    {
        Netns.DemandRoot();
        _map = BpfMap.Create(new BpfMapSpec("table", BpfMapType.Hash, 4, 8, MaxEntries: 100));
        _table = new BpfTable<uint, ulong>(_map);
    }

    public void Dispose() => _map.Dispose();

    [Fact]
    public void The_kernel_tells_what_the_map_is_made_of() =>
        _map.Spec.ShouldBe(new BpfMapSpec("table", BpfMapType.Hash, 4, 8, 100));

    [Fact]
    public void An_entry_is_written_read_and_removed()
    {
        _table.TryLookup(1, out _).ShouldBeFalse();
        _table.Update(1, 11).ShouldBe(Errno.None);
        _table.TryLookup(1, out ulong value).ShouldBeTrue();
        value.ShouldBe(11ul);
        _table.Delete(1).ShouldBe(Errno.None);
        _table.Delete(1).ShouldBe(Errno.ENOENT);
    }

    [Fact]
    public void The_mode_of_an_update_decides_over_keys_that_exist_or_do_not()
    {
        _table.Update(1, 11, BpfUpdate.Exist).ShouldBe(Errno.ENOENT);
        _table.Update(1, 11, BpfUpdate.NoExist).ShouldBe(Errno.None);
        _table.Update(1, 12, BpfUpdate.NoExist).ShouldBe(Errno.EEXIST);
    }

    [Fact]
    public void A_full_table_says_E2BIG_to_one_and_to_many()
    {
        uint[] keys = [.. Enumerable.Range(0, 120).Select(i => (uint)i)];
        _table.UpdateBatch(keys, new ulong[120], out int written).ShouldBe(Errno.E2BIG);
        written.ShouldBe(100);
        _table.Update(1000, 1).ShouldBe(Errno.E2BIG);
    }

    [Fact]
    public void A_batched_walk_sees_every_entry_once()
    {
        uint[] keys = [.. Enumerable.Range(0, 90).Select(i => (uint)i)];
        ulong[] values = [.. keys.Select(k => k * 3ul)];
        _table.UpdateBatch(keys, values, out _).ShouldBe(Errno.None);

        (uint Key, ulong Value)[] seen = Walk();

        seen.OrderBy(e => e.Key).ShouldBe(keys.Zip(values));
    }

    [Fact]
    public void A_walk_of_an_empty_table_is_finished_at_once() => Walk().ShouldBeEmpty();

    [Fact]
    public void Deleting_many_goes_on_behind_keys_that_are_gone()
    {
        _table.UpdateBatch([1, 2, 3, 4], [1, 2, 3, 4], out _);

        _table.DeleteBatch([9, 1, 8, 7, 3, 4, 6], out int deleted).ShouldBe(Errno.None);

        deleted.ShouldBe(3);
        Walk().ShouldBe([(2u, 2ul)]);
    }

    [Fact]
    public void Keys_are_walked_one_by_one()
    {
        _table.TryGetFirstKey(out _).ShouldBeFalse();
        _table.Update(5, 1);
        _table.TryGetFirstKey(out uint first).ShouldBeTrue();
        first.ShouldBe(5u);
        _table.TryGetNextKey(5, out _).ShouldBeFalse();
    }

    [Fact]
    public void Keys_and_values_of_other_sizes_are_refused() =>
        Should.Throw<InvalidOperationException>(() => new BpfTable<ulong, ulong>(_map))
            .Message.ShouldContain("keys of 4");

    [Fact]
    public void Per_CPU_counters_are_written_to_every_CPU_and_read_as_sums()
    {
        using BpfMap map = BpfMap.Create(new BpfMapSpec("counters", BpfMapType.PerCpuArray, 4, 16, MaxEntries: 600));
        PerCpuArray<InteropProgram.Counts> counters = new(map);
        InteropProgram.Counts[] sums = new InteropProgram.Counts[600];
        ulong cpus = (ulong)BpfSyscall.PossibleCpuCount;

        counters.Write(599, new InteropProgram.Counts(1, 10)).ShouldBe(Errno.None);
        counters.Write(300, new InteropProgram.Counts(2, 20)).ShouldBe(Errno.None);

        counters.Read(599, out InteropProgram.Counts one).ShouldBe(Errno.None);
        one.ShouldBe(new InteropProgram.Counts(cpus, 10 * cpus));
        counters.ReadAll(sums).ShouldBe(Errno.None);
        sums[599].ShouldBe(one);
        sums[300].ShouldBe(new InteropProgram.Counts(2 * cpus, 20 * cpus));
        sums[0].ShouldBe(default);
        counters.Read(600, out _).ShouldBe(Errno.ENOENT);
    }

    [Fact]
    public void A_refused_map_says_which_call_failed_and_why() =>
        Should.Throw<KernelException>(() => BpfMap.Create(new BpfMapSpec("bad", BpfMapType.Hash, 0, 8, 1)))
            .Message.ShouldStartWith("bpf(MAP_CREATE bad): EINVAL");

    private (uint Key, ulong Value)[] Walk()
    {
        BpfBatchCursor cursor = default;
        uint[] keys = new uint[32];
        ulong[] values = new ulong[32];
        System.Collections.Generic.List<(uint, ulong)> seen = [];
        while (!cursor.Finished)
        {
            _table.LookupBatch(ref cursor, keys, values, out int count).ShouldBe(Errno.None);
            for (int i = 0; i < count; i++) seen.Add((keys[i], values[i]));
        }
        return [.. seen];
    }
}
