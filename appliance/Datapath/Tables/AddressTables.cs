using System.Collections.Generic;
using System.Linq;
using Genkan.Datapath.Bpf;
using Genkan.Datapath.Layout;
using Genkan.Overlay.Simulation;
using Genkan.Overlay.Topology;
using Genkan.Wire;

namespace Genkan.Datapath.Tables;

/// <summary>Addresses whose ARP requests and neighbour solicitations the programs answer.</summary>
internal sealed class NeighbourTable(BpfMap map, PortTable ports)
{
    private readonly TableSync<NeighbourKey, NeighbourEntry> _table = new(map);

    internal TableSync<NeighbourKey, NeighbourEntry> Table => _table;

    /// <summary>Brings the table in line with the bridges and uplinks of this host.</summary>
    internal void Apply(HostPlan plan, IReadOnlyDictionary<ObjectId, UplinkDevice> uplinks)
    {
        _table.Begin();
        foreach (Bridge bridge in plan.Bridges)
        {
            uint key = ports.SlotOf(bridge.Id);
            if (key == 0) continue;
            foreach (BridgeNeighbour n in plan.Topology.NeighboursOf(bridge.Id))
            {
                Want(key, n.Address, n.Mac, n.IsRouter);
            }
        }

        foreach (PlannedPort planned in plan.Ports)
        {
            if (planned.Uplink is null || !uplinks.TryGetValue(planned.Port.Id, out UplinkDevice device)) continue;
            uint key = ports.Row(ports.SlotOf(planned.Port.Id)).KeyPort | LayoutLimits.NeighbourUplink;
            foreach (IpAddress address in plan.PublicAddresses())
            {
                // Elsewhere the ISP routes the address to us and asks nobody.
                if (!planned.Uplink.Addresses.Any(a => a.Prefix.Contains(address))) continue;
                if (planned.Uplink.Addresses.Any(a => a.Address == address)) continue; // the host's stack answers
                Want(key, address, device.Mac, isRouter: false);
            }
        }

        _table.Commit();
    }

    private void Want(uint bridge, IpAddress address, MacAddress mac, bool isRouter) => _table.Want(
        NeighbourKey.Of(bridge, address),
        new NeighbourEntry { Mac = MacOctets.Of(mac), IsRouter = isRouter ? (byte)1 : (byte)0 });
}

/// <summary>Who owns which ports of NAT addresses: all blocks on a gateway, its own on every other owner.</summary>
internal sealed class NatOwnerTable(BpfMap map, NextHopTable nextHops)
{
    private readonly TableSync<NatOwnerKey, uint> _table = new(map);

    internal TableSync<NatOwnerKey, uint> Table => _table;

    /// <summary>Brings the table in line with the NAT pools.</summary>
    internal void Apply(HostPlan plan)
    {
        _table.Begin();
        bool isGateway = plan.LocalExternals.Length > 0;
        foreach (SourceNat pool in isGateway ? plan.AllPools : plan.Pools)
        {
            foreach (PortForward forward in plan.ForwardsBeside(pool))
            {
                // Granules of blocks and of forwards are never the same: blocks are whole granules.
                ushort granule = (ushort)(forward.Port >> LayoutLimits.NatGranuleShift);
                _table.Want(
                    new NatOwnerKey { Address = NetworkOrder.Of(forward.Address), Granule = granule },
                    LayoutLimits.NatForwarded);
            }

            foreach (NatBlockLease block in pool.Blocks)
            {
                if (!block.Address.IsIpv4 || (!isGateway && block.Host != plan.Local.Id)) continue;
                uint nextHop = nextHops.Of(new Egress(EgressKind.NatReturn, pool.Id, block.Host), []);
                uint address = NetworkOrder.Of(block.Address);
                _table.Want(new NatOwnerKey { Address = address, Granule = LayoutLimits.NatAddressItself }, 0);
                if (nextHop == 0) continue;
                int last = block.LastPort >> LayoutLimits.NatGranuleShift;
                for (int granule = block.FirstPort >> LayoutLimits.NatGranuleShift; granule <= last; granule++)
                {
                    _table.Want(new NatOwnerKey { Address = address, Granule = (ushort)granule }, nextHop);
                }
            }
        }

        _table.Commit();
    }
}

/// <summary>The host's own addresses on its uplinks and what may speak to them: so far ICMP, policed.</summary>
internal sealed class ServiceTable(BpfMap map, BudgetTable budgets)
{
    private readonly TableSync<LocalServiceKey, LocalServiceEntry> _table = new(map);

    internal TableSync<LocalServiceKey, LocalServiceEntry> Table => _table;

    /// <summary>Brings the table in line with the uplinks.</summary>
    internal void Apply(HostPlan plan)
    {
        _table.Begin();
        foreach (PlannedPort planned in plan.Ports)
        {
            if (planned.Uplink is null) continue;
            uint budget = budgets.OfService(planned.Port.Id);
            foreach (IpInterface own in planned.Uplink.Addresses) Own(own.Address, budget);
            MacAddress mac = UplinkDevices.MacOf(planned.Port.Id);
            if (planned.Uplink.Addresses.Any(a => a.Address.IsIpv6)) Own(IpAddress.LinkLocalOf(mac), budget);
        }

        _table.Commit();
    }

    // The marker (protocol 0) makes it the host's own address: what no service takes is dropped there.
    private void Own(IpAddress address, uint budget)
    {
        Want(address, IpProtocol.HopByHopOptions, budget);
        Want(address, address.IsIpv4 ? IpProtocol.Icmp : IpProtocol.Icmpv6, budget);
    }

    private void Want(IpAddress address, IpProtocol protocol, uint budget) => _table.Want(
        new LocalServiceKey
        {
            Address = AddressOctets.Of(address),
            Port = LayoutLimits.AnyPort,
            Proto = protocol,
            IsIpv6 = address.IsIpv4 ? (byte)0 : (byte)1,
        },
        new LocalServiceEntry { Budget = budget });
}

/// <summary>What packets from outside may be sent to: what the provider routers route to a tenant.</summary>
internal sealed class DestinationTable(BpfMap map, BudgetTable budgets)
{
    private readonly TableSync<DestinationKey, DestinationEntry> _table = new(map);

    internal TableSync<DestinationKey, DestinationEntry> Table => _table;

    /// <summary>Brings the table in line with the provider routers of the external networks at this host.</summary>
    internal void Apply(HostPlan plan)
    {
        _table.Begin();
        foreach (ExternalNetwork external in plan.LocalExternals)
        {
            if (!plan.Topology.TryGetRouter(external.ProviderRouter, out Router? provider)) continue;
            foreach (Route route in provider.Routes)
            {
                if (route.Target != RouteTarget.Port || route.Destination.Address.IsLinkLocal) continue;
                uint budget = budgets.OfSource(
                    BudgetOwners.Destination(route.Destination.ToString()), BudgetOwners.Outside);
                _table.Want(DestinationKey.Of(route.Destination), new DestinationEntry { Budget = budget });
            }
        }

        _table.Commit();
    }
}

/// <summary>The hosts whose tunnels are listened to: all but this one.</summary>
internal sealed class VtepTable(BpfMap map, BudgetTable budgets)
{
    private readonly TableSync<VtepKey, VtepEntry> _table = new(map, SameVtep.Instance);

    internal TableSync<VtepKey, VtepEntry> Table => _table;

    /// <summary>Brings the table in line with the hosts.</summary>
    internal void Apply(HostPlan plan)
    {
        _table.Begin();
        foreach (Host host in plan.Remote)
        {
            uint budget = budgets.OfSource(host.Id, BudgetOwners.Hosts);
            _table.Want(VtepKey.Of(host.UnderlayAddress), new VtepEntry { Host = host.Id.Zone, Budget = budget });
        }

        _table.Commit();
    }

    /// <summary>Packets and octets are the program's to write.</summary>
    private sealed class SameVtep : IEqualityComparer<VtepEntry>
    {
        internal static SameVtep Instance { get; } = new();

        public bool Equals(VtepEntry x, VtepEntry y) => x.Host == y.Host && x.Budget == y.Budget;

        public int GetHashCode(VtepEntry obj) => (int)obj.Host;
    }
}
