using System;
using System.Collections.Generic;
using System.Collections.Immutable;
using System.IO;
using System.Linq;
using Genkan.Fuzz.Engine;
using Genkan.Testing;
using Genkan.Wire;
using Genkan.Wire.NeighborDiscovery;

namespace Genkan.Fuzz.Targets;

/// <summary>Frames to begin with: what the courtyard's VMs send, and the real captures of the tests.</summary>
internal static class PacketSeeds
{
    private const string A4 = "10.0.1.11";
    private const string A6 = "2001:db8:1:1:f816:3eff:fe00:111";
    private const string Web4 = "198.18.0.10";
    private const string Web6 = "2001:db8:beef::10";

    private static readonly MacAddress A = World.MacOf("red/red-a");
    private static readonly MacAddress B = World.MacOf("red/red-b");
    private static readonly MacAddress Router = World.RouterMac("10.0.1.1");

    /// <summary>All of them.</summary>
    public static ImmutableArray<byte[]> All { get; } = [.. Written(), .. Captured()];

    /// <summary>Payloads of UDP datagrams to one of two ports.</summary>
    public static IEnumerable<byte[]> PayloadsOf(ushort serverPort, ushort clientPort)
    {
        foreach (byte[] frame in All)
        {
            if (PacketHeader.TryDecode(frame, out PacketHeader header) != PacketFault.None) continue;
            if (header.Protocol != IpProtocol.Udp || header.Fragment != FragmentKind.None) continue;
            if (header.DestinationPort == serverPort || header.DestinationPort == clientPort)
                yield return frame[header.PayloadAt..header.NetworkEnd];
        }
    }

    private static IEnumerable<byte[]> Written()
    {
        foreach ((string source, string outside, string neighbour) in new[]
            { (A4, Web4, "10.0.1.12"), (A6, Web6, "2001:db8:1:1:f816:3eff:fe00:112") })
        {
            byte[] tcp = Frame(Router, source, outside, IpProtocol.Tcp, 80);
            yield return tcp;
            yield return Frame(B, source, neighbour, IpProtocol.Tcp, 5201);
            yield return Frame(Router, source, outside, IpProtocol.Udp, 53);
            yield return Frame(Router, source, outside, IpProtocol.Sctp, 9);
            bool isIpv4 = source == A4;
            yield return Frame(Router, source, outside, isIpv4 ? IpProtocol.Icmp : IpProtocol.Icmpv6, 0);
            yield return Fragment(source, outside, 0);
            yield return Fragment(source, outside, 1448);
            yield return Error(tcp, outside);
        }

        yield return Frame(Router, Web4, "198.51.100.20", IpProtocol.Tcp, 80);
        yield return Frame(Router, Web4, "198.51.100.10", IpProtocol.Udp, 40000);
        yield return Frame(MacAddress.Broadcast, "0.0.0.0", "255.255.255.255", IpProtocol.Udp, 67);
        yield return Arp();
        byte[] room = new byte[2048];
        yield return room[..NeighborSolicitation.WriteMulticast(
            room, A, IpAddress.Parse(A6), IpAddress.Parse("2001:db8:1:1::1"))];
        yield return WithExtensions();
    }

    private static byte[] Frame(MacAddress to, string source, string destination, IpProtocol protocol, ushort port)
    {
        byte[] room = new byte[512];
        FrameWriter writer = new(room);
        writer.Ethernet(to, A);
        writer.Ip(IpAddress.Parse(source), IpAddress.Parse(destination), protocol);
        switch (protocol)
        {
            case IpProtocol.Tcp: writer.Tcp(40000, port, TcpFlags.Syn, 1, 0, 65535); break;
            case IpProtocol.Udp: writer.Udp((ushort)(port + 1), port); break;
            case IpProtocol.Icmp: writer.Icmp((byte)IcmpType.Echo, 0, 0x0007_0001); break;
            case IpProtocol.Icmpv6: writer.Icmp((byte)Icmpv6Type.EchoRequest, 0, 0x0007_0001); break;
            case IpProtocol.Sctp: writer.Octets([0x9c, 0x40, 0, 9, 0, 0, 0, 1, 0, 0, 0, 0]); break;
        }

        writer.Octets("the quick brown fox jumps over the lazy dog"u8);
        return room[..writer.Finish()];
    }

    private static byte[] Fragment(string source, string destination, int offset)
    {
        byte[] room = new byte[512];
        FrameWriter writer = new(room);
        writer.Ethernet(Router, A);
        writer.Ip(IpAddress.Parse(source), IpAddress.Parse(destination), IpProtocol.Udp);
        writer.Fragment(4711, offset, more: offset == 0);
        if (offset == 0) writer.Udp(5000, 5001);
        writer.Octets(new byte[64]);
        return room[..writer.Finish()];
    }

    private static byte[] Error(byte[] about, string source)
    {
        _ = PacketHeader.TryDecode(about, out PacketHeader header);
        (header.EthernetSource, header.EthernetDestination) = (Router, A);
        byte[] room = new byte[IcmpMessages.ErrorFrameSizeMax];
        return room[..IcmpMessages.WriteError(
            room, about, header, IcmpError.TimeExceeded(header.IsIpv4), IpAddress.Parse(source), A)];
    }

    private static byte[] Arp()
    {
        byte[] room = new byte[64];
        FrameWriter writer = new(room);
        writer.Ethernet(MacAddress.Broadcast, A);
        writer.Arp(ArpOperation.Request, A, IpAddress.Parse(A4), MacAddress.Zero, IpAddress.Parse("10.0.1.1"));
        return room[..writer.Finish()];
    }

    private static byte[] WithExtensions()
    {
        byte[] frame = Frame(Router, A6, Web6, IpProtocol.Tcp, 443);
        byte[] options = [(byte)IpProtocol.Tcp, 0, 1, 4, 0, 0, 0, 0];
        byte[] longer = [.. frame[..54], .. options, .. frame[54..]];
        longer[20] = (byte)IpProtocol.DestinationOptions;
        longer[19] += 8;
        return longer;
    }

    private static IEnumerable<byte[]> Captured() =>
        from file in Directory.EnumerateFiles(
            Path.Combine(InputFiles.Root, "../Wire.Tests/Captures"), "*.hex").Order(StringComparer.Ordinal)
        from frame in Hex.Capture(Path.GetFullPath(file)).OrderBy(static f => f.Key, StringComparer.Ordinal)
        where frame.Value.Length <= PacketMutator.FrameMax
        select frame.Value;
}
