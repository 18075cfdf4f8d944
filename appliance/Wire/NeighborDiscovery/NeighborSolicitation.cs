using System;

namespace Genkan.Wire.NeighborDiscovery;

/// <summary>
/// Neighbor Solicitation (RFC 4861 §4.3).
/// <code>
/// |  Type = 135   |   Code = 0    |           Checksum            |
/// |                           Reserved                            |
/// |                   Target Address (16 octets)                  |
/// |   Options ...
/// </code>
/// </summary>
/// <param name="Target">The address asked for.</param>
/// <param name="SourceLinkLayer">The asker's MAC address; null in duplicate address detection.</param>
public readonly record struct NeighborSolicitation(IpAddress Target, MacAddress? SourceLinkLayer)
{
    private const int Size = 24;

    /// <summary>Reads and validates a solicitation (RFC 4861 §7.1.1).</summary>
    /// <param name="frame">The whole frame.</param>
    /// <param name="header">Its header.</param>
    /// <param name="message">The message, or <c>default</c>.</param>
    /// <returns>False if it is another message or must be silently discarded. Never throws.</returns>
    public static bool TryDecode(ReadOnlySpan<byte> frame, in PacketHeader header, out NeighborSolicitation message)
    {
        message = default;
        if (!NdOptions.TryOpen(frame, header, Icmpv6Type.NeighborSolicitation, Size, out ReadOnlySpan<byte> octets))
            return false;

        IpAddress target = IpAddress.FromOctets(octets[8..24]);
        if (target.IsMulticast || target.IsIpv4) return false;
        MacAddress? mac = NdOptions.FindLinkLayer(octets[Size..], NdOptionType.SourceLinkLayerAddress);
        if (header.Source.IsUnspecified && (header.Destination != target.SolicitedNode() || mac is not null))
            return false;

        message = new NeighborSolicitation(target, mac);
        return true;
    }

    /// <summary>Writes a frame with this message.</summary>
    /// <param name="output">At least 90 octets.</param>
    /// <param name="ethernetSource">Source MAC address.</param>
    /// <param name="ethernetDestination">Destination MAC address.</param>
    /// <param name="source">Source address, or unspecified.</param>
    /// <param name="destination">The solicited-node group, or the neighbour itself.</param>
    /// <returns>Octets of the frame.</returns>
    public int Write(
        Span<byte> output,
        MacAddress ethernetSource,
        MacAddress ethernetDestination,
        IpAddress source,
        IpAddress destination)
    {
        FrameWriter writer = new(output);
        writer.Ethernet(ethernetDestination, ethernetSource);
        writer.Ip(source, destination, IpProtocol.Icmpv6, hopLimit: 255);
        writer.Icmp((byte)Icmpv6Type.NeighborSolicitation);
        Target.CopyTo16(writer.Rest);
        writer.Advance(IpAddress.Ipv6Size);
        if (SourceLinkLayer is { } mac)
            NdOptions.WriteLinkLayer(ref writer, NdOptionType.SourceLinkLayerAddress, mac);
        return writer.Finish();
    }

    /// <summary>
    /// Writes a solicitation to the target's solicited-node group, with the source link-layer option.
    /// </summary>
    /// <param name="output">At least 90 octets.</param>
    /// <param name="mac">The asker's MAC address.</param>
    /// <param name="source">The asker's address.</param>
    /// <param name="target">The address asked for.</param>
    /// <returns>Octets of the frame.</returns>
    public static int WriteMulticast(Span<byte> output, MacAddress mac, IpAddress source, IpAddress target)
    {
        IpAddress group = target.SolicitedNode();
        NeighborSolicitation message = new(target, mac);
        return message.Write(output, mac, MacAddress.OfMulticastGroup(group), source, group);
    }
}
