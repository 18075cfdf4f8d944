using Genkan.Overlay.Flows;
using Genkan.Wire;

namespace Genkan.Overlay.Simulation;

/// <summary>The connections that this host knows, asked only about packets that no flow key can hold (ICMP
/// errors).</summary>
public interface IConnections
{
    /// <summary>State of the connection entry that a packet would meet.</summary>
    /// <param name="ingress">Where it would enter; <see cref="Ingress.State"/> is not looked at.</param>
    /// <param name="packet">Its headers. For an ICMP error: those of a packet that answers the quoted one (addresses
    /// and ports swapped), with the MACs of the error itself.</param>
    /// <returns>State of the entry, <see cref="ConnectionState.None"/> without one.</returns>
    ConnectionState Find(in Ingress ingress, in PacketHeader packet);
}

/// <summary>Knows no connection: for traces and tests.</summary>
public sealed class NoConnections : IConnections
{
    /// <summary>The one instance.</summary>
    public static NoConnections Instance { get; } = new();

    /// <inheritdoc/>
    public ConnectionState Find(in Ingress ingress, in PacketHeader packet) => ConnectionState.None;
}
