using System.Collections.Generic;
using System.Collections.Immutable;
using System.Linq;
using Genkan.Nat;
using Genkan.Wire;

namespace Genkan.Overlay.Topology;

/// <content>Chains, routers, translations and the outside.</content>
internal sealed partial class TopologyChecks
{
    private void CheckChain(Chain chain)
    {
        if (chain.Rules.Length > TopologyLimits.RulesMax)
            Fault(chain.Id, chain.Name, $"A chain has at most {TopologyLimits.RulesMax} rules.", "Split it, and jump.");
        if (chain.Default is RuleVerdict.Jump or RuleVerdict.Return)
            Fault(chain.Id, chain.Name, "A chain ends in accept, drop or reject.", "Choose one of them.");
        foreach (Rule rule in chain.Rules)
        {
            if (rule.Verdict == RuleVerdict.Jump && !_chains.ContainsKey(rule.JumpTo))
                Fault(chain.Id, chain.Name, "A rule jumps to a chain that exists.", "Name one that is there.");
            if (!IsGroup(rule.SourceGroup) || !IsGroup(rule.DestinationGroup))
                Fault(chain.Id, chain.Name, "The address groups of a rule exist.", "Name one that is there.");
            bool isIcmp = rule.Protocol is IpProtocol.Icmp or IpProtocol.Icmpv6;
            if (rule.HasPorts && !isIcmp && rule.DestinationPortMin > rule.DestinationPortMax)
                Fault(chain.Id, chain.Name, "A port range goes up.", "Swap its ends.");
            if (rule.HasPorts && isIcmp && (rule.DestinationPortMin > 255 || rule.DestinationPortMax > 255))
                Fault(chain.Id, chain.Name, "ICMP type and code are 0 to 255.", "Correct them.");
        }

        CheckDepth(chain);
    }

    private bool IsGroup(ObjectId id) => id == ObjectId.None || _groups.Contains(id);

    private void CheckDepth(Chain chain)
    {
        if (DepthFrom(chain) <= TopologyLimits.ChainDepthMax) return;
        Fault(chain.Id, chain.Name, $"Chains jump at most {TopologyLimits.ChainDepthMax} deep, and never in a circle.",
            "Remove a jump.");
    }

    // Each chain is counted once; one that is met while it is being counted is in a circle.
    private int DepthFrom(Chain chain)
    {
        if (_depths.TryGetValue(chain.Id, out int known)) return known;
        _depths[chain.Id] = TopologyLimits.ChainDepthMax + 1;
        int deepest = 0;
        foreach (Rule rule in chain.Rules)
        {
            if (rule.Verdict == RuleVerdict.Jump && _chains.TryGetValue(rule.JumpTo, out Chain? target))
                deepest = System.Math.Max(deepest, DepthFrom(target));
        }

        return _depths[chain.Id] = deepest + 1;
    }

    private void CheckExternalNetwork(ExternalNetwork network)
    {
        if (!_routers.ContainsKey(network.ProviderRouter))
            Fault(network.Id, network.Name, "The provider router exists.", "Name one of the routers.");
        if (_parts.ExternalNetworks.Any(n => n.Id != network.Id && n.ProviderRouter == network.ProviderRouter))
            Fault(network.Id, network.Name, "A provider router has one external network.", "Give each its own router.");
        foreach (Uplink uplink in network.Uplinks)
        {
            if (!_hosts.ContainsKey(uplink.Host))
                Fault(uplink.Id, network.Name, "An uplink is on a host that exists.", "Name one of the hosts.");
            if (!_ports.TryGetValue(uplink.Id, out VirtualPort? port) || port.Role != PortRole.Uplink
                || port.Device != network.ProviderRouter)
            {
                Fault(uplink.Id, network.Name, "An uplink stands behind a port of the provider router.",
                    "Add the port.");
            }
        }
    }

    private void CheckRouter(Router router)
    {
        foreach (Route route in router.Routes) CheckRoute(router, route);
        foreach (FloatingIp f in router.FloatingIps)
        {
            CheckExternalPort(router, f.ExternalPort);
            if (f.Address.IsIpv4 != f.FixedAddress.IsIpv4)
            {
                Fault(f.Id, NameOf(f.Id), "Floating and fixed address are of one family.",
                    "Choose both IPv4 or both IPv6.");
            }
        }

        foreach (PortForward f in router.PortForwards)
        {
            CheckExternalPort(router, f.ExternalPort);
            if (f.Address.IsIpv4 != f.FixedAddress.IsIpv4)
            {
                Fault(f.Id, NameOf(f.Id), "Public and fixed address are of one family.",
                    "Choose both IPv4 or both IPv6.");
            }

            if (f.Protocol is not (IpProtocol.Tcp or IpProtocol.Udp) || f.Port == 0 || f.FixedPort == 0)
                Fault(f.Id, NameOf(f.Id), "A port forward is of TCP or UDP, from a port to a port.", "Correct it.");
        }

        if (router.SourceNat is { } nat) CheckSourceNat(router, nat);
    }

    private void CheckRoute(Router router, Route route)
    {
        if (!route.Gateway.IsUnspecified && route.Gateway.IsIpv4 != route.Destination.IsIpv4)
        {
            Fault(router.Id, router.Name, $"The gateway of {route.Destination} is of its family.",
                "Correct the gateway.");
        }

        if (route.Target == RouteTarget.Port
            && (!_ports.TryGetValue(route.Port, out VirtualPort? port) || port.Device != router.Id))
        {
            Fault(router.Id, router.Name, $"The route {route.Destination} leaves by a port of this router.",
                "Name one of its ports.");
        }

        if (route.Target == RouteTarget.FibExit && !_parts.ExternalNetworks.Any(n => n.ProviderRouter == router.Id))
        {
            Fault(router.Id, router.Name, $"The route {route.Destination} exits by a FIB only in a provider router.",
                "Route it to the provider router.");
        }
    }

    private void CheckExternalPort(Router router, ObjectId id)
    {
        if (!_ports.TryGetValue(id, out VirtualPort? port) || port.Device != router.Id)
        {
            Fault(router.Id, router.Name, "Translations take place at a port of the router.",
                "Name its external port.");
        }
    }

    private void CheckSourceNat(Router router, SourceNat nat)
    {
        CheckExternalPort(router, nat.ExternalPort);
        foreach (NatBlockLease block in nat.Blocks)
        {
            NatBlock range = new(block.Address, block.FirstPort, block.LastPort);
            if (!block.Address.IsIpv4)
                Fault(nat.Id, NameOf(nat.Id), "Source NAT is of IPv4.", "Use a public IPv4 address; IPv6 is routed.");
            if (range.GranuleCount == 0 || !range.IsAligned)
            {
                Fault(nat.Id, NameOf(nat.Id), $"A block is of whole granules of {PortBlock.PortCount} ports.",
                    "Begin at a multiple of 64, and end one before a multiple.");
            }

            if (!_hosts.ContainsKey(block.Host))
                Fault(nat.Id, NameOf(nat.Id), "A block belongs to a host that exists.", "Name one of the hosts.");
        }

        if (nat.Blocks.GroupBy(b => b.Host).Any(g => g.Count() > NatLimits.BlocksPerZoneMax))
        {
            Fault(nat.Id, NameOf(nat.Id), $"A host has at most {NatLimits.BlocksPerZoneMax} blocks of a pool.",
                "Join blocks.");
        }
    }

    // A public address means one thing: a floating IP, or port forwards and source NAT of one router.
    private void CheckPublicAddresses()
    {
        Dictionary<IpAddress, ObjectId> floating = [];
        foreach (FloatingIp f in _parts.Routers.SelectMany(r => r.FloatingIps))
        {
            if (!floating.TryAdd(f.Address, f.Id))
            {
                Fault(f.Id, NameOf(f.Id), $"A floating IP is used once, but so is {NameOf(floating[f.Address])}.",
                    "Use another address.");
            }
        }

        foreach (Router router in _parts.Routers)
        {
            foreach (IGrouping<(ObjectId, IpAddress), FloatingIp> same in router.FloatingIps
                .GroupBy(f => (f.ExternalPort, f.FixedAddress)).Where(g => g.Count() > 1))
            {
                Fault(same.Last().Id, NameOf(same.Last().Id),
                    $"A fixed address has one floating IP, but {same.Key.Item2} has two.",
                    "Remove one.");
            }

            foreach (IGrouping<(IpAddress, IpProtocol, ushort), PortForward> same in router.PortForwards
                .GroupBy(f => (f.Address, f.Protocol, f.Port)).Where(g => g.Count() > 1))
            {
                Fault(same.Last().Id, NameOf(same.Last().Id), "A public port is forwarded once.", "Use another port.");
            }

            ImmutableArray<NatBlockLease> blocks = router.SourceNat?.Blocks ?? [];
            foreach (PortForward f in router.PortForwards)
            {
                if (floating.ContainsKey(f.Address))
                    Fault(f.Id, NameOf(f.Id), $"{f.Address} is a floating IP already.", "Use another address.");
                if (blocks.Any(b => Holds(b, f)))
                    Fault(f.Id, NameOf(f.Id), $"Port {f.Port} lies in a block of source NAT.", "Use another port.");
            }

            foreach (NatBlockLease b in blocks.Where(b => floating.ContainsKey(b.Address)))
                Fault(router.Id, router.Name, $"{b.Address} is a floating IP already.", "Use another address.");
        }

        CheckOverlaps();
    }

    private static bool Holds(in NatBlockLease block, PortForward forward) =>
        block.Address == forward.Address && block.FirstPort <= forward.Port && forward.Port <= block.LastPort;

    private void CheckOverlaps()
    {
        List<(Router Router, NatBlockLease Block)> leases = [.. _parts.Routers.Where(r => r.SourceNat is not null)
            .SelectMany(r => r.SourceNat!.Blocks.Select(b => (Router: r, Block: b)))
            .OrderBy(x => x.Block.Address).ThenBy(x => x.Block.FirstPort)];
        for (int i = 1; i < leases.Count; i++)
        {
            (Router router, NatBlockLease block) = leases[i];
            (Router before, NatBlockLease previous) = leases[i - 1];
            if (block.Address != previous.Address) continue;
            if (router.Id != before.Id)
            {
                Fault(router.Id, router.Name, $"{block.Address} is a source NAT address of {before.Name} already.",
                    "Use another address.");
            }
            else if (block.FirstPort <= previous.LastPort)
            {
                Fault(router.SourceNat!.Id, NameOf(router.SourceNat.Id),
                    $"Blocks do not overlap at port {block.FirstPort}.", "Part them.");
            }
        }
    }
}
