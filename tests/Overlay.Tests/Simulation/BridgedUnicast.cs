using Genkan.Overlay.Flows;
using Genkan.Overlay.Simulation;
using Genkan.Overlay.Tests.Fixtures;
using Genkan.Wire;
using Shouldly;

namespace Genkan.Overlay.Tests.Simulation;

/// <summary>Known unicast inside a network.</summary>
public sealed class BridgedUnicast
{
    private static readonly MacAddress A = Courtyard.Mac("red/red-a");
    private static readonly MacAddress B = Courtyard.Mac("red/red-b");

    [Fact]
    public void A_known_MAC_leads_to_its_port_unchanged()
    {
        SimulationResult result = Lab.OnHv1.From("red/red-a", Frames.Tcp(B, A, "10.0.1.11", "10.0.1.12", 1000, 5201));

        Lab.TextOf(result).ShouldBe("Forward");
        result.Egress.ShouldBe(new Egress(EgressKind.Port, Courtyard.Port("red/red-b")));
        result.Hops.ShouldBe((byte)0);
        result.State.ShouldBe(ConnectionState.Forward);
        result.IsCacheable.ShouldBeTrue();
        FlowTranslator.TryGetMask(result, out _).ShouldBeFalse();
    }

    [Fact]
    public void An_unknown_MAC_is_dropped_and_depends_on_the_members()
    {
        SimulationResult result = Lab.OnHv1.From(
            "red/red-a", Frames.Tcp(Courtyard.Mac("blue/blue-b"), A, "10.0.1.11", "10.0.1.13", 1000, 80));

        Lab.TextOf(result).ShouldBe("Drop MacUnknown");
        result.Tags.ToArray()
            .ShouldContain(Courtyard.Device("red/red-1").Aspect(Overlay.Topology.Aspects.BridgeMembers));
    }

    [Fact]
    public void A_frame_to_its_own_port_is_dropped() =>
        Lab.TextOf(Lab.OnHv1.From("red/red-a", Frames.Tcp(A, A, "10.0.1.11", "10.0.1.12", 1000, 80)))
            .ShouldBe("Drop IngressIsEgress");

    [Theory]
    [InlineData("01:00:5e:00:00:05")]
    [InlineData("ff:ff:ff:ff:ff:ff")]
    [InlineData("00:00:00:00:00:00")]
    public void A_source_MAC_that_no_station_has_is_dropped_without_port_security_too(string source)
    {
        Lab lab = new(Courtyard.Hv1, Open(Courtyard.Parts, "red/red-a"));

        Lab.TextOf(lab.From("red/red-a", Frames.Tcp(B, MacAddress.Parse(source), "10.0.1.11", "10.0.1.12", 1000, 80)))
            .ShouldBe("Drop SpoofedMac");
    }

    [Theory]
    [InlineData("01:80:c2:00:00:00", "Drop NoDestination")]
    [InlineData("01:80:c2:00:00:0f", "Drop NoDestination")]
    [InlineData("01:80:c2:00:00:10", "Forward")]
    public void Ieee8021Q_section_8_6_3_reserved_group_addresses_are_not_relayed(string group, string outcome)
    {
        Lab lab = new(Courtyard.Hv1, Open(Courtyard.Parts, "red/red-a"));

        Lab.TextOf(lab.From("red/red-a", Frames.Udp(MacAddress.Parse(group), A, "10.0.1.11", "10.0.1.12", 1000, 80)))
            .ShouldBe(outcome);
    }

    [Fact]
    public void Without_rules_and_port_security_a_flow_stays_stateless_and_takes_the_L2_mask()
    {
        Overlay.Topology.TopologyParts parts = Open(Open(Courtyard.Parts, "red/red-a"), "red/red-b");
        SimulationResult result = new Lab(Courtyard.Hv1, parts).From(
            "red/red-a", Frames.Tcp(B, A, "10.0.1.11", "10.0.1.12", 1000, 5201));

        Lab.TextOf(result).ShouldBe("Forward");
        result.State.ShouldBe(ConnectionState.None);
        FlowTranslator.TryGetMask(result, out FlowMask mask).ShouldBeTrue();
        mask.ShouldBe(FlowMask.L2);
    }

    internal static Overlay.Topology.TopologyParts Open(Overlay.Topology.TopologyParts parts, string port) =>
        parts.With(
        parts.PortOf(port) with { PortSecurity = false, FromPort = default, ToPort = default });
}
