using System;
using Genkan.Datapath.Bpf;
using Genkan.Datapath.Layout;
using Genkan.Datapath.Netlink;
using Genkan.Overlay.Flows;
using Genkan.Testing.Kernel;
using Genkan.Wire;
using Shouldly;

namespace Genkan.Datapath.Tests.Programs;

/// <summary>The way out by the kernel's routes, from a port and from a tunnel; and what is too long for any way
/// out.</summary>
[Collection(ProgramMachine.Collection)]
public sealed class FibExitTests : IDisposable
{
    private const int In = 1;
    private const int Uplink = 2;
    private const int Table = 100;
    private const uint NicIfindex = 99;
    private const uint TunnelKey = (4 << 8) | 7;
    private const uint Ours = 0x4000;
    private const uint Commit = 0x8000;

    private static readonly MacAddress HostMac = MacAddress.Parse("02:aa:00:00:00:01");
    private static readonly MacAddress GatewayMac = MacAddress.Parse("02:aa:00:00:00:fe");
    private static readonly IpAddress Gateway = IpAddress.Parse("192.0.2.254");
    private static readonly IpAddress Gateway6 = IpAddress.Parse("2001:db8:2::fe");
    private static readonly IpAddress Peer = IpAddress.Parse("203.0.113.9");

    private readonly ProgramMachine _machine;
    private readonly Netns _netns = new();
    private readonly RouteSocket _route;
    private readonly int _host;

    public FibExitTests(ProgramMachine machine)
    {
        _machine = machine;
        _route = _netns.Run(() => new RouteSocket());
        _route.CreateVeth(new VethEnd("h0") { Mac = HostMac }, new VethEnd("h1"));
        _host = _route.FindLink("h0").ShouldNotBeNull().Ifindex;
        _route.SetLink(_host, new LinkSettings { IsUp = true });
        _route.SetLink(_route.FindLink("h1").ShouldNotBeNull().Ifindex, new LinkSettings { IsUp = true });
        _netns.Run(() => InterfaceSysctl.SetForwarding("h0", ipv4: true, ipv6: true));
        _route.AddAddress(_host, IpInterface.Parse("192.0.2.1/24"));
        _route.AddAddress(_host, IpInterface.Parse("2001:db8:2::1/64"));
        AddRoute("0.0.0.0/0", RouteKind.Unicast, Gateway);
        AddRoute("::/0", RouteKind.Unicast, Gateway6);

        machine.Reset();
        machine.Link(In);
        machine.Link(Uplink, (uint)_host);
        machine.Port(In) = new PortEntry { Kind = PortKind.Tenant, Ifindex = 1, KeyPort = In };
        machine.Port(Uplink) = new PortEntry
        {
            Kind = PortKind.Uplink,
            Ifindex = NicIfindex,
            KeyPort = 9,
            Vlan = 12,
            HostIfindex = (uint)_host,
            Mac = MacOctets.Of(HostMac),
        };
        machine.NextHop(5) = new NexthopEntry { Kind = NexthopKind.FibExit, Arg = Table, Port = Uplink };
        machine.NextHop(6) = new NexthopEntry
        {
            Kind = NexthopKind.Tunnel,
            Peer = AddressOctets.Of(Peer),
        };
        machine.Delivery(4) =
            new DeliveryEntry { Kind = DeliveryKind.FibExit, Generation = 7, Arg = Table, Port = Uplink };
        machine.Put("vtep", VtepKey.Of(Peer), default(VtepEntry));
        foreach (bool v6 in (bool[])[false, true])
        {
            machine.Flow(
                Frames.KeyOf(Frames.Udp(v6), In),
                new FlowAction { Verdict = FlowVerdict.Forward, NextHop = 5, Rewrites = Rewrites.HopLimit, Hops = 2 });
        }
    }

    public void Dispose()
    {
        _route.Dispose();
        _netns.Dispose();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_route_with_a_known_neighbour_leaves_by_the_uplink_s_NIC(bool v6)
    {
        KnowGateways();

        Verdict verdict = Run(Frames.Udp(v6));

        (verdict.Outcome, verdict.Ifindex, verdict.Port, verdict.Vlan).ShouldBe((Outcome.Port, NicIfindex, Uplink, 12));
        PacketHeader header = verdict.Header;
        (header.EthernetSource, header.EthernetDestination).ShouldBe((HostMac, GatewayMac));
        header.HopLimit.ShouldBe((byte)62, "the exit's router is one of the action's hops");
        verdict.Frame.ShouldHaveRightChecksums();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_route_without_a_neighbour_is_resolved_by_the_host_s_stack(bool v6)
    {
        Verdict verdict = Run(Frames.Udp(v6));

        (verdict.Outcome, verdict.Ifindex).ShouldBe((Outcome.Neighbour, (uint)_host));
    }

    [Theory]
    [InlineData(RouteKind.Blackhole, DropReason.RouteBlackhole)]
    [InlineData(RouteKind.Unreachable, DropReason.RouteReject)]
    [InlineData(RouteKind.Prohibit, DropReason.RouteReject)]
    public void Routes_that_drop_have_their_reasons(RouteKind kind, DropReason reason)
    {
        AddRoute("10.0.1.0/24", kind, via: null);
        AddRoute("2001:db8:1::/64", kind, via: null);

        Run(Frames.Udp()).Reason.ShouldBe(reason);
        Run(Frames.Udp(v6: true)).Reason.ShouldBe(reason);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_table_without_a_route_drops(bool v6)
    {
        _machine.NextHop(5).Arg = Table + 1;
        Run(Frames.Udp(v6)).Reason.ShouldBe(DropReason.NoRoute);
    }

    [Fact]
    public void Routes_are_asked_about_IP_alone()
    {
        SkBuffContext output = new() { Mark = ((uint)MarkKind.Output << LayoutLimits.MarkKindShift) | 5 };

        byte[] frame = Frames.Arp(Frames.Mac1, Frames.Mac1, Frames.Ip1, Frames.Ip2);

        _netns.Run(() => _machine.Run("from_agent", frame, output)).Reason.ShouldBe(DropReason.Ethertype);
    }

    [Fact]
    public void The_routes_may_prefer_another_uplink_than_the_one_that_asks_but_nothing_else()
    {
        _route.CreateVeth(new VethEnd("h2"), new VethEnd("h3"));
        int other = _route.FindLink("h2").ShouldNotBeNull().Ifindex;
        _route.SetLink(other, new LinkSettings { IsUp = true });
        _route.SetLink(_route.FindLink("h3").ShouldNotBeNull().Ifindex, new LinkSettings { IsUp = true });
        _route.AddAddress(other, IpInterface.Parse("192.0.3.1/24"));
        _route.SetNeighbour(other, IpAddress.Parse("192.0.3.2"), GatewayMac);
        _route.AddRoute(new Route(IpPrefix.Parse("10.0.1.0/24"))
        {
            Table = Table,
            Via = IpAddress.Parse("192.0.3.2"),
            Ifindex = other,
        });

        Run(Frames.Udp()).Reason.ShouldBe(DropReason.PortUnknown);
        _machine.Link(3, (uint)other);
        _machine.Port(3) = new PortEntry { Kind = PortKind.Tenant, Ifindex = (uint)other };
        Run(Frames.Udp()).Reason.ShouldBe(DropReason.PortUnknown);
        _machine.Port(3) = new PortEntry { Kind = PortKind.Uplink, Ifindex = 55, HostIfindex = (uint)other };
        Verdict verdict = Run(Frames.Udp());
        (verdict.Outcome, verdict.Port, verdict.Ifindex).ShouldBe((Outcome.Port, 3, 55u));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_neighbour_on_the_host_s_own_networks_is_not_resolved_for_a_tenant(bool v6)
    {
        _route.CreateVeth(new VethEnd("h2"), new VethEnd("h3"));
        int management = _route.FindLink("h2").ShouldNotBeNull().Ifindex;
        _route.SetLink(management, new LinkSettings { IsUp = true });
        _route.SetLink(_route.FindLink("h3").ShouldNotBeNull().Ifindex, new LinkSettings { IsUp = true });
        IpPrefix network = IpPrefix.Parse(v6 ? "2001:db8:1::/64" : "10.0.1.0/24");
        _route.AddRoute(new Route(network) { Table = Table, Ifindex = management });

        Run(Frames.Udp(v6)).Reason.ShouldBe(DropReason.PortUnknown);
    }

    [Fact]
    public void Without_a_host_veth_there_is_nobody_to_ask()
    {
        _machine.Port(Uplink).HostIfindex = 0;
        Run(Frames.Udp()).Reason.ShouldBe(DropReason.InterfaceGone);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_tunnel_s_packet_leaves_with_the_hop_limit_that_its_host_gave_it(bool v6)
    {
        KnowGateways();

        Verdict verdict = RunTunnel(Frames.Udp(v6), commit: false);

        (verdict.Outcome, verdict.Ifindex, verdict.Header.HopLimit).ShouldBe((Outcome.Port, NicIfindex, (byte)64));
        _machine.TryEntry(Reply(v6), out _).ShouldBeFalse();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void With_the_commit_bit_the_reply_is_known_on_every_uplink_of_the_group(bool v6)
    {
        RunTunnel(Frames.Udp(v6), commit: true).Outcome.ShouldBe(Outcome.Neighbour);

        _machine.Entry(Reply(v6)).Action.State.ShouldBe(ConnectionState.Reply);
    }

    [Fact]
    public void A_NAT_source_must_belong_to_the_host_that_sends_it()
    {
        Own(Frames.Ip1, 1000);
        RunTunnel(Frames.Udp(from: 1000)).Outcome.ShouldBe(Outcome.Neighbour);
        RunTunnel(Frames.Udp(from: 5000)).Reason.ShouldBe(DropReason.NatNotOwned);
        RunTunnel(Frames.Icmp()).Outcome.ShouldBe(Outcome.Neighbour, "an echo's identifier is its port");
        RunTunnel(Frames.Tcp(Frames.Ip3, Frames.Ip2)).Outcome.ShouldBe(Outcome.Neighbour, "no NAT address, no blocks");

        _machine.NextHop(6).Peer = AddressOctets.Of(Peer.Plus(1));
        RunTunnel(Frames.Udp(from: 1000)).Reason.ShouldBe(DropReason.NatNotOwned);
        RunTunnel(Frames.Fragment(v6: false, 72, more: false)).Outcome.ShouldBe(
            Outcome.Neighbour, "worth nothing without its first fragment, which is checked");
        _machine.NextHop(6).Kind = NexthopKind.Deliver;
        RunTunnel(Frames.Udp(from: 1000)).Reason.ShouldBe(DropReason.NatNotOwned);
    }

    [Fact]
    public void A_forwarded_port_of_a_NAT_address_is_the_VMs_wherever_it_is()
    {
        Own(Frames.Ip1, 1000);
        NatOwnerKey key = new() { Address = NetworkOrder.Of(Frames.Ip1), Granule = 80 >> LayoutLimits.NatGranuleShift };
        _machine.Put("nat_owner", key, LayoutLimits.NatForwarded);

        RunTunnel(Frames.Udp(from: 80)).Outcome.ShouldBe(Outcome.Neighbour);
    }

    [Fact]
    public void An_ICMP_error_s_NAT_port_is_the_quoted_destination()
    {
        Own(Frames.Ip1, 1000);
        byte[] owned = Frames.Udp(Frames.Ip2, Frames.Ip1, from: 53, to: 1000)[14..];
        byte[] foreign = Frames.Udp(Frames.Ip2, Frames.Ip1, from: 1000, to: 53)[14..];

        RunTunnel(Frames.Icmp(Frames.Ip1, Frames.Ip2, 3, 3, owned)).Outcome.ShouldBe(Outcome.Neighbour);
        RunTunnel(Frames.Icmp(Frames.Ip1, Frames.Ip2, 3, 3, foreign)).Reason.ShouldBe(DropReason.NatNotOwned);
        RunTunnel(Frames.Icmp(Frames.Ip1, Frames.Ip2, 3, 3, new byte[28])).Reason.ShouldBe(DropReason.NatNotOwned);
    }

    [Fact]
    public void Only_IP_leaves_and_only_by_an_uplink()
    {
        RunTunnel(Frames.Other((EtherType)0x88CC)).Reason.ShouldBe(DropReason.Ethertype);
        RunTunnel(Frames.Udp().With(14, 0x44)).Reason.ShouldBe(DropReason.Malformed);
        _machine.Port(Uplink).Kind = PortKind.Tenant;
        RunTunnel(Frames.Udp()).Reason.ShouldBe(DropReason.PortUnknown);
    }

    [Theory]
    [InlineData(1400, Outcome.Neighbour)]
    [InlineData(1472, Outcome.Neighbour)]
    [InlineData(1473, Outcome.Upcall)]
    public void What_is_longer_than_the_way_out_goes_to_the_agent_before_it_is_rewritten(
        int payloadOctets, Outcome outcome)
    {
        byte[] frame = Frames.Udp(payloadOctets: payloadOctets);

        Run(frame).Outcome.ShouldBe(outcome);

        if (outcome != Outcome.Upcall) return;
        UpcallRecord record = _machine.TakeControl().ShouldHaveSingleItem();
        (record.Header.Kind, record.Header.Mtu, record.Header.Nexthop).ShouldBe((UpcallKind.TooBig, 1500u, 5u));
        record.Frame.ShouldBe(frame);
    }

    [Fact]
    public void A_first_packet_that_the_agent_sends_in_again_is_found_too_long_and_the_agent_s_own_are_dropped()
    {
        byte[] frame = Frames.Udp(payloadOctets: 1473);
        SkBuffContext again = new() { Mark = ((uint)MarkKind.AsIfFromPort << LayoutLimits.MarkKindShift) | In };
        SkBuffContext own = new() { Mark = ((uint)MarkKind.Output << LayoutLimits.MarkKindShift) | 5 };
        KnowGateways();

        _netns.Run(() => _machine.Run("from_agent", frame, again)).Outcome.ShouldBe(Outcome.Upcall);
        _machine.TakeControl().ShouldHaveSingleItem().Header.Kind.ShouldBe(UpcallKind.TooBig);
        _netns.Run(() => _machine.Run("from_agent", frame, own)).Reason.ShouldBe(DropReason.TooBig);
    }

    [Theory]
    [InlineData(1472, Outcome.Port)]
    [InlineData(1473, Outcome.Upcall)]
    public void From_a_tunnel_the_agent_of_the_gateway_is_told_at_its_uplink_for_nobody_else_knows_the_route(
        int payloadOctets, Outcome outcome)
    {
        byte[] frame = Frames.Udp(payloadOctets: payloadOctets);
        KnowGateways();

        RunTunnel(frame).Outcome.ShouldBe(outcome);

        if (outcome != Outcome.Upcall) return;
        UpcallRecord record = _machine.TakeControl().ShouldHaveSingleItem();
        (record.Header.Kind, record.Header.Mtu, record.Header.Port, record.Header.Flags & UpcallFlags.Leaving)
            .ShouldBe((UpcallKind.TooBig, 1500u, (uint)Uplink, UpcallFlags.Leaving));
        record.Frame.ShouldBe(frame);
    }

    [Fact]
    public void A_tunnel_s_next_hop_has_the_MTU_of_the_path_to_its_peer()
    {
        _machine.NextHop(5) = new NexthopEntry { Kind = NexthopKind.Tunnel, Mtu = 1400 };
        byte[] frame = Frames.Udp(payloadOctets: 1373);

        Run(Frames.Udp(payloadOctets: 1372)).Outcome.ShouldBe(Outcome.Tunnel);
        Run(frame).Outcome.ShouldBe(Outcome.Upcall);
        UpcallRecord record = _machine.TakeControl().ShouldHaveSingleItem();
        (record.Header.Kind, record.Header.Mtu).ShouldBe((UpcallKind.TooBig, 1400u));
    }

    [Theory]
    [InlineData((byte)NexthopKind.Port)]
    [InlineData((byte)NexthopKind.Tunnel)]
    public void Ports_and_the_tunnel_have_their_device_s_MTU(byte kind)
    {
        _machine.NextHop(5) = new NexthopEntry { Kind = (NexthopKind)kind, Arg = 3 };
        _machine.Port(3) = new PortEntry { Kind = PortKind.Tenant, Ifindex = (uint)_host };
        _machine.Settings.VxlanIfindex = (uint)_host;

        Run(Frames.Udp(payloadOctets: 1472)).Outcome.ShouldNotBe(Outcome.Upcall);
        Run(Frames.Udp(payloadOctets: 1473)).Outcome.ShouldBe(Outcome.Upcall);
    }

    private static FlowKey Reply(bool v6) =>
        new(9, Frames.To(v6), Frames.From(v6), IpProtocol.Udp, 2000, 1000, FragmentKind.None, default, default);

    private Verdict Run(byte[] frame) => _netns.Run(() => _machine.Run("from_port", frame));

    private Verdict RunTunnel(byte[] frame, bool commit = false) =>
        _netns.Run(() => _machine.RunTunnel(frame, TunnelKey, Peer, Ours | (commit ? Commit : 0)));

    private void KnowGateways()
    {
        _route.SetNeighbour(_host, Gateway, GatewayMac);
        _route.SetNeighbour(_host, Gateway6, GatewayMac);
    }

    private void AddRoute(string destination, RouteKind kind, IpAddress? via) => _route.AddRoute(
        new Route(IpPrefix.Parse(destination))
        {
            Table = Table,
            Kind = kind,
            Via = via,
            Ifindex = via is null ? 0 : _host,
        });

    private void Own(IpAddress address, ushort port)
    {
        NatOwnerKey key =
            new() { Address = NetworkOrder.Of(address), Granule = (ushort)(port >> LayoutLimits.NatGranuleShift) };
        _machine.Put("nat_owner", key, 6u);
        _machine.Put("nat_owner", key with { Granule = LayoutLimits.NatAddressItself }, 6u);
    }
}
