using System;
using System.Buffers.Binary;
using System.Collections.Generic;
using System.Collections.Immutable;
using System.IO;
using System.Text;

namespace Genkan.Wire.Dhcp;

/// <summary>One DHCPv4 option: its code and its data, joined if it was split (RFC 3396).</summary>
/// <param name="Code">The option's code.</param>
/// <param name="Data">The data without code and length; may pass 255 octets.</param>
public readonly record struct DhcpOption(DhcpOptionCode Code, ReadOnlyMemory<byte> Data)
{
    /// <summary>An option of one octet.</summary>
    /// <param name="code">Code.</param>
    /// <param name="value">Data.</param>
    /// <returns>The option.</returns>
    public static DhcpOption OfByte(DhcpOptionCode code, byte value) => new(code, new[] { value });

    /// <summary>An option of two octets, such as the interface MTU.</summary>
    /// <param name="code">Code.</param>
    /// <param name="value">Data.</param>
    /// <returns>The option.</returns>
    public static DhcpOption OfUInt16(DhcpOptionCode code, ushort value)
    {
        byte[] data = new byte[sizeof(ushort)];
        BinaryPrimitives.WriteUInt16BigEndian(data, value);
        return new DhcpOption(code, data);
    }

    /// <summary>
    /// An option of a time in seconds; <see cref="TimeSpan.MaxValue"/> is infinity, 0xffffffff (RFC 2131 §3.3).
    /// </summary>
    /// <param name="code">Code.</param>
    /// <param name="time">Not negative.</param>
    /// <returns>The option.</returns>
    public static DhcpOption OfTime(DhcpOptionCode code, TimeSpan time)
    {
        byte[] data = new byte[sizeof(uint)];
        BinaryPrimitives.WriteUInt32BigEndian(data, (uint)Math.Min(time.TotalSeconds, uint.MaxValue));
        return new DhcpOption(code, data);
    }

    /// <summary>An option of ASCII text.</summary>
    /// <param name="code">Code.</param>
    /// <param name="text">Other characters become question marks.</param>
    /// <returns>The option.</returns>
    public static DhcpOption OfText(DhcpOptionCode code, string text) => new(code, Encoding.ASCII.GetBytes(text));

    /// <summary>An option of one or more IPv4 addresses.</summary>
    /// <param name="code">Code.</param>
    /// <param name="addresses">IPv4 addresses.</param>
    /// <returns>The option.</returns>
    public static DhcpOption OfAddresses(DhcpOptionCode code, params ReadOnlySpan<IpAddress> addresses)
    {
        byte[] data = new byte[addresses.Length * IpAddress.Ipv4Size];
        for (int i = 0; i < addresses.Length; i++)
            BinaryPrimitives.WriteUInt32BigEndian(data.AsSpan(i * IpAddress.Ipv4Size), addresses[i].ToIpv4());
        return new DhcpOption(code, data);
    }

    /// <summary>
    /// Classless static routes (RFC 3442): prefix length, significant octets of the destination, router.
    /// </summary>
    /// <param name="routes">
    /// IPv4 routes. The default route must be among them, since clients then ignore option 3.
    /// </param>
    /// <param name="code">The code, if the private one is asked for.</param>
    /// <returns>The option.</returns>
    public static DhcpOption OfClasslessRoutes(
        IEnumerable<ClasslessRoute> routes,
        DhcpOptionCode code = DhcpOptionCode.ClasslessStaticRoute)
    {
        using MemoryStream data = new();
        Span<byte> octets = stackalloc byte[IpAddress.Ipv4Size];
        foreach (ClasslessRoute route in routes)
        {
            data.WriteByte((byte)route.Destination.LengthBits);
            BinaryPrimitives.WriteUInt32BigEndian(octets, route.Destination.Address.ToIpv4());
            data.Write(octets[..SignificantOctets(route.Destination.LengthBits)]);
            BinaryPrimitives.WriteUInt32BigEndian(octets, route.Router.ToIpv4());
            data.Write(octets);
        }

        return new DhcpOption(code, data.ToArray());
    }

    /// <summary>A domain search list (RFC 3397), written without compression.</summary>
    /// <param name="names">Valid names (<see cref="DomainName.IsValid"/>).</param>
    /// <returns>The option.</returns>
    /// <exception cref="ArgumentException">A name is not valid.</exception>
    public static DhcpOption OfDomainSearch(IEnumerable<string> names) =>
        new(DhcpOptionCode.DomainSearch, DomainName.EncodeList(names));

    /// <summary>Reads classless static routes (RFC 3442).</summary>
    /// <param name="data">The option's data.</param>
    /// <param name="routes">The routes in order; empty if malformed.</param>
    /// <returns>False if malformed. Never throws.</returns>
    public static bool TryReadClasslessRoutes(ReadOnlySpan<byte> data, out ImmutableArray<ClasslessRoute> routes)
    {
        routes = [];
        ImmutableArray<ClasslessRoute>.Builder list = ImmutableArray.CreateBuilder<ClasslessRoute>();
        Span<byte> octets = stackalloc byte[IpAddress.Ipv4Size];
        while (!data.IsEmpty)
        {
            int lengthBits = data[0];
            int significant = SignificantOctets(lengthBits);
            if (lengthBits > 32 || data.Length < 1 + significant + IpAddress.Ipv4Size) return false;
            octets.Clear();
            data.Slice(1, significant).CopyTo(octets);
            data = data[(1 + significant)..];
            IpPrefix destination = new(IpAddress.FromOctets(octets), lengthBits);
            list.Add(new ClasslessRoute(destination, IpAddress.FromOctets(data[..IpAddress.Ipv4Size])));
            data = data[IpAddress.Ipv4Size..];
        }

        routes = list.ToImmutable();
        return true;
    }

    /// <summary>Same code and octets.</summary>
    /// <param name="other">The other option.</param>
    /// <returns>Whether equal.</returns>
    public bool Equals(DhcpOption other) => Code == other.Code && Data.Span.SequenceEqual(other.Data.Span);

    /// <inheritdoc />
    public override int GetHashCode()
    {
        HashCode hash = default;
        hash.Add(Code);
        hash.AddBytes(Data.Span);
        return hash.ToHashCode();
    }

    private static int SignificantOctets(int lengthBits) => (lengthBits + 7) / 8;
}

/// <summary>A route of DHCP option 121.</summary>
/// <param name="Destination">The IPv4 destination.</param>
/// <param name="Router">The next hop; 0.0.0.0 if the destination is on the link.</param>
public readonly record struct ClasslessRoute(IpPrefix Destination, IpAddress Router);
