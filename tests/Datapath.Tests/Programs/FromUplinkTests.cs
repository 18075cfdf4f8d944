using Genkan.Datapath.Layout;
using Genkan.Overlay.Flows;
using Genkan.Wire;
using Shouldly;

namespace Genkan.Datapath.Tests.Programs;

/// <summary>from_uplink: connection, local service, owner of the NAT block, class, destination's budget,
/// agent.</summary>
[Collection(ProgramMachine.Collection)]
public sealed class FromUplinkTests
{
    private const int Uplink = 1;
    private const int Tenant = 2;
    private const int NatReturn = 11;
    private const int DestinationBudget = LayoutLimits.BudgetDestinationAt + 3;
    private const uint HostIfindex = 30;
    private const IpProtocol Marker = IpProtocol.HopByHopOptions; // protocol 0 marks the address itself

    private readonly ProgramMachine _machine;

    public FromUplinkTests(ProgramMachine machine)
    {
        _machine = machine;
        machine.Reset();
        machine.Link(Uplink);
        machine.Port(Uplink) = new PortEntry
        {
            Kind = PortKind.Uplink,
            Ifindex = 1,
            KeyPort = 9,
            Mac = MacOctets.Of(Frames.Mac2),
            HostIfindex = HostIfindex,
            Flags = PortFlags.L3Key,
        };
        machine.Port(Tenant) = new PortEntry { Kind = PortKind.Tenant, Ifindex = 12, KeyPort = Tenant };
        machine.Port(NatReturn) =
            new PortEntry { Kind = PortKind.Pseudo, KeyPort = NatReturn, Flags = PortFlags.L3Key };
        machine.NextHop(5) = new NexthopEntry { Kind = NexthopKind.Port, Arg = Tenant };
        machine.NextHop(6) = new NexthopEntry { Kind = NexthopKind.Tunnel, TunnelKey = 0x300 };
        machine.NextHop(7) = new NexthopEntry { Kind = NexthopKind.Deliver, Arg = NatReturn };
    }

    private static FlowAction ToTenant => new() { Verdict = FlowVerdict.Forward, NextHop = 5 };

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_connection_comes_first_and_its_key_has_no_MACs(bool v6)
    {
        _machine.Flow(Frames.KeyOf(Frames.Udp(v6), 9, isL3: true), ToTenant);
        Serve(Frames.To(v6), 2000, IpProtocol.Udp);

        _machine.Run("from_uplink", Frames.Udp(v6)).Outcome.ShouldBe(Outcome.Port);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_local_service_is_the_host_s(bool v6)
    {
        Serve(Frames.To(v6), 2000, IpProtocol.Tcp);
        Serve(Frames.To(v6), LayoutLimits.AnyPort, v6 ? IpProtocol.Icmpv6 : IpProtocol.Icmp);

        Verdict tcp = _machine.Run("from_uplink", Frames.Tcp(v6));
        Verdict echo = _machine.Run("from_uplink", Frames.Icmp(v6));

        (tcp.Outcome, tcp.Ifindex).ShouldBe((Outcome.Local, HostIfindex));
        (echo.Outcome, echo.Ifindex).ShouldBe((Outcome.Local, HostIfindex));
    }

    [Fact]
    public void Local_services_are_policed()
    {
        Serve(Frames.Ip2, 2000, IpProtocol.Tcp, budget: 4);
        _machine.Budget(4) =
            new BudgetEntry { ControlIntervalNs = 1_000_000_000_000, ControlBurstNs = 1_000_000_000_000 };

        _machine.Run("from_uplink", Frames.Tcp()).Outcome.ShouldBe(Outcome.Local);
        _machine.Run("from_uplink", Frames.Tcp()).Outcome.ShouldBe(Outcome.Local);
        _machine.Run("from_uplink", Frames.Tcp()).Reason.ShouldBe(DropReason.BudgetControl);
    }

    [Fact]
    public void Errors_about_no_connection_do_not_spend_what_the_neighbours_need()
    {
        _machine.Port(Uplink).Budget = 4;
        _machine.Budget(4) =
            new BudgetEntry { IntervalNs = 1_000_000_000_000, ControlIntervalNs = 1_000_000_000_000 };
        Own(Frames.Ip2, 1000, 7);
        byte[] error = Frames.Icmp(Frames.Ip3, Frames.Ip2, 3, 3, Frames.Udp(Frames.Ip2, Frames.Ip3)[14..]);

        _machine.Run("from_uplink", error).Outcome.ShouldBe(Outcome.Upcall);
        _machine.Run("from_uplink", error).Reason.ShouldBe(DropReason.BudgetControl);
        _machine.Run("from_uplink", Frames.Arp(Frames.Mac1, Frames.Mac1, Frames.Ip1, Frames.Ip2))
            .Outcome.ShouldBe(Outcome.Local);
    }

    [Fact]
    public void Nor_do_packets_with_a_short_hop_limit()
    {
        _machine.Port(Uplink).Budget = 4;
        _machine.Budget(4) =
            new BudgetEntry { IntervalNs = 1_000_000_000_000, ControlIntervalNs = 1_000_000_000_000 };
        byte[] frame = Frames.Udp(hopLimit: 1);
        FlowAction routed = ToTenant with { Rewrites = Rewrites.HopLimit, Hops = 1 };
        _machine.Flow(Frames.KeyOf(frame, 9, isL3: true), routed);

        _machine.Run("from_uplink", frame).Outcome.ShouldBe(Outcome.Upcall);
        _machine.Run("from_uplink", frame).Reason.ShouldBe(DropReason.BudgetControl);
        _machine.Run("from_uplink", Frames.Arp(Frames.Mac1, Frames.Mac1, Frames.Ip1, Frames.Ip2))
            .Outcome.ShouldBe(Outcome.Local);
    }

    [Theory]
    [InlineData(134, 255, DropReason.None)]
    [InlineData(136, 255, DropReason.None)]
    [InlineData(134, 254, DropReason.Malformed)]
    [InlineData(136, 64, DropReason.Malformed)]
    [InlineData(130, 1, DropReason.Martian)]
    [InlineData(143, 1, DropReason.Martian)]
    public void Neighbour_discovery_and_group_membership_from_beyond_the_link_never_reach_the_host(
        byte type, byte hopLimit, DropReason expected)
    {
        _machine.Run("from_uplink", Frames.Icmp(v6: true, type, 0, hopLimit)).Reason.ShouldBe(expected);
    }

    [Theory]
    [InlineData("10.0.1.2", "ff:ff:ff:ff:ff:ff", DropReason.MacUnknown)]
    [InlineData("10.0.1.2", "01:00:5e:00:00:01", DropReason.MacUnknown)]
    [InlineData("2001:db8:1::2", "33:33:00:00:00:01", DropReason.MacUnknown)]
    [InlineData("224.0.0.5", "01:00:5e:00:00:05", DropReason.None)]
    [InlineData("255.255.255.255", "ff:ff:ff:ff:ff:ff", DropReason.None)]
    [InlineData("ff02::5", "33:33:00:00:00:05", DropReason.None)]
    public void Rfc1812_section_5_3_4_what_came_to_a_whole_link_and_names_one_station_goes_nowhere(
        string destination, string mac, DropReason expected)
    {
        IpAddress to = IpAddress.Parse(destination);
        byte[] packet = Frames.Udp(Frames.From(!to.IsIpv4), to);
        _machine.Flow(Frames.KeyOf(packet, 9, isL3: true), ToTenant);

        _machine.Run("from_uplink", packet).Outcome.ShouldBe(Outcome.Port);
        _machine.Run("from_uplink", packet.With(0, MacOf(mac))).Reason.ShouldBe(expected);
    }

    [Theory]
    [InlineData("fe80::1")]
    [InlineData("::")]
    public void Group_membership_of_the_link_reaches_the_host(string source)
    {
        byte[] query = Frames.Icmp(IpAddress.Parse(source), Frames.Ip62, 130, 0, new byte[20], hopLimit: 1);

        _machine.Run("from_uplink", query).Outcome.ShouldBe(Outcome.Local);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void The_host_s_own_address_takes_nothing_else(bool v6)
    {
        Serve(Frames.To(v6), LayoutLimits.AnyPort, Marker);

        _machine.Run("from_uplink", Frames.Tcp(v6)).Reason.ShouldBe(DropReason.NotLocalService);
        _machine.Run("from_uplink", Frames.Fragment(v6, 72, more: false)).Outcome.ShouldBe(Outcome.Local);
    }

    [Fact]
    public void A_block_s_owner_elsewhere_gets_the_packet_through_the_tunnel()
    {
        Own(Frames.Ip2, 2000, 6);

        Verdict verdict = _machine.Run("from_uplink", Frames.Udp());

        (verdict.Outcome, verdict.TunnelKey, verdict.GroupPolicy, verdict.NextHop)
            .ShouldBe((Outcome.Tunnel, 0x300u, 0x4000u, 6u));
        _machine.Run("from_uplink", Frames.Udp(to: 2000 & ~63)).Outcome.ShouldBe(Outcome.Tunnel);
        _machine.Run("from_uplink", Frames.Udp(to: 2000 | 63)).Outcome.ShouldBe(Outcome.Tunnel);
    }

    [Fact]
    public void A_block_s_owner_here_finds_its_connection_under_the_pseudo_port()
    {
        Own(Frames.Ip2, 2000, 7);
        _machine.Run("from_uplink", Frames.Udp()).Reason.ShouldBe(DropReason.NatNoConnection);
        _machine.Flow(Frames.KeyOf(Frames.Udp(), NatReturn, isL3: true), ToTenant);

        _machine.Run("from_uplink", Frames.Udp()).Outcome.ShouldBe(Outcome.Port);

        _machine.Drops(NatReturn, DropReason.NatNoConnection).ShouldBe(1ul);
    }

    [Fact]
    public void An_echo_reply_s_identifier_and_an_error_s_quoted_source_port_name_the_owner()
    {
        Own(Frames.Ip2, 1000, 6);

        byte[] reply = Frames.Icmp(type: 0);
        byte[] quoted = Frames.Udp(Frames.Ip2, Frames.Ip3, from: 1000, to: 53)[14..];
        byte[] error = Frames.Icmp(Frames.Ip3, Frames.Ip2, 3, 3, quoted);
        byte[] quotedEcho = Frames.Icmp(Frames.Ip2, Frames.Ip3, 8, 0, new byte[18])[14..];
        byte[] errorOfEcho = Frames.Icmp(Frames.Ip3, Frames.Ip2, 11, 0, quotedEcho);

        _machine.Run("from_uplink", reply).Outcome.ShouldBe(Outcome.Tunnel);
        _machine.Run("from_uplink", error).Outcome.ShouldBe(Outcome.Tunnel);
        _machine.Run("from_uplink", errorOfEcho).Outcome.ShouldBe(Outcome.Tunnel);
    }

    [Fact]
    public void An_error_without_a_connection_is_the_owner_s_agent_s_business()
    {
        Own(Frames.Ip2, 1000, 7);
        byte[] quoted = Frames.Udp(Frames.Ip2, Frames.Ip3, from: 1000, to: 53)[14..];

        _machine.Run("from_uplink", Frames.Icmp(Frames.Ip3, Frames.Ip2, 3, 3, quoted)).Outcome.ShouldBe(Outcome.Upcall);

        UpcallHeader header = _machine.TakeControl().ShouldHaveSingleItem().Header;
        (header.Port, header.Kind).ShouldBe(((uint)NatReturn, UpcallKind.Control));
    }

    [Fact]
    public void A_NAT_address_without_an_owner_of_that_block_drops_and_never_asks()
    {
        Own(Frames.Ip2, 5000, 6);
        Expect(IpPrefix.Parse("10.0.1.0/24"));

        _machine.Run("from_uplink", Frames.Udp()).Reason.ShouldBe(DropReason.NatNoOwner);
        _machine.Run("from_uplink", Frames.Icmp(type: 0)).Reason.ShouldBe(DropReason.NatNoOwner);
        _machine.Run("from_uplink", Frames.Icmp(Frames.Ip3, Frames.Ip2, 3, 3, new byte[28])).Reason
            .ShouldBe(DropReason.NatNoOwner);
        _machine.Put("nat_owner", new NatOwnerKey { Address = NetworkOrder.Of(Frames.Ip2), Granule = 2000 >> 6 }, 5u);
        _machine.Run("from_uplink", Frames.Udp()).Reason
            .ShouldBe(DropReason.NatNoOwner, "a next hop of another kind owns nothing");
    }

    [Fact]
    public void Forwarded_ports_of_a_NAT_address_are_objects_like_others()
    {
        Own(Frames.Ip2, 5000, 6);
        Expect(IpPrefix.Parse("10.0.1.0/24"));
        NatOwnerKey key = new() { Address = NetworkOrder.Of(Frames.Ip2), Granule = 2000 >> 6 };
        _machine.Put("nat_owner", key, LayoutLimits.NatForwarded);

        _machine.Run("from_uplink", Frames.Udp()).Outcome.ShouldBe(Outcome.Upcall);
    }

    [Fact]
    public void Echo_requests_and_later_fragments_to_a_NAT_address_name_no_owner_and_go_on()
    {
        Own(Frames.Ip2, 5000, 6);
        Expect(IpPrefix.Parse("10.0.1.0/24"));

        _machine.Run("from_uplink", Frames.Icmp()).Outcome.ShouldBe(Outcome.Upcall);
        _machine.Run("from_uplink", Frames.Fragment(v6: false, 72, more: false)).Outcome.ShouldBe(Outcome.Upcall);
    }

    [Fact]
    public void On_an_address_shared_with_the_host_a_service_comes_before_the_block_and_any_port_after_it()
    {
        Own(Frames.Ip2, 2000, 6);
        Serve(Frames.Ip2, LayoutLimits.AnyPort, Marker);
        Serve(Frames.Ip2, LayoutLimits.AnyPort, IpProtocol.Udp);
        Serve(Frames.Ip2, 2001, IpProtocol.Udp);

        _machine.Run("from_uplink", Frames.Udp(to: 2001)).Outcome.ShouldBe(Outcome.Local);
        _machine.Run("from_uplink", Frames.Udp(to: 2000)).Outcome.ShouldBe(Outcome.Tunnel);
        _machine.Run("from_uplink", Frames.Udp(to: 40000)).Outcome.ShouldBe(Outcome.Local);
    }

    [Fact]
    public void A_class_needs_no_budget()
    {
        _machine.Class(
            Uplink, FlowMask.L3Destination, EtherType.Ipv4, Frames.KeyOf(Frames.Udp(), 9, isL3: true), ToTenant);
        _machine.Run("from_uplink", Frames.Udp()).Outcome.ShouldBe(Outcome.Port);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_destination_of_ours_goes_up_at_its_own_expense_and_any_other_is_nobody_s(bool v6)
    {
        _machine.Run("from_uplink", Frames.Udp(v6)).Reason.ShouldBe(DropReason.NoDestination);
        Expect(v6 ? IpPrefix.Parse("2001:db8:1::/64") : IpPrefix.Parse("10.0.1.0/24"));
        _machine.Budget(DestinationBudget) = new BudgetEntry { IntervalNs = 1_000_000_000_000 };

        _machine.Run("from_uplink", Frames.Udp(v6)).Outcome.ShouldBe(Outcome.Upcall);
        _machine.Run("from_uplink", Frames.Udp(v6, from: 2)).Reason.ShouldBe(DropReason.BudgetDestination);
        _machine.Run("from_uplink", Frames.Udp(Frames.From(v6), Frames.Other(v6))).Reason
            .ShouldBe(DropReason.NoDestination);

        _machine.TakeData().ShouldHaveSingleItem().Header.Port.ShouldBe((uint)Uplink);
    }

    [Fact]
    public void State_that_a_commit_left_goes_up_with_the_packet()
    {
        Expect(IpPrefix.Parse("10.0.1.2/32"));
        _machine.Flow(
            Frames.KeyOf(Frames.Udp(), 9, isL3: true),
            new FlowAction { Verdict = FlowVerdict.Upcall, State = ConnectionState.Reply });

        _machine.Run("from_uplink", Frames.Udp()).Outcome.ShouldBe(Outcome.Upcall);

        _machine.TakeData().ShouldHaveSingleItem().Header.State.ShouldBe(ConnectionState.Reply);
    }

    [Fact]
    public void Frames_for_other_stations_and_other_ethertypes_end_here()
    {
        _machine.Run("from_uplink", Frames.Udp().With(0, 2, 9, 9, 9, 9, 9)).Reason.ShouldBe(DropReason.MacUnknown);
        _machine.Run("from_uplink", Frames.Other((EtherType)0x88CC)).Reason.ShouldBe(DropReason.Ethertype);
        _machine.Run("from_uplink", Frames.Udp(to: ProgramMachine.VxlanPort)).Reason.ShouldBe(DropReason.VxlanFromPort);
        _machine.Run("from_uplink", Frames.Udp().With(14, 0x44)).Reason.ShouldBe(DropReason.Malformed);
        _machine.Run("from_uplink", Frames.Udp(vlan: 7)).Reason.ShouldBe(DropReason.VlanNotBound);
    }

    [Fact]
    public void An_uplink_that_is_down_or_no_uplink_takes_nothing()
    {
        _machine.Port(Uplink).Flags = PortFlags.AdminDown;
        _machine.Run("from_uplink", Frames.Udp()).Reason.ShouldBe(DropReason.PortDown);
        _machine.Port(Uplink).Kind = PortKind.Tenant;
        _machine.Run("from_uplink", Frames.Udp()).Reason.ShouldBe(DropReason.PortUnknown);
        _machine.Reset();
        _machine.Run("from_uplink", Frames.Udp()).Reason.ShouldBe(DropReason.PortUnknown);
    }

    [Fact]
    public void Without_its_host_veth_an_uplink_has_no_host_behind_it()
    {
        Serve(Frames.Ip2, 2000, IpProtocol.Tcp);
        _machine.Port(Uplink).HostIfindex = 0;
        _machine.Run("from_uplink", Frames.Tcp()).Reason.ShouldBe(DropReason.InterfaceGone);
    }

    private static byte[] MacOf(string mac)
    {
        byte[] octets = new byte[6];
        MacAddress.Parse(mac).CopyTo(octets);
        return octets;
    }

    private void Serve(IpAddress address, ushort port, IpProtocol protocol, uint budget = 0) => _machine.Put(
        "local_service",
        new LocalServiceKey
        {
            Address = AddressOctets.Of(address),
            Port = NetworkOrder.Of(port),
            Proto = protocol,
            IsIpv6 = address.IsIpv4 ? (byte)0 : (byte)1,
        },
        new LocalServiceEntry { Budget = budget });

    private void Own(IpAddress address, ushort port, uint nextHop)
    {
        NatOwnerKey key =
            new() { Address = NetworkOrder.Of(address), Granule = (ushort)(port >> LayoutLimits.NatGranuleShift) };
        _machine.Put("nat_owner", key, nextHop);
        _machine.Put("nat_owner", key with { Granule = LayoutLimits.NatAddressItself }, nextHop);
    }

    private void Expect(IpPrefix prefix) =>
        _machine.Put("destination", DestinationKey.Of(prefix), new DestinationEntry { Budget = DestinationBudget });
}
