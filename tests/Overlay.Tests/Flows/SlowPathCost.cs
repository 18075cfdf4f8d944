using System.Collections.Generic;
using Genkan.Nat;
using Genkan.Overlay.Flows;
using Genkan.Overlay.Tests.Fixtures;
using Genkan.Overlay.Topology;
using Genkan.Testing;
using Genkan.Wire;
using Shouldly;
using static Genkan.Overlay.Tests.Flows.FlowFrames;

namespace Genkan.Overlay.Tests.Flows;

/// <summary>No allocation per packet.</summary>
public sealed class SlowPathCost
{
    private const int Rounds = 1_000;

    private readonly TableDatapath _tables = new(capacity: 65_536);
    private readonly List<(Upcall Upcall, byte[] Frame)> _packets = [];

    [Fact]
    public void Ten_thousand_packets_of_all_kinds_allocate_nothing()
    {
        TopologySnapshot topology = Courtyard.Snapshot(Courtyard.Hv1);
        NatTable nat = new(new NatLimits(), NatTimeouts.Default, seed: 1);
        SlowPath path = new(_tables, nat, new FlowClasses(), topology);
        _tables.Apply(topology);
        for (ushort i = 1; i <= Rounds + 1; i++) AddRound(i);
        int round = _packets.Count / (Rounds + 1);
        round.ShouldBe(10);
        Handle(path, 0, round);

        int next = round;
        Allocation.Of(() => Handle(path, next, next += Rounds)).ShouldBe(0);
        Handle(path, next, _packets.Count);
        path.Counters.InstallsRefused.ShouldBe(0ul);
        path.Counters.Installs.ShouldBeGreaterThanOrEqualTo(2ul * Rounds);
    }

    private void AddRound(ushort port)
    {
        Add("red/red-a", AToC(port));
        Add("red/red-a", AToC(port, flags: TcpFlags.Ack), UpcallKind.Follower);
        Add("red/red-a", AToC(port, to: 22));
        Add("red/red-a", AToC(port, to: 22), UpcallKind.Follower);
        Add("red/red-c", CToServer(port));
        Add("red/red-c", CToServer(port), state: ConnectionState.Forward);
        Add("red/red-a", Frames.Arp(MacAddress.Broadcast, A, A, "10.0.1.11", "10.0.1.1"), UpcallKind.Control);
        Add("red/red-a", Frames.Ping(Router1, A, "10.0.1.11", "10.0.1.1", port));
        Add("red/red-a", Frames.Udp(Router1, A, "10.0.1.11", "10.8.0.1", port, 2000));
        Add("red/red-a", AToC(port), UpcallKind.Revalidate);
    }

    private void Add(
        string port, byte[] frame, UpcallKind kind = UpcallKind.Miss, ConnectionState state = ConnectionState.None)
    {
        _tables.TryGetSlot(Courtyard.Port(port), out uint slot).ShouldBeTrue();
        _packets.Add((new Upcall(slot, kind, state, (uint)frame.Length, 2, default), frame));
    }

    private void Handle(SlowPath path, int from, int to)
    {
        for (int i = from; i < to; i++)
        {
            path.Handle(_packets[i].Upcall, _packets[i].Frame);
            if (i % 64 == 0) _tables.Flush();
        }

        _tables.Flush();
    }
}
