using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.Numerics;
using Genkan.Wire;

namespace Genkan.Nat;

/// <summary>
/// The ports of one external address in one zone, and which are in use: a bit for each port and transport. Made
/// when the blocks are set, never for a packet.
/// </summary>
internal sealed class AddressPool
{
    /// <summary>Number spaces that share nothing: TCP, UDP, ICMP Identifiers, ICMPv6 Identifiers.</summary>
    internal const int SpaceCount = 4;

    // Disjoint, ascending; At: index of First among all ports.
    private readonly (ushort First, ushort Last, int At)[] _runs;
    private readonly ulong[] _used;                               // SpaceCount rows of _wordCount
    private readonly int[] _freeCount = new int[SpaceCount];
    private readonly int _wordCount;

    internal AddressPool(IpAddress address, List<(ushort First, ushort Last)> ports, ushort withheldUdpPort)
    {
        Address = address;
        ports.Sort();
        List<(ushort First, ushort Last, int At)> runs = [];
        foreach ((ushort portFirst, ushort last) in ports)
        {
            // 0 is never given out; overlaps merge.
            int first = Math.Max(portFirst, runs.Count == 0 ? 1 : runs[^1].Last + 1);
            if (first > last) continue;
            runs.Add(((ushort)first, last, PortCount));
            PortCount += last - first + 1;
        }

        _runs = [.. runs];
        _wordCount = (PortCount + 63) / 64;
        _used = new ulong[SpaceCount * _wordCount];
        Array.Fill(_freeCount, PortCount);
        int beyond = (_wordCount * 64) - PortCount;
        for (int space = 0; space < SpaceCount && beyond > 0; space++)
            // Past the end: always in use.
            _used[(space * _wordCount) + _wordCount - 1] = ulong.MaxValue << (64 - beyond);

        // In use for ever: nobody frees what no mapping holds.
        _ = TryTake(SpaceOf(IpProtocol.Udp), withheldUdpPort);
    }

    internal IpAddress Address { get; }

    internal int PortCount { get; }

    internal int FreeCount(int space) => _freeCount[space];

    /// <summary>The number space of a protocol, or -1 if it has no ports to share.</summary>
    internal static int SpaceOf(IpProtocol protocol) => protocol switch
    {
        IpProtocol.Tcp => 0,
        IpProtocol.Udp => 1,
        IpProtocol.Icmp => 2,
        IpProtocol.Icmpv6 => 3,
        _ => -1,
    };

    /// <summary>
    /// Takes a free port: random ones first (RFC 6056 §3.3.1), then the next free one behind a random place. Looks
    /// at no more than <see cref="NatLimits.RandomTriesMax"/> ports and 1,025 words.
    /// </summary>
    internal bool TryTake(int space, ref ulong random, out ushort port)
    {
        port = 0;
        if (_freeCount[space] == 0) return false;

        Span<ulong> used = Row(space);
        int at = 0;
        for (int i = 0; i < NatLimits.RandomTriesMax; i++)
        {
            at = (int)(((UInt128)NatHash.Next(ref random) * (uint)PortCount) >> 64); // unbiased enough, below PortCount
            if ((used[at >> 6] >> at & 1) == 0) return Take(space, at, out port);
        }

        for (int i = 0; i < _wordCount; i++)
        {
            int word = ((at >> 6) + i) % _wordCount;
            if (used[word] != ulong.MaxValue)
                return Take(space, (word << 6) + BitOperations.TrailingZeroCount(~used[word]), out port);
        }

        throw new UnreachableException("free ports are counted but none is free");
    }

    /// <summary>Takes this very port; false if it is not of the blocks or in use.</summary>
    internal bool TryTake(int space, ushort port)
    {
        int at = IndexOf(port);
        return at >= 0 && (Row(space)[at >> 6] >> at & 1) == 0 && Take(space, at, out _);
    }

    internal void Free(int space, ushort port)
    {
        int at = IndexOf(port);
        Debug.Assert(at >= 0 && (Row(space)[at >> 6] >> at & 1) == 1, "a port is freed once, by what took it");
        Row(space)[at >> 6] &= ~(1UL << at);
        _freeCount[space]++;
    }

    internal bool Contains(ushort port) => IndexOf(port) >= 0;

    private Span<ulong> Row(int space) => _used.AsSpan(space * _wordCount, _wordCount);

    private bool Take(int space, int at, out ushort port)
    {
        Row(space)[at >> 6] |= 1UL << at;
        _freeCount[space]--;
        int run = RunBy(at);
        port = (ushort)(_runs[run].First + at - _runs[run].At);
        return true;
    }

    private int RunBy(int at)
    {
        (int low, int high) = (0, _runs.Length - 1);
        while (low < high)
        {
            int middle = (low + high + 1) / 2;
            if (_runs[middle].At <= at) low = middle;
            else high = middle - 1;
        }

        return low;
    }

    private int IndexOf(ushort port)
    {
        (int low, int high) = (0, _runs.Length - 1);
        while (low <= high)
        {
            int middle = (low + high) / 2;
            if (port < _runs[middle].First) high = middle - 1;
            else if (port > _runs[middle].Last) low = middle + 1;
            else return _runs[middle].At + port - _runs[middle].First;
        }

        return -1;
    }
}
