using System;
using System.Collections.Generic;
using System.Linq;
using System.Threading;
using Genkan.Nat;
using Genkan.Overlay.Flows;
using Genkan.Overlay.Simulation;
using Genkan.Overlay.Tests.Fixtures;
using Genkan.Overlay.Topology;
using Genkan.Wire;
using Shouldly;
using static Genkan.Overlay.Tests.Flows.FlowFrames;

namespace Genkan.Overlay.Tests.Flows;

/// <summary>Workers that have packets of the same connections, and both directions of them, at the same time.</summary>
public sealed class ParallelWorkers
{
    private const int WorkerCount = 4;
    private const ushort ConnectionCount = 300;

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public void Leave_the_tables_as_one_worker_does_and_hold_each_translation_once(int seed)
    {
        Agent one = new(workerCount: 1, capacity: 65_536);
        one.Handle(Mixed, seed);
        Agent many = new(WorkerCount, capacity: 65_536);
        many.Handle(Mixed, seed);

        string[] expected = one.Contents();
        string[] actual = many.Contents();
        actual.Except(expected).Concat(expected.Except(actual)).Take(10).ShouldBeEmpty();
        actual.Length.ShouldBe(expected.Length);
        many.HoldsOf().ShouldBe(Enumerable.Repeat(1, ConnectionCount));
        many.Workers[0].TotalCounters.InstallsRefused.ShouldBe(0ul);
        many.Workers[0].TotalCounters.Upcalls.ShouldBe(WorkerCount * one.Workers[0].TotalCounters.Upcalls);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Leave_no_half_of_a_connection_in_a_full_table(int seed)
    {
        const int capacity = 101; // odd: the last connection finds room for its answer alone
        Agent many = new(WorkerCount, capacity);
        for (ushort i = 0; i < 80; i++)
        {
            // What deliveries made: so the table is full before the sender has its share of it.
            FlowKey answer = new(
                99, IpAddress.Parse("192.0.2.1"), IpAddress.Parse("192.0.2.2"), IpProtocol.Udp, i, 7,
                FragmentKind.None, default, default);
            many.Tables.Install(answer, default);
        }

        many.Handle(agent => [.. Ports.Select(port => agent.Miss("red/red-a", AToC(port)))], seed);

        FlowEntry[] entries = [.. many.Tables.Connections.Values];
        int forwards = entries.Count(e => e.Action.State == ConnectionState.Forward);
        int replies = entries.Count(e => e.Action.State == ConnectionState.Reply);
        forwards.ShouldBe(replies);
        forwards.ShouldBeLessThanOrEqualTo(capacity / 2);
        many.Tables.Drops.ShouldContainKey(DropReason.ConnTableFull);
    }

    [Fact]
    public void A_drop_decided_on_what_the_kernel_knew_before_does_not_take_the_place_of_a_connection()
    {
        Agent agent = new(workerCount: 2, capacity: 1024);
        (Upcall Upcall, byte[] Frame) request = agent.Miss("red/red-a", AToC(5000));
        (Upcall Upcall, byte[] Frame) early = agent.Miss("red/red-c", CToA(5000)); // no rule lets a stranger's in

        agent.Handle(worker: 0, request);
        agent.Handle(worker: 1, early);

        agent.Tables.Connections.Values.ShouldAllBe(e => e.Action.Verdict == FlowVerdict.Forward);
        agent.Tables.Connections.Count.ShouldBe(2);
    }

    [Fact]
    public void An_answers_entry_that_replaces_a_translated_one_ends_its_hold()
    {
        Agent agent = new(workerCount: 1, capacity: 1024);
        (Upcall Upcall, byte[] Frame) request = agent.Miss("red/red-c", CToServer(5000));
        agent.Handle(worker: 0, request);
        FlowEntry held = agent.Tables.Connections.Values.Single(e => e.Action.State == ConnectionState.Forward);

        (Upcall Upcall, byte[] Frame) answer = agent.Miss("red/red-c", CToServer(5000), ConnectionState.Reply);
        agent.Handle(worker: 0, answer);

        bool isTranslated = agent.Tables.Connections[held.Key].Action.State == ConnectionState.Forward;
        agent.HoldsOf(held).ShouldBe(isTranslated ? 1 : 0);
    }

    [Fact]
    public void A_connection_kept_back_while_what_it_depends_on_changed_is_refused_with_its_packet_and_its_hold()
    {
        Agent agent = new(workerCount: 1, capacity: 1024);
        (Upcall upcall, byte[] frame) = agent.Miss("red/red-c", CToServer(5000));
        agent.Workers[0].Handle(upcall, frame);
        for (uint id = 1; id < 16; id++) agent.Tables.Bump(id, isHard: true);

        agent.Tables.Flush();

        agent.Tables.Connections.ShouldBeEmpty();
        agent.Tables.Sent.ShouldBe(0);
        agent.Tables.Drops.ShouldContainKeyAndValue(DropReason.ReinjectMiss, 1);
        agent.HoldsOfSource(5000).ShouldBe(0);
    }

    private static IEnumerable<ushort> Ports => Enumerable.Range(1000, ConnectionCount).Select(i => (ushort)i);

    private static List<(Upcall Upcall, byte[] Frame)> Mixed(Agent agent)
    {
        List<(Upcall, byte[])> packets = [];
        foreach (ushort port in Ports)
        {
            packets.Add(agent.Miss("red/red-a", AToC(port)));
            packets.Add(agent.Miss("red/red-c", CToA(port), ConnectionState.Reply));
            packets.Add(agent.Miss("red/red-c", CToServer(port)));
            packets.Add(agent.Miss("red/red-c", CToServer(port), ConnectionState.Forward));
            packets.Add(agent.Miss("red/red-a", AToC(port, to: 22)));
            packets.Add(agent.Miss("red/red-a", Frames.Ping(Router1, A, "10.0.1.11", "10.0.1.1", port)));
        }

        return packets;
    }

    /// <summary>Workers of hv1 over one table.</summary>
    private sealed class Agent
    {
        private readonly List<TableDatapath> _tables = [];
        private readonly NatTable _nat = new(new NatLimits(), NatTimeouts.Default, seed: 1);

        public Agent(int workerCount, int capacity)
        {
            Tables = new TableDatapath(capacity);
            TopologySnapshot topology = Courtyard.Snapshot(Courtyard.Hv1);
            Workers.Add(new SlowPath(Tables, _nat, new FlowClasses(), topology));
            _tables.Add(Tables);
            while (Workers.Count < workerCount)
            {
                _tables.Add(Tables.Another());
                Workers.Add(new SlowPath(Workers[0], _tables[^1]));
            }

            Tables.Apply(topology);
        }

        public TableDatapath Tables { get; }

        public List<SlowPath> Workers { get; } = [];

        public (Upcall Upcall, byte[] Frame) Miss(
            string port, byte[] frame, ConnectionState state = ConnectionState.None)
        {
            Tables.TryGetSlot(Courtyard.Port(port), out uint slot).ShouldBeTrue();
            return (new Upcall(slot, UpcallKind.Miss, state, (uint)frame.Length, 0, default), frame);
        }

        /// <summary>A batch of one packet.</summary>
        public void Handle(int worker, in (Upcall Upcall, byte[] Frame) packet)
        {
            Workers[worker].Handle(packet.Upcall, packet.Frame);
            _tables[worker].Flush();
        }

        /// <summary>Every worker gets all packets, each in an order of its own.</summary>
        public void Handle(Func<Agent, List<(Upcall Upcall, byte[] Frame)>> packetsOf, int seed)
        {
            using Barrier start = new(Workers.Count);
            List<(Upcall Upcall, byte[] Frame)> packets = packetsOf(this);
            Exception? fault = null;
            Thread[] threads = [.. Workers.Select((worker, i) => new Thread(() =>
            {
                (Upcall Upcall, byte[] Frame)[] own = [.. packets];
                new Random(seed + i).Shuffle(own);
                start.SignalAndWait();
                try
                {
                    for (int n = 0; n < own.Length; n++)
                    {
                        worker.Handle(own[n].Upcall, own[n].Frame);
                        if (n % (8 * (i + 1)) == 0) _tables[i].Flush(); // batches of different sizes
                    }

                    _tables[i].Flush();
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

        /// <summary>The connection table in one order, without the public ports, which are chance.</summary>
        public string[] Contents() => [.. Tables.Connections.Values.Select(Describe).Order(StringComparer.Ordinal)];

        /// <summary>Of each translated connection, how often its translation is held.</summary>
        public int[] HoldsOf() =>
        [
            .. Tables.Connections.Values
                .Where(e => e.Action.State == ConnectionState.Forward && e.Action.Zone != 0)
                .Select(HoldsOf),
        ];

        public int HoldsOf(FlowEntry entry)
        {
            NatBinding binding = new(
                Courtyard.RedRouter.Value, entry.Key.Protocol, entry.Key.Source, entry.Key.SourcePort,
                entry.Action.Source, entry.Action.SourcePort);
            int holds = 0;
            while (_nat.Release(binding, Tables.Now)) holds++;
            return holds;
        }

        /// <summary>Holds of the mapping that red-c's port has.</summary>
        public int HoldsOfSource(ushort port)
        {
            NatRequest request = new(
                Courtyard.RedRouter.Value, IpProtocol.Tcp, IpAddress.Parse("10.0.2.11"), port,
                IpAddress.Parse(Server), 80);
            _nat.TryFind(request, out NatBinding binding).ShouldBeTrue();
            int holds = 0;
            while (_nat.Release(binding, Tables.Now)) holds++;
            return holds;
        }

        private string Describe(FlowEntry entry)
        {
            FlowKey key = entry.Key;
            bool isReturn = Tables.TryGetSlot(Courtyard.Pool, out uint pool) && key.KeyPort == pool;
            int publicPort = isReturn ? 0 : key.DestinationPort;
            Tables.TryGetNextHop(entry.Action.NextHop, out Egress egress); // its number hangs on who came first
            return $"{key.KeyPort} {key.Protocol} {key.Source} {key.SourcePort} > {key.Destination} {publicPort}: "
                + $"{entry.Action.State} {entry.Action.Verdict} {entry.Action.DropReason} {entry.Action.Rewrites} "
                + $"{egress.Kind} {egress.Object} {entry.Action.Destination} {entry.Action.DestinationPort}";
        }
    }
}
