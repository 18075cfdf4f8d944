using System;
using System.Collections.Generic;
using System.Linq;
using Genkan.Wire;

namespace Genkan.Overlay.Topology;

/// <summary>
/// Longest-prefix match by one table for each prefix length in use, longest first: tenant routers have a handful of
/// lengths, and the full Internet table never comes here.
/// </summary>
internal sealed class RouteTable
{
    public static readonly RouteTable Empty = new([]);

    private readonly Level[] _ipv4;
    private readonly Level[] _ipv6;

    public RouteTable(IReadOnlyCollection<RouteNode> routes)
    {
        _ipv4 = Levels(routes.Where(r => r.Model.Destination.IsIpv4));
        _ipv6 = Levels(routes.Where(r => r.Model.Destination.IsIpv6));
    }

    /// <summary>The best routes of the longest matching prefix: all of one metric.</summary>
    /// <returns>Null without a match.</returns>
    public RouteNode[]? Find(IpAddress destination)
    {
        foreach (Level level in destination.IsIpv4 ? _ipv4 : _ipv6)
        {
            if (level.Table.TryGet(new IpAddress(destination.Value & level.Mask), out RouteNode[]? routes))
                return routes;
        }

        return null;
    }

    private static Level[] Levels(IEnumerable<RouteNode> routes) =>
    [
        .. routes.GroupBy(r => r.Model.Destination.LengthBits)
            .OrderByDescending(g => g.Key)
            .Select(g => new Level(Masks.Of(g.First().Model.Destination), TableOf(g))),
    ];

    private static KeyTable<RouteNode[]> TableOf(IEnumerable<RouteNode> routes) => KeyTable.ByAddress(
        routes.GroupBy(r => r.Model.Destination.Address).Select(g => (g.Key, Best(g))));

    private static RouteNode[] Best(IEnumerable<RouteNode> routes)
    {
        RouteNode[] all = [.. routes.OrderBy(r => r.Hash)];
        uint metric = all.Min(r => r.Model.Metric);
        return [.. all.Where(r => r.Model.Metric == metric)];
    }

    private readonly record struct Level(UInt128 Mask, KeyTable<RouteNode[]> Table);
}
