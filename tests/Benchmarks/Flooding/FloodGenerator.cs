using System;
using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Threading;
using Genkan.Benchmarks.Traffic;
using Genkan.Datapath.Namespaces;
using Genkan.Datapath.Native;
using Genkan.Datapath.Packets;

namespace Genkan.Benchmarks.Flooding;

/// <summary>
/// Sends a flood from one interface as fast as the last core can, or at a pace; between two batches of a paced flood it
/// spins. So the core has nothing for others in either case, and both take as much of it.
/// </summary>
internal sealed unsafe class FloodGenerator : IDisposable
{
    private const int BatchMax = 64;
    private const ulong Seed = 0x9e3779b97f4a7c15;

    private readonly FloodFrames _template;
    private readonly double _packetsPerSecond;
    private readonly FileDescriptor _fd;
    private readonly byte* _frames;
    private readonly IoVector* _vectors;
    private readonly MmsgHeader* _messages;
    private readonly Thread _thread;
    private readonly long _begin = Stopwatch.GetTimestamp();
    private volatile bool _isEnding;
    private Exception? _fault;
    private ulong _random = Seed;
    private long _sent;

    /// <summary>Begins to send.</summary>
    /// <param name="lab">Where.</param>
    /// <param name="role">Namespace of the sender, which sends by its <c>eth0</c>.</param>
    /// <param name="template">What it sends.</param>
    /// <param name="packetsPerSecond">Pace; 0: as fast as it can.</param>
    internal FloodGenerator(Lab lab, string role, FloodFrames template, double packetsPerSecond)
    {
        (_template, _packetsPerSecond) = (template, packetsPerSecond);
        int index = lab.InterfaceIndex(role, "eth0");
        using NetworkNamespace space = lab.Open(role);
        _fd = space.Run(() => FileDescriptor.Open(
            Libc.Socket(PacketConstants.Family, PacketConstants.RawCloexec, 0), "socket(AF_PACKET)"));
        LinkLayerAddress address = new() { Family = PacketConstants.Family, Ifindex = index };
        Demand(Libc.Bind(_fd.Value, &address, (uint)sizeof(LinkLayerAddress)), "bind");
        _frames = (byte*)NativeMemory.Alloc(BatchMax * FloodFrames.FrameSize);
        _vectors = (IoVector*)NativeMemory.AllocZeroed(BatchMax, (nuint)sizeof(IoVector));
        _messages = (MmsgHeader*)NativeMemory.AllocZeroed(BatchMax, (nuint)sizeof(MmsgHeader));
        for (int i = 0; i < BatchMax; i++)
        {
            template.Begin(FrameAt(i));
            _vectors[i] = new IoVector
            {
                Base = _frames + (i * FloodFrames.FrameSize),
                LengthOctets = FloodFrames.FrameSize,
            };
            _messages[i].Header = new MsgHeader { Vectors = _vectors + i, VectorCount = 1 };
        }

        _thread = new Thread(Run) { IsBackground = true };
        _thread.Start();
    }

    /// <summary>Packets a second since the begin.</summary>
    internal double PacketsPerSecond =>
        Volatile.Read(ref _sent) / Stopwatch.GetElapsedTime(_begin).TotalSeconds;

    /// <summary>Ends it.</summary>
    /// <exception cref="InvalidOperationException">The kernel refused a packet.</exception>
    public void Dispose()
    {
        _isEnding = true;
        _thread.Join();
        _fd.Dispose();
        NativeMemory.Free(_frames);
        NativeMemory.Free(_vectors);
        NativeMemory.Free(_messages);
        if (_fault is not null) throw _fault;
    }

    private Span<byte> FrameAt(int index) =>
        new(_frames + (index * FloodFrames.FrameSize), FloodFrames.FrameSize);

    private void Run()
    {
        try
        {
            Core.BindThisThread();
            while (!_isEnding)
            {
                for (int i = 0; i < BatchMax; i++) _template.Next(FrameAt(i), Random(), (uint)(Random() >> 32));
                for (int sent = 0; sent < BatchMax;) sent += Send(sent);
                Volatile.Write(ref _sent, _sent + BatchMax);
                if (_packetsPerSecond > 0) SpinUntil(_sent / _packetsPerSecond);
            }
        }
        catch (InvalidOperationException e)
        {
            _fault = e;
        }
    }

    /// <summary>A queue on the way that is full takes one of them: a flood is not lossless.</summary>
    private int Send(int first)
    {
        int taken = Libc.SendMmsg(_fd.Value, _messages + first, (uint)(BatchMax - first), 0);
        if (taken < 0 && Libc.LastError == Errno.ENOBUFS) return 1;
        Demand(taken, "sendmmsg");
        return taken;
    }

    private void SpinUntil(double seconds)
    {
        while (!_isEnding && Stopwatch.GetElapsedTime(_begin).TotalSeconds < seconds) Thread.SpinWait(8);
    }

    // xorshift64 (Marsaglia 2003): the same flood in each run.
    private ulong Random()
    {
        _random ^= _random << 13;
        _random ^= _random >> 7;
        return _random ^= _random << 17;
    }

    private static void Demand(int result, string call)
    {
        if (result < 0) throw new InvalidOperationException($"{call}: {Libc.LastError}");
    }
}
