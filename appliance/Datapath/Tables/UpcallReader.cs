using System;
using System.Collections.Generic;
using System.Runtime.InteropServices;
using Genkan.Datapath.Bpf;
using Genkan.Datapath.Layout;
using Genkan.Datapath.Rings;
using Genkan.Overlay.Flows;

namespace Genkan.Datapath.Tables;

/// <summary>A packet that the kernel sent up. The frame stands in the kernel's memory until the next one is
/// read.</summary>
public readonly ref struct UpcallFrame
{
    internal UpcallFrame(scoped in UpcallHeader header, ReadOnlySpan<byte> frame)
    {
        Upcall = new Upcall(
            header.Port,
            header.Kind,
            header.State,
            header.Length,
            header.ClassId,
            new FrameOffload(header.GsoSize, header.VlanTci),
            header.Kind == UpcallKind.TooBig ? header.Mtu : 0,
            (header.Flags & UpcallFlags.Leaving) != UpcallFlags.None,
            header.Budget);
        Frame = frame;
        Time = TimeSpan.FromTicks((long)(header.TimeNs / TimeSpan.NanosecondsPerTick));
        Flags = header.Flags;
        VtepHost = header.VtepHost;
        FlowDigest = header.FlowDigest;
        MtuOctets = header.Mtu;
        NextHop = header.Nexthop;
    }

    /// <summary>Reads a record of a ring.</summary>
    /// <param name="record">The record; longer than the octets captured, since records come in sizes.</param>
    /// <param name="upcall">The packet, or <c>default</c>.</param>
    /// <returns>False if it is too short for a header, or for the octets that the header tells of. Never
    /// throws.</returns>
    internal static bool TryDecode(ReadOnlySpan<byte> record, out UpcallFrame upcall)
    {
        upcall = default;
        if (!MemoryMarshal.TryRead(record, out UpcallHeader header)) return false;
        if (header.Captured > record.Length - UpcallHeader.Size) return false;
        upcall = new UpcallFrame(header, record.Slice(UpcallHeader.Size, (int)header.Captured));
        return true;
    }

    /// <summary>What the kernel says of it.</summary>
    public Upcall Upcall { get; }

    /// <summary>Its octets from the Ethernet header on, without VLAN tag; may be fewer than the frame's
    /// length.</summary>
    public ReadOnlySpan<byte> Frame { get; }

    /// <summary>When it came, CLOCK_MONOTONIC.</summary>
    public TimeSpan Time { get; }

    /// <summary>Truncated, from a tunnel, commit bit.</summary>
    public UpcallFlags Flags { get; }

    /// <summary>Low half of the sending host's id, 0 if it came from no tunnel.</summary>
    public uint VtepHost { get; }

    /// <summary>Equal for packets of one flow.</summary>
    public uint FlowDigest { get; }

    /// <summary>MTU of the way out for <see cref="UpcallKind.TooBig"/>, else 0.</summary>
    public uint MtuOctets { get; }

    /// <summary>Next hop of the entry found for too big and hop limit, else 0.</summary>
    public uint NextHop { get; }
}

/// <summary>
/// Reads what the programs send up: a ring for control packets and one for data on each CPU, of which every worker has
/// its share. Control comes first, and the CPUs take turns, so that a flood on one does not silence another. One thread
/// reads.
/// </summary>
public sealed class UpcallReader : IDisposable
{
    private readonly List<RingBuffer> _control = [];
    private readonly List<RingBuffer> _data = [];
    private readonly Poller _poller = new();
    private readonly int[] _ready = new int[Poller.ReadyCountMax];
    private RingBuffer? _reading;
    private int _controlNext;
    private int _dataNext;

    /// <summary>Opens the rings of a worker, made here where a CPU has none yet.</summary>
    /// <param name="control">Rings of control packets.</param>
    /// <param name="data">Rings of the rest.</param>
    /// <param name="worker">Zero-based.</param>
    /// <param name="workerCount">Workers, among whom the CPUs are dealt out.</param>
    /// <param name="ringOctets">Octets of a ring that is made; null: the CPU's share.</param>
    internal UpcallReader(
        BpfMap control, BpfMap data, int worker = 0, int workerCount = 1, uint? ringOctets = null)
    {
        int cpuCount = BpfSyscall.PossibleCpuCount;
        uint octets = ringOctets ?? RingOctets(cpuCount);
        for (int cpu = worker; cpu < cpuCount && cpu < control.Spec.MaxEntries; cpu += workerCount)
        {
            _control.Add(Open(control, cpu, octets));
            _data.Add(Open(data, cpu, octets));
        }
    }

    /// <summary>Octets that wait in all rings.</summary>
    public long BacklogOctets
    {
        get
        {
            long total = 0;
            foreach (RingBuffer ring in _control) total += ring.BacklogOctets;
            foreach (RingBuffer ring in _data) total += ring.BacklogOctets;
            return total;
        }
    }

    /// <summary>Whether a packet waits, or is being written.</summary>
    public bool HasWaiting
    {
        get
        {
            foreach (RingBuffer ring in _control)
            {
                if (ring.BacklogOctets != 0) return true;
            }

            foreach (RingBuffer ring in _data)
            {
                if (ring.BacklogOctets != 0) return true;
            }

            return false;
        }
    }

    /// <summary>Records that were no upcall: another program writes into our ring.</summary>
    public ulong MalformedCount { get; private set; }

    /// <summary>Takes the next packet, and gives the room of the one before back.</summary>
    /// <returns>False if none is there.</returns>
    public bool TryRead(out UpcallFrame upcall)
    {
        _reading?.Advance();
        _reading = null;
        return TryRead(_control, ref _controlNext, out upcall) || TryRead(_data, ref _dataNext, out upcall);
    }

    /// <summary>Waits for a packet, for <see cref="Wake"/>, or until the time is over.</summary>
    public void Wait(TimeSpan timeout) => _poller.Wait(timeout, _ready);

    /// <summary>Ends a <see cref="Wait"/>. Any thread may call it.</summary>
    public void Wake() => _poller.Wake();

    /// <inheritdoc/>
    public void Dispose()
    {
        _poller.Dispose();
        foreach (RingBuffer ring in _control) ring.Dispose();
        foreach (RingBuffer ring in _data) ring.Dispose();
    }

    /// <summary>The largest power of two that fits the share of a ring.</summary>
    internal static uint RingOctets(int cpuCount)
    {
        uint octets = DatapathLimits.RingOctetsMin;
        while (octets * 2UL * 2 * (uint)cpuCount <= DatapathLimits.RingOctetsTotal) octets *= 2;
        return octets;
    }

    private RingBuffer Open(BpfMap outer, int cpu, uint octets)
    {
        BpfMapOfMaps rings = new(outer);
        BpfMap? inner = rings.TryOpen(cpu);
        if (inner is null)
        {
            inner = RingBuffer.CreateMap(outer.Spec.Name, octets);
            rings.Set(cpu, inner);
        }

        RingBuffer ring = new(inner);
        _poller.Add(ring, cpu);
        return ring;
    }

    private bool TryRead(List<RingBuffer> rings, ref int next, out UpcallFrame upcall)
    {
        for (int i = 0; i < rings.Count; i++)
        {
            RingBuffer ring = rings[next];
            next = next + 1 == rings.Count ? 0 : next + 1;
            if (!ring.TryRead(out ReadOnlySpan<byte> record)) continue;
            if (UpcallFrame.TryDecode(record, out upcall))
            {
                _reading = ring;
                return true;
            }

            MalformedCount++;
            ring.Advance();
        }

        upcall = default;
        return false;
    }
}
