using Genkan.Datapath.Layout;
using Genkan.Overlay.Flows;
using Genkan.Wire;
using Genkan.Wire.NeighborDiscovery;
using Shouldly;

namespace Genkan.Datapath.Tests.Programs;

/// <summary>ARP and neighbour solicitations that are answered where they came in, and those that are not.</summary>
[Collection(ProgramMachine.Collection)]
public sealed class AnswerTests
{
    private const int In = 1;
    private const int Uplink = 2;
    private const uint Bridge = 40;

    private readonly ProgramMachine _machine;

    public AnswerTests(ProgramMachine machine)
    {
        _machine = machine;
        machine.Reset();
        machine.Link(In);
        machine.Port(In) = new PortEntry
        {
            Kind = PortKind.Tenant,
            Ifindex = 1,
            KeyPort = In,
            Bridge = Bridge,
            Mac = MacOctets.Of(Frames.Mac1),
            Ipv4 = NetworkOrder.Of(Frames.Ip1),
            Ipv6 = AddressOctets.Of(Frames.Ip61),
        };
        machine.Port(Uplink) = new PortEntry
        {
            Kind = PortKind.Uplink,
            Ifindex = 1,
            KeyPort = Uplink,
            Mac = MacOctets.Of(Frames.Mac3),
            HostIfindex = 30,
        };
        foreach (uint bridge in (uint[])[Bridge, Uplink | LayoutLimits.NeighbourUplink])
        {
            Know(bridge, Frames.Ip2, isRouter: false);
            Know(bridge, Frames.Ip62, isRouter: true);
        }
        Know(Bridge, Frames.Ip1, isRouter: false);
        Know(Bridge, Frames.Ip61, isRouter: false);
    }

    [Fact]
    public void A_tenant_s_ARP_request_for_a_known_address_is_answered()
    {
        Verdict verdict = _machine.Run("from_port", Frames.Arp(Frames.Mac1, Frames.Mac1, Frames.Ip1, Frames.Ip2));

        (verdict.Outcome, verdict.Ifindex).ShouldBe((Outcome.Answer, 1u));
        PacketHeader reply = verdict.Header;
        (reply.EthernetDestination, reply.EthernetSource).ShouldBe((Frames.Mac1, Frames.Mac2));
        (reply.ArpOperation, reply.Source, reply.Destination).ShouldBe((ArpOperation.Reply, Frames.Ip2, Frames.Ip1));
        (reply.ArpSenderMac, reply.ArpTargetMac).ShouldBe((Frames.Mac2, Frames.Mac1));
        _machine.Drops(In, DropReason.Answered).ShouldBe(1ul);
        _machine.Stats(In).DropPackets.ShouldBe(0ul);
        _machine.Stats(In).TxPackets.ShouldBe(1ul);
    }

    public static TheoryData<string, byte[]> NotForTheKernel => new()
    {
        { "unknown target", Frames.Arp(Frames.Mac1, Frames.Mac1, Frames.Ip1, Frames.Ip3) },
        { "another sender MAC", Frames.Arp(Frames.Mac1, Frames.Mac3, Frames.Ip1, Frames.Ip2) },
        { "another Ethernet source", Frames.Arp(Frames.Mac3, Frames.Mac1, Frames.Ip1, Frames.Ip2) },
        { "both spoofed", Frames.Arp(Frames.Mac3, Frames.Mac3, Frames.Ip1, Frames.Ip2) },
        { "another sender address", Frames.Arp(Frames.Mac1, Frames.Mac1, Frames.Ip3, Frames.Ip2) },
        { "a probe (RFC 5227)", Frames.Arp(Frames.Mac1, Frames.Mac1, IpAddress.Parse("0.0.0.0"), Frames.Ip2) },
        { "an announcement", Frames.Arp(Frames.Mac1, Frames.Mac1, Frames.Ip1, Frames.Ip1) },
        { "a reply", Frames.Arp(Frames.Mac1, Frames.Mac1, Frames.Ip1, Frames.Ip2, ArpOperation.Reply) },
        { "hardware type", Frames.Arp(Frames.Mac1, Frames.Mac1, Frames.Ip1, Frames.Ip2).With(14, 0, 6) },
        { "protocol type", Frames.Arp(Frames.Mac1, Frames.Mac1, Frames.Ip1, Frames.Ip2).With(16, 8, 1) },
        { "hardware size", Frames.Arp(Frames.Mac1, Frames.Mac1, Frames.Ip1, Frames.Ip2).With(18, 8) },
        { "protocol size", Frames.Arp(Frames.Mac1, Frames.Mac1, Frames.Ip1, Frames.Ip2).With(19, 16) },
        { "cut short", Frames.Arp(Frames.Mac1, Frames.Mac1, Frames.Ip1, Frames.Ip2)[..41] },
        { "ND: unknown target", Solicitation(Frames.Mac1, Frames.Mac1, Frames.Ip61, Frames.Ip63) },
        { "ND: another source", Solicitation(Frames.Mac1, Frames.Mac1, Frames.Ip63, Frames.Ip62) },
        { "ND: another option", Solicitation(Frames.Mac1, Frames.Mac3, Frames.Ip61, Frames.Ip62) },
        { "ND: another Ethernet source", Solicitation(Frames.Mac3, Frames.Mac1, Frames.Ip61, Frames.Ip62) },
        { "ND: duplicate address detection", Solicitation(Frames.Mac1, null, IpAddress.Parse("::"), Frames.Ip62) },
        { "ND: no option", Solicitation(Frames.Mac1, null, Frames.Ip61, Frames.Ip62) },
        { "ND: own address", Solicitation(Frames.Mac1, Frames.Mac1, Frames.Ip61, Frames.Ip61) },
        { "ND: from behind a router", Solicitation(Frames.Mac1, Frames.Mac1, Frames.Ip61, Frames.Ip62).With(21, 254) },
        {
            "ND: unspecified source with option",
            Solicitation(Frames.Mac1, Frames.Mac1, IpAddress.Parse("::"), Frames.Ip62)
        },
        { "ND: checksum", Solicitation(Frames.Mac1, Frames.Mac1, Frames.Ip61, Frames.Ip62).With(56, 0, 1) },
        { "ND: code", Solicitation(Frames.Mac1, Frames.Mac1, Frames.Ip61, Frames.Ip62).With(55, 1) },
    };

    [Theory]
    [MemberData(nameof(NotForTheKernel))]
    public void What_is_not_plain_goes_to_the_agent_as_it_is(string name, byte[] frame)
    {
        _machine.Run("from_port", frame).Outcome.ShouldBe(Outcome.Upcall, name);

        UpcallRecord record = _machine.TakeControl().ShouldHaveSingleItem();
        record.Frame.ShouldBe(frame);
    }

    [Fact]
    public void A_solicitation_from_the_port_s_address_is_answered_with_the_router_flag()
    {
        Verdict verdict = _machine.Run("from_port", Solicitation(Frames.Mac1, Frames.Mac1, Frames.Ip61, Frames.Ip62));

        verdict.Outcome.ShouldBe(Outcome.Answer);
        ShouldAdvertise(verdict, Frames.Mac2, Frames.Ip61, isRouter: true);
    }

    [Fact]
    public void A_solicitation_from_the_MAC_s_own_link_local_address_is_answered()
    {
        IpAddress source = IpAddress.LinkLocalOf(Frames.Mac1);

        Verdict verdict = _machine.Run("from_port", Solicitation(Frames.Mac1, Frames.Mac1, source, Frames.Ip62));

        ShouldAdvertise(verdict, Frames.Mac2, source, isRouter: true);
    }

    [Fact]
    public void An_uplink_s_neighbours_are_answered_whoever_they_are_with_the_uplink_s_MAC()
    {
        _machine.Link(Uplink);

        Verdict arp = _machine.Run("from_uplink", Frames.Arp(Frames.Mac1, Frames.Mac1, Frames.Ip3, Frames.Ip2));
        Verdict nd = _machine.Run("from_uplink", Solicitation(Frames.Mac1, Frames.Mac1, Frames.Ip63, Frames.Ip62));

        (arp.Outcome, arp.Header.ArpSenderMac, arp.Header.EthernetSource)
            .ShouldBe((Outcome.Answer, Frames.Mac3, Frames.Mac3));
        ShouldAdvertise(nd, Frames.Mac3, Frames.Ip63, isRouter: true);
    }

    [Fact]
    public void Rfc5227_section_2_1_1_a_probe_on_an_uplink_for_a_known_address_is_answered_and_any_other_is_the_host_s()
    {
        _machine.Link(Uplink);
        IpAddress none = IpAddress.Parse("0.0.0.0");

        Verdict known = _machine.Run("from_uplink", Frames.Arp(Frames.Mac1, Frames.Mac1, none, Frames.Ip2));
        Verdict unknown = _machine.Run("from_uplink", Frames.Arp(Frames.Mac1, Frames.Mac1, none, Frames.Ip1));

        (known.Outcome, known.Header.EthernetDestination).ShouldBe((Outcome.Answer, Frames.Mac1));
        PacketHeader reply = known.Header;
        (reply.ArpOperation, reply.Source, reply.Destination).ShouldBe((ArpOperation.Reply, Frames.Ip2, none));
        (reply.ArpSenderMac, reply.ArpTargetMac).ShouldBe((Frames.Mac3, Frames.Mac1));
        unknown.Outcome.ShouldBe(Outcome.Local);
    }

    [Fact]
    public void What_an_uplink_does_not_know_is_for_the_host_s_own_stack()
    {
        _machine.Link(Uplink);

        Verdict arp = _machine.Run("from_uplink", Frames.Arp(Frames.Mac1, Frames.Mac1, Frames.Ip3, Frames.Ip1));
        Verdict nd = _machine.Run("from_uplink", Solicitation(Frames.Mac1, Frames.Mac1, Frames.Ip63, Frames.Ip61));

        (arp.Outcome, arp.Ifindex).ShouldBe((Outcome.Local, 30u));
        (nd.Outcome, nd.Ifindex).ShouldBe((Outcome.Local, 30u));
    }

    [Fact]
    public void And_is_policed()
    {
        _machine.Link(Uplink);
        _machine.Port(Uplink).Budget = 3;
        _machine.Budget(3) = new BudgetEntry { ControlIntervalNs = 1_000_000_000_000 };

        _machine.Run("from_uplink", Frames.Arp(Frames.Mac1, Frames.Mac1, Frames.Ip3, Frames.Ip1)).Outcome
            .ShouldBe(Outcome.Local);
        _machine.Run("from_uplink", Frames.Arp(Frames.Mac1, Frames.Mac1, Frames.Ip3, Frames.Ip1)).Reason
            .ShouldBe(DropReason.BudgetControl);
    }

    private static byte[] Solicitation(
        MacAddress ethernetSource, MacAddress? option, IpAddress source, IpAddress target)
    {
        byte[] frame = new byte[90];
        IpAddress group = target.SolicitedNode();
        int length = new NeighborSolicitation(target, option).Write(
            frame, ethernetSource, MacAddress.OfMulticastGroup(group), source, group);
        return frame[..length];
    }

    private static void ShouldAdvertise(Verdict verdict, MacAddress mac, IpAddress to, bool isRouter)
    {
        verdict.Outcome.ShouldBe(Outcome.Answer);
        verdict.Frame.ShouldHaveRightChecksums();
        PacketHeader header = verdict.Header;
        (header.EthernetSource, header.EthernetDestination).ShouldBe((mac, Frames.Mac1));
        (header.Source, header.Destination, header.HopLimit).ShouldBe((Frames.Ip62, to, (byte)255));
        NeighborAdvertisement.TryDecode(verdict.Frame, header, out NeighborAdvertisement message).ShouldBeTrue();
        message.ShouldBe(new NeighborAdvertisement(Frames.Ip62, mac, isRouter, IsSolicited: true, IsOverride: true));
    }

    private void Know(uint bridge, IpAddress address, bool isRouter) => _machine.Put(
        "neighbour",
        NeighbourKey.Of(bridge, address),
        new NeighbourEntry { Mac = MacOctets.Of(Frames.Mac2), IsRouter = isRouter ? (byte)1 : (byte)0 });
}
