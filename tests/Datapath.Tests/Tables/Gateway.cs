using System;
using System.Diagnostics;
using System.Linq;
using Genkan.Datapath.Netlink;
using Genkan.Datapath.Tables;
using Genkan.Overlay.Flows;
using Genkan.Overlay.Simulation;
using Genkan.Overlay.Topology;
using Genkan.Wire;
using Shouldly;
using TopologyRoute = Genkan.Overlay.Topology.Route;

namespace Genkan.Datapath.Tests.Tables;

/// <summary>A host with an uplink on the real kernel.</summary>
public sealed class Gateway : IDisposable
{
    private const string Nic = "isp0";
    private static readonly ObjectId UplinkId = ObjectId.Of("port", "uplink/isp");
    private static readonly ObjectId ProviderId = ObjectId.Of("router", "public");
    private static readonly IpInterface Own4 = IpInterface.Parse("203.0.113.2/30");
    private static readonly IpInterface Own6 = IpInterface.Parse("2001:db8:ffff::2/64");
    private static readonly IpInterface Isp4 = IpInterface.Parse("203.0.113.1/30");
    private static readonly IpInterface Isp6 = IpInterface.Parse("2001:db8:ffff::1/64");

    private readonly TestHost _host = new();

    public Gateway() => _host.AddIsp(Nic, Isp4, Isp6);

    public void Dispose() => _host.Dispose();

    [Fact]
    public void The_ISP_reaches_the_hosts_own_addresses_through_the_host_veth()
    {
        using KernelDatapath datapath = Bring();

        Ping(Own4.Address).ShouldContain("3 received");
        Ping(Own6.Address).ShouldContain("3 received");
        datapath.TryGetSlot(UplinkId, out uint slot).ShouldBeTrue();
        datapath.ReadPortStatistics(slot).RxPackets.ShouldBeGreaterThan(6UL);
    }

    [Fact]
    public void Following_links_comes_to_rest_though_it_sets_links_itself()
    {
        using KernelDatapath datapath = Bring();
        int turnCount = 0;
        while (_host.Run(() => datapath.FollowLinks())) turnCount++.ShouldBeLessThan(3);
    }

    [Fact]
    public void What_no_service_takes_is_a_counted_drop()
    {
        using KernelDatapath datapath = Bring();
        datapath.TryGetSlot(UplinkId, out uint slot).ShouldBeTrue();
        Ping(Own4.Address).ShouldContain("3 received"); // the ISP knows our MAC now

        using (Process probe = _host.StartBehind(
            Nic, "socat", "/dev/null", $"TCP4:{Own4.Address}:22,connect-timeout=1"))
        {
            TestHost.Finish(probe).ExitCode.ShouldNotBe(0);
        }

        datapath.ReadPortStatistics(slot).Drops.ShouldContain(d => d.Reason == DropReason.NotLocalService);
    }

    [Fact]
    public void The_host_veth_has_addresses_routes_and_a_MAC_that_stays()
    {
        using (KernelDatapath first = Bring())
        {
            first.NextHop(new Egress(EgressKind.FibExit, External().Id, TestHost.Host.Id), []).ShouldNotBe(0u);
        }

        using KernelDatapath second = Bring(); // making it again changes nothing
        _host.Run(() =>
        {
            using RouteSocket netlink = new();
            LinkInfo veth = netlink.FindLink(UplinkDevices.HostNameOf(UplinkId)).ShouldNotBeNull();
            veth.Mac.ShouldBe(UplinkDevices.MacOf(UplinkId));
            netlink.ListAddresses().Where(a => a.Ifindex == veth.Ifindex).Select(a => a.Address)
                .Where(a => !a.Address.IsLinkLocal).ShouldBe([Own4, Own6], ignoreOrder: true);
            netlink.ListRoutes().Where(r => r.Via is not null).Select(r => r.Via).Distinct()
                .ShouldBe([Isp4.Address, Isp6.Address], ignoreOrder: true);
            InterfaceSysctl.Read("ipv4", veth.Name, "forwarding").ShouldBe("1");
            InterfaceSysctl.Read("ipv6", Nic, "disable_ipv6").ShouldBe("1");
        });
        second.Faults.ShouldBeEmpty();
    }

    [Fact]
    public void An_uplink_that_is_taken_away_takes_its_devices_along()
    {
        using KernelDatapath datapath = Bring();
        _host.Run(() => datapath.Apply(TestHost.Topology(TestHost.Port(1))));

        _host.Run(() =>
        {
            using RouteSocket netlink = new();
            netlink.FindLink(UplinkDevices.HostNameOf(UplinkId)).ShouldBeNull();
            netlink.FindLink(UplinkDevices.WireNameOf(UplinkId)).ShouldBeNull();
        });
        datapath.TryGetSlot(UplinkId, out _).ShouldBeFalse();
    }

    private static ExternalNetwork External() => new(
        ObjectId.Of("external network", "public"),
        "public",
        ProviderId,
        [IpPrefix.Parse("198.51.100.0/24")],
        [new Uplink(UplinkId, TestHost.Host.Id, Nic, 0, [Own4, Own6], [Isp4.Address, Isp6.Address], FibTable: 254)]);

    private static TopologySnapshot Topology()
    {
        VirtualPort port = new(
            UplinkId,
            "uplink/isp",
            ProviderId,
            PortRole.Uplink,
            UplinkDevices.MacOf(UplinkId),
            [Own4, Own6],
            ObjectId.None,
            new PortBinding(TestHost.Host.Id, Nic, 0),
            IsAdminUp: true,
            PortSecurity: false,
            [],
            ObjectId.None,
            ObjectId.None);
        Router provider = new(
            ProviderId,
            "public",
            IsAdminUp: true,
            [new TopologyRoute(IpPrefix.All4, RouteTarget.FibExit, ObjectId.None, IpAddress.Unspecified4, 0)],
            [],
            SourceNat: null,
            []);
        return TestHost.Topology(new TopologyParts(
            [TestHost.Host, TestHost.OtherHost], [], [provider], [port], [], [], [External()]));
    }

    private string Ping(IpAddress address)
    {
        using Process ping = _host.StartBehind(Nic, "ping", "-c", "3", "-i", "0.1", "-W", "3", address.ToString());
        return TestHost.Finish(ping).Output;
    }

    private KernelDatapath Bring()
    {
        KernelDatapath datapath = _host.StartDatapath();
        _host.Run(() => datapath.Apply(Topology()));
        datapath.Faults.ShouldBeEmpty();
        return datapath;
    }
}
