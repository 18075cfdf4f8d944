using System;
using System.Linq;
using Genkan.Datapath.Bpf;
using Genkan.Datapath.Migration;
using Shouldly;

namespace Genkan.Datapath.Tests.Migration;

/// <summary>From one layout to another by the names of fields.</summary>
public sealed class FieldConversionTests
{
    [Fact]
    public void A_field_that_moved_is_found_by_its_name()
    {
        BtfLayout from = Layout(4, Field("a", 0, 2), Field("b", 2, 2));
        BtfLayout to = Layout(4, Field("b", 0, 2), Field("a", 2, 2));
        Convert(from, to, [1, 2, 3, 4]).ShouldBe([3, 4, 1, 2]);
    }

    [Fact]
    public void What_is_new_is_zero_and_what_is_gone_is_left_out()
    {
        BtfLayout from = Layout(2, Field("gone", 0, 1), Field("kept", 1, 1));
        BtfLayout to = Layout(3, Field("kept", 0, 1), Field("fresh", 1, 2));
        Convert(from, to, [9, 7]).ShouldBe([7, 0, 0]);
    }

    [Theory]
    [InlineData(false, new byte[] { 0xfe, 0, 0, 0 })]
    [InlineData(true, new byte[] { 0xfe, 0xff, 0xff, 0xff })]
    public void A_number_is_widened_by_its_sign(bool isSigned, byte[] expected) =>
        Convert(Layout(1, Field("n", 0, 1, 1, isSigned)), Layout(4, Field("n", 0, 4, 1, isSigned)), [0xfe])
            .ShouldBe(expected);

    [Theory]
    [InlineData(false, new byte[] { 0xff, 0, 0, 0 }, true)]
    [InlineData(false, new byte[] { 0, 1, 0, 0 }, false)]
    [InlineData(true, new byte[] { 0x80, 0xff, 0xff, 0xff }, true)]
    [InlineData(true, new byte[] { 0x80, 0, 0, 0 }, false)]
    [InlineData(true, new byte[] { 0x7f, 0xff, 0xff, 0xff }, false)]
    public void A_number_is_narrowed_only_if_its_value_stays(bool isSigned, byte[] value, bool fits)
    {
        FieldConversion conversion = new(
            Layout(4, Field("n", 0, 4, 1, isSigned)), Layout(1, Field("n", 0, 1, 1, isSigned)));
        byte[] target = [0];
        conversion.Convert(value, target).ShouldBe(fits ? null : "n");
        if (fits) target[0].ShouldBe(value[0]);
    }

    [Fact]
    public void An_array_is_filled_up_with_zeros_and_cut_only_where_zeros_stood()
    {
        BtfLayout two = Layout(4, Field("list", 0, 2, 2));
        BtfLayout three = Layout(12, Field("list", 0, 4, 3));
        Convert(two, three, [1, 2, 3, 4]).ShouldBe([1, 2, 0, 0, 3, 4, 0, 0, 0, 0, 0, 0]);
        Convert(three, two, [1, 2, 0, 0, 3, 4, 0, 0, 0, 0, 0, 0]).ShouldBe([1, 2, 3, 4]);
        new FieldConversion(three, two).Convert([1, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0], new byte[4]).ShouldBe("list");
    }

    [Fact]
    public void There_and_back_again_is_the_same_for_arbitrary_octets()
    {
        Random random = new(7);
        BtfLayout narrow = Layout(
            16, Field("a", 0, 1), Field("b", 2, 2), Field("c", 4, 4, 1, true), Field("d", 8, 1, 6), Field("e", 14, 2));
        BtfLayout wide = Layout(
            48, Field("e", 0, 4), Field("d", 4, 1, 16), Field("c", 24, 8, 1, true), Field("a", 32, 8),
            Field("b", 40, 2));
        for (int i = 0; i < 1_000; i++)
        {
            byte[] octets = new byte[16];
            random.NextBytes(octets);
            octets[1] = 0; // nobody's
            Convert(wide, narrow, Convert(narrow, wide, octets)).ShouldBe(octets);
        }
    }

    private static byte[] Convert(BtfLayout from, BtfLayout to, byte[] octets)
    {
        byte[] target = [.. Enumerable.Repeat((byte)0xee, to.Size)];
        new FieldConversion(from, to).Convert(octets, target).ShouldBeNull();
        return target;
    }

    private static BtfLayout Layout(int size, params BtfField[] fields) => new(size, fields);

    private static BtfField Field(string name, int at, int size, int count = 1, bool isSigned = false) =>
        new(name, at, size, count, isSigned);
}
