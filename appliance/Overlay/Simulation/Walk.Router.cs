using System;
using Genkan.Overlay.Flows;
using Genkan.Overlay.Topology;
using Genkan.Wire;

namespace Genkan.Overlay.Simulation;

/// <content>Routers (RFC 1812 §5, RFC 8200): own addresses, hop limit, longest prefix, next hop.</content>
internal ref partial struct Walk
{
    private void AtRouter(RouterNode router, PortNode inPort)
    {
        Tag(router.Id);
        Tag(inPort.Id);
        NoteRouter(router, inPort);
        Read(FieldSet.EtherType);
        if (!router.IsAdminUp)
        {
            Drop(DropReason.NetworkDown, router.Name, "router is administratively down");
            return;
        }

        if (!inPort.IsAdminUp)
        {
            Drop(DropReason.PortDown, inPort.Name, "port is administratively down");
            return;
        }

        if (!_packet.IsIpv4 && !_packet.IsIpv6)
        {
            Drop(DropReason.NotForUs, router.Name, "neither IPv4 nor IPv6");
            return;
        }

        Read(FieldSet.Source | FieldSet.Destination);
        if (IsMartian() || IsFromOwnAddress(router, inPort))
        {
            Drop(DropReason.Martian, router.Name, "source or destination that is not routed");
            return;
        }

        if (inPort.IsExternal && router.Provides is null && IsInside(router))
        {
            // RFC 2827, RFC 3704 §2.2: a rule that admits a network means who is in it.
            Drop(DropReason.Martian, router.Name, "a source of inside from the outside");
            return;
        }

        if (_isError && _original.IsIcmpv4 && _original.IcmpType == (byte)IcmpType.Redirect)
        {
            // RFC 1812 §5.2.7.2: a redirect speaks of one network's routers; elsewhere it could only mislead.
            Drop(DropReason.RouterAdvertisement, router.Name, "redirects are not routed");
            return;
        }

        if (router.HasTranslations && !TranslateDestination(router, inPort)) return;
        if (IsOwn(router, inPort)) return;
        Route(router, inPort);
    }

    // RFC 1812 §5.3.7, RFC 4291 §2.5; multicast is not routed here.
    private readonly bool IsMartian() =>
        IsMartianSource(SourceOnTheWire) || SourceOnTheWire.IsUnspecified
        || _packet.Destination.IsMulticast || _packet.Destination.IsBroadcast
        || IsMartianDestination(_packet.Destination);

    private bool IsInside(RouterNode router)
    {
        Tag(router.RoutesTag);
        if (router.Routes.Find(SourceOnTheWire) is not { } routes) return false;
        foreach (RouteNode route in routes)
        {
            if (route.Target == RouteTarget.Port && !route.Port!.IsExternal) return true;
        }

        return false;
    }

    // What a network brings under the router's own address is forged, and an error about it would go to nobody.
    private readonly bool IsFromOwnAddress(RouterNode router, PortNode inPort) =>
        inPort.Peer?.Bridge is not null && !_isError && router.OwnAddresses.TryGet(_packet.Source, out _);

    private bool IsOwn(RouterNode router, PortNode inPort)
    {
        IpAddress destination = _packet.Destination;
        if (router.OwnAddresses.TryGet(destination, out PortNode? owner))
        {
            Tag(owner.Id);
            AnswerAsRouter(router, inPort, owner);
            return true;
        }

        if (!destination.IsLinkLocal && !_packet.Source.IsLinkLocal) return false;
        if (destination == inPort.LinkLocal)
            AnswerAsRouter(router, inPort, inPort);
        else
            // RFC 4291 §2.5.6, RFC 3927 §2.7.
            Drop(DropReason.Martian, router.Name, "link-local addresses are not routed");
        return true;
    }

    private void Route(RouterNode router, PortNode inPort)
    {
        if (_packet.HopLimit <= 1)
        {
            Drop(DropReason.HopLimit, router.Name, "hop limit reaches zero");
            _result.IsCacheable = false;
            Answer(IcmpError.TimeExceeded(_packet.IsIpv4), router, inPort);
            return;
        }

        _packet.HopLimit--;
        _result.Hops++;
        Tag(router.RoutesTag);
        if (router.Routes.Find(_packet.Destination) is not { } routes)
        {
            DropUnrouted(router, inPort);
            return;
        }

        RouteNode route = routes.Length == 1 ? routes[0] : Choose(routes);
        _result.Trace?.Add(new TraceStep(router.Name, Describe(route, routes.Length)));
        switch (route.Target)
        {
            case RouteTarget.Port:
                Leave(router, inPort, route.Port!, route.HasGateway ? route.Gateway : _packet.Destination);
                break;
            case RouteTarget.FibExit:
                ExitByFib(router, inPort, null);
                break;
            case RouteTarget.Reject:
                Drop(DropReason.RouteReject);
                Answer(Unreachable(IcmpUnreachableCode.Network, Icmpv6UnreachableCode.RejectRoute), router, inPort);
                break;
            default:
                Drop(DropReason.RouteBlackhole);
                break;
        }
    }

    private void DropUnrouted(RouterNode router, PortNode inPort)
    {
        if (inPort.Role == PortRole.Uplink)
        {
            Drop(DropReason.NoDestination, router.Name, "to no object of ours");
            return;
        }

        Drop(DropReason.NoRoute, router.Name, "no route");
        Answer(Unreachable(IcmpUnreachableCode.Network, Icmpv6UnreachableCode.NoRoute), router, inPort);
    }

    private readonly RouteNode Choose(RouteNode[] routes)
    {
        ulong flow = Rendezvous.FlowHash(_packet.Source, _packet.Destination);
        RouteNode best = routes[0];
        ulong weight = Rendezvous.Weight(flow, best.Hash);
        foreach (RouteNode route in routes.AsSpan(1))
        {
            ulong other = Rendezvous.Weight(flow, route.Hash);
            if (other <= weight) continue;
            (best, weight) = (route, other);
        }

        return best;
    }

    private static string Describe(RouteNode route, int count)
    {
        string way = route.Target switch
        {
            RouteTarget.Port =>
                route.HasGateway ? $"via {route.Gateway} by {route.Port!.Name}" : $"by {route.Port!.Name}",
            RouteTarget.FibExit => "by the gateway's FIB",
            RouteTarget.Reject => "by reject",
            _ => "by blackhole",
        };
        return $"route {route.Model.Destination} {way}{(count > 1 ? $" (one of {count})" : "")}";
    }

    private void Leave(RouterNode router, PortNode inPort, PortNode outPort, IpAddress nextHop)
    {
        Tag(outPort.Id);
        if (!outPort.IsAdminUp)
        {
            Drop(DropReason.PortDown, outPort.Name, "port is administratively down");
            return;
        }

        if (outPort.Role == PortRole.Uplink)
        {
            ExitByFib(router, inPort, outPort);
            return;
        }

        if (outPort.IsExternal && !inPort.IsExternal && !TranslateSource(router, outPort)) return;
        PortNode peer = outPort.Peer!;
        _packet.EthernetSource = outPort.Mac;
        if (peer.Router is not null)
        {
            _packet.EthernetDestination = peer.Mac;
            _next = peer;
            return;
        }

        BridgeNode bridge = peer.Bridge!;
        if (!bridge.Neighbours.TryGet(nextHop, out NeighbourNode? neighbour) || neighbour.Port is null)
        {
            Tag(bridge.MembersTag);
            Drop(DropReason.NoNeighbour);
            if (IsDirectedBroadcast(outPort, nextHop))
            {
                // RFC 2644: not forwarded; RFC 1812 §4.3.2.7: and nobody is told.
                _result.Trace?.Add(new TraceStep(bridge.Name, $"{nextHop} is the network's broadcast address"));
                return;
            }

            _result.Trace?.Add(new TraceStep(bridge.Name, $"nobody has {nextHop}"));
            Answer(Unreachable(IcmpUnreachableCode.Host, Icmpv6UnreachableCode.Address), router, inPort);
            return;
        }

        _packet.EthernetDestination = neighbour.Mac;
        _next = peer;
    }

    // RFC 1812 §4.2.3.1: of a connected network, the last address and (the old form) the first.
    private static bool IsDirectedBroadcast(PortNode port, IpAddress address)
    {
        if (!address.IsIpv4) return false;
        foreach (IpInterface own in port.Model.Addresses)
        {
            if (own.Prefix.LengthBits < 31 && own.Prefix.Contains(address)
                && (address == own.Prefix.Broadcast || address == own.Prefix.Address))
            {
                return true;
            }
        }

        return false;
    }

    private void ExitByFib(RouterNode router, PortNode inPort, PortNode? uplink)
    {
        ExternalNetworkNode? outside = uplink?.ExternalNetwork ?? router.Provides;
        if (inPort.Role == PortRole.Uplink)
        {
            Drop(DropReason.NoDestination, router.Name, "to no object of ours");
            return;
        }

        if (outside is null || outside.Hosts.Length == 0)
        {
            Drop(DropReason.NoGateway, router.Name, "no gateway host");
            Answer(Unreachable(IcmpUnreachableCode.Network, Icmpv6UnreachableCode.NoRoute), router, inPort);
            return;
        }

        Tag(outside.Id);
        if (!outside.Model.Prefixes.IsEmpty && !IsOurs(outside))
        {
            Drop(DropReason.Martian, outside.Model.Name, "source is not of our public prefixes (RFC 2827)");
            return;
        }

        ObjectId host = uplink?.Host
            ?? Rendezvous.Choose(Rendezvous.FlowHash(_packet.Source, _packet.Destination), outside.Hosts);
        _result.Trace?.Add(new TraceStep(outside.Model.Name, $"out by gateway {_topology.NameOf(host)}"));
        Forward(new Egress(EgressKind.FibExit, outside.Id, host));
    }

    // What the ISPs would drop, or worse answer to somebody else, does not leave.
    private readonly bool IsOurs(ExternalNetworkNode outside)
    {
        foreach (IpPrefix prefix in outside.Model.Prefixes)
        {
            if (prefix.Contains(SourceOnTheWire)) return true;
        }

        return false;
    }
}
