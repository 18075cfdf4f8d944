using System;
using System.Buffers;
using Shouldly;
using static Genkan.Wire.Tests.Samples;

namespace Genkan.Wire.Tests;

/// <summary>RFC 7348 §5 with the Group Policy extension.</summary>
public sealed class VxlanHeaderTests
{
    [Fact]
    public void The_kernels_header_shows_VNI_and_group_policy_and_its_payload_is_a_frame()
    {
        byte[] payload = Payload("vxlan", "echo-request");
        VxlanHeader.Decode(payload, out VxlanHeader header).ShouldBe(OperationStatus.Done);
        header.ShouldBe(new VxlanHeader(7777, HasGroupPolicy: true, GroupPolicyId: 0x1234));
        Decode(payload.AsSpan(VxlanHeader.Size)).Destination.ToString().ShouldBe("10.9.9.2");

        byte[] encoded = new byte[VxlanHeader.Size];
        header.Encode(encoded);
        encoded.ShouldBe(payload[..VxlanHeader.Size]);
    }

    [Theory]
    [InlineData(0u, false, 0, false, false)]
    [InlineData(0xFFFFFFu, true, 0xFFFF, true, true)]
    [InlineData(1u, true, 1, false, true)]
    public void A_header_comes_back_as_written(uint vni, bool hasPolicy, ushort policy, bool dontLearn, bool applied)
    {
        VxlanHeader header = new(vni, hasPolicy, policy, dontLearn, applied);
        byte[] octets = new byte[VxlanHeader.Size];
        header.Encode(octets);
        VxlanHeader.Decode(octets, out VxlanHeader decoded).ShouldBe(OperationStatus.Done);
        decoded.ShouldBe(header);
        for (int length = 0; length < VxlanHeader.Size; length++)
            VxlanHeader.Decode(octets.AsSpan(0, length), out _).ShouldBe(OperationStatus.NeedMoreData);
    }

    [Fact]
    public void Without_the_I_bit_it_is_refused()
    {
        VxlanHeader.Decode([0x80, 0, 0, 0, 0, 0, 1, 0], out VxlanHeader header).ShouldBe(OperationStatus.InvalidData);
        header.ShouldBe(default);
    }

    [Fact]
    public void Arbitrary_octets_are_answered_without_an_exception() =>
        ForArbitraryOctets(octets => VxlanHeader.Decode(octets, out _) is not OperationStatus.DestinationTooSmall);
}
