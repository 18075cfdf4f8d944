using System;
using System.Collections.Generic;
using System.Linq;
using Genkan.Wire;

namespace Genkan.Overlay.Topology;

/// <summary>Makes the linked nodes of a snapshot from checked parts.</summary>
internal sealed class TopologyLinker
{
    private readonly TopologyParts _parts;
    private readonly ObjectId _localHost;
    private readonly Dictionary<ObjectId, PortNode> _ports;
    private readonly Dictionary<ObjectId, BridgeNode> _bridges;
    private readonly Dictionary<ObjectId, RouterNode> _routers;
    private readonly Dictionary<ObjectId, ChainNode> _chains;
    private readonly Dictionary<ObjectId, ExternalNetworkNode> _externalNetworks;

    public TopologyLinker(TopologyParts parts, ObjectId localHost)
    {
        _parts = parts;
        _localHost = localHost;
        _ports = parts.Ports.ToDictionary(p => p.Id, p => new PortNode(p));
        _bridges = parts.Bridges.ToDictionary(b => b.Id, b => new BridgeNode(b));
        _routers = parts.Routers.ToDictionary(r => r.Id, r => new RouterNode(r));
        _externalNetworks = parts.ExternalNetworks.ToDictionary(n => n.Id, n => new ExternalNetworkNode(n));
        _chains = parts.Chains.ToDictionary(c => c.Id, c => new ChainNode(c));
        LinkChains();
        foreach (PortNode port in _ports.Values) LinkPort(port);
        foreach (ExternalNetworkNode network in _externalNetworks.Values) LinkExternalNetwork(network);
        foreach (RouterNode router in _routers.Values) LinkRouter(router);
        foreach (BridgeNode bridge in _bridges.Values) LinkBridge(bridge);
    }

    public KeyTable<PortNode> Ports => KeyTable.ById(_ports.Values.Select(p => (p.Id, p)));

    public KeyTable<BridgeNode> Bridges => KeyTable.ById(_bridges.Values.Select(b => (b.Id, b)));

    public KeyTable<SourceNatNode> SourceNats => KeyTable.ById(
        _routers.Values.Where(r => r.SourceNat is not null).Select(r => (r.SourceNat!.Id, r.SourceNat!)));

    public IEnumerable<BridgeNode> AllBridges => _bridges.Values;

    private void LinkChains()
    {
        Dictionary<ObjectId, GroupNode> groups = _parts.AddressGroups.ToDictionary(
            g => g.Id, g => new GroupNode(g, KeyTable.ByAddress(g.Members.Select(m => (m, true)))));
        foreach (Chain chain in _parts.Chains)
            _chains[chain.Id].Rules = [.. chain.Rules.Select(r => Compile(r, groups))];
    }

    private RuleNode Compile(Rule rule, Dictionary<ObjectId, GroupNode> groups) => new()
    {
        Verdict = rule.Verdict,
        JumpTo = rule.Verdict == RuleVerdict.Jump ? _chains[rule.JumpTo] : null,
        EtherType = rule.EtherType,
        Protocol = rule.Protocol,
        HasSource = rule.Source is not null,
        Source = rule.Source?.Address.Value ?? UInt128.Zero,
        SourceMask = rule.Source is { } s ? Masks.Of(s) : UInt128.Zero,
        HasDestination = rule.Destination is not null,
        Destination = rule.Destination?.Address.Value ?? UInt128.Zero,
        DestinationMask = rule.Destination is { } d ? Masks.Of(d) : UInt128.Zero,
        SourceGroup = groups.GetValueOrDefault(rule.SourceGroup),
        DestinationGroup = groups.GetValueOrDefault(rule.DestinationGroup),
        HasPorts = rule.HasPorts,
        PortMin = rule.DestinationPortMin,
        PortMax = rule.DestinationPortMax,
    };

    private void LinkPort(PortNode port)
    {
        VirtualPort model = port.Model;
        port.Bridge = _bridges.GetValueOrDefault(model.Device);
        port.Router = _routers.GetValueOrDefault(model.Device);
        port.Peer = _ports.GetValueOrDefault(model.Peer);
        port.FromPort = _chains.GetValueOrDefault(model.FromPort);
        port.ToPort = _chains.GetValueOrDefault(model.ToPort);
        port.Pairs = [.. model.AllowedPairs.Select(p => new PairNode(p))];
        if (!model.Mac.IsZero) port.LinkLocal = IpAddress.LinkLocalOf(model.Mac);
        foreach (IpInterface address in model.Addresses)
        {
            if (address.Address.IsIpv4 && port.Address4.IsUnspecified) port.Address4 = address.Address;
            if (address.Address.IsIpv6 && port.Address6.IsUnspecified) port.Address6 = address.Address;
        }
    }

    private void LinkExternalNetwork(ExternalNetworkNode network)
    {
        network.Router = _routers[network.Model.ProviderRouter];
        network.Router.Provides = network;
        network.Hosts = [.. network.Model.Uplinks.Select(u => u.Host).Distinct().Order()];
        foreach (Uplink uplink in network.Model.Uplinks)
        {
            PortNode port = _ports[uplink.Id];
            port.ExternalNetwork = network;
            port.Host = uplink.Host;
        }
    }

    private void LinkRouter(RouterNode router)
    {
        Router model = router.Model;
        router.Ports = [.. _ports.Values.Where(p => p.Router == router).OrderBy(p => p.Id)];
        router.OwnAddresses = KeyTable.ByAddress(
            router.Ports.SelectMany(p => p.Model.Addresses.Select(a => (a.Address, p))));
        router.Routes = new RouteTable([.. model.Routes.Where(IsUsable).Select(Link)]);

        List<FloatingIpNode> floating =
            [.. model.FloatingIps.Select(f => new FloatingIpNode(f, _ports[f.ExternalPort]))];
        router.FloatingByAddress = KeyTable.ByAddress(floating.Select(f => (f.Model.Address, f)));
        router.FloatingByFixed = KeyTable.ByAddress(floating.Select(f => (f.Model.FixedAddress, f)));
        router.ForwardsByAddress = KeyTable.ByAddress(
            model.PortForwards.GroupBy(f => f.Address).Select(g => (g.Key, g.ToArray())));
        router.ForwardsByFixed = KeyTable.ByAddress(
            model.PortForwards.GroupBy(f => f.FixedAddress).Select(g => (g.Key, g.ToArray())));
        if (model.SourceNat is { } nat) router.SourceNat = Link(nat, router);
        router.HasTranslations = floating.Count > 0 || model.PortForwards.Length > 0 || router.SourceNat is not null;
        foreach (FloatingIp f in model.FloatingIps) _ports[f.ExternalPort].IsExternal = true;
        foreach (PortForward f in model.PortForwards) _ports[f.ExternalPort].IsExternal = true;
        if (model.SourceNat is not null) _ports[model.SourceNat.ExternalPort].IsExternal = true;
    }

    // A route out of a port that is down leads nowhere; the next best one is taken, as a FIB does when a link goes
    // down.
    private bool IsUsable(Route route) => route.Target != RouteTarget.Port || _ports[route.Port].IsAdminUp;

    private RouteNode Link(Route route) => new(
        route,
        route.Target == RouteTarget.Port ? _ports[route.Port] : null,
        route.Port.Value ^ (ulong)route.Gateway.Value ^ (ulong)(route.Gateway.Value >> 64)
            ^ ((ulong)route.Target << 56));

    private SourceNatNode Link(SourceNat nat, RouterNode router) => new(nat, router, _ports[nat.ExternalPort])
    {
        Leases = KeyTable.ByAddress(nat.Blocks.GroupBy(b => b.Address).Select(g => (g.Key, g.ToArray()))),
        LocalLease = nat.Blocks.FirstOrDefault(b => b.Host == _localHost),
    };

    private void LinkBridge(BridgeNode bridge)
    {
        PortNode[] ports = [.. _ports.Values.Where(p => p.Bridge == bridge).OrderBy(p => p.Id)];
        PortNode[] exterior = [.. ports.Where(p => p.Role == PortRole.Exterior)];
        PortNode[] interior = [.. ports.Where(p => p.Role == PortRole.Interior && p.Peer?.Router is not null)];
        bridge.RouterPorts = [.. interior.Select(p => p.Peer!)];
        bridge.LocalPorts = [.. exterior.Where(p => p.Host == _localHost)];
        bridge.OtherHosts =
            [.. exterior.Select(p => p.Host).Where(h => h != _localHost && h != ObjectId.None).Distinct().Order()];
        bridge.HasDhcpv4 = bridge.Model.Subnets.Any(s => s.IsDhcpEnabled && s.Prefix.IsIpv4);
        bridge.HasIpv6 = bridge.Model.Subnets.Any(s => s.IsDhcpEnabled && s.Prefix.IsIpv6);
        bridge.Macs = KeyTable.ByMac(
        [
            .. interior.Select(p => (p.Peer!.Mac, p)),
            .. exterior.Select(p => (p.Mac, p)),
            .. UniquePairs(exterior).Select(x => (x.Pair.Mac, x.Port)),
        ]);
        bridge.NeighbourList = [.. NeighboursOf(bridge, exterior, interior).DistinctBy(n => n.Address)];
        bridge.Neighbours = KeyTable.ByAddress(bridge.NeighbourList.Select(n => (n.Address, n)));
    }

    private static IEnumerable<NeighbourNode> NeighboursOf(BridgeNode bridge, PortNode[] exterior, PortNode[] interior)
    {
        foreach (PortNode port in interior)
        {
            PortNode router = port.Peer!;
            foreach (IpInterface a in router.Model.Addresses)
                yield return new(a.Address, router.Mac, port, IsRouter: true);
            yield return new(router.LinkLocal, router.Mac, port, IsRouter: true);
        }

        foreach (PortNode port in exterior)
        {
            foreach (IpInterface a in port.Model.Addresses)
                yield return new(a.Address, port.Mac, port, IsRouter: false);
            yield return new(port.LinkLocal, port.Mac, port, IsRouter: false);
        }

        foreach ((AddressPair pair, PortNode port) in UniquePairs(exterior))
        {
            if (pair.Prefix.IsHost) yield return new(pair.Prefix.Address, pair.Mac, port, IsRouter: false);
        }

        foreach (Subnet subnet in bridge.Model.Subnets)
        {
            if (subnet.IsDhcpEnabled && subnet.Prefix.IsIpv4 && !subnet.DhcpServer.IsUnspecified)
                yield return new(subnet.DhcpServer, bridge.ServiceMac, null, IsRouter: false);
        }
    }

    // What several ports may use (a VRRP address or MAC) has no one place: it is neither answered for nor forwarded by
    // table.
    private static IEnumerable<(AddressPair Pair, PortNode Port)> UniquePairs(PortNode[] exterior)
    {
        HashSet<(IpPrefix, ObjectId)> seen = [];
        Dictionary<IpPrefix, int> owners = [];
        Dictionary<MacAddress, HashSet<ObjectId>> macs = [];
        foreach (PortNode port in exterior)
        {
            foreach (AddressPair pair in port.Model.AllowedPairs)
            {
                if (seen.Add((pair.Prefix, port.Id))) owners[pair.Prefix] = owners.GetValueOrDefault(pair.Prefix) + 1;
                if (!macs.TryGetValue(pair.Mac, out HashSet<ObjectId>? ports)) macs.Add(pair.Mac, ports = []);
                ports.Add(port.Id);
            }
        }

        return exterior.SelectMany(p => p.Model.AllowedPairs.Select(pair => (pair, p)))
            .Where(x => owners[x.pair.Prefix] == 1 && macs[x.pair.Mac].Count == 1);
    }
}
