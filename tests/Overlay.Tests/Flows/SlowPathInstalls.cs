using System;
using System.Linq;
using Genkan.Overlay.Flows;
using Genkan.Overlay.Simulation;
using Genkan.Overlay.Tests.Fixtures;
using Genkan.Overlay.Topology;
using Genkan.Wire;
using Shouldly;
using static Genkan.Overlay.Tests.Flows.FlowFrames;

namespace Genkan.Overlay.Tests.Flows;

/// <summary>First packets, what they leave in the tables, and what happens if there is no room.</summary>
public sealed class SlowPathInstalls
{
    private readonly TwoHosts _hosts = new();

    [Fact]
    public void The_reply_is_installed_first_and_the_packets_own_entry_last_and_then_the_packet_goes_back()
    {
        _hosts.Hv1.Tables.Log = [];
        _hosts.Send("red/red-a", AToC()).ShouldBe("red/red-c: 10.0.1.11 5000 > 10.0.2.11 80");

        _hosts.Hv1.Tables.Log.ShouldBe(
        [
            "install 10.0.2.11 > 10.0.1.11 Reply Forward", "install 10.0.1.11 > 10.0.2.11 Forward Forward", "inject",
        ]);
    }

    [Fact]
    public void A_connection_on_one_host_costs_one_upcall()
    {
        _hosts.Send("red/red-a", AToC());
        _hosts.Send("red/red-c", CToA()).ShouldBe("red/red-a: 10.0.2.11 80 > 10.0.1.11 5000");
        _hosts.Send("red/red-a", AToC(flags: TcpFlags.Ack)).ShouldBe("red/red-c: 10.0.1.11 5000 > 10.0.2.11 80");

        _hosts.Hv1.Upcalls.ShouldBe(1);
    }

    [Fact]
    public void Across_hosts_the_commit_bit_tells_the_other_host_of_the_reply()
    {
        _hosts.Send("red/red-b", BToA()).ShouldBe("red/red-a: 10.0.1.12 5000 > 10.0.1.11 80");
        FlowEntry state = _hosts.Hv1.Tables.Connections.Values.Single();
        (state.Action.Verdict, state.Action.State).ShouldBe((FlowVerdict.Upcall, ConnectionState.Reply));

        _hosts.Send("red/red-a", AToB()).ShouldBe("red/red-b: 10.0.1.11 80 > 10.0.1.12 5000");
        _hosts.Hv1.Tables.Connections.Values.Single().Action.Commit.ShouldBeFalse();
        (_hosts.Gw1.Upcalls, _hosts.Hv1.Upcalls).ShouldBe((1, 1));
    }

    [Fact]
    public void Copies_to_more_ports_than_a_list_of_the_kernel_holds_are_made_by_the_agent()
    {
        _hosts.Apply(Courtyard.WithMorePorts(SimulationResult.KernelTargetsMax));
        _hosts.Send("red/red-a", Frames.Udp(
            MacAddress.Broadcast, Courtyard.Mac("red/red-a"), "10.0.1.11", "10.0.1.255", 5000, 9999));

        _hosts.Arrived.Count.ShouldBeGreaterThanOrEqualTo(SimulationResult.KernelTargetsMax);
        _hosts.Hv1.Tables.Connections.ShouldBeEmpty();
    }

    [Fact]
    public void If_the_packets_own_entry_is_refused_the_replys_is_taken_back()
    {
        IpAddress own = IpAddress.Parse("10.0.1.11");
        _hosts.Hv1.Tables.BeforeInstall = key => key.Source == own ? InstallOutcome.Failed : null;

        _hosts.Send("red/red-a", AToC()).ShouldBe("hv1 ReinjectMiss");
        _hosts.Hv1.Tables.Connections.ShouldBeEmpty();
        _hosts.Hv1.SlowPath.Counters.InstallsRefused.ShouldBe(1ul);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public void A_full_table_drops_under_that_name_and_keeps_no_half_connection(int room)
    {
        _hosts.Hv1.Tables.ConnectionsMax = room;
        _hosts.Hv1.Sweep(); // shares of that

        _hosts.Send("red/red-a", AToC()).ShouldBe("hv1 ConnTableFull");
        _hosts.Hv1.Tables.Connections.ShouldBeEmpty();
    }

    [Fact]
    public void One_port_holds_as_many_entries_as_are_free_and_leaves_room_for_the_others()
    {
        const int Share = 8;
        _hosts.Hv1.Tables.ConnectionsMax = 44; // two entries each; 11 are kept for deliveries, 17 are free
        _hosts.Hv1.Sweep(); // shares of that
        for (ushort port = 1; port <= Share; port++)
            _hosts.Send("red/red-a", AToC(port)).ShouldStartWith("red/red-c");

        _hosts.Send("red/red-a", AToC(Share + 1)).ShouldBe("hv1 FlowQuota");
        _hosts.Send("red/red-c", CToServer()).ShouldNotContain("FlowQuota");
        _hosts.Send("red/red-a", AToC(1)).ShouldStartWith("red/red-c", Case.Sensitive, "what is open goes on");
        _hosts.Send("red/red-c", CToA(1)).ShouldStartWith("red/red-a");
    }

    [Fact]
    public void The_sweep_gives_room_back_that_ended_connections_had()
    {
        _hosts.Hv1.Tables.ConnectionsMax = 4;
        _hosts.Hv1.Sweep(); // shares of that
        _hosts.Send("red/red-a", AToC(1));
        _hosts.Hv1.Sweep();
        _hosts.Send("red/red-a", AToC(2)).ShouldBe("hv1 FlowQuota");

        _hosts.Now += FlowTimeouts.TcpTransitory;
        _hosts.Hv1.Sweep();

        _hosts.Send("red/red-a", AToC(2)).ShouldStartWith("red/red-c");
    }

    [Fact]
    public void From_the_outside_each_address_has_its_own_share()
    {
        _hosts.Gw1.Tables.ConnectionsMax = 3;
        _hosts.Gw1.Sweep(); // shares of that
        _hosts.Send("provider/isp", ServerTo("198.51.100.20", 80, TcpFlags.Syn)).ShouldStartWith("red/red-a");
        byte[] second = Frames.Tcp(Veth, Isp, "198.18.0.11", "198.51.100.20", 80, 80);
        byte[] other = Frames.Tcp(Veth, Isp, "198.18.0.11", "198.51.100.30", 80, 8080);

        _hosts.Send("provider/isp", second).ShouldBe("gw1 FlowQuota");
        _hosts.Send("provider/isp", other).ShouldStartWith("red/red-c");
    }

    [Fact]
    public void What_others_open_to_a_port_is_bounded_by_its_own_share_and_leaves_what_it_opens_itself_alone()
    {
        const int Share = 8;
        _hosts.Hv1.Tables.ConnectionsMax = Share * FlowLimits.DeliveriesPerPass;
        _hosts.Hv1.Sweep();
        for (ushort port = 1; port <= Share; port++)
            _hosts.Send("red/red-b", BToA(port)).ShouldStartWith("red/red-a");

        _hosts.Send("red/red-b", BToA(Share + 1)).ShouldContain("hv1 FlowQuota");
        _hosts.Send("red/red-b", BToA(1)).ShouldStartWith("red/red-a", Case.Sensitive, "what is open goes on");
        _hosts.Send("red/red-a", AToC()).ShouldStartWith("red/red-c");

        _hosts.Hv1.Sweep(); // counts
        _hosts.Now += FlowTimeouts.Unanswered;
        _hosts.Hv1.Sweep();
        _hosts.Send("red/red-b", BToA(Share + 2)).ShouldStartWith("red/red-a", Case.Sensitive, "nobody had answered");
    }

    [Fact]
    public void A_refused_install_holds_no_translation()
    {
        _hosts.Hv1.Tables.ConnectionsMax = 1;
        _hosts.Hv1.Sweep(); // shares of that
        _hosts.Send("red/red-c", CToServer()).ShouldBe("hv1 ConnTableFull");

        _hosts.Hv1.Nat.Expire(_hosts.Now + NatIdle, 100).ShouldBe(1);
    }

    [Fact]
    public void An_install_of_a_class_that_has_moved_on_is_refused_whole()
    {
        TableDatapath tables = _hosts.Hv1.Tables;
        tables.BeforeInstall = _ =>
        {
            for (uint id = 1; id < 100; id++) tables.Bump(id, isHard: true);
            return null;
        };
        _hosts.Send("red/red-c", CToServer()).ShouldBe("hv1 ReinjectMiss");
        tables.Connections.ShouldBeEmpty();

        tables.BeforeInstall = null;
        _hosts.Send("red/red-c", CToServer()).ShouldStartWith("provider/isp: 198.51.100.10");
    }

    [Fact]
    public void A_follower_of_an_installed_flow_is_sent_on_without_a_simulation()
    {
        _hosts.Send("red/red-a", AToC());
        ulong simulations = _hosts.Hv1.SlowPath.Counters.Simulations;
        Follow(AToC(flags: TcpFlags.Ack));

        _hosts.Arrived.Count.ShouldBe(2);
        _hosts.Hv1.SlowPath.Counters.Simulations.ShouldBe(simulations);
    }

    [Fact]
    public void A_follower_of_a_flow_that_went_stale_meanwhile_is_simulated()
    {
        _hosts.Send("red/red-a", AToC());
        _hosts.Hv1.Apply(Courtyard.Parts.With(Courtyard.Parts.PortOf("red/red-c") with { IsAdminUp = false }));
        Follow(AToC(flags: TcpFlags.Ack));

        _hosts.Hv1.Tables.Drops.Keys.ShouldBe([DropReason.PortDown]);
    }

    [Fact]
    public void A_follower_of_a_dropped_flow_is_counted_under_its_reason()
    {
        _hosts.Send("red/red-a", AToC(to: 22));
        Follow(AToC(to: 22));

        _hosts.Hv1.Tables.Drops[DropReason.SecurityGroup].ShouldBe(2);
        _hosts.Hv1.SlowPath.Counters.Simulations.ShouldBe(1ul);
    }

    [Fact]
    public void Two_first_packets_of_a_flow_hold_its_translation_once()
    {
        _hosts.Send("red/red-c", CToServer());
        Upcall again = new(_hosts.Hv1.Slot("red/red-c"), UpcallKind.Miss, ConnectionState.None, 54, 0, default);
        _hosts.Hv1.SlowPath.Handle(again, CToServer());
        _hosts.Hv1.Tables.Flush();

        _hosts.Now += TimeSpan.FromMinutes(5);
        _hosts.Hv1.Sweep();
        _hosts.Hv1.Tables.Connections.ShouldBeEmpty();
        _hosts.Hv1.Nat.Expire(_hosts.Now + HoldDown, 100).ShouldBe(1);
    }

    [Fact]
    public void A_frame_that_came_up_cut_is_not_sent_on()
    {
        Upcall cut = new(_hosts.Hv1.Slot("red/red-a"), UpcallKind.Miss, ConnectionState.None, 9000, 0, default);
        _hosts.Hv1.SlowPath.Handle(cut, AToC());
        _hosts.Hv1.Tables.Flush();

        _hosts.Arrived.ShouldBeEmpty();
        _hosts.Hv1.Tables.Drops.Keys.ShouldBe([DropReason.UpcallTooBig]);
    }

    [Fact]
    public void A_first_fragment_prepares_for_an_answer_in_one_piece()
    {
        FrameWriter writer = Frames.Begin(out byte[] buffer, Router1, A, "10.0.1.11", "10.0.2.11", IpProtocol.Tcp);
        writer.Fragment(1, 0, more: true);
        writer.Tcp(5000, 80, TcpFlags.Ack, 1, 0, 65535);
        writer.Octets(new byte[4]);
        _hosts.Send("red/red-a", buffer[..writer.Finish()]).ShouldStartWith("red/red-c");

        _hosts.Send("red/red-c", CToA()).ShouldStartWith("red/red-a");
        _hosts.Hv1.Upcalls.ShouldBe(1);
    }

    [Fact]
    public void What_no_slot_or_decoder_knows_is_counted()
    {
        uint slot = _hosts.Hv1.Slot("red/red-a");
        _hosts.Hv1.SlowPath.Handle(new Upcall(999, UpcallKind.Miss, ConnectionState.None, 54, 0, default), AToC());
        _hosts.Hv1.Tables.Flush();
        Upcall cut = new(slot, UpcallKind.Miss, ConnectionState.None, 10, 0, default);
        _hosts.Hv1.SlowPath.Handle(cut, new byte[10]);
        _hosts.Hv1.Tables.Flush();

        _hosts.Hv1.Tables.Drops.Keys.ShouldBe([DropReason.PortUnknown, DropReason.Truncated]);
    }

    [Fact]
    public void A_flow_that_no_rule_or_translation_watches_becomes_a_class_and_no_exact_entry_hides_it()
    {
        _hosts.Send("red/red-a", AToC());
        _hosts.Hv1.Apply(Courtyard.Parts
            .With(Unwatched("red/red-a"))
            .With(Unwatched("red/red-c"))
            .With(Untranslated()));

        _hosts.Send("red/red-a", AToC()).ShouldBe("red/red-c: 10.0.1.11 5000 > 10.0.2.11 80");
        _hosts.Hv1.Tables.Classes.Count.ShouldBe(1);
        _hosts.Hv1.Tables.Connections.Values.ShouldNotContain(e => e.Key.Source == IpAddress.Parse("10.0.1.11"));
        _hosts.Send("red/red-a", AToC(port: 6000)).ShouldBe("red/red-c: 10.0.1.11 6000 > 10.0.2.11 80");
        _hosts.Hv1.Upcalls.ShouldBe(2);
    }

    internal static TimeSpan NatIdle => TimeSpan.FromSeconds(241);

    internal static TimeSpan HoldDown => TimeSpan.FromSeconds(121);

    private static VirtualPort Unwatched(string port) =>
        Courtyard.Parts.PortOf(port) with { FromPort = default, ToPort = default, PortSecurity = false };

    private static Router Untranslated() =>
        Courtyard.Parts.RouterOf("red/router") with { FloatingIps = [], SourceNat = null, PortForwards = [] };

    private void Follow(byte[] frame)
    {
        Upcall upcall = new(
            _hosts.Hv1.Slot("red/red-a"), UpcallKind.Follower, ConnectionState.None, (uint)frame.Length, 0, default);
        _hosts.Hv1.SlowPath.Handle(upcall, frame);
        _hosts.Hv1.Tables.Flush();
    }
}
