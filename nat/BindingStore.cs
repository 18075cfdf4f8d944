using System;
using System.Numerics;
using System.Runtime.InteropServices;
using Genkan.Wire;

namespace Genkan.Nat;

/// <summary>
/// Mappings in one struct array, found by either endpoint, and those without a connection in queues by deadline.
/// Chains and queues link by index; no allocation after construction, and nothing in it for the collector to
/// follow.
/// </summary>
internal sealed class BindingStore
{
    private readonly Entry[] _entries;
    private readonly int[] _byInternal; // index + 1; 0 is empty
    private readonly int[] _byPublic;
    private readonly (int Head, int Tail)[] _queues;
    private readonly ulong _key;
    private int _freeHead = -1;
    private int _usedCount;

    /// <summary>Makes an empty store.</summary>
    /// <param name="capacity">Mappings that fit.</param>
    /// <param name="queueCount">Number of different waiting times; within one queue deadlines ascend.</param>
    /// <param name="key">Key of the hashes.</param>
    internal BindingStore(int capacity, int queueCount, ulong key)
    {
        _entries = new Entry[capacity];
        int buckets = (int)BitOperations.RoundUpToPowerOf2((uint)capacity);
        _byInternal = new int[buckets];
        _byPublic = new int[buckets];
        _queues = new (int, int)[queueCount];
        Array.Fill(_queues, (-1, -1));
        _key = key;
    }

    [StructLayout(LayoutKind.Auto)]
    internal struct Entry
    {
        internal NatBinding Binding;
        internal ulong Owner; // 0: not known
        internal TimeSpan Deadline;
        internal int ReferenceCount;
        internal int NextInternal; // index, or -1; also the chain of free entries
        internal int NextPublic;
        internal int Earlier;
        internal int Later;
        internal short Queue;      // -1: in none
        internal bool IsUsed;
    }

    internal int Count { get; private set; }

    /// <summary>One past the highest index in use so far: bound for a walk over <see cref="At"/>.</summary>
    internal int IndexEnd => _usedCount;

    internal bool IsFull => Count == _entries.Length;

    internal ref Entry At(int index) => ref _entries[index];

    internal int FindInternal(ulong zone, IpProtocol protocol, IpAddress source, ushort port)
    {
        for (int i = Bucket(_byInternal, zone, protocol, source, port) - 1; i >= 0; i = _entries[i].NextInternal)
        {
            ref readonly NatBinding b = ref _entries[i].Binding;
            if (b.SourcePort != port || b.Zone != zone) continue;
            if (b.Protocol == protocol && b.Source == source) return i;
        }

        return -1;
    }

    internal int FindPublic(ulong zone, IpProtocol protocol, IpAddress address, ushort port)
    {
        for (int i = Bucket(_byPublic, zone, protocol, address, port) - 1; i >= 0; i = _entries[i].NextPublic)
        {
            ref readonly NatBinding b = ref _entries[i].Binding;
            if (b.PublicPort != port || b.Zone != zone) continue;
            if (b.Protocol == protocol && b.PublicAddress == address) return i;
        }

        return -1;
    }

    /// <summary>Stores a mapping that is not there yet; the caller has checked <see cref="IsFull"/>.</summary>
    internal int Add(in NatBinding b, ulong owner)
    {
        int index = _freeHead >= 0 ? _freeHead : _usedCount++;
        if (index == _freeHead) _freeHead = _entries[index].NextInternal;
        ref int inner = ref Bucket(_byInternal, b.Zone, b.Protocol, b.Source, b.SourcePort);
        ref int outer = ref Bucket(_byPublic, b.Zone, b.Protocol, b.PublicAddress, b.PublicPort);
        _entries[index] = new Entry
        {
            Binding = b,
            Owner = owner,
            NextInternal = inner - 1,
            NextPublic = outer - 1,
            Earlier = -1,
            Later = -1,
            Queue = -1,
            IsUsed = true,
        };
        (inner, outer) = (index + 1, index + 1);
        Count++;
        return index;
    }

    internal void Remove(int index)
    {
        Unqueue(index);
        ref Entry entry = ref _entries[index];
        ref readonly NatBinding b = ref entry.Binding;

        ref int inner = ref Bucket(_byInternal, b.Zone, b.Protocol, b.Source, b.SourcePort);
        if (inner - 1 == index)
        {
            inner = entry.NextInternal + 1;
        }
        else
        {
            int previous = inner - 1;
            while (_entries[previous].NextInternal != index) previous = _entries[previous].NextInternal;
            _entries[previous].NextInternal = entry.NextInternal;
        }

        ref int outer = ref Bucket(_byPublic, b.Zone, b.Protocol, b.PublicAddress, b.PublicPort);
        if (outer - 1 == index)
        {
            outer = entry.NextPublic + 1;
        }
        else
        {
            int previous = outer - 1;
            while (_entries[previous].NextPublic != index) previous = _entries[previous].NextPublic;
            _entries[previous].NextPublic = entry.NextPublic;
        }

        entry = new Entry { NextInternal = _freeHead };
        _freeHead = index;
        Count--;
    }

    /// <summary>Puts an entry last in a queue, wherever it was.</summary>
    internal void Enqueue(int index, int queue, TimeSpan deadline)
    {
        Unqueue(index);
        ref (int Head, int Tail) q = ref _queues[queue];
        ref Entry entry = ref _entries[index];
        (entry.Queue, entry.Deadline, entry.Earlier, entry.Later) = ((short)queue, deadline, q.Tail, -1);
        if (q.Tail >= 0) _entries[q.Tail].Later = index;
        else q.Head = index;
        q.Tail = index;
    }

    internal void Unqueue(int index)
    {
        ref Entry entry = ref _entries[index];
        if (entry.Queue < 0) return;
        ref (int Head, int Tail) q = ref _queues[entry.Queue];
        if (entry.Earlier >= 0) _entries[entry.Earlier].Later = entry.Later;
        else q.Head = entry.Later;
        if (entry.Later >= 0) _entries[entry.Later].Earlier = entry.Earlier;
        else q.Tail = entry.Earlier;
        entry.Queue = -1;
    }

    /// <summary>The first entry of a queue, or -1.</summary>
    internal int First(int queue) => _queues[queue].Head;

    private ref int Bucket(int[] buckets, ulong zone, IpProtocol protocol, IpAddress address, ushort port) =>
        ref buckets[NatHash.Endpoint(_key, zone, protocol, address, port) & (uint)(buckets.Length - 1)];
}
