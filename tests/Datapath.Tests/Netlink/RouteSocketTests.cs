using System;
using System.Linq;
using Genkan.Datapath.Native;
using Genkan.Datapath.Netlink;
using Genkan.Testing.Kernel;
using Genkan.Wire;
using Shouldly;

namespace Genkan.Datapath.Tests.Netlink;

public sealed class RouteSocketTests : IDisposable
{
    private static readonly MacAddress Mac = MacAddress.Parse("02:00:00:00:0a:01");

    private readonly Netns _netns = new();
    private readonly Netns _other = new();
    private readonly RouteSocket _route;

    public RouteSocketTests() => _route = _netns.Run(() => new RouteSocket());

    public void Dispose()
    {
        _route.Dispose();
        _other.Dispose();
        _netns.Dispose();
    }

    [Fact]
    public void A_fresh_namespace_has_the_loopback_alone()
    {
        LinkInfo link = _route.ListLinks().Where(l => l.Name == "lo").ShouldHaveSingleItem();
        (link.Ifindex, link.IsUp).ShouldBe((1, false));
        _route.FindLink("lo").ShouldBe(link);
        _route.FindLink(1).ShouldBe(link);
    }

    [Fact]
    public void A_veth_pair_has_the_names_MACs_and_MTUs_that_were_asked_for()
    {
        _route.CreateVeth(new VethEnd("left") { Mac = Mac, MtuOctets = 1600 }, new VethEnd("right"));

        LinkInfo left = _route.FindLink("left").ShouldNotBeNull();
        LinkInfo right = _route.FindLink("right").ShouldNotBeNull();
        left.ShouldBe(new LinkInfo(
            left.Ifindex, "left", "veth", Mac, 1600, IsUp: false, IsRunning: false, right.Ifindex,
            IsPeerElsewhere: false)
        {
            IsEthernet = true,
        });
        right.MtuOctets.ShouldBe(1500);
        _route.SetLink(left.Ifindex, new LinkSettings { IsUp = true });
        _route.SetLink(right.Ifindex, new LinkSettings { IsUp = true, MtuOctets = 1400 });
        _netns.Run(() => LinkWaiter.WaitUntilRunning(left.Ifindex, TimeSpan.FromSeconds(20))).ShouldBeTrue();
        _route.FindLink("left").ShouldBe(left with { IsUp = true, IsRunning = true });
        _route.FindLink("right").ShouldNotBeNull().MtuOctets.ShouldBe(1400);
        _route.DeleteLink(left.Ifindex).ShouldBeTrue();
        _route.DeleteLink(left.Ifindex).ShouldBeFalse();
        _route.FindLink("right").ShouldBeNull();
    }

    [Fact]
    public void Waiting_for_an_interface_ends_when_it_is_gone_or_the_time_is_over()
    {
        _route.CreateVeth(new VethEnd("left"), new VethEnd("right"));
        int left = _route.FindLink("left").ShouldNotBeNull().Ifindex;

        _netns.Run(() => LinkWaiter.WaitUntilRunning(left, TimeSpan.Zero)).ShouldBeFalse();
        _netns.Run(() => LinkWaiter.WaitUntilRunning(4711, TimeSpan.FromSeconds(20))).ShouldBeFalse();
    }

    [Fact]
    public void A_veth_s_other_end_begins_in_another_namespace()
    {
        _route.CreateVeth(new VethEnd("here"), new VethEnd("there") { Namespace = _other.Namespace });

        _route.FindLink("there").ShouldBeNull();
        _other.Run(() =>
        {
            using RouteSocket other = new();
            other.FindLink("there").ShouldNotBeNull().Kind.ShouldBe("veth");
        });
    }

    [Fact]
    public void An_interface_is_renamed_and_moved()
    {
        int ifindex = CreateVeth();
        _route.SetLink(ifindex, new LinkSettings { Name = "renamed" });
        _route.FindLink(ifindex).ShouldNotBeNull().Name.ShouldBe("renamed");

        _route.SetLink(ifindex, new LinkSettings { Namespace = _other.Namespace });

        _route.FindLink("renamed").ShouldBeNull();
    }

    [Fact]
    public void A_VXLAN_device_is_made_and_a_second_one_on_its_port_is_refused_with_the_kernel_s_words()
    {
        _route.CreateVxlan(new VxlanDevice("vx0", 4790, 1550) { Mac = Mac });

        LinkInfo vxlan = _route.FindLink("vx0").ShouldNotBeNull();
        (vxlan.Kind, vxlan.MtuOctets, vxlan.Mac).ShouldBe(("vxlan", 1550, Mac));
        vxlan.SourcePorts.ShouldBe(((ushort)49152, (ushort)65535));
        KernelException fault = Should.Throw<KernelException>(
            () => _route.CreateVxlan(new VxlanDevice("vx1", 4790, 1550)));
        fault.Error.ShouldBe(Errno.EEXIST);
        fault.Message.ShouldBe(
            "netlink: create vxlan vx1 on UDP port 4790: EEXIST. A VXLAN device with the specified VNI already exists");
    }

    [Fact]
    public void A_bridge_takes_ports()
    {
        int ifindex = CreateVeth();
        _route.CreateLink("br0", "bridge");

        _route.SetLink(ifindex, new LinkSettings { MasterIfindex = _route.FindLink("br0").ShouldNotBeNull().Ifindex });

        _route.ListLinks().Count(l => l.Kind == "bridge").ShouldBe(1);
    }

    [Theory]
    [InlineData("10.0.1.2/24")]
    [InlineData("203.0.113.2/31")]
    [InlineData("2001:db8::2/64")]
    public void An_address_is_added_listed_and_removed(string text)
    {
        IpInterface address = IpInterface.Parse(text);
        int ifindex = CreateVeth();

        _route.AddAddress(ifindex, address);

        _route.ListAddresses().ShouldContain((ifindex, address));
        Should.Throw<KernelException>(() => _route.AddAddress(ifindex, address)).Error.ShouldBe(Errno.EEXIST);
        _route.DeleteAddress(ifindex, address).ShouldBeTrue();
        _route.DeleteAddress(ifindex, address).ShouldBeFalse();
    }

    [Theory]
    [InlineData("198.51.100.0/24", "10.0.1.1", 254u)]
    [InlineData("0.0.0.0/0", "10.0.1.1", 1000u)]
    [InlineData("198.51.100.0/24", "2001:db8::1", 254u)]
    [InlineData("2001:db8:1::/48", "2001:db8::1", 254u)]
    [InlineData("::/0", "2001:db8::1", 1000u)]
    public void A_route_is_added_replaced_listed_and_removed(string destination, string via, uint table)
    {
        int ifindex = CreateVeth();
        _route.AddAddress(ifindex, IpInterface.Parse("10.0.1.2/24"));
        _route.AddAddress(ifindex, IpInterface.Parse("2001:db8::2/64"));
        Route route = new(IpPrefix.Parse(destination))
        {
            Table = table,
            Via = IpAddress.Parse(via),
            Ifindex = ifindex,
            Priority = 50,
        };

        _route.AddRoute(route);

        _route.ListRoutes(table).ShouldContain(route);
        Should.Throw<KernelException>(() => _route.AddRoute(route)).Error.ShouldBe(Errno.EEXIST);
        _route.ReplaceRoute(route);
        _route.ListRoutes(table).Count(r => r.Destination == route.Destination).ShouldBe(1);
        _route.DeleteRoute(route).ShouldBeTrue();
        _route.DeleteRoute(route).ShouldBeFalse();
    }

    [Fact]
    public void A_route_on_the_link_and_a_blackhole_need_no_gateway()
    {
        int ifindex = CreateVeth();
        Route onLink = new(IpPrefix.Parse("198.51.100.0/24")) { Ifindex = ifindex };
        Route blackhole = new(IpPrefix.Parse("192.0.2.0/24")) { Kind = RouteKind.Blackhole };

        _route.AddRoute(onLink);
        _route.AddRoute(blackhole);

        _route.ListRoutes().ShouldContain(onLink);
        _route.ListRoutes().ShouldContain(blackhole);
    }

    [Fact]
    public void A_refused_route_comes_with_the_kernel_s_words()
    {
        Route route = new(IpPrefix.Parse("198.51.100.0/24")) { Via = IpAddress.Parse("10.9.9.9") };

        KernelException fault = Should.Throw<KernelException>(() => _route.AddRoute(route));

        fault.Error.ShouldBe(Errno.ENETUNREACH);
        fault.Detail.ShouldBe("Nexthop has invalid gateway");
    }

    [Theory]
    [InlineData("10.0.1.9")]
    [InlineData("fe80::9")]
    public void A_neighbour_is_set_replaced_and_removed(string text)
    {
        int ifindex = CreateVeth();
        IpAddress address = IpAddress.Parse(text);

        _route.SetNeighbour(ifindex, address, Mac);
        _route.SetNeighbour(ifindex, address, MacAddress.Parse("02:00:00:00:0a:02"));

        _route.ListNeighbours().Where(n => n.Address == address).ShouldHaveSingleItem()
            .ShouldBe((ifindex, address, MacAddress.Parse("02:00:00:00:0a:02")));
        _route.DeleteNeighbour(ifindex, address).ShouldBeTrue();
    }

    [Fact]
    public void Settings_of_an_interface_are_written_in_the_thread_s_own_namespace()
    {
        CreateVeth();
        _netns.Run(() =>
        {
            InterfaceSysctl.SetForwarding("left", ipv4: true, ipv6: true);
            InterfaceSysctl.SetReversePathFilter("left", 2);
            InterfaceSysctl.SetAcceptRouterAdvertisements("left", 0);
            InterfaceSysctl.SetDisableIpv6("left", disabled: true);

            InterfaceSysctl.Read("ipv4", "left", "forwarding").ShouldBe("1");
            InterfaceSysctl.Read("ipv4", "left", "rp_filter").ShouldBe("2");
            InterfaceSysctl.Read("ipv6", "left", "accept_ra").ShouldBe("0");
            InterfaceSysctl.Read("ipv6", "left", "disable_ipv6").ShouldBe("1");
            Should.Throw<KernelException>(() => InterfaceSysctl.SetDisableIpv6("none", disabled: true))
                .Message.ShouldContain("/proc/sys/net/ipv6/conf/none/disable_ipv6: ENOENT");
        });
        _other.Run(() => Should.Throw<KernelException>(() => InterfaceSysctl.Read("ipv4", "left", "forwarding")));
    }

    private int CreateVeth()
    {
        _route.CreateVeth(new VethEnd("left"), new VethEnd("right"));
        int left = _route.FindLink("left").ShouldNotBeNull().Ifindex;
        _route.SetLink(left, new LinkSettings { IsUp = true });
        _route.SetLink(_route.FindLink("right").ShouldNotBeNull().Ifindex, new LinkSettings { IsUp = true });
        return left;
    }
}
