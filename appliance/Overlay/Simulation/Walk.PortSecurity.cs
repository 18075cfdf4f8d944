using System;
using Genkan.Overlay.Flows;
using Genkan.Overlay.Topology;
using Genkan.Wire;
using Genkan.Wire.Dhcp;
using Genkan.Wire.NeighborDiscovery;

namespace Genkan.Overlay.Simulation;

/// <content>Anti-spoofing at a tenant's port: it speaks only as itself, and never as a server of the network.</content>
internal ref partial struct Walk
{
    private bool PassesPortSecurity(PortNode port)
    {
        Read(FieldSet.SourceMac);
        if (_packet.EtherType is not (EtherType.Ipv4 or EtherType.Ipv6 or EtherType.Arp))
            return Spoofed(port, DropReason.Ethertype, "neither IPv4, IPv6 nor ARP");
        if (!HasPairWith(port, _packet.EthernetSource))
            return Spoofed(port, DropReason.SpoofedMac, "source MAC is not the port's");
        if (_packet.IsArp) return PassesArpSecurity(port);

        Read(FieldSet.Source | FieldSet.Destination | FieldSet.Protocol);
        if (IsMartianSource(_packet.Source) || IsMartianDestination(_packet.Destination))
            return Spoofed(port, DropReason.Martian, "an address that may not be on a wire");
        return _packet.IsIpv4 ? PassesIpv4Security(port) : PassesIpv6Security(port);
    }

    private bool Spoofed(PortNode port, DropReason reason, string text)
    {
        Drop(reason, port.Name, text);
        return false;
    }

    // RFC 1812 §5.3.7; RFC 6890 §2.2.2. A client that asks for its address has none yet.
    private static bool IsMartianSource(IpAddress source) =>
        source.IsMulticast || source.IsLoopback || source.IsBroadcast || source.IsReserved
        || (source.IsThisNetwork && !source.IsUnspecified);

    private static bool IsMartianDestination(IpAddress destination) =>
        destination.IsLoopback || destination.IsUnspecified || destination.IsThisNetwork || destination.IsReserved;

    private static bool HasPairWith(PortNode port, MacAddress mac)
    {
        foreach (ref readonly PairNode pair in new ReadOnlySpan<PairNode>(port.Pairs))
        {
            if (pair.HasMac(mac)) return true;
        }

        return false;
    }

    private static bool Allows(PortNode port, MacAddress mac, IpAddress address)
    {
        foreach (ref readonly PairNode pair in new ReadOnlySpan<PairNode>(port.Pairs))
        {
            if (pair.Allows(mac, address)) return true;
        }

        return false;
    }

    // RFC 826; RFC 5227 §1.1: a probe has no sender address.
    private bool PassesArpSecurity(PortNode port)
    {
        _result.IsCacheable = false;
        bool isProbe = _packet.Source.IsUnspecified && _packet.ArpOperation == ArpOperation.Request;
        if (_packet.ArpSenderMac == _packet.EthernetSource
            && (isProbe || Allows(port, _packet.ArpSenderMac, _packet.Source)))
        {
            return true;
        }

        return Spoofed(port, DropReason.SpoofedArp, "ARP sender is not the port's");
    }

    // Clients look at the port that a message is sent to, not at the one that it comes from.
    private readonly bool IsFromServer(ushort serverPort, ushort clientPort) =>
        _packet.DestinationPort == clientPort
        || (_packet.SourcePort == serverPort && _packet.DestinationPort == serverPort);

    private bool PassesIpv4Security(PortNode port)
    {
        bool isFirst = _packet.Fragment != FragmentKind.Later;
        if (_packet.Protocol == IpProtocol.Udp && isFirst)
        {
            // Ports decide whether this is DHCP, so every UDP flow of the port gets its own entry.
            Read(FieldSet.SourcePort | FieldSet.DestinationPort);
            if (IsFromServer(DhcpMessage.ServerPort, DhcpMessage.ClientPort))
            {
                return Spoofed(port, DropReason.DhcpServer, "DHCP server message from a tenant port");
            }

            if (_packet.Source.IsUnspecified && _packet.SourcePort == DhcpMessage.ClientPort
                && _packet.DestinationPort == DhcpMessage.ServerPort)
            {
                return true; // RFC 2131 §4.1: a client without an address
            }
        }

        if (_packet.Protocol == IpProtocol.Icmp && isFirst)
        {
            Read(FieldSet.DestinationPort);
            if ((IcmpType)_packet.IcmpType is IcmpType.Redirect or IcmpType.RouterAdvertisement)
            {
                return Spoofed(port, DropReason.RouterAdvertisement,
                    "redirect or router advertisement from a tenant port");
            }
        }

        return Allows(port, _packet.EthernetSource, _packet.Source)
            || Spoofed(port, DropReason.SpoofedAddress, "source address is not the port's");
    }

    private bool PassesIpv6Security(PortNode port)
    {
        bool isFirst = _packet.Fragment != FragmentKind.Later;
        if (_packet.Protocol == IpProtocol.Udp && isFirst)
        {
            Read(FieldSet.SourcePort | FieldSet.DestinationPort);
            if (IsFromServer(Dhcpv6Message.ServerPort, Dhcpv6Message.ClientPort))
            {
                return Spoofed(port, DropReason.DhcpServer, "DHCPv6 server message from a tenant port");
            }
        }

        if (_packet.Protocol == IpProtocol.Icmpv6 && isFirst)
        {
            Read(FieldSet.DestinationPort);
            switch ((Icmpv6Type)_packet.IcmpType)
            {
                case Icmpv6Type.RouterAdvertisement or Icmpv6Type.Redirect:
                    return Spoofed(port, DropReason.RouterAdvertisement,
                        "redirect or router advertisement from a tenant port");
                case Icmpv6Type.NeighborSolicitation or Icmpv6Type.NeighborAdvertisement:
                    return PassesNdSecurity(port);
                case Icmpv6Type.RouterSolicitation or Icmpv6Type.MulticastListenerReport
                    or Icmpv6Type.MulticastListenerDone or Icmpv6Type.MulticastListenerReportV2
                    when _packet.Source.IsUnspecified:
                    return true; // RFC 4861 §4.1, RFC 3590 §4: before the host has an address
            }
        }

        return IsOwnIpv6(port, _packet.Source)
            || Spoofed(port, DropReason.SpoofedAddress, "source address is not the port's");
    }

    // A link-local address may be any (RFC 7217 hosts do not use their MAC) that is not known to be another's.
    private readonly bool IsOwnIpv6(PortNode port, IpAddress address)
    {
        if (Allows(port, _packet.EthernetSource, address)) return true;
        if (!address.IsLinkLocal) return false;
        return !port.Bridge!.Neighbours.TryGet(address, out NeighbourNode? owner) || owner.Port == port;
    }

    // RFC 4861 §4.3, §4.4; RFC 4862 §5.4.2: duplicate address detection asks for the own address from the unspecified
    // one.
    private bool PassesNdSecurity(PortNode port)
    {
        _result.IsCacheable = false;
        bool isSolicitation = _packet.IcmpType == (byte)Icmpv6Type.NeighborSolicitation;
        MacAddress? linkLayer;
        IpAddress owned;
        if (isSolicitation)
        {
            if (!NeighborSolicitation.TryDecode(_frame, _packet, out NeighborSolicitation ns))
                return Spoofed(port, DropReason.Malformed, "neighbor solicitation is not valid (RFC 4861 §7.1.1)");

            // RFC 4862 §5.4.3: who asks whether another's address is free is told that it is not.
            if (_packet.Source.IsUnspecified && port.Bridge!.Neighbours.TryGet(ns.Target, out _)) return true;
            owned = _packet.Source.IsUnspecified ? ns.Target : _packet.Source;
            linkLayer = ns.SourceLinkLayer;
        }
        else
        {
            if (!NeighborAdvertisement.TryDecode(_frame, _packet, out NeighborAdvertisement na))
                return Spoofed(port, DropReason.Malformed, "neighbor advertisement is not valid (RFC 4861 §7.1.2)");
            owned = na.Target;
            linkLayer = na.TargetLinkLayer;
            if (!IsOwnIpv6(port, _packet.Source))
                return Spoofed(port, DropReason.SpoofedAddress, "source address is not the port's");
        }

        if (!IsOwnIpv6(port, owned))
            return Spoofed(port, DropReason.SpoofedNd, "ND source or target is not the port's");
        return linkLayer is null || linkLayer == _packet.EthernetSource
            || Spoofed(port, DropReason.SpoofedNd, "ND link-layer address is not the port's");
    }
}
