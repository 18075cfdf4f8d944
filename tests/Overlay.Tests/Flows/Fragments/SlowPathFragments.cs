using System.Linq;
using Genkan.Overlay.Flows;
using Genkan.Overlay.Tests.Fixtures;
using Genkan.Wire;
using Shouldly;
using static Genkan.Overlay.Tests.Flows.FlowFrames;

namespace Genkan.Overlay.Tests.Flows.Fragments;

/// <summary>Fragments in the agent (RFC 4787 §11, REQ-14): any order, one decision, one entry.</summary>
public sealed class SlowPathFragments
{
    private readonly TwoHosts _hosts = new();

    private TableDatapath Tables => _hosts.Hv1.Tables;

    [Fact]
    public void Fragments_in_order_meet_the_entry_of_their_first_one()
    {
        _hosts.Send("red/red-a", Piece(0)).ShouldBe("red/red-c: 10.0.1.11 5000 > 10.0.2.11 80");
        _hosts.Send("red/red-a", Piece(1)).ShouldStartWith("red/red-c");
        _hosts.Send("red/red-a", Piece(2)).ShouldStartWith("red/red-c");

        _hosts.Hv1.Upcalls.ShouldBe(1);
        Tables.Connections.Count.ShouldBe(2, "the flow and its answers");
    }

    [Fact]
    public void Later_ones_wait_and_follow_their_first_one_in_the_order_in_which_they_came()
    {
        _hosts.Send("red/red-a", Piece(2)).ShouldBeEmpty();
        _hosts.Send("red/red-a", Piece(1)).ShouldBeEmpty();
        _hosts.Hv1.SlowPath.WaitingFragments.ShouldBe(2);

        _hosts.Send("red/red-a", Piece(0));

        _hosts.Arrived.Select(a => Offset(a.Frame)).Order().ShouldBe([0, 24, 48]);
        _hosts.Arrived.Select(a => Offset(a.Frame)).Where(o => o != 0).ShouldBe([48, 24]);
        _hosts.Hv1.SlowPath.WaitingFragments.ShouldBe(0);
        Tables.Drops.ShouldBeEmpty();
    }

    [Fact]
    public void Source_NAT_translates_later_ones_by_the_mapping_of_the_first()
    {
        _hosts.Send("red/red-c", Piece(1, toServer: true)).ShouldBeEmpty();
        _hosts.Send("red/red-c", Piece(0, toServer: true));

        IpAddress source = Frames.Decode(_hosts.Arrived[0].Frame).Source;
        source.ShouldNotBe(IpAddress.Parse("10.0.2.11"));
        _hosts.Arrived.Count.ShouldBe(2);
        _hosts.Arrived.ShouldAllBe(a => Frames.Decode(a.Frame).Source == source);
        _hosts.Hv1.Nat.Count.ShouldBe(1);
    }

    [Fact]
    public void A_first_one_that_came_while_the_agent_was_about_to_let_its_follower_wait_is_not_missed()
    {
        uint slot = _hosts.Hv1.Slot("red/red-a");
        byte[] later = Piece(1);
        PacketHeader header = Frames.Decode(later);
        int asked = 0;
        Tables.BeforeFindFirst = () =>
        {
            // Between the first look and the wait another worker handled the first one, and found the queue empty.
            if (++asked == 2)
                Tables.Firsts[FragmentId.Of(slot, header)] = new FirstFragment(IpProtocol.Tcp, 5000, 80);
        };

        _hosts.Hv1.SlowPath.Handle(Up(slot, later), later);
        Tables.Flush();

        _hosts.Hv1.SlowPath.WaitingFragments.ShouldBe(0);
        Tables.Connections.Count.ShouldBe(2);
    }

    [Fact]
    public void Nobody_waits_for_longer_than_half_a_second_and_it_is_counted_under_the_port()
    {
        _hosts.Send("red/red-a", Piece(1));
        _hosts.Now += FragmentQueue.WaitMax;

        _hosts.Hv1.SlowPath.ExpireFragments();

        Tables.Drops.Keys.ShouldBe([DropReason.FragmentWait]);
        _hosts.Hv1.SlowPath.WaitingFragments.ShouldBe(0);
    }

    [Fact]
    public void A_port_that_sends_later_ones_alone_fills_its_own_queue()
    {
        for (int i = 0; i <= FlowLimits.WaitingFragmentsPerPort; i++)
            _hosts.Send("red/red-a", Piece(1, id: (uint)(100 + i)));

        Tables.Drops.Keys.ShouldBe([DropReason.FragmentWait]);
        _hosts.Hv1.SlowPath.WaitingFragments.ShouldBe(FlowLimits.WaitingFragmentsPerPort);
    }

    [Fact]
    public void What_rules_refuse_the_first_one_they_refuse_the_later_ones()
    {
        _hosts.Send("red/red-a", Piece(0, to: 81)).ShouldBe("hv1 SecurityGroup");
        _hosts.Send("red/red-a", Piece(1, to: 81)).ShouldBe("hv1 SecurityGroup");
    }

    [Fact]
    public void Where_the_sender_is_told_a_later_one_leaves_no_entry_that_would_silence_the_next_datagram()
    {
        const string nobody = "10.0.2.77";
        _hosts.Send("red/red-a", Piece(0, at: nobody)).ShouldContain("red/red-a: 10.0.1.1", customMessage: "an error");
        _hosts.Send("red/red-a", Piece(1, at: nobody)).ShouldBe("hv1 NoNeighbour");

        Tables.Connections.ShouldBeEmpty();
    }

    [Fact]
    public void A_later_one_of_a_DHCP_request_leaves_no_entry_by_which_the_next_request_would_pass_the_server()
    {
        for (int number = 0; number < 2; number++)
        {
            FrameWriter writer = Frames.Begin(
                out byte[] buffer, MacAddress.Broadcast, A, "0.0.0.0", "255.255.255.255", IpProtocol.Udp);
            writer.Fragment(9, number * 24, more: number == 0);
            if (number == 0) writer.Udp(68, 67);
            writer.Octets(new byte[16 + (number * 8)]);
            _hosts.Send("red/red-a", buffer[..writer.Finish()]).ShouldStartWith("hv1 ");
        }

        Tables.Drops.Keys.ShouldContain(DropReason.Fragment);
        Tables.Connections.ShouldBeEmpty();
        Tables.Classes.ShouldBeEmpty();
    }

    [Fact]
    public void A_later_one_with_the_ports_of_its_first_is_never_answered_by_an_error()
    {
        PacketHeader joined = new FirstFragment(IpProtocol.Udp, 5000, 80).Join(Frames.Decode(Piece(1)));

        joined.MayCauseIcmpError.ShouldBeFalse();
        FlowKey.Of(1, joined, isL3: false).Fragment.ShouldBe(FragmentKind.None);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_packet_without_DF_that_is_too_long_for_the_way_out_is_cut_and_with_DF_its_sender_is_told(bool df)
    {
        byte[] frame = Long(df);
        uint slot = _hosts.Hv1.Slot("red/red-a");
        _hosts.Send("red/red-a", frame);
        _hosts.Arrived.Clear();

        _hosts.Hv1.SlowPath.Handle(TooBig(slot, frame), frame);
        Tables.Flush();

        int[] lengths = [.. _hosts.Arrived.Select(a => Frames.Decode(a.Frame).NetworkLengthOctets)];
        if (df)
        {
            Tables.Drops.Keys.ShouldBe([DropReason.TooBig]);
            PacketHeader error = Frames.Decode(_hosts.Last);
            (error.IcmpType, error.IcmpCode).ShouldBe(((byte)3, (byte)4));
        }
        else
        {
            Tables.Drops.ShouldBeEmpty();
            lengths.ShouldBe([796, 20 + 1220 - 776]);
            _hosts.Hv1.SlowPath.Counters.Fragmented.ShouldBe(1ul);
        }
    }

    [Fact]
    public void Cutting_has_a_budget_and_what_is_several_packets_in_one_is_never_cut()
    {
        byte[] frame = Long(df: false);
        uint slot = _hosts.Hv1.Slot("red/red-a");
        _hosts.Send("red/red-a", frame);

        _hosts.Hv1.SlowPath.Handle(TooBig(slot, frame) with { Offload = new FrameOffload(500, 0) }, frame);
        Tables.Flush();
        Tables.Drops.Keys.ShouldBe([DropReason.TooBig]);
        Tables.Drops.Clear();
        for (int i = 0; i <= FlowLimits.CutPacketsBurst; i++) _hosts.Hv1.SlowPath.Handle(TooBig(slot, frame), frame);
        Tables.Flush();

        Tables.Drops.Keys.ShouldBe([DropReason.FragmentBudget]);
        _hosts.Hv1.SlowPath.Counters.Fragmented.ShouldBe((ulong)FlowLimits.CutPacketsBurst);
    }

    [Fact]
    public void Rfc6864_section_4_3_what_is_cut_behind_source_NAT_gets_an_identification_of_its_own_for_each_datagram()
    {
        uint[] first = CutLeaving("198.51.100.10", more: false);
        uint[] second = CutLeaving("198.51.100.10", more: false);

        first.Distinct().ShouldHaveSingleItem().ShouldNotBe(5u);
        second.Distinct().ShouldHaveSingleItem().ShouldBe(first[0] + 1);
        CutLeaving("198.51.100.10", more: true).ShouldAllBe(id => id == 5, "the kernel has renamed a fragment");
        CutLeaving("198.51.100.20", more: false).ShouldAllBe(id => id == 5, "a floating IP has one host");
    }

    [Fact]
    public void Identifications_are_never_0_and_differ_by_destination_protocol_and_seed()
    {
        Identifications one = new(seed: 1);
        IpAddress far = IpAddress.Parse(Server), other = IpAddress.Parse("198.18.0.11");
        ushort[] ids = [.. Enumerable.Range(0, 65_536).Select(_ => one.Next(far, IpProtocol.Udp))];

        ids.ShouldNotContain((ushort)0);
        ids.Distinct().Count().ShouldBe(65_535);
        ushort[] begins =
        [
            new Identifications(1).Next(far, IpProtocol.Udp), new Identifications(1).Next(far, IpProtocol.Tcp),
            new Identifications(1).Next(other, IpProtocol.Udp), new Identifications(2).Next(far, IpProtocol.Udp),
        ];
        begins[0].ShouldBe(ids[0]);
        begins.ShouldBeUnique();
    }

    private uint[] CutLeaving(string source, bool more)
    {
        FrameWriter writer = Frames.Begin(out byte[] buffer, Router1, A, source, Server, IpProtocol.Tcp);
        writer.Fragment(5, 0, more);
        writer.Tcp(5000, 80, TcpFlags.Ack);
        writer.Octets(new byte[1204]); // a whole number of units
        byte[] frame = buffer[..writer.Finish()];
        _hosts.Arrived.Clear();
        uint uplink = _hosts.Gw1.Slot("provider/isp");
        _hosts.Gw1.SlowPath.Handle(TooBig(uplink, frame) with { IsLeaving = true }, frame);
        _hosts.Gw1.Tables.Flush();
        uint[] ids = [.. _hosts.Arrived.Select(a => Frames.Decode(a.Frame).Identification)];
        ids.Length.ShouldBe(2);
        return ids;
    }

    private static byte[] Piece(int number, bool toServer = false, ushort to = 80, uint id = 9, string at = "10.0.2.11")
    {
        FrameWriter writer = toServer
            ? Frames.Begin(out byte[] buffer, Router2, C, "10.0.2.11", Server, IpProtocol.Tcp)
            : Frames.Begin(out buffer, Router1, A, "10.0.1.11", at, IpProtocol.Tcp);
        writer.Fragment(id, number * 24, more: number < 2);
        if (number == 0) writer.Tcp(5000, to, TcpFlags.Ack, 1, 0, 65535);
        writer.Octets(new byte[number == 0 ? 4 : 24]);
        return buffer[..writer.Finish()];
    }

    private static byte[] Long(bool df)
    {
        FrameWriter writer = Frames.Begin(out byte[] buffer, Router1, A, "10.0.1.11", "10.0.2.11", IpProtocol.Tcp);
        if (!df) writer.Fragment(5);
        writer.Tcp(5000, 80, TcpFlags.Ack);
        writer.Octets(new byte[1200]);
        return buffer[..writer.Finish()];
    }

    private static int Offset(byte[] frame) => (((frame[20] << 8) | frame[21]) & 0x1FFF) * 8;

    private static Upcall Up(uint slot, byte[] frame) =>
        new(slot, UpcallKind.Fragment, ConnectionState.None, (uint)frame.Length, 0, default);

    private static Upcall TooBig(uint slot, byte[] frame) =>
        new(slot, UpcallKind.TooBig, ConnectionState.Forward, (uint)frame.Length, 0, default, MtuOctets: 800);
}
