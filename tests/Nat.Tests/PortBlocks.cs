using Genkan.Wire;
using Shouldly;
using static Genkan.Nat.Tests.Tables;

namespace Genkan.Nat.Tests;

/// <summary>RFC 6888 §5 and RFC 7422 §2: ports are handed to hosts in blocks.</summary>
public sealed class PortBlocks
{
    [Fact]
    public void A_granule_is_64_aligned_ports_and_an_address_has_1024()
    {
        PortBlock.Of(PublicA, 0).ShouldBe(new PortBlock(PublicA, 0));
        PortBlock.Of(PublicA, 63).ShouldBe(new PortBlock(PublicA, 0));
        PortBlock.Of(PublicA, 64).ShouldBe(new PortBlock(PublicA, 1));
        PortBlock last = PortBlock.Of(PublicA, 65_535);
        (last.Index, last.FirstPort, last.LastPort).ShouldBe(((ushort)1_023, (ushort)65_472, (ushort)65_535));
        PortBlock.CountPerAddress.ShouldBe(1_024);
    }

    [Theory]
    [InlineData(0, 65_535, 1_024, true)]
    [InlineData(64, 127, 1, true)]
    [InlineData(64, 128, 2, false)]
    [InlineData(63, 64, 2, false)]
    [InlineData(100, 100, 1, false)]
    [InlineData(100, 99, 0, false)]
    public void A_block_names_each_granule_that_it_touches_once(int first, int last, int count, bool aligned)
    {
        NatBlock block = new(PublicA, (ushort)first, (ushort)last);
        PortBlock[] granules = new PortBlock[PortBlock.CountPerAddress];

        block.CopyGranules(granules).ShouldBe(count);

        block.GranuleCount.ShouldBe(count);
        block.IsAligned.ShouldBe(aligned);
        for (int i = 0; i < count; i++) granules[i].ShouldBe(new PortBlock(PublicA, (ushort)((first / 64) + i)));
        block.Contains((ushort)first).ShouldBe(count > 0);
        block.Contains((ushort)(last + 1)).ShouldBe(false || last == 65_535 && first == 0);
    }
}

/// <summary>The floors that the RFCs set.</summary>
public sealed class Timeouts
{
    [Theory]
    [InlineData(IpProtocol.Tcp, true, 7_440)]
    [InlineData(IpProtocol.Tcp, false, 240)]
    [InlineData(IpProtocol.Udp, false, 300)]
    [InlineData(IpProtocol.Udp, true, 300)]
    [InlineData(IpProtocol.Icmp, false, 60)]
    [InlineData(IpProtocol.Icmpv6, false, 60)]
    public void A_connection_is_idle_for_the_time_of_its_RFC(IpProtocol protocol, bool established, int seconds) =>
        NatTimeouts.Default.Idle(protocol, established).TotalSeconds.ShouldBe(seconds);
}
