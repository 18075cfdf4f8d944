using System;
using System.Linq;
using Genkan.Datapath.Bpf;
using Genkan.Datapath.Layout;
using Genkan.Datapath.Tables;
using Genkan.Datapath.Tests.Programs;
using Shouldly;

namespace Genkan.Datapath.Tests.Migration;

/// <summary>Generations of pinned tables in two layouts, up and down, with the agent killed anywhere.</summary>
[Collection(ProgramMachine.Collection)]
public sealed class KilledMigration
{
    private const int StepsMax = 40;
    private const ulong Seed = 99;

    private static readonly string[] Carried =
    [
        "port=1 zone=5 -> action.list=1,2,3 action.mac=1,2,3,4,5,6 action.signed_number=-4 action.small=65535 "
            + "created_ns=11 tcp_seen=3",
        "port=65535 zone=6 -> action.signed_number=7 created_ns=12",
    ];

    [Theory]
    [InlineData(AttachMode.Tcx)]
    [InlineData(AttachMode.Clsact)]
    public void Entries_are_equal_by_name_after_going_up_and_down_and_counters_go_on(AttachMode attach)
    {
        using MigrationHost host = new(attach);
        Fill(host, "generation_a");
        host.Send(10);

        host.Start("generation_b").ShouldBe(["conn4", "pending", "port_stats", "settings"]);
        host.Send(20);
        Check(host, packets: 30);
        host.Start("generation_b").ShouldBeEmpty();
        host.Start("generation_a").ShouldBe(["conn4", "pending", "port_stats", "settings"]);
        host.Send(5);

        Check(host, packets: 35);
    }

    [Fact]
    public void Killed_at_any_step_the_next_agent_goes_on_whichever_layout_it_has()
    {
        foreach (string next in (string[])["generation_b", "generation_a"])
        {
            int steps = 0;
            for (bool wasKilled = true; wasKilled; steps++)
            {
                using MigrationHost host = new();
                Fill(host, "generation_a");
                host.Send(3);
                wasKilled = IsKilled(host, "generation_b", steps);
                host.Send(3); // whatever it left, packets are counted
                host.Start(next);
                host.Send(3);
                Check(host, packets: 9);
            }

            steps.ShouldBeInRange(12, StepsMax); // the last one was not killed
        }
    }

    [Fact]
    public void Killed_again_and_again_while_going_forward_it_still_arrives()
    {
        for (int first = 0; first < StepsMax; first++)
        {
            using MigrationHost host = new();
            Fill(host, "generation_a");
            int packets = 0;
            int kills = 0;
            while (IsKilled(host, "generation_b", first))
            {
                host.Send(1);
                packets++;
                if (++kills > StepsMax) break; // a step that is always reached, such as the first: never arrives
            }

            host.Start("generation_b");
            Check(host, (ulong)packets);
            if (kills == 0) return;
        }

        throw new InvalidOperationException("it never arrives");
    }

    [Fact]
    public void A_value_that_the_other_layout_cannot_hold_is_refused_and_nothing_has_changed()
    {
        using MigrationHost host = new();
        Fill(host, "generation_a");
        using (NamedTable conn = host.Table("conn4")) conn.Put("port=70000 zone=1", "created_ns=1");
        string[] pins = host.Pins();

        string message = Should.Throw<DatapathException>(() => host.Start("generation_b")).Message;

        message.ShouldContain("conn4");
        message.ShouldContain("port");
        message.ShouldContain("genkan host remove");
        host.Pins().ShouldBe(pins);
        host.Directories().ShouldBe(["links"]);
        host.Start("generation_a").ShouldBeEmpty();
    }

    [Fact]
    public void Tables_of_a_newer_meaning_are_refused_unless_they_say_that_this_agent_will_do()
    {
        using MigrationHost host = new();
        Fill(host, "generation_a");
        using (NamedTable settings = host.Table("settings"))
        {
            settings.Put("0", $"layout_version=9 compatible_version={LayoutLimits.LayoutVersion} digest_seed={Seed}");
            host.Start("generation_b").ShouldNotBeEmpty();
        }

        using (NamedTable settings = host.Table("settings"))
        {
            settings.Put("0", "layout_version=9 compatible_version=8 digest_seed=5");
        }

        string message = Should.Throw<DatapathException>(() => host.Start("generation_b")).Message;
        message.ShouldContain("layout 9");
        message.ShouldContain("below layout 8");
    }

    private static bool IsKilled(MigrationHost host, string layout, int step)
    {
        try
        {
            host.Start(layout, step);
            return false;
        }
        catch (KilledException)
        {
            return true;
        }
    }

    private static void Fill(MigrationHost host, string layout)
    {
        host.Start(layout);
        using NamedTable settings = host.Table("settings");
        settings.Put("0", $"layout_version=1 compatible_version=1 digest_seed={Seed}");
        using NamedTable conn = host.Table("conn4");
        Put(conn, "port=1 zone=5", "action.mac=1,2,3,4,5,6 action.small=65535 action.list=1,2,3 "
            + "action.signed_number=-4 created_ns=11 tcp_seen=3");
        Put(conn, "port=65535 zone=6", "action.signed_number=7 created_ns=12");
        Put(conn, "port=1 zone=0", "created_ns=1"); // where the program counts
    }

    private static void Put(NamedTable conn, string key, string value) =>
        conn.Put(key, $"{value} tag_head={Tag(conn, key)} tag_tail={Tag(conn, key)}");

    private static ulong Tag(NamedTable conn, string key) => ((ulong)KeyDigest.Of(conn.KeyOf(key), Seed) << 32) | 77;

    private static void Check(MigrationHost host, ulong packets)
    {
        host.Directories().ShouldBe(["links"]);
        using NamedTable conn = host.Table("conn4");
        conn.Read("tag_head", "tag_tail", "packets", "last_seen_ns")
            .Where(e => !e.StartsWith("port=1 ->", StringComparison.Ordinal)).ShouldBe(Carried);
        conn.Number("port=1 zone=0", "packets").ShouldBe(packets);
        ulong tag = Tag(conn, "port=1 zone=5");
        (conn.Number("port=1 zone=5", "tag_head"), conn.Number("port=1 zone=5", "tag_tail")).ShouldBe((tag, tag));
        using NamedTable stats = host.Table("port_stats");
        stats.Number("0", "rx_packets").ShouldBe(packets);
        using NamedTable shared = host.Table("shared");
        shared.Number("0", "").ShouldBe(packets);
        using NamedTable settings = host.Table("settings");
        settings.Number("0", "digest_seed").ShouldBe(Seed);
    }
}
