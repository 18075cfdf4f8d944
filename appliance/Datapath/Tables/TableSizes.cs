using System;
using System.Collections.Generic;
using System.Numerics;
using Genkan.Datapath.Layout;

namespace Genkan.Datapath.Tables;

/// <summary>
/// Entries of the tables that grow with traffic. They are preallocated: their memory is taken at the start, and does
/// not grow.
/// <code>
/// conn4  element 48 (hash) + 32 (key, to a multiple of 8) + 128 (value) = 208 octets
/// conn6  element 48 + 56 + 128 = 232 octets; class alike
/// fragment, fragment_outside  element 48 + 48 + 1,072 = 1,168 octets, of each
/// each   + 16 a bucket, buckets rounded up to a power of two
/// </code>
/// What that comes to, with all other tables, stands in docs/capacity.md.
/// </summary>
/// <param name="Conn4">IPv4 connections, both directions counted.</param>
/// <param name="Conn6">IPv6 connections, both directions counted.</param>
/// <param name="Class">Masked entries.</param>
/// <param name="Fragment">Datagrams in pieces, from the tenants and again as many from the outside.</param>
public sealed record TableSizes(uint Conn4, uint Conn6, uint Class, uint Fragment = 1024)
{
    /// <summary>Fewest IPv4 entries that can be asked for.</summary>
    public const uint ConnectionsMin = 1 << 10;

    /// <summary>Most IPv4 entries that can be asked for: all tables then take about 1.7 GB.</summary>
    public const uint ConnectionsMax = 1 << 22;

    private const ulong Gibi = 1UL << 30;
    private const ulong HashElementSize = 48;
    private const ulong HashBucketSize = 16;

    /// <summary>Smallest sizes by a machine's memory: below 2 GiB.</summary>
    public static TableSizes Small { get; } = Of(16_384);

    /// <summary>Octets that the connection, class and fragment tables take, empty or full.</summary>
    public ulong MemoryOctets =>
        HashOctets(Conn4, 32, 128) + HashOctets(Conn6, 56, 128) + HashOctets(Class, 56, 128)
        + (2 * HashOctets(Fragment, 48, 48 + (8 * LayoutLimits.FragmentWords)));

    /// <summary>The sizes for so many IPv4 entries: half as many for IPv6, and what belongs to them.</summary>
    /// <param name="connections">From <see cref="ConnectionsMin"/> to <see cref="ConnectionsMax"/>.</param>
    public static TableSizes Of(uint connections) => new(
        connections,
        connections / 2,
        Math.Clamp(connections / 4, 1024, 65_536),
        Math.Clamp(connections / 32, 1024, 8192));

    /// <summary>The sizes for a host with so much memory.</summary>
    /// <param name="memoryOctets">Memory of the machine.</param>
    public static TableSizes For(ulong memoryOctets) => memoryOctets switch
    {
        // A machine sold as 2 GiB shows a little less: the kernel keeps some to itself.
        >= (Gibi * 15 / 4) => Of(1 << 20),
        >= (Gibi * 7 / 4) => Of(131_072),
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

    private static ulong HashOctets(uint entries, ulong keySize, ulong valueSize) =>
        (entries * (HashElementSize + keySize + valueSize))
        + (BitOperations.RoundUpToPowerOf2(entries) * HashBucketSize);
}
