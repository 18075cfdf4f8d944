using Genkan.Overlay.Flows;
using Genkan.Overlay.Simulation;
using Genkan.Overlay.Tests.Fixtures;
using Genkan.Overlay.Topology;
using Genkan.Wire;
using Shouldly;

namespace Genkan.Overlay.Tests.Simulation;

/// <summary>Broadcast and multicast: one copy a local port that admits it, one a host.</summary>
public sealed class Replication
{
    private static readonly MacAddress A = Courtyard.Mac("red/red-a");

    [Fact]
    public void A_broadcast_goes_to_every_host_with_ports_of_the_network()
    {
        SimulationResult result = Lab.OnHv1.From("red/red-a", Broadcast(A));

        Lab.TextOf(result).ShouldBe("Forward");
        result.Egress.Kind.ShouldBe(EgressKind.Replicate);
        result.Targets.ToArray().ShouldBe([new Egress(EgressKind.Flood, Courtyard.Device("red/red-1"), Courtyard.Gw1)]);
        result.State.ShouldBe(ConnectionState.None);
    }

    [Fact]
    public void A_floods_copy_goes_to_local_ports_only_and_past_their_rules()
    {
        Ingress flood = new(IngressKind.Flood, Courtyard.Device("red/red-1"), ConnectionState.None);
        Lab.TextOf(Lab.OnGw1.Simulate(flood, Broadcast(A))).ShouldBe("Drop NoDestination");

        TopologyParts open = BridgedUnicast.Open(Courtyard.Parts, "red/red-b");
        SimulationResult result = new Lab(Courtyard.Gw1, open).Simulate(flood, Broadcast(A));
        result.Targets.ToArray().ShouldBe([new Egress(EgressKind.Port, Courtyard.Port("red/red-b"))]);
    }

    [Fact]
    public void A_copy_for_one_is_refused() =>
        Lab.TextOf(Lab.OnGw1.Simulate(
            new Ingress(IngressKind.Flood, Courtyard.Device("red/red-1"), ConnectionState.None),
            Frames.Udp(Courtyard.Mac("red/red-b"), A, "10.0.1.11", "10.0.1.12", 1, 2))).ShouldBe("Drop MacUnknown");

    [Fact]
    public void Neighbour_discovery_passes_whatever_the_rules_say()
    {
        Ingress flood = new(IngressKind.Flood, Courtyard.Device("red/red-1"), ConnectionState.None);
        byte[] solicitation = Frames.Solicit(A, "2001:db8:1:1:f816:3eff:fe00:111", "2001:db8:1:1::99");

        Lab.TextOf(Lab.OnGw1.Simulate(flood, solicitation)).ShouldBe("Forward");
    }

    [Fact]
    public void Past_the_most_targets_the_packet_is_dropped_under_that_name() =>
        Lab.TextOf(new Lab(Courtyard.Hv1, Courtyard.WithMorePorts(SimulationResult.TargetsMax + 1))
            .From("red/red-a", Broadcast(A))).ShouldBe("Drop NoList");

    [Fact]
    public void More_targets_than_a_list_of_the_kernel_holds_are_not_cached()
    {
        Lab lab = new(Courtyard.Hv1, Courtyard.WithMorePorts(SimulationResult.KernelTargetsMax));

        Lab.TextOf(lab.From("red/red-a", Broadcast(A))).ShouldBe("Forward");
        lab.Result.TargetCount.ShouldBe(SimulationResult.KernelTargetsMax + 1); // and one for gw1
        lab.Result.IsCacheable.ShouldBeFalse();
    }

    private static byte[] Broadcast(MacAddress from) =>
        Frames.Udp(MacAddress.Broadcast, from, "10.0.1.11", "10.0.1.255", 5000, 9999);
}
