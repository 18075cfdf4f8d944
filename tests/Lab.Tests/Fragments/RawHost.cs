using System;
using System.Buffers.Binary;
using System.Collections.Generic;
using System.Net;
using System.Net.Sockets;
using System.Threading.Tasks;
using Genkan.Datapath.Namespaces;
using Genkan.Datapath.Netlink;
using Genkan.Datapath.Packets;
using Genkan.Lab.Tests.Agent;
using Genkan.Wire;

namespace Genkan.Lab.Tests.Fragments;

/// <summary>A machine of the lab that sends fragments as its kernel never would, and receives by its kernel's
/// sockets.</summary>
internal sealed class RawHost : IDisposable
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(5);

    private readonly NetworkNamespace _namespace;
    private readonly PacketSocket _packets;
    private readonly MacAddress _own;

    /// <summary>Opens a machine.</summary>
    /// <param name="lab">The lab.</param>
    /// <param name="role">Its namespace.</param>
    /// <param name="device">Its interface.</param>
    public RawHost(TwoHosts lab, string role, string device)
    {
        (Lab, Role) = (lab, role);
        _namespace = NetworkNamespace.OpenNamed(lab.NamespaceOf(role));
        LinkInfo link = _namespace.Run(() =>
        {
            using RouteSocket netlink = new();
            return netlink.FindLink(device)!;
        });
        _own = link.Mac;
        _packets = _namespace.Run(() => new PacketSocket(link.Ifindex));
    }

    public TwoHosts Lab { get; }

    public string Role { get; }

    /// <summary>The MAC address of a neighbour, asked for as any machine does.</summary>
    public async Task<MacAddress> NeighbourAsync(string address)
    {
        await Lab.InAsync(Role, "ping", "-c", "2", "-i", "0.1", "-W", "3", address);
        string[] words = (await Lab.InAsync(Role, "ip", "neighbour", "show", address))
            .Split(' ', StringSplitOptions.RemoveEmptyEntries);
        return MacAddress.Parse(words[Array.IndexOf(words, "lladdr") + 1]);
    }

    /// <summary>A UDP socket of the machine, with a time limit.</summary>
    public Socket Listen(string address, ushort port) => _namespace.Run(() =>
    {
        IPAddress own = IPAddress.Parse(address);
        Socket socket = new(own.AddressFamily, SocketType.Dgram, ProtocolType.Udp)
        {
            ReceiveTimeout = (int)Deadline.TotalMilliseconds,
        };
        socket.Bind(new IPEndPoint(own, port));
        return socket;
    });

    /// <summary>MAC address of the interface.</summary>
    public MacAddress Mac => _own;

    /// <summary>Sends frames as they are, one after the other.</summary>
    public void SendFrames(IEnumerable<byte[]> frames)
    {
        foreach (byte[] frame in frames)
        {
            if (_packets.Queue(frame, default(VnetHeader), 0) != QueueResult.Queued)
                throw new InvalidOperationException("the packet socket took no more");
            _packets.Flush();
        }
    }

    /// <summary>Sends IP packets, one after the other.</summary>
    public void Send(MacAddress to, IEnumerable<byte[]> packets)
    {
        foreach (byte[] packet in packets)
        {
            byte[] frame = new byte[14 + packet.Length];
            to.CopyTo(frame);
            _own.CopyTo(frame.AsSpan(6));
            BinaryPrimitives.WriteUInt16BigEndian(
                frame.AsSpan(12), (ushort)(packet[0] >> 4 == 4 ? EtherType.Ipv4 : EtherType.Ipv6));
            packet.CopyTo(frame, 14);
            SendFrames([frame]);
        }
    }

    public void Dispose()
    {
        _packets.Dispose();
        _namespace.Dispose();
    }
}
