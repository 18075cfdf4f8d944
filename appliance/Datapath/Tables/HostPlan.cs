using System.Collections.Generic;
using System.Collections.Immutable;
using System.Linq;
using Genkan.Overlay.Topology;
using Genkan.Wire;

namespace Genkan.Datapath.Tables;

/// <summary>A port that is bound on this host.</summary>
/// <param name="Port">The port.</param>
/// <param name="Uplink">Its uplink, null if it is none.</param>
/// <param name="External">The uplink's external network.</param>
internal sealed record PlannedPort(VirtualPort Port, Uplink? Uplink, ExternalNetwork? External)
{
    internal string Interface => Uplink?.Interface ?? Port.Binding!.Interface;

    internal ushort Vlan => Uplink?.Vlan ?? Port.Binding!.Vlan;
}

/// <summary>What of a topology concerns the tables of one host; made once a topology.</summary>
internal sealed class HostPlan
{
    private readonly Dictionary<ObjectId, SourceNat> _pools;

    internal HostPlan(TopologySnapshot topology)
    {
        Topology = topology;
        TopologyParts parts = topology.Parts;
        ObjectId here = topology.LocalHost.Id;
        _pools = parts.Routers.Where(r => r.SourceNat is not null).Select(r => r.SourceNat!).ToDictionary(n => n.Id);
        Ports = [.. BoundPorts(parts, here), .. BoundUplinks(here)];
        Remote = [.. parts.Hosts.Where(h => h.Id != here)];
        Bridges = [.. parts.Bridges.Where(b => Ports.Any(p => p.Port.Device == b.Id))];
        Pools = [.. _pools.Values.Where(n => n.Blocks.Any(b => b.Host == here))];
        LocalExternals = [.. parts.ExternalNetworks.Where(e => e.Uplinks.Any(u => u.Host == here))];
    }

    /// <summary>The whole topology.</summary>
    internal TopologySnapshot Topology { get; }

    /// <summary>This host.</summary>
    internal Host Local => Topology.LocalHost;

    /// <summary>All others.</summary>
    internal ImmutableArray<Host> Remote { get; }

    /// <summary>Ports and uplinks bound here.</summary>
    internal ImmutableArray<PlannedPort> Ports { get; }

    /// <summary>Bridges with ports here.</summary>
    internal ImmutableArray<Bridge> Bridges { get; }

    /// <summary>NAT pools of which this host owns blocks.</summary>
    internal ImmutableArray<SourceNat> Pools { get; }

    /// <summary>All NAT pools.</summary>
    internal IReadOnlyCollection<SourceNat> AllPools => _pools.Values;

    /// <summary>External networks that have an uplink here.</summary>
    internal ImmutableArray<ExternalNetwork> LocalExternals { get; }

    /// <summary>Forwarded ports of a pool's own addresses.</summary>
    internal IEnumerable<PortForward> ForwardsBeside(SourceNat pool) => Topology.Parts.Routers
        .Where(r => r.SourceNat?.Id == pool.Id)
        .SelectMany(static r => r.PortForwards)
        .Where(f => pool.Blocks.Any(b => b.Address == f.Address));

    internal bool HasPool(ObjectId id) => _pools.ContainsKey(id);

    /// <summary>What makes the delivery key of a port stale: another place to be.</summary>
    internal static ObjectId BindingOf(VirtualPort port) => port.Binding is { } binding
        ? ObjectId.Of("binding", $"{binding.Host}/{binding.Interface}.{binding.Vlan}")
        : ObjectId.None;

    /// <summary>Public addresses that stand for something behind the provider routers: floating IPs and NAT
    /// addresses.</summary>
    internal IEnumerable<IpAddress> PublicAddresses()
    {
        foreach (Router router in Topology.Parts.Routers)
        {
            foreach (FloatingIp ip in router.FloatingIps) yield return ip.Address;
            foreach (PortForward forward in router.PortForwards) yield return forward.Address;
            if (router.SourceNat is null) continue;
            foreach (NatBlockLease block in router.SourceNat.Blocks) yield return block.Address;
        }
    }

    private static IEnumerable<PlannedPort> BoundPorts(TopologyParts parts, ObjectId here) =>
        from port in parts.Ports
        where port.Role == PortRole.Exterior && port.Binding?.Host == here
        select new PlannedPort(port, Uplink: null, External: null);

    private IEnumerable<PlannedPort> BoundUplinks(ObjectId here)
    {
        foreach (ExternalNetwork external in Topology.Parts.ExternalNetworks)
        {
            foreach (Uplink uplink in external.Uplinks)
            {
                if (uplink.Host == here && Topology.TryGetPort(uplink.Id, out VirtualPort? port))
                {
                    yield return new PlannedPort(port, uplink, external);
                }
            }
        }
    }
}
