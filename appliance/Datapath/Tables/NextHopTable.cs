using System;
using System.Collections.Concurrent;
using System.Collections.Generic;
using System.Linq;
using System.Threading;
using Genkan.Datapath.Bpf;
using Genkan.Datapath.Layout;
using Genkan.Overlay.Flows;
using Genkan.Overlay.Simulation;
using Genkan.Overlay.Topology;
using Genkan.Wire;

namespace Genkan.Datapath.Tables;

/// <summary>
/// Next hops and replication lists. A way out keeps its index for as long as it exists; where it leads may change,
/// which is one write whatever the number of flows. A new agent recognises next hops by their content. Workers find
/// next hops in parallel without a lock, and make new ones under one; following a plan, and searching for next hops
/// that no flow uses, is for the thread that has all workers stand still.
/// </summary>
internal sealed class NextHopTable : IDisposable
{
    private readonly MmapArray<NexthopEntry> _nexthops;
    private readonly MmapArray<ReplicationEntry> _lists;
    private readonly PortTable _ports;
    private readonly Lock _making = new();
    private readonly ConcurrentDictionary<Egress, uint> _byEgress = new();
    private readonly Dictionary<ulong, uint> _byList = [];
    private readonly ConcurrentDictionary<uint, Egress> _egresses = new();
    private readonly Dictionary<NexthopEntry, uint> _adopted = new(OctetComparer<NexthopEntry>.Instance);
    private readonly SortedSet<uint> _freeHops = [];
    private readonly SortedSet<uint> _freeLists = [];
    private readonly HashSet<uint> _retired = [];
    private readonly ConcurrentDictionary<IpAddress, uint> _peerMtus = new();
    private HostPlan? _plan;
    private ulong _reclaimedAtNs;

    internal NextHopTable(BpfMap nexthop, BpfMap replication, PortTable ports)
    {
        _nexthops = new MmapArray<NexthopEntry>(nexthop);
        _lists = new MmapArray<ReplicationEntry>(replication);
        _ports = ports;
        for (uint i = 1; i < _nexthops.Count; i++) _freeHops.Add(i);
        for (uint i = 0; i < _lists.Count; i++) _freeLists.Add(i);
        Adopt();
    }

    /// <summary>Finds which next hops flows use; set by the owner, called when the table is full.</summary>
    internal Action<HashSet<uint>>? CollectUsed { get; set; }

    /// <summary>Whether a table was found full: the next <see cref="Reclaim"/> may help.</summary>
    internal bool IsReclaimWanted { get; private set; }

    /// <summary>Longest IP packet of a tenant that the tunnel device takes, 0 unknown.</summary>
    internal uint TunnelMtu { get; set; }

    /// <summary>Notes what the path to another host carries: one write for each of its next hops.</summary>
    /// <param name="peer">Its underlay address.</param>
    /// <param name="mtu">Octets of the longest IP packet of a tenant.</param>
    internal void SetPeerMtu(IpAddress peer, uint mtu)
    {
        _peerMtus[peer] = mtu; // first: a next hop made meanwhile has it
        AddressOctets octets = AddressOctets.Of(peer);
        foreach (uint index in _byEgress.Values)
        {
            ref NexthopEntry row = ref _nexthops[(int)index];
            if (row.Kind == NexthopKind.Tunnel && ((ReadOnlySpan<byte>)row.Peer).SequenceEqual(octets))
                row.Mtu = MtuTo(peer);
        }
    }

    /// <summary>Octets of the longest packet of a tenant that all paths to other hosts are known to carry; the most
    /// there is if nothing is known.</summary>
    internal uint NarrowestTunnelMtu()
    {
        uint least = TunnelMtu == 0 ? uint.MaxValue : TunnelMtu;
        foreach (uint mtu in _peerMtus.Values) least = Math.Min(least, mtu);
        return least;
    }

    private uint MtuTo(IpAddress peer) =>
        _peerMtus.TryGetValue(peer, out uint mtu) && (TunnelMtu == 0 || mtu < TunnelMtu) ? mtu : TunnelMtu;

    /// <summary>Next hops in use.</summary>
    internal int Count => _byEgress.Count + _byList.Count;

    /// <summary>Limit.</summary>
    internal int Max => _nexthops.Count - 1;

    /// <summary>Replication lists in use.</summary>
    internal int ListCount => _lists.Count - _freeLists.Count;

    /// <summary>Limit of replication lists.</summary>
    internal int ListMax => _lists.Count;

    /// <summary>See <see cref="IDatapath.NextHop"/>.</summary>
    internal uint Of(in Egress egress, ReadOnlySpan<Egress> targets)
    {
        if (egress.Kind != EgressKind.Replicate && _byEgress.TryGetValue(egress, out uint index)) return index;
        lock (_making) return egress.Kind == EgressKind.Replicate ? OfList(targets) : Make(egress);
    }

    private uint Make(in Egress egress)
    {
        if (_byEgress.TryGetValue(egress, out uint index)) return index;
        if (_plan is null || !TryResolve(egress, out NexthopEntry entry)) return 0;
        if (!_adopted.Remove(entry with { Mtu = 0 }, out index))
        {
            index = Allocate(_freeHops);
            if (index == 0) return 0;
        }

        Write(index, entry);
        _egresses[index] = egress;
        _byEgress[egress] = index;
        return index;
    }

    /// <summary>See <see cref="IDatapath.TryGetNextHop"/>.</summary>
    internal bool TryGet(uint index, out Egress egress) => _egresses.TryGetValue(index, out egress);

    /// <summary>Follows a new plan: ways out that lead elsewhere now are pointed there, those that lead nowhere
    /// drop.</summary>
    internal void Apply(HostPlan plan)
    {
        _plan = plan;
        foreach ((Egress egress, uint index) in _byEgress)
        {
            if (TryResolve(egress, out NexthopEntry entry))
            {
                Write(index, entry);
                continue;
            }

            Write(index, new NexthopEntry { DropReason = ReasonOf(egress.Kind) });
            _byEgress.TryRemove(egress, out _); // allowed while enumerating
            _egresses.TryRemove(index, out _);
            _retired.Add(index);
        }
    }

    /// <summary>Claims every next hop of a former agent that some way out of the plan has, and closes the
    /// others.</summary>
    /// <returns>Next hops whose flows must go.</returns>
    internal HashSet<uint> FinishAdoption()
    {
        if (_adopted.Count > 0)
        {
            foreach (Egress egress in PossibleEgresses(_plan!)) Of(egress, []);
        }

        HashSet<uint> dead = [.. _adopted.Values];
        foreach ((ulong hash, uint index) in _byList)
        {
            if (!TargetsOf(index).Any(dead.Contains)) continue;
            _byList.Remove(hash); // allowed while enumerating
            dead.Add(index);
        }

        foreach (uint index in dead)
        {
            FreeListOf(index);
            Write(index, new NexthopEntry { DropReason = DropReason.InterfaceGone });
            _freeHops.Add(index);
        }

        _adopted.Clear();
        return dead;
    }

    /// <summary>The kernel's row of a next hop.</summary>
    internal NexthopEntry Row(uint index) => _nexthops[(int)index];

    /// <inheritdoc/>
    public void Dispose()
    {
        _nexthops.Dispose();
        _lists.Dispose();
    }

    private static DropReason ReasonOf(EgressKind kind) => kind switch
    {
        EgressKind.FibExit => DropReason.NoGateway,
        EgressKind.NatReturn => DropReason.NatNoOwner,
        _ => DropReason.PortDown,
    };

    private static IEnumerable<Egress> PossibleEgresses(HostPlan plan)
    {
        TopologyParts parts = plan.Topology.Parts;
        foreach (VirtualPort port in parts.Ports) yield return new Egress(EgressKind.Port, port.Id);
        foreach (Host host in parts.Hosts)
        {
            foreach (ExternalNetwork e in parts.ExternalNetworks)
            {
                yield return new Egress(EgressKind.FibExit, e.Id, host.Id);
            }

            foreach (SourceNat n in plan.AllPools) yield return new Egress(EgressKind.NatReturn, n.Id, host.Id);
            foreach (Bridge b in parts.Bridges) yield return new Egress(EgressKind.Flood, b.Id, host.Id);
        }
    }

    private static ulong HashOf(ReadOnlySpan<uint> targets)
    {
        ulong h = LayoutLimits.DigestFactor ^ (ulong)targets.Length;
        foreach (uint target in targets)
        {
            h = (h ^ target) * LayoutLimits.DigestFactor;
            h ^= h >> 32;
        }

        return h;
    }

    private void Adopt()
    {
        for (uint i = 1; i < _nexthops.Count; i++)
        {
            NexthopEntry entry = _nexthops[(int)i];
            if (entry.Kind == NexthopKind.None) continue;
            if (entry.Mtu != 0) _peerMtus[entry.Peer.ToAddress(entry.PeerIsIpv6 == 0)] = entry.Mtu;
            if (entry.Kind == NexthopKind.Replicate)
            {
                if (entry.Arg >= _lists.Count) continue;
                ulong hash = HashOf(TargetsOf(i));
                while (!_byList.TryAdd(hash, i)) hash++;
                _freeLists.Remove(entry.Arg);
            }
            // paths, and when the device was last used, change without the way out being another
            else if (!_adopted.TryAdd(entry with { Mtu = 0, DeviceTick = 0 }, i))
            {
                continue; // a twin: nobody can tell them apart, so flows of this one go
            }

            _freeHops.Remove(i);
        }
    }

    private uint[] TargetsOf(uint index)
    {
        ref ReplicationEntry list = ref _lists[(int)_nexthops[(int)index].Arg];
        int count = (int)Math.Min(list.Count, LayoutLimits.ReplicationTargetsMax);
        return ((ReadOnlySpan<uint>)list.Nexthop)[..count].ToArray();
    }

    private bool TryResolve(in Egress egress, out NexthopEntry entry)
    {
        entry = default;
        HostPlan plan = _plan!;
        ObjectId here = plan.Local.Id;
        switch (egress.Kind)
        {
            case EgressKind.Port:
                return TryResolvePort(egress.Object, out entry);

            case EgressKind.FibExit:
                if (!plan.Topology.TryGetExternalNetwork(egress.Object, out ExternalNetwork? external)) return false;
                ObjectId gateway = egress.Host;
                Uplink? uplink = external.Uplinks.FirstOrDefault(u => u.Host == gateway);
                if (uplink is null) return false;
                if (gateway != here)
                {
                    return TryTunnel(gateway, DeliveryKind.FibExit, external.Id, ObjectId.None, out entry);
                }

                entry.Kind = NexthopKind.FibExit;
                entry.Arg = uplink.FibTable;
                entry.Port = _ports.SlotOf(uplink.Id);
                return entry.Port != 0;

            case EgressKind.NatReturn:
                if (!plan.HasPool(egress.Object)) return false;
                if (egress.Host != here)
                {
                    return TryTunnel(egress.Host, DeliveryKind.NatReturn, egress.Object, ObjectId.None, out entry);
                }

                entry.Kind = NexthopKind.Deliver;
                entry.Arg = _ports.SlotOf(egress.Object);
                return entry.Arg != 0;

            case EgressKind.Flood:
                return egress.Host != here
                    && plan.Topology.TryGetBridge(egress.Object, out _)
                    && TryTunnel(egress.Host, DeliveryKind.Flood, egress.Object, ObjectId.None, out entry);

            default:
                return false;
        }
    }

    private bool TryResolvePort(ObjectId id, out NexthopEntry entry)
    {
        entry = default;
        if (!_plan!.Topology.TryGetPort(id, out VirtualPort? port) || port.Binding is null) return false;
        if (port.Binding.Host != _plan.Local.Id)
        {
            return TryTunnel(port.Binding.Host, DeliveryKind.Port, id, HostPlan.BindingOf(port), out entry);
        }

        entry.Kind = NexthopKind.Port;
        entry.Arg = _ports.SlotOf(id);
        return entry.Arg != 0;
    }

    private bool TryTunnel(
        ObjectId hostId, DeliveryKind kind, ObjectId target, ObjectId binding, out NexthopEntry entry)
    {
        entry = default;
        if (!_plan!.Topology.TryGetHost(hostId, out Host? host)) return false;
        entry = new NexthopEntry
        {
            Kind = NexthopKind.Tunnel,
            PeerIsIpv6 = host.UnderlayAddress.IsIpv4 ? (byte)0 : (byte)1,
            TunnelKey = DeliveryKey.Of(kind, target, hostId, binding).Value,
            Peer = AddressOctets.Of(host.UnderlayAddress),
            Mtu = MtuTo(host.UnderlayAddress),
        };
        return true;
    }

    private uint OfList(ReadOnlySpan<Egress> targets)
    {
        if (targets.Length is 0 or > LayoutLimits.ReplicationTargetsMax) return 0;
        Span<uint> indexes = stackalloc uint[LayoutLimits.ReplicationTargetsMax];
        int count = 0;
        foreach (ref readonly Egress target in targets)
        {
            uint index = target.Kind == EgressKind.Replicate ? 0 : Make(target);
            if (index != 0) indexes[count++] = index;
        }

        indexes = indexes[..count];
        if (count == 0) return 0;
        ulong hash = HashOf(indexes);
        for (; _byList.TryGetValue(hash, out uint present); hash++)
        {
            if (HasTargets(present, indexes)) return present; // else another list with the same hash
        }

        if (_freeLists.Count == 0)
        {
            IsReclaimWanted = true;
            return 0;
        }

        uint hop = Allocate(_freeHops);
        if (hop == 0) return 0;
        uint list = _freeLists.Min;
        _freeLists.Remove(list);
        ref ReplicationEntry row = ref _lists[(int)list];
        row = default;
        indexes.CopyTo(row.Nexthop);
        row.Count = (uint)count;
        Write(hop, new NexthopEntry { Kind = NexthopKind.Replicate, Arg = list });
        _byList[hash] = hop;
        return hop;
    }

    private bool HasTargets(uint index, ReadOnlySpan<uint> targets)
    {
        ref ReplicationEntry list = ref _lists[(int)_nexthops[(int)index].Arg];
        return list.Count == targets.Length
            && ((ReadOnlySpan<uint>)list.Nexthop)[..targets.Length].SequenceEqual(targets);
    }

    private uint Allocate(SortedSet<uint> free)
    {
        if (free.Count == 0)
        {
            IsReclaimWanted = true;
            return 0;
        }

        uint index = free.Min;
        free.Remove(index);
        return index;
    }

    /// <summary>Takes back what no flow and no list refers to: flows have next hops by index, so these are marked and
    /// swept. At most once in a while, because a full table stays full if all of it is in use.</summary>
    internal void Reclaim()
    {
        ulong now = MonotonicClock.NowNs;
        if (CollectUsed is null || now - _reclaimedAtNs < DatapathLimits.ReclaimIntervalSeconds * 1_000_000_000UL)
        {
            return;
        }

        IsReclaimWanted = false;
        _reclaimedAtNs = now;
        HashSet<uint> used = [];
        CollectUsed(used);
        foreach ((ulong hash, uint index) in _byList)
        {
            if (used.Contains(index)) continue;
            _byList.Remove(hash); // allowed while enumerating
            FreeListOf(index);
            Write(index, default);
            _freeHops.Add(index);
        }

        foreach (uint index in _byList.Values) used.UnionWith(TargetsOf(index));
        foreach (uint index in _retired)
        {
            if (used.Contains(index)) continue;
            _retired.Remove(index); // allowed while enumerating
            _freeHops.Add(index);
        }
    }

    private void FreeListOf(uint index)
    {
        if (_nexthops[(int)index].Kind == NexthopKind.Replicate) _freeLists.Add(_nexthops[(int)index].Arg);
    }

    // The kind goes first and comes last, so that no program sees half of the old way and half of the new.
    private void Write(uint index, in NexthopEntry wanted)
    {
        ref NexthopEntry row = ref _nexthops[(int)index];
        if (OctetComparer<NexthopEntry>.Instance.Equals(row with { Mtu = wanted.Mtu, DeviceTick = 0 }, wanted))
        {
            row.Mtu = wanted.Mtu;
            return;
        }

        NexthopEntry next = wanted;
        next.Kind = NexthopKind.None;
        if (next.DropReason == DropReason.None) next.DropReason = DropReason.InterfaceGone;
        row.DropReason = DropReason.InterfaceGone;
        row.Kind = NexthopKind.None;
        Thread.MemoryBarrier();
        row = next;
        Thread.MemoryBarrier();
        row.DropReason = wanted.DropReason;
        row.Kind = wanted.Kind;
    }
}
