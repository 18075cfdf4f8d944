using System;
using System.Linq;
using Genkan.Overlay.Flows;
using Genkan.Overlay.Tests.Fixtures;
using Genkan.Overlay.Topology;
using Genkan.Wire;
using Shouldly;
using static Genkan.Overlay.Tests.Flows.FlowFrames;

namespace Genkan.Overlay.Tests.Flows;

/// <summary>Expiry (RFC 4787 §4.3, RFC 5382 §5, RFC 5508 §3.2) and revalidation.</summary>
public sealed class FlowSweeperTests
{
    private readonly TwoHosts _hosts = new();

    [Fact]
    public void Either_direction_keeps_a_connection_and_its_translation()
    {
        byte[] query = Frames.Udp(Router2, C, "10.0.2.11", Server, 5000, 53);
        _hosts.Send("red/red-c", query);
        byte[] answer = Frames.Udp(Veth, Isp, Server, "198.51.100.10", 53, Frames.Decode(_hosts.Last).SourcePort);
        for (int i = 0; i < 3; i++)
        {
            _hosts.Now += FlowTimeouts.Udp - TimeSpan.FromSeconds(1);
            _hosts.Send("provider/isp", answer).ShouldStartWith("red/red-c");
            _hosts.Hv1.Sweep();
        }

        _hosts.Hv1.Sweeper.Connections.ShouldBe(2);
        _hosts.Now += FlowTimeouts.Udp;
        _hosts.Hv1.Sweep();
        _hosts.Hv1.Tables.Connections.ShouldBeEmpty();
        _hosts.Hv1.SlowPath.Counters.Expired.ShouldBe(2ul);
        _hosts.Hv1.Nat.Expire(_hosts.Now + SlowPathInstalls.HoldDown, 100).ShouldBe(1);
    }

    [Fact]
    public void REQ_5_an_established_TCP_connection_lasts_2_hours_and_4_minutes()
    {
        Establish();
        _hosts.Now += new TimeSpan(2, 3, 59);
        _hosts.Hv1.Sweep();
        _hosts.Hv1.Tables.Connections.Count.ShouldBe(2);

        _hosts.Now += TimeSpan.FromSeconds(1);
        _hosts.Hv1.Sweep();
        _hosts.Hv1.Tables.Connections.ShouldBeEmpty();
    }

    [Fact]
    public void While_a_share_is_scarce_what_nobody_answers_goes_after_seconds_and_the_established_stay()
    {
        _hosts.Hv1.Tables.ConnectionsMax = 16; // 4 are kept for deliveries: a port may hold 6
        _hosts.Hv1.Sweep();
        Establish();
        _hosts.Send("red/red-a", AToC(5001));
        _hosts.Now += FlowTimeouts.Unanswered;
        _hosts.Hv1.Sweep();
        _hosts.Hv1.Tables.Connections.Count.ShouldBe(4, "half of the share is not scarce");

        _hosts.Send("red/red-a", AToC(5002));
        _hosts.Now += FlowTimeouts.Unanswered;
        _hosts.Hv1.Sweep();

        _hosts.Hv1.Tables.Connections.Keys.ShouldAllBe(k => k.SourcePort == 5000 || k.DestinationPort == 5000);
        _hosts.Hv1.Tables.Connections.Count.ShouldBe(2);
    }

    [Theory]
    [InlineData(TcpFlags.Rst, TcpFlags.Ack, false)] // whose it was is not known: that waits as what is unanswered
    [InlineData(TcpFlags.Fin | TcpFlags.Ack, TcpFlags.Fin | TcpFlags.Ack, true)]
    [InlineData(TcpFlags.Fin | TcpFlags.Ack, TcpFlags.Ack, false)]
    public void While_a_share_is_scarce_what_is_closed_goes_after_two_seconds(
        TcpFlags clients, TcpFlags servers, bool isClosed)
    {
        _hosts.Hv1.Tables.ConnectionsMax = 16; // 4 are kept for deliveries: a port may hold 6
        _hosts.Hv1.Sweep();
        Establish();
        _hosts.Send("red/red-c", CToA(flags: servers));
        _hosts.Send("red/red-a", AToC(flags: clients));
        _hosts.Now += FlowTimeouts.Closed;
        _hosts.Hv1.Sweep();
        _hosts.Hv1.Tables.Connections.Count.ShouldBe(2, "half of the share is not scarce");

        _hosts.Send("red/red-a", AToC(5001));
        _hosts.Send("red/red-a", AToC(5002));
        _hosts.Hv1.Sweep();

        _hosts.Hv1.Tables.Connections.Count.ShouldBe(isClosed ? 4 : 6);
        _hosts.Hv1.Tables.Connections.Keys.Any(static k => k.SourcePort == 5000).ShouldBe(!isClosed);
    }

    [Fact]
    public void While_a_share_is_scarce_what_one_end_alone_has_closed_is_transitory()
    {
        _hosts.Hv1.Tables.ConnectionsMax = 16; // 4 are kept for deliveries: a port may hold 6
        _hosts.Hv1.Sweep();
        for (ushort port = 5000; port < 5003; port++)
        {
            _hosts.Send("red/red-a", AToC(port));
            _hosts.Send("red/red-c", CToA(port));
            _hosts.Send("red/red-a", AToC(port, flags: TcpFlags.Ack));
        }

        _hosts.Send("red/red-c", CToA(5000, TcpFlags.Fin | TcpFlags.Ack));
        _hosts.Now += FlowTimeouts.TcpTransitory - TimeSpan.FromSeconds(1);
        _hosts.Hv1.Sweep();
        _hosts.Hv1.Tables.Connections.Count.ShouldBe(6);

        _hosts.Now += TimeSpan.FromSeconds(1);
        _hosts.Hv1.Sweep();

        _hosts.Hv1.Tables.Connections.Count.ShouldBe(4);
        _hosts.Hv1.Tables.Connections.Keys.ShouldAllBe(static k => k.SourcePort != 5000 && k.DestinationPort != 5000);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void REQ_5_the_RST_of_either_end_makes_both_directions_transitory(bool isServers)
    {
        Establish();
        if (isServers) _hosts.Send("red/red-c", CToA(flags: TcpFlags.Rst));
        else _hosts.Send("red/red-a", AToC(flags: TcpFlags.Rst));

        _hosts.Now += FlowTimeouts.TcpTransitory - TimeSpan.FromSeconds(1);
        _hosts.Hv1.Sweep();
        _hosts.Hv1.Tables.Connections.Count.ShouldBe(2);
        _hosts.Now += TimeSpan.FromSeconds(1);
        _hosts.Hv1.Sweep();
        _hosts.Hv1.Tables.Connections.ShouldBeEmpty();
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Rfc7857_section_2_a_RST_that_its_sender_did_not_mean_shortens_nothing(bool isServers)
    {
        Establish();
        if (isServers) _hosts.Send("red/red-c", CToA(flags: TcpFlags.Rst));
        else _hosts.Send("red/red-a", AToC(flags: TcpFlags.Rst));
        if (isServers) _hosts.Send("red/red-c", CToA(flags: TcpFlags.Ack));
        else _hosts.Send("red/red-a", AToC(flags: TcpFlags.Ack));

        _hosts.Now += FlowTimeouts.TcpEstablished - TimeSpan.FromSeconds(1);
        _hosts.Hv1.Sweep();

        _hosts.Hv1.Tables.Connections.Count.ShouldBe(2);
    }

    [Fact]
    public void Rfc9293_section_3_5_1_a_half_closed_connection_is_none_that_ends()
    {
        Establish();
        _hosts.Send("red/red-a", AToC(flags: TcpFlags.Fin | TcpFlags.Ack));
        _hosts.Send("red/red-c", CToA(flags: TcpFlags.Ack));
        _hosts.Now += FlowTimeouts.TcpTransitory;
        _hosts.Hv1.Sweep();
        _hosts.Hv1.Tables.Connections.Count.ShouldBe(2, "the server may send for hours yet");

        _hosts.Send("red/red-c", CToA(flags: TcpFlags.Fin | TcpFlags.Ack));
        _hosts.Now += FlowTimeouts.TcpTransitory;
        _hosts.Hv1.Sweep();

        _hosts.Hv1.Tables.Connections.ShouldBeEmpty();
    }

    [Fact]
    public void A_handshake_that_does_not_end_is_transitory()
    {
        _hosts.Send("red/red-a", AToC());
        _hosts.Send("red/red-c", CToA());
        _hosts.Now += FlowTimeouts.TcpTransitory;
        _hosts.Hv1.Sweep();

        _hosts.Hv1.Tables.Connections.ShouldBeEmpty();
    }

    [Fact]
    public void Rfc5508_REQ_2_a_query_lasts_60_seconds()
    {
        _hosts.Send("red/red-c", Frames.Ping(Router2, C, "10.0.2.11", Server));
        _hosts.Now += TimeSpan.FromSeconds(59);
        _hosts.Hv1.Sweep();
        _hosts.Hv1.Tables.Connections.Count.ShouldBe(2);
        _hosts.Now += TimeSpan.FromSeconds(1);
        _hosts.Hv1.Sweep();
        _hosts.Hv1.Tables.Connections.ShouldBeEmpty();
    }

    [Fact]
    public void A_soft_change_forwards_on_asks_once_and_the_pass_renews_the_flow_with_its_counters()
    {
        _hosts.Send("red/red-c", CToServer());
        _hosts.Hv1.Sweep();
        _hosts.Hv1.Apply(With("10.7.0.0/16", RouteTarget.Blackhole));
        _hosts.Hv1.Sweeper.IsUrgent.ShouldBeFalse();
        _hosts.Send("red/red-c", CToServer(flags: TcpFlags.Ack)).ShouldStartWith("provider/isp");
        _hosts.Hv1.Sweeper.IsUrgent.ShouldBeTrue();
        _hosts.Hv1.Sweep();

        _hosts.Hv1.Sweeper.IsUrgent.ShouldBeFalse();
        _hosts.Hv1.Upcalls.ShouldBe(1);
        _hosts.Hv1.SlowPath.Counters.Revalidated.ShouldBe(2ul);
        TableDatapath tables = _hosts.Hv1.Tables;
        tables.Connections.Values.ShouldAllBe(e => e.Action.Stamp == tables.Stamp(e.Action.Stamp.ClassId));
        FlowEntry forward = tables.Connections.Values.Single(e => e.Action.State == ConnectionState.Forward);
        forward.Packets.ShouldBe(2ul);
        tables.Rearmed.ShouldBe([forward.Action.Stamp.ClassId]);
    }

    [Fact]
    public void A_flow_that_a_pass_cannot_forward_any_more_ends_with_its_hold_and_its_next_packet_is_counted()
    {
        _hosts.Send("red/red-c", CToServer());
        _hosts.Hv1.Apply(With("198.18.0.0/16", RouteTarget.Blackhole));
        _hosts.Hv1.Sweep();
        _hosts.Hv1.Nat.Expire(_hosts.Now + SlowPathInstalls.HoldDown, 100).ShouldBe(1);

        _hosts.Send("red/red-c", CToServer(flags: TcpFlags.Ack)).ShouldBe("hv1 RouteBlackhole");
    }

    [Fact]
    public void A_reject_that_a_pass_meets_is_still_told_to_the_sender()
    {
        _hosts.Send("red/red-c", CToServer());
        _hosts.Hv1.Apply(With("198.18.0.0/16", RouteTarget.Reject));
        _hosts.Hv1.Sweep();
        _hosts.Send("red/red-c", CToServer(flags: TcpFlags.Ack));

        Frames.Decode(_hosts.Last).IcmpType.ShouldBe((byte)IcmpType.DestinationUnreachable);
    }

    [Fact]
    public void A_class_that_no_flow_has_is_freed_after_two_passes_and_what_both_missed_is_stale()
    {
        _hosts.Send("red/red-a", AToC(to: 22));
        uint id = _hosts.Hv1.Tables.Connections.Values.Single().Action.Stamp.ClassId;
        FlowStamp before = _hosts.Hv1.Tables.Stamp(id);
        int count = _hosts.Hv1.Classes.Count;
        _hosts.Now += FlowTimeouts.Drop;
        _hosts.Hv1.Sweep();
        _hosts.Hv1.Classes.Count.ShouldBe(count);
        _hosts.Hv1.Sweep();

        _hosts.Hv1.Classes.Count.ShouldBe(count - 1);
        _hosts.Hv1.Tables.Stamp(id).Hard.ShouldNotBe(before.Hard);
    }

    private static TopologyParts With(string prefix, RouteTarget target)
    {
        Router router = Courtyard.Parts.RouterOf("red/router");
        return Courtyard.Parts.With(router with { Routes = [.. router.Routes, Courtyard.To(prefix, target)] });
    }

    private void Establish()
    {
        _hosts.Send("red/red-a", AToC());
        _hosts.Send("red/red-c", CToA());
        _hosts.Send("red/red-a", AToC(flags: TcpFlags.Ack));
    }
}
