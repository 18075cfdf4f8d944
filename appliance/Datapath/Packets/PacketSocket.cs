using System;
using System.Runtime.InteropServices;
using Genkan.Datapath.Native;
using Genkan.Wire;

namespace Genkan.Datapath.Packets;

/// <summary>What became of a frame that was to be queued.</summary>
public enum QueueResult
{
    /// <summary>It goes with the next <see cref="PacketSocket.Flush"/>, or went with this one.</summary>
    Queued,

    /// <summary>
    /// It is longer than any frame (<see cref="PacketSocket.FrameLengthMax"/>) or shorter than an Ethernet header.
    /// </summary>
    BadLength,

    /// <summary>Its transport checksum is neither right nor partial: a drop.</summary>
    ChecksumWrong,

    /// <summary>A segment size came with something else than a whole TCP or UDP packet: a drop.</summary>
    NotSegmentable,
}

/// <summary>What a packet socket has done since it was opened.</summary>
/// <param name="SentCount">Frames that the kernel took.</param>
/// <param name="BufferFullCount">Frames dropped because the socket's buffer was full.</param>
/// <param name="RefusedCount">Frames that the kernel refused for another reason.</param>
/// <param name="LastRefusal">That reason, of the last one.</param>
public readonly record struct PacketSocketStatistics(
    ulong SentCount, ulong BufferFullCount, ulong RefusedCount, Errno LastRefusal);

/// <summary>
/// Sends frames into one interface in batches of one system call, each frame with its own mark and with segmentation
/// and partial checksums left to the kernel (AF_PACKET, PACKET_VNET_HDR, SO_MARK). One thread; nothing is allocated or
/// thrown while sending. It never receives.
/// </summary>
public sealed unsafe class PacketSocket : IDisposable
{
    /// <summary>Frames in one system call.</summary>
    public const int BatchCountMax = 64;

    /// <summary>
    /// Octets of the longest frame: an IP packet of 65,535 octets with Ethernet header and a VLAN tag.
    /// </summary>
    public const int FrameLengthMax = 65535 + 14 + 4;

    private const int FrameLengthMin = 14;
    private const int ArenaSize = 1 << 20; // a batch ends early when its frames fill this

    private readonly FileDescriptor _fd;
    private readonly SendBatch* _batch;
    private readonly byte* _arena;
    private int _queuedCount;
    private int _arenaUsed;
    private ulong _sent;
    private ulong _bufferFull;
    private ulong _refused;
    private Errno _lastRefusal;

    /// <summary>Opens a socket on an interface of the calling thread's namespace.</summary>
    /// <param name="ifindex">Interface.</param>
    /// <param name="bypassQdisc">
    /// True to pass by the interface's qdisc and egress programs (PACKET_QDISC_BYPASS). The kernel then drops frames
    /// that the interface cannot segment itself (counted as "buffer full"), so it is for interfaces with segmentation
    /// offload alone.
    /// </param>
    /// <param name="bufferOctets">Limit on frames under way (SO_SNDBUFFORCE).</param>
    /// <exception cref="KernelException">Refused: CAP_NET_RAW and CAP_NET_ADMIN are needed.</exception>
    public PacketSocket(int ifindex, bool bypassQdisc = false, int bufferOctets = 8 << 20)
    {
        Ifindex = ifindex;
        _fd = FileDescriptor.Open(
            Libc.Socket(PacketConstants.Family, PacketConstants.RawCloexec, 0),
            $"packet socket on interface {ifindex}");
        SetOption(PacketConstants.LevelPacket, PacketConstants.VnetHeader, 1);
        SetOption(PacketConstants.LevelPacket, PacketConstants.QdiscBypass, bypassQdisc ? 1 : 0);
        SetOption(PacketConstants.LevelSocket, PacketConstants.SendBufferForce, bufferOctets);
        // Protocol 0: nothing is received.
        LinkLayerAddress address = new() { Family = PacketConstants.Family, Ifindex = ifindex };
        Demand(Libc.Bind(_fd.Value, &address, (uint)sizeof(LinkLayerAddress)), "bind");
        _batch = (SendBatch*)NativeMemory.AllocZeroed((nuint)BatchCountMax, (nuint)sizeof(SendBatch));
        _arena = (byte*)NativeMemory.Alloc(ArenaSize);
    }

    /// <summary>The interface.</summary>
    public int Ifindex { get; }

    /// <summary>Frames that wait for <see cref="Flush"/>.</summary>
    public int QueuedCount => _queuedCount;

    /// <summary>Whether a frame can be queued without sending others first.</summary>
    /// <param name="lengthOctets">Of the frame.</param>
    public bool HasRoom(int lengthOctets) => _queuedCount < BatchCountMax && _arenaUsed + lengthOctets <= ArenaSize;

    /// <summary>What it has done.</summary>
    public PacketSocketStatistics Statistics => new(_sent, _bufferFull, _refused, _lastRefusal);

    /// <summary>
    /// Queues a frame that the kernel gave us, or that was made from one; flushes first if the batch is full.
    /// </summary>
    /// <param name="frame">Frame; copied.</param>
    /// <param name="header">The frame, decoded without fault. What stands behind the IP datagram is not sent.</param>
    /// <param name="segmentSize">Payload octets of a segment (gso_size), or 0.</param>
    /// <param name="mark">skb mark.</param>
    public QueueResult Queue(ReadOnlySpan<byte> frame, in PacketHeader header, int segmentSize, uint mark)
    {
        if (frame.Length is < FrameLengthMin or > FrameLengthMax) return QueueResult.BadLength;
        if ((header.IsIpv4 || header.IsIpv6) && header.NetworkEnd > FrameLengthMin && header.NetworkEnd < frame.Length)
        {
            frame = frame[..header.NetworkEnd]; // a checksum would be completed over the padding too
        }
        Span<byte> copy = Copy(frame);
        switch (FrameChecksum.Describe(copy, header, segmentSize, out VnetHeader vnet))
        {
            case ChecksumState.Wrong:
                return QueueResult.ChecksumWrong;
            case ChecksumState.NotSegmentable:
                return QueueResult.NotSegmentable;
            default:
                Append(frame.Length, vnet, mark);
                return QueueResult.Queued;
        }
    }

    /// <summary>
    /// Queues a frame that is ready, or of which the caller knows what is to be done; flushes first if the batch is
    /// full.
    /// </summary>
    /// <param name="frame">Frame; copied.</param>
    /// <param name="vnet">What the kernel shall still do.</param>
    /// <param name="mark">skb mark.</param>
    public QueueResult Queue(ReadOnlySpan<byte> frame, VnetHeader vnet, uint mark)
    {
        if (frame.Length is < FrameLengthMin or > FrameLengthMax) return QueueResult.BadLength;
        Copy(frame);
        Append(frame.Length, vnet, mark);
        return QueueResult.Queued;
    }

    /// <summary>Takes a queued frame back.</summary>
    /// <param name="index">How many were queued before it since the last flush.</param>
    public void Cancel(int index)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)index, (uint)_queuedCount, nameof(index));
        _batch[index].IsCanceled = 1;
    }

    /// <summary>Sends what is queued. Frames that cannot be sent now are dropped and counted, never kept.</summary>
    public void Flush()
    {
        MmsgHeader* messages = stackalloc MmsgHeader[BatchCountMax];
        int count = 0;
        for (int i = 0; i < _queuedCount; i++)
        {
            if (_batch[i].IsCanceled == 0) messages[count++] = new MmsgHeader { Header = _batch[i].Header };
        }

        int at = 0;
        while (at < count)
        {
            int sent = Libc.SendMmsg(_fd.Value, messages + at, (uint)(count - at), Libc.MsgDontWait);
            if (sent > 0)
            {
                _sent += (ulong)sent;
                at += sent;
                continue;
            }
            if (Libc.LastError == Errno.EINTR) continue;
            CountRefusal(Libc.LastError);
            at++; // the first message is the refused one
        }
        _queuedCount = 0;
        _arenaUsed = 0;
    }

    /// <inheritdoc />
    public void Dispose()
    {
        if (_fd.IsClosed) return;
        _fd.Dispose();
        NativeMemory.Free(_batch);
        NativeMemory.Free(_arena);
    }

    private void CountRefusal(Errno error)
    {
        if (error is Errno.EAGAIN or Errno.ENOBUFS)
        {
            _bufferFull++;
            return;
        }
        _refused++;
        _lastRefusal = error;
    }

    private Span<byte> Copy(ReadOnlySpan<byte> frame)
    {
        if (!HasRoom(frame.Length)) Flush();
        Span<byte> copy = new(_arena + _arenaUsed, frame.Length);
        frame.CopyTo(copy);
        return copy;
    }

    private void Append(int length, in VnetHeader vnet, uint mark)
    {
        SendBatch* entry = _batch + _queuedCount;
        entry->IsCanceled = 0;
        entry->Vnet = vnet;
        entry->VnetVector = new IoVector { Base = &entry->Vnet, LengthOctets = VnetHeader.Size };
        entry->FrameVector = new IoVector { Base = _arena + _arenaUsed, LengthOctets = (nuint)length };
        entry->Mark = new MarkMessage
        {
            Length = MarkMessage.LengthValue,
            Level = PacketConstants.LevelSocket,
            Type = PacketConstants.Mark,
            Value = mark,
        };
        entry->Header = new MsgHeader
        {
            Vectors = &entry->VnetVector,
            VectorCount = 2,
            Control = &entry->Mark,
            ControlLength = (nuint)sizeof(MarkMessage),
        };
        _arenaUsed += (length + 63) & ~63; // next frame on its own cache line
        _queuedCount++;
    }

    private void SetOption(int level, int option, int value) =>
        Demand(Libc.SetSockOpt(_fd.Value, level, option, &value, sizeof(int)), $"option {option}");

    private void Demand(int result, string what)
    {
        if (result >= 0) return;
        KernelException fault = new($"packet socket on interface {Ifindex}: {what}", Libc.LastError);
        _fd.Dispose();
        throw fault;
    }
}
