using System;
using System.Collections.Generic;

namespace Genkan.Datapath.Tables;

/// <summary>
/// Entries of the tables that grow with traffic. They are preallocated, so memory bounds them:
/// <code>
/// conn4  element 48 (hash) + 32 (key) + 128 (value) = 208 octets, + 16 a bucket, buckets rounded up to a power of two
/// conn6  element 48 + 56 + 128 = 232 octets, + 16 a bucket
/// class  as conn6
/// fragment, fragment_outside  element 48 + 48 + 1,072 = 1,168 octets, of each
/// 128 k + 64 k + 32 k entries = 29 + 16 + 8 = 53 MB of 2 GiB;  1 M + 512 k + 64 k = 235 + 130 + 16 = 381 MB of 4 GiB
/// fragments: 2 × 4 k = 10 MB of 2 GiB;  2 × 8 k = 19 MB of 4 GiB
/// </code>
/// </summary>
/// <param name="Conn4">IPv4 connections, both directions counted.</param>
/// <param name="Conn6">IPv6 connections, both directions counted.</param>
/// <param name="Class">Masked entries.</param>
/// <param name="Fragment">Datagrams in pieces, from the tenants and again as many from the outside.</param>
public sealed record TableSizes(uint Conn4, uint Conn6, uint Class, uint Fragment = 1024)
{
    private const ulong Gibi = 1UL << 30;

    /// <summary>Smallest sizes: a box of less than 2 GiB, or a test.</summary>
    public static TableSizes Small { get; } = new(16_384, 8_192, 4_096);

    /// <summary>The sizes for a host with so much memory.</summary>
    /// <param name="memoryOctets">Memory of the machine.</param>
    public static TableSizes For(ulong memoryOctets) => memoryOctets switch
    {
        // A machine sold as 2 GiB shows a little less: the kernel keeps some to itself.
        >= (Gibi * 15 / 4) => new(1 << 20, 1 << 19, 65_536, 8192),
        >= (Gibi * 7 / 4) => new(131_072, 65_536, 32_768, 4096),
        _ => Small,
    };

    /// <summary>The sizes for this machine.</summary>
    public static TableSizes ForThisMachine() => For((ulong)GC.GetGCMemoryInfo().TotalAvailableMemoryBytes);

    internal Dictionary<string, uint> ToDictionary() => new(StringComparer.Ordinal)
    {
        ["conn4"] = Conn4,
        ["conn6"] = Conn6,
        ["class"] = Class,
        ["fragment"] = Fragment,
        ["fragment_outside"] = Fragment,
    };
}
