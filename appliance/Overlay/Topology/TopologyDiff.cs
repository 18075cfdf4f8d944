using System;
using System.Collections.Generic;
using System.Collections.Immutable;
using System.Linq;
using Genkan.Wire;

namespace Genkan.Overlay.Topology;

/// <summary>An object whose dependent flows are stale.</summary>
/// <param name="Tag">Object or aspect.</param>
/// <param name="IsHard">Whether the next packet must miss; else the flow forwards on and is revalidated.</param>
public readonly record struct StaleTag(ObjectId Tag, bool IsHard);

/// <summary>
/// What changed between two snapshots, in the words that flows depend on. Hard is what may have been revoked: chains,
/// groups, ports, devices, translations, routes taken away. Soft is what only offers another way: routes, uplinks and
/// NAT blocks that came.
/// </summary>
public static class TopologyDiff
{
    /// <summary>Lists the tags whose dependants are stale; each at most once, hard if any change of it is.</summary>
    /// <param name="old">The snapshot that flows were simulated on.</param>
    /// <param name="current">The one that replaces it.</param>
    public static IReadOnlyList<StaleTag> ChangedTags(TopologySnapshot old, TopologySnapshot current)
    {
        Dictionary<ObjectId, bool> stale = [];
        ComparePorts(old.Parts.Ports, current.Parts.Ports, stale);
        CompareBridges(old, current, stale);
        CompareRouters(old.Parts, current.Parts, stale);
        Compare(old.Parts.Chains, current.Parts.Chains, c => c.Id, AreEqual, stale);
        Compare(old.Parts.AddressGroups, current.Parts.AddressGroups, g => g.Id, AreEqual, stale);
        CompareExternalNetworks(old.Parts, current.Parts, stale);
        return [.. stale.Select(s => new StaleTag(s.Key, s.Value)).OrderBy(s => s.Tag)];
    }

    private static void Mark(Dictionary<ObjectId, bool> stale, ObjectId tag, bool isHard = true) =>
        stale[tag] = isHard || stale.GetValueOrDefault(tag);

    // What is new had no dependants; who would depend on its absence depends on an aspect of what holds it.
    private static void Compare<T>(
        ImmutableArray<T> old, ImmutableArray<T> current, Func<T, ObjectId> id, Func<T, T, bool> areEqual,
        Dictionary<ObjectId, bool> stale)
        where T : class
    {
        Dictionary<ObjectId, T> after = current.ToDictionary(id);
        foreach (T before in old)
        {
            if (!after.TryGetValue(id(before), out T? now) || !areEqual(before, now)) Mark(stale, id(before));
        }
    }

    private static void ComparePorts(
        ImmutableArray<VirtualPort> old, ImmutableArray<VirtualPort> current, Dictionary<ObjectId, bool> stale)
    {
        Compare(old, current, p => p.Id, AreEqual, stale);

        // A router's port that comes, goes, or changes state moves its routes too.
        Dictionary<ObjectId, VirtualPort> before = old.ToDictionary(p => p.Id);
        Dictionary<ObjectId, VirtualPort> after = current.ToDictionary(p => p.Id);
        foreach (ObjectId id in before.Keys.Union(after.Keys))
        {
            VirtualPort? was = before.GetValueOrDefault(id);
            VirtualPort? now = after.GetValueOrDefault(id);
            if (was?.IsAdminUp == now?.IsAdminUp) continue;
            Mark(stale, (now ?? was)!.Device.Aspect(Aspects.RouterRoutes));
        }
    }

    private static void CompareBridges(TopologySnapshot old, TopologySnapshot current, Dictionary<ObjectId, bool> stale)
    {
        // Subnets are what hosts are told; no flow depends on them.
        Compare(old.Parts.Bridges, current.Parts.Bridges, b => b.Id, (a, b) =>
            (a.Mtu, a.IsAdminUp) == (b.Mtu, b.IsAdminUp), stale);
        foreach (Bridge bridge in old.Parts.Bridges)
        {
            if (!MembersOf(old, bridge.Id).SetEquals(MembersOf(current, bridge.Id)))
                Mark(stale, bridge.Id.Aspect(Aspects.BridgeMembers));
        }
    }

    private static HashSet<(ObjectId, MacAddress, IpAddress, ObjectId)> MembersOf(TopologySnapshot topology,
        ObjectId bridge)
    {
        HashSet<(ObjectId, MacAddress, IpAddress, ObjectId)> members = [];
        foreach (BridgeNeighbour n in topology.NeighboursOf(bridge))
            members.Add((n.Port, n.Mac, n.Address, ObjectId.None));
        foreach (VirtualPort p in topology.PortsOf(bridge))
            members.Add((p.Id, p.Mac, IpAddress.Unspecified6, p.Binding?.Host ?? ObjectId.None));
        return members;
    }

    private static void CompareRouters(TopologyParts old, TopologyParts current, Dictionary<ObjectId, bool> stale)
    {
        Compare(old.Routers, current.Routers, r => r.Id, (a, b) => a.IsAdminUp == b.IsAdminUp, stale);
        Dictionary<ObjectId, Router> after = current.Routers.ToDictionary(r => r.Id);
        foreach (Router before in old.Routers)
        {
            if (!after.TryGetValue(before.Id, out Router? now)) continue;
            HashSet<Route> routes = [.. before.Routes];
            if (!routes.SetEquals(now.Routes))
                Mark(stale, before.Id.Aspect(Aspects.RouterRoutes), isHard: !routes.IsSubsetOf(now.Routes));
            CompareTranslations(before, now, stale);
        }

        Compare(old.Routers.SelectMany(r => r.FloatingIps).ToImmutableArray(),
            current.Routers.SelectMany(r => r.FloatingIps).ToImmutableArray(), f => f.Id, (a, b) => a == b, stale);
        Compare(old.Routers.SelectMany(r => r.PortForwards).ToImmutableArray(),
            current.Routers.SelectMany(r => r.PortForwards).ToImmutableArray(), f => f.Id, (a, b) => a == b, stale);
    }

    private static void CompareTranslations(Router before, Router now, Dictionary<ObjectId, bool> stale)
    {
        // A translation that comes leaves those that run alone; only what was refused before is decided anew.
        ObjectId tag = before.Id.Aspect(Aspects.RouterTranslations);
        HashSet<object> had = [.. before.FloatingIps, .. before.PortForwards];
        HashSet<object> has = [.. now.FloatingIps, .. now.PortForwards];
        if (!had.SetEquals(has)) Mark(stale, tag, isHard: !had.IsSubsetOf(has));
        if (before.SourceNat is null && now.SourceNat is null) return;

        if (before.SourceNat is not { } was || now.SourceNat is not { } nat
            || (was.Id, was.ExternalPort) != (nat.Id, nat.ExternalPort))
        {
            Mark(stale, tag);
            if (before.SourceNat is not null) Mark(stale, before.SourceNat.Id);
            return;
        }

        HashSet<NatBlockLease> blocks = [.. was.Blocks];
        if (!blocks.SetEquals(nat.Blocks)) Mark(stale, nat.Id, isHard: !blocks.IsSubsetOf(nat.Blocks));
    }

    private static void CompareExternalNetworks(TopologyParts old, TopologyParts current,
        Dictionary<ObjectId, bool> stale)
    {
        Dictionary<ObjectId, ExternalNetwork> after = current.ExternalNetworks.ToDictionary(n => n.Id);
        foreach (ExternalNetwork before in old.ExternalNetworks)
        {
            ExternalNetwork? now = after.GetValueOrDefault(before.Id);
            HashSet<(ObjectId, ObjectId)> uplinks = [.. before.Uplinks.Select(u => (u.Id, u.Host))];
            HashSet<(ObjectId, ObjectId)> uplinksNow = [.. (now?.Uplinks ?? []).Select(u => (u.Id, u.Host))];
            HashSet<IpPrefix> prefixes = [.. before.Prefixes];
            bool isRevoked = now is null || now.ProviderRouter != before.ProviderRouter
                || !uplinks.IsSubsetOf(uplinksNow) || !prefixes.SetEquals(now.Prefixes);
            if (isRevoked || uplinksNow.Count > uplinks.Count) Mark(stale, before.Id, isRevoked);
        }
    }

    private static bool AreEqual(VirtualPort a, VirtualPort b) =>
        (a.Device, a.Role, a.Mac, a.Peer, a.Binding, a.IsAdminUp, a.PortSecurity, a.FromPort, a.ToPort)
            == (b.Device, b.Role, b.Mac, b.Peer, b.Binding, b.IsAdminUp, b.PortSecurity, b.FromPort, b.ToPort)
        && a.Addresses.SequenceEqual(b.Addresses) && a.AllowedPairs.SequenceEqual(b.AllowedPairs);

    private static bool AreEqual(Chain a, Chain b) => a.Default == b.Default && a.Rules.SequenceEqual(b.Rules);

    private static bool AreEqual(AddressGroup a, AddressGroup b) => a.Members.ToHashSet().SetEquals(b.Members);
}
