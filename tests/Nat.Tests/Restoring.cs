using System;
using System.Linq;
using Genkan.Wire;
using Shouldly;
using static Genkan.Nat.Tests.Tables;

namespace Genkan.Nat.Tests;

/// <summary>What a new agent does with the mappings that it finds, and an old one with new blocks.</summary>
public sealed class Restoring
{
    private static readonly NatBinding Old = new(Zone, IpProtocol.Udp, Host(1), 5000, PublicB, 1500);

    [Fact]
    public void A_restored_mapping_is_used_as_if_it_had_been_made_here()
    {
        NatTable table = Make(new NatBlock(PublicA, 1024, 2047), new NatBlock(PublicB, 1500, 1501));

        Restore(table, Old).ShouldBe(NatRefusal.None);
        Restore(table, Old).ShouldBe(NatRefusal.None);

        table.Count.ShouldBe(1);
        table.Bind(Udp(1, 5000)).ShouldBe(Old);
        table.Bind(Udp(1, 5001)).ShouldBe(Old with { SourcePort = 5001, PublicPort = 1501 });
        table.Retain(Old).ShouldBeTrue();
        table.TryFindReturn(Zone, IpProtocol.Udp, PublicB, 1500, out NatBinding found).ShouldBeTrue();
        found.ShouldBe(Old);
    }

    [Fact]
    public void What_contradicts_the_table_is_refused_by_name()
    {
        NatTable table = Make(
            NatLimits.Default with { BindingsMax = 2 },
            new NatBlock(PublicB, 1024, 2047),
            new NatBlock(PublicA, 64, 127));
        Restore(table, Old).ShouldBe(NatRefusal.None);

        Restore(table, Old with { PublicPort = 1501 }).ShouldBe(NatRefusal.Conflict);
        Restore(table, Old with { SourcePort = 1 }).ShouldBe(NatRefusal.Conflict);
        Restore(table, Old with { SourcePort = 1, PublicPort = 2048 }).ShouldBe(NatRefusal.NotOwned);
        Restore(table, Old with { SourcePort = 1, PublicAddress = Server }).ShouldBe(NatRefusal.NotOwned);
        Restore(table, Old with { SourcePort = 1, PublicAddress = PublicA, PublicPort = 64 })
            .ShouldBe(NatRefusal.Conflict);
        Restore(table, Old with { Zone = 8 }).ShouldBe(NatRefusal.NotOwned);
        Restore(table, Old with { Protocol = (IpProtocol)47 }).ShouldBe(NatRefusal.ProtocolUnsupported);
        Restore(table, Old with { SourcePort = 1, PublicPort = 1501 }).ShouldBe(NatRefusal.None);
        Restore(table, Old with { SourcePort = 2, PublicPort = 1502 }).ShouldBe(NatRefusal.TableFull);
    }

    [Fact]
    public void The_quota_does_not_stop_what_runs_already()
    {
        NatTable table = Make(NatLimits.Default with { BindingsPerSourceMax = 1 }, new NatBlock(PublicB, 1024, 2047));

        Restore(table, Old).ShouldBe(NatRefusal.None);
        Restore(table, Old with { SourcePort = 1, PublicPort = 1501 }).ShouldBe(NatRefusal.None);

        table.Refusal(Udp(1, 2)).ShouldBe(NatRefusal.QuotaReached);
    }

    [Fact]
    public void New_blocks_revoke_the_mappings_outside_of_them_and_keep_the_others()
    {
        NatTable table = Make(new NatBlock(PublicA, 64, 127));
        NatBinding[] all = [.. Enumerable.Range(0, 64).Select(i => table.Bind(Udp(i, 1)))];
        foreach (NatBinding binding in all) table.Retain(binding).ShouldBeTrue();

        NatBinding[] revoked = [.. table.SetBlocks(Zone, [new NatBlock(PublicA, 96, 191)])];

        revoked.ShouldBe(all.Where(b => b.PublicPort < 96), ignoreOrder: true);
        table.Count.ShouldBe(32);
        table.Release(revoked[0], TimeSpan.Zero).ShouldBeFalse();
        table.Retain(revoked[0]).ShouldBeFalse();
        foreach (NatBinding kept in all.Except(revoked)) table.Bind(Udp(HostOf(kept), 1)).ShouldBe(kept);
        for (int i = 100; i < 164; i++) table.Bind(Udp(i, 1)).PublicPort.ShouldBeInRange((ushort)128, (ushort)191);
        table.Refusal(Udp(200, 1)).ShouldBe(NatRefusal.PortsExhausted);
    }

    [Fact]
    public void Taking_all_blocks_away_revokes_all_mappings_of_the_zone_and_of_no_other()
    {
        NatTable table = Make(new NatBlock(PublicA, 64, 127));
        table.SetBlocks(8, [new NatBlock(PublicA, 128, 191)]).ShouldBeEmpty();
        NatBinding gone = table.Bind(Udp(1, 1));
        NatBinding kept = table.Bind(Udp(1, 1) with { Zone = 8 });

        table.SetBlocks(Zone, []).ShouldBe([gone]);

        table.Refusal(Udp(1, 1)).ShouldBe(NatRefusal.PortsExhausted);
        table.Bind(Udp(1, 1) with { Zone = 8 }).ShouldBe(kept);
    }

    [Fact]
    public void More_blocks_than_the_limit_are_refused()
    {
        NatTable table = Make();
        NatBlock[] blocks = new NatBlock[NatLimits.BlocksPerZoneMax + 1];

        Should.Throw<ArgumentOutOfRangeException>(() => table.SetBlocks(Zone, blocks));
        table.SetBlocks(Zone, blocks.AsSpan(1)).ShouldBeEmpty();
    }

    private static int HostOf(NatBinding binding) => (int)(uint)binding.Source.Value & 0xFFFF;

    private static NatRefusal Restore(NatTable table, in NatBinding binding)
    {
        bool done = table.TryRestore(binding, TimeSpan.Zero, out NatRefusal refusal);
        done.ShouldBe(refusal == NatRefusal.None);
        return refusal;
    }
}
