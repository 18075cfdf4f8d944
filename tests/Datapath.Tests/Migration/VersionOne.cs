using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using Genkan.Datapath.Bpf;
using Genkan.Datapath.Layout;
using Genkan.Datapath.Startup;
using Genkan.Datapath.Tables;
using Genkan.Datapath.Tests.Programs;
using Shouldly;

namespace Genkan.Datapath.Tests.Migration;

/// <summary>Tables as agents of layout version 1 left them (tests/Datapath.Tests/Layouts/1).</summary>
[Collection(ProgramMachine.Collection)]
public sealed class VersionOne : IDisposable
{
    private const ulong Seed = 0x0123_4567_89AB_CDEF;

    private static readonly (string Table, string Key, string Value)[] Entries =
    [
        ("link", "ifindex=7 vlan=12", "3"),
        ("ports", "3", "object_id=81985529216486895 ifindex=7 key_port=3 vlan=12 kind=1 flags=2 class_masks=17 "
            + "bridge=9 budget=3 mac=2,0,0,0,0,7 ipv4=33554442 ipv6=32,1,13,184"),
        ("generation", "5", "hard=3 soft=4 revalidate=1"),
        ("nexthop", "6", "kind=2 arg=1 tunnel_key=4660 port=3 peer=192,0,2,1"),
        ("delivery", "4000", "kind=4 generation=7 arg=9 port=3"),
        ("replication", "2", "count=2 nexthop=5,6"),
        ("neighbour", "bridge=9 address=10,0,0,7", "mac=2,0,0,0,0,7 is_router=1"),
        ("nat_owner", "address=7 granule=16", "6"),
        ("local_service", "address=203,0,113,2 port=179 proto=6", "budget=4097"),
        ("destination", "prefix_bits=32 address=198,51,100", "budget=4098"),
        ("vtep", "address=192,0,2,12", "packets=5 octets=900 host=77 budget=4099"),
        ("budget", "4098", "interval_ns=200000 burst_ns=1000000 refused=4"),
        ("port_stats", "3", "rx_packets=5 rx_octets=700 drop_packets=1"),
        ("drop_stats", "290", "6"),
    ];

    private readonly KernelDatapathOptions _options = new()
    {
        HostName = "h",
        UnderlayAddress = Wire.IpAddress.Parse("192.0.2.1"),
        PinRoot = $"/sys/fs/bpf/genkan-one-{Environment.ProcessId}",
        RunDirectory = "/nonexistent",
    };

    public VersionOne()
    {
        Genkan.Testing.Kernel.Netns.DemandRoot();
        BpfFileSystem.CreatePinDirectory(_options.PinDirectory);
        BpfProgramSetOptions old = MigrationHost.Programs("layout1") with { PinDirectory = _options.PinDirectory };
        BpfProgramSet.Load(old).Dispose(); // what is pinned stays
        foreach ((string table, string key, string value) in Entries) Open(table, t => t.Put(key, value));
        Open("settings", t => t.Put("0", $"layout_version=1 vxlan_ifindex=4 agent_ifindex=5 vxlan_port=4789 "
            + $"digest_seed={Seed}"));
        Open("conn4", PutConnections);
    }

    public void Dispose() => BpfFileSystem.RemovePinDirectory(_options.PinRoot);

    [Fact]
    public void Are_taken_over_with_every_entry_equal_by_name()
    {
        Dictionary<string, string[]> before = ReadAll();
        before["conn4"].Length.ShouldBe(3_000);

        using (KernelTables tables = KernelTables.Load(_options))
        {
            tables.IsAdopted.ShouldBeTrue();
            tables.Migrated.ShouldContain("settings");
            tables.Settings.LayoutVersion.ShouldBe(LayoutLimits.LayoutVersion);
            (tables.Settings.VxlanIfindex, tables.Settings.AgentIfindex, tables.Settings.VxlanPort)
                .ShouldBe((4u, 5u, (ushort)4789));
            tables.Settings.DigestSeed.ShouldBe(Seed);
        }

        Dictionary<string, string[]> after = ReadAll();
        foreach ((string table, string[] entries) in before) after[table].ShouldBe(entries, table);
    }

    [Fact]
    public void Are_taken_over_once_the_second_agent_finds_its_own()
    {
        KernelTables.Load(_options).Dispose();
        using KernelTables tables = KernelTables.Load(_options);
        tables.Migrated.ShouldBeEmpty();
    }

    private static void PutConnections(NamedTable table)
    {
        for (int i = 0; i < 3_000; i++)
        {
            string key = $"port={(i % 9) + 1} src={i} dst=7 sport=80 dport={i} proto=6 dmac=2 smac=4";
            ulong tag = ((ulong)KeyDigest.Of(table.KeyOf(key), Seed) << 32) | (uint)i;
            table.Put(key, $"tag_head={tag} action.class_id=5 action.generation=3 action.soft=4 action.nexthop=6 "
                + $"action.verdict=1 action.rewrite=7 action.hops=2 action.src=10,0,0,7 packets={i} octets=64 "
                + $"last_seen_ns=9 created_ns=8 tcp_seen=11 zone=4 tag_tail={tag}");
        }
    }

    private Dictionary<string, string[]> ReadAll() => Entries.Select(e => e.Table).Append("conn4")
        .ToDictionary(name => name, name =>
        {
            using NamedTable table = new(Path.Combine(_options.PinDirectory, name));
            return table.Read();
        });

    private void Open(string name, Action<NamedTable> action)
    {
        using NamedTable table = new(Path.Combine(_options.PinDirectory, name));
        action(table);
    }
}
