using System;
using System.Runtime.InteropServices;
using Genkan.Datapath.Layout;
using Genkan.Datapath.Native;
using Genkan.Datapath.Rings;
using Genkan.Overlay.Flows;
using Genkan.Overlay.Topology;

namespace Genkan.Datapath.Tables;

/// <summary>
/// A worker of the slow path over kernel tables of its own, which no packet meets: what it decides is written by the
/// very calls that a first packet takes, and gone with this. So that code is compiled before a packet waits for it.
/// </summary>
public sealed class DatapathRehearsal : IDisposable
{
    private readonly KernelDatapath _datapath;

    private DatapathRehearsal(KernelDatapath datapath) => _datapath = datapath;

    /// <summary>The worker.</summary>
    public DatapathWorker Worker => _datapath.Workers[0];

    /// <summary>Makes the tables.</summary>
    /// <param name="topology">What their rows stand for; none of its interfaces is looked at.</param>
    /// <exception cref="KernelException">The kernel refused a call.</exception>
    public static DatapathRehearsal Open(TopologySnapshot topology)
    {
        using RingBuffer ring = new(RingBuffer.CreateMap("rehearsal", (uint)Environment.SystemPageSize));
        if (!ring.TryRead(out _)) ring.Advance(); // nothing is in there: none of our programs writes without a packet
        return new DatapathRehearsal(KernelDatapath.ForRehearsal(topology));
    }

    /// <summary>Hands a packet to a worker as its ring would.</summary>
    /// <param name="upcall">What the kernel would say of it.</param>
    /// <param name="frame">Its octets.</param>
    /// <param name="handle">Handles it.</param>
    public static void Show(in Upcall upcall, ReadOnlySpan<byte> frame, UpcallHandler handle)
    {
        UpcallHeader header = new()
        {
            TimeNs = MonotonicClock.NowNs,
            Port = upcall.Slot,
            Length = upcall.LengthOctets,
            Captured = (uint)frame.Length,
            Kind = upcall.Kind,
            State = upcall.State,
            Flags = upcall.IsLeaving ? UpcallFlags.Leaving : UpcallFlags.None,
            GsoSize = upcall.Offload.SegmentOctets,
            ClassId = upcall.ClassId,
            Mtu = upcall.MtuOctets,
            Budget = upcall.Budget,
        };
        byte[] record = new byte[UpcallHeader.Size + frame.Length];
        MemoryMarshal.Write(record, in header);
        frame.CopyTo(record.AsSpan(UpcallHeader.Size));
        if (UpcallFrame.TryDecode(record, out UpcallFrame shown)) handle(shown);
    }

    /// <inheritdoc/>
    public void Dispose() => _datapath.Dispose();
}
