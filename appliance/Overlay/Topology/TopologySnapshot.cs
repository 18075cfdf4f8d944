using System.Collections.Frozen;
using System.Collections.Generic;
using System.Collections.Immutable;
using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;
using System.Linq;
using Genkan.Wire;

namespace Genkan.Overlay.Topology;

/// <summary>An address of a bridge whose MAC is known: what ARP and neighbour solicitations are answered
/// with.</summary>
/// <param name="Address">IPv4 or IPv6, link-local ones included.</param>
/// <param name="Mac">Its owner's MAC.</param>
/// <param name="IsRouter">Whether the owner is a virtual router (R flag, RFC 4861 §4.4).</param>
/// <param name="Port">The bridge's port that leads to it; None for an address that the bridge itself answers (DHCP
/// server).</param>
public readonly record struct BridgeNeighbour(IpAddress Address, MacAddress Mac, bool IsRouter, ObjectId Port);

/// <summary>
/// The virtual topology at one revision as one host sees it: checked, immutable, linked for walking without allocation.
/// </summary>
public sealed partial class TopologySnapshot
{
    private readonly FrozenDictionary<ObjectId, string> _names;
    private readonly FrozenDictionary<ObjectId, VirtualPort> _ports;
    private readonly FrozenDictionary<ObjectId, Bridge> _bridges;
    private readonly FrozenDictionary<ObjectId, Router> _routers;
    private readonly FrozenDictionary<ObjectId, Host> _hosts;
    private readonly FrozenDictionary<ObjectId, ExternalNetwork> _externalNetworks;
    private readonly FrozenDictionary<ObjectId, Router> _sourceNats;
    private readonly FrozenDictionary<ObjectId, ImmutableArray<VirtualPort>> _portsOf;

    private readonly FrozenDictionary<ObjectId, ImmutableArray<BridgeNeighbour>> _neighbours;

    private TopologySnapshot(TopologyParts parts, Host localHost, long revision)
    {
        Parts = parts;
        LocalHost = localHost;
        Revision = revision;
        _ports = parts.Ports.ToFrozenDictionary(p => p.Id);
        _bridges = parts.Bridges.ToFrozenDictionary(b => b.Id);
        _routers = parts.Routers.ToFrozenDictionary(r => r.Id);
        _hosts = parts.Hosts.ToFrozenDictionary(h => h.Id);
        _externalNetworks = parts.ExternalNetworks.ToFrozenDictionary(n => n.Id);
        _sourceNats = parts.Routers.Where(r => r.SourceNat is not null).ToFrozenDictionary(r => r.SourceNat!.Id);
        _portsOf = parts.Ports.GroupBy(p => p.Device).ToFrozenDictionary(g => g.Key, g => g.ToImmutableArray());
        _names = NamesOf(parts).ToFrozenDictionary(n => n.Key, n => n.Value);
        TopologyLinker linker = new(parts, localHost.Id);
        PortNodes = linker.Ports;
        BridgeNodes = linker.Bridges;
        SourceNatNodes = linker.SourceNats;
        _neighbours = linker.AllBridges.ToFrozenDictionary(b => b.Id, PublicNeighboursOf);
        LocalPorts = [.. parts.Ports.Where(p => p.Binding?.Host == localHost.Id)];
        LocalBridges =
            [.. parts.Bridges.Where(b => LocalPorts.Any(p => p.Device == b.Id && p.Role == PortRole.Exterior))];
    }

    /// <summary>Revision of the desired state that this was built from.</summary>
    public long Revision { get; }

    /// <summary>The host that simulates.</summary>
    public Host LocalHost { get; }

    /// <summary>What it was built from.</summary>
    public TopologyParts Parts { get; }

    /// <summary>Exterior and uplink ports that are bound on the local host.</summary>
    public ImmutableArray<VirtualPort> LocalPorts { get; }

    /// <summary>Bridges with an exterior port on the local host: each has a FLOOD delivery here.</summary>
    public ImmutableArray<Bridge> LocalBridges { get; }

    internal KeyTable<PortNode> PortNodes { get; }

    internal KeyTable<BridgeNode> BridgeNodes { get; }

    internal KeyTable<SourceNatNode> SourceNatNodes { get; }

    /// <summary>A port that the checks found to exist.</summary>
    internal PortNode PortOf(ObjectId id) =>
        PortNodes.TryGet(id, out PortNode? port) ? port : throw new UnreachableException();

    /// <summary>Checks the parts and links them.</summary>
    /// <param name="parts">Everything.</param>
    /// <param name="localHost">The host that will simulate.</param>
    /// <param name="revision">Revision of the desired state.</param>
    /// <param name="snapshot">The snapshot, null if refused.</param>
    /// <param name="faults">All that is wrong, in the order of the parts; empty if nothing.</param>
    /// <returns>Whether there is a snapshot.</returns>
    public static bool TryCreate(
        TopologyParts parts,
        ObjectId localHost,
        long revision,
        [NotNullWhen(true)] out TopologySnapshot? snapshot,
        out IReadOnlyList<TopologyFault> faults)
    {
        faults = new TopologyChecks(parts, localHost).Run();
        snapshot = faults.Count == 0
            ? new TopologySnapshot(parts, parts.Hosts.First(h => h.Id == localHost), revision)
            : null;
        return snapshot is not null;
    }

    /// <summary>Finds a port.</summary>
    public bool TryGetPort(ObjectId id, [NotNullWhen(true)] out VirtualPort? port) => _ports.TryGetValue(id, out port);

    /// <summary>Finds a bridge.</summary>
    public bool TryGetBridge(ObjectId id, [NotNullWhen(true)] out Bridge? bridge) =>
        _bridges.TryGetValue(id, out bridge);

    /// <summary>Finds a router.</summary>
    public bool TryGetRouter(ObjectId id, [NotNullWhen(true)] out Router? router) =>
        _routers.TryGetValue(id, out router);

    /// <summary>Finds a host.</summary>
    public bool TryGetHost(ObjectId id, [NotNullWhen(true)] out Host? host) => _hosts.TryGetValue(id, out host);

    /// <summary>Finds an external network.</summary>
    public bool TryGetExternalNetwork(ObjectId id, [NotNullWhen(true)] out ExternalNetwork? network) =>
        _externalNetworks.TryGetValue(id, out network);

    /// <summary>Finds the router whose source NAT pool has an id.</summary>
    public bool TryGetSourceNatRouter(ObjectId id, [NotNullWhen(true)] out Router? router) =>
        _sourceNats.TryGetValue(id, out router);

    /// <summary>All ports of a bridge or router, interior ones too.</summary>
    public ImmutableArray<VirtualPort> PortsOf(ObjectId device) =>
        _portsOf.TryGetValue(device, out ImmutableArray<VirtualPort> ports) ? ports : [];

    /// <summary>Addresses of a bridge that are answered for; what the kernel's neighbour table holds.</summary>
    public ImmutableArray<BridgeNeighbour> NeighboursOf(ObjectId bridge) =>
        _neighbours.TryGetValue(bridge, out ImmutableArray<BridgeNeighbour> found) ? found : [];

    /// <summary>The name of an object, or of an aspect of one (e.g. <c>members of red/red-1</c>); its number if it is
    /// gone.</summary>
    public string NameOf(ObjectId id) => _names.TryGetValue(id, out string? name) ? name : id.ToString();

    private static ImmutableArray<BridgeNeighbour> PublicNeighboursOf(BridgeNode bridge) =>
        [.. bridge.NeighbourList.Select(n =>
            new BridgeNeighbour(n.Address, n.Mac, n.IsRouter, n.Port?.Id ?? ObjectId.None))];

    private static IEnumerable<KeyValuePair<ObjectId, string>> NamesOf(TopologyParts parts)
    {
        foreach (Host h in parts.Hosts) yield return new(h.Id, h.Name);
        foreach (Bridge b in parts.Bridges)
        {
            yield return new(b.Id, b.Name);
            yield return new(b.Id.Aspect(Aspects.BridgeMembers), $"members of {b.Name}");
        }

        foreach (Router r in parts.Routers)
        {
            yield return new(r.Id, r.Name);
            yield return new(r.Id.Aspect(Aspects.RouterRoutes), $"routes of {r.Name}");
            yield return new(r.Id.Aspect(Aspects.RouterTranslations), $"translations of {r.Name}");
            foreach (FloatingIp f in r.FloatingIps) yield return new(f.Id, $"floating IP {f.Address}");
            foreach (PortForward p in r.PortForwards) yield return new(p.Id, $"port forward {p.Address} {p.Port}");
            if (r.SourceNat is not null) yield return new(r.SourceNat.Id, $"source NAT of {r.Name}");
        }

        foreach (VirtualPort p in parts.Ports) yield return new(p.Id, p.Name);
        foreach (Chain c in parts.Chains) yield return new(c.Id, c.Name);
        foreach (AddressGroup g in parts.AddressGroups) yield return new(g.Id, g.Name);
        foreach (ExternalNetwork n in parts.ExternalNetworks) yield return new(n.Id, n.Name);
    }
}

/// <summary>Numbers for <see cref="ObjectId.Aspect"/>: parts of a device that change without the device
/// itself.</summary>
public static class Aspects
{
    /// <summary>Which MACs and addresses a bridge has: unknown MACs, unknown neighbours and replication depend on
    /// it.</summary>
    public const byte BridgeMembers = 1;

    /// <summary>A router's routes.</summary>
    public const byte RouterRoutes = 1;

    /// <summary>Which floating IPs, port forwards and source NAT a router has.</summary>
    public const byte RouterTranslations = 2;
}
