using System;
using System.Buffers.Binary;
using System.IO;
using Genkan.Datapath.Bpf;
using Genkan.Datapath.Layout;
using Genkan.Datapath.Native;
using Genkan.Datapath.Tables;
using Genkan.Overlay.Flows;
using Genkan.Wire;
using Shouldly;

namespace Genkan.Datapath.Tests.Tables;

/// <summary>docs/capacity.md: what the tables of a host take of the kernel's memory, empty and full; and each table at
/// its limit. Runs alone, since the heap that one test weighs is the whole process's.</summary>
[Collection(nameof(MemoryOfTables))]
[CollectionDefinition(nameof(MemoryOfTables), DisableParallelization = true)]
public sealed class MemoryOfTables(ITestOutputHelper output) : IDisposable
{
    // The words of the page, in octets.
    private const ulong Fixed = 32_000_000;
    private const ulong OfProcessor = 3_400_000;
    private const ulong Growing = 25_000_000;
    private const double RingBookkeeping = 1.02;
    private const long HeapMax = 40_000_000;
    private const long AddedMax = 768 << 10;

    private readonly TestHost _host = new();

    public void Dispose() => _host.Dispose();

    [Theory]
    [InlineData(1_024u, 3_040_000u)]
    [InlineData(16_384u, 9_150_000u)]
    [InlineData(131_072u, 63_500_000u)]
    public void Is_what_the_page_says_and_connections_take_none_on_top(uint connections, uint stated)
    {
        TableSizes sizes = TableSizes.Of(connections);
        using KernelDatapath datapath = Start(sizes);
        ulong processors = (ulong)BpfSyscall.PossibleCpuCount;
        ulong rings = 2 * processors * UpcallReader.RingOctets((int)processors);
        ulong empty = datapath.ReadTableMemory();
        output.WriteLine($"{connections} entries: {empty} octets, of which {sizes.MemoryOctets} by their number, "
            + $"{rings} of rings; {processors} processors");

        sizes.MemoryOctets.ShouldBeInRange(stated * 98 / 100, stated);
        ulong bound = stated + Fixed + (OfProcessor * processors) + (ulong)(rings * RingBookkeeping);
        empty.ShouldBeInRange(bound * 97 / 100, bound);

        Fill("conn4", Conn4, new ConnEntry());
        Fill("conn6", Conn6, new ConnEntry());
        Fill("class", Class, new ConnEntry());
        datapath.ReadTableMemory().ShouldBe(empty);
    }

    [Fact]
    public void Of_1_M_entries_is_what_the_page_says() =>
        TableSizes.Of(1 << 20).MemoryOctets.ShouldBeInRange(400_000_000UL, 401_000_000UL);

    [Fact]
    public void A_full_table_refuses_the_next_entry_keeps_what_it_has_and_takes_it_when_there_is_room()
    {
        using KernelDatapath datapath = Start(TableSizes.Of(TableSizes.ConnectionsMin));
        ulong empty = datapath.ReadTableMemory();

        Past("conn4", Conn4, new ConnEntry());
        Past("conn6", Conn6, new ConnEntry());
        Past("class", Class, new ConnEntry());
        Past("link", static i => new LinkKey { Ifindex = 1_000_000 + i }, 1u);
        Past("vtep", static i => VtepKey.Of(IpAddress.FromIpv4(0x0a000000 + i)), new VtepEntry());
        Past("neighbour", static i => NeighbourKey.Of(i, IpAddress.FromIpv4(i)), new NeighbourEntry());
        Past("local_service", static i => new LocalServiceKey { Port = (ushort)i }, new LocalServiceEntry());
        Past("nat_owner", static i => new NatOwnerKey { Address = i >> 10, Granule = (ushort)(i & 1023) }, 1u);
        Past(
            "destination", static i => DestinationKey.Of(new IpPrefix(IpAddress.FromIpv4(i << 8), 24)),
            new DestinationEntry());

        ulong grown = datapath.ReadTableMemory() - empty;
        output.WriteLine($"all tables full: {grown} octets more, of NAT blocks and prefixes");
        grown.ShouldBeInRange(Growing * 4 / 5, Growing);
    }

    [Fact]
    public void Of_the_agent_is_taken_at_the_start_and_a_port_s_whole_share_of_connections_adds_nothing()
    {
        TableSizes sizes = TableSizes.Of(131_072);
        long bare = Heap();
        using SlowPathHost host = new(workerCount: 1, sizes);
        (SlowPath path, DatapathWorker tables) = host.Workers[0];
        (Upcall upcall, byte[] frame) = host.Up(host.Tcp("10.0.2.2", 1));
        path.Handle(upcall, frame);
        tables.Flush();
        long empty = Heap();

        for (ushort port = 2; path.Counters.InstallsRefused < 100; port++)
        {
            NetworkPort(frame, port);
            path.Handle(upcall, frame);
        }

        tables.Flush();
        long full = Heap();
        int entries = host.Scan().Count;
        output.WriteLine($"{empty - bare} octets before the first packets, {full - empty} more with {entries} entries");
        entries.ShouldBe((int)sizes.Conn4 * 3 / 8);
        (empty - bare).ShouldBeLessThan(HeapMax);

        // Drop counters of a port, and what the test and the runtime keep. The smallest object there is (24 octets) for
        // each of the 49,152 entries would be half as much again.
        (full - empty).ShouldBeLessThan(AddedMax);

        // The least of a few: what the runtime and the test runner do beside is not ours.
        static long Heap()
        {
            long least = long.MaxValue;
            for (int turn = 0; turn < 5; turn++)
            {
                GC.WaitForPendingFinalizers();
                least = Math.Min(least, GC.GetTotalMemory(forceFullCollection: true));
            }

            return least;
        }

        // Source port and checksum of the TCP header: the sum of both stays what it is.
        static void NetworkPort(Span<byte> frame, ushort port)
        {
            ushort before = BinaryPrimitives.ReadUInt16BigEndian(frame[34..]);
            ushort checksum = BinaryPrimitives.ReadUInt16BigEndian(frame[50..]);
            uint sum = (uint)(ushort)~checksum + (ushort)~before + port;
            while (sum >> 16 != 0) sum = (sum & 0xffff) + (sum >> 16);
            BinaryPrimitives.WriteUInt16BigEndian(frame[34..], port);
            BinaryPrimitives.WriteUInt16BigEndian(frame[50..], (ushort)~sum);
        }
    }

    private KernelDatapath Start(TableSizes sizes) =>
        _host.Run(() => KernelDatapath.Start(_host.Options with { Sizes = sizes }));

    private void Past<TKey, TValue>(string name, Func<uint, TKey> keyOf, TValue value)
        where TKey : unmanaged
        where TValue : unmanaged
    {
        using BpfMap map = Fill(name, keyOf, value);
        BpfTable<TKey, TValue> table = new(map);
        uint count = map.Spec.MaxEntries;

        table.Update(keyOf(count), value).ShouldBeOneOf(Errno.E2BIG, Errno.ENOSPC);
        table.TryLookup(keyOf(0), out _).ShouldBeTrue(name);
        table.TryLookup(keyOf(count - 1), out _).ShouldBeTrue(name);
        table.Update(keyOf(0), value).ShouldBe(Errno.None, $"{name}: what is there can be replaced");

        table.Delete(keyOf(0)).ShouldBe(Errno.None);
        table.Update(keyOf(count), value).ShouldBe(Errno.None, $"{name}: there is room again");
    }

    private BpfMap Fill<TKey, TValue>(string name, Func<uint, TKey> keyOf, TValue value)
        where TKey : unmanaged
        where TValue : unmanaged
    {
        BpfMap map = BpfMap.TryOpenPinned(Path.Combine(_host.Options.PinRoot, "h1", name))!;
        BpfTable<TKey, TValue> table = new(map);
        for (uint i = 0; i < map.Spec.MaxEntries; i++)
            table.Update(keyOf(i), value).ShouldBe(Errno.None, $"{name}, entry {i} of {map.Spec.MaxEntries}");
        return map;
    }

    private static Conn4Key Conn4(uint i) => new() { Port = 1, Src = i };

    private static Conn6Key Conn6(uint i) => new() { Port = i };

    private static ClassKey Class(uint i) => new() { Port = i };
}
