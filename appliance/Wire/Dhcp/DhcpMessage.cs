using System;
using System.Collections.Generic;
using System.Collections.Immutable;
using System.Buffers.Binary;
using System.Linq;

namespace Genkan.Wire.Dhcp;

/// <summary>
/// A DHCP message over Ethernet (RFC 2131 §2).
/// <code>
/// |   op   | htype  |  hlen  |  hops  |     0
/// |                xid                |     4
/// |      secs       |      flags      |     8
/// |  ciaddr, yiaddr, siaddr, giaddr   |    12  16  20  24
/// |         chaddr (16 octets)        |    28
/// |         sname (64 octets)         |    44
/// |         file (128 octets)         |   108
/// |  99.130.83.99 , options, 255      |   236
/// </code>
/// </summary>
public sealed partial record DhcpMessage
{
    /// <summary>The server's UDP port.</summary>
    public const ushort ServerPort = 67;

    /// <summary>The client's UDP port.</summary>
    public const ushort ClientPort = 68;

    /// <summary>Octets of UDP payload that every client takes: an IP datagram of 576 (RFC 2131 §2).</summary>
    public const int LengthDefault = 576 - 28;

    /// <summary>op.</summary>
    public DhcpOp Op { get; init; } = DhcpOp.BootReply;

    /// <summary>hops: relay agents passed.</summary>
    public byte Hops { get; init; }

    /// <summary>xid.</summary>
    public uint TransactionId { get; init; }

    /// <summary>secs, since the client began.</summary>
    public ushort Seconds { get; init; }

    /// <summary>The B flag: replies must be broadcast (RFC 2131 §4.1).</summary>
    public bool IsBroadcast { get; init; }

    /// <summary>ciaddr.</summary>
    public IpAddress ClientAddress { get; init; } = IpAddress.Unspecified4;

    /// <summary>yiaddr: "your" address.</summary>
    public IpAddress YourAddress { get; init; } = IpAddress.Unspecified4;

    /// <summary>siaddr: the next server of the boot process.</summary>
    public IpAddress NextServerAddress { get; init; } = IpAddress.Unspecified4;

    /// <summary>giaddr: the relay agent.</summary>
    public IpAddress RelayAddress { get; init; } = IpAddress.Unspecified4;

    /// <summary>chaddr.</summary>
    public MacAddress ClientMac { get; init; }

    /// <summary>sname, unless it carried options.</summary>
    public string ServerName { get; init; } = string.Empty;

    /// <summary>file, unless it carried options.</summary>
    public string BootFile { get; init; } = string.Empty;

    /// <summary>
    /// Options in order of first appearance, without Pad, Overload and End; each code once (RFC 3396).
    /// </summary>
    public ImmutableArray<DhcpOption> Options { get; init; } = [];

    /// <summary>Option 53; <see cref="DhcpMessageType.None"/> if missing.</summary>
    public DhcpMessageType MessageType => TryGet(DhcpOptionCode.MessageType, out ReadOnlySpan<byte> data)
        ? (DhcpMessageType)data[0]
        : DhcpMessageType.None;

    /// <summary>Option 50; null if missing.</summary>
    public IpAddress? RequestedAddress => GetAddress(DhcpOptionCode.RequestedAddress);

    /// <summary>Option 54; null if missing.</summary>
    public IpAddress? ServerIdentifier => GetAddress(DhcpOptionCode.ServerIdentifier);

    /// <summary>Octets of UDP payload that the client takes: option 57 less IP and UDP headers, at least 548.</summary>
    public int ClientLengthMax => TryGet(DhcpOptionCode.MaximumMessageSize, out ReadOnlySpan<byte> data)
        ? Math.Clamp(BinaryPrimitives.ReadUInt16BigEndian(data) - 28, LengthDefault, WireLimits.DhcpLengthMax)
        : LengthDefault;

    /// <summary>Finds an option's data.</summary>
    /// <param name="code">The code.</param>
    /// <param name="data">The data, or empty.</param>
    /// <returns>False if the option is missing.</returns>
    public bool TryGet(DhcpOptionCode code, out ReadOnlySpan<byte> data)
    {
        foreach (DhcpOption option in Options)
        {
            if (option.Code != code) continue;
            data = option.Data.Span;
            return true;
        }

        data = default;
        return false;
    }

    /// <summary>True if the client asked for an option (55), or has no request list at all.</summary>
    /// <param name="code">The code.</param>
    /// <returns>Whether to send it.</returns>
    public bool Wants(DhcpOptionCode code) =>
        !TryGet(DhcpOptionCode.ParameterRequestList, out ReadOnlySpan<byte> list) || list.Contains((byte)code);

    /// <summary>Finds an option of a single IPv4 address.</summary>
    /// <param name="code">The code.</param>
    /// <returns>The first address; null if the option is missing.</returns>
    public IpAddress? GetAddress(DhcpOptionCode code) =>
        TryGet(code, out ReadOnlySpan<byte> data) && data.Length >= IpAddress.Ipv4Size
            ? IpAddress.FromOctets(data[..IpAddress.Ipv4Size])
            : null;

    /// <summary>Finds an option of a time in seconds.</summary>
    /// <param name="code">The code.</param>
    /// <returns>The time, <see cref="TimeSpan.MaxValue"/> for infinity; null if the option is missing.</returns>
    public TimeSpan? GetTime(DhcpOptionCode code)
    {
        if (!TryGet(code, out ReadOnlySpan<byte> data) || data.Length < sizeof(uint)) return null;
        uint seconds = BinaryPrimitives.ReadUInt32BigEndian(data);
        return seconds == uint.MaxValue ? TimeSpan.MaxValue : TimeSpan.FromSeconds(seconds);
    }

    /// <summary>
    /// The reply to this message as RFC 2131 §4.3.1 table 3 fills it: op, xid, flags, giaddr and chaddr (and ciaddr if
    /// ACK) are the client's; its client identifier comes back too (RFC 6842 §3). NAK has no address.
    /// </summary>
    /// <param name="type">Offer, Ack or Nak.</param>
    /// <param name="server">Our address: the server identifier.</param>
    /// <param name="yourAddress">What the client gets; 0.0.0.0 in a Nak and as answer to an Inform.</param>
    /// <param name="options">What else is sent, after message type and server identifier.</param>
    /// <returns>The reply.</returns>
    public DhcpMessage Reply(
        DhcpMessageType type,
        IpAddress server,
        IpAddress yourAddress,
        IEnumerable<DhcpOption> options)
    {
        ImmutableArray<DhcpOption>.Builder all = ImmutableArray.CreateBuilder<DhcpOption>();
        all.Add(DhcpOption.OfByte(DhcpOptionCode.MessageType, (byte)type));
        all.Add(DhcpOption.OfAddresses(DhcpOptionCode.ServerIdentifier, server));
        if (TryGet(DhcpOptionCode.ClientIdentifier, out ReadOnlySpan<byte> id))
            all.Add(new DhcpOption(DhcpOptionCode.ClientIdentifier, id.ToArray()));
        all.AddRange(options);
        return new DhcpMessage
        {
            Op = DhcpOp.BootReply,
            TransactionId = TransactionId,
            IsBroadcast = IsBroadcast || (type == DhcpMessageType.Nak && !RelayAddress.IsUnspecified),
            ClientAddress = type == DhcpMessageType.Ack ? ClientAddress : IpAddress.Unspecified4,
            YourAddress = type == DhcpMessageType.Nak ? IpAddress.Unspecified4 : yourAddress,
            RelayAddress = RelayAddress,
            ClientMac = ClientMac,
            Options = all.ToImmutable(),
        };
    }

    /// <summary>Same fields and same options in the same order.</summary>
    /// <param name="other">The other message.</param>
    /// <returns>Whether equal.</returns>
    public bool Equals(DhcpMessage? other) => other is not null
        && (Op, Hops, TransactionId) == (other.Op, other.Hops, other.TransactionId)
        && (Seconds, IsBroadcast) == (other.Seconds, other.IsBroadcast)
        && (ClientAddress, YourAddress) == (other.ClientAddress, other.YourAddress)
        && (NextServerAddress, RelayAddress) == (other.NextServerAddress, other.RelayAddress)
        && (ClientMac, ServerName, BootFile) == (other.ClientMac, other.ServerName, other.BootFile)
        && Options.SequenceEqual(other.Options);

    /// <inheritdoc />
    public override int GetHashCode() => HashCode.Combine(Op, TransactionId, ClientMac, YourAddress, Options.Length);
}
