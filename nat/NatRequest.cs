using Genkan.Wire;

namespace Genkan.Nat;

/// <summary>One packet that wants to leave through source NAT, as the simulation sees it before translation.</summary>
/// <param name="Zone">Id of the router that translates; tuples of different zones never meet.</param>
/// <param name="Protocol">
/// TCP, UDP, ICMP or ICMPv6; anything else is <see cref="NatRefusal.ProtocolUnsupported"/>.
/// </param>
/// <param name="Source">Internal address.</param>
/// <param name="SourcePort">Internal port; for ICMP the Identifier of the query (RFC 5508 §3.1).</param>
/// <param name="Destination">
/// External address. Part of the connection, not of the mapping: the mapping is endpoint-independent (RFC 4787 §4.1).
/// </param>
/// <param name="DestinationPort">External port; 0 for ICMP. As <paramref name="Destination"/>.</param>
/// <param name="Owner">
/// Id of the port where the packet entered, whatever address it has; 0 if that is not known, and then not counted.
/// </param>
public readonly record struct NatRequest(
    ulong Zone,
    IpProtocol Protocol,
    IpAddress Source,
    ushort SourcePort,
    IpAddress Destination,
    ushort DestinationPort,
    ulong Owner = 0);
