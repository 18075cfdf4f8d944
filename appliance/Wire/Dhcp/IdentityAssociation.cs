using System;
using System.Buffers.Binary;
using System.Collections.Immutable;
using System.Linq;

namespace Genkan.Wire.Dhcp;

/// <summary>
/// The Identity Association for Non-temporary Addresses (RFC 8415 §21.4).
/// <code>
/// |                        IAID (4 octets)                        |
/// |                              T1                               |
/// |                              T2                               |
/// |   IA_NA-options ...
/// </code>
/// </summary>
/// <param name="Iaid">The client's name for this association.</param>
/// <param name="T1">Renew at; zero leaves it to the client.</param>
/// <param name="T2">Rebind at; zero leaves it to the client.</param>
/// <param name="Options">Options inside, IA Address among them.</param>
public sealed record IdentityAssociation(uint Iaid, TimeSpan T1, TimeSpan T2, ImmutableArray<Dhcpv6Option> Options)
{
    private const int Size = 12;

    /// <summary>Reads the option's data.</summary>
    /// <param name="data">Data of an IA_NA option.</param>
    /// <param name="association">The association, or null.</param>
    /// <returns>None, or the first fault; BadOption if T1 is past a T2 above zero (§21.4). Never throws.</returns>
    public static DhcpFault TryDecode(ReadOnlySpan<byte> data, out IdentityAssociation? association)
    {
        association = null;
        if (data.Length < Size) return DhcpFault.Truncated;
        DhcpFault fault = Dhcpv6Option.TryDecodeAll(data[Size..], out ImmutableArray<Dhcpv6Option> options);
        if (fault != DhcpFault.None) return fault;
        TimeSpan t1 = TimeSpan.FromSeconds(BinaryPrimitives.ReadUInt32BigEndian(data[4..]));
        TimeSpan t2 = TimeSpan.FromSeconds(BinaryPrimitives.ReadUInt32BigEndian(data[8..]));
        if (t2 > TimeSpan.Zero && t1 > t2) return DhcpFault.BadOption;
        association = new IdentityAssociation(BinaryPrimitives.ReadUInt32BigEndian(data), t1, t2, options);
        return DhcpFault.None;
    }

    /// <summary>Makes the IA_NA option.</summary>
    /// <returns>The option.</returns>
    public Dhcpv6Option ToOption()
    {
        byte[] data = new byte[Size + Options.Sum(static o => 4 + o.Data.Length)];
        BinaryPrimitives.WriteUInt32BigEndian(data, Iaid);
        BinaryPrimitives.WriteUInt32BigEndian(data.AsSpan(4), (uint)T1.TotalSeconds);
        BinaryPrimitives.WriteUInt32BigEndian(data.AsSpan(8), (uint)T2.TotalSeconds);
        int at = Size;
        foreach (Dhcpv6Option option in Options) at += option.Encode(data.AsSpan(at));
        return new Dhcpv6Option(Dhcpv6OptionCode.IaNa, data);
    }

    /// <summary>Same fields and same options in the same order.</summary>
    /// <param name="other">The other association.</param>
    /// <returns>Whether equal.</returns>
    public bool Equals(IdentityAssociation? other) => other is not null
        && (Iaid, T1, T2) == (other.Iaid, other.T1, other.T2) && Options.SequenceEqual(other.Options);

    /// <inheritdoc />
    public override int GetHashCode() => HashCode.Combine(Iaid, T1, T2, Options.Length);
}
