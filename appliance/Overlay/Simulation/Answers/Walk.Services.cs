using Genkan.Overlay.Flows;
using Genkan.Overlay.Simulation.Answers;
using Genkan.Overlay.Topology;
using Genkan.Wire;
using Genkan.Wire.Dhcp;

namespace Genkan.Overlay.Simulation;

/// <content>What a bridge answers itself, before any rule: addresses (ARP, ND), configuration (DHCP, RA).</content>
internal ref partial struct Walk
{
    /// <summary>Whether the packet was for a service of the bridge; the walk has then ended.</summary>
    private bool IsAnswered(BridgeNode bridge, PortNode port)
    {
        switch (_packet.EtherType)
        {
            case EtherType.Arp:
                return IsArpAnswered(bridge, port);
            case EtherType.Ipv4 or EtherType.Ipv6 when IsLaterPiece:
                return IsPieceOfRequest(bridge);
            case EtherType.Ipv4 when _packet.Protocol == IpProtocol.Udp:
                return IsDhcp(DhcpMessage.ClientPort, DhcpMessage.ServerPort, bridge.HasDhcpv4)
                    && IsDhcpv4Answered(bridge, port);
            case EtherType.Ipv6 when _packet.Protocol == IpProtocol.Udp:
                return IsDhcp(Dhcpv6Message.ClientPort, Dhcpv6Message.ServerPort, bridge.HasIpv6)
                    && IsDhcpv6Answered(bridge, port);
            case EtherType.Ipv6 when _packet.Protocol == IpProtocol.Icmpv6:
                return IsNdAnswered(bridge, port);
            default:
                return false;
        }
    }

    /// <summary>A later fragment, also one with the ports of its first one: it has no message to answer.</summary>
    private readonly bool IsLaterPiece => _packet.Fragment != FragmentKind.None && !_original.IsFirstFragment;

    // Forwarded, it would leave an entry under the key of the client's next request, which nobody would answer then.
    private bool IsPieceOfRequest(BridgeNode bridge)
    {
        bool isRequest = _packet.Protocol == IpProtocol.Udp && (_packet.IsIpv4
            ? IsDhcp(DhcpMessage.ClientPort, DhcpMessage.ServerPort, bridge.HasDhcpv4)
            : IsDhcp(Dhcpv6Message.ClientPort, Dhcpv6Message.ServerPort, bridge.HasIpv6));
        if (!isRequest) return false;
        Drop(DropReason.Fragment, bridge.Name, "a piece of a request that is read whole");
        _result.IsCacheable = false;
        return true;
    }

    private readonly bool IsDhcp(ushort clientPort, ushort serverPort, bool isServed)
    {
        if (!isServed) return false;
        Read(FieldSet.Protocol | FieldSet.SourcePort | FieldSet.DestinationPort);
        return _packet.SourcePort == clientPort && _packet.DestinationPort == serverPort;
    }

    private bool IsDhcpv4Answered(BridgeNode bridge, PortNode port)
    {
        // A renewal is a unicast to the server identifier; to any other address it is somebody else's (RFC 2131
        // §4.3.2).
        bool isToServer = _packet.EthernetDestination.IsBroadcast;
        MacAddress serverMac = bridge.ServiceMac;
        foreach (Subnet subnet in bridge.Model.Subnets)
        {
            if (!subnet.IsDhcpEnabled || !subnet.Prefix.IsIpv4) continue;
            isToServer |= subnet.DhcpServer == _packet.Destination;
            if (bridge.Neighbours.TryGet(subnet.DhcpServer, out NeighbourNode? server)) serverMac = server.Mac;
        }

        return isToServer
            && Ended(Dhcpv4Answer.TryAnswer(bridge.Model, port.Model, serverMac, _packet, _frame, _result));
    }

    private bool IsDhcpv6Answered(BridgeNode bridge, PortNode port)
    {
        (MacAddress mac, IpAddress linkLocal) = RouterOf(bridge);
        Read(FieldSet.Destination);
        if (_packet.Destination == linkLocal)
        {
            // RFC 8415 §16: what clients begin with is for the group; to one address it is discarded, in silence.
            Drop(DropReason.NotForUs, bridge.Name, "DHCPv6 to a unicast address");
            return true;
        }

        if (_packet.Destination != Dhcpv6Message.AllRelayAgentsAndServers) return false;
        return Ended(Dhcpv6Answer.TryAnswer(bridge.Model, port.Model, mac, linkLocal, _packet, _frame, _result));
    }

    private bool IsAdvertised(BridgeNode bridge, PortNode port)
    {
        (MacAddress mac, IpAddress linkLocal) = RouterOf(bridge);
        return bridge.HasIpv6
            && Ended(
                RouterAdvertisementAnswer.TryAnswer(bridge.Model, port.Model, mac, linkLocal, _packet, _frame,
                _result));
    }

    // Who speaks for the network: the router that has an IPv6 gateway address, else any, else the bridge itself.
    public static (MacAddress Mac, IpAddress LinkLocal) RouterOf(BridgeNode bridge)
    {
        PortNode? router = null;
        foreach (PortNode candidate in bridge.RouterPorts)
        {
            if (router is null || (router.Address6.IsUnspecified && !candidate.Address6.IsUnspecified))
                router = candidate;
        }

        return router is null
            ? (bridge.ServiceMac, IpAddress.LinkLocalOf(bridge.ServiceMac))
            : (router.Mac, router.LinkLocal);
    }

    private readonly bool Ended(bool isAnswered)
    {
        if (isAnswered && _result.Verdict != SimulationVerdict.Drop) _result.DropReason = DropReason.Answered;
        return isAnswered;
    }
}
