using Genkan.Wire;

namespace Genkan.Overlay.Flows;

/// <summary>What fragments of one datagram have in common (RFC 791 §3.2, RFC 8200 §4.5), as they enter at one
/// port.</summary>
/// <param name="Slot">Port slot.</param>
/// <param name="Source">Source address.</param>
/// <param name="Destination">Destination address.</param>
/// <param name="Protocol">Of IPv4; of IPv6 the first fragment alone says it, and this is 0.</param>
/// <param name="Identification">16 bits of IPv4, 32 of IPv6.</param>
public readonly record struct FragmentId(
    uint Slot, IpAddress Source, IpAddress Destination, IpProtocol Protocol, uint Identification)
{
    /// <summary>The datagram of a fragment.</summary>
    public static FragmentId Of(uint slot, in PacketHeader fragment) => new(
        slot,
        fragment.Source,
        fragment.Destination,
        fragment.IsIpv4 ? fragment.Protocol : default,
        fragment.Identification);
}
