namespace Genkan.Wire.NeighborDiscovery;

/// <summary>IPv6 Neighbor Discovery option types (IANA registry).</summary>
public enum NdOptionType : byte
{
    /// <summary>Source Link-Layer Address (RFC 4861 §4.6.1).</summary>
    SourceLinkLayerAddress = 1,

    /// <summary>Target Link-Layer Address (RFC 4861 §4.6.1).</summary>
    TargetLinkLayerAddress = 2,

    /// <summary>Prefix Information (RFC 4861 §4.6.2).</summary>
    PrefixInformation = 3,

    /// <summary>Redirected Header (RFC 4861 §4.6.3).</summary>
    RedirectedHeader = 4,

    /// <summary>MTU (RFC 4861 §4.6.4).</summary>
    Mtu = 5,

    /// <summary>Nonce (RFC 3971 §5.3.2; RFC 7527: loop detection of duplicate address detection).</summary>
    Nonce = 14,

    /// <summary>Route Information (RFC 4191 §2.3).</summary>
    RouteInformation = 24,

    /// <summary>Recursive DNS Server (RFC 8106 §5.1).</summary>
    RecursiveDnsServer = 25,

    /// <summary>DNS Search List (RFC 8106 §5.2).</summary>
    DnsSearchList = 31,
}

/// <summary>Router preference, two bits signed (RFC 4191 §2.1).</summary>
public enum RouterPreference : byte
{
    /// <summary>Medium, the default.</summary>
    Medium = 0b00,

    /// <summary>High.</summary>
    High = 0b01,

    /// <summary>Reserved: treated as Medium in advertisements, the option ignored in route information.</summary>
    Reserved = 0b10,

    /// <summary>Low.</summary>
    Low = 0b11,
}
