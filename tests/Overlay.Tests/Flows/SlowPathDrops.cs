using System;
using System.Linq;
using Genkan.Overlay.Flows;
using Genkan.Overlay.Tests.Fixtures;
using Genkan.Overlay.Topology;
using Genkan.Wire;
using Shouldly;
using static Genkan.Overlay.Tests.Flows.FlowFrames;

namespace Genkan.Overlay.Tests.Flows;

/// <summary>Refused packets: cached verdicts, connections that are closed and opened again, errors to the
/// sender.</summary>
public sealed class SlowPathDrops
{
    private static readonly TopologyParts Closed =
        Courtyard.Parts.With(new Chain(Courtyard.ChainId("red/web"), Courtyard.Web, [], RuleVerdict.Drop));

    private readonly TwoHosts _hosts = new();

    [Fact]
    public void A_drop_is_simulated_once()
    {
        _hosts.Send("red/red-a", AToC(to: 22)).ShouldBe("hv1 SecurityGroup");
        _hosts.Send("red/red-a", AToC(to: 22)).ShouldBe("hv1 SecurityGroup");

        _hosts.Hv1.Upcalls.ShouldBe(1);
    }

    [Fact]
    public void A_drop_is_looked_at_again_after_its_time_however_many_packets_it_absorbs()
    {
        _hosts.Send("red/red-a", AToC(to: 22));
        _hosts.Now += FlowTimeouts.Drop;
        _hosts.Send("red/red-a", AToC(to: 22));
        _hosts.Hv1.Sweep();

        _hosts.Hv1.Tables.Connections.ShouldBeEmpty();
    }

    [Fact]
    public void A_port_s_drops_are_cached_up_to_its_limit_until_the_sweep_has_counted_them_anew()
    {
        _hosts.Hv1.Tables.ConnectionsMax = 1 << 17; // of a small one it is a sixteenth
        for (int port = 1; port <= FlowLimits.NegativeEntriesPerPort + 5; port++)
            _hosts.Send("red/red-a", AToC((ushort)port, to: 22));
        _hosts.Hv1.Tables.Connections.Count.ShouldBe(FlowLimits.NegativeEntriesPerPort);

        _hosts.Send("red/red-c", Frames.Tcp(Router2, C, "10.0.2.11", "10.0.1.11", 5000, 22));
        _hosts.Hv1.Tables.Connections.Count.ShouldBe(FlowLimits.NegativeEntriesPerPort + 1, "another port has its own");

        _hosts.Now += FlowTimeouts.Drop;
        _hosts.Hv1.Sweep();
        _hosts.Send("red/red-a", AToC(to: 22));
        _hosts.Hv1.Tables.Connections.Count.ShouldBe(1);
    }

    [Fact]
    public void All_ports_together_cache_no_more_drops_than_the_limit()
    {
        ConnectionQuota quota = new(new TableDatapath { ConnectionsMax = 1 << 17 });
        int taken = 0;
        for (uint slot = 1; slot <= 100; slot++)
        {
            FlowKey key = FlowKey.Of(slot, Frames.Decode(AToC()), isL3: false);
            while (quota.TryTakeNegative(key)) taken++;
        }

        taken.ShouldBe(FlowLimits.NegativeEntriesMax);
    }

    [Fact]
    public void A_connection_survives_its_security_group_being_closed_and_opened_again_in_both_directions()
    {
        _hosts.Send("red/red-b", BToA());
        _hosts.Send("red/red-a", AToB());
        _hosts.Apply(Closed);
        _hosts.Send("red/red-b", BToA(flags: TcpFlags.Ack)).ShouldBe("gw1 SecurityGroup");
        _hosts.Send("red/red-a", AToB(flags: TcpFlags.Ack)).ShouldBe("hv1 SecurityGroup");
        FlowEntry reply = _hosts.Hv1.Tables.Connections.Values.Single();
        (reply.Action.Verdict, reply.Action.State).ShouldBe((FlowVerdict.Drop, ConnectionState.Reply));

        _hosts.Now += TimeSpan.FromMinutes(1);
        _hosts.Gw1.Sweep();
        _hosts.Hv1.Sweep();
        _hosts.Apply(Courtyard.Parts);

        _hosts.Send("red/red-a", AToB(flags: TcpFlags.Ack)).ShouldBe("red/red-b: 10.0.1.11 80 > 10.0.1.12 5000");
        _hosts.Send("red/red-b", BToA(flags: TcpFlags.Ack)).ShouldBe("red/red-a: 10.0.1.12 5000 > 10.0.1.11 80");
    }

    [Fact]
    public void A_reply_refused_while_the_group_was_closed_is_no_new_connection_after_a_pass_either()
    {
        _hosts.Send("red/red-b", BToA());
        _hosts.Apply(Closed);
        _hosts.Send("red/red-a", AToB()).ShouldBe("hv1 SecurityGroup");
        _hosts.Hv1.Tables.Bump(_hosts.Hv1.Tables.Connections.Values.Single().Action.Stamp.ClassId, isHard: false);
        _hosts.Hv1.Sweep();

        FlowEntry kept = _hosts.Hv1.Tables.Connections.Values.Single();
        (kept.Action.Verdict, kept.Action.State).ShouldBe((FlowVerdict.Upcall, ConnectionState.Reply));
    }

    [Fact]
    public void A_translated_connection_that_is_refused_lets_go_of_its_translation()
    {
        _hosts.Send("red/red-c", CToServer());
        Chain nothing = new(Courtyard.ChainId("red/out"), "red/base, egress", [], RuleVerdict.Drop);
        _hosts.Apply(Courtyard.Parts.With(nothing));
        _hosts.Send("red/red-c", CToServer()).ShouldBe("hv1 SecurityGroup");

        _hosts.Hv1.Nat.Expire(_hosts.Now + SlowPathInstalls.HoldDown, 100).ShouldBe(1);
    }

    [Fact]
    public void Rfc1812_section_4_3_2_8_the_rate_of_errors_is_limited_by_port()
    {
        byte[] rejected = Frames.Udp(Router1, A, "10.0.1.11", "10.8.0.1", 1000, 2000);
        for (int i = 0; i < FlowLimits.IcmpErrorsBurst + 10; i++) _hosts.Send("red/red-a", rejected);
        Answers().ShouldBe(((ulong)FlowLimits.IcmpErrorsBurst, 10ul));

        _hosts.Send("red/red-c", Frames.Udp(Router2, C, "10.0.2.11", "10.8.0.1", 1000, 2000));
        Answers().ShouldBe((FlowLimits.IcmpErrorsBurst + 1ul, 10ul));

        _hosts.Now += TimeSpan.FromSeconds(2.0 / FlowLimits.IcmpErrorsPerSecond);
        for (int i = 0; i < 3; i++) _hosts.Send("red/red-a", rejected);
        Answers().ShouldBe((FlowLimits.IcmpErrorsBurst + 3ul, 11ul));
    }

    [Fact]
    public void A_packet_whose_hop_limit_ends_on_a_known_flow_is_answered_and_leaves_the_flow_alone()
    {
        _hosts.Send("red/red-a", AToC());
        _hosts.Send("red/red-a", Frames.Tcp(Router1, A, "10.0.1.11", "10.0.2.11", 5000, 80, TcpFlags.Ack, hopLimit: 1));

        Frames.Decode(_hosts.Last).IcmpType.ShouldBe((byte)IcmpType.TimeExceeded);
        _hosts.Send("red/red-a", AToC()).ShouldBe("red/red-c: 10.0.1.11 5000 > 10.0.2.11 80");
    }

    private (ulong Sent, ulong Withheld) Answers() =>
        (_hosts.Hv1.SlowPath.Counters.Answers, _hosts.Hv1.SlowPath.Counters.ErrorsWithheld);
}
