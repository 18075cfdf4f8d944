using System;
using Genkan.Overlay.Flows;
using Genkan.Overlay.Simulation;
using Genkan.Overlay.Tests.Fixtures;
using Genkan.Overlay.Topology;
using Genkan.Wire;
using Shouldly;

namespace Genkan.Overlay.Tests.Flows;

/// <summary>From a simulation to an entry: actions, masks, idle times.</summary>
public sealed class Translation
{
    private const byte SynAck = FlowTimeouts.TcpSeenSyn | FlowTimeouts.TcpSeenAck;
    private const byte Opened = SynAck | FlowTimeouts.TcpSeenBeyondSyn;

    private static readonly FlowStamp Stamp = new(5, 1, 1);

    [Fact]
    public void Only_what_differs_is_rewritten()
    {
        byte[] frame = Frames.Tcp(
            MacAddress.Parse("02:00:00:00:01:01"), Courtyard.Mac("red/red-a"), "10.0.1.11", "10.0.2.11", 1000, 5201);
        SimulationResult result = Lab.OnHv1.From("red/red-a", frame);
        FlowAction action = FlowTranslator.Action(
            FlowKey.Of(3, Frames.Decode(frame), isL3: false), result, 9, Stamp, ConnectionState.None);

        action.Rewrites.ShouldBe(Rewrites.DestinationMac | Rewrites.SourceMac | Rewrites.HopLimit);
        (action.Hops, action.NextHop, action.Commit, action.State)
            .ShouldBe(((byte)1, 9u, true, ConnectionState.Forward));
        action.DestinationMac.ShouldBe(Courtyard.Mac("red/red-c"));
    }

    [Theory]
    [InlineData("02:00:00:00:01:01", "10.0.2.11", 1400)] // of red-c's network
    [InlineData("fa:16:3e:00:01:12", "10.0.1.12", 0)] // within a network its hosts know it
    public void The_MTU_of_the_network_where_a_router_sends_it_stands_in_the_action(
        string mac, string destination, ushort mtu)
    {
        byte[] frame = Frames.Tcp(
            MacAddress.Parse(mac), Courtyard.Mac("red/red-a"), "10.0.1.11", destination, 1000, 5201);
        SimulationResult result = Lab.OnHv1.From("red/red-a", frame);
        result.Verdict.ShouldBe(SimulationVerdict.Forward);

        FlowTranslator.Action(
            FlowKey.Of(3, Frames.Decode(frame), isL3: false), result, 9, Stamp, ConnectionState.None)
            .MtuOctets.ShouldBe(mtu);
    }

    [Fact]
    public void Leaving_undoes_nothing_that_Action_did()
    {
        byte[] frame = Frames.Tcp(
            MacAddress.Parse("02:00:00:00:01:02"), Courtyard.Mac("red/red-c"), "10.0.2.11", "198.18.0.1", 1000, 80);
        PacketHeader packet = Frames.Decode(frame);
        SimulationResult result = Lab.OnHv1.From("red/red-c", frame);
        FlowKey key = FlowKey.Of(3, packet, isL3: false);
        PacketHeader leaving = FlowTranslator.Leaving(
            key, FlowTranslator.Action(key, result, 1, Stamp, ConnectionState.None));

        (leaving.Source, leaving.SourcePort, leaving.Destination).ShouldBe(
            (result.Packet.Source, result.Packet.SourcePort, result.Packet.Destination));
    }

    [Theory]
    [InlineData(FieldSet.EtherType, FlowMask.EtherType)]
    [InlineData(FieldSet.EtherType | FieldSet.DestinationMac, FlowMask.L2)]
    [InlineData(FieldSet.Destination, FlowMask.L3Destination)]
    [InlineData(FieldSet.Source | FieldSet.Destination, FlowMask.L3)]
    [InlineData(FieldSet.Protocol, FlowMask.L4Destination)]
    [InlineData(FieldSet.DestinationPort, FlowMask.L4Destination)]
    public void The_mask_is_the_narrowest_that_holds_every_field_read(FieldSet fields, FlowMask expected)
    {
        FlowTranslator.TryGetMask(new SimulationResult { Fields = fields }, out FlowMask mask).ShouldBeTrue();
        mask.ShouldBe(expected);
    }

    [Theory]
    [InlineData(FieldSet.SourcePort)]
    [InlineData(FieldSet.Connection)]
    public void No_mask_holds_a_source_port_or_a_connection(FieldSet fields) =>
        FlowTranslator.TryGetMask(new SimulationResult { Fields = fields }, out _).ShouldBeFalse();

    [Theory]
    [InlineData(IpProtocol.Tcp, FlowTimeouts.TcpSeenSyn, 240)]
    [InlineData(IpProtocol.Tcp, SynAck, 240)]
    [InlineData(IpProtocol.Tcp, FlowTimeouts.TcpSeenAck | FlowTimeouts.TcpSeenBeyondSyn, 240)]
    [InlineData(IpProtocol.Tcp, SynAck | FlowTimeouts.TcpSeenBeyondSyn, 7440)]
    [InlineData(IpProtocol.Tcp, SynAck | FlowTimeouts.TcpSeenBeyondSyn | FlowTimeouts.TcpSeenFin, 240)]
    [InlineData(IpProtocol.Tcp, SynAck | FlowTimeouts.TcpSeenBeyondSyn | FlowTimeouts.TcpSeenRst, 240)]
    [InlineData(IpProtocol.Udp, 0, 300)]
    [InlineData(IpProtocol.Icmp, 0, 60)]
    [InlineData(IpProtocol.Gre, 0, 300)]
    public void Idle_times_are_those_of_RFC_5382_4787_and_5508(IpProtocol protocol, byte seen, int seconds)
    {
        FlowKey key = new(1, default, default, protocol, 0, 0, FragmentKind.None, default, default);
        FlowAction action = new() { Verdict = FlowVerdict.Forward, State = ConnectionState.Forward };
        FlowTimeouts.Idle(new FlowEntry(key, action, 1, 1, default, default, seen))
            .ShouldBe(TimeSpan.FromSeconds(seconds));
    }

    [Theory]
    [InlineData(Opened, SynAck, 7440)]
    [InlineData(FlowTimeouts.TcpSeenSyn, SynAck, 240)]
    [InlineData(Opened | FlowTimeouts.TcpSeenFin, Opened, 7440)]
    [InlineData(Opened | FlowTimeouts.TcpSeenFin, Opened | FlowTimeouts.TcpSeenFin, 240)]
    [InlineData(Opened | FlowTimeouts.TcpSeenRst, Opened, 240)]
    public void Rfc7857_section_2_of_two_directions_both_end_it_by_FIN_or_one_by_RST(
        byte seen, byte seenOfTwin, int seconds)
    {
        FlowKey key = new(1, default, default, IpProtocol.Tcp, 0, 0, FragmentKind.None, default, default);
        FlowAction action = new() { Verdict = FlowVerdict.Forward, State = ConnectionState.Forward };
        FlowEntry entry = new(key, action, 3, 3, default, default, seen);
        FlowEntry twin = new(key with { KeyPort = 2 }, action, 1, 1, default, default, seenOfTwin);

        FlowTimeouts.Idle(entry, twin).ShouldBe(TimeSpan.FromSeconds(seconds));
        FlowTimeouts.Idle(twin, entry).ShouldBe(TimeSpan.FromSeconds(seconds), "the same for both");
    }

    [Fact]
    public void A_twin_that_met_no_packet_says_nothing_whichever_of_the_two_is_looked_at()
    {
        FlowKey key = new(1, default, default, IpProtocol.Tcp, 0, 0, FragmentKind.None, default, default);
        FlowAction action = new() { Verdict = FlowVerdict.Forward, State = ConnectionState.Forward };
        FlowEntry silent = new(key with { KeyPort = 2 }, action, 0, 0, default, default, 0);
        FlowEntry opened = new(key, action, 2, 2, default, default, Opened);
        FlowEntry alone = new(key, action, 1, 1, default, default, Opened & ~FlowTimeouts.TcpSeenSyn);

        FlowTimeouts.Idle(opened, silent).ShouldBe(FlowTimeouts.TcpEstablished);
        FlowTimeouts.Idle(silent, opened).ShouldBe(FlowTimeouts.TcpEstablished);
        FlowTimeouts.Idle(alone, silent).ShouldBe(FlowTimeouts.TcpTransitory);
        FlowTimeouts.Idle(alone, silent, isScarce: true).ShouldBe(FlowTimeouts.Unanswered);
    }

    [Fact]
    public void Classes_are_interned_by_their_tags()
    {
        FlowClasses classes = new();
        ObjectId[] one = [new ObjectId(1), new ObjectId(2)];
        ObjectId[] two = [new ObjectId(1), new ObjectId(3)];
        uint id = classes.Intern(one);

        classes.Intern(one).ShouldBe(id);
        classes.Intern(two).ShouldNotBe(id);
        classes.TagsOf(id).ToArray().ShouldBe(one);
        id.ShouldBeGreaterThan(FlowClasses.Unknown);
    }

    [Fact]
    public void Past_the_last_class_flows_share_the_one_that_every_change_makes_stale()
    {
        FlowClasses classes = new();
        for (uint i = 2; i < FlowClasses.ClassesMax; i++) classes.Intern([new ObjectId(i)]).ShouldBe(i);

        classes.Intern([new ObjectId(99_999_999)]).ShouldBe(FlowClasses.Unknown);
        classes.Count.ShouldBe(FlowClasses.ClassesMax - 1);
    }

    [Fact]
    public void A_class_that_two_sweeps_did_not_meet_is_free_again()
    {
        FlowClasses classes = new();
        uint id = classes.Intern([new ObjectId(7)]);
        bool[] inUse = new bool[FlowClasses.ClassesMax];
        TableDatapath tables = new();
        classes.FreeUnused(inUse, tables);
        classes.FreeUnused(inUse, tables);

        classes.TagsOf(id).Length.ShouldBe(0);
        classes.Intern([new ObjectId(8)]).ShouldBe(id);
    }
}
