using System;
using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Threading;
using Genkan.Datapath.Native;

namespace Genkan.Benchmarks.Traffic;

/// <summary>The system calls of TCP sockets, bare: what the two ends cost is part of both sides' figures.</summary>
internal static unsafe class TcpCalls
{
    internal const int Inet = 2;
    internal const int StreamCloexec = 1 | 0x80000;
    internal const int LevelSocket = 1;
    internal const int ReuseAddress = 2;

    private static readonly bool IsArm64 = RuntimeInformation.ProcessArchitecture == Architecture.Arm64;

    internal static long Connect(int fd, InternetAddress* address) =>
        Libc.Syscall(IsArm64 ? 203 : 42, fd, address, sizeof(InternetAddress));

    internal static long Listen(int fd, int backlog) => Libc.Syscall(IsArm64 ? 201 : 50, fd, (void*)backlog, 0);

    internal static long Accept(int fd) => Libc.Syscall(IsArm64 ? 202 : 43, fd, null, 0);

    /// <summary>A socket bound to a port of any address.</summary>
    internal static int Open(ushort port)
    {
        int fd = Libc.Socket(Inet, StreamCloexec, 0);
        Demand(fd, "socket");
        int one = 1;
        Demand(Libc.SetSockOpt(fd, LevelSocket, ReuseAddress, &one, sizeof(int)), "SO_REUSEADDR");
        InternetAddress address = new(0, port);
        Demand(Libc.Bind(fd, &address, (uint)sizeof(InternetAddress)), "bind");
        return fd;
    }

    internal static void Demand(long result, string call)
    {
        if (result < 0) throw new InvalidOperationException($"{call}: {Libc.LastError}");
    }

    /// <summary>struct sockaddr_in.</summary>
    [StructLayout(LayoutKind.Sequential)]
    internal struct InternetAddress
    {
        private ushort _family;
        private ushort _port;
        private uint _address;
        private ulong _zero;

        internal InternetAddress(uint address, ushort port)
        {
            _family = Inet;
            _port = BinaryPrimitives.ReverseEndianness(port);
            _address = BinaryPrimitives.ReverseEndianness(address);
            _zero = 0;
        }
    }
}

/// <summary>Opens connections.</summary>
internal static unsafe class TcpClient
{
    private const int SendTimeout = 21; // SO_SNDTIMEO, of connect(2) too
    private const int ReceiveTimeout = 20;

    /// <summary>Opens a connection from a port, waits until the server closes it, and closes it.</summary>
    /// <exception cref="InvalidOperationException">It did not come to be, or broke.</exception>
    internal static void Connect(ushort sourcePort, uint destination, ushort port)
    {
        if (!TryConnect(sourcePort, destination, port, out Errno error))
            throw new InvalidOperationException($"connect or the server's close: {error}");
    }

    /// <summary>As <see cref="Connect"/>; gives up after some seconds.</summary>
    /// <returns>Whether it came to be and was closed by the server.</returns>
    internal static bool TryConnect(ushort sourcePort, uint destination, ushort port) =>
        TryConnect(sourcePort, destination, port, out _, timeoutSeconds: 3);

    private static bool TryConnect(
        ushort sourcePort, uint destination, ushort port, out Errno error, long timeoutSeconds = 0)
    {
        int fd = TcpCalls.Open(sourcePort);
        if (timeoutSeconds > 0)
        {
            long* time = stackalloc long[] { timeoutSeconds, 0 }; // struct timeval
            foreach (int option in (ReadOnlySpan<int>)[SendTimeout, ReceiveTimeout])
                TcpCalls.Demand(Libc.SetSockOpt(fd, TcpCalls.LevelSocket, option, time, 16), "SO_…TIMEO");
        }

        TcpCalls.InternetAddress server = new(destination, port);
        long result = TcpCalls.Connect(fd, &server);
        error = Libc.LastError;
        byte octet;
        if (result >= 0 && Libc.Recv(fd, &octet, 1, 0) != 0) (result, error) = (-1, Libc.LastError);
        Libc.Close(fd);
        return result >= 0;
    }
}

/// <summary>Accepts connections and closes each at once.</summary>
internal sealed unsafe class TcpServer : IDisposable
{
    private const int ThreadCount = 4;
    private const int Backlog = 1_024;
    private const int ShutdownBoth = 2;

    private readonly int _fd;
    private readonly Thread[] _threads = new Thread[ThreadCount];

    /// <summary>Listens in the calling thread's namespace.</summary>
    internal TcpServer(ushort port)
    {
        _fd = TcpCalls.Open(port);
        TcpCalls.Demand(TcpCalls.Listen(_fd, Backlog), "listen");
        for (int i = 0; i < ThreadCount; i++)
        {
            _threads[i] = new Thread(Accept) { IsBackground = true };
            _threads[i].Start();
        }
    }

    /// <inheritdoc />
    public void Dispose()
    {
        // shutdown(2) ends the waiting accept calls.
        bool isArm64 = RuntimeInformation.ProcessArchitecture == Architecture.Arm64;
        Libc.Syscall(isArm64 ? 210 : 48, _fd, (void*)ShutdownBoth, 0);
        foreach (Thread thread in _threads) thread.Join();
        Libc.Close(_fd);
    }

    private void Accept()
    {
        while (true)
        {
            long connection = TcpCalls.Accept(_fd);
            if (connection < 0) return;
            Libc.Close((int)connection);
        }
    }
}
