using System;
using System.Buffers.Binary;
using System.Collections.Generic;
using System.Linq;
using Genkan.Overlay.Flows;

namespace Genkan.Testing.Reference;

/// <summary>An entry of a connection or class table (<c>struct conn</c>), without its clocks.</summary>
internal sealed class Entry(Action action, TagFault tag = TagFault.None)
{
    public Action Action { get; } = action;

    public TagFault Tag { get; } = tag;

    public ulong Packets { get; set; }

    public ulong Octets { get; set; }

    public byte TcpSeen { get; set; }

    /// <summary>Whether a packet has come since the entry was made.</summary>
    public bool IsSeen { get; set; }

    public override string ToString() =>
        $"{Action.Verdict}/{Action.State} packets={Packets} octets={Octets} tcp={TcpSeen} seen={IsSeen}";
}

internal sealed class GenerationState(uint hard, uint soft, bool revalidate)
{
    public uint Hard { get; } = hard;

    public uint Soft { get; } = soft;

    public bool Revalidate { get; set; } = revalidate;
}

internal sealed class VtepState(uint host, uint budget)
{
    public uint Host { get; } = host;

    public uint Budget { get; } = budget;

    public ulong Packets { get; set; }

    public ulong Octets { get; set; }
}

/// <summary>
/// A lane of a budget (GCRA with a clock that stands still): units that may pass, null without limit.
/// </summary>
internal sealed class Lane(uint? units)
{
    private ulong _used;

    public ulong Admitted { get; private set; }

    public ulong Refused { get; private set; }

    public bool IsSpent => _used >= units;

    /// <summary>One unit of room is enough for a packet of any cost: what is too much is owed.</summary>
    public bool Take(uint cost)
    {
        if (IsSpent)
        {
            Refuse();
            return false;
        }

        _used += cost;
        Admitted += cost;
        return true;
    }

    public void Refuse() => Refused++;

    /// <summary>What a total above refused was not used here; it stays counted as admitted.</summary>
    public void GiveBack(uint cost) => _used -= Math.Min(_used, cost);

    public override string ToString() => $"admitted={Admitted} refused={Refused}";
}

internal sealed class BudgetState(BudgetRow row)
{
    public Lane Flows { get; } = new(row.Flows);

    public Lane Control { get; } = new(row.Control);

    public Lane Copies { get; } = new(row.Copies);

    public uint Parent { get; } = row.Parent;
}

/// <summary>Credit for entries that hold state alone; what was made runs round.</summary>
internal sealed class CreditState(CreditRow row)
{
    private readonly uint _limit4 = row.Limit4, _limit6 = row.Limit6;

    public uint Made4 { get; private set; } = row.Made4;

    public uint Made6 { get; private set; } = row.Made6;

    public bool HasRoom(bool isIpv6)
    {
        uint limit = isIpv6 ? _limit6 : _limit4;
        return limit == 0 || (int)(limit - (isIpv6 ? Made6 : Made4)) > 0;
    }

    public void Add(bool isIpv6)
    {
        if (isIpv6) Made6 = unchecked(Made6 + 1);
        else Made4 = unchecked(Made4 + 1);
    }
}

/// <summary>A datagram in pieces, without its clock.</summary>
internal sealed class Datagram(ushort newIdentification)
{
    public Datagram(DatagramRow row)
        : this(row.NewIdentification)
    {
        (IsExpired, IsFirstKnown, IsAwaited, Tag) = (row.IsExpired, row.IsFirstKnown, row.IsAwaited, row.Tag);
        (IsOverlapped, IsWhole, IsOfAgent) = (row.IsOverlapped, row.IsWhole, row.IsOfAgent);
        (SourcePort, DestinationPort, Protocol, Held) =
            (row.SourcePort, row.DestinationPort, row.Protocol, row.Held);
    }

    public ushort NewIdentification { get; } = newIdentification;

    public bool IsExpired { get; }

    public TagFault Tag { get; }

    public bool IsFirstKnown { get; set; }

    public bool IsAwaited { get; set; }

    public bool IsOverlapped { get; set; }

    public bool IsWhole { get; set; }

    public bool IsOfAgent { get; init; }

    public ushort SourcePort { get; set; }

    public ushort DestinationPort { get; set; }

    public byte Protocol { get; set; }

    /// <summary>Fragments that the agent has in hand; runs round as the kernel's does.</summary>
    public uint Held { get; set; }

    /// <summary>Units of eight octets that have come.</summary>
    public SortedSet<int> Units { get; } = [];

    /// <summary>How many of them were counted: not those of the fragment that overlapped.</summary>
    public int Seen { get; set; }

    /// <summary>Units of the whole datagram; 0 until its last fragment has come.</summary>
    public int Total { get; set; }
}

internal record struct PortCounters(
    ulong RxPackets, ulong RxOctets, ulong TxPackets, ulong TxOctets, ulong DropPackets, ulong UpcallPackets);

/// <summary>
/// The tables as packets leave them, made from a <see cref="World"/>. Dictionaries, as plain as can be.
/// </summary>
internal sealed class ReferenceTables
{
    public ReferenceTables(World world)
    {
        World = world;
        Links = world.Links.ToDictionary(static r => (r.Ifindex, r.Vlan), static r => r.Slot);
        Ports = world.Ports.ToDictionary(static r => r.Slot);
        Connections = world.Connections.ToDictionary(static r => r.Key, static r => new Entry(r.Action, r.Tag));
        Classes = world.Classes.ToDictionary(static r => r.Key, static r => new Entry(r.Action, r.Tag));
        Generations = world.Generations.ToDictionary(
            static r => r.ClassId, static r => new GenerationState(r.Hard, r.Soft, r.Revalidate));
        NextHops = world.NextHops.ToDictionary(static r => r.Index);
        Deliveries = world.Deliveries.ToDictionary(static r => r.Slot);
        Replications = world.Replications.ToDictionary(static r => r.Index, static r => r.NextHops);
        Neighbours = world.Neighbours.ToDictionary(static r => (r.Bridge, r.IsIpv6, r.Address));
        NatOwners = world.NatOwners.ToDictionary(static r => (r.Address, r.Granule), static r => r.NextHop);
        Services = world.Services.ToDictionary(
            static r => (r.Address, r.IsIpv6, r.Port, r.Protocol), static r => r.Budget);
        Vteps = world.Vteps.ToDictionary(
            static r => (r.IsIpv6, r.Address), static r => new VtepState(r.Host, r.Budget));
        Budgets = world.Budgets.ToDictionary(static r => r.Index, static r => new BudgetState(r));
        Credits = world.Credits.ToDictionary(static r => r.KeyPort, static r => new CreditState(r));
        Shares = world.Shares.ToDictionary(static r => (r.IsForeign, r.Index), static r => r.Room);
        foreach (DatagramRow r in world.Datagrams) (r.IsForeign ? Foreign : Datagrams)[r.Key] = new Datagram(r);
    }

    public World World { get; }

    public Dictionary<(uint Ifindex, uint Vlan), uint> Links { get; }

    public Dictionary<uint, PortRow> Ports { get; }

    public Dictionary<ConnKey, Entry> Connections { get; }

    public Dictionary<ClassKey, Entry> Classes { get; }

    public Dictionary<uint, GenerationState> Generations { get; }

    public Dictionary<uint, NextHopRow> NextHops { get; }

    public Dictionary<uint, DeliveryRow> Deliveries { get; }

    public Dictionary<uint, IReadOnlyList<uint>> Replications { get; }

    public Dictionary<(uint Bridge, bool IsIpv6, UInt128 Address), NeighbourRow> Neighbours { get; }

    public Dictionary<(UInt128 Address, ushort Granule), uint> NatOwners { get; }

    public Dictionary<(UInt128 Address, bool IsIpv6, ushort Port, byte Protocol), uint> Services { get; }

    public Dictionary<(bool IsIpv6, UInt128 Address), VtepState> Vteps { get; }

    public Dictionary<uint, BudgetState> Budgets { get; }

    public Dictionary<uint, CreditState> Credits { get; }

    /// <summary>Datagrams that a port, or a source from outside, may still begin.</summary>
    public Dictionary<(bool IsForeign, uint Index), int> Shares { get; }

    /// <summary>Datagrams in pieces, of tenants.</summary>
    public Dictionary<DatagramKey, Datagram> Datagrams { get; } = [];

    /// <summary>Datagrams in pieces, of anybody.</summary>
    public Dictionary<DatagramKey, Datagram> Foreign { get; } = [];

    /// <summary>Identifications given so far, by counter.</summary>
    public Dictionary<uint, uint> Identifications { get; } = [];

    /// <summary>Followers of flows whose first packet is with the agent, by the digest of the flow's key.</summary>
    public Dictionary<ulong, int> Pending { get; } = [];

    public Dictionary<uint, PortCounters> PortCounters { get; } = [];

    public Dictionary<(uint Slot, DropReason Reason), ulong> Drops { get; } = [];

    /// <summary>What the agent got.</summary>
    public List<UpcallSeen> Upcalls { get; } = [];

    /// <summary>A port of the array; slots that no row names are unused.</summary>
    public PortRow? Port(uint slot) =>
        slot >= Limits.Ports ? null : Ports.TryGetValue(slot, out PortRow? row) ? row : new(slot, PortKind.Unused);

    public NextHopRow? NextHop(uint index)
    {
        if (index >= Limits.NextHops) return null;
        return NextHops.TryGetValue(index, out NextHopRow? row)
            ? row
            : new NextHopRow(index, NextHopKind.None, DropReason.None, false, 0, 0, 0, 0);
    }

    public void Count(uint slot, Func<PortCounters, PortCounters> change)
    {
        if (slot < Limits.Ports) PortCounters[slot] = change(PortCounters.GetValueOrDefault(slot));
    }

    public void CountDrop(uint slot, DropReason reason, ulong packets)
    {
        if (slot < Limits.Ports) Drops[(slot, reason)] = Drops.GetValueOrDefault((slot, reason)) + packets;
    }

    /// <summary>Longest prefix first (RFC 1812 §5.2.4.3).</summary>
    public RouteRow? Route(uint table, bool isIpv6, UInt128 destination) => World.Routes
        .Where(r => r.Table == table && r.IsIpv6 == isIpv6 && IsIn(destination, r.Address, r.LengthBits))
        .MaxBy(static r => r.LengthBits);

    public DestinationRow? Destination(bool isIpv6, UInt128 address) => World.Destinations
        .Where(r => r.IsIpv6 == isIpv6 && IsIn(address, r.Address, r.LengthBits))
        .MaxBy(static r => r.LengthBits);

    public uint? Mtu(uint ifindex) => World.Devices.FirstOrDefault(d => d.Ifindex == ifindex)?.Mtu;

    /// <summary>
    /// The digest of a connection key (flow_types.h): over its octets as the kernel has them, eight at a time, the
    /// first the lowest.
    /// </summary>
    public ulong Digest(in ConnKey key, ushort etherType)
    {
        byte[] octets = new byte[key.IsIpv6 ? 56 : 32];
        for (int i = 0; i < 4; i++) octets[i] = (byte)(key.Port >> (8 * i));
        int macs = key.IsIpv6 ? 44 : 20;
        if (key.IsIpv6 || etherType == Parsing.Ipv4)
        {
            Octets.SetAddress(octets, 4, key.IsIpv6, key.Source);
            Octets.SetAddress(octets, key.IsIpv6 ? 20 : 8, key.IsIpv6, key.Destination);
            Octets.SetWord(octets, macs - 8, key.SourcePort);
            Octets.SetWord(octets, macs - 6, key.DestinationPort);
            octets[macs - 4] = key.Protocol;
            octets[macs - 3] = (byte)key.Fragment;
        }
        else
        {
            Octets.SetWord(octets, 8, etherType); // no connection: told apart by EtherType and MACs
        }

        Octets.SetMac(octets, macs, key.DestinationMac);
        Octets.SetMac(octets, macs + 6, key.SourceMac);
        ulong digest = World.DigestSeed;
        for (int at = 0; at < octets.Length; at += 8) digest = Mix(digest, BitConverter.ToUInt64(octets, at));
        return digest;
    }

    /// <summary>
    /// The next IPv4 identification for what goes to a destination (RFC 6864 §4.3); never zero. Its order is nobody's
    /// business, so the counter's low octet goes first, as the kernel has it.
    /// </summary>
    public ushort NextIdentification(UInt128 destination, byte protocol)
    {
        byte[] octets = new byte[8];
        Octets.SetAddress(octets, 0, isIpv6: false, destination);
        ulong hash = Mix(Mix(World.DigestSeed, BitConverter.ToUInt64(octets)), protocol);
        uint at = (uint)(hash % Limits.IdentificationCounters), given = Identifications.GetValueOrDefault(at);
        Identifications[at] = given + 1;
        ushort next = (ushort)(given + (uint)(hash >> 32));
        return next == 0 ? (ushort)0xffff : BinaryPrimitives.ReverseEndianness(next);
    }

    /// <summary>
    /// The counter of the datagrams that a source from outside begins; of IPv6 its network's, within which it may have
    /// any address.
    /// </summary>
    public static uint SourceOf(ulong seed, bool isIpv6, UInt128 source)
    {
        byte[] octets = new byte[16];
        Octets.SetAddress(octets, 0, isIpv6, source);
        return (uint)(Mix(seed, BitConverter.ToUInt64(octets)) % Limits.DatagramSources);
    }

    private static ulong Mix(ulong digest, ulong word)
    {
        digest = (digest ^ word) * Limits.DigestFactor;
        return digest ^ (digest >> 32);
    }

    private static bool IsIn(UInt128 address, UInt128 prefix, int lengthBits) =>
        lengthBits == 0 || (address ^ prefix) >> (128 - lengthBits) == 0;
}

/// <summary>The numbers of flow_types.h that decide about packets.</summary>
internal static class Limits
{
    public const uint Ports = 4096;
    public const uint NextHops = 65536;
    public const uint Budgets = 12288;
    public const uint DestinationBudgets = 4096;
    public const int BudgetLevels = 3;
    public const int BudgetOctets = 2048;
    public const uint ReplicationLists = 1024;
    public const uint IdentificationCounters = 1024;
    public const uint DatagramSources = 16384;
    public const int DatagramOctets = 0xffff;
    public const int FollowingFragments = 48;
    public const int ReplicationTargets = 32;
    public const int Followers = 8;
    public const ulong DigestFactor = 0x9e3779b97f4a7c15;
    public const uint NatForwarded = 0;
    public const ushort NatAddressItself = 0xffff;
    public const uint BridgeOfUplink = 0x8000_0000;
}
