using Genkan.Datapath.Layout;
using Genkan.Overlay.Flows;
using Shouldly;

namespace Genkan.Datapath.Tests.Programs;

/// <summary>RFC 1191 §4, RFC 4443 §3.2: what is longer than its way out takes, where that is less than usual.</summary>
[Collection(ProgramMachine.Collection)]
public sealed class LongPacketTests
{
    private const int In = 1;
    private const int Out = 2;
    private const uint ToPort = 5;
    private const uint ToPeer = 6;

    private readonly ProgramMachine _machine;

    public LongPacketTests(ProgramMachine machine)
    {
        _machine = machine;
        machine.Reset();
        machine.Link(In);
        machine.Port(In) = new PortEntry { Kind = PortKind.Tenant, Ifindex = 1, KeyPort = In };
        machine.Port(Out) = new PortEntry { Kind = PortKind.Tenant, Ifindex = 12, KeyPort = Out };
        machine.NextHop((int)ToPort) = new NexthopEntry { Kind = NexthopKind.Port, Arg = Out };
        machine.NextHop((int)ToPeer) = new NexthopEntry { Kind = NexthopKind.Tunnel, Mtu = 1210 };
    }

    [Theory]
    [InlineData(false, 1210, Outcome.Tunnel)]
    [InlineData(false, 1211, Outcome.Upcall)]
    [InlineData(true, 1210, Outcome.Tunnel)]
    [InlineData(true, 1211, Outcome.Upcall)]
    public void A_path_that_carries_less_than_1280_is_compared_with_once_the_agent_has_found_it(
        bool v6, int octets, Outcome outcome)
    {
        _machine.Settings.MtuAlways = 1210;
        byte[] frame = Packet(v6, octets);

        Run(frame, ToPeer, networkMtu: 0).Outcome.ShouldBe(outcome);

        if (outcome != Outcome.Upcall) return;
        UpcallRecord record = _machine.TakeControl().ShouldHaveSingleItem();
        (record.Header.Kind, record.Header.Mtu).ShouldBe((UpcallKind.TooBig, 1210u));
        record.Frame.ShouldBe(frame);
    }

    [Theory]
    [InlineData(ToPort)]
    [InlineData(ToPeer)]
    public void A_network_behind_a_router_has_its_own_MTU_on_whatever_host_it_is(uint nextHop)
    {
        _machine.Settings.MtuAlways = 700;

        Run(Packet(v6: false, 700), nextHop, networkMtu: 700).Outcome.ShouldNotBe(Outcome.Upcall);
        Run(Packet(v6: false, 701), nextHop, networkMtu: 700).Outcome.ShouldBe(Outcome.Upcall);

        _machine.TakeControl().ShouldHaveSingleItem().Header.Mtu.ShouldBe(700u);
    }

    [Fact]
    public void A_network_behind_a_router_that_is_narrower_than_the_path_to_its_host_counts_above_1280_too()
    {
        _machine.NextHop((int)ToPeer).Mtu = 8950;

        Run(Packet(v6: false, 1500), ToPeer, networkMtu: 1500).Outcome.ShouldBe(Outcome.Tunnel);
        Run(Packet(v6: false, 1501), ToPeer, networkMtu: 1500).Outcome.ShouldBe(Outcome.Upcall);
    }

    [Fact]
    public void Where_no_way_is_narrower_nothing_of_up_to_1280_octets_asks()
    {
        Run(Packet(v6: false, 1280), ToPeer, networkMtu: 0).Outcome.ShouldBe(Outcome.Tunnel);
        Run(Packet(v6: false, 1281), ToPeer, networkMtu: 0).Outcome.ShouldBe(Outcome.Upcall);
    }

    [Theory]
    [InlineData(false, 1280)]
    [InlineData(true, 1280)]
    [InlineData(false, 47)]
    [InlineData(true, 67)]
    public void Octets_behind_a_packet_do_not_make_it_too_long_and_do_not_leave(bool v6, int octets)
    {
        byte[] packet = Packet(v6, octets);

        Verdict verdict = Run([.. packet, .. new byte[1600]], ToPort, networkMtu: 1280);

        verdict.Outcome.ShouldBe(Outcome.Port);
        verdict.Frame.ShouldBe(packet);
    }

    [Fact]
    public void The_padding_of_the_shortest_frame_of_Ethernet_stays()
    {
        byte[] frame = [.. Packet(v6: false, 30), .. new byte[16]];
        frame.Length.ShouldBe(60);

        Run(frame, ToPort, networkMtu: 0).Frame.ShouldBe(frame);
    }

    private static byte[] Packet(bool v6, int octets) =>
        Frames.Udp(v6, payloadOctets: octets - (v6 ? 40 : 20) - 8);

    private Verdict Run(byte[] frame, uint nextHop, ushort networkMtu)
    {
        _machine.Flow(
            Frames.KeyOf(frame, In),
            new FlowAction { Verdict = FlowVerdict.Forward, NextHop = nextHop, MtuOctets = networkMtu });
        return _machine.Run("from_port", frame);
    }
}
