using System;
using System.Collections.Generic;
using System.Linq;
using System.Threading;
using Genkan.Datapath.Tables;
using Genkan.Nat;
using Genkan.Overlay.Flows;
using Genkan.Testing;
using Genkan.Wire;
using Shouldly;

namespace Genkan.Datapath.Tests.Tables;

/// <summary>Workers of the slow path over the kernel's own tables and sockets.</summary>
public sealed class SlowPathWorkers
{
    private const string Inside = "10.0.2.2";
    private const string Outside = "192.0.2.99";

    [Fact]
    public void Ten_thousand_packets_of_all_kinds_allocate_nothing()
    {
        const int rounds = 1_000;
        using SlowPathHost host = new(workerCount: 1, TableSizes.Of(65_536)); // room in one port's share
        List<(Upcall Upcall, byte[] Frame)> packets = [];
        for (ushort i = 0; i < rounds + 1; i++) AddRound(host, packets, (ushort)(2_000 + i));
        int round = packets.Count / (rounds + 1);
        round.ShouldBe(10);
        (SlowPath path, DatapathWorker tables) = host.Workers[0];
        Handle(path, tables, packets, 0, round);

        int next = round;
        Allocation.Of(() => Handle(path, tables, packets, next, next += rounds)).ShouldBe(0);
        Handle(path, tables, packets, next, packets.Count);
        path.Counters.Upcalls.ShouldBe((ulong)packets.Count);
        path.Counters.Installs.ShouldBeGreaterThanOrEqualTo(2ul * rounds);
        path.Counters.InstallsRefused.ShouldBe(0ul);
        path.Counters.Answers.ShouldBeGreaterThanOrEqualTo(2ul * rounds);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void Colliding_packets_on_four_workers_leave_each_connection_once_with_one_hold(int seed)
    {
        const int workerCount = 4;
        const int connectionCount = 400; // each worker takes from the share of vm1: a quarter of the table
        using SlowPathHost host = new(workerCount);
        List<(Upcall Upcall, byte[] Frame)> packets = [];
        for (ushort i = 0; i < connectionCount; i++)
        {
            packets.Add(host.Up(host.Tcp(Inside, (ushort)(2_000 + i))));
            packets.Add(host.Up(host.Tcp(Outside, (ushort)(2_000 + i))));
            packets.Add(host.Up(host.Tcp(Outside, (ushort)(2_000 + i)), state: ConnectionState.Forward));
            packets.Add(host.Up(host.Tcp(Inside, (ushort)(2_000 + i), port: 22)));
        }

        InParallel(workerCount, worker =>
        {
            (Upcall Upcall, byte[] Frame)[] own = [.. packets];
            new Random(seed + worker).Shuffle(own);
            Handle(host.Workers[worker].SlowPath, host.Workers[worker].Datapath, own, 0, own.Length);
        });

        List<FlowEntry> entries = host.Scan();
        FlowEntry[] forward = [.. entries.Where(e => e.Action.State == ConnectionState.Forward)];
        forward.Length.ShouldBe(2 * connectionCount);
        entries.Count(e => e.Action.State == ConnectionState.Reply).ShouldBe(2 * connectionCount);
        entries.Count(e => e.Action.Verdict == FlowVerdict.Drop).ShouldBe(connectionCount);
        entries.Count.ShouldBe(5 * connectionCount);
        FlowEntry[] translated = [.. forward.Where(e => e.Action.Zone != 0)];
        translated.Length.ShouldBe(connectionCount);
        host.Nat.Count.ShouldBe(connectionCount);
        translated.ShouldAllBe(e => HoldsOf(host, e) == 1);
        host.Main.TotalCounters.InstallsRefused.ShouldBe(0ul);
    }

    [Fact]
    public void A_batch_is_added_up_to_the_first_entry_that_is_there_stale_or_without_room()
    {
        using SlowPathHost host = new(workerCount: 2);
        DatapathWorker tables = host.Workers[1].Datapath; // the second one's share of the memory
        FlowWrite[] writes = [.. Enumerable.Range(0, 6).Select(i => Write(i, isIpv6: i is 2 or 3))];

        tables.InstallNew(writes.AsSpan(0, 5), out InstallOutcome refusal).ShouldBe(5);
        refusal.ShouldBe(InstallOutcome.Installed);
        host.Scan().Count.ShouldBe(5);
        tables.InstallNew([writes[5], writes[3], writes[0]], out refusal).ShouldBe(1);
        refusal.ShouldBe(InstallOutcome.Exists);

        FlowWrite stale = Write(7, isIpv6: false, tables.Stamp(9));
        host.Datapath.Bump(9, isHard: true);
        tables.InstallNew([Write(6, isIpv6: false), stale, Write(8, isIpv6: false)], out refusal).ShouldBe(1);
        refusal.ShouldBe(InstallOutcome.Stale);

        int written = FlowLimits.WriteBatch;
        int total = host.Scan().Count;
        for (int i = 100; written == FlowLimits.WriteBatch; i += FlowLimits.WriteBatch)
        {
            FlowWrite[] batch = [.. Enumerable.Range(i, FlowLimits.WriteBatch).Select(n => Write(n, isIpv6: false))];
            written = tables.InstallNew(batch, out refusal);
            total += written;
        }

        refusal.ShouldBe(InstallOutcome.Full);
        host.Scan().Count.ShouldBe(total);
    }

    private static FlowWrite Write(int number, bool isIpv6, FlowStamp stamp = default)
    {
        IpAddress address = isIpv6 ? TestHost.Address6Of(number) : TestHost.AddressOf(1);
        FlowKey key = new(
            1, address, address, IpProtocol.Tcp, (ushort)number, (ushort)(number >> 16), FragmentKind.None,
            TestHost.MacOf(1), TestHost.MacOf(2));
        FlowAction action = new() { Verdict = FlowVerdict.Upcall, State = ConnectionState.Reply, Stamp = stamp };
        return new FlowWrite(key, action);
    }

    private static int HoldsOf(SlowPathHost host, FlowEntry entry)
    {
        NatBinding binding = new(
            host.Router.Value, entry.Key.Protocol, entry.Key.Source, entry.Key.SourcePort, entry.Action.Source,
            entry.Action.SourcePort);
        int holds = 0;
        while (host.Nat.Release(binding, host.Datapath.Now)) holds++;
        return holds;
    }

    private static void AddRound(SlowPathHost host, List<(Upcall Upcall, byte[] Frame)> packets, ushort port)
    {
        packets.Add(host.Up(host.Tcp(Inside, port)));
        packets.Add(host.Up(host.Tcp(Inside, port), UpcallKind.Follower));
        packets.Add(host.Up(host.Tcp(Outside, port)));
        packets.Add(host.Up(host.Udp(Outside, port)));
        packets.Add(host.Up(host.Tcp(Inside, port, port: 22)));
        packets.Add(host.Up(host.Tcp(Inside, port, port: 22), UpcallKind.Follower));
        packets.Add(host.Up(host.Tcp(Inside, port, hopLimit: 1)));
        packets.Add(host.Up(SlowPathHost.Arp(), UpcallKind.Control));
        packets.Add(host.Up(host.Ping("10.0.1.254", port)));
        packets.Add(host.Up(host.Tcp(Inside, port), UpcallKind.Revalidate));
    }

    private static void Handle(
        SlowPath path, DatapathWorker tables, IReadOnlyList<(Upcall Upcall, byte[] Frame)> packets, int from, int to)
    {
        for (int i = from; i < to; i++)
        {
            path.Handle(packets[i].Upcall, packets[i].Frame);
            if (i % 64 == 0) tables.Flush();
        }

        tables.Flush();
    }

    private static void InParallel(int workerCount, Action<int> work)
    {
        using Barrier start = new(workerCount);
        Exception? fault = null;
        Thread[] threads = [.. Enumerable.Range(0, workerCount).Select(worker => new Thread(() =>
        {
            start.SignalAndWait();
            try
            {
                work(worker);
            }
            catch (Exception e)
            {
                fault = e;
            }
        }))];
        foreach (Thread thread in threads) thread.Start();
        foreach (Thread thread in threads) thread.Join();
        fault.ShouldBeNull();
    }
}
