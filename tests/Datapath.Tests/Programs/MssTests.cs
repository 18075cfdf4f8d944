using System;
using System.Buffers.Binary;
using Genkan.Datapath.Layout;
using Genkan.Overlay.Flows;
using Genkan.Wire;
using Shouldly;

namespace Genkan.Datapath.Tests.Programs;

/// <summary>RFC 9293 §3.7.1, maximum segment size: lowered to what the way carries, in SYN and SYN-ACK.</summary>
[Collection(ProgramMachine.Collection)]
public sealed class MssTests
{
    private const int In = 1;
    private const int Out = 2;

    private readonly ProgramMachine _machine;

    public MssTests(ProgramMachine machine)
    {
        _machine = machine;
        machine.Reset();
        machine.Link(In);
        machine.Port(In) = new PortEntry { Kind = PortKind.Tenant, Ifindex = 1, KeyPort = In, Mtu = 1500 };
        machine.Port(Out) = new PortEntry { Kind = PortKind.Tenant, Ifindex = 12, KeyPort = Out, Mtu = 1400 };
        machine.NextHop(5) = new NexthopEntry { Kind = NexthopKind.Port, Arg = Out };
        machine.NextHop(6) = new NexthopEntry { Kind = NexthopKind.Tunnel, Mtu = 1300, TunnelKey = 0x300 };
    }

    [Theory]
    [InlineData(false, 1460, 1360)]
    [InlineData(true, 1440, 1340)]
    [InlineData(false, 1360, 1360)]
    [InlineData(false, 536, 536)]
    public void It_becomes_the_MTU_of_the_way_out_less_the_headers_and_is_never_raised(bool v6, int mss, int expected)
    {
        foreach (TcpFlags flags in (TcpFlags[])[TcpFlags.Syn, TcpFlags.Syn | TcpFlags.Ack])
        {
            byte[] after = Run(Syn(v6, flags, 2, 4, (byte)(mss >> 8), (byte)mss), 5);

            MssAt(after, v6, 2).ShouldBe(expected);
            after.ShouldHaveRightChecksums();
        }
    }

    [Fact]
    public void The_narrower_of_the_way_in_and_the_way_out_counts()
    {
        _machine.Port(In).Mtu = 1280;
        MssAt(Run(Syn(false, TcpFlags.Syn, 2, 4, 5, 0xB4), 5), false, 2).ShouldBe(1240);
    }

    [Fact]
    public void Through_a_tunnel_it_is_what_the_path_to_the_peer_carries() =>
        MssAt(Run(Syn(false, TcpFlags.Syn, 2, 4, 5, 0xB4), 6), false, 2).ShouldBe(1260);

    [Fact]
    public void It_is_found_behind_other_options_and_across_words()
    {
        // window scale, NOP, then MSS at an odd offset of the header; END
        byte[] after = Run(Syn(false, TcpFlags.Syn, 3, 3, 7, 1, 1, 2, 4, 5, 0xB4, 0, 0, 0), 5);

        MssAt(after, false, 7).ShouldBe(1360);
        after.ShouldHaveRightChecksums();
    }

    [Theory]
    [InlineData(new byte[] { 1, 1, 1, 1 }, "no such option")]
    [InlineData(new byte[] { 0, 2, 4, 255 }, "behind the end of the list")]
    [InlineData(new byte[] { 8, 0, 2, 4 }, "behind an option of no length")]
    [InlineData(new byte[] { 2, 3, 255, 1 }, "of a wrong length")]
    [InlineData(new byte[] { 1, 2, 4, 255 }, "cut off")]
    public void What_is_no_such_option_is_left_alone(byte[] options, string what)
    {
        byte[] frame = Syn(false, TcpFlags.Syn, options);
        Run(frame, 5).ShouldBe(frame, what);
    }

    [Fact]
    public void Other_segments_are_not_looked_at()
    {
        byte[] frame = Syn(false, TcpFlags.Ack, 2, 4, 5, 0xB4);
        Run(frame, 5).ShouldBe(frame);
    }

    private static int MssAt(byte[] frame, bool v6, int at) =>
        BinaryPrimitives.ReadUInt16BigEndian(frame.AsSpan(Frames.L4At(v6) + 20 + at));

    private static byte[] Syn(bool v6, TcpFlags flags, params byte[] options)
    {
        byte[] room = new byte[200];
        FrameWriter writer = new(room);
        writer.Ethernet(Frames.Mac2, Frames.Mac1);
        writer.Ip(Frames.From(v6), Frames.To(v6), IpProtocol.Tcp);
        writer.Tcp(1000, 2000, flags);
        writer.Octets(options);
        room[Frames.L4At(v6) + 12] = (byte)((5 + (options.Length / 4)) << 4);
        return room[..writer.Finish()];
    }

    private byte[] Run(byte[] frame, uint nextHop)
    {
        _machine.Flow(Frames.KeyOf(frame, In), new FlowAction { Verdict = FlowVerdict.Forward, NextHop = nextHop });
        Verdict verdict = _machine.Run("from_port", frame);
        verdict.Outcome.ShouldBe(nextHop == 6 ? Outcome.Tunnel : Outcome.Port);
        return verdict.Frame;
    }
}
