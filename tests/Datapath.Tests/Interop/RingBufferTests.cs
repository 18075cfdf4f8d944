using System;
using System.Runtime.InteropServices;
using System.Threading;
using Genkan.Datapath.Bpf;
using Genkan.Datapath.Native;
using Genkan.Datapath.Rings;
using Genkan.Testing;
using Genkan.Testing.Kernel;
using Shouldly;

namespace Genkan.Datapath.Tests.Interop;

public sealed class RingBufferTests : IDisposable
{
    private static readonly TimeSpan Long = TimeSpan.FromMinutes(1);

    private readonly BpfProgramSet _set;
    private readonly RingBuffer _ring;
    private readonly Poller _poller = new();
    private readonly int[] _ready = new int[8];

    public RingBufferTests()
    {
        Netns.DemandRoot();
        _set = BpfProgramSet.Load(InteropProgram.Options);
        BpfMap map = RingBuffer.CreateMap("ring", 4096);
        new BpfMapOfMaps(_set.Map("rings")).Set(0, map);
        _ring = new RingBuffer(map);
    }

    public void Dispose()
    {
        _poller.Dispose();
        _ring.Dispose();
        _set.Dispose();
    }

    [Fact]
    public void A_record_is_read_as_often_as_wanted_until_the_reader_advances()
    {
        _ring.TryRead(out _).ShouldBeFalse();
        Send(mark: 5);

        Read().Mark.ShouldBe(5u);
        Read().ShouldBe(new InteropProgram.Record((uint)InteropProgram.Frame.Length, 5));
        _ring.Advance();

        _ring.TryRead(out _).ShouldBeFalse();
        _ring.BacklogOctets.ShouldBe(0);
    }

    [Fact]
    public void Records_come_in_order_many_times_around_the_ring()
    {
        for (uint mark = 0; mark < 3000; mark += 3)
        {
            Send(mark);
            Send(mark + 1);
            Send(mark + 2);
            for (uint i = 0; i < 3; i++)
            {
                Read().Mark.ShouldBe(mark + i);
                _ring.Advance();
            }
        }
    }

    [Fact]
    public void A_full_ring_keeps_its_records_and_goes_on_after_they_are_read()
    {
        for (uint mark = 0; mark < 1000; mark++) Send(mark);

        uint count = 0;
        for (; _ring.TryRead(out _); count++)
        {
            Read().Mark.ShouldBe(count);
            _ring.Advance();
        }

        count.ShouldBe(4095u / 16); // the kernel never fills the last octet
        Send(mark: 77);
        Read().Mark.ShouldBe(77u);
    }

    [Fact]
    public void Another_reader_goes_on_where_the_first_one_stopped()
    {
        Send(1);
        Send(2);
        Read();
        _ring.Advance();

        using RingBuffer second = new(new BpfMapOfMaps(_set.Map("rings")).TryOpen(0)!);
        second.TryRead(out ReadOnlySpan<byte> record).ShouldBeTrue();
        MemoryMarshal.Read<InteropProgram.Record>(record).Mark.ShouldBe(2u);
    }

    [Fact]
    public void A_wait_ends_with_the_token_of_the_ring_that_has_a_record()
    {
        _poller.Add(_ring, token: 3);
        Send(1);

        _poller.Wait(Long, _ready).ShouldBe(1);

        _ready[0].ShouldBe(3);
        Read();
        _ring.Advance();
        _poller.Wait(TimeSpan.Zero, _ready).ShouldBe(0);
        Send(2);
        _poller.Wait(Long, _ready).ShouldBe(1);
    }

    [Fact]
    public void The_bell_ends_a_wait_once_and_from_any_thread()
    {
        Thread thread = new(_poller.Wake);
        thread.Start();

        _poller.Wait(Long, _ready).ShouldBe(0);

        thread.Join();
        _poller.Wake();
        _poller.Wake();
        _poller.Wait(Long, _ready).ShouldBe(0);
        _poller.Wait(TimeSpan.Zero, _ready).ShouldBe(0);
    }

    [Fact]
    public void A_ring_that_was_removed_ends_no_wait()
    {
        _poller.Add(_ring, token: 0);
        _poller.Remove(_ring);
        Send(1);

        _poller.Wait(TimeSpan.Zero, _ready).ShouldBe(0);
    }

    [Fact]
    public void Reading_allocates_nothing()
    {
        _poller.Add(_ring, token: 0);
        int count = 0;
        Allocation.Of(ReadAll, SendHundred).ShouldBe(0);
        count.ShouldBeGreaterThanOrEqualTo(100);

        void SendHundred()
        {
            for (uint i = 0; i < 100; i++) Send(i);
        }

        void ReadAll()
        {
            _poller.Wait(TimeSpan.Zero, _ready);
            for (; _ring.TryRead(out _); count++) _ring.Advance();
        }
    }

    [Fact]
    public void A_ring_that_is_no_power_of_two_of_pages_is_refused() =>
        Should.Throw<KernelException>(() => RingBuffer.CreateMap("odd", 5000)).Error.ShouldBe(Errno.EINVAL);

    private InteropProgram.Record Read()
    {
        _ring.TryRead(out ReadOnlySpan<byte> record).ShouldBeTrue();
        return MemoryMarshal.Read<InteropProgram.Record>(record);
    }

    private void Send(uint mark) =>
        BpfTestRun.Run(_set.Program("interop"), InteropProgram.Frame, new SkBuffContext { Mark = mark });
}
