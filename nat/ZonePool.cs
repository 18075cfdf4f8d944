using System;
using System.Collections.Generic;
using System.Runtime.InteropServices;
using Genkan.Wire;

namespace Genkan.Nat;

/// <summary>
/// The external addresses of one zone on this host. Made when the blocks are set, never for a packet.
/// </summary>
internal sealed class ZonePool
{
    private readonly AddressPool[] _addresses;

    internal ZonePool(ReadOnlySpan<NatBlock> blocks, ushort withheldUdpPort)
    {
        Dictionary<IpAddress, List<(ushort First, ushort Last)>> ports = [];
        List<IpAddress> order = [];
        foreach (NatBlock block in blocks)
        {
            ref List<(ushort First, ushort Last)>? list =
                ref CollectionsMarshal.GetValueRefOrAddDefault(ports, block.Address, out bool known);
            if (!known) order.Add(block.Address);
            (list ??= []).Add((block.FirstPort, block.LastPort));
        }

        _addresses = new AddressPool[order.Count];
        for (int i = 0; i < order.Count; i++)
            _addresses[i] = new AddressPool(order[i], ports[order[i]], withheldUdpPort);
    }

    internal AddressPool? Find(IpAddress address)
    {
        foreach (AddressPool pool in _addresses)
        {
            if (pool.Address == address) return pool;
        }

        return null;
    }

    /// <summary>
    /// The address for a source that has none yet: the one its hash names, or the next with a free port, so that
    /// sources spread evenly and a full address turns no newcomer away.
    /// </summary>
    internal AddressPool? Choose(uint hash, int space)
    {
        for (int i = 0; i < _addresses.Length; i++)
        {
            AddressPool pool = _addresses[(int)((hash + (uint)i) % (uint)_addresses.Length)];
            if (pool.FreeCount(space) > 0) return pool;
        }

        return null;
    }
}
