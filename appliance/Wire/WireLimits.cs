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
}
