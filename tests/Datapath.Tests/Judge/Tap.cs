using System;
using System.Collections.Generic;
using System.Runtime.InteropServices;
using System.Text;
using Genkan.Datapath.Native;

namespace Genkan.Datapath.Tests.Judge;

/// <summary>
/// A VM's end of an interface of the calling thread's namespace. What is sent passes the whole of the host, up to its
/// last queue, before the call returns: the kernel handles a tap's frame on the back of who wrote it.
/// </summary>
internal sealed unsafe class Tap : IDisposable
{
    private const int ReadWriteNonblockCloexec = 2 | 0x800 | 0x80000;
    private const int TunSetInterface = 0x400454ca;
    private const short TapWithoutHeader = 2 | 0x1000;
    private const int RequestSize = 40; // struct ifreq: a name of 16 octets, then the flags
    private const int FlagsAt = 16;
    private const int FrameMax = 70_000;

    private readonly FileDescriptor _fd;
    private readonly byte[] _buffer = new byte[FrameMax];

    /// <summary>Makes the interface; it is down.</summary>
    public Tap(string name)
    {
        Name = name;
        _fd = FileDescriptor.Open(Libc.Open("/dev/net/tun", ReadWriteNonblockCloexec, 0), "open /dev/net/tun");
        byte* request = stackalloc byte[RequestSize];
        new Span<byte>(request, RequestSize).Clear();
        Encoding.ASCII.GetBytes(name, new Span<byte>(request, FlagsAt));
        *(short*)(request + FlagsAt) = TapWithoutHeader;
        if (Libc.Syscall(Ioctl, _fd.Value, (void*)TunSetInterface, (long)request) >= 0) return;
        Errno error = Libc.LastError;
        _fd.Dispose();
        throw new KernelException($"make tap {name}", error);
    }

    public string Name { get; }

    private static long Ioctl => RuntimeInformation.ProcessArchitecture == Architecture.X64 ? 16 : 29;

    /// <summary>Sends a frame as the VM: the host receives it.</summary>
    public void Send(ReadOnlySpan<byte> frame)
    {
        fixed (byte* at = frame)
        {
            if (Libc.Write(_fd.Value, at, frame.Length) != frame.Length)
                throw new KernelException($"send {frame.Length} octets by tap {Name}", Libc.LastError);
        }
    }

    /// <summary>Takes everything that the host has sent to the VM so far.</summary>
    public List<byte[]> TakeAll()
    {
        List<byte[]> frames = [];
        fixed (byte* at = _buffer)
        {
            while (true)
            {
                nint length = Libc.Read(_fd.Value, at, FrameMax);
                if (length > 0) frames.Add(_buffer[..(int)length]);
                else if (Libc.LastError == Errno.EAGAIN) return frames;
                else throw new KernelException($"receive by tap {Name}", Libc.LastError);
            }
        }
    }

    public void Dispose() => _fd.Dispose();
}
