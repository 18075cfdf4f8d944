using System;
using System.Collections.Generic;
using System.Linq;
using Genkan.Overlay.Flows;
using Genkan.Wire;
using Shouldly;

namespace Genkan.Overlay.Tests.Flows.Fragments;

/// <summary>Later fragments that wait: in order, bounded in every direction, and never for long.</summary>
public sealed class FragmentQueueTests
{
    private static readonly TimeSpan Start = TimeSpan.FromHours(1);

    private readonly FragmentQueue _queue = new();

    [Fact]
    public void Fragments_of_a_datagram_come_out_in_the_order_in_which_they_came()
    {
        for (byte i = 0; i < 5; i++)
        {
            Add(1, 7, i).ShouldBeTrue();
            Add(1, 8, (byte)(100 + i)).ShouldBeTrue();
        }

        Take(1, 7).ShouldBe([0, 1, 2, 3, 4]);
        Take(1, 7).ShouldBeEmpty();
        Take(1, 8).ShouldBe([100, 101, 102, 103, 104]);
        _queue.Count.ShouldBe(0);
    }

    [Fact]
    public void A_port_has_its_share_and_another_still_has_room()
    {
        for (int i = 0; i < FlowLimits.WaitingFragmentsPerPort; i++) Add(1, (uint)i, 1).ShouldBeTrue();

        Add(1, 9999, 1).ShouldBeFalse();
        Add(2, 9999, 1).ShouldBeTrue();
    }

    [Fact]
    public void There_is_room_for_so_many_of_all_ports()
    {
        int added = 0;
        while (Add((uint)(1 + (added / FlowLimits.WaitingFragmentsPerPort)), (uint)added, 1)) added++;

        added.ShouldBe(FlowLimits.WaitingFragmentsMax);
    }

    [Fact]
    public void And_for_so_many_octets()
    {
        byte[] large = new byte[60_000];
        int added = 0;
        while (_queue.TryAdd(Id(1, (uint)added), Up(1, large.Length), large, Start)) added++;

        added.ShouldBe(FlowLimits.WaitingOctetsMax / large.Length);
        Take(1, 0);
        _queue.TryAdd(Id(1, 0), Up(1, large.Length), large, Start).ShouldBeTrue();
    }

    [Theory]
    [InlineData(3)] // then the number is full
    [InlineData(4096)] // the octets
    [InlineData(9000)]
    public void When_others_have_filled_it_the_next_port_still_gets_as_much_as_each_of_them(int octets)
    {
        byte[] frame = new byte[octets];
        const int Others = 8;
        for (uint i = 0; i < FlowLimits.WaitingFragmentsPerPort; i++)
        {
            for (uint slot = 1; slot <= Others; slot++) AddFairly(slot, i, frame);
        }

        int all = Math.Min(FlowLimits.WaitingFragmentsMax, FlowLimits.WaitingOctetsMax / octets);
        _queue.Count.ShouldBe(all);

        for (uint i = 0; i < FlowLimits.WaitingFragmentsPerPort; i++) AddFairly(99, i, frame);

        int got = 0;
        for (uint i = 0; i < FlowLimits.WaitingFragmentsPerPort; i++) got += Take(99, i).Count;
        got.ShouldBeInRange((all / (Others + 1)) - 1, (all / (Others + 1)) + 1);
        _queue.Count.ShouldBe(all - got, "each that came in sent one away, and not more");
    }

    [Fact]
    public void Nobody_makes_room_for_one_who_holds_as_much()
    {
        byte[] frame = new byte[FlowLimits.WaitingOctetsMax / 4];
        for (uint slot = 1; slot <= 4; slot++) AddFairly(slot, 1, frame).ShouldBeTrue();

        for (uint slot = 1; slot <= 4; slot++) AddFairly(slot, 2, frame).ShouldBeFalse();
        AddFairly(5, 1, frame).ShouldBeFalse("it would hold as much as each");
        AddFairly(5, 1, frame[..1000]).ShouldBeTrue();

        _queue.Count.ShouldBe(4);
    }

    [Fact]
    public void Whose_time_is_over_is_dropped_under_its_port_the_oldest_first()
    {
        Add(3, 7, 1, Start);
        Add(4, 7, 2, Start + TimeSpan.FromMilliseconds(100));

        Expired(Start + FragmentQueue.WaitMax - TimeSpan.FromTicks(1)).ShouldBeEmpty();
        Expired(Start + FragmentQueue.WaitMax).ShouldBe([3u]);
        Take(3, 7).ShouldBeEmpty();
        Take(4, 7).ShouldBe([2]);
        Expired(TimeSpan.MaxValue).ShouldBeEmpty();
    }

    [Theory]
    [InlineData(11)]
    [InlineData(12)]
    public void It_does_what_a_naive_model_does(int seed)
    {
        Random random = new(seed);
        List<(FragmentId Id, byte Mark, TimeSpan Due)> model = [];
        TimeSpan now = Start;
        for (int step = 0; step < 20_000; step++)
        {
            now += TimeSpan.FromMilliseconds(random.Next(0, 3));
            FragmentId id = Id((uint)random.Next(1, 6), (uint)random.Next(0, 40));
            switch (random.Next(0, 5))
            {
                case 0:
                    List<byte> taken = [.. model.Where(m => m.Id == id).Select(m => m.Mark)];
                    model.RemoveAll(m => m.Id == id);
                    Take(id.Slot, id.Identification).ShouldBe(taken, $"seed {seed}, step {step}");
                    break;
                case 1:
                    List<uint> expired = [.. model.Where(m => m.Due <= now).Select(m => m.Id.Slot)];
                    model.RemoveAll(m => m.Due <= now);
                    Expired(now).ShouldBe(expired, $"seed {seed}, step {step}");
                    break;
                default:
                    bool fits = model.Count < FlowLimits.WaitingFragmentsMax
                        && model.Count(m => m.Id.Slot == id.Slot) < FlowLimits.WaitingFragmentsPerPort;
                    Add(id.Slot, id.Identification, (byte)step, now).ShouldBe(fits, $"seed {seed}, step {step}");
                    if (fits) model.Add((id, (byte)step, now + FragmentQueue.WaitMax));
                    break;
            }

            _queue.Count.ShouldBe(model.Count, $"seed {seed}, step {step}");
        }
    }

    private static FragmentId Id(uint slot, uint identification) => new(
        slot, IpAddress.Parse("10.0.0.1"), IpAddress.Parse("10.0.0.2"), IpProtocol.Udp, identification);

    private static Upcall Up(uint slot, int length) =>
        new(slot, UpcallKind.Fragment, ConnectionState.None, (uint)length, 0, default);

    private bool Add(uint slot, uint identification, byte mark, TimeSpan? now = null) =>
        _queue.TryAdd(Id(slot, identification), Up(slot, 3), [mark, 2, 3], now ?? Start);

    /// <summary>As the agent does.</summary>
    private bool AddFairly(uint slot, uint identification, byte[] frame)
    {
        while (!_queue.TryAdd(Id(slot, identification), Up(slot, frame.Length), frame, Start))
        {
            if (!_queue.TryMakeRoom(slot, frame.Length, out uint victim)) return false;
            victim.ShouldNotBe(slot);
        }

        return true;
    }

    private List<byte> Take(uint slot, uint identification)
    {
        List<byte> taken = [];
        while (_queue.TryTake(Id(slot, identification), out WaitingFragment fragment))
        {
            taken.Add(fragment.Frame[0]);
            fragment.Return();
        }

        return taken;
    }

    private List<uint> Expired(TimeSpan now)
    {
        List<uint> slots = [];
        while (_queue.TryExpire(now, out uint slot)) slots.Add(slot);
        return slots;
    }
}
