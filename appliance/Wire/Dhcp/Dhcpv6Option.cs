using System;
using System.Buffers.Binary;
using System.Collections.Generic;
using System.Collections.Immutable;
using System.Text;

namespace Genkan.Wire.Dhcp;

/// <summary>One DHCPv6 option: its code and its data.</summary>
/// <param name="Code">The option's code.</param>
/// <param name="Data">The data without code and length.</param>
public readonly record struct Dhcpv6Option(Dhcpv6OptionCode Code, ReadOnlyMemory<byte> Data)
{
    private const int HeaderSize = 4;
    private const int NtpServerAddress = 1; // RFC 5908 §4.1, suboption NTP_SUBOPTION_SRV_ADDR

    /// <summary>The DUID of a link-layer address, DUID-LL (RFC 8415 §11.4).</summary>
    /// <param name="mac">A MAC address that stays.</param>
    /// <returns>Ten octets.</returns>
    public static byte[] DuidOf(MacAddress mac)
    {
        byte[] duid = [0, 3, 0, 1, 0, 0, 0, 0, 0, 0];
        mac.CopyTo(duid.AsSpan(4));
        return duid;
    }

    /// <summary>An option of IPv6 addresses, such as DNS servers (RFC 3646 §3).</summary>
    /// <param name="code">Code.</param>
    /// <param name="addresses">IPv6 addresses.</param>
    /// <returns>The option.</returns>
    public static Dhcpv6Option OfAddresses(Dhcpv6OptionCode code, params ReadOnlySpan<IpAddress> addresses)
    {
        byte[] data = new byte[addresses.Length * IpAddress.Ipv6Size];
        for (int i = 0; i < addresses.Length; i++) addresses[i].CopyTo16(data.AsSpan(i * IpAddress.Ipv6Size));
        return new Dhcpv6Option(code, data);
    }

    /// <summary>The domain search list (RFC 3646 §4).</summary>
    /// <param name="names">Valid names.</param>
    /// <returns>The option.</returns>
    /// <exception cref="ArgumentException">A name is not valid.</exception>
    public static Dhcpv6Option OfDomainList(IEnumerable<string> names) =>
        new(Dhcpv6OptionCode.DomainList, DomainName.EncodeList(names));

    /// <summary>NTP servers by address (RFC 5908 §4.1).</summary>
    /// <param name="servers">IPv6 unicast addresses.</param>
    /// <returns>The option.</returns>
    public static Dhcpv6Option OfNtpServers(params ReadOnlySpan<IpAddress> servers)
    {
        const int size = HeaderSize + IpAddress.Ipv6Size;
        byte[] data = new byte[servers.Length * size];
        for (int i = 0; i < servers.Length; i++)
        {
            Span<byte> suboption = data.AsSpan(i * size, size);
            BinaryPrimitives.WriteUInt16BigEndian(suboption, NtpServerAddress);
            BinaryPrimitives.WriteUInt16BigEndian(suboption[2..], IpAddress.Ipv6Size);
            servers[i].CopyTo16(suboption[HeaderSize..]);
        }

        return new Dhcpv6Option(Dhcpv6OptionCode.NtpServer, data);
    }

    /// <summary>
    /// A time in seconds, such as the information refresh time; <see cref="TimeSpan.MaxValue"/> is infinity.
    /// </summary>
    /// <param name="code">Code.</param>
    /// <param name="time">Not negative.</param>
    /// <returns>The option.</returns>
    public static Dhcpv6Option OfTime(Dhcpv6OptionCode code, TimeSpan time)
    {
        byte[] data = new byte[sizeof(uint)];
        BinaryPrimitives.WriteUInt32BigEndian(data, (uint)Math.Min(time.TotalSeconds, uint.MaxValue));
        return new Dhcpv6Option(code, data);
    }

    /// <summary>A status code with its message (RFC 8415 §21.13).</summary>
    /// <param name="status">The code.</param>
    /// <param name="message">Text for people, may be empty.</param>
    /// <returns>The option.</returns>
    public static Dhcpv6Option OfStatus(Dhcpv6StatusCode status, string message)
    {
        byte[] data = new byte[sizeof(ushort) + Encoding.UTF8.GetByteCount(message)];
        BinaryPrimitives.WriteUInt16BigEndian(data, (ushort)status);
        Encoding.UTF8.GetBytes(message, data.AsSpan(sizeof(ushort)));
        return new Dhcpv6Option(Dhcpv6OptionCode.StatusCode, data);
    }

    /// <summary>Reads options that fill the octets (RFC 8415 §21.1).</summary>
    /// <param name="source">Code, length and data of each.</param>
    /// <param name="options">The options in order; empty if refused.</param>
    /// <returns>None, Truncated, or BadOption past <see cref="WireLimits.DhcpOptionsMax"/>. Never throws.</returns>
    public static DhcpFault TryDecodeAll(ReadOnlySpan<byte> source, out ImmutableArray<Dhcpv6Option> options)
    {
        options = [];
        ImmutableArray<Dhcpv6Option>.Builder list = ImmutableArray.CreateBuilder<Dhcpv6Option>();
        while (!source.IsEmpty)
        {
            if (source.Length < HeaderSize) return DhcpFault.Truncated;
            int length = BinaryPrimitives.ReadUInt16BigEndian(source[2..]);
            if (source.Length < HeaderSize + length) return DhcpFault.Truncated;
            if (list.Count == WireLimits.DhcpOptionsMax) return DhcpFault.BadOption;
            Dhcpv6OptionCode code = (Dhcpv6OptionCode)BinaryPrimitives.ReadUInt16BigEndian(source);
            list.Add(new Dhcpv6Option(code, source.Slice(HeaderSize, length).ToArray()));
            source = source[(HeaderSize + length)..];
        }

        options = list.ToImmutable();
        return DhcpFault.None;
    }

    /// <summary>Writes the option.</summary>
    /// <param name="destination">Four octets and the data long at least.</param>
    /// <returns>Octets written.</returns>
    public int Encode(Span<byte> destination)
    {
        BinaryPrimitives.WriteUInt16BigEndian(destination, (ushort)Code);
        BinaryPrimitives.WriteUInt16BigEndian(destination[2..], (ushort)Data.Length);
        Data.Span.CopyTo(destination[HeaderSize..]);
        return HeaderSize + Data.Length;
    }

    /// <summary>Same code and octets.</summary>
    /// <param name="other">The other option.</param>
    /// <returns>Whether equal.</returns>
    public bool Equals(Dhcpv6Option other) => Code == other.Code && Data.Span.SequenceEqual(other.Data.Span);

    /// <inheritdoc />
    public override int GetHashCode()
    {
        HashCode hash = default;
        hash.Add(Code);
        hash.AddBytes(Data.Span);
        return hash.ToHashCode();
    }
}
