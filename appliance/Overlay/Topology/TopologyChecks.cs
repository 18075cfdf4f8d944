using System.Collections.Generic;
using System.Collections.Immutable;
using System.Linq;
using Genkan.Wire;

namespace Genkan.Overlay.Topology;

/// <summary>
/// Every rule that a topology must keep before it is linked; a snapshot that passed never meets a dangling reference.
/// Rules about words (names, texts) belong to Control.
/// </summary>
internal sealed partial class TopologyChecks
{
    private readonly TopologyParts _parts;
    private readonly ObjectId _localHost;
    private readonly List<TopologyFault> _faults = [];
    private readonly Dictionary<ObjectId, string> _names = [];
    private readonly Dictionary<ObjectId, int> _depths = [];
    private readonly Dictionary<ObjectId, Host> _hosts;
    private readonly Dictionary<ObjectId, Bridge> _bridges;
    private readonly Dictionary<ObjectId, Router> _routers;
    private readonly Dictionary<ObjectId, VirtualPort> _ports;
    private readonly Dictionary<ObjectId, Chain> _chains;
    private readonly HashSet<ObjectId> _groups;
    private readonly HashSet<ObjectId> _uplinks;

    public TopologyChecks(TopologyParts parts, ObjectId localHost)
    {
        _parts = parts;
        _localHost = localHost;
        _hosts = First(parts.Hosts, h => h.Id);
        _bridges = First(parts.Bridges, b => b.Id);
        _routers = First(parts.Routers, r => r.Id);
        _ports = First(parts.Ports, p => p.Id);
        _chains = First(parts.Chains, c => c.Id);
        _groups = [.. parts.AddressGroups.Select(g => g.Id)];
        _uplinks = [.. parts.ExternalNetworks.SelectMany(n => n.Uplinks.Select(u => u.Id))];
    }

    /// <summary>All faults, in the order of the parts.</summary>
    public IReadOnlyList<TopologyFault> Run()
    {
        CheckNames();
        CheckHosts();
        foreach (Bridge bridge in _parts.Bridges) CheckBridge(bridge);
        foreach (VirtualPort port in _parts.Ports) CheckPort(port);
        CheckBindings();
        foreach (Chain chain in _parts.Chains) CheckChain(chain);
        foreach (ExternalNetwork network in _parts.ExternalNetworks) CheckExternalNetwork(network);
        foreach (Router router in _parts.Routers) CheckRouter(router);
        CheckPublicAddresses();
        CheckDeliverySlots();
        return _faults;
    }

    private static Dictionary<ObjectId, T> First<T>(ImmutableArray<T> items, System.Func<T, ObjectId> id) =>
        items.GroupBy(id).ToDictionary(g => g.Key, g => g.First());

    private void Fault(ObjectId id, string name, string rule, string hint) =>
        _faults.Add(new TopologyFault(id, name, rule, hint));

    private void Name(ObjectId id, string name)
    {
        if (id == ObjectId.None)
            Fault(id, name, "Every object has an id.", "Give it a name.");
        else if (!_names.TryAdd(id, name))
            Fault(id, name, $"Ids are unique, but {_names[id]} has the same.", "Rename one of the two.");
    }

    private void CheckNames()
    {
        foreach (Host h in _parts.Hosts) Name(h.Id, h.Name);
        foreach (Bridge b in _parts.Bridges) Name(b.Id, b.Name);
        foreach (VirtualPort p in _parts.Ports) Name(p.Id, p.Name);
        foreach (Chain c in _parts.Chains) Name(c.Id, c.Name);
        foreach (AddressGroup g in _parts.AddressGroups) Name(g.Id, g.Name);
        foreach (ExternalNetwork n in _parts.ExternalNetworks) Name(n.Id, n.Name);
        foreach (Router r in _parts.Routers)
        {
            Name(r.Id, r.Name);
            foreach (FloatingIp f in r.FloatingIps) Name(f.Id, $"floating IP {f.Address} of {r.Name}");
            foreach (PortForward f in r.PortForwards) Name(f.Id, $"port forward {f.Address} {f.Port} of {r.Name}");
            if (r.SourceNat is { } nat) Name(nat.Id, $"source NAT of {r.Name}");
        }
    }

    private void CheckHosts()
    {
        if (!_hosts.ContainsKey(_localHost))
        {
            Fault(_localHost, _localHost.ToString(), "The local host is one of the hosts.",
                "Add it to the hosts, or start with the name of one that is there.");
        }

        foreach (IGrouping<IpAddress, Host> same in _parts.Hosts.GroupBy(h => h.UnderlayAddress))
        {
            if (same.Count() == 1) continue;
            Fault(same.Last().Id, same.Last().Name,
                $"Underlay addresses are unique, but {same.First().Name} has {same.Key} too.",
                "Give each host its own underlay address.");
        }
    }

    private void CheckBridge(Bridge bridge)
    {
        if (bridge.Mtu is < 68 or > 65_535)
        {
            Fault(bridge.Id, bridge.Name, "The MTU is 68 to 65535 octets (RFC 791 §3.2).",
                "Use 1500, or what the underlay leaves.");
        }

        if (bridge.Mtu < 1280 && bridge.Subnets.Any(s => s.Prefix.IsIpv6))
        {
            Fault(bridge.Id, bridge.Name, "A network with IPv6 has an MTU of at least 1280 (RFC 8200 §5).",
                "Raise the MTU.");
        }

        foreach (Subnet subnet in bridge.Subnets)
        {
            if (!subnet.Gateway.IsUnspecified && !subnet.Prefix.Contains(subnet.Gateway))
            {
                Fault(bridge.Id, bridge.Name, $"The gateway {subnet.Gateway} lies in {subnet.Prefix}.",
                    "Correct the gateway.");
            }
        }

        CheckMacs(bridge);
        CheckAddresses(bridge);
    }

    private void CheckMacs(Bridge bridge)
    {
        Dictionary<MacAddress, string> owners = [];
        foreach (VirtualPort port in _parts.Ports.Where(p => p.Device == bridge.Id))
        {
            VirtualPort? owner = port.Role == PortRole.Exterior ? port : _ports.GetValueOrDefault(port.Peer);
            if (owner is null) continue;
            if (!owners.TryAdd(owner.Mac, owner.Name))
            {
                Fault(owner.Id, owner.Name,
                    $"MACs are unique in {bridge.Name}, but {owners[owner.Mac]} has {owner.Mac} too.",
                    "Give each port of a network its own MAC.");
            }
        }
    }

    private void CheckAddresses(Bridge bridge)
    {
        Dictionary<IpAddress, string> owners = [];
        foreach (VirtualPort port in _parts.Ports.Where(p => p.Device == bridge.Id))
        {
            VirtualPort? owner = port.Role == PortRole.Exterior ? port : _ports.GetValueOrDefault(port.Peer);
            foreach (IpInterface address in owner?.Addresses ?? [])
            {
                if (owners.TryAdd(address.Address, owner!.Name)) continue;
                Fault(owner.Id, owner.Name,
                    $"Addresses are unique in {bridge.Name}, but {owners[address.Address]} has {address.Address} too.",
                    "Give each port of a network its own address.");
            }
        }
    }

    private void CheckPort(VirtualPort port)
    {
        bool onBridge = _bridges.ContainsKey(port.Device);
        bool onRouter = _routers.ContainsKey(port.Device);
        if (!onBridge && !onRouter)
        {
            Fault(port.Id, port.Name, "A port belongs to a bridge or router that exists.",
                "Name one, or remove the port.");
        }

        if (port.Mac.IsMulticast || (port.Mac.IsZero && (onRouter || port.Role == PortRole.Exterior)))
        {
            Fault(port.Id, port.Name, "A port has a unicast MAC.",
                "Use one whose first octet is even, and not all zero.");
        }

        if (port.AllowedPairs.Length > TopologyLimits.AllowedPairsMax)
        {
            Fault(port.Id, port.Name, $"A port has at most {TopologyLimits.AllowedPairsMax} allowed address pairs.",
                "Join addresses to prefixes.");
        }

        CheckChainOf(port, port.FromPort);
        CheckChainOf(port, port.ToPort);
        CheckRole(port, onBridge, onRouter);
    }

    private void CheckChainOf(VirtualPort port, ObjectId chain)
    {
        if (chain != ObjectId.None && !_chains.ContainsKey(chain))
            Fault(port.Id, port.Name, "The chains of a port exist.", "Name one that is there.");
    }

    private void CheckRole(VirtualPort port, bool onBridge, bool onRouter)
    {
        switch (port.Role)
        {
            case PortRole.Exterior when onRouter:
                Fault(port.Id, port.Name, "A router's port is interior or an uplink.", "Put a bridge between.");
                break;
            case PortRole.Uplink when onBridge:
                Fault(port.Id, port.Name, "An uplink belongs to a router.", "Make it a port of the provider router.");
                break;
            case PortRole.Uplink when !_uplinks.Contains(port.Id):
                Fault(port.Id, port.Name, "An uplink port is an uplink of an external network.", "List it there.");
                break;
            case PortRole.Interior:
                CheckPeer(port, onBridge);
                break;
        }
    }

    private void CheckPeer(VirtualPort port, bool onBridge)
    {
        (string? rule, string hint) = !_ports.TryGetValue(port.Peer, out VirtualPort? peer)
            ? ("An interior port is linked to a port that exists.", "Name its peer.")
            : peer.Peer != port.Id || peer.Role != PortRole.Interior
                ? ($"Interior ports are linked in pairs, but {peer.Name} is not linked back.", "Link both ends.")
            : peer.Device == port.Device
                ? ("A device is not linked to itself.", "Link it to another device.")
            : onBridge && _bridges.ContainsKey(peer.Device)
                ? ("Bridges are joined by a router, not to each other.", "Make them one network.")
            : (null, "");
        if (rule is not null) Fault(port.Id, port.Name, rule, hint);
    }
}
