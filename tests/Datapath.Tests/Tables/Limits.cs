using System.Collections.Generic;
using Genkan.Datapath.Startup;
using Genkan.Datapath.Tables;
using Shouldly;

namespace Genkan.Datapath.Tests.Tables;

/// <summary>Slots, sizes and what a host must have.</summary>
public sealed class Limits
{
    [Fact]
    public void A_slot_is_handed_out_again_only_when_none_is_fresh_and_after_its_flows_went()
    {
        SlotAllocator slots = new(slotCount: 4);
        List<uint> purged = [];
        for (uint expected = 1; expected <= 3; expected++) Take().ShouldBe(expected);
        Take().ShouldBe(0u);

        slots.Free(2);
        purged.ShouldBeEmpty();
        Take().ShouldBe(2u);
        purged.ShouldBe([2u]);
        Take().ShouldBe(0u);

        uint Take() => slots.TryAllocate(dirty => purged.AddRange(dirty), out uint slot) ? slot : 0;
    }

    [Fact]
    public void A_freed_slot_waits_while_fresh_ones_are_left()
    {
        SlotAllocator slots = new(slotCount: 4);
        slots.Adopt(1);
        slots.Free(1);
        slots.TryAllocate(_ => { }, out uint slot).ShouldBeTrue();
        slot.ShouldBe(2u);
    }

    [Theory]
    [InlineData(1UL << 30, 16_384u)]
    [InlineData(2_000_000_000UL, 131_072u)]
    [InlineData(2UL << 30, 131_072u)]
    [InlineData(4UL << 30, 1_048_576u)]
    [InlineData(64UL << 30, 1_048_576u)]
    public void Tables_grow_with_memory(ulong memoryOctets, uint conn4)
    {
        TableSizes sizes = TableSizes.For(memoryOctets);
        sizes.Conn4.ShouldBe(conn4);
        sizes.Conn6.ShouldBe(conn4 / 2);
    }

    [Theory]
    [InlineData(1, 8u << 20)]
    [InlineData(4, 2u << 20)]
    [InlineData(256, 256u << 10)]
    public void Ring_memory_is_a_total_divided_by_the_CPUs(int cpuCount, uint octets) =>
        UpcallReader.RingOctets(cpuCount).ShouldBe(octets);

    [Fact]
    public void A_host_that_lacks_something_is_told_all_of_it_and_what_to_do()
    {
        KernelFinding[] findings =
        [
            new("CAP_NET_ADMIN", IsPresent: false, IsRequired: true, "attaching programs", "Run as root."),
            new("ring buffer", IsPresent: false, IsRequired: true, "packets to the agent", "Use Linux 5.8 or later."),
            new("tcx", IsPresent: false, IsRequired: false, "programs without a qdisc", "clsact is used instead."),
            new("BTF", IsPresent: true, IsRequired: true, "matching programs", ""),
        ];
        string message = Should.Throw<DatapathException>(() => Preconditions.Demand(findings)).Message;
        message.ShouldContain("no CAP_NET_ADMIN (for attaching programs): Run as root.");
        message.ShouldNotContain("ring buffer"); // without its rights it could not know
        message.ShouldNotContain("tcx");
        message.ShouldNotContain("BTF");

        Should.Throw<DatapathException>(() => Preconditions.Demand([findings[1]])).Message
            .ShouldContain("no ring buffer (for packets to the agent): Use Linux 5.8 or later.");
    }
}
