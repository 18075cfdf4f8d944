using System;
using Genkan.Datapath.Bpf;
using Genkan.Datapath.Layout;
using Genkan.Datapath.Netlink;
using Genkan.Overlay.Flows;
using Genkan.Testing.Kernel;
using Genkan.Wire;
using Shouldly;

namespace Genkan.Datapath.Tests.Programs;

/// <summary>from_underlay: what it takes the outer headers off, and what it leaves to the kernel as it
/// came.</summary>
[Collection(ProgramMachine.Collection)]
public sealed class FromUnderlayTests : IDisposable
{
    private const int Untouched = -1; // TC_ACT_UNSPEC: on to the stack
    private const int Port = 2;
    private const uint Key = (1 << 8) | 7;
    private const ushort Ours = 0x4000;
    private const uint PortIfindex = 12;

    private static readonly IpAddress Here = IpAddress.Parse("192.0.2.1");
    private static readonly IpAddress Peer = IpAddress.Parse("192.0.2.9");
    private static readonly MacAddress HereMac = MacAddress.Parse("02:aa:00:00:00:01");
    private static readonly MacAddress PeerMac = MacAddress.Parse("02:aa:00:00:00:09");

    private readonly ProgramMachine _machine;
    private readonly Netns _netns = new();
    private readonly RouteSocket _route;
    private readonly uint _ifindex;

    public FromUnderlayTests(ProgramMachine machine)
    {
        _machine = machine;
        _route = _netns.Run(() => new RouteSocket());
        _route.CreateVeth(new VethEnd("u0") { Mac = HereMac }, new VethEnd("u1"));
        _ifindex = (uint)_route.FindLink("u0").ShouldNotBeNull().Ifindex;
        machine.Reset();
        machine.Settings.UnderlayIfindex = _ifindex;
        machine.Settings.UnderlayIpv4 = NetworkOrder.Of(Here);
        machine.Port(Port) = new PortEntry { Kind = PortKind.Tenant, Ifindex = PortIfindex, KeyPort = Port };
        machine.Delivery(1) = new DeliveryEntry { Kind = DeliveryKind.Port, Generation = 7, Arg = Port };
        machine.Put("vtep", VtepKey.Of(Peer), new VtepEntry { Host = 44, Budget = 3 });
    }

    public static TheoryData<string, byte[]> Taken => new()
    {
        { "UDP", Frames.Udp() },
        { "UDP in IPv6", Frames.Udp(v6: true) },
        { "ICMP", Frames.Icmp() },
        { "ICMPv6", Frames.Icmp(v6: true) },
        { "ESP", Frames.Udp().With(23, 50) },
        { "a fragment of UDP", Frames.Fragment(v6: false, 64, more: true) },
        { "an acknowledgement", Frames.Tcp(flags: TcpFlags.Ack, payloadOctets: 0) },
        { "an acknowledgement in IPv6", Frames.Tcp(v6: true, TcpFlags.Ack, payloadOctets: 0) },
        { "an acknowledgement that echoes congestion", Frames.Tcp(payloadOctets: 0).With(47, 0x50) },
        { "the shortest that there is", Frames.Udp(payloadOctets: 0) },
    };

    public static TheoryData<string, byte[]> LeftByContent => new()
    {
        { "TCP with data", Frames.Tcp(flags: TcpFlags.Ack) },
        { "TCP with data in IPv6", Frames.Tcp(v6: true, TcpFlags.Ack) },
        { "SYN", Frames.Tcp(flags: TcpFlags.Syn, payloadOctets: 0) },
        { "FIN", Frames.Tcp(flags: TcpFlags.Fin | TcpFlags.Ack, payloadOctets: 0) },
        { "RST", Frames.Tcp(flags: TcpFlags.Rst | TcpFlags.Ack, payloadOctets: 0) },
        { "PSH", Frames.Tcp(flags: TcpFlags.Psh | TcpFlags.Ack, payloadOctets: 0) },
        { "RST in IPv6", Frames.Tcp(v6: true, TcpFlags.Rst, payloadOctets: 0) },
        { "a first fragment of TCP", Frames.Tcp(flags: TcpFlags.Ack, payloadOctets: 0).With(20, 0x20) },
        { "a later fragment of TCP", Frames.Tcp(flags: TcpFlags.Ack, payloadOctets: 0).With(21, 5) },
        { "TCP behind IPv4 options", Frames.Tcp(flags: TcpFlags.Ack, payloadOctets: 0).With(14, 0x46) },
        { "a TCP header that says to be longer", Frames.Tcp(flags: TcpFlags.Ack, payloadOctets: 0).With(46, 0x60) },
        { "SCTP", Frames.Udp().With(23, 132) },
        { "GRE", Frames.Udp().With(23, 47) },
        { "extension headers", Frames.Extended(IpProtocol.DestinationOptions) },
        { "ARP", Frames.Arp(Frames.Mac1, Frames.Mac1, Frames.Ip1, Frames.Ip2) },
        { "a tag inside", Frames.Udp(vlan: 7) },
        { "an IPv4 header cut short", Frames.Udp()[..30] },
        { "an IPv6 header cut short", Frames.Udp(v6: true)[..50] },
    };

    public void Dispose()
    {
        _route.Dispose();
        _netns.Dispose();
    }

    [Theory]
    [MemberData(nameof(Taken))]
    public void Takes_what_never_comes_as_segments_and_delivers_it_as_from_tunnel_does(string what, byte[] inner)
    {
        Verdict verdict = Run(Outer(inner));

        (verdict.Outcome, verdict.Ifindex, verdict.Port).ShouldBe((Outcome.Port, PortIfindex, Port), what);
        verdict.Frame.ShouldBe(inner, what);
        VtepEntry sender = _machine.Vtep(Peer);
        (sender.Packets, sender.Octets).ShouldBe((1ul, (ulong)inner.Length), what);
    }

    [Theory]
    [MemberData(nameof(LeftByContent))]
    public void Leaves_to_the_kernel_what_may_come_as_segments_or_is_not_IP(string what, byte[] inner) =>
        ShouldBeUntouched(Outer(inner), what);

    [Fact]
    public void Leaves_to_the_kernel_whatever_asks_for_more_than_to_be_taken_off()
    {
        byte[] good = Outer(Frames.Udp());
        ShouldBeUntouched(good.WithOuter(OuterFrame.SourceAt + 3, 99), "from an unknown VTEP");
        ShouldBeUntouched(good.WithOuter(OuterFrame.DestinationAt + 3, 2), "to another address");
        ShouldBeUntouched(good.With(5, 2), "to another MAC");
        ShouldBeUntouched(good.With(OuterFrame.UdpAt + 3, 1), "to another port");
        ShouldBeUntouched(good.WithOuter(OuterFrame.ProtocolAt, 6), "not UDP");
        ShouldBeUntouched(good.WithOuter(OuterFrame.FragmentAt, 0x20), "a first fragment");
        ShouldBeUntouched(good.WithOuter(OuterFrame.FragmentAt, 0, 5), "a later fragment");
        ShouldBeUntouched(good.With(OuterFrame.ChecksumAt, 0x12, 0x34), "a wrong header checksum");
        ShouldBeUntouched(good.WithOuter(14, 0x46), "options");
        ShouldBeUntouched([.. good, 0, 0], "padding");
        ShouldBeUntouched(good[..^1], "shorter than it says");
        ShouldBeUntouched(good.With(OuterFrame.UdpAt + 5, 3), "a wrong UDP length");
        ShouldBeUntouched(good.With(OuterFrame.UdpAt + 7, 1), "a UDP checksum");
        ShouldBeUntouched(good.With(OuterFrame.VxlanAt, 0x08), "no group policy");
        ShouldBeUntouched(good.With(OuterFrame.VxlanAt, 0x80), "no VNI");
        ShouldBeUntouched(good.With(OuterFrame.VxlanAt, 0x8c), "a flag that nobody knows");
        ShouldBeUntouched(good.With(OuterFrame.VxlanAt + 1, 0x40), "do not learn");
        ShouldBeUntouched(good.With(OuterFrame.VxlanAt + 7, 1), "a reserved octet");
        ShouldBeUntouched(Outer(Frames.Udp())[..60], "cut inside the inner Ethernet header");
        ShouldBeUntouched(Frames.Udp(v6: true), "IPv6 outside");
        ShouldBeUntouched(good, "segments", new SkBuffContext { Ifindex = _ifindex, GsoSize = 100, GsoSegs = 2 });
        ShouldBeUntouched(good, "on another interface", new SkBuffContext { Ifindex = 1 });
    }

    [Fact]
    public void Leaves_everything_to_the_kernel_while_it_is_switched_off()
    {
        _machine.Settings.UnderlayIfindex = 0;

        ShouldBeUntouched(Outer(Frames.Udp()), "off");
    }

    // RFC 6040 §4.2; Not-ECT 0, ECT(1) 1, ECT(0) 2, CE 3.
    [Theory]
    [InlineData(0, 0, 0)]
    [InlineData(0, 2, 2)]
    [InlineData(0, 3, 3)]
    [InlineData(1, 1, 1)]
    [InlineData(2, 0, 0)]
    [InlineData(2, 1, 1)]
    [InlineData(2, 3, 3)]
    [InlineData(3, 1, 3)]
    [InlineData(3, 2, 3)]
    [InlineData(3, 3, 3)]
    public void Congestion_of_the_way_comes_in(int outer, int inner, int result)
    {
        foreach (bool v6 in (bool[])[false, true])
        {
            byte[] frame = WithEcn(Frames.Udp(v6), v6, inner);

            Run(Outer(frame).WithOuter(OuterFrame.TosAt, (byte)outer)).Frame.ShouldBe(
                WithEcn(frame, v6, result), v6 ? "IPv6" : "IPv4");
        }
    }

    [Theory]
    [InlineData(3, 0)] // to be dropped
    [InlineData(1, 0)]
    [InlineData(1, 2)] // becomes ECT(1)
    [InlineData(1, 3)]
    public void Congestion_marks_that_do_not_fit_are_the_kernel_s(int outer, int inner)
    {
        byte[] frame = Outer(WithEcn(Frames.Udp(), v6: false, inner));

        ShouldBeUntouched(frame.WithOuter(OuterFrame.TosAt, (byte)outer), $"{outer} over {inner}");
    }

    [Theory]
    [InlineData(Key, (ushort)0, DropReason.NoGroupPolicy)]
    [InlineData(Key ^ 1, Ours, DropReason.TunnelKeyStale)]
    [InlineData((9u << 8) | 7, Ours, DropReason.TunnelKeyUnknown)]
    public void What_is_wrong_in_the_tunnel_is_counted_under_the_same_name(uint key, ushort policy, DropReason reason)
    {
        Run(Outer(Frames.Udp(), key, policy)).Reason.ShouldBe(reason);

        _machine.Drops(0, reason).ShouldBe(1ul);
        _machine.Vtep(Peer).Packets.ShouldBe(1ul);
    }

    private static byte[] WithEcn(byte[] frame, bool v6, int ecn)
    {
        byte[] changed = v6 ? frame.With(15, (byte)(ecn << 4)) : frame.WithOuter(OuterFrame.TosAt, (byte)ecn);
        if (!v6) changed.ShouldHaveRightChecksums();
        return changed;
    }

    private static byte[] Outer(byte[] inner, uint key = Key, ushort policy = Ours) => OuterFrame.Around(
        inner, HereMac, PeerMac, Peer, Here, ProgramMachine.VxlanPort, key, policy);

    private Verdict Run(byte[] frame) => Run(frame, new SkBuffContext { Ifindex = _ifindex });

    private Verdict Run(byte[] frame, SkBuffContext context) =>
        _netns.Run(() => _machine.Run("from_underlay", frame, context));

    private void ShouldBeUntouched(byte[] frame, string what) =>
        ShouldBeUntouched(frame, what, new SkBuffContext { Ifindex = _ifindex });

    private void ShouldBeUntouched(byte[] frame, string what, SkBuffContext context)
    {
        Verdict verdict = Run(frame, context);

        (verdict.Code, verdict.Outcome).ShouldBe((Untouched, Outcome.None), what);
        verdict.Frame.ShouldBe(frame, what);
        _machine.Vtep(Peer).Packets.ShouldBe(0ul, what);
    }
}
