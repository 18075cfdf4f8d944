using System;
using System.Collections.Generic;
using System.Runtime.InteropServices;
using Genkan.Datapath.Native;
using Genkan.Wire;

namespace Genkan.Datapath.Netlink;

public sealed partial class RouteSocket
{
    private const byte ProtocolStatic = 4;
    private const byte ScopeUniverse = 0;
    private const byte ScopeLink = 253;
    private const byte ScopeHost = 254;
    private const byte ScopeNowhere = 255;

    /// <summary>Adds a route.</summary>
    /// <exception cref="KernelException">
    /// Refused; <c>EEXIST</c> if there is one of the same destination and priority.
    /// </exception>
    public void AddRoute(Route route) => Demand(
        Encode(NetlinkType.NewRoute, NetlinkFlags.Create | NetlinkFlags.Exclusive, route), $"add {route}");

    /// <summary>Adds a route, or puts it in the place of one of the same destination and priority.</summary>
    /// <exception cref="KernelException">Refused.</exception>
    public void ReplaceRoute(Route route) => Demand(
        Encode(NetlinkType.NewRoute, NetlinkFlags.Create | NetlinkFlags.Replace, route), $"replace {route}");

    /// <summary>Removes a route.</summary>
    /// <returns>False if it was not there.</returns>
    /// <exception cref="KernelException">Refused.</exception>
    public bool DeleteRoute(Route route) => Remove(
        Encode(NetlinkType.DelRoute, NetlinkFlags.None, route), $"delete {route}");

    /// <summary>All routes of a table. A route with several next hops is given with none.</summary>
    /// <exception cref="KernelException">Refused.</exception>
    public IReadOnlyList<Route> ListRoutes(uint table = 254)
    {
        List<Route> routes = [];
        NetlinkMessage message = new(NetlinkType.GetRoute, NetlinkFlags.Dump, FixedPart.Of(default(RouteHeader)));
        Dump(message, Read, "list routes");
        return routes;

        void Read(NetlinkType type, ReadOnlySpan<byte> body)
        {
            if (TryDecodeRoute(body) is { } route && route.Table == table) routes.Add(route);
        }
    }

    private static NetlinkMessage Encode(NetlinkType type, NetlinkFlags flags, Route route)
    {
        IpPrefix destination = route.Destination;
        RouteHeader header = new()
        {
            Family = FamilyOf(destination.Address),
            DestinationBits = (byte)destination.LengthBits,
            Protocol = type == NetlinkType.DelRoute ? (byte)0 : ProtocolStatic,
            Scope = ScopeOf(type, route),
            Type = type == NetlinkType.DelRoute && route.Kind == RouteKind.Unicast ? (byte)0 : (byte)route.Kind,
        };
        NetlinkMessage message = new(type, flags, FixedPart.Of(header));
        message.AddUInt32(RouteAttribute.Table, route.Table);
        if (destination.LengthBits > 0) Add(message, RouteAttribute.Destination, destination.Address);
        if (route.Ifindex != 0) message.AddUInt32(RouteAttribute.OutInterface, (uint)route.Ifindex);
        if (route.Priority != 0) message.AddUInt32(RouteAttribute.Priority, route.Priority);
        if (route.PreferredSource is { } source) Add(message, RouteAttribute.PreferredSource, source);
        if (route.Via is { } via && via.IsIpv4 == destination.IsIpv4) Add(message, RouteAttribute.Gateway, via);
        else if (route.Via is { } other) AddVia(message, other);
        return message;
    }

    private static byte ScopeOf(NetlinkType type, Route route) => route switch
    {
        _ when type == NetlinkType.DelRoute => ScopeNowhere, // matches any
        { Destination.IsIpv6: true } => ScopeUniverse,
        { Kind: RouteKind.Local } => ScopeHost,
        { Kind: RouteKind.Unicast, Via: null } => ScopeLink,
        _ => ScopeUniverse,
    };

    /// <summary>struct rtvia: a gateway of the other family (RFC 5549).</summary>
    private static void AddVia(NetlinkMessage message, IpAddress via)
    {
        Span<byte> octets = stackalloc byte[sizeof(ushort) + IpAddress.Ipv6Size];
        ushort family = FamilyOf(via);
        MemoryMarshal.Write(octets, in family);
        via.CopyTo(octets[sizeof(ushort)..]);
        message.Add(RouteAttribute.Via, octets[..(sizeof(ushort) + via.SizeOctets)]);
    }

    private static Route? TryDecodeRoute(ReadOnlySpan<byte> body)
    {
        if (!FixedPart.TrySplit(body, out RouteHeader header, out NetlinkAttributes attributes)) return null;
        if (header.Family is not (FamilyIpv4 or FamilyIpv6)) return null;
        IpAddress destination = header.Family == FamilyIpv4 ? IpAddress.Unspecified4 : IpAddress.Unspecified6;
        (uint table, uint ifindex, uint priority, IpAddress? via, IpAddress? source) = (header.Table, 0, 0, null, null);
        while (attributes.TryNext())
        {
            ReadOnlySpan<byte> value = attributes.Value;
            switch (attributes.Type)
            {
                case RouteAttribute.Destination: destination = TryDecodeIp(value) ?? destination; break;
                case RouteAttribute.Table: table = attributes.UInt32; break;
                case RouteAttribute.OutInterface: ifindex = attributes.UInt32; break;
                case RouteAttribute.Priority: priority = attributes.UInt32; break;
                case RouteAttribute.PreferredSource: source = TryDecodeIp(value); break;
                case RouteAttribute.Gateway: via = TryDecodeIp(value); break;
                case RouteAttribute.Via when value.Length > sizeof(ushort):
                    via = TryDecodeIp(value[sizeof(ushort)..]);
                    break;
            }
        }
        if (header.DestinationBits > destination.FamilyBits) return null;
        return new Route(new IpPrefix(destination, header.DestinationBits))
        {
            Table = table,
            Kind = (RouteKind)header.Type,
            Via = via,
            Ifindex = (int)ifindex,
            Priority = priority,
            PreferredSource = source,
        };
    }
}
