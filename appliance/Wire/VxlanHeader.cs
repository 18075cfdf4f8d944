using System;
using System.Buffers;
using System.Buffers.Binary;

namespace Genkan.Wire;

/// <summary>
/// The VXLAN header (RFC 7348 §5) with the Group Policy extension (draft-smith-vxlan-group-policy-05 §2.1).
/// <code>
///  0                   1                   2                   3
/// |G|R|R|R|I|R|R|R|R|D|R|R|A|R|R|R|        Group Policy ID        |
/// |          VXLAN Network Identifier (VNI)       |   Reserved    |
/// </code>
/// </summary>
/// <param name="Vni">The network identifier, 24 bits.</param>
/// <param name="HasGroupPolicy">The G bit: the Group Policy ID is valid.</param>
/// <param name="GroupPolicyId">The Group Policy ID; 0 if the G bit is clear.</param>
/// <param name="DontLearn">The D bit.</param>
/// <param name="PolicyApplied">The A bit.</param>
public readonly record struct VxlanHeader(
    uint Vni,
    bool HasGroupPolicy = false,
    ushort GroupPolicyId = 0,
    bool DontLearn = false,
    bool PolicyApplied = false)
{
    /// <summary>Octets of the header.</summary>
    public const int Size = 8;

    /// <summary>The UDP destination port (RFC 7348 §5).</summary>
    public const ushort Port = 4789;

    private const uint ValidBit = 0x0800_0000;
    private const uint GroupPolicyBit = 0x8000_0000;
    private const uint DontLearnBit = 0x0040_0000;
    private const uint PolicyAppliedBit = 0x0008_0000;

    /// <summary>Reads the header. Reserved bits are ignored, as RFC 7348 §5 says.</summary>
    /// <param name="source">The UDP payload.</param>
    /// <param name="header">The header if <c>Done</c>, else <c>default</c>.</param>
    /// <returns>
    /// <c>Done</c>; <c>NeedMoreData</c> below 8 octets; <c>InvalidData</c> if the I bit is clear. Never throws.
    /// </returns>
    public static OperationStatus Decode(ReadOnlySpan<byte> source, out VxlanHeader header)
    {
        header = default;
        if (source.Length < Size) return OperationStatus.NeedMoreData;
        uint flags = BinaryPrimitives.ReadUInt32BigEndian(source);
        if ((flags & ValidBit) == 0) return OperationStatus.InvalidData;

        bool hasGroupPolicy = (flags & GroupPolicyBit) != 0;
        header = new VxlanHeader(
            BinaryPrimitives.ReadUInt32BigEndian(source[4..]) >> 8,
            hasGroupPolicy,
            hasGroupPolicy ? (ushort)flags : (ushort)0,
            hasGroupPolicy && (flags & DontLearnBit) != 0,
            hasGroupPolicy && (flags & PolicyAppliedBit) != 0);
        return OperationStatus.Done;
    }

    /// <summary>Writes the header; without <see cref="HasGroupPolicy"/> plain VXLAN.</summary>
    /// <param name="destination">At least 8 octets.</param>
    public void Encode(Span<byte> destination)
    {
        uint flags = ValidBit;
        if (HasGroupPolicy)
        {
            flags |= GroupPolicyBit | GroupPolicyId;
            if (DontLearn) flags |= DontLearnBit;
            if (PolicyApplied) flags |= PolicyAppliedBit;
        }

        BinaryPrimitives.WriteUInt32BigEndian(destination, flags);
        BinaryPrimitives.WriteUInt32BigEndian(destination[4..], Vni << 8);
    }
}
