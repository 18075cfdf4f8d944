using System;
using System.Buffers.Binary;
using Shouldly;

namespace Genkan.Wire.Tests;

/// <summary>RFC 1071 and RFC 1624.</summary>
public sealed class InternetChecksumTests
{
    [Fact]
    public void The_example_of_RFC_1071_section_3_sums_to_ddf2() =>
        InternetChecksum.Fold(InternetChecksum.Sum([0x00, 0x01, 0xF2, 0x03, 0xF4, 0xF5, 0xF6, 0xF7]))
            .ShouldBe((ushort)0xDDF2);

    [Fact]
    public void The_example_of_RFC_1624_section_4_is_0000_not_ffff() =>
        InternetChecksum.Update(0xDD2F, 0x5555, 0x3285).ShouldBe((ushort)0x0000);

    [Fact]
    public void Any_octets_sum_as_the_words_one_by_one_do() => Samples.ForArbitraryOctets(octets =>
    {
        uint sum = 0;
        for (int i = 0; i < octets.Length; i++) sum += (uint)octets[i] << (i % 2 == 0 ? 8 : 0);
        while (sum > 0xFFFF) sum = (sum >> 16) + (sum & 0xFFFF);
        return InternetChecksum.Fold(InternetChecksum.Sum(octets)) == sum;
    });

    [Fact]
    public void An_update_equals_a_new_computation() => Samples.ForArbitraryOctets(octets =>
    {
        if (octets.Length < 4) return true;
        byte[] message = [1, .. octets, .. octets.Length % 2 == 0 ? (byte[])[7] : []];
        ushort checksum = InternetChecksum.Compute(message);
        ushort before = BinaryPrimitives.ReadUInt16BigEndian(message.AsSpan(2));
        message[2] = octets[^1];
        ushort after = BinaryPrimitives.ReadUInt16BigEndian(message.AsSpan(2));
        return InternetChecksum.Update(checksum, before, after) == InternetChecksum.Compute(message);
    });
}
