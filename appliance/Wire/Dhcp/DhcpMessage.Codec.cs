using System;
using System.Buffers.Binary;
using System.Collections.Generic;
using System.Collections.Immutable;
using System.Linq;
using System.Text;

namespace Genkan.Wire.Dhcp;

/// <content>Reading and writing the octets.</content>
public sealed partial record DhcpMessage
{
    private const int ServerNameAt = 44;
    private const int ServerNameSize = 64;
    private const int BootFileAt = 108;
    private const int BootFileSize = 128;
    private const int CookieAt = 236;
    private const int OptionsAt = 240;
    private const uint Cookie = 0x63825363;
    private const int LengthMin = 300; // of BOOTP, RFC 1542 §2.1: some clients and relays drop shorter ones
    private const int OptionDataMax = 255;

    [Flags]
    private enum OverloadedFields
    {
        None = 0,
        BootFile = 1,
        ServerName = 2,
    }

    /// <summary>
    /// Reads a message, with options in sname and file (RFC 2132 §9.3) and split ones (RFC 3396) joined.
    /// </summary>
    /// <param name="source">The UDP payload.</param>
    /// <param name="message">The message, or null.</param>
    /// <returns><see cref="DhcpFault.None"/>, or the first fault. Never throws.</returns>
    public static DhcpFault TryDecode(ReadOnlySpan<byte> source, out DhcpMessage? message)
    {
        message = null;
        if (source.Length < OptionsAt) return DhcpFault.Truncated;
        if (source.Length > WireLimits.DhcpLengthMax) return DhcpFault.TooLong;
        if (source[0] is not ((byte)DhcpOp.BootRequest or (byte)DhcpOp.BootReply)) return DhcpFault.BadOp;
        if (source[1] != 1 || source[2] != MacAddress.Size) return DhcpFault.BadHardware;
        if (BinaryPrimitives.ReadUInt32BigEndian(source[CookieAt..]) != Cookie) return DhcpFault.BadCookie;

        OptionCollector options = new();
        OverloadedFields overload = OverloadedFields.None;
        DhcpFault fault = options.Read(source[OptionsAt..], ref overload);
        OverloadedFields ignored = OverloadedFields.None; // an Overload option inside sname or file has no meaning
        if (fault == DhcpFault.None && overload.HasFlag(OverloadedFields.BootFile))
            fault = options.Read(source.Slice(BootFileAt, BootFileSize), ref ignored);
        if (fault == DhcpFault.None && overload.HasFlag(OverloadedFields.ServerName))
            fault = options.Read(source.Slice(ServerNameAt, ServerNameSize), ref ignored);
        if (fault != DhcpFault.None) return fault;

        DhcpMessage decoded = DecodeFields(source, overload) with { Options = options.ToImmutable() };
        fault = decoded.Validate();
        if (fault == DhcpFault.None) message = decoded;
        return fault;
    }

    private static DhcpMessage DecodeFields(ReadOnlySpan<byte> source, OverloadedFields overload) => new()
    {
        Op = (DhcpOp)source[0],
        Hops = source[3],
        TransactionId = BinaryPrimitives.ReadUInt32BigEndian(source[4..]),
        Seconds = BinaryPrimitives.ReadUInt16BigEndian(source[8..]),
        IsBroadcast = (source[10] & 0x80) != 0,
        ClientAddress = IpAddress.FromOctets(source[12..16]),
        YourAddress = IpAddress.FromOctets(source[16..20]),
        NextServerAddress = IpAddress.FromOctets(source[20..24]),
        RelayAddress = IpAddress.FromOctets(source[24..28]),
        ClientMac = MacAddress.FromOctets(source[28..]),
        ServerName = overload.HasFlag(OverloadedFields.ServerName)
            ? string.Empty
            : ReadText(source.Slice(ServerNameAt, ServerNameSize)),
        BootFile = overload.HasFlag(OverloadedFields.BootFile)
            ? string.Empty
            : ReadText(source.Slice(BootFileAt, BootFileSize)),
    };

    // RFC 2131 §2: null terminated, so the last octet is never text.
    private static string ReadText(ReadOnlySpan<byte> field)
    {
        field = field[..^1];
        int end = field.IndexOf((byte)0);
        return Encoding.ASCII.GetString(end < 0 ? field : field[..end]);
    }

    // Lengths that RFC 2132 fixes for the options that this side acts on.
    private DhcpFault Validate()
    {
        foreach (DhcpOption option in Options)
        {
            bool isGood = option.Code switch
            {
                DhcpOptionCode.MessageType => option.Data.Length == 1,
                DhcpOptionCode.RequestedAddress or DhcpOptionCode.ServerIdentifier or DhcpOptionCode.SubnetMask
                    or DhcpOptionCode.LeaseTime or DhcpOptionCode.RenewalTime or DhcpOptionCode.RebindingTime
                    or DhcpOptionCode.BroadcastAddress => option.Data.Length == 4,
                DhcpOptionCode.MaximumMessageSize or DhcpOptionCode.InterfaceMtu => option.Data.Length == 2,
                DhcpOptionCode.ClientIdentifier => option.Data.Length >= 2,
                DhcpOptionCode.ParameterRequestList => option.Data.Length >= 1,
                DhcpOptionCode.Router or DhcpOptionCode.DomainNameServer or DhcpOptionCode.NtpServers =>
                    option.Data.Length >= 4 && option.Data.Length % 4 == 0,
                _ => true,
            };
            if (!isGood) return DhcpFault.BadOption;
        }

        return MessageType is <= DhcpMessageType.Inform ? DhcpFault.None : DhcpFault.BadMessageType;
    }

    /// <summary>
    /// Writes the message; options past 255 octets are split (RFC 3396). An option that does not fit is left out
    /// whole, and smaller ones behind it may still follow: so put the important ones first.
    /// </summary>
    /// <param name="output">
    /// At most as many octets as the client takes (<see cref="ClientLengthMax"/>), at least 300.
    /// </param>
    /// <param name="omittedCount">How many options did not fit.</param>
    /// <returns>Octets written, at least 300 (RFC 1542 §2.1).</returns>
    /// <exception cref="ArgumentException">The output is shorter than 300 octets.</exception>
    public int Encode(Span<byte> output, out int omittedCount)
    {
        if (output.Length < LengthMin) throw new ArgumentException("A message needs 300 octets.", nameof(output));
        omittedCount = 0;
        EncodeFields(output);
        int at = OptionsAt;
        foreach (DhcpOption option in Options)
        {
            ReadOnlySpan<byte> data = option.Data.Span;
            int partCount = Math.Max(1, (data.Length + OptionDataMax - 1) / OptionDataMax);
            if (at + (2 * partCount) + data.Length + 1 > output.Length)
            {
                omittedCount++;
                continue;
            }

            for (int i = 0; i < partCount; i++)
            {
                int length = Math.Min(data.Length, OptionDataMax);
                (output[at], output[at + 1]) = ((byte)option.Code, (byte)length);
                data[..length].CopyTo(output[(at + 2)..]);
                data = data[length..];
                at += 2 + length;
            }
        }

        output[at++] = (byte)DhcpOptionCode.End;
        if (at >= LengthMin) return at;
        output[at..LengthMin].Clear();
        return LengthMin;
    }

    private void EncodeFields(Span<byte> output)
    {
        output[..OptionsAt].Clear();
        (output[0], output[1], output[2], output[3]) = ((byte)Op, 1, MacAddress.Size, Hops);
        BinaryPrimitives.WriteUInt32BigEndian(output[4..], TransactionId);
        BinaryPrimitives.WriteUInt16BigEndian(output[8..], Seconds);
        output[10] = (byte)(IsBroadcast ? 0x80 : 0);
        BinaryPrimitives.WriteUInt32BigEndian(output[12..], ClientAddress.ToIpv4());
        BinaryPrimitives.WriteUInt32BigEndian(output[16..], YourAddress.ToIpv4());
        BinaryPrimitives.WriteUInt32BigEndian(output[20..], NextServerAddress.ToIpv4());
        BinaryPrimitives.WriteUInt32BigEndian(output[24..], RelayAddress.ToIpv4());
        ClientMac.CopyTo(output[28..]);
        WriteText(output.Slice(ServerNameAt, ServerNameSize), ServerName);
        WriteText(output.Slice(BootFileAt, BootFileSize), BootFile);
        BinaryPrimitives.WriteUInt32BigEndian(output[CookieAt..], Cookie);
    }

    // RFC 2131 §2: null terminated, so that one octet of the field stays zero.
    private static void WriteText(Span<byte> field, string text) =>
        Encoding.ASCII.GetBytes(text.AsSpan(0, Math.Min(text.Length, field.Length - 1)), field);

    private sealed class OptionCollector
    {
        private readonly List<(DhcpOptionCode Code, List<byte> Data)> _options = [];
        private int _count;

        public DhcpFault Read(ReadOnlySpan<byte> octets, ref OverloadedFields overload)
        {
            while (!octets.IsEmpty)
            {
                DhcpOptionCode code = (DhcpOptionCode)octets[0];
                if (code == DhcpOptionCode.End) return DhcpFault.None;
                if (code == DhcpOptionCode.Pad)
                {
                    octets = octets[1..];
                    continue;
                }

                if (octets.Length < 2 || octets.Length < 2 + octets[1]) return DhcpFault.Truncated;
                if (++_count > WireLimits.DhcpOptionsMax) return DhcpFault.BadOption;
                ReadOnlySpan<byte> data = octets.Slice(2, octets[1]);
                octets = octets[(2 + data.Length)..];
                if (code != DhcpOptionCode.Overload) Append(code, data);
                else if (data.Length == 1 && data[0] is >= 1 and <= 3) overload = (OverloadedFields)data[0];
                else return DhcpFault.BadOption;
            }

            return DhcpFault.None; // the End option is missing: common, and harmless
        }

        public ImmutableArray<DhcpOption> ToImmutable() =>
            [.. _options.Select(static o => new DhcpOption(o.Code, o.Data.ToArray()))];

        private void Append(DhcpOptionCode code, ReadOnlySpan<byte> data)
        {
            int index = _options.FindIndex(o => o.Code == code);
            if (index < 0)
            {
                index = _options.Count;
                _options.Add((code, []));
            }

            _options[index].Data.AddRange(data);
        }
    }
}
