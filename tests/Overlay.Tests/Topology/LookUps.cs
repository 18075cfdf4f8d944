using System.Collections.Generic;
using System.Linq;
using FsCheck;
using FsCheck.Fluent;
using Genkan.Overlay.Simulation;
using Genkan.Overlay.Tests.Fixtures;
using Genkan.Overlay.Topology;
using Genkan.Wire;
using Shouldly;

namespace Genkan.Overlay.Tests.Topology;

/// <summary>Look-ups give what a naive model gives.</summary>
public sealed class LookUps
{
    [Fact]
    public void The_longest_prefix_and_lowest_metric_win_as_in_a_linear_search()
    {
        Prop.ForAll(ArbMap.Default.ArbFor<(byte, byte, byte)[]>(), ArbMap.Default.ArbFor<ushort>(), (entries, host) =>
        {
            Route[] routes = [.. entries.Select(e => new Route(
                new IpPrefix(IpAddress.FromIpv4(0x0a000000u | ((uint)e.Item1 << 8)), 16 + (e.Item2 % 17)),
                RouteTarget.Blackhole, ObjectId.None, IpAddress.Unspecified4, (uint)(e.Item3 % 3)))];
            IpAddress destination = IpAddress.FromIpv4(0x0a000000u | host);
            Route[] matching = [.. routes.Where(r => r.Destination.Contains(destination))];
            Router router = Courtyard.Parts.RouterOf("blue/router");
            Lab lab = new(Courtyard.Hv1, Courtyard.Parts.With(router with { Routes = [.. routes] }));
            SimulationResult result = lab.From(
                "blue/blue-a",
                Frames.Tcp(MacAddress.Parse("02:00:00:00:02:01"), Courtyard.Mac("blue/blue-a"), "10.0.1.11",
                    destination.ToString(), 1, 2));
            if (destination == IpAddress.Parse("10.0.1.1") || destination.ToString() == "10.0.0.0") return true;
            return result.DropReason == (matching.Length == 0
                ? Overlay.Flows.DropReason.NoRoute : Overlay.Flows.DropReason.RouteBlackhole);
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(300));
    }

    [Fact]
    public void The_lower_metric_wins_and_equal_ones_share()
    {
        Router red = Courtyard.Parts.RouterOf("red/router");
        Route far = Courtyard.To("10.0.2.0/24", RouteTarget.Blackhole) with { Metric = 10 };
        Lab lab = new(Courtyard.Hv1, Courtyard.Parts.With(red with { Routes = red.Routes.Add(far) }));
        Lab.TextOf(Send(lab, "10.0.2.11")).ShouldBe("Forward");

        Route second = Courtyard.To("10.7.0.0/16", RouteTarget.Reject);
        Route first = Courtyard.To("10.7.0.0/16", RouteTarget.Blackhole);
        lab = new(Courtyard.Hv1, Courtyard.Parts.With(red with { Routes = [.. red.Routes, first, second] }));
        HashSet<string> seen = [.. Enumerable.Range(1, 200).Select(i => Lab.TextOf(Send(lab, $"10.7.0.{i}")))];
        seen.ShouldBe(["Drop RouteReject", "Drop RouteBlackhole"], ignoreOrder: true);
    }

    [Fact]
    public void A_route_out_of_a_port_that_is_down_gives_way_to_the_next()
    {
        Router red = Courtyard.Parts.RouterOf("red/router");
        TopologyParts parts = Courtyard.Parts
            .With(red with { Routes = red.Routes.Add(Courtyard.To("10.0.0.0/8", RouteTarget.Blackhole)) })
            .With(Courtyard.Parts.PortOf("red/router-2") with { IsAdminUp = false });

        Lab.TextOf(Send(new Lab(Courtyard.Hv1, parts), "10.0.2.11")).ShouldBe("Drop RouteBlackhole");
    }

    [Fact]
    public void A_circle_of_routers_ends_at_the_device_limit()
    {
        Router red = Courtyard.Parts.RouterOf("red/router");
        Router provider = Courtyard.Parts.RouterOf("provider");
        TopologyParts parts = Courtyard.Parts
            .With(red with { SourceNat = null, FloatingIps = [], PortForwards = [] })
            .With(provider with { Routes = [Courtyard.Via("0.0.0.0/0", "provider/red")] });

        Lab.TextOf(Send(new Lab(Courtyard.Hv1, parts), "198.18.0.1")).ShouldBe("Drop DeviceLoop");
    }

    [Fact]
    public void Names_of_objects_and_aspects_are_known()
    {
        TopologySnapshot topology = Courtyard.Snapshot(Courtyard.Hv1);
        topology.NameOf(Courtyard.Port("red/red-a")).ShouldBe("red/red-a");
        topology.NameOf(Courtyard.Device("red/red-1").Aspect(Aspects.BridgeMembers)).ShouldBe("members of red/red-1");
        topology.LocalPorts.Select(p => p.Name).ShouldBe(["red/red-a", "red/red-c", "blue/blue-a"], ignoreOrder: true);
        topology.LocalBridges.Length.ShouldBe(3);
        topology.NeighboursOf(Courtyard.Device("red/red-2")).ShouldContain(
            new BridgeNeighbour(IpAddress.Parse("10.0.2.1"), MacAddress.Parse("02:00:00:00:01:02"), true,
                Courtyard.Port("red/red-2-router")));
    }

    private static SimulationResult Send(Lab lab, string destination) => lab.From(
        "red/red-a",
        Frames.Tcp(MacAddress.Parse("02:00:00:00:01:01"), Courtyard.Mac("red/red-a"), "10.0.1.11", destination, 1000,
            5201));
}
