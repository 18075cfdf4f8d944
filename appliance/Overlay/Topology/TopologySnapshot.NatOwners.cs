using System.Collections.Frozen;
using System.Collections.Generic;
using System.Diagnostics.CodeAnalysis;
using System.Linq;
using Genkan.Wire;

namespace Genkan.Overlay.Topology;

/// <summary>Who answers for a port of a public address.</summary>
/// <param name="Pool">The <see cref="SourceNat"/>.</param>
/// <param name="Router">Its router.</param>
/// <param name="Host">Owner of the block that holds the port.</param>
public readonly record struct NatOwner(ObjectId Pool, ObjectId Router, ObjectId Host);

/// <summary>Look-ups that the flow side needs: owners of ports, zones, ways out of this host.</summary>
public sealed partial class TopologySnapshot
{
    private FrozenDictionary<IpAddress, Router>? _natAddresses;
    private FrozenDictionary<uint, ObjectId>? _zones;

    /// <summary>The owner of a port of a source NAT address.</summary>
    /// <param name="address">Any address.</param>
    /// <param name="port">Port, or identifier of an ICMP query.</param>
    /// <param name="owner">The owner.</param>
    /// <returns>False if it is no source NAT address, or no host owns the port.</returns>
    public bool TryGetNatOwner(IpAddress address, ushort port, out NatOwner owner)
    {
        owner = default;
        _natAddresses ??= NatAddressesOf(Parts.Routers);
        if (!_natAddresses.TryGetValue(address, out Router? router)) return false;
        foreach (NatBlockLease lease in router.SourceNat!.Blocks)
        {
            if (lease.Address != address || port < lease.FirstPort || port > lease.LastPort) continue;
            owner = new NatOwner(router.SourceNat.Id, router.Id, lease.Host);
            return true;
        }

        return false;
    }

    /// <summary>Whether hosts share an address by source NAT.</summary>
    /// <param name="address">Any address.</param>
    public bool IsNatAddress(IpAddress address) =>
        (_natAddresses ??= NatAddressesOf(Parts.Routers)).ContainsKey(address);

    /// <summary>The name of an object or aspect, if the snapshot has it.</summary>
    public bool TryGetName(ObjectId id, [NotNullWhen(true)] out string? name) => _names.TryGetValue(id, out name);

    /// <summary>The router whose zone an entry of the connection table names.</summary>
    public bool TryGetZone(uint zone, out ObjectId router)
    {
        _zones ??= Parts.Routers.GroupBy(r => r.Id.Zone).ToFrozenDictionary(g => g.Key, g => g.First().Id);
        return _zones.TryGetValue(zone, out router);
    }

    /// <summary>This host's uplink into an external network: where replies from the outside enter.</summary>
    public bool TryGetLocalUplink(ObjectId externalNetwork, out ObjectId uplink)
    {
        uplink = ObjectId.None;
        if (!TryGetExternalNetwork(externalNetwork, out ExternalNetwork? network)) return false;
        foreach (Uplink candidate in network.Uplinks)
        {
            if (candidate.Host != LocalHost.Id) continue;
            uplink = candidate.Id;
            return true;
        }

        return false;
    }

    /// <summary>The external network of an uplink of this host.</summary>
    public bool TryGetLocalUplinkNetwork(ObjectId uplink, out ObjectId externalNetwork)
    {
        externalNetwork = ObjectId.None;
        foreach (ExternalNetwork network in Parts.ExternalNetworks)
        {
            foreach (Uplink candidate in network.Uplinks)
            {
                if (candidate.Id != uplink || candidate.Host != LocalHost.Id) continue;
                externalNetwork = network.Id;
                return true;
            }
        }

        return false;
    }

    /// <summary>The first address of a port of a family that is not link-local; the unspecified one if it has
    /// none.</summary>
    public IpAddress AddressOf(ObjectId port, bool isIpv4)
    {
        if (TryGetPort(port, out VirtualPort? found))
        {
            foreach (IpInterface address in found.Addresses)
            {
                if (address.Address.IsIpv4 == isIpv4 && !address.Address.IsLinkLocal) return address.Address;
            }
        }

        return isIpv4 ? IpAddress.Unspecified4 : IpAddress.Unspecified6;
    }

    private static FrozenDictionary<IpAddress, Router> NatAddressesOf(IEnumerable<Router> routers)
    {
        Dictionary<IpAddress, Router> owners = [];
        foreach (Router router in routers)
        {
            if (router.SourceNat is null) continue;
            foreach (NatBlockLease lease in router.SourceNat.Blocks) owners.TryAdd(lease.Address, router);
        }

        return owners.ToFrozenDictionary();
    }
}
