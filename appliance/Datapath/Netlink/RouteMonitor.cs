using System;
using Genkan.Datapath.Native;
using Genkan.Datapath.Rings;
using Genkan.Wire;

namespace Genkan.Datapath.Netlink;

/// <summary>A change that the kernel told of.</summary>
public abstract record RouteEvent
{
    private RouteEvent()
    {
    }

    /// <summary>An interface is new, or its name, state, MTU or MAC changed.</summary>
    public sealed record LinkChanged(LinkInfo Link) : RouteEvent;

    /// <summary>An interface is gone.</summary>
    public sealed record LinkRemoved(LinkInfo Link) : RouteEvent;

    /// <summary>An interface has an address.</summary>
    public sealed record AddressAdded(int Ifindex, IpInterface Address) : RouteEvent;

    /// <summary>An interface has an address no more.</summary>
    public sealed record AddressRemoved(int Ifindex, IpInterface Address) : RouteEvent;

    /// <summary>The kernel told more than there was room for: list everything again.</summary>
    public sealed record Overflow : RouteEvent;
}

/// <summary>
/// Changes of links and addresses in the namespace of the thread that opened this, to be pulled by one thread.
/// </summary>
public sealed class RouteMonitor : IDisposable
{
    private const int GroupLink = 1;
    private const int GroupIpv4Address = 5;
    private const int GroupIpv6Address = 9;
    private const int BufferOctets = 1 << 20; // some thousand changes

    private readonly NetlinkSocket _socket = new();
    private byte[] _datagram = [];
    private int _at;

    /// <summary>Begins to listen; what is there already is not told.</summary>
    /// <exception cref="KernelException">Refused.</exception>
    public RouteMonitor()
    {
        _socket.SetReceiveBuffer(BufferOctets);
        _socket.Join(GroupLink);
        _socket.Join(GroupIpv4Address);
        _socket.Join(GroupIpv6Address);
    }

    /// <summary>Adds the monitor to a poller.</summary>
    /// <exception cref="KernelException">It was added before.</exception>
    public void AddTo(Poller poller, int token) => poller.Add(_socket.Fd, token);

    /// <summary>The next change, or null if there is none now. Never waits.</summary>
    /// <exception cref="KernelException">The socket broke.</exception>
    public RouteEvent? TryRead()
    {
        while (true)
        {
            ReadOnlySpan<byte> rest = _datagram.AsSpan(_at);
            while (NetlinkSocket.TryTake(ref rest, out NetlinkSocket.MessageHeader header, out ReadOnlySpan<byte> body))
            {
                _at = _datagram.Length - rest.Length;
                if (Decode(header.Type, body) is { } known) return known;
            }
            int length = _socket.Receive(Libc.MsgDontWait, out Errno error);
            switch (error)
            {
                case Errno.None:
                    _datagram = _socket.Received(length).ToArray();
                    _at = 0;
                    break;
                case Errno.EAGAIN:
                    return null;
                case Errno.ENOBUFS:
                    return new RouteEvent.Overflow();
                default:
                    throw new KernelException("netlink: monitor", error);
            }
        }
    }

    /// <inheritdoc />
    public void Dispose() => _socket.Dispose();

    private static RouteEvent? Decode(NetlinkType type, ReadOnlySpan<byte> body) => type switch
    {
        NetlinkType.NewLink when RouteSocket.TryDecodeLink(body) is { } link => new RouteEvent.LinkChanged(link),
        NetlinkType.DelLink when RouteSocket.TryDecodeLink(body) is { } link => new RouteEvent.LinkRemoved(link),
        NetlinkType.NewAddress when RouteSocket.TryDecodeAddress(body) is var (ifindex, address) =>
            new RouteEvent.AddressAdded(ifindex, address),
        NetlinkType.DelAddress when RouteSocket.TryDecodeAddress(body) is var (ifindex, address) =>
            new RouteEvent.AddressRemoved(ifindex, address),
        _ => null,
    };
}
