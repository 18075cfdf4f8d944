using System;
using System.Net;

namespace Genkan.Benchmarks.Traffic;

/// <summary>Octets of addresses as they stand in a frame.</summary>
internal static class Octets
{
    /// <summary>Six octets.</summary>
    internal static byte[] OfMac(string text) =>
        Convert.FromHexString(text.Replace(":", "", StringComparison.Ordinal));

    /// <summary>Four octets of an IPv4 address.</summary>
    internal static byte[] OfIpv4(string text) => IPAddress.Parse(text).GetAddressBytes();
}
