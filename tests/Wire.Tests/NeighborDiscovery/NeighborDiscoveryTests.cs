using System;
using System.Collections.Generic;
using Genkan.Wire.NeighborDiscovery;
using Shouldly;
using static Genkan.Wire.Tests.Samples;

namespace Genkan.Wire.Tests.NeighborDiscovery;

/// <summary>RFC 4861 §4, §6.1, §7.1; RFC 4191 §2; RFC 8106 §5.</summary>
public sealed class NeighborDiscoveryTests
{
    private static readonly IpAddress LinkLocalB = IpAddress.LinkLocalOf(MacB);

    private static readonly RouterAdvertisement Full = new()
    {
        CurHopLimit = 63,
        IsManaged = true,
        HasOtherConfiguration = true,
        Preference = RouterPreference.Low,
        RouterLifetime = TimeSpan.FromSeconds(1800),
        ReachableTime = TimeSpan.FromMilliseconds(30001),
        RetransTimer = TimeSpan.FromMilliseconds(1001),
        SourceLinkLayer = MacB,
        MtuOctets = 1450,
        Prefixes =
        [
            new PrefixInformation(IpPrefix.Parse("fd00:1::/64"), true, true, TimeSpan.MaxValue, TimeSpan.FromHours(1)),
            new PrefixInformation(IpPrefix.Parse("fd00:2::/48"), true, false, TimeSpan.Zero, TimeSpan.Zero),
        ],
        Routes =
        [
            new RouteInformation(IpPrefix.Parse("::/0"), RouterPreference.High, TimeSpan.FromSeconds(600)),
            new RouteInformation(IpPrefix.Parse("fd00:3::/48"), RouterPreference.Medium, TimeSpan.MaxValue),
            new RouteInformation(IpPrefix.Parse("fd00:4::1/128"), RouterPreference.Low, TimeSpan.FromSeconds(1)),
        ],
        DnsServers = [IpAddress.Parse("fd00:1::2"), IpAddress.Parse("fd00:1::3")],
        DnsSearch = ["red.example", "example"],
        DnsLifetime = TimeSpan.FromSeconds(3600),
    };

    [Fact]
    public void A_captured_solicitation_is_read_and_written_alike()
    {
        byte[] frame = Frame("ping", "neighbor-solicitation");
        PacketHeader header = Decode(frame);
        NeighborSolicitation.TryDecode(frame, header, out NeighborSolicitation message).ShouldBeTrue();
        message.ShouldBe(new NeighborSolicitation(B6, MacA));
        byte[] output = new byte[128];
        output[..NeighborSolicitation.WriteMulticast(output, MacA, A6, B6)].ShouldBe(frame);
    }

    [Fact]
    public void The_answer_is_the_one_that_the_kernel_sent()
    {
        byte[] frame = Frame("ping", "neighbor-solicitation");
        PacketHeader header = Decode(frame);
        NeighborSolicitation.TryDecode(frame, header, out NeighborSolicitation message).ShouldBeTrue();
        byte[] output = new byte[128];
        int length = NeighborAdvertisement.WriteReply(output, header, message, MacB, isRouter: true);
        byte[] expected = Frame("ping", "neighbor-advertisement");
        output[..length].ShouldBe(expected);
        NeighborAdvertisement.TryDecode(expected, Decode(expected), out NeighborAdvertisement reply).ShouldBeTrue();
        reply.ShouldBe(new NeighborAdvertisement(B6, MacB, IsRouter: true, IsSolicited: true, IsOverride: true));
    }

    [Fact]
    public void Duplicate_address_detection_has_no_source_and_is_answered_to_all_nodes()
    {
        byte[] frame = Frame("ping", "dad-neighbor-solicitation");
        PacketHeader header = Decode(frame);
        NeighborSolicitation.TryDecode(frame, header, out NeighborSolicitation message).ShouldBeTrue();
        message.SourceLinkLayer.ShouldBeNull();
        byte[] output = new byte[128];
        byte[] reply = output[..NeighborAdvertisement.WriteReply(output, header, message, MacB, isRouter: false)];
        PacketHeader answered = Decode(reply);
        (answered.Destination, answered.EthernetDestination.ToString())
            .ShouldBe((IpAddress.AllNodes, "33:33:00:00:00:01"));
        NeighborAdvertisement.TryDecode(reply, answered, out NeighborAdvertisement advertisement).ShouldBeTrue();
        advertisement.IsSolicited.ShouldBeFalse();
    }

    [Fact]
    public void An_advertisement_may_leave_its_option_out()
    {
        byte[] frame = Frame("ping", "neighbor-advertisement-without-option");
        NeighborAdvertisement.TryDecode(frame, Decode(frame), out NeighborAdvertisement message).ShouldBeTrue();
        message.TargetLinkLayer.ShouldBeNull();
    }

    [Fact]
    public void Solicitations_that_must_be_discarded_are()
    {
        NeighborSolicitation good = new(B6, MacA);
        IpAddress group = B6.SolicitedNode();
        DecodesSolicitation(good, A6, group).ShouldBeTrue();
        DecodesSolicitation(good, A6, group, static f => f[21] = 254).ShouldBeFalse("hop limit");
        DecodesSolicitation(good, A6, group, static f => f[55] = 1).ShouldBeFalse("code");
        DecodesSolicitation(good, A6, group, static f => f[79] = 0).ShouldBeFalse("option of length zero");
        DecodesSolicitation(good, A6, group, static f => f[79] = 2).ShouldBeFalse("option past the end");
        DecodesSolicitation(good, IpAddress.Unspecified6, group).ShouldBeFalse("option without source address");
        DecodesSolicitation(new(B6, null), IpAddress.Unspecified6, group).ShouldBeTrue();
        DecodesSolicitation(new(B6, null), IpAddress.Unspecified6, B6).ShouldBeFalse("not to the solicited-node group");
        DecodesSolicitation(new(group, MacA), A6, group).ShouldBeFalse("multicast target");
        DecodesSolicitation(good, A6, group, static f => f[57] ^= 1, repairsChecksum: false).ShouldBeFalse("checksum");
    }

    [Fact]
    public void A_solicited_advertisement_to_a_group_is_discarded()
    {
        byte[] output = new byte[128];
        NeighborAdvertisement message = new(B6, MacB, IsRouter: false, IsSolicited: true, IsOverride: true);
        byte[] frame = output[..message.Write(output, MacB, MacAddress.Broadcast, B6, IpAddress.AllNodes)];
        NeighborAdvertisement.TryDecode(frame, Decode(frame), out _).ShouldBeFalse();
    }

    [Fact]
    public void A_captured_router_advertisement_is_read()
    {
        byte[] frame = Frame("router-advertisement", "router-advertisement");
        RouterAdvertisement message = RouterAdvertisement.TryDecode(frame, Decode(frame)).ShouldNotBeNull();
        message.HasOtherConfiguration.ShouldBeTrue();
        (message.SourceLinkLayer, message.MtuOctets).ShouldBe((MacB, 1450));
        message.RouterLifetime.ShouldBe(TimeSpan.FromSeconds(1800));
        message.Prefixes.ShouldHaveSingleItem().ShouldBe(new PrefixInformation(
            IpPrefix.Parse("fd00:1::/64"), true, true, TimeSpan.FromHours(1), TimeSpan.FromHours(1)));
        message.DnsServers.ShouldBe([IpAddress.Parse("fd00:1::2")]);
        message.DnsSearch.ShouldBe(["red.example"]);
    }

    [Fact]
    public void A_router_advertisement_from_no_link_local_address_is_discarded()
    {
        byte[] frame = Frame("router-advertisement", "router-advertisement-not-link-local");
        RouterAdvertisement.TryDecode(frame, Decode(frame)).ShouldBeNull();
    }

    [Fact]
    public void A_router_advertisement_with_every_option_comes_back_as_written()
    {
        byte[] frame = WriteFull();
        PacketHeader header = Decode(frame);
        RouterAdvertisement decoded = RouterAdvertisement.TryDecode(frame, header).ShouldNotBeNull();
        decoded.Prefixes.ShouldBe(Full.Prefixes);
        decoded.Routes.ShouldBe(Full.Routes);
        decoded.DnsServers.ShouldBe(Full.DnsServers);
        decoded.DnsSearch.ShouldBe(Full.DnsSearch);
        (decoded with
        {
            Prefixes = Full.Prefixes,
            Routes = Full.Routes,
            DnsServers = Full.DnsServers,
            DnsSearch = Full.DnsSearch,
        }).ShouldBe(Full);
    }

    [Fact]
    public void A_captured_router_solicitation_is_read_and_written_alike()
    {
        byte[] frame = Frame("router-advertisement", "router-solicitation");
        PacketHeader header = Decode(frame);
        RouterSolicitation.TryDecode(frame, header, out RouterSolicitation message).ShouldBeTrue();
        message.ShouldBe(new RouterSolicitation(MacA));
        byte[] output = new byte[128];
        output[..message.Write(output, MacA, IpAddress.LinkLocalOf(MacA))].ShouldBe(frame);
        byte[] unspecified = output[..message.Write(output, MacA, IpAddress.Unspecified6)];
        RouterSolicitation.TryDecode(unspecified, Decode(unspecified), out _).ShouldBeFalse();
    }

    [Fact]
    public void Every_prefix_of_the_options_is_read_or_discarded_without_an_exception()
    {
        byte[] whole = WriteFull();
        HashSet<int> ends = [];
        for (int length = 54; length <= whole.Length; length++)
        {
            byte[] frame = Repair(whole[..length]);
            if (PacketHeader.TryDecode(frame, out PacketHeader header) != PacketFault.None) continue;
            if (RouterAdvertisement.TryDecode(frame, header) is not null) ends.Add(length);
        }

        ends.ShouldAllBe(static length => (length - 54) % 8 == 0);
        ends.Count.ShouldBe(10, "once behind the fixed fields and once behind each of the nine options");
    }

    [Fact]
    public void More_options_than_the_limit_are_discarded()
    {
        foreach (int count in (int[])[WireLimits.NdOptionsMax, WireLimits.NdOptionsMax + 1])
        {
            byte[] frame = Write((ref FrameWriter w) =>
            {
                w.Ip(LinkLocalB, IpAddress.AllRouters, IpProtocol.Icmpv6, hopLimit: 255);
                w.Icmp((byte)Icmpv6Type.RouterSolicitation);
                for (int i = 0; i < count; i++) w.Octets([200, 1, 0, 0, 0, 0, 0, 0]);
            });
            RouterSolicitation.TryDecode(frame, Decode(frame), out _).ShouldBe(count == WireLimits.NdOptionsMax);
        }
    }

    [Fact]
    public void Damaged_and_arbitrary_messages_are_answered_without_an_exception()
    {
        ForEachDamage(WriteFull(), static frame => DecodeAll(Repair(frame)));
        ForArbitraryOctets(octets =>
        {
            foreach (byte type in (byte[])[133, 134, 135, 136])
            {
                DecodeAll(Write((ref FrameWriter w) =>
                {
                    w.Ip(LinkLocalB, IpAddress.AllNodes, IpProtocol.Icmpv6, hopLimit: 255);
                    w.Icmp(type);
                    w.Octets(octets);
                }));
            }

            return true;
        });
    }

    [Theory]
    [InlineData(new[] { IpProtocol.Fragment }, false)]
    [InlineData(new[] { IpProtocol.DestinationOptions, IpProtocol.Fragment }, false)]
    [InlineData(new[] { IpProtocol.Fragment, IpProtocol.DestinationOptions }, false)]
    [InlineData(new[] { IpProtocol.DestinationOptions }, true)]
    public void Rfc6980_section_5_a_message_with_a_Fragment_header_is_ignored_though_it_be_of_one_piece(
        IpProtocol[] extensions, bool isRead)
    {
        byte[] whole = new byte[128];
        whole = whole[..new NeighborSolicitation(B6, MacA).Write(whole, MacA, MacB, A6, B6.SolicitedNode())];
        byte[] frame = Write((ref FrameWriter w) =>
        {
            w.Ip(A6, B6.SolicitedNode(), IpProtocol.Icmpv6, hopLimit: 255);
            foreach (IpProtocol type in extensions) w.ExtensionHeader(type, 8);
            w.Octets(whole.AsSpan(54));
        });
        PacketHeader header = Decode(frame);
        header.Fragment.ShouldBe(FragmentKind.None);
        NeighborSolicitation.TryDecode(frame, header, out _).ShouldBe(isRead);
    }

    private static void DecodeAll(byte[] frame)
    {
        if (PacketHeader.TryDecode(frame, out PacketHeader header) != PacketFault.None) return;
        NeighborSolicitation.TryDecode(frame, header, out _);
        NeighborAdvertisement.TryDecode(frame, header, out _);
        RouterSolicitation.TryDecode(frame, header, out _);
        RouterAdvertisement.TryDecode(frame, header);
    }

    private static byte[] WriteFull()
    {
        byte[] output = new byte[1514];
        MacAddress destination = MacAddress.OfMulticastGroup(IpAddress.AllNodes);
        return output[..Full.Write(output, MacB, destination, LinkLocalB, IpAddress.AllNodes)];
    }

    private static bool DecodesSolicitation(
        NeighborSolicitation message,
        IpAddress source,
        IpAddress destination,
        Action<byte[]>? change = null,
        bool repairsChecksum = true)
    {
        byte[] output = new byte[128];
        byte[] frame = output[..message.Write(output, MacA, MacB, source, destination)];
        change?.Invoke(frame);
        return NeighborSolicitation.TryDecode(repairsChecksum ? Repair(frame) : frame, Decode(frame), out _);
    }

    // Makes length and checksum of an ICMPv6 frame right again, so that the checks behind them are reached.
    private static byte[] Repair(byte[] frame)
    {
        if (frame.Length < 58) return frame;
        System.Buffers.Binary.BinaryPrimitives.WriteUInt16BigEndian(frame.AsSpan(18), (ushort)(frame.Length - 54));
        Span<byte> icmp = frame.AsSpan(54);
        icmp.Slice(2, 2).Clear();
        ulong pseudo = InternetChecksum.PseudoHeader(
            IpAddress.FromOctets(frame.AsSpan(22, 16)),
            IpAddress.FromOctets(frame.AsSpan(38, 16)),
            IpProtocol.Icmpv6,
            icmp.Length);
        System.Buffers.Binary.BinaryPrimitives.WriteUInt16BigEndian(icmp[2..], InternetChecksum.Compute(icmp, pseudo));
        return frame;
    }
}
