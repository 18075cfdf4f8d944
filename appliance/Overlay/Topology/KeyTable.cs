using System.Collections.Generic;
using System.Diagnostics.CodeAnalysis;
using System.Numerics;
using Genkan.Wire;

namespace Genkan.Overlay.Topology;

/// <summary>
/// A fixed table by a 128-bit key (address, MAC, id): open addressing at half load, so that a look-up on the packet
/// path is one multiplication and, mostly, one cache line. A general dictionary calls a comparer for each step.
/// </summary>
internal sealed class KeyTable<T>
{
    private readonly Entry[] _entries;
    private readonly ulong _mask;

    /// <summary>Makes the table; of equal keys the first one stays.</summary>
    public KeyTable(IReadOnlyCollection<(ulong High, ulong Low, T Value)> items)
    {
        _entries = new Entry[(int)BitOperations.RoundUpToPowerOf2((uint)(items.Count * 2) | 1)];
        _mask = (ulong)_entries.Length - 1;
        foreach ((ulong high, ulong low, T value) in items)
        {
            ulong i = Hash(high, low) & _mask;
            while (_entries[i].IsUsed && !_entries[i].Is(high, low)) i = (i + 1) & _mask;
            if (_entries[i].IsUsed) continue;
            _entries[i] = new Entry { High = high, Low = low, IsUsed = true, Value = value };
            Count++;
        }
    }

    /// <summary>Keys in the table.</summary>
    public int Count { get; }

    public bool TryGet(ulong high, ulong low, [MaybeNullWhen(false)] out T value)
    {
        Entry[] entries = _entries;
        for (ulong i = Hash(high, low) & _mask; ; i = (i + 1) & _mask)
        {
            ref readonly Entry entry = ref entries[i];
            if (!entry.IsUsed)
            {
                value = default;
                return false;
            }

            if (!entry.Is(high, low)) continue;
            value = entry.Value;
            return true;
        }
    }

    public bool TryGet(IpAddress address, [MaybeNullWhen(false)] out T value) =>
        TryGet((ulong)(address.Value >> 64), (ulong)address.Value, out value);

    public bool TryGet(MacAddress mac, [MaybeNullWhen(false)] out T value) => TryGet(0, mac.Value, out value);

    public bool TryGet(ObjectId id, [MaybeNullWhen(false)] out T value) => TryGet(0, id.Value, out value);

    public bool Contains(IpAddress address) => TryGet(address, out _);

    private static ulong Hash(ulong high, ulong low)
    {
        ulong h = (low ^ BitOperations.RotateLeft(high, 29)) * 0x9e3779b97f4a7c15;
        return h ^ (h >> 32);
    }

    private struct Entry
    {
        public ulong High;
        public ulong Low;
        public bool IsUsed;
        public T Value;

        public readonly bool Is(ulong high, ulong low) => Low == low && High == high;
    }
}

/// <summary>Makes key tables.</summary>
internal static class KeyTable
{
    public static KeyTable<T> ByAddress<T>(IEnumerable<(IpAddress Address, T Value)> items)
    {
        List<(ulong, ulong, T)> list = [];
        foreach ((IpAddress a, T value) in items) list.Add(((ulong)(a.Value >> 64), (ulong)a.Value, value));
        return new KeyTable<T>(list);
    }

    public static KeyTable<T> ByMac<T>(IEnumerable<(MacAddress Mac, T Value)> items)
    {
        List<(ulong, ulong, T)> list = [];
        foreach ((MacAddress mac, T value) in items) list.Add((0, mac.Value, value));
        return new KeyTable<T>(list);
    }

    public static KeyTable<T> ById<T>(IEnumerable<(ObjectId Id, T Value)> items)
    {
        List<(ulong, ulong, T)> list = [];
        foreach ((ObjectId id, T value) in items) list.Add((0, id.Value, value));
        return new KeyTable<T>(list);
    }
}
