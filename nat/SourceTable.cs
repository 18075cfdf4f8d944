using System.Numerics;
using System.Runtime.InteropServices;
using Genkan.Wire;

namespace Genkan.Nat;

/// <summary>
/// Internal addresses that have mappings: how many (RFC 6888 REQ-4) and under which external address (paired pooling,
/// RFC 4787 §4.1 REQ-2). A struct array with chains by index; no allocation after construction.
/// </summary>
internal sealed class SourceTable
{
    private readonly Source[] _sources;
    private readonly int[] _buckets; // index + 1; 0 is empty
    private readonly ulong _key;
    private int _freeHead = -1;
    private int _usedCount;

    internal SourceTable(int capacity, ulong key)
    {
        _sources = new Source[capacity];
        _buckets = new int[(int)BitOperations.RoundUpToPowerOf2((uint)capacity)];
        _key = key;
    }

    [StructLayout(LayoutKind.Auto)]
    private struct Source
    {
        internal ulong Zone;
        internal IpAddress Address;
        internal IpAddress PublicAddress;
        internal int BindingCount;
        internal int Next; // index, or -1
    }

    internal uint Hash(ulong zone, IpAddress address) => NatHash.Source(_key, zone, address);

    /// <summary>The index of a source, or -1.</summary>
    internal int Find(ulong zone, IpAddress address)
    {
        for (int i = Bucket(zone, address) - 1; i >= 0; i = _sources[i].Next)
        {
            if (_sources[i].Zone == zone && _sources[i].Address == address) return i;
        }

        return -1;
    }

    internal IpAddress PublicAddress(int index) => _sources[index].PublicAddress;

    internal int BindingCount(int index) => _sources[index].BindingCount;

    /// <summary>Counts one more mapping; there is always room, since a source has at least one mapping.</summary>
    internal void Add(ulong zone, IpAddress address, IpAddress publicAddress)
    {
        int index = Find(zone, address);
        if (index >= 0)
        {
            _sources[index].BindingCount++;
            return;
        }

        index = _freeHead >= 0 ? _freeHead : _usedCount++;
        if (index == _freeHead) _freeHead = _sources[index].Next;
        ref int bucket = ref Bucket(zone, address);
        _sources[index] = new Source
        {
            Zone = zone,
            Address = address,
            PublicAddress = publicAddress,
            BindingCount = 1,
            Next = bucket - 1,
        };
        bucket = index + 1;
    }

    /// <summary>Counts one mapping less; the last one ends the pairing.</summary>
    internal void Remove(ulong zone, IpAddress address)
    {
        int index = Find(zone, address);
        if (--_sources[index].BindingCount > 0) return;

        ref int bucket = ref Bucket(zone, address);
        if (bucket - 1 == index)
        {
            bucket = _sources[index].Next + 1;
        }
        else
        {
            int previous = bucket - 1;
            while (_sources[previous].Next != index) previous = _sources[previous].Next;
            _sources[previous].Next = _sources[index].Next;
        }

        _sources[index] = new Source { Next = _freeHead };
        _freeHead = index;
    }

    private ref int Bucket(ulong zone, IpAddress address) =>
        ref _buckets[Hash(zone, address) & (uint)(_buckets.Length - 1)];
}
