using Genkan.Overlay.Flows;
using Genkan.Overlay.Simulation;
using Genkan.Overlay.Tests.Fixtures;
using Genkan.Overlay.Topology;
using Genkan.Wire;
using Shouldly;

namespace Genkan.Overlay.Tests.Simulation;

/// <summary>Dynamic source NAT: RFC 4787 §4, RFC 5508 §3.</summary>
public sealed class SourceNatTests
{
    private static readonly MacAddress C = Courtyard.Mac("red/red-c");
    private static readonly MacAddress Router2 = MacAddress.Parse("02:00:00:00:01:02");
    private static readonly MacAddress Outside = MacAddress.Parse("02:00:00:00:0f:02");

    [Fact]
    public void The_ingress_host_translates_with_a_port_of_its_own_block()
    {
        Lab lab = Lab.OnHv1;
        SimulationResult result = Leave(lab);

        Lab.TextOf(result).ShouldBe("Forward");
        result.Egress.ShouldBe(new Egress(EgressKind.FibExit, Courtyard.Public, Courtyard.Gw1));
        result.Packet.Source.ShouldBe(Courtyard.NatAddress);
        result.Packet.SourcePort.ShouldBeGreaterThanOrEqualTo((ushort)32768);
        result.Binding.PublicPort.ShouldBe(result.Packet.SourcePort);
        (result.Zone, result.State, result.Hops).ShouldBe((Courtyard.RedRouter.Zone, ConnectionState.Forward, (byte)2));
    }

    [Fact]
    public void The_mapping_is_endpoint_independent()
    {
        Lab lab = Lab.OnHv1;
        ushort port = Leave(lab).Packet.SourcePort;

        lab.From("red/red-c", Frames.Tcp(Router2, C, "10.0.2.11", "198.18.0.99", 1000, 443))
            .Packet.SourcePort.ShouldBe(port);
    }

    [Fact]
    public void An_echo_request_has_its_identifier_translated()
    {
        SimulationResult result =
            Lab.OnHv1.From("red/red-c", Frames.Ping(Router2, C, "10.0.2.11", "198.18.0.10", id: 7));

        Lab.TextOf(result).ShouldBe("Forward");
        result.Packet.SourcePort.ShouldBe(result.Binding.PublicPort);
        result.Packet.DestinationPort.ShouldBe((ushort)0x0800);
    }

    [Fact]
    public void The_answer_comes_back_through_the_owner_to_the_inner_endpoint()
    {
        Lab lab = Lab.OnHv1;
        PacketHeader outgoing = Leave(lab).Packet;
        byte[] answer =
            Frames.Tcp(Outside, C, "198.18.0.10", "198.51.100.10", 80, outgoing.SourcePort,
            TcpFlags.Syn | TcpFlags.Ack);
        SimulationResult result =
            lab.Simulate(new Ingress(IngressKind.NatReturn, Courtyard.Pool, ConnectionState.Reply), answer);

        Lab.TextOf(result).ShouldBe("Forward");
        result.Egress.ShouldBe(new Egress(EgressKind.Port, Courtyard.Port("red/red-c")));
        (result.Packet.Destination, result.Packet.DestinationPort)
            .ShouldBe((IpAddress.Parse("10.0.2.11"), (ushort)1000));
        (result.Packet.EthernetSource, result.Packet.EthernetDestination).ShouldBe((Router2, C));
        (result.State, result.Zone).ShouldBe((ConnectionState.Reply, Courtyard.RedRouter.Zone));
    }

    [Fact]
    public void A_gateway_sends_the_answer_to_the_owner_of_the_port()
    {
        SimulationResult result = Lab.OnGw1.From(
            "provider/isp", Frames.Tcp(Outside, C, "198.18.0.10", "198.51.100.10", 80, 40000));

        Lab.TextOf(result).ShouldBe("Forward");
        result.Egress.ShouldBe(new Egress(EgressKind.NatReturn, Courtyard.Pool, Courtyard.Hv1));
        result.Packet.Destination.ShouldBe(Courtyard.NatAddress);
    }

    [Theory]
    [InlineData(1023, "Drop NatNoOwner")]
    [InlineData(2000, "Drop NatNoConnection")]
    public void A_port_without_owner_or_mapping_is_dropped(ushort port, string expected) =>
        Lab.TextOf(Lab.OnGw1.From("provider/isp", Frames.Tcp(Outside, C, "198.18.0.10", "198.51.100.10", 80, port)))
            .ShouldBe(expected);

    [Fact]
    public void A_mapping_lets_nobody_in_who_has_no_connection()
    {
        Lab lab = Lab.OnHv1;
        ushort port = Leave(lab).Packet.SourcePort;
        byte[] stranger = Frames.Tcp(Outside, C, "198.18.0.66", "198.51.100.10", 80, port);

        Lab.TextOf(lab.Simulate(new Ingress(IngressKind.NatReturn, Courtyard.Pool, ConnectionState.None), stranger))
            .ShouldBe("Drop NatNoConnection");
    }

    [Fact]
    public void The_source_that_holds_its_quota_is_refused_under_that_name()
    {
        Lab lab = Lab.OnHv1;
        for (ushort port = 1; port <= 8; port++) Leave(lab, port);

        Lab.TextOf(Leave(lab, 9)).ShouldBe("Drop NatQuota");
    }

    [Fact]
    public void Rfc6888_REQ_11_who_gets_no_mapping_is_told_that_the_host_is_unreachable()
    {
        Lab lab = Lab.OnHv1;
        for (ushort port = 1; port <= 8; port++) Leave(lab, port);
        SimulationResult result = Leave(lab, 9);

        PacketHeader answer = Frames.Decode(result.Answer);
        (answer.IcmpType, answer.IcmpCode)
            .ShouldBe(((byte)IcmpType.DestinationUnreachable, (byte)IcmpUnreachableCode.Host));
        result.AnswerEgress.ShouldBe(new Egress(EgressKind.Port, Courtyard.Port("red/red-c")));
        lab.Nat.Count.ShouldBe(8); // REQ-11 (d): no other mapping is deleted for it
    }

    [Fact]
    public void What_has_no_port_is_not_translated()
    {
        FrameWriter writer = Frames.Begin(out byte[] buffer, Router2, C, "10.0.2.11", "198.18.0.10", IpProtocol.Gre);
        writer.Octets(new byte[8]);

        SimulationResult result = Lab.OnHv1.From("red/red-c", buffer[..writer.Finish()]);

        Lab.TextOf(result).ShouldBe("Drop NatProtocol");
        Frames.Decode(result.Answer).IcmpCode // RFC 5508 §6, REQ-8
            .ShouldBe((byte)IcmpUnreachableCode.AdministrativelyProhibited);
    }

    [Fact]
    public void A_later_piece_of_it_leaves_nothing_behind_that_would_silence_the_next_error()
    {
        FrameWriter writer = Frames.Begin(out byte[] buffer, Router2, C, "10.0.2.11", "198.18.0.10", IpProtocol.Gre);
        writer.Fragment(9, 1480);
        writer.Octets(new byte[8]);
        byte[] frame = buffer[..writer.Finish()];
        PacketHeader joined = new FirstFragment(IpProtocol.Gre, 0, 0).Join(Frames.Decode(frame));

        Lab lab = Lab.OnHv1;
        SimulationResult result = lab.Result;
        Ingress ingress = new(IngressKind.Port, Courtyard.Port("red/red-c"), ConnectionState.None);
        Simulator.Simulate(lab.Topology, lab, lab.Nat, ingress, joined, frame, default, result);

        Lab.TextOf(result).ShouldBe("Drop NatProtocol");
        (result.AnswerLength, result.IsCacheable).ShouldBe((0, false));
    }

    [Fact]
    public void The_router_answers_a_ping_to_its_source_NAT_address()
    {
        SimulationResult result =
            Lab.OnGw1.From("provider/isp", Frames.Ping(Outside, C, "198.18.0.10", "198.51.100.10"));

        Lab.TextOf(result).ShouldBe("Answer");
        result.AnswerEgress.ShouldBe(new Egress(EgressKind.FibExit, Courtyard.Public, Courtyard.Gw1));
        Frames.Decode(result.Answer).IsEchoReply.ShouldBeTrue();
    }

    [Fact]
    public void A_trace_takes_no_port()
    {
        Lab lab = Lab.OnHv1;
        lab.Result.Trace = [];
        Lab.TextOf(Leave(lab)).ShouldBe("Forward");

        lab.Nat.Count.ShouldBe(0);
        lab.Result.Packet.SourcePort.ShouldBe((ushort)32768);
        lab.Result.Trace.ShouldContain(
            new TraceStep("red/router", "source 10.0.2.11 becomes 198.51.100.10 port 32768"));
    }

    [Fact]
    public void An_answer_whose_public_address_is_gone_does_not_leave_with_the_inner_one()
    {
        byte[] answer = Frames.Tcp(Router2, C, "10.0.2.11", "198.18.0.10", 22, 5000, TcpFlags.Ack);
        TopologyParts parts =
            Courtyard.Parts.With(Courtyard.Parts.PortOf("red/red-c") with { ToPort = default, FromPort = default });

        Lab.TextOf(new Lab(Courtyard.Hv1, parts).From("red/red-c", answer, ConnectionState.Reply))
            .ShouldBe("Drop InvalidState");
    }

    private static SimulationResult Leave(Lab lab, ushort port = 1000) =>
        lab.From("red/red-c", Frames.Tcp(Router2, C, "10.0.2.11", "198.18.0.10", port, 80));
}
