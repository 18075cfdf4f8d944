using System;
using FsCheck;
using FsCheck.Fluent;
using Genkan.Testing;
using Shouldly;

namespace Genkan.Wire.Tests;

/// <summary>Addresses and helpers that the tests share.</summary>
internal static class Samples
{
    public static readonly MacAddress MacA = MacAddress.Parse("02:00:00:00:00:0a");
    public static readonly MacAddress MacB = MacAddress.Parse("02:00:00:00:00:0b");
    public static readonly IpAddress A4 = IpAddress.Parse("10.0.1.9");
    public static readonly IpAddress B4 = IpAddress.Parse("10.0.1.1");
    public static readonly IpAddress A6 = IpAddress.Parse("fd00:1::9");
    public static readonly IpAddress B6 = IpAddress.Parse("fd00:1::1");

    public static byte[] Frame(string file, string name) => Hex.Frame($"Captures/{file}.hex", name);

    public static PacketHeader Decode(ReadOnlySpan<byte> frame)
    {
        PacketHeader.TryDecode(frame, out PacketHeader header).ShouldBe(PacketFault.None);
        return header;
    }

    public static PacketFault Fault(ReadOnlySpan<byte> frame) => PacketHeader.TryDecode(frame, out _);

    /// <summary>The UDP payload of a frame.</summary>
    public static byte[] Payload(string file, string name)
    {
        byte[] frame = Frame(file, name);
        PacketHeader header = Decode(frame);
        return frame[header.PayloadAt..header.NetworkEnd];
    }

    public delegate void Layers(ref FrameWriter writer);

    /// <summary>Writes a frame from A to B.</summary>
    public static byte[] Write(Layers layers, ushort vlanTci = 0)
    {
        byte[] octets = new byte[2048];
        FrameWriter writer = new(octets);
        writer.Ethernet(MacB, MacA, EtherType.None, vlanTci);
        layers(ref writer);
        return octets[..writer.Finish()];
    }

    /// <summary>Writes a TCP, UDP, SCTP or ICMP frame with four octets of data, of either family.</summary>
    public static byte[] Transport(IpProtocol protocol, bool isIpv4) => Write((ref FrameWriter w) =>
    {
        w.Ip(isIpv4 ? A4 : A6, isIpv4 ? B4 : B6, protocol, hopLimit: 61, trafficClass: 0x28);
        switch (protocol)
        {
            case IpProtocol.Tcp:
                w.Tcp(40000, 443, TcpFlags.Syn | TcpFlags.Ece, sequence: 7);
                break;
            case IpProtocol.Udp:
                w.Udp(5353, 53);
                break;
            case IpProtocol.Sctp:
                w.Octets([0x9C, 0x40, 0x0B, 0x0C, 1, 2, 3, 4, 0, 0, 0, 0]);
                break;
            default:
                w.Icmp(isIpv4 ? (byte)IcmpType.Echo : (byte)Icmpv6Type.EchoRequest, 0, 0x1234_0001);
                break;
        }

        w.Octets([0xDE, 0xAD, 0xBE, 0xEF]);
    });

    public static readonly TheoryData<IpProtocol, bool> Transports = new()
    {
        { IpProtocol.Tcp, true }, { IpProtocol.Tcp, false }, { IpProtocol.Udp, true }, { IpProtocol.Udp, false },
        { IpProtocol.Sctp, true }, { IpProtocol.Sctp, false }, { IpProtocol.Icmp, true }, { IpProtocol.Icmpv6, false },
    };

    /// <summary>Asks a sentence of arbitrary octets; FsCheck prints the seed if it does not hold.</summary>
    public static void ForArbitraryOctets(Func<byte[], bool> holds) =>
        Prop.ForAll(holds).Check(Config.QuickThrowOnFailure.WithMaxTest(2000));

    /// <summary>Asks a sentence of a good message with one octet changed at a time.</summary>
    public static void ForEachDamage(byte[] good, Action<byte[]> check)
    {
        for (int i = 0; i < good.Length; i++)
        {
            foreach (byte change in (byte[])[0x01, 0x80, 0xFF])
            {
                byte[] bad = [.. good];
                bad[i] ^= change;
                check(bad);
            }
        }
    }

    /// <summary>True if the transport checksum of a whole packet is right (or UDP's is absent).</summary>
    public static bool HasGoodChecksum(byte[] frame)
    {
        PacketHeader header = Decode(frame);
        ReadOnlySpan<byte> transport = frame.AsSpan(header.TransportAt..header.NetworkEnd);
        ulong pseudo = header.Protocol == IpProtocol.Icmp
            ? 0
            : InternetChecksum.PseudoHeader(header.Source, header.Destination, header.Protocol, transport.Length);
        return InternetChecksum.Compute(transport, pseudo) == 0;
    }
}
