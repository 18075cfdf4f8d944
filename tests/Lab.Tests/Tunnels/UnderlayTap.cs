using System;
using System.Buffers.Binary;
using System.Collections.Generic;
using System.Net.Sockets;
using Genkan.Datapath.Namespaces;
using Genkan.Lab.Tests.Agent;

namespace Genkan.Lab.Tests.Tunnels;

/// <summary>Sees every tunnel packet of host h1 that reaches another host, as it came from the wire.</summary>
internal sealed class UnderlayTap : IDisposable
{
    private const int OuterSize = 50; // Ethernet 14, IPv4 20, UDP 8, VXLAN 8
    private const int EveryProtocol = 0x0300; // ETH_P_ALL in network order: before any program takes the packet
    private const int ReceiveBufferOctets = 8 << 20;

    private readonly Socket _socket;

    /// <summary>Begins to listen.</summary>
    public UnderlayTap(TwoHosts lab, string role)
    {
        using NetworkNamespace place = NetworkNamespace.OpenNamed(lab.NamespaceOf(role));
        _socket = place.Run(static () =>
            new Socket(AddressFamily.Packet, SocketType.Raw, (ProtocolType)EveryProtocol)
            {
                ReceiveBufferSize = ReceiveBufferOctets,
                Blocking = false,
            });
    }

    /// <summary>Takes what has come: the outer headers of each packet, by the frame inside, in the order of
    /// arrival.</summary>
    public List<(byte[] Outer, byte[] Inner)> Take()
    {
        List<(byte[], byte[])> taken = [];
        byte[] buffer = new byte[65_536];
        while (_socket.Available > 0)
        {
            ReadOnlySpan<byte> frame = buffer.AsSpan(0, _socket.Receive(buffer));
            if (IsTunnel(frame)) taken.Add((frame[..OuterSize].ToArray(), frame[OuterSize..].ToArray()));
        }

        return taken;
    }

    public void Dispose() => _socket.Dispose();

    private static bool IsTunnel(ReadOnlySpan<byte> frame) =>
        frame.Length > OuterSize && frame[12] == 8 && frame[13] == 0 && frame[23] == 17
        && frame[26..30].SequenceEqual<byte>([192, 0, 2, 11])
        && BinaryPrimitives.ReadUInt16BigEndian(frame[36..]) == 4789;

    /// <summary>Whether our own program made them: the device numbers its packets.</summary>
    public static bool IsDirect(ReadOnlySpan<byte> outer) => outer[18] == 0 && outer[19] == 0;

    /// <summary>The headers without the identification, which is nothing's in a packet that is never cut (RFC 6864
    /// §4.1), and without the checksum, which must be right.</summary>
    public static string Comparable(ReadOnlySpan<byte> outer)
    {
        uint sum = 0;
        for (int at = 14; at < 34; at += 2) sum += BinaryPrimitives.ReadUInt16BigEndian(outer[at..]);
        while (sum >> 16 != 0) sum = (sum & 0xffff) + (sum >> 16);
        byte[] copy = outer.ToArray();
        copy.AsSpan(18, 2).Clear();
        copy.AsSpan(24, 2).Clear();
        return $"{Convert.ToHexString(copy)}{(sum == 0xffff ? "" : " wrong checksum")}";
    }
}
