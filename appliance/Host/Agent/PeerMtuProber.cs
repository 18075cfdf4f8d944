using System;
using System.Buffers.Binary;
using System.Collections.Concurrent;
using System.Collections.Generic;
using System.Globalization;
using System.Linq;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Threading;
using Genkan.Datapath.Tables;
using Genkan.Overlay.Topology;
using Genkan.Overlay.Underlay;
using Genkan.Wire;
using Microsoft.Extensions.Logging;

namespace Genkan.Host.Agent;

/// <summary>
/// Finds out what the underlay carries to each other host, by ICMP echo that must not be cut; the peer's kernel
/// answers. Has a thread and a raw socket of its own; <see cref="PathMtuSearch"/> decides.
/// </summary>
internal sealed partial class PeerMtuProber
{
    private const int ProbesPerSecond = 50;
    private const int IcmpSize = 8;
    private const int NonceSize = 8;
    private const int PacketMax = 65535;
    private const int IpMtuDiscover = 10;    // linux/in.h
    private const int Ipv6MtuDiscover = 23;  // linux/in6.h
    private const int PmtudiscProbe = 3;     // DF, and what the kernel believes to know of the path is ignored

    private const int NothingYet = -1;

    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1) / ProbesPerSecond;
    private static readonly TimeSpan IdleWait = TimeSpan.FromMilliseconds(250);

    private readonly KernelDatapath _datapath;
    private readonly Func<TopologySnapshot> _topology;
    private readonly ILogger _logger;
    private readonly Dictionary<IpAddress, Peer> _peers = [];
    private readonly ConcurrentDictionary<ObjectId, int> _found = new();
    private readonly byte[] _packet = new byte[PacketMax];
    private readonly byte[] _nonce = RandomNumberGenerator.GetBytes(NonceSize);
    private readonly ushort _identifier = (ushort)RandomNumberGenerator.GetInt32(ushort.MaxValue);

    public PeerMtuProber(KernelDatapath datapath, Func<TopologySnapshot> topology, ILogger logger) =>
        (_datapath, _topology, _logger) = (datapath, topology, logger);

    private sealed class Peer(int maxOctets, TimeSpan firstAt, IPAddress address)
    {
        public PathMtuSearch Search { get; } = new(
            maxOctets,
            firstAt,
            address.AddressFamily == AddressFamily.InterNetwork
                ? PathMtuSearch.LeastOctets4
                : PathMtuSearch.BaseOctets);

        public EndPoint EndPoint { get; } = new IPEndPoint(address, 0);

        public int Reported { get; set; } = NothingYet;
    }

    /// <summary>Octets that are known to arrive, by name of the host; 0 if it answers nothing, null as long as the
    /// first round is not over. Any thread may ask.</summary>
    public IReadOnlyList<(string Peer, int? Octets)> Found
    {
        get
        {
            TopologySnapshot topology = _topology();
            return
            [
                .. topology.Parts.Hosts.Where(h => h.Id != topology.LocalHost.Id)
                    .Select(h => (h.Name, _found.TryGetValue(h.Id, out int octets) ? octets : (int?)null)),
            ];
        }
    }

    /// <summary>Paths that carry less than this host's networks need, as sentences. Any thread may ask.</summary>
    public IReadOnlyList<string> Warnings
    {
        get
        {
            TopologySnapshot topology = _topology();
            int widest = topology.LocalBridges.Select(static b => b.Mtu).DefaultIfEmpty().Max();
            int needed = widest + _datapath.UnderlayMtu - _datapath.TenantMtuMax;
            return
            [
                .. topology.Parts.Hosts
                    .Where(h => h.Id != topology.LocalHost.Id
                        && _found.TryGetValue(h.Id, out int octets) && octets != 0 && octets < needed)
                    .Select(h => Describe(h, _found[h.Id], needed)),
            ];
        }
    }

    /// <summary>Probes until the stop.</summary>
    public void Run(CancellationToken stop)
    {
        bool isIpv4 = _topology().LocalHost.UnderlayAddress.IsIpv4;
        using Socket socket = Open(isIpv4);
        while (!stop.IsCancellationRequested)
        {
            Follow(_topology());
            bool hasSent = SendNext(socket, isIpv4);
            TimeSpan wait = hasSent ? Pause : IdleWait;
            while (socket.Poll(wait, SelectMode.SelectRead))
            {
                Receive(socket, isIpv4);
                wait = TimeSpan.Zero;
            }

            Report();
        }
    }

    private Socket Open(bool isIpv4)
    {
        Socket socket = isIpv4
            ? new Socket(AddressFamily.InterNetwork, SocketType.Raw, ProtocolType.Icmp)
            : new Socket(AddressFamily.InterNetworkV6, SocketType.Raw, ProtocolType.IcmpV6);
        Span<byte> probe = stackalloc byte[sizeof(int)];
        BinaryPrimitives.WriteInt32LittleEndian(probe, PmtudiscProbe);
        if (isIpv4) socket.SetRawSocketOption((int)SocketOptionLevel.IP, IpMtuDiscover, probe);
        else socket.SetRawSocketOption((int)SocketOptionLevel.IPv6, Ipv6MtuDiscover, probe);
        socket.Bind(new IPEndPoint(AddressOf(_topology().LocalHost.UnderlayAddress), 0));
        return socket;
    }

    private void Follow(TopologySnapshot topology)
    {
        foreach (Genkan.Overlay.Topology.Host host in topology.Parts.Hosts)
        {
            if (host.Id == topology.LocalHost.Id || _peers.ContainsKey(host.UnderlayAddress)) continue;
            if (host.UnderlayAddress.IsIpv4 != topology.LocalHost.UnderlayAddress.IsIpv4) continue;
            _peers[host.UnderlayAddress] =
                new Peer(_datapath.UnderlayMtu, _datapath.Now, AddressOf(host.UnderlayAddress));
        }

        foreach (IpAddress address in _peers.Keys)
        {
            if (!topology.Parts.Hosts.Any(h => h.UnderlayAddress == address)) _peers.Remove(address);
        }
    }

    private bool SendNext(Socket socket, bool isIpv4)
    {
        foreach (Peer peer in _peers.Values)
        {
            int size = peer.Search.Step(_datapath.Now, Chance());
            if (size == 0) continue;
            try
            {
                socket.SendTo(WriteEcho(size, isIpv4), peer.EndPoint);
            }
            catch (SocketException e) when (e.SocketErrorCode == SocketError.MessageSize)
            {
                peer.Search.Refuse(size, _datapath.Now, Chance());
            }
            catch (SocketException)
            {
                // No route, no neighbour: nothing comes back, and the search counts it as lost.
            }

            return true;
        }

        return false;
    }

    private ReadOnlySpan<byte> WriteEcho(int size, bool isIpv4)
    {
        Span<byte> echo = _packet.AsSpan(0, size - (isIpv4 ? 20 : 40));
        echo.Clear();
        echo[0] = isIpv4 ? (byte)IcmpType.Echo : (byte)Icmpv6Type.EchoRequest;
        BinaryPrimitives.WriteUInt16BigEndian(echo[4..], _identifier);
        _nonce.CopyTo(echo[IcmpSize..]);
        if (isIpv4) BinaryPrimitives.WriteUInt16BigEndian(echo[2..], InternetChecksum.Compute(echo));
        return echo; // of ICMPv6 the kernel writes the checksum
    }

    private void Receive(Socket socket, bool isIpv4)
    {
        EndPoint from = isIpv4 ? new IPEndPoint(IPAddress.Any, 0) : new IPEndPoint(IPAddress.IPv6Any, 0);
        Span<byte> packet;
        try
        {
            packet = _packet.AsSpan(0, socket.ReceiveFrom(_packet, ref from));
        }
        catch (SocketException)
        {
            return; // an error that came for one of our probes: the probe is lost
        }

        int header = isIpv4 && packet.Length > 0 ? (packet[0] & 0xF) * 4 : 0;
        if (packet.Length < header + IcmpSize + NonceSize) return;
        Span<byte> echo = packet[header..];
        byte reply = isIpv4 ? (byte)IcmpType.EchoReply : (byte)Icmpv6Type.EchoReply;
        bool isOurs = echo[0] == reply && BinaryPrimitives.ReadUInt16BigEndian(echo[4..]) == _identifier
            && CryptographicOperations.FixedTimeEquals(echo.Slice(IcmpSize, NonceSize), _nonce);
        if (!isOurs) return;
        IpAddress source = IpAddress.FromOctets(((IPEndPoint)from).Address.GetAddressBytes());
        if (_peers.TryGetValue(source, out Peer? peer))
            peer.Search.Answer(echo.Length + (isIpv4 ? 20 : 40), _datapath.Now, Chance());
    }

    private void Report()
    {
        foreach (Genkan.Overlay.Topology.Host host in _topology().Parts.Hosts)
        {
            if (!_peers.TryGetValue(host.UnderlayAddress, out Peer? peer)) continue;
            int found = peer.Search.FoundOctets;
            if (!peer.Search.HasEnded || found == peer.Reported) continue;
            (peer.Reported, _found[host.Id]) = (found, found);
            if (found == 0) continue; // down, or silent: what was known of the path stays
            _datapath.SetPeerMtu(host.UnderlayAddress, found);
            if (found < _datapath.UnderlayMtu) LogNarrow(host.Name, found, _datapath.UnderlayMtu);
            else LogWide(host.Name, found);
        }
    }

    private string Describe(Genkan.Overlay.Topology.Host host, int octets, int needed) => string.Create(
        CultureInfo.InvariantCulture,
        $"The path to host {host.Name} ({host.UnderlayAddress}) carries packets of {octets} octets, but the networks "
        + $"need {needed}: raise the MTU of every switch and interface of the underlay on the way to {needed}. Until "
        + $"then tenants' packets of more than {octets - (_datapath.UnderlayMtu - _datapath.TenantMtuMax)} octets to "
        + $"that host are cut, or their sender is told by ICMP.");

    private static IPAddress AddressOf(IpAddress address)
    {
        Span<byte> octets = stackalloc byte[address.IsIpv4 ? IpAddress.Ipv4Size : IpAddress.Ipv6Size];
        address.CopyTo(octets);
        return new IPAddress(octets);
    }

    private static ushort Chance() => (ushort)RandomNumberGenerator.GetInt32(ushort.MaxValue);

    [LoggerMessage(Level = LogLevel.Warning,
        Message = "The path to host {Host} carries packets of {Octets} octets, less than the {Own} of this end. See "
            + "genkan status.")]
    private partial void LogNarrow(string host, int octets, int own);

    [LoggerMessage(Level = LogLevel.Information,
        Message = "The path to host {Host} carries packets of {Octets} octets.")]
    private partial void LogWide(string host, int octets);
}
