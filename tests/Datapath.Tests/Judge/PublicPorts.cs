using System;
using System.Buffers.Binary;
using System.Collections.Generic;
using Genkan.Wire;

namespace Genkan.Datapath.Tests.Judge;

/// <summary>
/// Which port of a source NAT's address each of the two judges chose for the same flow. Linux's are what a case is told
/// in; Genkan gets and gives its own. One of Linux's may stand for several flows to different ends; one of Genkan's is
/// one endpoint's, whatever the other end (RFC 4787 §4.1, REQ-1 and REQ-3).
/// </summary>
internal sealed class PublicPorts(IpAddress address)
{
    private readonly Dictionary<Flow, ushort> _genkan = [];
    private readonly Dictionary<Flow, ushort> _linux = [];
    private readonly Dictionary<(IpProtocol, IpAddress, ushort), ushort> _mappings = [];
    private readonly Dictionary<(IpProtocol, ushort), (IpAddress, ushort)> _endpoints = [];

    private enum Place
    {
        Source,
        Destination,
        QuotedSource,
        QuotedDestination,
    }

    /// <summary>A public port and the other end of the flow that uses it.</summary>
    private readonly record struct Flow(IpProtocol Protocol, ushort Port, IpAddress Remote, ushort RemotePort);

    /// <summary>A frame that is told in Linux's ports, with Genkan's.</summary>
    public byte[] ForGenkan(byte[] frame) => Translated(frame, _genkan);

    /// <summary>What Genkan made of a packet, in Linux's ports; what both show for the first time is learnt.</summary>
    public List<Arrival> AsLinux(JudgedPacket packet, List<Arrival> linux, List<Arrival> genkan)
    {
        Learn(packet, linux, genkan);
        return genkan.ConvertAll(a => a with { Frame = Translated(a.Frame, _linux) });
    }

    private void Learn(JudgedPacket packet, List<Arrival> linux, List<Arrival> genkan)
    {
        if (linux.Count != 1 || genkan.Count != 1 || !TryReadSource(linux[0].Frame, out Flow one)
            || !TryReadSource(genkan[0].Frame, out Flow other) || one with { Port = other.Port } != other)
        {
            return;
        }

        if (one.Port < JudgedOutside.NatPortMin) return; // forwarded, the same for both
        if (_genkan.ContainsKey(one) || _linux.ContainsKey(other)) return; // the frames tell if they do not fit
        if (PacketHeader.TryDecode(packet.Frame, out PacketHeader p) != PacketFault.None) return;
        (IpProtocol, IpAddress, ushort) inside = (p.Protocol, p.Source, p.SourcePort);
        if (_mappings.TryGetValue(inside, out ushort mapped) && mapped != other.Port) return; // not the same mapping
        if (_endpoints.TryGetValue((p.Protocol, other.Port), out (IpAddress, ushort) owner)
            && owner != (p.Source, p.SourcePort))
        {
            return; // overloaded
        }

        _mappings[inside] = other.Port;
        _endpoints[(p.Protocol, other.Port)] = (p.Source, p.SourcePort);
        _genkan.Add(one, other.Port);
        _linux.Add(other, one.Port);
    }

    private bool TryReadSource(byte[] frame, out Flow flow)
    {
        flow = default;
        if (PacketHeader.TryDecode(frame, out PacketHeader p) != PacketFault.None || p.Source != address) return false;
        bool isOne = p.Protocol is IpProtocol.Tcp or IpProtocol.Udp || p.IsEchoRequest;
        flow = new Flow(p.Protocol, p.SourcePort, p.Destination, p.IsIcmp ? (ushort)0 : p.DestinationPort);
        return isOne;
    }

    private byte[] Translated(byte[] frame, Dictionary<Flow, ushort> ports)
    {
        if (PacketHeader.TryDecode(frame, out PacketHeader p) != PacketFault.None || !p.IsIpv4
            || p.Fragment != FragmentKind.None)
        {
            return frame;
        }

        if (PacketHeader.TryDecodeEmbedded(frame, p, out PacketHeader quoted))
        {
            if (quoted.Source == address) return Translated(frame, p, quoted, Place.QuotedSource, ports);
            return quoted.Destination == address
                ? Translated(frame, p, quoted, Place.QuotedDestination, ports)
                : frame;
        }

        if (p.Source == address) return Translated(frame, p, p, Place.Source, ports);
        return p.Destination == address ? Translated(frame, p, p, Place.Destination, ports) : frame;
    }

    private static byte[] Translated(
        byte[] frame, in PacketHeader outer, in PacketHeader p, Place place, Dictionary<Flow, ushort> ports)
    {
        bool isSource = place is Place.Source or Place.QuotedSource;
        IpAddress remote = isSource ? p.Destination : p.Source;
        Flow flow = p.IsIcmp
            ? new Flow(p.Protocol, p.SourcePort, remote, 0)
            : isSource
                ? new Flow(p.Protocol, p.SourcePort, remote, p.DestinationPort)
                : new Flow(p.Protocol, p.DestinationPort, remote, p.SourcePort);
        if (!ports.TryGetValue(flow, out ushort port)) return frame;

        byte[] copy = [.. frame];
        int checksumAt = p.TransportAt + p.Protocol switch { IpProtocol.Tcp => 16, IpProtocol.Udp => 6, _ => 2 };
        int portAt = p.TransportAt + (p.IsIcmp ? 4 : isSource ? 0 : 2);
        bool isQuoted = place is Place.QuotedSource or Place.QuotedDestination;
        ushort before = Read(copy, portAt);
        Write(copy, portAt, port);
        if (isQuoted) Adjust(copy, outer.TransportAt + 2, before, port);
        if (checksumAt + 2 > outer.NetworkEnd || (p.Protocol == IpProtocol.Udp && Read(copy, checksumAt) == 0))
            return copy;
        ushort sum = Read(copy, checksumAt);
        Adjust(copy, checksumAt, before, port);
        if (p.Protocol == IpProtocol.Udp && Read(copy, checksumAt) == 0) Write(copy, checksumAt, 0xffff);
        if (isQuoted) Adjust(copy, outer.TransportAt + 2, sum, Read(copy, checksumAt));
        return copy;
    }

    // RFC 1624 §3, equation 3.
    private static void Adjust(byte[] frame, int at, ushort before, ushort after)
    {
        uint sum = (uint)(ushort)~Read(frame, at) + (ushort)~before + after;
        sum = (sum & 0xffff) + (sum >> 16);
        Write(frame, at, (ushort)~((sum & 0xffff) + (sum >> 16)));
    }

    private static ushort Read(byte[] frame, int at) => BinaryPrimitives.ReadUInt16BigEndian(frame.AsSpan(at));

    private static void Write(byte[] frame, int at, ushort value) =>
        BinaryPrimitives.WriteUInt16BigEndian(frame.AsSpan(at), value);
}
