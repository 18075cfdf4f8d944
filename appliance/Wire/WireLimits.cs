namespace Genkan.Wire;

/// <summary>The named maxima of this library. Each has a test that goes past it.</summary>
public static class WireLimits
{
    /// <summary>IPv6 extension headers walked before a packet is refused.</summary>
    public const int ExtensionHeadersMax = 6;

    /// <summary>Octets of an ICMPv4 error with its IP header (RFC 1812 §4.3.2.3).</summary>
    public const int IcmpErrorLengthMax = 576;

    /// <summary>Octets of an ICMPv6 error with its IP header, the minimum IPv6 MTU (RFC 4443 §2.4 (c)).</summary>
    public const int Icmpv6ErrorLengthMax = 1280;

    /// <summary>Options read in one Neighbor Discovery message; more make it invalid.</summary>
    public const int NdOptionsMax = 64;

    /// <summary>Characters of a domain name as text (RFC 1035 §3.1: 255 octets with length octets).</summary>
    public const int DomainNameLengthMax = 253;

    /// <summary>Domain names in one search list.</summary>
    public const int DomainSearchMax = 32;

    /// <summary>Compression pointers followed in one domain name.</summary>
    public const int DomainNamePointersMax = 8;

    /// <summary>Options in one DHCPv4 or DHCPv6 message, before long ones are joined (RFC 3396).</summary>
    public const int DhcpOptionsMax = 256;

    /// <summary>Octets of one DHCP message.</summary>
    public const int DhcpLengthMax = 1472;
}
