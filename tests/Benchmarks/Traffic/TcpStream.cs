using System;
using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using System.Threading;
using Genkan.Datapath.Namespaces;

namespace Genkan.Benchmarks.Traffic;

/// <summary>One long TCP transfer, at a pace that leaves the processor to others.</summary>
internal sealed class TcpStream : IDisposable
{
    private const int ChunkSize = 64 << 10;
    private const int PauseMs = 10; // 50 Mbit/s
    private const int TcpLevel = 6;
    private const int TcpInfo = 11;
    private const int TotalRetransmitsAt = 100; // struct tcp_info.tcpi_total_retrans

    private readonly Socket _sender;
    private readonly Socket _receiver;
    private readonly Thread _sending;
    private readonly Thread _receiving;
    private volatile bool _isEnding;
    private long _sent;
    private long _received;

    /// <summary>Connects and begins.</summary>
    internal TcpStream(Lab lab, string client, string server, IPEndPoint at)
    {
        using NetworkNamespace there = lab.Open(server);
        using NetworkNamespace here = lab.Open(client);
        using Socket listener = there.Run(() =>
        {
            Socket socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            socket.Bind(at);
            socket.Listen(1);
            return socket;
        });
        _sender = here.Run(() =>
        {
            Socket socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            socket.Connect(at);
            return socket;
        });
        _receiver = listener.Accept();
        _sending = new Thread(Send) { IsBackground = true };
        _receiving = new Thread(Receive) { IsBackground = true };
        _sending.Start();
        _receiving.Start();
    }

    /// <summary>Segments that were sent again.</summary>
    internal uint Retransmits { get; private set; }

    /// <summary>Ends it and waits until all has arrived.</summary>
    /// <returns>Octets that were transferred.</returns>
    /// <exception cref="InvalidOperationException">The connection broke.</exception>
    internal long End()
    {
        _isEnding = true;
        _sending.Join();
        _receiving.Join();
        return _sent == _received
            ? _received
            : throw new InvalidOperationException($"the TCP transfer broke: {_received} of {_sent} octets came");
    }

    /// <inheritdoc />
    public void Dispose()
    {
        _sender.Dispose();
        _receiver.Dispose();
    }

    private void Send()
    {
        byte[] chunk = new byte[ChunkSize];
        byte[] info = new byte[256];
        try
        {
            while (!_isEnding)
            {
                _sent += _sender.Send(chunk);
                Thread.Sleep(PauseMs);
            }

            _sender.GetRawSocketOption(TcpLevel, TcpInfo, info);
            Retransmits = BinaryPrimitives.ReadUInt32LittleEndian(info.AsSpan(TotalRetransmitsAt));
            _sender.Shutdown(SocketShutdown.Send);
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            Console.Error.WriteLine($"TCP sender: {e.Message}"); // the octets will not match
            _receiver.Dispose();
        }
    }

    private void Receive()
    {
        byte[] chunk = new byte[ChunkSize];
        try
        {
            for (int got = 1; got > 0; _received += got) got = _receiver.Receive(chunk);
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            Console.Error.WriteLine($"TCP receiver: {e.Message}");
        }
    }
}
