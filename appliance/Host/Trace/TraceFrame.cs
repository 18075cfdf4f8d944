using System;
using System.Linq;
using Genkan.Control.Validation;
using Genkan.Overlay.Topology;
using Genkan.Wire;
using Genkan.Wire.NeighborDiscovery;

namespace Genkan.Host.Trace;

/// <summary>
/// Makes the frame of a <see cref="TraceSpec"/>, with what it leaves out filled in from the topology.
/// </summary>
internal static class TraceFrame
{
    /// <summary>Octets of the payload of an ICMP echo, as <c>ping</c> has it.</summary>
    private const int EchoPayloadSize = 56;

    private const int FrameSizeMax = 256;

    // Stands for the ISP's router, whose MAC no flow depends on (uplinks are L3 only).
    private static readonly MacAddress OutsideMac = new(0x0200_0000_0001);

    /// <summary>Makes the frame.</summary>
    /// <param name="spec">What was asked for.</param>
    /// <param name="topology">The topology of the host where it enters.</param>
    /// <param name="port">Where it enters.</param>
    /// <param name="frame">The frame; empty on a fault.</param>
    /// <param name="fault">Why there is none, or null.</param>
    /// <returns>Whether there is a frame.</returns>
    public static bool TryBuild(
        TraceSpec spec, TopologySnapshot topology, out VirtualPort? port, out byte[] frame, out TraceFault? fault)
    {
        frame = [];
        port = FindPort(spec, topology, out fault);
        if (port is null) return false;
        fault = CheckSender(spec, port);
        if (fault is not null) return false;
        byte[] room = new byte[FrameSizeMax];
        FrameWriter writer = new(room);
        int length = Write(ref writer, spec, topology, port, spec.From ?? (spec.IsUplink ? OutsideMac : port.Mac));
        frame = room[..length];
        return true;
    }

    private static TraceFault? CheckSender(TraceSpec spec, VirtualPort port) => spec.Packet switch
    {
        TracePacket.Arp arp when !Own(port, isIpv4: true, arp.Sender, out _) =>
            AtPlace(spec, $"port '{port.Name}' has no IPv4 address to ask from", "add tell ADDRESS"),
        TracePacket.NeighborSolicitation nd when !Own(port, isIpv4: false, nd.Sender, out _) =>
            AtPlace(spec, $"port '{port.Name}' has no IPv6 address to ask from", "add tell ADDRESS"),
        _ => null,
    };

    private static int Write(
        ref FrameWriter writer, TraceSpec spec, TopologySnapshot topology, VirtualPort port, MacAddress from)
    {
        switch (spec.Packet)
        {
            case TracePacket.Arp arp:
                Own(port, isIpv4: true, arp.Sender, out IpAddress sender);
                writer.Ethernet(spec.To ?? MacAddress.Broadcast, from);
                writer.Arp(ArpOperation.Request, from, sender, MacAddress.Zero, arp.Target);
                return writer.Finish();
            case TracePacket.NeighborSolicitation nd:
                Own(port, isIpv4: false, nd.Sender, out IpAddress solicitor);
                return NeighborSolicitation.WriteMulticast(writer.Rest, from, solicitor, nd.Target);
            case TracePacket.Icmp icmp:
                writer.Ethernet(spec.To ?? NextMac(topology, port, icmp.Source, icmp.Destination), from);
                writer.Ip(
                    icmp.Source,
                    icmp.Destination,
                    icmp.Source.IsIpv4 ? IpProtocol.Icmp : IpProtocol.Icmpv6,
                    spec.HopLimit);
                writer.Icmp(icmp.Type, icmp.Code, ((uint)icmp.Identifier << 16) | 1);
                writer.Rest[..EchoPayloadSize].Clear();
                writer.Advance(EchoPayloadSize);
                return writer.Finish();
            case TracePacket.Ip ip:
                writer.Ethernet(spec.To ?? NextMac(topology, port, ip.Source, ip.Destination), from);
                writer.Ip(ip.Source, ip.Destination, ip.Protocol, spec.HopLimit);
                WriteTransport(ref writer, ip);
                return writer.Finish();
            default:
                throw new System.Diagnostics.UnreachableException();
        }
    }

    private static void WriteTransport(ref FrameWriter writer, TracePacket.Ip ip)
    {
        switch (ip.Protocol)
        {
            case IpProtocol.Tcp:
                writer.Tcp(ip.SourcePort, ip.DestinationPort, ip.Flags);
                break;
            case IpProtocol.Udp:
                writer.Udp(ip.SourcePort, ip.DestinationPort);
                break;
            case IpProtocol.Sctp:
                // RFC 9260 §3: ports, verification tag, checksum; no chunk is needed to decide.
                Span<byte> header = writer.Rest[..12];
                header.Clear();
                System.Buffers.Binary.BinaryPrimitives.WriteUInt16BigEndian(header, ip.SourcePort);
                System.Buffers.Binary.BinaryPrimitives.WriteUInt16BigEndian(header[2..], ip.DestinationPort);
                writer.Advance(header.Length);
                break;
        }
    }

    // The destination itself if it is on the link, else the gateway: as a host with this port's lease would send.
    private static MacAddress NextMac(
        TopologySnapshot topology, VirtualPort port, IpAddress source, IpAddress destination)
    {
        if (port.Role == PortRole.Uplink) return port.Mac;
        if (destination.IsMulticast) return MacAddress.OfMulticastGroup(destination);
        if (destination.IsBroadcast || !topology.TryGetBridge(port.Device, out Bridge? bridge))
        {
            return MacAddress.Broadcast;
        }
        Subnet? onLink = bridge.Subnets.FirstOrDefault(s => s.Prefix.Contains(destination));
        Subnet? own = bridge.Subnets.FirstOrDefault(s => s.Prefix.Contains(source))
            ?? bridge.Subnets.FirstOrDefault(s => s.Prefix.IsIpv4 == source.IsIpv4);
        IpAddress next = onLink is not null || destination.IsLinkLocal || own is null ? destination : own.Gateway;
        return MacOf(topology, bridge, next);
    }

    private static MacAddress MacOf(TopologySnapshot topology, Bridge bridge, IpAddress address)
    {
        foreach (VirtualPort port in topology.PortsOf(bridge.Id))
        {
            VirtualPort? owner = port;
            if (port.Role == PortRole.Interior && !topology.TryGetPort(port.Peer, out owner)) continue;
            if (owner!.Addresses.Any(a => a.Address == address)) return owner.Mac;
        }

        return MacAddress.Broadcast; // nobody has it: the trace shows what becomes of such a frame
    }

    private static bool Own(VirtualPort port, bool isIpv4, IpAddress? asked, out IpAddress address)
    {
        address = asked ?? port.Addresses.Select(static a => a.Address).FirstOrDefault(a => a.IsIpv4 == isIpv4);
        return asked is not null || port.Addresses.Any(a => a.Address.IsIpv4 == isIpv4);
    }

    private static VirtualPort? FindPort(TraceSpec spec, TopologySnapshot topology, out TraceFault? fault)
    {
        fault = null;
        PortRole role = spec.IsUplink ? PortRole.Uplink : PortRole.Exterior;
        VirtualPort[] all = [.. topology.Parts.Ports.Where(port => port.Role == role)];
        VirtualPort[] found = [.. all.Where(port => port.Name == spec.Place || ShortName(port) == spec.Place)];
        string noun = spec.IsUplink ? "uplink" : "port";
        if (found.Length == 0)
        {
            fault = AtPlace(
                spec,
                $"there is no {noun} '{spec.Place}'",
                Suggestion.Hint(spec.Place, [.. all.Select(ShortName)], $"{noun}s"));
            return null;
        }

        if (found.Length > 1)
        {
            fault = AtPlace(
                spec,
                $"several tenants have a port '{spec.Place}'",
                $"write {string.Join(" or ", found.Select(static p => p.Name))}");
            return null;
        }

        VirtualPort port = found[0];
        if (port.Binding?.Host == topology.LocalHost.Id) return port;
        fault = port.Binding is null
            ? AtPlace(spec, $"{noun} '{port.Name}' is plugged in nowhere", "name it under a host's ports")
            : AtPlace(
                spec,
                $"{noun} '{port.Name}' is on host '{topology.NameOf(port.Binding.Host)}'",
                $"genkan --host {topology.NameOf(port.Binding.Host)} trace …");
        return null;
    }

    // red/red-a is known as red-a, "uplink isp" as isp.
    private static string ShortName(VirtualPort port) => port.Name[(port.Name.LastIndexOfAny(['/', ' ']) + 1)..];

    private static TraceFault AtPlace(TraceSpec spec, string rule, string hint) =>
        new(spec.IsUplink ? "uplink ".Length : 0, spec.Place.Length, rule, hint);
}
