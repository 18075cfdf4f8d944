using System;
using System.Collections.Generic;
using System.Linq;
using Genkan.Datapath.Netlink;
using Genkan.Datapath.Rings;
using Genkan.Testing.Kernel;
using Genkan.Wire;
using Shouldly;

namespace Genkan.Datapath.Tests.Netlink;

public sealed class RouteMonitorTests : IDisposable
{
    private readonly Netns _netns = new();
    private readonly RouteSocket _route;
    private readonly RouteMonitor _monitor;

    public RouteMonitorTests()
    {
        (_route, _monitor) = _netns.Run(() => (new RouteSocket(), new RouteMonitor()));
        Drain();
    }

    public void Dispose()
    {
        _monitor.Dispose();
        _route.Dispose();
        _netns.Dispose();
    }

    [Fact]
    public void Links_and_addresses_are_told_of_as_they_come_and_go()
    {
        _route.CreateVeth(new VethEnd("left"), new VethEnd("right"));
        int left = _route.FindLink("left").ShouldNotBeNull().Ifindex;
        IpInterface address = IpInterface.Parse("10.0.1.2/24");
        Drain().OfType<RouteEvent.LinkChanged>().ShouldContain(e => e.Link.Name == "left");

        _route.AddAddress(left, address);
        Drain().ShouldBe([new RouteEvent.AddressAdded(left, address)]);
        _route.DeleteAddress(left, address);
        Drain().ShouldBe([new RouteEvent.AddressRemoved(left, address)]);

        _route.DeleteLink(left);
        Drain().OfType<RouteEvent.LinkRemoved>().Select(e => e.Link.Name).Order(StringComparer.Ordinal)
            .ShouldBe(["left", "right"]);
    }

    [Fact]
    public void A_poller_wakes_for_a_change()
    {
        using Poller poller = new();
        _monitor.AddTo(poller, token: 9);
        int[] ready = new int[4];
        poller.Wait(TimeSpan.Zero, ready).ShouldBe(0);

        _route.CreateLink("br0", "bridge");

        poller.Wait(TimeSpan.FromMinutes(1), ready).ShouldBe(1);
        ready[0].ShouldBe(9);
        Drain().ShouldNotBeEmpty();
    }

    [Fact]
    public void More_changes_than_there_is_room_for_are_told_as_an_overflow()
    {
        IpInterface address = IpInterface.Parse("10.0.1.2/24");
        for (int i = 0; i < 4000; i++)
        {
            _route.AddAddress(1, address);
            _route.DeleteAddress(1, address);
        }

        List<RouteEvent> events = Drain();

        events.ShouldContain(new RouteEvent.Overflow());
        events.Count.ShouldBeLessThan(8000);
        Drain().ShouldBeEmpty();
    }

    private List<RouteEvent> Drain()
    {
        List<RouteEvent> events = [];
        while (_monitor.TryRead() is { } change) events.Add(change);
        return events;
    }
}
