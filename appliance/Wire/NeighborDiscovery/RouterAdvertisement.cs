using System;
using System.Buffers.Binary;
using System.Collections.Immutable;

namespace Genkan.Wire.NeighborDiscovery;

/// <summary>
/// Router Advertisement (RFC 4861 §4.2) with the options that hosts use.
/// <code>
/// |  Type = 134   |   Code = 0    |           Checksum            |
/// | Cur Hop Limit |M|O|H|Prf|     |       Router Lifetime         |
/// |                        Reachable Time                         |
/// |                        Retrans Timer                          |
/// |   Options ...
/// </code>
/// </summary>
public sealed record RouterAdvertisement
{
    private const int Size = 16;
    private const int PrefixInformationSize = 32;

    /// <summary>Cur Hop Limit; 0 unspecified.</summary>
    public byte CurHopLimit { get; init; } = 64;

    /// <summary>The M flag: addresses by DHCPv6.</summary>
    public bool IsManaged { get; init; }

    /// <summary>The O flag: other configuration by (stateless) DHCPv6.</summary>
    public bool HasOtherConfiguration { get; init; }

    /// <summary>Default Router Preference (RFC 4191 §2.2).</summary>
    public RouterPreference Preference { get; init; }

    /// <summary>Router Lifetime in whole seconds up to 65535; zero: not a default router.</summary>
    public TimeSpan RouterLifetime { get; init; }

    /// <summary>Reachable Time in milliseconds on the wire; zero unspecified.</summary>
    public TimeSpan ReachableTime { get; init; }

    /// <summary>Retrans Timer in milliseconds on the wire; zero unspecified.</summary>
    public TimeSpan RetransTimer { get; init; }

    /// <summary>Source Link-Layer Address; null to leave it out.</summary>
    public MacAddress? SourceLinkLayer { get; init; }

    /// <summary>MTU in octets; null to leave it out.</summary>
    public int? MtuOctets { get; init; }

    /// <summary>Prefix Information options.</summary>
    public ImmutableArray<PrefixInformation> Prefixes { get; init; } = [];

    /// <summary>Route Information options (RFC 4191 §2.3).</summary>
    public ImmutableArray<RouteInformation> Routes { get; init; } = [];

    /// <summary>Recursive DNS servers (RFC 8106 §5.1).</summary>
    public ImmutableArray<IpAddress> DnsServers { get; init; } = [];

    /// <summary>DNS search list (RFC 8106 §5.2).</summary>
    public ImmutableArray<string> DnsSearch { get; init; } = [];

    /// <summary>Lifetime of the two DNS options; <see cref="TimeSpan.MaxValue"/> is infinity.</summary>
    public TimeSpan DnsLifetime { get; init; }

    /// <summary>
    /// Reads and validates an advertisement (RFC 4861 §6.1.2). Unknown and malformed options are skipped.
    /// </summary>
    /// <param name="frame">The whole frame.</param>
    /// <param name="header">Its header.</param>
    /// <returns>The message; null if it is another message or must be silently discarded. Never throws.</returns>
    public static RouterAdvertisement? TryDecode(ReadOnlySpan<byte> frame, in PacketHeader header)
    {
        if (!NdOptions.TryOpen(frame, header, Icmpv6Type.RouterAdvertisement, Size, out ReadOnlySpan<byte> octets))
            return null;
        if (!header.Source.IsLinkLocal) return null;
        RouterAdvertisement message = new()
        {
            CurHopLimit = octets[4],
            IsManaged = (octets[5] & 0x80) != 0,
            HasOtherConfiguration = (octets[5] & 0x40) != 0,
            Preference = (RouterPreference)((octets[5] >> 3) & 0b11),
            RouterLifetime = TimeSpan.FromSeconds(BinaryPrimitives.ReadUInt16BigEndian(octets[6..])),
            ReachableTime = TimeSpan.FromMilliseconds(BinaryPrimitives.ReadUInt32BigEndian(octets[8..])),
            RetransTimer = TimeSpan.FromMilliseconds(BinaryPrimitives.ReadUInt32BigEndian(octets[12..])),
        };
        NdOptions options = new(octets[Size..]);
        while (options.MoveNext()) message = message.WithOption(options.Type, options.Octets);
        return message;
    }

    private RouterAdvertisement WithOption(NdOptionType type, ReadOnlySpan<byte> option)
    {
        switch (type)
        {
            case NdOptionType.SourceLinkLayerAddress:
                return this with { SourceLinkLayer = MacAddress.FromOctets(option[2..]) };
            case NdOptionType.Mtu:
                uint mtu = BinaryPrimitives.ReadUInt32BigEndian(option[4..]);
                return this with { MtuOctets = (int)Math.Min(mtu, int.MaxValue) };
            case NdOptionType.PrefixInformation:
                return PrefixInformation.TryDecode(option, out PrefixInformation prefix)
                    ? this with { Prefixes = Prefixes.Add(prefix) }
                    : this;
            case NdOptionType.RouteInformation:
                return RouteInformation.TryDecode(option, out RouteInformation route)
                    ? this with { Routes = Routes.Add(route) }
                    : this;
            case NdOptionType.RecursiveDnsServer when option.Length >= 24:
                ImmutableArray<IpAddress> servers = DnsServers;
                for (int at = 8; at + IpAddress.Ipv6Size <= option.Length; at += IpAddress.Ipv6Size)
                    servers = servers.Add(IpAddress.FromOctets(option.Slice(at, IpAddress.Ipv6Size)));
                return this with { DnsServers = servers, DnsLifetime = NdOptions.ReadLifetime(option[4..]) };
            case NdOptionType.DnsSearchList
                when DomainName.TryDecodeList(option[8..], out ImmutableArray<string> names):
                return this with
                {
                    DnsSearch = DnsSearch.AddRange(names),
                    DnsLifetime = NdOptions.ReadLifetime(option[4..]),
                };
            default:
                return this;
        }
    }

    /// <summary>Writes a frame with this message. Names of the search list must be valid, as configuration
    /// checks.</summary>
    /// <param name="output">Room for the message; 1514 octets are enough for what configuration allows.</param>
    /// <param name="ethernetSource">Source MAC address.</param>
    /// <param name="ethernetDestination">Destination MAC address.</param>
    /// <param name="source">The router's link-local address.</param>
    /// <param name="destination">The asker, or all nodes.</param>
    /// <returns>Octets of the frame.</returns>
    public int Write(
        Span<byte> output,
        MacAddress ethernetSource,
        MacAddress ethernetDestination,
        IpAddress source,
        IpAddress destination)
    {
        uint flags = (IsManaged ? 0x80u : 0) | (HasOtherConfiguration ? 0x40u : 0) | ((uint)Preference << 3);
        uint lifetime = (uint)Math.Min(RouterLifetime.TotalSeconds, ushort.MaxValue);
        uint word = ((uint)CurHopLimit << 24) | (flags << 16) | lifetime;
        FrameWriter writer = new(output);
        writer.Ethernet(ethernetDestination, ethernetSource);
        writer.Ip(source, destination, IpProtocol.Icmpv6, hopLimit: 255);
        writer.Icmp((byte)Icmpv6Type.RouterAdvertisement, 0, word);
        BinaryPrimitives.WriteUInt32BigEndian(writer.Rest, (uint)ReachableTime.TotalMilliseconds);
        BinaryPrimitives.WriteUInt32BigEndian(writer.Rest[4..], (uint)RetransTimer.TotalMilliseconds);
        writer.Advance(Size - 8);
        WriteOptions(ref writer);
        return writer.Finish();
    }

    private void WriteOptions(ref FrameWriter writer)
    {
        if (SourceLinkLayer is { } mac)
            NdOptions.WriteLinkLayer(ref writer, NdOptionType.SourceLinkLayerAddress, mac);
        if (MtuOctets is { } mtu)
        {
            Span<byte> option = NdOptions.Write(ref writer, NdOptionType.Mtu, 8);
            BinaryPrimitives.WriteUInt32BigEndian(option[4..], (uint)mtu);
        }

        foreach (PrefixInformation prefix in Prefixes)
        {
            Span<byte> option = NdOptions.Write(
                ref writer, NdOptionType.PrefixInformation, PrefixInformationSize);
            prefix.Encode(option);
        }

        foreach (RouteInformation route in Routes)
            route.Encode(NdOptions.Write(ref writer, NdOptionType.RouteInformation, route.SizeOctets));
        WriteDns(ref writer);
    }

    private void WriteDns(ref FrameWriter writer)
    {
        if (!DnsServers.IsEmpty)
        {
            int size = 8 + (DnsServers.Length * IpAddress.Ipv6Size);
            Span<byte> option = NdOptions.Write(ref writer, NdOptionType.RecursiveDnsServer, size);
            NdOptions.WriteLifetime(option[4..], DnsLifetime);
            for (int i = 0; i < DnsServers.Length; i++)
                DnsServers[i].CopyTo16(option[(8 + (i * IpAddress.Ipv6Size))..]);
        }

        if (!DnsSearch.IsEmpty)
        {
            byte[] names = DomainName.EncodeList(DnsSearch);
            int size = (8 + names.Length + 7) / 8 * 8;
            Span<byte> option = NdOptions.Write(ref writer, NdOptionType.DnsSearchList, size);
            NdOptions.WriteLifetime(option[4..], DnsLifetime);
            names.CopyTo(option[8..]);
        }
    }
}
