using System;
using System.Buffers.Binary;
using System.Runtime.InteropServices;
using Genkan.Datapath.Native;

namespace Genkan.Benchmarks.Traffic;

/// <summary>
/// Sends bursts in batches of one system call (AF_PACKET, PACKET_VNET_HDR). The sender's kernel cuts each into
/// frames, which costs half of what a call's message for each frame does: the less the generator takes, the more of
/// the figure is the forwarder's.
/// </summary>
internal sealed unsafe class FrameSender : IDisposable
{
    /// <summary>Bursts in one system call.</summary>
    internal const int BatchMax = 8;

    private const int AddressFamilyPacket = 17;
    private const int RawCloexec = 3 | 0x80000;
    private const int LevelPacket = 263;
    private const int VnetHeader = 15;
    private const int LinkLayerAddressSize = 20; // struct sockaddr_ll: family 2, protocol 2, ifindex 4, the rest is 0

    private readonly FileDescriptor _fd;
    private readonly byte* _bursts;
    private readonly IoVector* _vectors;
    private readonly MmsgHeader* _messages;
    private readonly int _burstCount;
    private int _next;

    /// <summary>Opens a socket on an interface of the calling thread's namespace.</summary>
    /// <param name="interfaceIndex">The interface.</param>
    /// <param name="bursts">Bursts one behind the other; a multiple of <see cref="BatchMax"/>.</param>
    /// <param name="burstSize">Octets of each.</param>
    internal FrameSender(int interfaceIndex, ReadOnlySpan<byte> bursts, int burstSize)
    {
        _fd = FileDescriptor.Open(Libc.Socket(AddressFamilyPacket, RawCloexec, 0), "socket(AF_PACKET)");
        int one = 1;
        Demand(Libc.SetSockOpt(_fd.Value, LevelPacket, VnetHeader, &one, sizeof(int)), "PACKET_VNET_HDR");
        Span<byte> address = stackalloc byte[LinkLayerAddressSize];
        address.Clear();
        BinaryPrimitives.WriteUInt16LittleEndian(address, AddressFamilyPacket);
        BinaryPrimitives.WriteInt32LittleEndian(address[4..], interfaceIndex);
        fixed (byte* at = address) Demand(Libc.Bind(_fd.Value, at, LinkLayerAddressSize), "bind");

        _burstCount = bursts.Length / burstSize;
        _bursts = (byte*)NativeMemory.Alloc((nuint)bursts.Length);
        _vectors = (IoVector*)NativeMemory.AllocZeroed((nuint)_burstCount, (nuint)sizeof(IoVector));
        _messages = (MmsgHeader*)NativeMemory.AllocZeroed((nuint)_burstCount, (nuint)sizeof(MmsgHeader));
        bursts.CopyTo(new Span<byte>(_bursts, bursts.Length));
        for (int i = 0; i < _burstCount; i++)
        {
            _vectors[i] =
                new IoVector { Base = _bursts + ((nint)i * burstSize), LengthOctets = (nuint)burstSize };
            _messages[i].Header = new MsgHeader { Vectors = _vectors + i, VectorCount = 1 };
        }
    }

    /// <summary>Sends the next batch; after the last burst the first one follows.</summary>
    internal void Send()
    {
        Demand(Libc.SendMmsg(_fd.Value, _messages + _next, BatchMax, 0), "sendmmsg");
        _next = (_next + BatchMax) % _burstCount;
    }

    /// <inheritdoc />
    public void Dispose()
    {
        _fd.Dispose();
        NativeMemory.Free(_bursts);
        NativeMemory.Free(_vectors);
        NativeMemory.Free(_messages);
    }

    private static void Demand(int result, string call)
    {
        if (result < 0) throw new InvalidOperationException($"{call}: {Libc.LastError}");
    }
}
