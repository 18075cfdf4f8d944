using System;
using System.Buffers.Binary;
using System.Runtime.InteropServices;
using Genkan.Datapath.Native;

namespace Genkan.Datapath.Rings;

/// <summary>
/// Waits for rings and sockets, with a bell for other threads. One thread waits; nothing is allocated. Each source has
/// a token of its owner's choice, zero or more.
/// </summary>
public sealed unsafe class Poller : IDisposable
{
    /// <summary>The most tokens that one wait gives.</summary>
    public const int ReadyCountMax = 64;

    private const int CloseOnExec = 0x80000;
    private const int NonBlocking = 0x800;
    private const int ControlAdd = 1;
    private const int ControlDelete = 2;
    private const uint EventIn = 1;
    private const int BellToken = -1;

    // struct epoll_event is packed on x86-64 alone: u32 events, then u64 data.
    private static readonly int DataAt = RuntimeInformation.ProcessArchitecture == Architecture.X64 ? 4 : 8;

    private readonly FileDescriptor _epoll = FileDescriptor.Open(Libc.EpollCreate1(CloseOnExec), "epoll_create1");
    private readonly FileDescriptor _bell = FileDescriptor.Open(Libc.EventFd(0, CloseOnExec | NonBlocking), "eventfd");

    /// <summary>Makes a poller with a bell and no sources.</summary>
    /// <exception cref="KernelException">No descriptors are left.</exception>
    public Poller() => Add(_bell, BellToken);

    /// <summary>Adds a ring.</summary>
    /// <exception cref="KernelException">It was added before.</exception>
    public void Add(RingBuffer ring, int token) => Add(ring.Fd, token);

    /// <summary>Removes a ring.</summary>
    /// <exception cref="KernelException">It was not added.</exception>
    public void Remove(RingBuffer ring) => Remove(ring.Fd);

    /// <summary>Ends the wait that is going on, or the next one. Any thread may call it.</summary>
    public void Wake()
    {
        ulong one = 1;
        Libc.Write(_bell.Value, &one, sizeof(ulong)); // fails only when it rings already, 2^64 − 2 times unanswered
    }

    /// <summary>Waits until a source has something, the bell rings or the time is over.</summary>
    /// <param name="timeout">How long; rounded up to whole milliseconds.</param>
    /// <param name="readyTokens">Room for tokens; at most <see cref="ReadyCountMax"/> are given at once.</param>
    /// <returns>How many tokens were written; 0 after the bell, the time or a signal.</returns>
    public int Wait(TimeSpan timeout, Span<int> readyTokens)
    {
        int stride = DataAt + 8;
        int room = Math.Min(readyTokens.Length + 1, ReadyCountMax);
        Span<byte> events = stackalloc byte[ReadyCountMax * 16];
        int eventCount;
        fixed (byte* eventsAt = events)
        {
            eventCount = Libc.EpollWait(_epoll.Value, eventsAt, room, (int)Math.Ceiling(timeout.TotalMilliseconds));
        }

        int count = 0;
        for (int i = 0; i < eventCount; i++)
        {
            int token = BinaryPrimitives.ReadInt32LittleEndian(events[((i * stride) + DataAt)..]);
            if (token == BellToken) Silence();
            else if (count < readyTokens.Length) readyTokens[count++] = token;
        }
        return count;
    }

    /// <inheritdoc />
    public void Dispose()
    {
        _epoll.Dispose();
        _bell.Dispose();
    }

    internal void Add(FileDescriptor source, int token)
    {
        byte* registration = stackalloc byte[16];
        *(uint*)registration = EventIn;
        *(long*)(registration + DataAt) = token;
        if (Libc.EpollCtl(_epoll.Value, ControlAdd, source.Value, registration) < 0)
        {
            throw new KernelException("epoll_ctl(ADD)", Libc.LastError);
        }
    }

    internal void Remove(FileDescriptor source)
    {
        if (Libc.EpollCtl(_epoll.Value, ControlDelete, source.Value, null) < 0)
        {
            throw new KernelException("epoll_ctl(DEL)", Libc.LastError);
        }
    }

    private void Silence()
    {
        ulong rings;
        Libc.Read(_bell.Value, &rings, sizeof(ulong));
    }
}
