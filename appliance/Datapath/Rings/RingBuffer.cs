using System;
using System.Diagnostics;
using System.Threading;
using Genkan.Datapath.Bpf;
using Genkan.Datapath.Native;

namespace Genkan.Datapath.Rings;

/// <summary>
/// The reading end of a BPF ring buffer, straight from the shared memory (kernel/bpf/ringbuf.c). One thread reads;
/// nothing allocates, throws or calls the kernel. A record handed out stays valid until <see cref="Advance"/>.
/// </summary>
/// <remarks>
/// <code>
/// page 0         consumer position, u64, ours to write
/// page 1         producer position, u64, read-only
/// page 2..       data, mapped twice in a row, so that a record that wraps is in one piece; each record, aligned to 8:
///                 u32 length | busy (bit 31) | discard (bit 30);  u32 page offset;  payload
/// </code>
/// </remarks>
public sealed unsafe class RingBuffer : IDisposable
{
    private const uint Busy = 1u << 31;
    private const uint Discard = 1u << 30;
    private const int HeaderSize = 8;

    private readonly BpfMap _map;
    private readonly MappedMemory _consumer;
    private readonly MappedMemory _producer;
    private readonly ulong* _consumerAt;
    private readonly ulong* _producerAt;
    private readonly byte* _data;
    private readonly ulong _mask;
    private ulong _position;
    private ulong _next;

    /// <summary>Maps the ring. A new reader goes on where the last one stopped.</summary>
    /// <param name="map">A map of type <see cref="BpfMapType.RingBuffer"/>, which now belongs to this.</param>
    /// <exception cref="KernelException">The kernel refused.</exception>
    public RingBuffer(BpfMap map)
    {
        if (map.Spec.Type != BpfMapType.RingBuffer)
        {
            throw new ArgumentException($"Map {map.Spec.Name} is no ring.", nameof(map));
        }
        _map = map;
        nuint page = (nuint)Environment.SystemPageSize;
        nuint size = map.Spec.MaxEntries;
        _consumer = MappedMemory.Map(
            map.Fd, page, MappedMemory.Protection.Read | MappedMemory.Protection.Write, 0, map.Spec.Name);
        _producer = MappedMemory.Map(
            map.Fd, page + (2 * size), MappedMemory.Protection.Read, (long)page, map.Spec.Name);
        _consumerAt = (ulong*)_consumer.Address;
        _producerAt = (ulong*)_producer.Address;
        _data = _producer.Address + page;
        _mask = size - 1;
        _position = _next = Volatile.Read(ref *_consumerAt);
    }

    /// <summary>Octets that programs wrote or are writing and that were not read yet.</summary>
    public long BacklogOctets => (long)(Volatile.Read(ref *_producerAt) - _position);

    internal FileDescriptor Fd => _map.Fd;

    /// <summary>Makes a ring of <paramref name="sizeOctets"/>, a power of two of at least a page.</summary>
    /// <exception cref="KernelException">The kernel refused.</exception>
    public static BpfMap CreateMap(string name, uint sizeOctets) =>
        BpfMap.Create(new BpfMapSpec(name, BpfMapType.RingBuffer, 0, 0, sizeOctets));

    /// <summary>Shows the oldest record, the same again until <see cref="Advance"/>.</summary>
    /// <param name="record">The record in the kernel's memory.</param>
    /// <returns>False if there is none, or a program is still writing it.</returns>
    public bool TryRead(out ReadOnlySpan<byte> record)
    {
        record = default;
        while (true)
        {
            if (_position == Volatile.Read(ref *_producerAt) && IsStillEmpty()) return false;
            byte* header = _data + (_position & _mask);
            uint length = Volatile.Read(ref *(uint*)header);
            if ((length & Busy) != 0) return false;

            uint octets = length & ~(Busy | Discard);
            _next = _position + ((octets + HeaderSize + 7) & ~7u);
            if ((length & Discard) == 0)
            {
                record = new ReadOnlySpan<byte>(header + HeaderSize, (int)octets);
                return true;
            }
            Advance();
        }
    }

    /// <summary>Gives the record of the last <see cref="TryRead"/> back to the programs.</summary>
    public void Advance()
    {
        Debug.Assert(!_consumer.IsClosed, "Reading a ring that was disposed of.");
        _position = _next;
        Volatile.Write(ref *_consumerAt, _position);
    }

    /// <inheritdoc />
    public void Dispose()
    {
        _consumer.Dispose();
        _producer.Dispose();
        _map.Dispose();
    }

    /// <summary>
    /// A program wakes us only if it sees that we had read all before its record. Our position must therefore be
    /// visible before we believe in an empty ring, or both sides could miss each other.
    /// </summary>
    private bool IsStillEmpty()
    {
        Interlocked.MemoryBarrier();
        return _position == Volatile.Read(ref *_producerAt);
    }
}
