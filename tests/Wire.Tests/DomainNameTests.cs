using System;
using System.Collections.Immutable;
using System.Linq;
using Shouldly;
using static Genkan.Wire.Tests.Samples;

namespace Genkan.Wire.Tests;

/// <summary>RFC 1035 §3.1 and §4.1.4.</summary>
public sealed class DomainNameTests
{
    [Theory]
    [InlineData("red.example")]
    [InlineData("a")]
    [InlineData("_tcp.x-1.example")]
    public void A_name_comes_back_as_written(string name)
    {
        byte[] octets = new byte[name.Length + 2];
        DomainName.TryEncode(name, octets, out int length).ShouldBeTrue();
        length.ShouldBe(octets.Length);
        int at = 0;
        DomainName.TryDecode(octets, ref at, out string decoded).ShouldBeTrue();
        (decoded, at).ShouldBe((name, length));
        for (int cut = 0; cut < length; cut++)
        {
            at = 0;
            DomainName.TryDecode(octets.AsSpan(0, cut), ref at, out _).ShouldBeFalse();
            DomainName.TryEncode(name, octets.AsSpan(0, cut), out _).ShouldBeFalse();
        }
    }

    [Theory]
    [InlineData("")]
    [InlineData(".")]
    [InlineData("a..b")]
    [InlineData(".a")]
    [InlineData("a b")]
    [InlineData("ä.example")]
    public void Other_text_is_no_name(string name) => DomainName.IsValid(name).ShouldBeFalse();

    [Fact]
    public void Labels_and_names_end_at_their_limits()
    {
        DomainName.IsValid(new string('a', 63)).ShouldBeTrue();
        DomainName.IsValid(new string('a', 64)).ShouldBeFalse();
        string longest = string.Join('.', Enumerable.Repeat(new string('a', 63), 3)) + '.' + new string('a', 61);
        longest.Length.ShouldBe(WireLimits.DomainNameLengthMax);
        DomainName.IsValid(longest).ShouldBeTrue();
        DomainName.IsValid(longest + 'a').ShouldBeFalse();
        byte[] octets = [.. DomainName.EncodeList([longest])];
        int at = 0;
        DomainName.TryDecode(octets, ref at, out _).ShouldBeTrue();
        byte[] tooLong = [1, (byte)'a', .. octets];
        at = 0;
        DomainName.TryDecode(tooLong, ref at, out _).ShouldBeFalse();
    }

    [Fact]
    public void Lists_end_at_their_limit_and_padding_is_skipped()
    {
        byte[] list = DomainName.EncodeList(Enumerable.Repeat("a", WireLimits.DomainSearchMax));
        DomainName.TryDecodeList([.. list, 0, 0], out ImmutableArray<string> names).ShouldBeTrue();
        names.Length.ShouldBe(WireLimits.DomainSearchMax);
        DomainName.TryDecodeList([.. list, 1, (byte)'a', 0], out _).ShouldBeFalse();
    }

    [Fact]
    public void Pointers_go_backwards_a_limited_number_of_times()
    {
        // "a" at 0, then at 3, 5, ... pointers, each to the one before.
        byte[] octets = [1, (byte)'a', 0, 0xC0, 0];
        for (int at = 3; octets.Length < 3 + (2 * (WireLimits.DomainNamePointersMax + 1)); at += 2)
            octets = [.. octets, 0xC0, (byte)at];
        int last = octets.Length - 4;
        DomainName.TryDecode(octets, ref last, out string name, allowsPointers: true).ShouldBeTrue();
        (name, last).ShouldBe(("a", octets.Length - 2));
        int beyond = octets.Length - 2;
        DomainName.TryDecode(octets, ref beyond, out _, allowsPointers: true).ShouldBeFalse();
        int self = 0;
        DomainName.TryDecode([0xC0, 0], ref self, out _, allowsPointers: true).ShouldBeFalse();
    }

    [Fact]
    public void Arbitrary_octets_are_answered_without_an_exception() => ForArbitraryOctets(octets =>
    {
        DomainName.TryDecodeList(octets, out _);
        return !DomainName.TryDecodeList(octets, out ImmutableArray<string> names, allowsPointers: true)
            || names.All(static name => DomainName.IsValid(name));
    });
}
