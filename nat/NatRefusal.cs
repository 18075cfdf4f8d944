namespace Genkan.Nat;

/// <summary>
/// Why a mapping was not made. The packet is dropped and counted under this name (RFC 6888 §3, REQ-11).
/// </summary>
public enum NatRefusal : byte
{
    /// <summary>Not refused.</summary>
    None,

    /// <summary>The zone has no block, or every port of the address that the source is paired with is in use.</summary>
    PortsExhausted,

    /// <summary>The source holds <see cref="NatLimits.BindingsPerSourceMax"/> mappings (RFC 6888 §3, REQ-4), or its
    /// port or zone as many as are left of the last ones (<see cref="NatLimits.ReservedShare"/>).</summary>
    QuotaReached,

    /// <summary>The table holds <see cref="NatLimits.BindingsMax"/> mappings.</summary>
    TableFull,

    /// <summary>The protocol has no port that could be shared: neither TCP, UDP, ICMP nor ICMPv6.</summary>
    ProtocolUnsupported,

    /// <summary>Restoring only: the external tuple is outside the zone's blocks.</summary>
    NotOwned,

    /// <summary>
    /// Restoring only: an endpoint belongs to another mapping, or the source is paired with another address.
    /// </summary>
    Conflict,
}
