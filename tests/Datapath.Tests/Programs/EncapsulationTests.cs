using System;
using System.Buffers.Binary;
using System.Collections.Generic;
using Genkan.Datapath.Bpf;
using Genkan.Datapath.Layout;
using Genkan.Datapath.Netlink;
using Genkan.Overlay.Flows;
using Genkan.Testing.Kernel;
using Genkan.Wire;
using Shouldly;

namespace Genkan.Datapath.Tests.Programs;

/// <summary>Outer headers by our own programs (encap.h), and when they are the device's.</summary>
[Collection(ProgramMachine.Collection)]
public sealed class EncapsulationTests : IDisposable
{
    private const int In = 1;
    private const uint Key = 0x010203;
    private const int TurnsMax = 3;
    private const int LoadedTurnsMax = 50; // a machine that stands still changes ticks between packets
    private const ushort PortFirst = 49152;
    private const ushort PortCount = 16383;
    private const ushort Ours = 0x4000;

    private static readonly IpAddress Here = IpAddress.Parse("192.0.2.1");
    private static readonly IpAddress Peer = IpAddress.Parse("192.0.2.9");
    private static readonly IpAddress FarPeer = IpAddress.Parse("198.51.100.9");
    private static readonly IpAddress Router = IpAddress.Parse("192.0.2.254");
    private static readonly MacAddress HereMac = MacAddress.Parse("02:aa:00:00:00:01");
    private static readonly MacAddress PeerMac = MacAddress.Parse("02:aa:00:00:00:09");
    private static readonly MacAddress RouterMac = MacAddress.Parse("02:aa:00:00:00:fe");

    private readonly ProgramMachine _machine;
    private readonly Netns _netns = new();
    private readonly RouteSocket _route;
    private readonly int _underlay;
    private readonly uint _device;

    public EncapsulationTests(ProgramMachine machine)
    {
        _machine = machine;
        _route = _netns.Run(() => new RouteSocket());
        _underlay = MakeCable("u0");
        _device = (uint)MakeCable("x0"); // stands for the tunnel device
        _netns.Run(() => InterfaceSysctl.SetForwarding("x0", ipv4: true, ipv6: false));
        _route.AddAddress(_underlay, IpInterface.Parse("192.0.2.1/24"));
        _route.SetNeighbour(_underlay, Peer, PeerMac);
        _route.SetNeighbour(_underlay, Router, RouterMac);

        machine.Reset();
        ref SettingsEntry settings = ref machine.Settings;
        (settings.VxlanIfindex, settings.UnderlayIfindex) = (_device, (uint)_underlay);
        settings.UnderlayIpv4 = NetworkOrder.Of(Here);
        (settings.SourcePortFirst, settings.SourcePortCount) = (PortFirst, PortCount);
        machine.Link(In);
        machine.Port(In) = new PortEntry { Kind = PortKind.Tenant, Ifindex = 1, KeyPort = In };
        Point(Peer);
    }

    public void Dispose()
    {
        _route.Dispose();
        _netns.Dispose();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void The_outer_headers_are_those_of_RFC_7348_around_the_frame_as_it_was(bool v6)
    {
        byte[] inner = Frames.Udp(v6);

        byte[] outer = Direct(inner);

        byte[] expected = OuterFrame.Around(
            inner, PeerMac, HereMac, Here, Peer, ProgramMachine.VxlanPort, Key, Ours);
        outer.AsSpan(OuterFrame.UdpAt, 2).CopyTo(expected.AsSpan(OuterFrame.UdpAt)); // of the hash
        outer.ShouldBe(expected);
    }

    [Fact]
    public void Source_ports_are_of_the_range_one_for_a_flow_and_others_for_others()
    {
        HashSet<int> ports = [];
        for (ushort flow = 0; flow < 16; flow++)
        {
            byte[] inner = Frames.Udp(from: (ushort)(1000 + flow));
            int port = SourcePort(Direct(inner));
            SourcePort(Direct(inner)).ShouldBe(port);
            port.ShouldBeInRange(PortFirst, PortFirst + PortCount - 1);
            ports.Add(port);
        }

        ports.Count.ShouldBeGreaterThan(8);
    }

    // RFC 6040 §4.1, compatibility: CE inside was counted before the tunnel.
    [Theory]
    [InlineData(0, 0)]
    [InlineData(1, 1)]
    [InlineData(2, 2)]
    [InlineData(3, 2)]
    public void ECN_is_copied_and_the_class_of_service_is_not(int inner, int outer)
    {
        const byte Dscp = 46 << 2;
        byte[] ipv4 = Frames.Udp().WithOuter(OuterFrame.TosAt, (byte)(Dscp | inner));
        byte[] ipv6 = Frames.Udp(v6: true).With(14, 0x60 | (Dscp >> 4), (byte)(((Dscp & 0xf) | inner) << 4));

        Direct(ipv4)[OuterFrame.TosAt].ShouldBe((byte)outer);
        Direct(ipv6)[OuterFrame.TosAt].ShouldBe((byte)outer);
    }

    [Fact]
    public void The_commit_bit_goes_along()
    {
        Flow(Frames.Udp(), commit: true);

        byte[] outer = Direct(Frames.Udp());

        BinaryPrimitives.ReadUInt16BigEndian(outer.AsSpan(OuterFrame.VxlanAt + 2)).ShouldBe((ushort)(Ours | 0x8000));
    }

    [Fact]
    public void A_peer_behind_a_router_has_its_own_address_and_the_router_s_MAC()
    {
        _route.AddRoute(new Route(IpPrefix.Parse("198.51.100.0/24")) { Via = Router });
        Point(FarPeer);

        byte[] outer = Direct(Frames.Udp());

        MacAddress.FromOctets(outer.AsSpan(0, 6)).ShouldBe(RouterMac);
        outer.AsSpan(OuterFrame.DestinationAt, 4).ToArray().ShouldBe([198, 51, 100, 9]);
    }

    [Fact]
    public void A_neighbour_that_has_another_MAC_or_is_gone_is_followed_at_once()
    {
        _route.SetNeighbour(_underlay, Peer, RouterMac);
        MacAddress.FromOctets(Direct(Frames.Udp()).AsSpan(0, 6)).ShouldBe(RouterMac);

        _route.DeleteNeighbour(_underlay, Peer);
        ShouldBeTheDevices(Frames.Udp(), "no neighbour");
    }

    [Fact]
    public void One_packet_of_a_next_hop_in_each_tick_is_the_device_s_so_that_the_kernel_proves_the_neighbour()
    {
        Run(Frames.Udp()).Ifindex.ShouldBe(_device, "the first one");
        Direct(Frames.Udp());

        _machine.NextHop(6).DeviceTick--; // the time of the last tick
        Run(Frames.Udp()).Ifindex.ShouldBe(_device);
    }

    [Fact]
    public void What_is_not_sure_is_the_device_s()
    {
        ShouldBeTheDevices(Frames.Udp(), "segments", new SkBuffContext { GsoSize = 10, GsoSegs = 2 });

        _machine.NextHop(6).PeerIsIpv6 = 1;
        ShouldBeTheDevices(Frames.Udp(), "an IPv6 peer");
        _machine.NextHop(6).PeerIsIpv6 = 0;

        _machine.Settings.UnderlayIfindex = _device;
        ShouldBeTheDevices(Frames.Udp(), "a route by another interface");
        _machine.Settings.UnderlayIfindex = 0;
        ShouldBeTheDevices(Frames.Udp(), "switched off");
        _machine.Settings.UnderlayIfindex = (uint)_underlay;

        Point(FarPeer);
        ShouldBeTheDevices(Frames.Udp(), "no route");
        Point(Peer);
        Direct(Frames.Udp());
    }

    [Fact]
    public void What_the_underlay_does_not_take_whole_is_the_device_s()
    {
        const int Fits = 1500 - OuterFrame.Size - 28;
        Direct(Frames.Udp(payloadOctets: Fits)).Length.ShouldBe(1514);

        ShouldBeTheDevices(Frames.Udp(payloadOctets: Fits + 1), "one octet more than the MTU");
    }

    private static int SourcePort(byte[] outer) =>
        BinaryPrimitives.ReadUInt16BigEndian(outer.AsSpan(OuterFrame.UdpAt));

    private int MakeCable(string name)
    {
        _route.CreateVeth(
            new VethEnd(name) { Mac = name == "u0" ? HereMac : null }, new VethEnd(name + "b"));
        int ifindex = _route.FindLink(name).ShouldNotBeNull().Ifindex;
        _route.SetLink(_route.FindLink(name + "b").ShouldNotBeNull().Ifindex, new LinkSettings { IsUp = true });
        _route.SetLink(ifindex, new LinkSettings { IsUp = true });
        return ifindex;
    }

    private void Point(IpAddress peer) => _machine.NextHop(6) = new NexthopEntry
    {
        Kind = NexthopKind.Tunnel,
        Peer = AddressOctets.Of(peer),
        TunnelKey = Key,
        Mtu = 9000,
    };

    private void Flow(byte[] inner, bool commit = false) => _machine.Flow(
        Frames.KeyOf(inner, In), new FlowAction { Verdict = FlowVerdict.Forward, NextHop = 6, Commit = commit });

    private Verdict Run(byte[] inner, SkBuffContext context = default)
    {
        if (!_machine.TryEntry(Frames.KeyOf(inner, In), out _)) Flow(inner);
        return _netns.Run(() => _machine.Run("from_port", inner, context));
    }

    /// <summary>The frame on the underlay; the device's turn comes once a tick.</summary>
    private byte[] Direct(byte[] inner)
    {
        Verdict verdict = Run(inner);
        for (int i = 1; i < LoadedTurnsMax && verdict.Ifindex == _device; i++) verdict = Run(inner);
        (verdict.Outcome, verdict.Ifindex).ShouldBe((Outcome.Tunnel, (uint)_underlay));
        return verdict.Frame;
    }

    private void ShouldBeTheDevices(byte[] inner, string what, SkBuffContext context = default)
    {
        for (int i = 0; i < TurnsMax; i++)
        {
            Verdict verdict = Run(inner, context);
            (verdict.Outcome, verdict.Ifindex, verdict.TunnelKey).ShouldBe((Outcome.Tunnel, _device, Key), what);
            verdict.Frame.ShouldBe(inner, what);
        }
    }
}
