using System;
using System.Buffers.Binary;
using System.Runtime.InteropServices;
using Genkan.Datapath.Native;

namespace Genkan.Benchmarks.Traffic;

/// <summary>
/// Sends equally long frames in batches of one system call, straight to the driver (PACKET_QDISC_BYPASS). The
/// agent's own packet socket does more for each frame (mark, offload header); a generator must cost as little as it
/// can.
/// </summary>
internal sealed unsafe class FrameSender : IDisposable
{
    /// <summary>Frames in one system call.</summary>
    internal const int BatchMax = 64;

    private const int AddressFamilyPacket = 17;
    private const int RawCloexec = 3 | 0x80000;
    private const int LevelPacket = 263;
    private const int QdiscBypass = 20;
    private const int LinkLayerAddressSize = 20; // struct sockaddr_ll: family 2, protocol 2, ifindex 4, the rest is 0

    private readonly FileDescriptor _fd;
    private readonly byte* _frames;
    private readonly IoVector* _vectors;
    private readonly MmsgHeader* _messages;
    private readonly int _frameCount;
    private int _next;

    /// <summary>Opens a socket on an interface of the calling thread's namespace.</summary>
    /// <param name="interfaceIndex">The interface.</param>
    /// <param name="frames">Frames one behind the other; a multiple of <see cref="BatchMax"/>.</param>
    /// <param name="frameSize">Octets of each.</param>
    internal FrameSender(int interfaceIndex, ReadOnlySpan<byte> frames, int frameSize)
    {
        _fd = FileDescriptor.Open(Libc.Socket(AddressFamilyPacket, RawCloexec, 0), "socket(AF_PACKET)");
        int one = 1;
        Demand(Libc.SetSockOpt(_fd.Value, LevelPacket, QdiscBypass, &one, sizeof(int)), "PACKET_QDISC_BYPASS");
        Span<byte> address = stackalloc byte[LinkLayerAddressSize];
        address.Clear();
        BinaryPrimitives.WriteUInt16LittleEndian(address, AddressFamilyPacket);
        BinaryPrimitives.WriteInt32LittleEndian(address[4..], interfaceIndex);
        fixed (byte* at = address) Demand(Libc.Bind(_fd.Value, at, LinkLayerAddressSize), "bind");

        _frameCount = frames.Length / frameSize;
        _frames = (byte*)NativeMemory.Alloc((nuint)frames.Length);
        _vectors = (IoVector*)NativeMemory.AllocZeroed((nuint)_frameCount, (nuint)sizeof(IoVector));
        _messages = (MmsgHeader*)NativeMemory.AllocZeroed((nuint)_frameCount, (nuint)sizeof(MmsgHeader));
        frames.CopyTo(new Span<byte>(_frames, frames.Length));
        for (int i = 0; i < _frameCount; i++)
        {
            _vectors[i] = new IoVector { Base = _frames + (i * frameSize), LengthOctets = (nuint)frameSize };
            _messages[i].Header = new MsgHeader { Vectors = _vectors + i, VectorCount = 1 };
        }
    }

    /// <summary>Sends the next batch; after the last frame the first one follows.</summary>
    internal void Send()
    {
        Demand(Libc.SendMmsg(_fd.Value, _messages + _next, BatchMax, 0), "sendmmsg");
        _next = (_next + BatchMax) % _frameCount;
    }

    /// <inheritdoc />
    public void Dispose()
    {
        _fd.Dispose();
        NativeMemory.Free(_frames);
        NativeMemory.Free(_vectors);
        NativeMemory.Free(_messages);
    }

    private static void Demand(int result, string call)
    {
        if (result < 0) throw new InvalidOperationException($"{call}: {Libc.LastError}");
    }
}
