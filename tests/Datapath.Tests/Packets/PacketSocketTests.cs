using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.Linq;
using System.Runtime.InteropServices;
using Genkan.Datapath.Bpf;
using Genkan.Datapath.Native;
using Genkan.Datapath.Netlink;
using Genkan.Datapath.Packets;
using Genkan.Datapath.Rings;
using Genkan.Datapath.Tests.Interop;
using Genkan.Testing;
using Genkan.Testing.Kernel;
using Genkan.Wire;
using Shouldly;

namespace Genkan.Datapath.Tests.Packets;

/// <summary>Frames go through a veth pair; a program at the other end writes down what arrives.</summary>
public sealed class PacketSocketTests : IDisposable
{
    private readonly Netns _netns = new();
    private readonly BpfProgramSet _set = BpfProgramSet.Load(InteropProgram.Options);
    private readonly Poller _poller = new();
    private readonly RingBuffer _ring;
    private readonly RouteSocket _route;
    private readonly TcxLink _link;
    private readonly PacketSocket _socket;
    private readonly int _left;

    public PacketSocketTests()
    {
        BpfMap ring = RingBuffer.CreateMap("observations", 1 << 20);
        new BpfMapOfMaps(_set.Map("rings")).Set(1, ring);
        _ring = new RingBuffer(ring);
        _poller.Add(_ring, token: 0);
        _route = _netns.Run(() => new RouteSocket());
        _route.CreateVeth(new VethEnd("left"), new VethEnd("right"));
        _left = _route.FindLink("left").ShouldNotBeNull().Ifindex;
        int right = _route.FindLink("right").ShouldNotBeNull().Ifindex;
        _netns.Run(() =>
        {
            InterfaceSysctl.SetDisableIpv6("left", disabled: true); // its solicitations are none of our frames
            InterfaceSysctl.SetDisableIpv6("right", disabled: true);
        });
        _route.SetLink(_left, new LinkSettings { IsUp = true });
        _route.SetLink(right, new LinkSettings { IsUp = true });
        _netns.Run(() => LinkWaiter.WaitUntilRunning(_left, TimeSpan.FromSeconds(20))).ShouldBeTrue();
        (_link, _socket) = _netns.Run(
            () => (TcxLink.Attach(_set.Program("observe"), right, TcxHook.Ingress), new PacketSocket(_left)));
    }

    public void Dispose()
    {
        _socket.Dispose();
        _link.Dispose();
        _route.Dispose();
        _ring.Dispose();
        _poller.Dispose();
        _set.Dispose();
        _netns.Dispose();
    }

    [Fact]
    public void Each_frame_of_a_batch_arrives_in_order_with_its_own_mark()
    {
        byte[] frame = Frames.Make(IpProtocol.Udp);
        for (uint i = 0; i < 150; i++) Queue(frame, 0, mark: 0x10000000 + i).ShouldBe(QueueResult.Queued);
        _socket.QueuedCount.ShouldBe(150 - (2 * PacketSocket.BatchCountMax));
        _socket.Flush();

        List<Observation> seen = Observe(150);

        seen.Select(o => o.Mark).ShouldBe(Enumerable.Range(0, 150).Select(i => 0x10000000u + (uint)i));
        seen.ShouldAllBe(o => o.Octets.SequenceEqual(frame));
        _socket.Statistics.ShouldBe(new PacketSocketStatistics(150, 0, 0, Errno.None));
    }

    [Fact]
    public void A_frame_that_is_taken_back_does_not_leave_and_its_place_serves_the_next_batch()
    {
        byte[] frame = Frames.Make(IpProtocol.Udp);
        for (uint i = 0; i < 4; i++) Queue(frame, 0, mark: i).ShouldBe(QueueResult.Queued);
        _socket.Cancel(0);
        _socket.Cancel(2);
        _socket.Flush();
        Queue(frame, 0, mark: 9).ShouldBe(QueueResult.Queued);
        _socket.Flush();

        Observe(3).Select(o => o.Mark).ShouldBe([1u, 3u, 9u]);
        _socket.Statistics.SentCount.ShouldBe(3ul);
        Should.Throw<ArgumentOutOfRangeException>(() => _socket.Cancel(0));
    }

    [Theory]
    [InlineData(IpProtocol.Tcp, false)]
    [InlineData(IpProtocol.Tcp, true)]
    [InlineData(IpProtocol.Udp, false)]
    [InlineData(IpProtocol.Udp, true)]
    public void A_frame_of_many_segments_crosses_whole(IpProtocol protocol, bool ipv6)
    {
        byte[] frame = Frames.WithPartialChecksum(Frames.Make(protocol, ipv6, payload: 42_000));

        Queue(frame, 1400, mark: 1).ShouldBe(QueueResult.Queued);
        _socket.Flush();

        Observation seen = Observe(1).ShouldHaveSingleItem();
        _socket.Statistics.RefusedCount.ShouldBe(0ul);
        (seen.Length, seen.GsoSize).ShouldBe(((uint)frame.Length, 1400u));
        seen.Octets.ShouldBe(frame[..seen.Octets.Length]);
    }

    [Fact]
    public void Past_the_qdisc_too_a_frame_of_many_segments_crosses_whole()
    {
        using PacketSocket bypass = _netns.Run(() => new PacketSocket(_left, bypassQdisc: true));
        byte[] frame = Frames.WithPartialChecksum(Frames.Make(IpProtocol.Tcp, payload: 42_000));

        bypass.Queue(frame, Frames.Decode(frame), 1400, mark: 9).ShouldBe(QueueResult.Queued);
        bypass.Flush();

        Observe(1).ShouldHaveSingleItem().GsoSize.ShouldBe(1400u);
    }

    [Fact]
    public void Past_the_qdisc_a_frame_that_the_device_cannot_segment_is_counted_as_dropped()
    {
        TurnOffloadsOff();
        using PacketSocket bypass = _netns.Run(() => new PacketSocket(_left, bypassQdisc: true));
        byte[] frame = Frames.WithPartialChecksum(Frames.Make(IpProtocol.Tcp, payload: 42_000));

        bypass.Queue(frame, Frames.Decode(frame), 1400, mark: 9);
        bypass.Flush();

        bypass.Statistics.ShouldBe(new PacketSocketStatistics(0, 1, 0, Errno.None));
    }

    [Theory]
    [InlineData(IpProtocol.Tcp, false)]
    [InlineData(IpProtocol.Tcp, true)]
    [InlineData(IpProtocol.Udp, false)]
    [InlineData(IpProtocol.Udp, true)]
    public void The_kernel_segments_and_completes_checksums_where_the_device_cannot(IpProtocol protocol, bool ipv6)
    {
        TurnOffloadsOff();
        byte[] frame = Frames.WithPartialChecksum(Frames.Make(protocol, ipv6, payload: 14_000));

        Queue(frame, 1400, mark: 1).ShouldBe(QueueResult.Queued);
        _socket.Flush();

        List<Observation> seen = Observe(10);
        seen.ShouldAllBe(o => o.GsoSize == 0 && o.Mark == 1 && Frames.HasRightChecksum(o.Octets));
        seen.Sum(o => Frames.Decode(o.Octets) is var h ? h.NetworkEnd - h.PayloadAt : 0).ShouldBe(14_000);
    }

    [Fact]
    public void A_partial_checksum_is_completed_where_the_device_cannot()
    {
        TurnOffloadsOff();
        byte[] frame = Frames.Make(IpProtocol.Tcp);

        Queue(Frames.WithPartialChecksum(frame), 0, mark: 1).ShouldBe(QueueResult.Queued);
        _socket.Flush();

        Observe(1).ShouldHaveSingleItem().Octets.ShouldBe(frame);
    }

    [Fact]
    public void Padding_behind_the_datagram_is_not_sent()
    {
        byte[] frame = Frames.Make(IpProtocol.Udp, payload: 1);
        byte[] padded = [.. frame, .. new byte[60 - frame.Length]];

        Queue(padded, 0, mark: 1).ShouldBe(QueueResult.Queued);
        _socket.Flush();

        Observe(1).ShouldHaveSingleItem().Octets.ShouldBe(frame);
    }

    [Fact]
    public void What_cannot_be_sent_is_said_at_once()
    {
        byte[] damaged = Frames.Make(IpProtocol.Tcp);
        damaged[^1] ^= 1;

        Queue(damaged, 0, mark: 1).ShouldBe(QueueResult.ChecksumWrong);
        Queue(Frames.Make(IpProtocol.Gre), 10, mark: 1).ShouldBe(QueueResult.NotSegmentable);
        _socket.Queue(new byte[13], default(VnetHeader), 1).ShouldBe(QueueResult.BadLength);
        _socket.Queue(new byte[PacketSocket.FrameLengthMax + 1], default(VnetHeader), 1)
            .ShouldBe(QueueResult.BadLength);
        _socket.QueuedCount.ShouldBe(0);
    }

    [Fact]
    public void A_frame_that_the_kernel_refuses_is_counted_and_the_others_go_on()
    {
        byte[] frame = Frames.Make(IpProtocol.Udp);
        byte[] tooLong = Frames.Make(IpProtocol.Udp, payload: 3000); // above the MTU and not segmentable

        Queue(frame, 0, mark: 1);
        Queue(tooLong, 0, mark: 2);
        Queue(frame, 0, mark: 3);
        _socket.Flush();

        Observe(2).Select(o => o.Mark).ShouldBe([1u, 3u]);
        _socket.Statistics.ShouldBe(new PacketSocketStatistics(2, 0, 1, Errno.EMSGSIZE));
    }

    [Fact]
    public void An_interface_that_is_down_drops_and_counts()
    {
        _route.SetLink(_left, new LinkSettings { IsUp = false });

        Queue(Frames.Make(IpProtocol.Udp), 0, mark: 1);
        _socket.Flush();

        _socket.Statistics.ShouldBe(new PacketSocketStatistics(0, 0, 1, Errno.ENETDOWN));
    }

    [Fact]
    public void Sending_allocates_nothing()
    {
        byte[] frame = Frames.WithPartialChecksum(Frames.Make(IpProtocol.Tcp));
        PacketHeader header = Frames.Decode(frame);
        Allocation.Of(() =>
        {
            for (int i = 0; i < 100; i++) _socket.Queue(frame, header, 0, mark: 1);
            _socket.Flush();
        }).ShouldBe(0);
    }

    [Fact]
    public void An_interface_that_is_not_there_is_named() => _netns.Run(
        () => Should.Throw<KernelException>(() => new PacketSocket(4711))
            .Message.ShouldStartWith("packet socket on interface 4711: bind: ENODEV"));

    private QueueResult Queue(byte[] frame, int segmentSize, uint mark) =>
        _socket.Queue(frame, Frames.Decode(frame), segmentSize, mark);

    private List<Observation> Observe(int count)
    {
        List<Observation> seen = [];
        int[] ready = new int[1];
        while (seen.Count < count)
        {
            while (_ring.TryRead(out ReadOnlySpan<byte> record))
            {
                seen.Add(new Observation(record));
                _ring.Advance();
            }
            if (seen.Count < count) _poller.Wait(TimeSpan.FromSeconds(20), ready).ShouldBe(1, $"{seen.Count} seen");
        }
        return seen;
    }

    /// <summary>ethtool has no place in the product, so the test borrows Debian's.</summary>
    private void TurnOffloadsOff() => _netns.Run(() =>
    {
        using Process ethtool = Process.Start(
            "ethtool", "-K left tx off tso off gso off tx-udp-segmentation off")!;
        ethtool.WaitForExit();
        ethtool.ExitCode.ShouldBe(0);
    });

    private sealed class Observation
    {
        private const int OctetsAt = 16;

        public Observation(ReadOnlySpan<byte> record)
        {
            ReadOnlySpan<uint> words = MemoryMarshal.Cast<byte, uint>(record);
            (Length, Mark, GsoSize) = (words[0], words[1], words[2]);
            Octets = record.Slice(OctetsAt, (int)Math.Min(Length, (uint)record.Length - OctetsAt)).ToArray();
        }

        public uint Length { get; }

        public uint Mark { get; }

        public uint GsoSize { get; }

        public byte[] Octets { get; }
    }
}
