using System;
using System.Runtime.InteropServices;
using Genkan.Datapath.Layout;
using Genkan.Overlay.Flows;
using Genkan.Wire;
using Shouldly;

namespace Genkan.Datapath.Tests.Layout;

/// <summary>Byte orders and conversions between the agent's words and the kernel's tables.</summary>
public sealed class KeysAndActions
{
    private static readonly FlowKey Key4 = new(
        7, IpAddress.Parse("10.0.1.2"), IpAddress.Parse("198.51.100.9"), IpProtocol.Tcp, 0x1234, 443,
        FragmentKind.First,
        MacAddress.Parse("02:00:00:00:00:01"), MacAddress.Parse("02:00:00:00:00:02"));

    private static readonly FlowKey Key6 = Key4 with
    {
        Source = IpAddress.Parse("2001:db8::2"),
        Destination = IpAddress.Parse("2001:db8:1::9"),
    };

    [Fact]
    public void An_IPv4_key_stands_in_wire_order()
    {
        Conn4Key key = Conn4Key.Of(Key4);
        Hex(key).ShouldBe("070000000a000102c6336409123401bb06010000020000000001020000000002");
    }

    [Fact]
    public void An_IPv6_key_stands_in_wire_order()
    {
        Conn6Key key = Conn6Key.Of(Key6);
        Hex(key).ShouldBe("0700000020010db800000000000000000000000220010db80001000000000000000000091234"
            + "01bb06010000020000000001020000000002");
    }

    [Fact]
    public void A_key_comes_back_as_it_was()
    {
        Conn4Key.Of(Key4).ToFlowKey().ShouldBe(Key4);
        Conn6Key.Of(Key6).ToFlowKey().ShouldBe(Key6);
    }

    [Fact]
    public void An_action_comes_back_as_it_was()
    {
        FlowAction action = Full();
        Same(ConnAction.Of(action).ToFlowAction(isIpv4: true, action.Zone), action);
    }

    [Fact]
    public void Fields_that_are_not_rewritten_are_zero_in_the_table()
    {
        FlowAction action = Full();
        action.Rewrites = Rewrites.None;
        ConnAction entry = ConnAction.Of(action);
        Hex(entry)[(22 * 2)..].ShouldBe(new string('0', (72 - 22) * 2));
    }

    [Fact]
    public void An_entry_carries_digest_and_sequence_at_both_ends()
    {
        ConnEntry entry = ConnEntry.Of(Full(), digest: 0xaabbccdd, sequence: 5, nowNs: 1_000_000);
        entry.TagHead.ShouldBe(0xaabbccdd_00000005);
        entry.TagTail.ShouldBe(entry.TagHead);
        FlowEntry read = entry.ToFlowEntry(Key4);
        read.Created.ShouldBe(TimeSpan.FromMilliseconds(1));
        read.Action.Zone.ShouldBe(99u);
    }

    [Theory]
    [InlineData(FlowMask.EtherType, 6)]
    [InlineData(FlowMask.L2, 24)]
    public void Fields_outside_the_mask_are_zero(FlowMask mask, int endAt)
    {
        ClassKey key = ClassKey.Of(mask, 0x0800, Key4);
        string hex = Hex(key);
        hex[..12].ShouldBe("070000000800");
        hex[(endAt * 2)..].Replace("01", "00", StringComparison.Ordinal)[..2].ShouldBe("00");
        key.Dst[0].ShouldBe((byte)0);
        ClassKey.Of(FlowMask.L3Destination, 0x0800, Key4).Src[0].ShouldBe((byte)0);
        ClassKey.Of(FlowMask.L3, 0x0800, Key4).Dport.ShouldBe((ushort)0);
        ClassKey.Of(FlowMask.L4Destination, 0x0800, Key4).Proto.ShouldBe(IpProtocol.Tcp);
    }

    [Fact]
    public void A_prefix_counts_the_octet_of_its_family()
    {
        Hex(DestinationKey.Of(IpPrefix.Parse("203.0.113.0/24"))).ShouldBe("2000000000cb007100" + new string('0', 30));
        DestinationKey.Of(IpPrefix.Parse("2001:db8::/32")).PrefixBits.ShouldBe(40u);
    }

    private static FlowAction Full() => new()
    {
        Verdict = FlowVerdict.Forward,
        DropReason = DropReason.None,
        Rewrites = (Rewrites)0x7f,
        Hops = 2,
        Commit = true,
        State = ConnectionState.Forward,
        NextHop = 77,
        Stamp = new FlowStamp(3, 4, 5),
        DestinationMac = MacAddress.Parse("02:00:00:00:00:03"),
        SourceMac = MacAddress.Parse("02:00:00:00:00:04"),
        Source = IpAddress.Parse("203.0.113.7"),
        Destination = IpAddress.Parse("198.51.100.8"),
        SourcePort = 4000,
        DestinationPort = 80,
        Zone = 99,
    };

    private static void Same(FlowAction actual, FlowAction expected)
    {
        actual.Stamp.ShouldBe(expected.Stamp);
        (actual.Verdict, actual.Rewrites, actual.Hops, actual.Commit, actual.State, actual.NextHop)
            .ShouldBe(
                (expected.Verdict, expected.Rewrites, expected.Hops, expected.Commit, expected.State,
                expected.NextHop));
        (actual.DestinationMac, actual.SourceMac, actual.Source, actual.Destination)
            .ShouldBe((expected.DestinationMac, expected.SourceMac, expected.Source, expected.Destination));
        (actual.SourcePort, actual.DestinationPort, actual.Zone)
            .ShouldBe((expected.SourcePort, expected.DestinationPort, expected.Zone));
    }

    private static string Hex<T>(T value)
        where T : unmanaged =>
        Convert.ToHexStringLower(MemoryMarshal.AsBytes(new ReadOnlySpan<T>(in value)));
}
