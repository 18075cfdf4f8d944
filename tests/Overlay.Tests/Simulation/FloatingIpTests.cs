using Genkan.Overlay.Flows;
using Genkan.Overlay.Simulation;
using Genkan.Overlay.Tests.Fixtures;
using Genkan.Wire;
using Shouldly;

namespace Genkan.Overlay.Tests.Simulation;

/// <summary>Floating IPs, port forwards, and both from inside (RFC 4787 §6, hairpinning).</summary>
public sealed class FloatingIpTests
{
    private static readonly MacAddress A = Courtyard.Mac("red/red-a");
    private static readonly MacAddress B = Courtyard.Mac("red/red-b");
    private static readonly MacAddress C = Courtyard.Mac("red/red-c");
    private static readonly MacAddress Router = MacAddress.Parse("02:00:00:00:01:01");
    private static readonly MacAddress Router2 = MacAddress.Parse("02:00:00:00:01:02");
    private static readonly MacAddress Outside = MacAddress.Parse("02:00:00:00:0f:02");

    [Fact]
    public void From_the_outside_it_leads_to_the_fixed_address_past_its_security_group()
    {
        SimulationResult result = Lab.OnGw1.From(
            "provider/isp", Frames.Tcp(Outside, C, "198.18.0.10", "198.51.100.20", 5000, 80));

        Lab.TextOf(result).ShouldBe("Forward");
        result.Egress.ShouldBe(new Egress(EgressKind.Port, Courtyard.Port("red/red-a")));
        result.Packet.Destination.ShouldBe(IpAddress.Parse("10.0.1.11"));
        (result.State, result.Hops).ShouldBe((ConnectionState.Forward, (byte)2));
        result.Binding.Zone.ShouldBe(0ul);
    }

    [Fact]
    public void The_security_group_drops_what_it_does_not_admit() =>
        Lab.TextOf(Lab.OnGw1.From("provider/isp", Frames.Tcp(Outside, C, "198.18.0.10", "198.51.100.20", 5000, 22)))
            .ShouldBe("Drop SecurityGroup");

    [Fact]
    public void What_its_host_sends_leaves_with_it()
    {
        SimulationResult result =
            Lab.OnHv1.From("red/red-a", Frames.Tcp(Router, A, "10.0.1.11", "198.18.0.10", 5000, 80));

        Lab.TextOf(result).ShouldBe("Forward");
        (result.Packet.Source, result.Packet.SourcePort).ShouldBe((Courtyard.FloatingAddress, (ushort)5000));
    }

    [Fact]
    public void An_answer_leaves_with_it_only_while_the_rules_admit_the_question()
    {
        byte[] web = Frames.Tcp(Router, A, "10.0.1.11", "198.18.0.10", 80, 5000, TcpFlags.Ack);
        byte[] ssh = Frames.Tcp(Router, A, "10.0.1.11", "198.18.0.10", 22, 5000, TcpFlags.Ack);

        SimulationResult result = Lab.OnHv1.From("red/red-a", web, ConnectionState.Reply);
        Lab.TextOf(result).ShouldBe("Forward");
        (result.Packet.Source, result.State).ShouldBe((Courtyard.FloatingAddress, ConnectionState.Reply));
        Lab.TextOf(Lab.OnHv1.From("red/red-a", ssh, ConnectionState.Reply)).ShouldBe("Drop SecurityGroup");
    }

    [Fact]
    public void From_inside_both_ends_are_translated()
    {
        SimulationResult result =
            Lab.OnGw1.From("red/red-b", Frames.Tcp(Router, B, "10.0.1.12", "198.51.100.20", 5000, 80));

        Lab.TextOf(result).ShouldBe("Forward");
        result.Egress.ShouldBe(new Egress(EgressKind.Port, Courtyard.Port("red/red-a")));
        (result.Packet.Source, result.Packet.Destination)
            .ShouldBe((Courtyard.NatAddress, IpAddress.Parse("10.0.1.11")));
        result.Binding.PublicPort.ShouldBe(result.Packet.SourcePort);
    }

    [Fact]
    public void Rfc4787_REQ_9a_from_who_gets_no_public_address_nothing_goes_to_one_inside()
    {
        Lab lab = new(
            Courtyard.Gw1, Courtyard.Parts.With(Courtyard.Parts.RouterOf("red/router") with { SourceNat = null }));

        SimulationResult result =
            lab.From("red/red-b", Frames.Tcp(Router, B, "10.0.1.12", "198.51.100.20", 5000, 80));

        Lab.TextOf(result).ShouldBe("Drop NatProtocol");
        Frames.Decode(result.Answer).IcmpCode.ShouldBe((byte)IcmpUnreachableCode.AdministrativelyProhibited);
    }

    [Fact]
    public void The_hairpins_answer_goes_back_to_the_owner_of_the_port()
    {
        SimulationResult result = Lab.OnHv1.From(
            "red/red-a", Frames.Tcp(Router, A, "10.0.1.11", "198.51.100.10", 80, 2000, TcpFlags.Ack),
            ConnectionState.Reply);

        Lab.TextOf(result).ShouldBe("Forward");
        result.Egress.ShouldBe(new Egress(EgressKind.NatReturn, Courtyard.Pool, Courtyard.Gw1));
        (result.Packet.Source, result.Packet.Destination).ShouldBe((Courtyard.FloatingAddress, Courtyard.NatAddress));
    }

    [Fact]
    public void A_connection_that_began_with_source_NAT_keeps_its_mapping_when_its_host_gets_a_floating_IP()
    {
        Lab before =
            new(Courtyard.Hv1, Courtyard.Parts.With(Courtyard.Parts.RouterOf("red/router") with { FloatingIps = [] }));
        byte[] frame = Frames.Tcp(Router, A, "10.0.1.11", "198.18.0.10", 5000, 80, TcpFlags.Ack);
        ushort port = before.From("red/red-a", frame).Packet.SourcePort;

        SimulationResult result = new();
        Simulator.Simulate(
            Courtyard.Snapshot(Courtyard.Hv1), before, before.Nat,
            new Ingress(IngressKind.Port, Courtyard.Port("red/red-a"), ConnectionState.Forward), Frames.Decode(frame),
            frame, default, result);

        (result.Packet.Source, result.Packet.SourcePort).ShouldBe((Courtyard.NatAddress, port));
    }

    [Fact]
    public void A_port_forward_translates_address_and_port_and_its_answer_back()
    {
        SimulationResult result = Lab.OnGw1.From(
            "provider/isp", Frames.Tcp(Outside, C, "198.18.0.10", "198.51.100.30", 5000, 8080));
        Lab.TextOf(result).ShouldBe("Forward");
        (result.Packet.Destination, result.Packet.DestinationPort).ShouldBe((IpAddress.Parse("10.0.2.11"), (ushort)80));

        result = Lab.OnHv1.From(
            "red/red-c", Frames.Tcp(Router2, C, "10.0.2.11", "198.18.0.10", 80, 5000, TcpFlags.Ack),
            ConnectionState.Reply);
        Lab.TextOf(result).ShouldBe("Forward");
        (result.Packet.Source, result.Packet.SourcePort).ShouldBe((IpAddress.Parse("198.51.100.30"), (ushort)8080));
    }
}
