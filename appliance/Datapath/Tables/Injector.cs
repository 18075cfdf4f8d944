using System;
using Genkan.Datapath.Layout;
using Genkan.Datapath.Packets;
using Genkan.Overlay.Flows;
using Genkan.Wire;

namespace Genkan.Datapath.Tables;

/// <summary>
/// Sends the agent's frames into the kernel through the internal veth: the mark of each says whether it is looked up
/// as if it had entered at a port, or goes out by a next hop. Segmentation and partial checksums stay whole. A VLAN
/// tag is not put back: the slot stands for the VLAN where the frame entered, and the way out has its own.
/// </summary>
internal sealed class Injector(int ifindex, AgentDrops drops) : IDisposable
{
    private readonly PacketSocket _socket = new(ifindex);
    private ulong _lost;

    /// <summary>Frames that the kernel did not take.</summary>
    internal ulong RefusedCount => _socket.Statistics.BufferFullCount + _socket.Statistics.RefusedCount;

    /// <summary>See <see cref="IDatapath.BeforeFlush"/>.</summary>
    internal Action? BeforeFlush { get; set; }

    /// <summary>Queues a frame; sends what is queued if there is no room.</summary>
    /// <returns>A ticket to <see cref="Cancel"/> it by, or −1 if it was refused, which is counted here.</returns>
    internal int Queue(MarkKind kind, uint argument, ReadOnlySpan<byte> frame, in FrameOffload offload)
    {
        if (!_socket.HasRoom(frame.Length)) Flush();
        uint mark = ((uint)kind << LayoutLimits.MarkKindShift) | (argument & LayoutLimits.MarkArgMask);
        QueueResult result = PacketHeader.TryDecode(frame, out PacketHeader header) == PacketFault.None
            ? _socket.Queue(frame, header, (int)offload.SegmentOctets, mark)
            : _socket.Queue(frame, default(VnetHeader), mark); // no IP or ARP of ours: as it is
        if (result == QueueResult.Queued) return _socket.QueuedCount - 1;
        drops.Count(kind == MarkKind.AsIfFromPort ? argument : 0, ReasonOf(result));
        return -1;
    }

    /// <summary>Takes a queued frame back.</summary>
    internal void Cancel(int ticket) => _socket.Cancel(ticket);

    /// <summary>Sends what is queued.</summary>
    internal void Flush()
    {
        BeforeFlush?.Invoke();
        _socket.Flush();
        for (ulong lost = RefusedCount; _lost < lost; _lost++) drops.Count(0, DropReason.RingFull);
    }

    /// <inheritdoc/>
    public void Dispose() => _socket.Dispose();

    private static DropReason ReasonOf(QueueResult result) => result switch
    {
        QueueResult.ChecksumWrong => DropReason.BadChecksum,
        QueueResult.BadLength => DropReason.UpcallTooBig,
        _ => DropReason.Malformed,
    };
}
