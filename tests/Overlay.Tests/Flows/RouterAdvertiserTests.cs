using System;
using System.Collections.Generic;
using System.Linq;
using Genkan.Overlay.Flows;
using Genkan.Overlay.Simulation;
using Genkan.Overlay.Tests.Fixtures;
using Genkan.Overlay.Topology;
using Genkan.Wire;
using Genkan.Wire.NeighborDiscovery;
using Shouldly;

namespace Genkan.Overlay.Tests.Flows;

/// <summary>RFC 4861 §6.2.4, "Sending Unsolicited Router Advertisements".</summary>
public sealed class RouterAdvertiserTests
{
    private readonly TableDatapath _tables = new();
    private readonly List<(Egress Egress, byte[] Frame)> _sent = [];
    private readonly RouterAdvertiser _advertiser;

    public RouterAdvertiserTests()
    {
        _advertiser = new RouterAdvertiser(_tables, seed: 7);
        _tables.Sender = (_, nextHop, frame) =>
        {
            _tables.TryGetNextHop(nextHop, out Egress egress).ShouldBeTrue();
            _sent.Add((egress, frame));
        };
    }

    [Fact]
    public void Each_port_of_this_host_in_a_network_with_IPv6_hears_the_router_though_it_does_not_solicit()
    {
        TopologySnapshot topology = Courtyard.Snapshot(Courtyard.Hv1);
        Turn(topology);
        _sent.ShouldBeEmpty();

        _tables.Now += RouterAdvertiser.IntervalMax;
        Turn(topology);
        (Egress egress, byte[] frame) = _sent.ShouldHaveSingleItem();
        egress.ShouldBe(new Egress(EgressKind.Port, Courtyard.Port("red/red-a")));
        PacketHeader header = Frames.Decode(frame);
        (header.Destination, header.EthernetDestination)
            .ShouldBe((IpAddress.AllNodes, MacAddress.OfMulticastGroup(IpAddress.AllNodes)));
        header.Source.ShouldBe(IpAddress.LinkLocalOf(MacAddress.Parse("02:00:00:00:01:01")));
        RouterAdvertisement ra = RouterAdvertisement.TryDecode(frame, header).ShouldNotBeNull();
        ra.Prefixes[0].Prefix.ShouldBe(IpPrefix.Parse("2001:db8:1:1::/64"));
    }

    [Fact]
    public void The_interval_is_uniformly_distributed_between_the_minimum_and_the_maximum()
    {
        TopologySnapshot topology = Courtyard.Snapshot(Courtyard.Hv1);
        List<TimeSpan> times = [];
        for (int second = 0; second < 50_000; second++)
        {
            Turn(topology);
            if (_sent.Count > times.Count) times.Add(_tables.Now);
            _tables.Now += TimeSpan.FromSeconds(1);
        }

        TimeSpan[] intervals = [.. times.Zip(times.Skip(1), (a, b) => b - a)];
        intervals.Min().ShouldBeInRange(RouterAdvertiser.IntervalMin, TimeSpan.FromSeconds(250));
        intervals.Max()
            .ShouldBeInRange(TimeSpan.FromSeconds(550), RouterAdvertiser.IntervalMax + TimeSpan.FromSeconds(1));
        intervals.Average(i => i.TotalSeconds).ShouldBeInRange(370, 430);
    }

    [Fact]
    public void A_turn_ends_after_its_limit_and_the_next_one_goes_on()
    {
        const int networks = RouterAdvertiser.PerTurnMax + 10;
        TopologySnapshot topology = Courtyard.Snapshot(Courtyard.Hv1, Courtyard.Parts with
        {
            Bridges = [.. Courtyard.Parts.Bridges, .. Enumerable.Range(0, networks).Select(NetworkOf)],
            Ports = [.. Courtyard.Parts.Ports, .. Enumerable.Range(0, networks).Select(PortOf)],
        });
        Turn(topology);
        _tables.Now += RouterAdvertiser.IntervalMax;

        Turn(topology);
        _sent.Count.ShouldBe(RouterAdvertiser.PerTurnMax);
        Turn(topology);
        _sent.Count.ShouldBe(networks + 1);
        _sent.Select(s => s.Egress).ShouldBeUnique();
        Turn(topology);
        (_advertiser.Sent, _advertiser.Unsent).ShouldBe((networks + 1ul, 0ul));
    }

    private void Turn(TopologySnapshot topology)
    {
        _advertiser.Turn(topology);
        _tables.Flush();
    }

    private static Bridge NetworkOf(int index) =>
        Courtyard.Parts.Bridges[0] with { Id = Courtyard.Device($"n{index}"), Name = $"n{index}" };

    private static VirtualPort PortOf(int index) => Courtyard.Parts.PortOf("red/red-a") with
    {
        Id = Courtyard.Port($"p{index}"),
        Name = $"p{index}",
        Device = Courtyard.Device($"n{index}"),
        Binding = new PortBinding(Courtyard.Hv1, $"i{index}", 0),
    };
}
