using System;

namespace Genkan.Wire.NeighborDiscovery;

/// <summary>
/// Neighbor Advertisement (RFC 4861 §4.4).
/// <code>
/// |  Type = 136   |   Code = 0    |           Checksum            |
/// |R|S|O|                     Reserved                            |
/// |                   Target Address (16 octets)                  |
/// |   Options ...
/// </code>
/// </summary>
/// <param name="Target">The address that is advertised.</param>
/// <param name="TargetLinkLayer">Its MAC address; null if the option is missing.</param>
/// <param name="IsRouter">The R flag.</param>
/// <param name="IsSolicited">The S flag: an answer to a solicitation.</param>
/// <param name="IsOverride">The O flag: replaces what the neighbour knew.</param>
public readonly record struct NeighborAdvertisement(
    IpAddress Target,
    MacAddress? TargetLinkLayer,
    bool IsRouter,
    bool IsSolicited,
    bool IsOverride)
{
    private const int Size = 24;

    /// <summary>Reads and validates an advertisement (RFC 4861 §7.1.2).</summary>
    /// <param name="frame">The whole frame.</param>
    /// <param name="header">Its header.</param>
    /// <param name="message">The message, or <c>default</c>.</param>
    /// <returns>False if it is another message or must be silently discarded. Never throws.</returns>
    public static bool TryDecode(ReadOnlySpan<byte> frame, in PacketHeader header, out NeighborAdvertisement message)
    {
        message = default;
        if (!NdOptions.TryOpen(frame, header, Icmpv6Type.NeighborAdvertisement, Size, out ReadOnlySpan<byte> octets))
            return false;

        IpAddress target = IpAddress.FromOctets(octets[8..24]);
        bool isSolicited = (octets[4] & 0x40) != 0;
        if (target.IsMulticast || target.IsIpv4 || (isSolicited && header.Destination.IsMulticast)) return false;
        message = new NeighborAdvertisement(
            target,
            NdOptions.FindLinkLayer(octets[Size..], NdOptionType.TargetLinkLayerAddress),
            (octets[4] & 0x80) != 0,
            isSolicited,
            (octets[4] & 0x20) != 0);
        return true;
    }

    /// <summary>Writes a frame with this message.</summary>
    /// <param name="output">At least 90 octets.</param>
    /// <param name="ethernetSource">Source MAC address.</param>
    /// <param name="ethernetDestination">Destination MAC address.</param>
    /// <param name="source">Source address.</param>
    /// <param name="destination">The asker, or all nodes.</param>
    /// <returns>Octets of the frame.</returns>
    public int Write(
        Span<byte> output,
        MacAddress ethernetSource,
        MacAddress ethernetDestination,
        IpAddress source,
        IpAddress destination)
    {
        uint flags = (IsRouter ? 0x8000_0000 : 0) | (IsSolicited ? 0x4000_0000u : 0) | (IsOverride ? 0x2000_0000u : 0);
        FrameWriter writer = new(output);
        writer.Ethernet(ethernetDestination, ethernetSource);
        writer.Ip(source, destination, IpProtocol.Icmpv6, hopLimit: 255);
        writer.Icmp((byte)Icmpv6Type.NeighborAdvertisement, 0, flags);
        Target.CopyTo16(writer.Rest);
        writer.Advance(IpAddress.Ipv6Size);
        if (TargetLinkLayer is { } mac)
            NdOptions.WriteLinkLayer(ref writer, NdOptionType.TargetLinkLayerAddress, mac);
        return writer.Finish();
    }

    /// <summary>
    /// Writes the answer to a solicitation (RFC 4861 §7.2.4): to the asker, solicited; to all nodes and unsolicited if
    /// the asker had no address (duplicate address detection).
    /// </summary>
    /// <param name="output">At least 90 octets.</param>
    /// <param name="header">The solicitation's header.</param>
    /// <param name="solicitation">The solicitation.</param>
    /// <param name="mac">The target's MAC address.</param>
    /// <param name="isRouter">Whether the target is a router.</param>
    /// <returns>Octets of the frame.</returns>
    public static int WriteReply(
        Span<byte> output,
        in PacketHeader header,
        NeighborSolicitation solicitation,
        MacAddress mac,
        bool isRouter)
    {
        bool isSolicited = !header.Source.IsUnspecified;
        NeighborAdvertisement reply = new(solicitation.Target, mac, isRouter, isSolicited, IsOverride: true);
        IpAddress destination = isSolicited ? header.Source : IpAddress.AllNodes;
        MacAddress ethernetDestination = isSolicited
            ? solicitation.SourceLinkLayer ?? header.EthernetSource
            : MacAddress.OfMulticastGroup(destination);
        return reply.Write(output, mac, ethernetDestination, solicitation.Target, destination);
    }
}
