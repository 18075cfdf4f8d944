using Genkan.Datapath.Bpf;
using Genkan.Datapath.Layout;
using Genkan.Overlay.Flows;
using Shouldly;

namespace Genkan.Datapath.Tests.Programs;

/// <summary>Who may hold how much of the tables of datagrams in pieces, and that nobody's is pushed out.</summary>
[Collection(ProgramMachine.Collection)]
public sealed class FragmentShareTests
{
    private const int In = 1;
    private const int Out = 2;
    private const int Other = 3;
    private const int Uplink = 9;
    private const uint Flood = 20_000; // more than twice what a table holds

    private readonly ProgramMachine _machine;

    public FragmentShareTests(ProgramMachine machine)
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

    [Fact]
    public void A_port_that_begins_datagrams_without_end_meets_its_share_and_leaves_the_others_theirs()
    {
        _machine.Flow(Frames.KeyOfWhole(v6: false, In), ToOut);
        int begun = 0;
        DropReason reason = DropReason.None;
        while (begun < 4 * LayoutLimits.FragmentShare && reason == DropReason.None)
        {
            reason = _machine.Run("from_port", Frames.Fragment(false, 0, true, id: (uint)(1000 + begun++))).Reason;
        }

        reason.ShouldBe(DropReason.FragmentBudget);
        begun.ShouldBeInRange(LayoutLimits.FragmentShare, 2 * LayoutLimits.FragmentShare);
        _machine.Link(Other); // the same interface from here on
        _machine.Flow(Frames.KeyOfWhole(v6: false, Other), ToOut);
        _machine.Run("from_port", Frames.Fragment(false, 0, true)).Outcome.ShouldBe(Outcome.Port);
    }

    [Fact]
    public void The_share_bounds_what_is_not_whole_and_nothing_else()
    {
        _machine.Flow(Frames.KeyOfWhole(v6: false, In), ToOut);
        for (uint i = 0; i < 3 * LayoutLimits.FragmentShare; i++)
        {
            _machine.Run("from_port", Frames.Fragment(false, 0, true, i)).Outcome.ShouldBe(Outcome.Port);
            _machine.Run("from_port", Frames.Fragment(false, 72, false, i)).Outcome.ShouldBe(Outcome.Port);
        }
    }

    [Fact]
    public void A_flood_of_datagrams_that_are_whole_pushes_nobody_out()
    {
        _machine.Flow(Frames.KeyOfWhole(v6: false, In), ToOut);
        _machine.Flow(Frames.KeyOfWhole(v6: false, Other), ToOut);
        _machine.Link(Other);
        _machine.Run("from_port", Frames.Fragment(false, 0, true)).Outcome.ShouldBe(Outcome.Port);
        _machine.Link(In);

        for (uint id = 0; id < Flood; id++)
        {
            _machine.Run("from_port", Frames.Fragment(false, 0, true, id, payloadOctets: 0)).Outcome
                .ShouldBe(Outcome.Port);
            _machine.Run("from_port", Frames.Fragment(false, 8, false, id, payloadOctets: 1)).Outcome
                .ShouldBe(Outcome.Port);
        }

        _machine.Link(Other);
        _machine.Run("from_port", Frames.Fragment(false, 72, false)).Outcome.ShouldBe(Outcome.Port);
        _machine.Datagrams().ShouldBe(0);
    }

    [Fact]
    public void From_outside_one_source_spends_its_own_share_and_nobody_else_s()
    {
        FromOutside();
        int begun = 0;
        for (uint id = 0; id < Flood; id++)
        {
            DropReason reason =
                _machine.Run("from_uplink", Frames.Fragment(Frames.Ip3, Frames.Ip2, 0, true, id)).Reason;
            if (reason == DropReason.NoDestination) begun++;
            else reason.ShouldBe(DropReason.FragmentBudget);
        }

        begun.ShouldBeInRange(LayoutLimits.FragmentShare, 1000); // and 64 more each second that this takes
        _machine.Run("from_uplink", Frames.Fragment(false, 0, true)).Outcome.ShouldBe(Outcome.Port);
        _machine.Run("from_uplink", Frames.Fragment(false, 72, false)).Outcome.ShouldBe(Outcome.Port);
    }

    [Fact]
    public void From_outside_whole_datagrams_take_nothing_from_their_source_s_share()
    {
        FromOutside();
        for (uint id = 0; id < 3 * LayoutLimits.FragmentShare; id++)
        {
            _machine.Run("from_uplink", Frames.Fragment(false, 0, true, id)).Outcome.ShouldBe(Outcome.Port);
            _machine.Run("from_uplink", Frames.Fragment(false, 72, false, id)).Outcome.ShouldBe(Outcome.Port);
        }

        _machine.Datagrams(isOutside: true).ShouldBe(0);
    }

    [Fact]
    public void Back_to_a_NAT_address_whole_datagrams_leave_nothing_under_either_name()
    {
        const int NatReturn = 11;
        FromOutside();
        _machine.Port(NatReturn) =
            new PortEntry { Kind = PortKind.Pseudo, KeyPort = NatReturn, Flags = PortFlags.L3Key };
        _machine.NextHop(7) = new NexthopEntry { Kind = NexthopKind.Deliver, Arg = NatReturn };
        _machine.Put(
            "nat_owner", new NatOwnerKey { Address = NetworkOrder.Of(Frames.Ip2), Granule = 2000 >> 6 }, 7u);
        _machine.Flow(Frames.KeyOf(Frames.Udp(Frames.Ip3, Frames.Ip2), NatReturn, isL3: true), ToOut);
        for (uint id = 0; id < 2 * LayoutLimits.FragmentShare; id++)
        {
            _machine.Run("from_uplink", Frames.Fragment(Frames.Ip3, Frames.Ip2, 0, true, id)).Outcome
                .ShouldBe(Outcome.Port);
            _machine.Run("from_uplink", Frames.Fragment(Frames.Ip3, Frames.Ip2, 72, false, id)).Outcome
                .ShouldBe(Outcome.Port);
        }

        _machine.Datagrams(isOutside: true).ShouldBe(0);
    }

    [Fact]
    public void A_whole_datagram_stays_while_the_agent_has_a_fragment_of_it_and_not_longer()
    {
        byte[] first = Frames.Fragment(false, 0, true), second = Frames.Fragment(false, 72, false);
        _machine.Run("from_port", first).Outcome.ShouldBe(Outcome.Upcall);
        _machine.Run("from_port", second).Outcome.ShouldBe(Outcome.Upcall);
        _machine.Datagrams().ShouldBe(1);
        _machine.Flow(Frames.KeyOfWhole(v6: false, In), ToOut);

        Inject(first).Outcome.ShouldBe(Outcome.Port);
        _machine.Datagrams().ShouldBe(1);
        Inject(second).Outcome.ShouldBe(Outcome.Port);

        _machine.Datagrams().ShouldBe(0);
    }

    [Fact]
    public void What_waited_for_its_first_one_leaves_with_the_last_that_comes_down()
    {
        _machine.Flow(Frames.KeyOfWhole(v6: false, In), ToOut);
        byte[] later = Frames.Fragment(false, 72, false);
        _machine.Run("from_port", later).Outcome.ShouldBe(Outcome.Upcall);
        _machine.Run("from_port", Frames.Fragment(false, 0, true)).Outcome.ShouldBe(Outcome.Port);
        _machine.Datagrams().ShouldBe(1);

        Inject(later).Outcome.ShouldBe(Outcome.Port);

        _machine.Datagrams().ShouldBe(0);
    }

    [Fact]
    public void What_the_agent_cuts_keeps_its_entry_since_nobody_knows_into_how_many()
    {
        _machine.Flow(Frames.KeyOfWhole(v6: false, In), ToOut with { MtuOctets = 600 });
        _machine.Settings.MtuAlways = 600;
        _machine.Run("from_port", Frames.Fragment(false, 0, true, payloadOctets: 792)).Outcome
            .ShouldBe(Outcome.Upcall);
        _machine.Run("from_port", Frames.Fragment(false, 800, false, payloadOctets: 8)).Outcome
            .ShouldBe(Outcome.Port);

        Inject(Frames.Fragment(false, 0, true, payloadOctets: 392)).Outcome.ShouldBe(Outcome.Port);
        Inject(Frames.Fragment(false, 400, true, payloadOctets: 400)).Outcome.ShouldBe(Outcome.Port);

        _machine.Datagrams().ShouldBe(1);
    }

    [Fact]
    public void What_is_dropped_by_its_entry_leaves_too()
    {
        _machine.Flow(
            Frames.KeyOfWhole(v6: false, In),
            new FlowAction { Verdict = FlowVerdict.Drop, DropReason = DropReason.SecurityGroup });
        for (uint id = 0; id < 3 * LayoutLimits.FragmentShare; id++)
        {
            _machine.Run("from_port", Frames.Fragment(false, 0, true, id)).Reason.ShouldBe(DropReason.SecurityGroup);
            _machine.Run("from_port", Frames.Fragment(false, 72, false, id)).Reason.ShouldBe(DropReason.SecurityGroup);
        }

        _machine.Datagrams().ShouldBe(0);
    }

    private void FromOutside()
    {
        _machine.Port(In) = new PortEntry
        {
            Kind = PortKind.Uplink,
            Ifindex = 1,
            KeyPort = Uplink,
            Mac = MacOctets.Of(Frames.Mac2),
            Flags = PortFlags.L3Key,
        };
        _machine.Flow(Frames.KeyOfWhole(v6: false, Uplink, isL3: true), ToOut);
    }

    private Verdict Inject(byte[] frame)
    {
        SkBuffContext context = default;
        context.Mark = ((uint)MarkKind.AsIfFromPort << LayoutLimits.MarkKindShift) | In;
        return _machine.Run("from_agent", frame, context);
    }
}
