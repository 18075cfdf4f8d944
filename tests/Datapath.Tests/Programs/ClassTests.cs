using Genkan.Datapath.Layout;
using Genkan.Overlay.Flows;
using Genkan.Wire;
using Shouldly;

namespace Genkan.Datapath.Tests.Programs;

/// <summary>The masked table.</summary>
[Collection(ProgramMachine.Collection)]
public sealed class ClassTests
{
    private const int In = 1;

    private readonly ProgramMachine _machine;

    public ClassTests(ProgramMachine machine)
    {
        _machine = machine;
        machine.Reset();
        machine.Link(In);
        machine.Port(In) = new PortEntry { Kind = PortKind.Tenant, Ifindex = 1, KeyPort = In };
    }

    private static FlowAction Dropped => new() { Verdict = FlowVerdict.Drop, DropReason = DropReason.Rule };

    [Theory]
    [InlineData(FlowMask.EtherType, false)]
    [InlineData(FlowMask.L2, false)]
    [InlineData(FlowMask.L3Destination, false)]
    [InlineData(FlowMask.L3, false)]
    [InlineData(FlowMask.L4Destination, false)]
    [InlineData(FlowMask.EtherType, true)]
    [InlineData(FlowMask.L2, true)]
    [InlineData(FlowMask.L3Destination, true)]
    [InlineData(FlowMask.L3, true)]
    [InlineData(FlowMask.L4Destination, true)]
    public void A_class_covers_what_its_mask_leaves_open_and_nothing_else(FlowMask mask, bool v6)
    {
        FlowKey key = Frames.KeyOf(Frames.Udp(v6), In);
        _machine.Class(In, mask, v6 ? EtherType.Ipv6 : EtherType.Ipv4, key, Dropped);

        Verdict Of(byte[] frame) => _machine.Run("from_port", frame);
        Outcome Covered(FlowMask upTo) => mask <= upTo ? Outcome.Drop : Outcome.Upcall;
        Of(Frames.Udp(v6, from: 1234)).Reason.ShouldBe(DropReason.Rule);
        Of(Frames.Udp(v6, to: 1234)).Outcome.ShouldBe(Covered(FlowMask.L3));
        Of(Frames.Tcp(v6)).Outcome.ShouldBe(Covered(FlowMask.L3));
        Of(Frames.Udp(Frames.Other(v6), Frames.To(v6))).Outcome.ShouldBe(Covered(FlowMask.L3Destination));
        Of(Frames.Udp(Frames.From(v6), Frames.Other(v6))).Outcome.ShouldBe(Covered(FlowMask.L2));
        Of(Frames.Udp(v6).With(6, 2, 0, 0, 0, 0, 9)).Outcome.ShouldBe(Covered(FlowMask.EtherType));
        Of(Frames.Udp(!v6)).Outcome.ShouldBe(Outcome.Upcall);
        Of(Frames.Other((EtherType)0x88CC)).Outcome.ShouldBe(Outcome.Upcall);
    }

    [Theory]
    [InlineData(0x0003, true)]
    [InlineData(0x0026, true)]
    [InlineData(0x05ff, true)]
    [InlineData(0x0600, false)]
    public void A_length_in_place_of_the_ethertype_makes_a_frame_of_LLC_as_the_agent_has_it(int field, bool isLlc)
    {
        byte[] frame = Frames.Other((EtherType)field);
        PacketHeader.TryDecode(frame, out PacketHeader header).ShouldBe(PacketFault.None);
        (header.EtherType == EtherType.Llc).ShouldBe(isLlc);
        FlowKey key = new(In, default, default, default, 0, 0, default, Frames.Mac2, Frames.Mac1);
        _machine.Class(In, FlowMask.L2, header.EtherType, key, Dropped);

        _machine.Run("from_port", frame).Reason.ShouldBe(DropReason.Rule);
        _machine.Run("from_port", Frames.Other((EtherType)0x0030)).Outcome
            .ShouldBe(isLlc ? Outcome.Drop : Outcome.Upcall);
    }

    [Theory]
    [InlineData(FlowMask.EtherType)]
    [InlineData(FlowMask.L2)]
    public void Other_ethertypes_have_classes_of_layer_2(FlowMask mask)
    {
        FlowKey key = new(In, default, default, default, 0, 0, default, Frames.Mac2, Frames.Mac1);
        _machine.Class(In, mask, (EtherType)0x88CC, key, Dropped);

        _machine.Run("from_port", Frames.Other((EtherType)0x88CC)).Reason.ShouldBe(DropReason.Rule);
        _machine.Run("from_port", Frames.Other((EtherType)0x88CD)).Outcome.ShouldBe(Outcome.Upcall);
    }

    [Fact]
    public void A_port_that_does_not_name_the_mask_does_not_look()
    {
        _machine.Class(In, FlowMask.L2, EtherType.Ipv4, Frames.KeyOf(Frames.Udp(), In), Dropped);
        _machine.Port(In).ClassMasks = 1 << (int)FlowMask.L3;

        _machine.Run("from_port", Frames.Udp()).Outcome.ShouldBe(Outcome.Upcall);
    }

    [Fact]
    public void State_of_a_connection_comes_before_any_class()
    {
        _machine.Class(In, FlowMask.L2, EtherType.Ipv4, Frames.KeyOf(Frames.Udp(), In), Dropped);
        _machine.Flow(
            Frames.KeyOf(Frames.Udp(), In),
                new FlowAction { Verdict = FlowVerdict.Upcall, State = ConnectionState.Reply });

        _machine.Run("from_port", Frames.Udp()).Outcome.ShouldBe(Outcome.Upcall);
    }

    [Fact]
    public void A_stale_class_does_not_count()
    {
        FlowAction action = Dropped;
        action.Stamp = new FlowStamp(ClassId: 3, Hard: 1, Soft: 0);
        _machine.Class(In, FlowMask.L2, EtherType.Ipv4, Frames.KeyOf(Frames.Udp(), In), action);

        _machine.Run("from_port", Frames.Udp()).Outcome.ShouldBe(Outcome.Upcall);
    }
}
