using System.Runtime.InteropServices;
using Genkan.Wire;

namespace Genkan.Nat;

/// <summary>
/// An address and port mapping (RFC 4787 §4.1): the internal endpoint (<see cref="Source"/>, <see
/// cref="SourcePort"/>) is seen outside as (<see cref="PublicAddress"/>, <see cref="PublicPort"/>), whatever the
/// destination.
/// </summary>
/// <param name="Zone">Id of the router that translates.</param>
/// <param name="Protocol">TCP, UDP, ICMP or ICMPv6.</param>
/// <param name="Source">Internal address.</param>
/// <param name="SourcePort">Internal port or ICMP Identifier.</param>
/// <param name="PublicAddress">External address, of a block that this host owns.</param>
/// <param name="PublicPort">External port or ICMP Identifier, of the same block; never 0.</param>
[StructLayout(LayoutKind.Auto)] // 48 octets in place of 80: the table holds very many
public readonly record struct NatBinding(
    ulong Zone, IpProtocol Protocol, IpAddress Source, ushort SourcePort, IpAddress PublicAddress, ushort PublicPort);
