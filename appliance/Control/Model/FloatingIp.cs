using Genkan.Wire;

namespace Genkan.Control.Model;

/// <summary>A public address, mapped 1:1 to an address of a port.</summary>
/// <param name="Address">In a prefix of an external network.</param>
/// <param name="Port">Name of a port of the same tenant.</param>
/// <param name="FixedIp">Which of the port's addresses; null for its first of the family.</param>
/// <param name="Network">Name of that external network, or null: the address tells.</param>
public sealed record FloatingIp(IpAddress Address, string Port, IpAddress? FixedIp = null, string? Network = null);

/// <summary>A public transport port, mapped to a transport port of a port (Neutron: <c>port_forwarding</c>).</summary>
/// <param name="Address">In a prefix of an external network; may be a router's SNAT address.</param>
/// <param name="Protocol">TCP or UDP.</param>
/// <param name="ExternalPort">Public port.</param>
/// <param name="Port">Name of a port of the same tenant.</param>
/// <param name="InternalPort">Port there.</param>
/// <param name="FixedIp">Which of the port's addresses; null for its first of the family.</param>
public sealed record PortForward(
    IpAddress Address, IpProtocol Protocol, ushort ExternalPort, string Port, ushort InternalPort,
    IpAddress? FixedIp = null);
