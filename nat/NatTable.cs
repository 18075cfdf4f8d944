using System;
using System.Collections.Generic;
using System.Collections.Immutable;
using System.Diagnostics;
using System.Threading;
using Genkan.Wire;

namespace Genkan.Nat;

/// <summary>
/// Source NAT with ports from blocks (RFC 4787, 5382, 5508, 6888): endpoint-independent mapping, paired pooling,
/// random ports, no overloading, a quota for each source. One for each agent, for all of its threads: each call takes
/// one short lock. After construction only <see cref="SetBlocks"/> allocates.
/// </summary>
/// <remarks>
/// Filtering is not done here: return packets pass by the connection table, which is address-and-port-dependent
/// (RFC 4787 §5, REQ-8). A mapping lives while a connection holds it (<see cref="Retain"/>, <see cref="Release"/>),
/// then for a hold-down time; one that never got a connection, for its protocol's idle time since the last
/// <see cref="Touch"/>.
/// </remarks>
public sealed class NatTable
{
    private const int HoldDownQueue = AddressPool.SpaceCount; // queues 0.. are the number spaces

    private readonly Lock _lock = new();
    private readonly Dictionary<ulong, ZonePool> _zones = [];
    private readonly NatLimits _limits;
    private readonly NatTimeouts _timeouts;
    private readonly BindingStore _store;
    private readonly SourceTable _sources;
    private readonly HolderCounts _holders = new();
    private ulong _random;

    /// <summary>Makes an empty table and takes all of its memory.</summary>
    /// <param name="limits">How large it may grow.</param>
    /// <param name="timeouts">How long mappings without a connection live.</param>
    /// <param name="seed">
    /// Where ports and hashes get their chance from; secret and new with each start of an agent.
    /// </param>
    public NatTable(NatLimits limits, NatTimeouts timeouts, ulong seed)
    {
        ArgumentNullException.ThrowIfNull(limits);
        ArgumentNullException.ThrowIfNull(timeouts);
        ArgumentOutOfRangeException.ThrowIfLessThan(limits.BindingsMax, 1, nameof(limits));
        (_limits, _timeouts, _random) = (limits, timeouts, seed);
        _store = new BindingStore(limits.BindingsMax, HoldDownQueue + 1, NatHash.Next(ref _random));
        _sources = new SourceTable(limits.BindingsMax, NatHash.Next(ref _random));
    }

    /// <summary>Mappings in the table.</summary>
    public int Count => _store.Count;

    /// <summary>Replaces the blocks that this host owns in a zone. The only call that allocates.</summary>
    /// <param name="zone">Id of the router.</param>
    /// <param name="blocks">
    /// All of its blocks, at most <see cref="NatLimits.BlocksPerZoneMax"/>; overlaps count once.
    /// </param>
    /// <returns>
    /// Mappings outside of the new blocks. They are gone from the table: their connections must be stopped before
    /// the old blocks can serve another host.
    /// </returns>
    /// <exception cref="ArgumentOutOfRangeException">
    /// More blocks than the limit, which validation refuses before.
    /// </exception>
    public ImmutableArray<NatBinding> SetBlocks(ulong zone, ReadOnlySpan<NatBlock> blocks)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(blocks.Length, NatLimits.BlocksPerZoneMax, nameof(blocks));
        using Lock.Scope scope = _lock.EnterScope();
        bool known = _zones.Remove(zone);
        ZonePool pool = new(blocks, _limits.WithheldUdpPort);
        if (!blocks.IsEmpty) _zones.Add(zone, pool);
        if (!known) return [];

        ImmutableArray<NatBinding>.Builder revoked = ImmutableArray.CreateBuilder<NatBinding>();
        for (int i = 0; i < _store.IndexEnd; i++)
        {
            ref readonly BindingStore.Entry entry = ref _store.At(i);
            if (!entry.IsUsed || entry.Binding.Zone != zone) continue;
            NatBinding b = entry.Binding;
            AddressPool? address = pool.Find(b.PublicAddress);
            if (address is not null && address.TryTake(AddressPool.SpaceOf(b.Protocol), b.PublicPort)) continue;
            revoked.Add(b);
            Forget(i);
        }

        return revoked.ToImmutable();
    }

    /// <summary>
    /// Finds the mapping of the packet's internal endpoint, or makes one (RFC 4787 §4.1, REQ-1). The new one has no
    /// connection yet and lives for its protocol's idle time.
    /// </summary>
    /// <param name="request">The packet before translation.</param>
    /// <param name="now">Time since start; of several threads some may be late by the time of a packet.</param>
    /// <param name="binding">The mapping, else <c>default</c>.</param>
    /// <param name="refusal">Why there is none, else <see cref="NatRefusal.None"/>.</param>
    public bool TryBind(in NatRequest request, TimeSpan now, out NatBinding binding, out NatRefusal refusal)
    {
        using Lock.Scope scope = _lock.EnterScope();
        (binding, refusal) = (default, NatRefusal.None);
        int index = _store.FindInternal(request.Zone, request.Protocol, request.Source, request.SourcePort);
        if (index >= 0)
        {
            binding = _store.At(index).Binding;
            MarkUsed(index, now);
            return true;
        }

        int space = AddressPool.SpaceOf(request.Protocol);
        if (space < 0) return Refuse(NatRefusal.ProtocolUnsupported, out refusal);
        if (!_zones.TryGetValue(request.Zone, out ZonePool? zone))
            return Refuse(NatRefusal.PortsExhausted, out refusal);
        if (_store.IsFull) return Refuse(NatRefusal.TableFull, out refusal);

        int source = _sources.Find(request.Zone, request.Source);
        if (source >= 0 && _sources.BindingCount(source) >= _limits.BindingsPerSourceMax)
            return Refuse(NatRefusal.QuotaReached, out refusal);

        AddressPool? address = source >= 0
            ? zone.Find(_sources.PublicAddress(source)) // RFC 4787 §4.1, REQ-2: paired, even when it is full
            : zone.Choose(_sources.Hash(request.Zone, request.Source), space);
        if (address is null || address.FreeCount(space) == 0)
            return Refuse(NatRefusal.PortsExhausted, out refusal);
        if (IsReserved(request.Owner, address.FreeCount(space), address.PortCount)
            || IsReserved(request.Zone, _limits.BindingsMax - _store.Count, _limits.BindingsMax))
        {
            return Refuse(NatRefusal.QuotaReached, out refusal);
        }

        address.TryTake(space, ref _random, out ushort port);

        binding = new NatBinding(
            request.Zone, request.Protocol, request.Source, request.SourcePort, address.Address, port);
        Add(binding, request.Owner, now);
        return true;
    }

    /// <summary>Finds the mapping of an internal endpoint and makes none, for a packet that is only traced.</summary>
    /// <param name="request">The packet before translation.</param>
    /// <param name="binding">The mapping, else <c>default</c>.</param>
    public bool TryFind(in NatRequest request, out NatBinding binding)
    {
        using Lock.Scope scope = _lock.EnterScope();
        int index = _store.FindInternal(request.Zone, request.Protocol, request.Source, request.SourcePort);
        binding = index >= 0 ? _store.At(index).Binding : default;
        return index >= 0;
    }

    /// <summary>Finds the mapping that a packet from outside is for.</summary>
    /// <param name="zone">Id of the router that the NAT owner map names for the address and port.</param>
    /// <param name="protocol">Its protocol.</param>
    /// <param name="publicAddress">Its destination address.</param>
    /// <param name="publicPort">Its destination port, or the Identifier of the ICMP reply (RFC 5508 §3.1).</param>
    /// <param name="binding">The mapping, else <c>default</c>.</param>
    public bool TryFindReturn(
        ulong zone, IpProtocol protocol, IpAddress publicAddress, ushort publicPort, out NatBinding binding)
    {
        using Lock.Scope scope = _lock.EnterScope();
        int index = _store.FindPublic(zone, protocol, publicAddress, publicPort);
        binding = index >= 0 ? _store.At(index).Binding : default;
        return index >= 0;
    }

    /// <summary>
    /// Takes over a mapping that the kernel's tables still use, after a restart. It has no connection yet; each one
    /// found there is then counted by <see cref="Retain"/>. The quota does not count here: what runs goes on
    /// running.
    /// </summary>
    /// <param name="binding">As found; restoring the same mapping again changes nothing.</param>
    /// <param name="now">Time since start.</param>
    /// <param name="refusal">
    /// <see cref="NatRefusal.TableFull"/>, <see cref="NatRefusal.NotOwned"/>, <see cref="NatRefusal.Conflict"/> or
    /// <see cref="NatRefusal.ProtocolUnsupported"/>; such a connection must be stopped.
    /// </param>
    public bool TryRestore(in NatBinding binding, TimeSpan now, out NatRefusal refusal)
    {
        using Lock.Scope scope = _lock.EnterScope();
        refusal = NatRefusal.None;
        if (TryFindExact(binding, out _)) return true;

        int space = AddressPool.SpaceOf(binding.Protocol);
        if (space < 0) return Refuse(NatRefusal.ProtocolUnsupported, out refusal);
        if (_store.IsFull) return Refuse(NatRefusal.TableFull, out refusal);
        if (!_zones.TryGetValue(binding.Zone, out ZonePool? zone)
            || zone.Find(binding.PublicAddress) is not { } address || !address.Contains(binding.PublicPort))
        {
            return Refuse(NatRefusal.NotOwned, out refusal);
        }


        int source = _sources.Find(binding.Zone, binding.Source);
        if (_store.FindInternal(binding.Zone, binding.Protocol, binding.Source, binding.SourcePort) >= 0
            || (source >= 0 && _sources.PublicAddress(source) != binding.PublicAddress)
            || !address.TryTake(space, binding.PublicPort))
        {
            return Refuse(NatRefusal.Conflict, out refusal);
        }

        Add(binding, owner: 0, now);
        return true;
    }

    /// <summary>Counts a connection that uses the mapping; it then does not expire.</summary>
    /// <param name="binding">As <see cref="TryBind"/> gave it.</param>
    /// <returns>False if the mapping expired or was revoked since: do not install the connection.</returns>
    public bool Retain(in NatBinding binding)
    {
        using Lock.Scope scope = _lock.EnterScope();
        if (!TryFindExact(binding, out int index)) return false;
        _store.At(index).ReferenceCount++;
        _store.Unqueue(index);
        return true;
    }

    /// <summary>
    /// Ends a connection of the mapping. After the last one its port is held for <see
    /// cref="NatTimeouts.HoldDown"/>, in which the same endpoint may take it up again (RFC 6888 §3, REQ-8).
    /// </summary>
    /// <param name="binding">As retained.</param>
    /// <param name="now">Time since start.</param>
    /// <returns>False if the mapping was revoked, or no connection of it is counted: nothing is changed then.</returns>
    public bool Release(in NatBinding binding, TimeSpan now)
    {
        using Lock.Scope scope = _lock.EnterScope();
        if (!TryFindExact(binding, out int index)) return false;
        ref BindingStore.Entry entry = ref _store.At(index);
        if (entry.ReferenceCount == 0) return false;
        if (--entry.ReferenceCount == 0) _store.Enqueue(index, HoldDownQueue, now + _timeouts.HoldDown);
        return true;
    }

    /// <summary>Says that a packet used the mapping, which has no connection; with one it does not matter.</summary>
    /// <param name="binding">As <see cref="TryBind"/> gave it.</param>
    /// <param name="now">Time since start.</param>
    /// <returns>False if the mapping is gone.</returns>
    public bool Touch(in NatBinding binding, TimeSpan now)
    {
        using Lock.Scope scope = _lock.EnterScope();
        if (!TryFindExact(binding, out int index)) return false;
        MarkUsed(index, now);
        return true;
    }

    /// <summary>Removes mappings whose time is over.</summary>
    /// <param name="now">Time since start.</param>
    /// <param name="budget">Mappings to remove at most in this call.</param>
    /// <returns>How many were removed; <paramref name="budget"/> means that there may be more.</returns>
    public int Expire(TimeSpan now, int budget)
    {
        using Lock.Scope scope = _lock.EnterScope();
        int removed = 0;
        for (int queue = 0; queue <= HoldDownQueue; queue++)
        {
            for (int i = _store.First(queue); i >= 0 && removed < budget; i = _store.First(queue))
            {
                if (_store.At(i).Deadline > now) break;
                Remove(i);
                removed++;
            }
        }

        return removed;
    }

    // A port with many addresses, or a zone with many ports, has many quotas: what is left is for who holds less.
    private bool IsReserved(ulong holder, int free, int all) =>
        free < all / NatLimits.ReservedShare && _holders.Of(holder) >= free;

    private void Add(in NatBinding binding, ulong owner, TimeSpan now)
    {
        MarkUsed(_store.Add(binding, owner), now);
        _sources.Add(binding.Zone, binding.Source, binding.PublicAddress);
        _holders.Add(owner);
        _holders.Add(binding.Zone);
    }

    private void Remove(int index)
    {
        NatBinding b = _store.At(index).Binding;
        Forget(index);
        AddressPool? address = _zones[b.Zone].Find(b.PublicAddress);
        Debug.Assert(address is not null, "SetBlocks removed what lies outside of its blocks");
        address.Free(AddressPool.SpaceOf(b.Protocol), b.PublicPort);
    }

    private void Forget(int index)
    {
        ref readonly BindingStore.Entry entry = ref _store.At(index);
        NatBinding b = entry.Binding;
        _holders.Remove(entry.Owner);
        _holders.Remove(b.Zone);
        _store.Remove(index);
        _sources.Remove(b.Zone, b.Source);
    }

    private void MarkUsed(int index, TimeSpan now)
    {
        ref readonly BindingStore.Entry entry = ref _store.At(index);
        if (entry.ReferenceCount > 0) return;
        IpProtocol protocol = entry.Binding.Protocol;
        _store.Enqueue(index, AddressPool.SpaceOf(protocol), now + _timeouts.Idle(protocol, established: false));
    }

    private bool TryFindExact(in NatBinding binding, out int index)
    {
        index = _store.FindInternal(binding.Zone, binding.Protocol, binding.Source, binding.SourcePort);
        return index >= 0 && _store.At(index).Binding == binding;
    }

    private static bool Refuse(NatRefusal reason, out NatRefusal refusal)
    {
        refusal = reason;
        return false;
    }
}
