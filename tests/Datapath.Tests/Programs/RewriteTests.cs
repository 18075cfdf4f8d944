using System;
using System.Buffers.Binary;
using Genkan.Datapath.Layout;
using Genkan.Overlay.Flows;
using Genkan.Wire;
using Shouldly;

namespace Genkan.Datapath.Tests.Programs;

/// <summary>Every rewrite on every kind of packet leaves right checksums.</summary>
[Collection(ProgramMachine.Collection)]
public sealed class RewriteTests
{
    private const Rewrites Addresses = Rewrites.Source | Rewrites.Destination;
    private const Rewrites Ports = Rewrites.SourcePort | Rewrites.DestinationPort;
    private const Rewrites Everything =
        Addresses | Ports | Rewrites.SourceMac | Rewrites.DestinationMac | Rewrites.HopLimit;

    private readonly ProgramMachine _machine;

    public RewriteTests(ProgramMachine machine)
    {
        _machine = machine;
        machine.Reset();
        machine.Link(1);
        machine.Port(1) = new PortEntry { Kind = PortKind.Tenant, Ifindex = 1, KeyPort = 1 };
        machine.Port(2) = new PortEntry { Kind = PortKind.Tenant, Ifindex = 12, KeyPort = 2 };
        machine.NextHop(5) = new NexthopEntry { Kind = NexthopKind.Port, Arg = 2 };
    }

    public static TheoryData<string, bool, Rewrites> Cases
    {
        get
        {
            TheoryData<string, bool, Rewrites> cases = [];
            foreach (string protocol in (string[])["udp", "tcp", "icmp"])
            {
                foreach (bool v6 in (bool[])[false, true])
                {
                    foreach (Rewrites rewrites in (Rewrites[])
                        [
                            Rewrites.None, Rewrites.DestinationMac | Rewrites.SourceMac | Rewrites.HopLimit,
                            Rewrites.Source, Rewrites.Destination, Addresses, Rewrites.SourcePort,
                            Rewrites.DestinationPort, Ports, Everything,
                        ])
                    {
                        cases.Add(protocol, v6, rewrites);
                    }
                }
            }
            return cases;
        }
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void What_the_action_names_changes_and_checksums_stay_right(string protocol, bool v6, Rewrites rewrites)
    {
        byte[] frame = protocol switch
        {
            "udp" => Frames.Udp(v6, payloadOctets: 7),
            "tcp" => Frames.Tcp(v6),
            _ => Frames.Icmp(v6),
        };
        _machine.Flow(Frames.KeyOf(frame, 1), ActionOf(rewrites, v6));

        Verdict verdict = _machine.Run("from_port", frame);

        verdict.Outcome.ShouldBe(Outcome.Port);
        verdict.Frame.ShouldHaveRightChecksums();
        bool isEcho = protocol == "icmp";
        PacketHeader before = new Verdict(0, Outcome.None, DropReason.None, frame).Header;
        PacketHeader after = verdict.Header;
        after.EthernetDestination.ShouldBe(Has(rewrites, Rewrites.DestinationMac) ? Frames.Mac3 : Frames.Mac2);
        after.EthernetSource.ShouldBe(Has(rewrites, Rewrites.SourceMac) ? Frames.Mac2 : Frames.Mac1);
        after.HopLimit.ShouldBe(Has(rewrites, Rewrites.HopLimit) ? (byte)61 : (byte)64);
        after.Source.ShouldBe(Has(rewrites, Rewrites.Source) ? Frames.Other(v6) : Frames.From(v6));
        after.Destination.ShouldBe(Has(rewrites, Rewrites.Destination) ? Frames.Other(v6).Plus(1) : Frames.To(v6));
        ushort identifier = Has(rewrites, Rewrites.SourcePort) ? (ushort)3333
            : Has(rewrites, Rewrites.DestinationPort) ? (ushort)4444 : (ushort)1000;
        after.SourcePort.ShouldBe(
            isEcho ? identifier : Has(rewrites, Rewrites.SourcePort) ? (ushort)3333 : (ushort)1000);
        after.DestinationPort.ShouldBe(
            !isEcho && Has(rewrites, Rewrites.DestinationPort) ? (ushort)4444 : before.DestinationPort);
    }

    [Theory]
    [InlineData("udp", false)]
    [InlineData("udp", true)]
    [InlineData("tcp", false)]
    [InlineData("tcp", true)]
    [InlineData("icmp", false)]
    [InlineData("icmp", true)]
    public void A_wrong_checksum_stays_wrong_whichever_it_is(string protocol, bool v6)
    {
        byte[] frame = protocol switch
        {
            "udp" => Frames.Udp(v6, payloadOctets: 7),
            "tcp" => Frames.Tcp(v6),
            _ => Frames.Icmp(v6),
        };
        int field = (v6 ? 54 : Frames.Ipv4L4At) + protocol switch { "udp" => 6, "tcp" => 16, _ => 2 };
        _machine.Flow(Frames.KeyOf(frame, 1), ActionOf(Everything, v6));
        ushort right = Checksum(frame, field);
        ushort rightAfter = Checksum(_machine.Run("from_port", frame).Frame, field);

        // Every seventeenth, and the one that would become zero, which says "none" in UDP.
        int zero = (right - rightAfter + (2 * ushort.MaxValue)) % ushort.MaxValue;
        for (int wrong = 1; wrong <= ushort.MaxValue; wrong += 17) Damage(wrong);
        Damage(zero == 0 ? ushort.MaxValue : zero);

        void Damage(int wrong)
        {
            if (wrong % ushort.MaxValue == right % ushort.MaxValue) return; // zero has two forms (RFC 1624 §3)
            byte[] damaged = frame.With(field, (byte)(wrong >> 8), (byte)wrong);
            Verdict verdict = _machine.Run("from_port", damaged);
            verdict.Outcome.ShouldBe(Outcome.Port);
            ushort after = Checksum(verdict.Frame, field);

            // As far from the right one as before, by ones' complement; and no UDP packet says now that it has none.
            (((int)after - rightAfter + ushort.MaxValue) % ushort.MaxValue)
                .ShouldBe((wrong - right + ushort.MaxValue) % ushort.MaxValue, $"{wrong:x4} became {after:x4}");
            if (protocol == "udp") after.ShouldNotBe((ushort)0, $"{wrong:x4}");
        }
    }

    [Theory]
    [InlineData(IpProtocol.UdpLite, false, 0)]
    [InlineData(IpProtocol.UdpLite, true, 0)]
    [InlineData(IpProtocol.UdpLite, false, 8)]
    [InlineData(IpProtocol.UdpLite, true, 8)]
    [InlineData(IpProtocol.Dccp, false, 0)]
    [InlineData(IpProtocol.Dccp, true, 0)]
    public void UDP_Lite_and_DCCP_have_the_addresses_in_their_checksum_whatever_else_it_covers(
        IpProtocol protocol, bool v6, byte coverage)
    {
        byte[] frame = Frames.Partial(protocol, v6, coverage);
        _machine.Flow(Frames.KeyOf(frame, 1), ActionOf(Addresses, v6));

        byte[] after = _machine.Run("from_port", frame).Frame;

        byte[] expected = [.. after];
        expected.WritePartialChecksum(v6, coverage);
        after.ShouldBe(expected);
        after[^26..].ShouldNotBe(frame[^26..], "the checksum has changed");
    }

    [Fact]
    public void UDP_without_a_checksum_stays_without_one()
    {
        byte[] frame = Frames.Udp().With(Frames.Ipv4L4At + 6, 0, 0);
        _machine.Flow(Frames.KeyOf(frame, 1), ActionOf(Everything, v6: false));

        byte[] after = _machine.Run("from_port", frame).Frame;

        BinaryPrimitives.ReadUInt16BigEndian(after.AsSpan(Frames.Ipv4L4At + 6)).ShouldBe((ushort)0);
        InternetChecksum.Compute(after.AsSpan(Frames.L3At, 20)).ShouldBe((ushort)0);
    }

    [Fact]
    public void A_later_fragment_s_payload_is_no_header()
    {
        byte[] frame = Frames.Fragment(v6: false, offsetOctets: 72, more: false);
        _machine.Flow(Frames.KeyOfWhole(v6: false, 1), ActionOf(Everything, v6: false));
        _machine.Run("from_port", Frames.Fragment(v6: false, 0, more: true)).Outcome.ShouldNotBe(Outcome.Drop);

        byte[] after = _machine.Run("from_port", frame).Frame;

        after[34..].ShouldBe(frame[34..]);
        InternetChecksum.Compute(after.AsSpan(Frames.L3At, 20)).ShouldBe((ushort)0);
    }

    [Fact]
    public void A_header_with_options_is_rewritten_behind_them()
    {
        byte[] plain = Frames.Udp();
        byte[] frame = [.. plain[..34], 1, 1, 1, 0, .. plain[34..]]; // NOP, NOP, NOP, END
        frame[14] = 0x46;
        BinaryPrimitives.WriteUInt16BigEndian(frame.AsSpan(16), (ushort)(frame.Length - 14));
        BinaryPrimitives.WriteUInt16BigEndian(frame.AsSpan(24), 0);
        BinaryPrimitives.WriteUInt16BigEndian(frame.AsSpan(24), InternetChecksum.Compute(frame.AsSpan(14, 24)));
        _machine.Flow(Frames.KeyOf(frame, 1), ActionOf(Everything, v6: false));

        byte[] after = _machine.Run("from_port", frame).Frame;

        BinaryPrimitives.ReadUInt16BigEndian(after.AsSpan(38)).ShouldBe((ushort)3333);
        BinaryPrimitives.ReadUInt16BigEndian(after.AsSpan(40)).ShouldBe((ushort)4444);
        InternetChecksum.Compute(after.AsSpan(14, 24)).ShouldBe((ushort)0);
        InternetChecksum.Compute(
            after.AsSpan(38),
            InternetChecksum.PseudoHeader(
                Frames.Ip3, Frames.Ip3.Plus(1), IpProtocol.Udp, after.Length - 38)).ShouldBe((ushort)0);
    }

    [Fact]
    public void UDP_behind_extension_headers_keeps_a_right_checksum()
    {
        byte[] frame = Frames.Extended(IpProtocol.HopByHopOptions, IpProtocol.DestinationOptions);
        _machine.Flow(Frames.KeyOf(frame, 1), ActionOf(Everything, v6: true));

        byte[] after = _machine.Run("from_port", frame).Frame;

        const int At = Frames.Ipv6L4At + 16;
        BinaryPrimitives.ReadUInt16BigEndian(after.AsSpan(At)).ShouldBe((ushort)3333);
        InternetChecksum.Compute(
            after.AsSpan(At),
            InternetChecksum.PseudoHeader(
                Frames.Ip63, Frames.Ip63.Plus(1), IpProtocol.Udp, after.Length - At)).ShouldBe((ushort)0);
    }

    [Theory]
    [InlineData(3, Outcome.Upcall)]
    [InlineData(4, Outcome.Port)]
    public void A_hop_limit_that_the_routers_use_up_goes_to_the_agent_unchanged(byte hopLimit, Outcome outcome)
    {
        byte[] frame = Frames.Udp(hopLimit: hopLimit);
        _machine.Flow(Frames.KeyOf(frame, 1), ActionOf(Everything, v6: false));

        _machine.Run("from_port", frame).Outcome.ShouldBe(outcome);

        if (outcome != Outcome.Upcall) return;
        UpcallRecord record = _machine.TakeControl().ShouldHaveSingleItem();
        (record.Header.Kind, record.Header.Nexthop).ShouldBe((UpcallKind.HopLimit, 5u));
        record.Frame.ShouldBe(frame);
    }

    private static bool Has(Rewrites rewrites, Rewrites one) => (rewrites & one) != Rewrites.None;

    private static ushort Checksum(byte[] frame, int at) => BinaryPrimitives.ReadUInt16BigEndian(frame.AsSpan(at));

    private static FlowAction ActionOf(Rewrites rewrites, bool v6) => new()
    {
        Verdict = FlowVerdict.Forward,
        NextHop = 5,
        Rewrites = rewrites,
        Hops = 3,
        DestinationMac = Frames.Mac3,
        SourceMac = Frames.Mac2,
        Source = Frames.Other(v6),
        Destination = Frames.Other(v6).Plus(1),
        SourcePort = 3333,
        DestinationPort = 4444,
    };
}
