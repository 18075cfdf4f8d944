using System;

namespace Genkan.Wire.NeighborDiscovery;

/// <summary>
/// Router Solicitation (RFC 4861 §4.1).
/// <code>
/// |  Type = 133   |   Code = 0    |           Checksum            |
/// |                           Reserved                            |
/// |   Options ...
/// </code>
/// </summary>
/// <param name="SourceLinkLayer">The asker's MAC address; null if the option is missing.</param>
public readonly record struct RouterSolicitation(MacAddress? SourceLinkLayer)
{
    private const int Size = 8;

    /// <summary>Reads and validates a solicitation (RFC 4861 §6.1.1).</summary>
    /// <param name="frame">The whole frame.</param>
    /// <param name="header">Its header.</param>
    /// <param name="message">The message, or <c>default</c>.</param>
    /// <returns>False if it is another message or must be silently discarded. Never throws.</returns>
    public static bool TryDecode(ReadOnlySpan<byte> frame, in PacketHeader header, out RouterSolicitation message)
    {
        message = default;
        if (!NdOptions.TryOpen(frame, header, Icmpv6Type.RouterSolicitation, Size, out ReadOnlySpan<byte> octets))
            return false;

        MacAddress? mac = NdOptions.FindLinkLayer(octets[Size..], NdOptionType.SourceLinkLayerAddress);
        if (header.Source.IsUnspecified && mac is not null) return false;
        message = new RouterSolicitation(mac);
        return true;
    }

    /// <summary>Writes a frame with this message to all routers.</summary>
    /// <param name="output">At least 70 octets.</param>
    /// <param name="ethernetSource">Source MAC address.</param>
    /// <param name="source">Link-local address, or unspecified.</param>
    /// <returns>Octets of the frame.</returns>
    public int Write(Span<byte> output, MacAddress ethernetSource, IpAddress source)
    {
        FrameWriter writer = new(output);
        writer.Ethernet(MacAddress.OfMulticastGroup(IpAddress.AllRouters), ethernetSource);
        writer.Ip(source, IpAddress.AllRouters, IpProtocol.Icmpv6, hopLimit: 255);
        writer.Icmp((byte)Icmpv6Type.RouterSolicitation);
        if (SourceLinkLayer is { } mac)
            NdOptions.WriteLinkLayer(ref writer, NdOptionType.SourceLinkLayerAddress, mac);
        return writer.Finish();
    }
}
