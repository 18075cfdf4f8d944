using System;
using System.Buffers.Binary;
using System.Collections.Generic;
using System.Collections.Immutable;
using System.Linq;

namespace Genkan.Wire.Dhcp;

/// <summary>
/// A DHCPv6 message between client and server (RFC 8415 §8).
/// <code>
/// |    msg-type   |               transaction-id                  |
/// |   options ...
/// </code>
/// </summary>
public sealed record Dhcpv6Message
{
    /// <summary>The server's UDP port.</summary>
    public const ushort ServerPort = 547;

    /// <summary>The client's UDP port.</summary>
    public const ushort ClientPort = 546;

    private const int HeaderSize = 4;

    /// <summary>msg-type.</summary>
    public Dhcpv6MessageType Type { get; init; }

    /// <summary>transaction-id, 24 bits.</summary>
    public uint TransactionId { get; init; }

    /// <summary>Options in order.</summary>
    public ImmutableArray<Dhcpv6Option> Options { get; init; } = [];

    /// <summary>ff02::1:2, All_DHCP_Relay_Agents_and_Servers (RFC 8415 §7.1).</summary>
    public static IpAddress AllRelayAgentsAndServers => new(new UInt128(0xFF02_0000_0000_0000, 0x1_0002));

    /// <summary>Reads a message.</summary>
    /// <param name="source">The UDP payload.</param>
    /// <param name="message">The message, or null.</param>
    /// <returns>None, or the first fault. Never throws.</returns>
    public static DhcpFault TryDecode(ReadOnlySpan<byte> source, out Dhcpv6Message? message)
    {
        message = null;
        if (source.Length < HeaderSize) return DhcpFault.Truncated;
        if (source.Length > WireLimits.DhcpLengthMax) return DhcpFault.TooLong;
        Dhcpv6MessageType type = (Dhcpv6MessageType)source[0];
        if (type is Dhcpv6MessageType.RelayForward or Dhcpv6MessageType.RelayReply) return DhcpFault.Relayed;
        if (type is Dhcpv6MessageType.None or > Dhcpv6MessageType.RelayReply) return DhcpFault.BadMessageType;
        DhcpFault fault = Dhcpv6Option.TryDecodeAll(source[HeaderSize..], out ImmutableArray<Dhcpv6Option> options);
        if (fault != DhcpFault.None) return fault;

        uint transactionId = BinaryPrimitives.ReadUInt32BigEndian(source) & 0xFF_FFFF;
        message = new Dhcpv6Message { Type = type, TransactionId = transactionId, Options = options };
        return DhcpFault.None;
    }

    /// <summary>Finds the first option of a code.</summary>
    /// <param name="code">The code.</param>
    /// <param name="data">Its data, or empty.</param>
    /// <returns>False if the option is missing.</returns>
    public bool TryGet(Dhcpv6OptionCode code, out ReadOnlySpan<byte> data)
    {
        foreach (Dhcpv6Option option in Options)
        {
            if (option.Code != code) continue;
            data = option.Data.Span;
            return true;
        }

        data = default;
        return false;
    }

    /// <summary>True if the client asked for an option (RFC 8415 §21.7).</summary>
    /// <param name="code">The code.</param>
    /// <returns>Whether it is in the Option Request option.</returns>
    public bool Wants(Dhcpv6OptionCode code)
    {
        if (!TryGet(Dhcpv6OptionCode.OptionRequest, out ReadOnlySpan<byte> list)) return false;
        for (; list.Length >= sizeof(ushort); list = list[sizeof(ushort)..])
            if (BinaryPrimitives.ReadUInt16BigEndian(list) == (ushort)code) return true;
        return false;
    }

    /// <summary>
    /// The reply to this message: same transaction, the client identifier copied if there was one, our server
    /// identifier (RFC 8415 §18.3).
    /// </summary>
    /// <param name="type">Reply or Advertise.</param>
    /// <param name="serverDuid">Our DUID.</param>
    /// <param name="options">What else is sent.</param>
    /// <returns>The reply.</returns>
    public Dhcpv6Message Reply(
        Dhcpv6MessageType type, ReadOnlyMemory<byte> serverDuid, IEnumerable<Dhcpv6Option> options)
    {
        ImmutableArray<Dhcpv6Option>.Builder all = ImmutableArray.CreateBuilder<Dhcpv6Option>();
        if (TryGet(Dhcpv6OptionCode.ClientIdentifier, out ReadOnlySpan<byte> client))
            all.Add(new Dhcpv6Option(Dhcpv6OptionCode.ClientIdentifier, client.ToArray()));
        all.Add(new Dhcpv6Option(Dhcpv6OptionCode.ServerIdentifier, serverDuid));
        all.AddRange(options);
        return new Dhcpv6Message { Type = type, TransactionId = TransactionId, Options = all.ToImmutable() };
    }

    /// <summary>Writes the message.</summary>
    /// <param name="output">
    /// Room for all options; <see cref="WireLimits.DhcpLengthMax"/> is enough for what is read.
    /// </param>
    /// <returns>Octets written.</returns>
    public int Encode(Span<byte> output)
    {
        BinaryPrimitives.WriteUInt32BigEndian(output, ((uint)Type << 24) | (TransactionId & 0xFF_FFFF));
        int at = HeaderSize;
        foreach (Dhcpv6Option option in Options) at += option.Encode(output[at..]);
        return at;
    }

    /// <summary>Same fields and same options in the same order.</summary>
    /// <param name="other">The other message.</param>
    /// <returns>Whether equal.</returns>
    public bool Equals(Dhcpv6Message? other) => other is not null
        && (Type, TransactionId) == (other.Type, other.TransactionId) && Options.SequenceEqual(other.Options);

    /// <inheritdoc />
    public override int GetHashCode() => HashCode.Combine(Type, TransactionId, Options.Length);
}
