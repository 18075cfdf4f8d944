using System;
using System.Buffers.Binary;
using System.Runtime.InteropServices;
using Genkan.Datapath.Native;
using Genkan.Datapath.Packets;

namespace Genkan.Benchmarks.Traffic;

/// <summary>
/// Sends first packets of new flows from one interface: UDP frames of 64 octets whose source ports go up, each of which
/// no table knows (AF_PACKET, batches of one system call).
/// </summary>
internal sealed unsafe class NewFlows : IDisposable
{
    private const int BatchMax = 64;
    private const int SourcePortAt = 34; // Ethernet 14, IPv4 20
    private const ushort FirstPort = 2_000;

    private readonly FileDescriptor _fd;
    private readonly byte* _frames;
    private readonly IoVector* _vectors;
    private readonly MmsgHeader* _messages;
    private int _nextPort = FirstPort;

    /// <summary>Opens a socket on an interface of the calling thread's namespace.</summary>
    /// <param name="interfaceIndex">The interface.</param>
    /// <param name="template">Addresses of all frames.</param>
    internal NewFlows(int interfaceIndex, UdpBursts template)
    {
        _fd = FileDescriptor.Open(
            Libc.Socket(PacketConstants.Family, PacketConstants.RawCloexec, 0), "socket(AF_PACKET)");
        LinkLayerAddress address = new() { Family = PacketConstants.Family, Ifindex = interfaceIndex };
        Demand(Libc.Bind(_fd.Value, &address, (uint)sizeof(LinkLayerAddress)), "bind");
        _frames = (byte*)NativeMemory.Alloc(BatchMax * UdpBursts.FrameSize);
        _vectors = (IoVector*)NativeMemory.AllocZeroed(BatchMax, (nuint)sizeof(IoVector));
        _messages = (MmsgHeader*)NativeMemory.AllocZeroed(BatchMax, (nuint)sizeof(MmsgHeader));
        byte[] frame = template.BuildFrames(1);
        for (int i = 0; i < BatchMax; i++)
        {
            byte* at = _frames + (i * UdpBursts.FrameSize);
            frame.CopyTo(new Span<byte>(at, UdpBursts.FrameSize));
            _vectors[i] = new IoVector { Base = at, LengthOctets = UdpBursts.FrameSize };
            _messages[i].Header = new MsgHeader { Vectors = _vectors + i, VectorCount = 1 };
        }
    }

    /// <summary>Sends first packets of so many more flows.</summary>
    /// <exception cref="InvalidOperationException">The kernel refused, or the ports are used up.</exception>
    internal void Send(int count)
    {
        if (_nextPort + count > ushort.MaxValue) throw new InvalidOperationException("no source port is left");
        while (count > 0)
        {
            int batch = Math.Min(count, BatchMax);
            for (int i = 0; i < batch; i++)
            {
                Span<byte> port = new(_frames + (i * UdpBursts.FrameSize) + SourcePortAt, sizeof(ushort));
                BinaryPrimitives.WriteUInt16BigEndian(port, (ushort)_nextPort++);
            }

            for (int sent = 0; sent < batch;)
            {
                int taken = Libc.SendMmsg(_fd.Value, _messages + sent, (uint)(batch - sent), 0);
                Demand(taken, "sendmmsg");
                sent += taken;
            }

            count -= batch;
        }
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
