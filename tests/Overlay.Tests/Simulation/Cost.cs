using System;
using Genkan.Overlay.Flows;
using Genkan.Overlay.Simulation;
using Genkan.Overlay.Tests.Fixtures;
using Genkan.Testing;
using Genkan.Wire;
using Shouldly;

namespace Genkan.Overlay.Tests.Simulation;

/// <summary>What a simulation costs: nothing that a garbage collector would have to come for.</summary>
public sealed class Cost
{
    [Theory]
    [InlineData("bridged")]
    [InlineData("routed")]
    [InlineData("source NAT")]
    [InlineData("refused")]
    [InlineData("unreachable")]
    [InlineData("ping to the router")]
    [InlineData("ARP")]
    public void No_octet_is_allocated(string kind)
    {
        MacAddress a = Courtyard.Mac("red/red-a");
        MacAddress b = Courtyard.Mac("red/red-b");
        MacAddress router = MacAddress.Parse("02:00:00:00:01:01");
        byte[] frame = kind switch
        {
            "bridged" => Frames.Tcp(b, a, "10.0.1.11", "10.0.1.12", 1000, 5201),
            "routed" => Frames.Tcp(router, a, "10.0.1.11", "10.0.2.11", 1000, 5201),
            "source NAT" =>
                Frames.Tcp(MacAddress.Parse("02:00:00:00:01:02"), Courtyard.Mac("red/red-c"), "10.0.2.11", "198.18.0.1",
                1, 80),
            "refused" => Frames.Tcp(b, a, "10.0.1.11", "10.0.1.12", 1000, 22),
            "unreachable" => Frames.Tcp(router, a, "10.0.1.11", "10.0.2.99", 1000, 22),
            "ARP" => Frames.Arp(MacAddress.Broadcast, a, a, "10.0.1.11", "10.0.1.1"),
            _ => Frames.Ping(router, a, "10.0.1.11", "10.0.1.1"),
        };
        Lab lab = Lab.OnHv1;
        Ingress ingress = new(
            IngressKind.Port, Courtyard.Port(kind == "source NAT" ? "red/red-c" : "red/red-a"), ConnectionState.None);
        PacketHeader packet = Frames.Decode(frame);

        Allocation.Of(() =>
        {
            for (int i = 0; i < 100; i++) Run(lab, ingress, packet, frame);
        }).ShouldBe(0);
    }

    private static void Run(Lab lab, in Ingress ingress, in PacketHeader packet, byte[] frame) =>
        Simulator.Simulate(lab.Topology, lab, lab.Nat, ingress, packet, frame, TimeSpan.Zero, lab.Result);
}
