using System;
using System.Buffers.Binary;
using System.Collections;
using System.Net;
using System.Net.Sockets;
using System.Threading;
using Genkan.Datapath.Namespaces;

namespace Genkan.Benchmarks.Traffic;

/// <summary>
/// Numbered datagrams both ways between two sockets, each counted at the other end: what was lost, doubled, overtaken,
/// or came from another address than the first one did.
/// </summary>
internal sealed class Conversation : IDisposable
{
    private const int PayloadSize = 64;
    private const int SequenceMax = 1 << 24;
    private const int ReceiveBufferOctets = 64 << 20;
    private const int SocketLevel = 1;
    private const int ReceiveBufferForce = 33; // SO_RCVBUFFORCE: the receiver must not be what loses
    private const int WarmUpsMax = 50;
    private const int ReceiveTimeoutMs = 200;

    private readonly Side _left;
    private readonly Side _right;

    /// <summary>Opens both ends and lets a datagram pass each way, so that the flow is known.</summary>
    /// <param name="name">For messages.</param>
    /// <param name="lab">The lab.</param>
    /// <param name="left">Role and address of the side that begins.</param>
    /// <param name="target">Where it sends to.</param>
    /// <param name="right">Role and address of the side that answers whoever it hears.</param>
    internal Conversation(
        string name, Lab lab, (string Role, IPEndPoint At) left, IPEndPoint target, (string Role, IPEndPoint At) right)
    {
        Name = name;
        _left = new Side(Open(lab, left.Role, left.At)) { Peer = target };
        _right = new Side(Open(lab, right.Role, right.At));
        WarmUp(_left, _right);
        _right.Peer = _right.Heard;
        WarmUp(_right, _left);
    }

    /// <summary>For messages.</summary>
    internal string Name { get; }

    /// <summary>Datagrams sent, both ways.</summary>
    internal long SentCount => _left.Sent + _right.Sent;

    /// <summary>Those that never came.</summary>
    internal long LostCount => _left.Sent + _right.Sent - _left.Unique - _right.Unique;

    /// <summary>Those that came more than once.</summary>
    internal long DoubledCount => _left.Doubled + _right.Doubled;

    /// <summary>Those that came after a later one.</summary>
    internal long OvertakenCount => _left.Overtaken + _right.Overtaken;

    /// <summary>Those that came from another address or port than the first.</summary>
    internal long StrangeCount => _left.Strange + _right.Strange;

    /// <summary>Begins to count from zero.</summary>
    internal void Start()
    {
        _left.Start();
        _right.Start();
    }

    /// <summary>Sends the datagrams that are due.</summary>
    /// <param name="due">How many each side should have sent by now.</param>
    /// <param name="burstMax">At most so many at once.</param>
    internal void Send(long due, int burstMax)
    {
        _left.Send(due, burstMax);
        _right.Send(due, burstMax);
    }

    /// <summary>Waits until nothing comes any more.</summary>
    internal void Finish()
    {
        _left.Finish();
        _right.Finish();
    }

    /// <inheritdoc />
    public void Dispose()
    {
        _left.Dispose();
        _right.Dispose();
    }

    /// <summary>Opens a datagram socket in a namespace.</summary>
    internal static Socket Open(Lab lab, string role, IPEndPoint at)
    {
        using NetworkNamespace space = lab.Open(role);
        return space.Run(() =>
        {
            Socket socket = new(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp)
            {
                ReceiveTimeout = ReceiveTimeoutMs,
            };
            socket.SetRawSocketOption(SocketLevel, ReceiveBufferForce, BitConverter.GetBytes(ReceiveBufferOctets));
            socket.Bind(at);
            return socket;
        });
    }

    /// <summary>Whether nothing came within the receive time, or a signal came instead.</summary>
    internal static bool IsSilence(SocketException e) =>
        e.SocketErrorCode is SocketError.TimedOut or SocketError.WouldBlock or SocketError.Interrupted;

    private void WarmUp(Side from, Side to)
    {
        for (int i = 0; i < WarmUpsMax; i++)
        {
            from.SendOne(ulong.MaxValue);
            if (to.TryHear()) return;
        }

        throw new InvalidOperationException($"{Name}: nothing passes");
    }

    private sealed class Side(Socket socket) : IDisposable
    {
        private readonly BitArray _seen = new(SequenceMax);
        private readonly byte[] _out = new byte[PayloadSize];
        private readonly byte[] _in = new byte[PayloadSize];
        private Thread? _reader;
        private volatile bool _isFinishing;
        private long _latest;

        internal IPEndPoint? Peer { get; set; }

        internal IPEndPoint? Heard { get; private set; }

        internal long Sent { get; private set; }

        internal long Unique { get; private set; }

        internal long Doubled { get; private set; }

        internal long Overtaken { get; private set; }

        internal long Strange { get; private set; }

        public void Dispose() => socket.Dispose();

        internal void Start()
        {
            _seen.SetAll(false);
            (Sent, Unique, Doubled, Overtaken, Strange, _latest) = (0, 0, 0, 0, 0, -1);
            _isFinishing = false;
            _reader = new Thread(Read) { IsBackground = true, Name = "receiver" };
            _reader.Start();
        }

        internal void Send(long due, int burstMax)
        {
            long until = Math.Min(due, Sent + burstMax);
            while (Sent < until)
            {
                SendOne((ulong)Sent);
                Sent++;
            }
        }

        internal void SendOne(ulong sequence)
        {
            BinaryPrimitives.WriteUInt64LittleEndian(_out, sequence);
            socket.SendTo(_out, Peer!);
        }

        internal bool TryHear()
        {
            EndPoint from = new IPEndPoint(IPAddress.Any, 0);
            try
            {
                socket.ReceiveFrom(_in, ref from);
            }
            catch (SocketException e) when (IsSilence(e))
            {
                return false;
            }

            Heard = (IPEndPoint)from;
            return true;
        }

        internal void Finish()
        {
            _isFinishing = true;
            _reader!.Join();
        }

        // Ends when it was told to and a whole receive time passed in silence.
        private void Read()
        {
            SocketAddress from = new(AddressFamily.InterNetwork);
            SocketAddress? first = null;
            while (true)
            {
                try
                {
                    socket.ReceiveFrom(_in, SocketFlags.None, from);
                }
                catch (SocketException e) when (IsSilence(e))
                {
                    if (_isFinishing && e.SocketErrorCode != SocketError.Interrupted) return;
                    continue;
                }

                ulong sequence = BinaryPrimitives.ReadUInt64LittleEndian(_in);
                if (sequence >= SequenceMax) continue; // of the warm-up
                if (first is null)
                {
                    first = new SocketAddress(AddressFamily.InterNetwork);
                    from.Buffer.Span.CopyTo(first.Buffer.Span);
                }

                if (!from.Buffer.Span[..8].SequenceEqual(first.Buffer.Span[..8])) Strange++;
                Count((long)sequence);
            }
        }

        private void Count(long sequence)
        {
            if (_seen[(int)sequence])
            {
                Doubled++;
                return;
            }

            _seen[(int)sequence] = true;
            Unique++;
            if (sequence < _latest) Overtaken++;
            else _latest = sequence;
        }
    }
}
