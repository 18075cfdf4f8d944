using System;
using System.Collections.Generic;
using System.Linq;
using Genkan.Datapath.Bpf;
using Genkan.Datapath.Layout;
using Genkan.Overlay.Flows;
using Genkan.Wire;
using Shouldly;

namespace Genkan.Datapath.Tests.Programs;

/// <summary>Datagrams in pieces (RFC 791 §3.2, RFC 8200 §4.5): one key for all of them, and each octet once.</summary>
[Collection(ProgramMachine.Collection)]
public sealed class FragmentTests
{
    private const int In = 1;
    private const int Out = 2;
    private const int Other = 3;
    private static readonly IpAddress Public = IpAddress.Parse("198.51.100.9");

    private readonly ProgramMachine _machine;

    public FragmentTests(ProgramMachine machine)
    {
        _machine = machine;
        machine.Reset();
        machine.Link(In);
        foreach (int slot in (int[])[In, Other])
        {
            machine.Port(slot) = new PortEntry { Kind = PortKind.Tenant, Ifindex = 1, KeyPort = (ushort)slot };
        }

        machine.Port(Out) = new PortEntry { Kind = PortKind.Tenant, Ifindex = 12, KeyPort = Out };
        machine.NextHop(5) = new NexthopEntry { Kind = NexthopKind.Port, Arg = Out };
    }

    private static FlowAction ToOut =>
        new() { Verdict = FlowVerdict.Forward, NextHop = 5, State = ConnectionState.Forward };

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void All_fragments_meet_the_entry_of_the_whole_datagram(bool v6)
    {
        _machine.Flow(Frames.KeyOfWhole(v6, In), ToOut);

        Run(v6, 0, more: true).Outcome.ShouldBe(Outcome.Port);
        Run(v6, 136, more: true).Outcome.ShouldBe(Outcome.Port);
        Run(v6, 72, more: true).Outcome.ShouldBe(Outcome.Port);
        _machine.Datagram(Frames.Fragment(v6, 0, true), In).Flags.ShouldBe(FragmentFlags.First);
        Run(v6, 200, more: false).Outcome.ShouldBe(Outcome.Port);

        _machine.Entry(Frames.KeyOfWhole(v6, In)).Packets.ShouldBe(4ul);
        _machine.TakeData().ShouldBeEmpty();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_later_one_before_its_first_goes_up_and_the_first_one_is_told_while_it_goes_its_way(bool v6)
    {
        _machine.Flow(Frames.KeyOfWhole(v6, In), ToOut);

        Run(v6, 72, more: false).Outcome.ShouldBe(Outcome.Upcall);
        UpcallRecord later = _machine.TakeData().ShouldHaveSingleItem();
        Run(v6, 0, more: true).Outcome.ShouldBe(Outcome.Port);
        UpcallRecord first = _machine.TakeData().ShouldHaveSingleItem();

        (later.Header.Kind, first.Header.Kind).ShouldBe((UpcallKind.Fragment, UpcallKind.Fragment));
        later.Frame.ShouldBe(Frames.Fragment(v6, 72, more: false));
        first.Frame.ShouldBe(Frames.Fragment(v6, 0, more: true));
        Inject(later.Frame).Outcome.ShouldBe(Outcome.Port, "the agent sends it after the first one");
    }

    [Fact]
    public void What_the_agent_holds_of_a_datagram_without_a_first_one_goes_nowhere()
    {
        Inject(Frames.Fragment(v6: false, 72, more: false)).Reason.ShouldBe(DropReason.ReinjectMiss);
    }

    [Fact]
    public void An_unknown_flow_goes_up_with_all_its_fragments()
    {
        Run(v6: false, 0, more: true).Outcome.ShouldBe(Outcome.Upcall);
        for (int i = 0; i < 20; i++) Run(v6: false, 72 + (64 * i), more: true).Outcome.ShouldBe(Outcome.Upcall);

        _machine.TakeData().Select(r => r.Header.Kind)
            .ShouldBe([UpcallKind.Miss, .. Enumerable.Repeat(UpcallKind.Follower, 20)]);
    }

    [Fact]
    public void A_flow_that_is_being_decided_has_room_for_the_fragments_of_the_longest_datagram_and_not_for_more()
    {
        Run(v6: false, 0, more: true);
        int waiting = 0;
        DropReason reason = DropReason.None;
        while (waiting < 100 && reason == DropReason.None)
            reason = Run(v6: false, 72 + (64 * waiting++), more: true).Reason;

        (reason, waiting - 1).ShouldBe((DropReason.Pending, 48)); // PENDING_FRAGMENTS_MAX
        _machine.TakeData().Count.ShouldBe(1 + 48);
    }

    [Fact]
    public void Back_to_a_NAT_address_of_this_host_a_later_one_is_steered_by_the_ports_of_its_first()
    {
        const int NatReturn = 11;
        _machine.Port(In) = new PortEntry
        {
            Kind = PortKind.Uplink,
            Ifindex = 1,
            KeyPort = 9,
            Mac = MacOctets.Of(Frames.Mac2),
            Flags = PortFlags.L3Key,
        };
        _machine.Port(NatReturn) =
            new PortEntry { Kind = PortKind.Pseudo, KeyPort = NatReturn, Flags = PortFlags.L3Key };
        _machine.NextHop(7) = new NexthopEntry { Kind = NexthopKind.Deliver, Arg = NatReturn };
        _machine.Put(
            "nat_owner", new NatOwnerKey { Address = NetworkOrder.Of(Frames.Ip2), Granule = 2000 >> 6 }, 7u);
        _machine.Flow(Frames.KeyOfWhole(v6: false, NatReturn, isL3: true), ToOut);

        _machine.Run("from_uplink", Frames.Fragment(false, 0, true)).Outcome.ShouldBe(Outcome.Port);
        _machine.Run("from_uplink", Frames.Fragment(false, 72, true)).Outcome.ShouldBe(Outcome.Port);

        // What waited in the agent: as if it came in at the uplink, and under the name of the NAT return.
        foreach (int slot in (int[])[In, NatReturn])
        {
            SkBuffContext again =
                new() { Mark = ((uint)MarkKind.AsIfFromPort << LayoutLimits.MarkKindShift) | (uint)slot };
            _machine.Run("from_agent", Frames.Fragment(false, 136, false), again).Outcome.ShouldBe(Outcome.Port);
        }
    }

    [Theory]
    [InlineData(72, 64, "an exact copy")]
    [InlineData(128, 64, "one unit")]
    [InlineData(0, 64, "a second first one")]
    [InlineData(8, 64, "over the transport header (RFC 1858 §4)")]
    public void At_the_first_overlap_the_rest_of_the_datagram_is_dropped(int offset, int octets, string what)
    {
        foreach (bool v6 in (bool[])[false, true])
        {
            _machine.Flow(Frames.KeyOfWhole(v6, In), ToOut);
            Run(v6, 0, more: true).Outcome.ShouldBe(Outcome.Port);
            Run(v6, 72, more: true).Outcome.ShouldBe(Outcome.Port);

            Verdict overlap = _machine.Run(
                "from_port", Frames.Fragment(v6, offset, more: true, payloadOctets: offset == 0 ? octets - 8 : octets));
            Verdict next = Run(v6, 1024, more: false);

            (overlap.Reason, next.Reason).ShouldBe((DropReason.FragmentOverlap, DropReason.FragmentOverlap), what);
        }

        _machine.Drops(In, DropReason.FragmentOverlap).ShouldBe(4ul);
    }

    [Fact]
    public void Nothing_lies_beyond_the_last_fragment_and_there_is_only_one()
    {
        _machine.Flow(Frames.KeyOfWhole(v6: false, In), ToOut);
        Run(v6: false, 0, more: true);
        Run(v6: false, 200, more: false);

        Run(v6: false, 264, more: true).Reason.ShouldBe(DropReason.FragmentOverlap);
    }

    [Theory]
    [InlineData(72, true, 63, "a piece in the middle that is not whole units")]
    [InlineData(65_528, false, 64, "past the longest datagram")]
    [InlineData(72, true, 0, "nothing")]
    public void What_cannot_be_a_fragment_is_malformed(int offset, bool more, int octets, string what)
    {
        foreach (bool v6 in (bool[])[false, true])
        {
            _machine.Run("from_port", Frames.Fragment(v6, offset, more, payloadOctets: octets))
                .Reason.ShouldBe(DropReason.Malformed, what);
        }
    }

    [Theory]
    [InlineData(false, false, 65_488, 27, false)] // RFC 791 §3.1: 65,535 with a header of 20 octets
    [InlineData(false, false, 65_488, 28, true)]
    [InlineData(true, false, 65_488, 40, false)] // RFC 8200 §4.5: 65,528 of payload
    [InlineData(true, true, 65_488, 39, false)] // and 8 of an extension header before the Fragment header
    [InlineData(true, true, 65_488, 40, true)]
    public void No_fragment_makes_a_datagram_longer_than_its_header_can_say(
        bool v6, bool isExtended, int offset, int octets, bool isMalformed)
    {
        byte[] room = new byte[200];
        FrameWriter writer = new(room);
        writer.Ethernet(Frames.Mac2, Frames.Mac1);
        writer.Ip(Frames.From(v6), Frames.To(v6), IpProtocol.Udp);
        if (isExtended) writer.ExtensionHeader(IpProtocol.DestinationOptions, 8);
        writer.Fragment(7, offset, more: false);
        writer.Octets(new byte[octets]);

        DropReason reason = _machine.Run("from_port", room[..writer.Finish()]).Reason;

        (reason == DropReason.Malformed).ShouldBe(isMalformed, $"{reason}");
    }

    [Fact]
    public void A_first_fragment_without_its_whole_transport_header_is_truncated()
    {
        // RFC 1858 §3, RFC 3128: ports alone, flags and sequence in the next one.
        byte[] tcp = Frames.Tcp();
        byte[] tiny = tcp[..(Frames.Ipv4L4At + 8)].With(16, 0, 28).With(20, 0x20, 0);

        _machine.Run("from_port", tiny).Reason.ShouldBe(DropReason.Truncated);
    }

    [Fact]
    public void A_whole_datagram_gives_its_identification_free()
    {
        _machine.Flow(Frames.KeyOfWhole(v6: false, In), ToOut);
        for (int i = 0; i < 3; i++)
        {
            Run(v6: false, 0, more: true).Outcome.ShouldBe(Outcome.Port);
            Run(v6: false, 72, more: false).Outcome.ShouldBe(Outcome.Port);
        }
    }

    [Fact]
    public void A_datagram_that_did_not_become_whole_in_time_begins_anew()
    {
        _machine.Flow(Frames.KeyOfWhole(v6: false, In), ToOut);
        Run(v6: false, 0, more: true);
        FragmentEntry old = _machine.Datagram(Frames.Fragment(false, 0, true), In);
        _machine.PutDatagram(
            Frames.Fragment(false, 0, true), In, old with { CreatedNs = unchecked(old.CreatedNs - 31_000_000_000) });

        Run(v6: false, 0, more: true).Outcome.ShouldBe(Outcome.Port);
    }

    [Fact]
    public void A_datagram_that_another_CPU_began_after_this_one_looked_at_the_clock_is_not_old()
    {
        _machine.Flow(Frames.KeyOfWhole(v6: false, In), ToOut);
        Run(v6: false, 0, more: true);
        FragmentEntry first = _machine.Datagram(Frames.Fragment(false, 0, true), In);
        _machine.PutDatagram(
            Frames.Fragment(false, 0, true), In, first with { CreatedNs = first.CreatedNs + 60_000_000_000 });

        Run(v6: false, 72, more: false).Outcome.ShouldBe(Outcome.Port, "its first one is known");
    }

    [Fact]
    public void A_share_that_gets_back_what_it_did_not_give_is_not_spent_by_it()
    {
        _machine.Flow(Frames.KeyOfWhole(v6: false, In), ToOut);
        Run(v6: false, 0, more: true);
        _machine.Put("fragment_share", (uint)In, 0UL); // made anew, under datagrams that live on
        Run(v6: false, 72, more: false).Outcome.ShouldBe(Outcome.Port);

        _machine.Run("from_port", Frames.Fragment(false, 0, true, id: 8)).Outcome.ShouldBe(Outcome.Port);
    }

    [Fact]
    public void Where_the_source_is_translated_all_fragments_get_one_new_identification_and_no_two_datagrams_the_same()
    {
        _machine.Flow(
            Frames.KeyOfWhole(v6: false, In),
            ToOut with { Rewrites = Rewrites.Source | Rewrites.SourcePort, Source = Public, SourcePort = 4000 });
        HashSet<uint> seen = [];
        for (uint datagram = 0; datagram < 100; datagram++)
        {
            Verdict[] pieces =
            [
                _machine.Run("from_port", Frames.Fragment(false, 0, true, id: datagram)),
                _machine.Run("from_port", Frames.Fragment(false, 72, true, id: datagram)),
                _machine.Run("from_port", Frames.Fragment(false, 136, false, id: datagram)),
            ];
            pieces.ShouldAllBe(p => p.Outcome == Outcome.Port && p.Header.Source == Public);
            uint id = pieces.Select(p => p.Header.Identification).Distinct().ShouldHaveSingleItem();
            seen.Add(id).ShouldBeTrue("RFC 6864 §4.3");
        }
    }

    [Fact]
    public void Without_translation_the_identification_stays()
    {
        _machine.Flow(Frames.KeyOfWhole(v6: false, In), ToOut with { Rewrites = Rewrites.HopLimit, Hops = 1 });

        Run(v6: false, 0, more: true).Header.Identification.ShouldBe(7u);
    }

    [Theory]
    [InlineData(10)]
    [InlineData(20)]
    [InlineData(30)]
    public void Units_are_watched_as_a_naive_model_does(int seed)
    {
        Random random = new(seed);
        _machine.Flow(Frames.KeyOfWhole(v6: false, In), ToOut);
        for (uint datagram = 0; datagram < 40; datagram++)
        {
            HashSet<int> units = [];
            bool isPoisoned = false;
            for (int i = 0; i < 12; i++)
            {
                int from = random.Next(0, 60), count = random.Next(1, 8);
                byte[] piece = Frames.Fragment(
                    false, from * 8, true, 5000 + datagram, (count * 8) - (from == 0 && count > 1 ? 8 : 0));
                if (from == 0 && count == 1) continue; // the first one has a transport header and an octet more
                isPoisoned |= !Enumerable.Range(from, count).All(units.Add);

                DropReason reason = _machine.Run("from_port", piece).Reason;

                (reason == DropReason.FragmentOverlap).ShouldBe(isPoisoned, $"seed {seed}, datagram {datagram}, {i}");
            }
        }
    }

    private Verdict Run(bool v6, int offset, bool more) =>
        _machine.Run("from_port", Frames.Fragment(v6, offset, more));

    private Verdict Inject(byte[] frame)
    {
        SkBuffContext context = default;
        context.Mark = ((uint)MarkKind.AsIfFromPort << LayoutLimits.MarkKindShift) | In;
        return _machine.Run("from_agent", frame, context);
    }
}
