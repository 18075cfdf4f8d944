using System;
using System.Runtime.InteropServices;
using Genkan.Datapath.Layout;
using Genkan.Datapath.Tables;
using Genkan.Datapath.Tests.Programs;
using Genkan.Testing.Reference;
using Genkan.Wire;
using ClassKey = Genkan.Datapath.Layout.ClassKey;
using DeliveryKind = Genkan.Overlay.Flows.DeliveryKind;
using PortKind = Genkan.Datapath.Layout.PortKind;

namespace Genkan.Datapath.Tests.Reference;

/// <summary>Writes a world into the kernel's tables, as the agent would.</summary>
internal static class KernelWorld
{
    /// <summary>A theoretical arrival time that never comes.</summary>
    private const ulong Never = ulong.MaxValue / 2;

    /// <summary>The time between units of a budget that is counted in units: longer than any test.</summary>
    private const ulong IntervalNs = 1_000_000_000_000_000;

    /// <summary>FRAGMENT_SHARE_NS: a port may begin one more datagram after so long.</summary>
    private const ulong ShareNs = 15_625_000;

    /// <summary>More than the program's clock is late (a tick of 10 ms), less than ShareNs by a packet's run.</summary>
    private const ulong ShareMarginNs = 10_300_000;

    private const ulong Second = 1_000_000_000;

    public static void Load(ProgramMachine machine, World world)
    {
        machine.Reset(WorldMaker.SlotsMax);
        machine.Settings = new SettingsEntry
        {
            VxlanIfindex = world.VxlanIfindex,
            VxlanPort = world.VxlanPort,
            MtuAlways = world.MtuAlways,
            DigestSeed = world.DigestSeed,
            HeartbeatNs = MonotonicClock.NowNs - (world.IsAgentSilent ? (LayoutLimits.FenceSeconds + 1) * Second : 0),
        };
        foreach (LinkRow r in world.Links) machine.Link((int)r.Slot, r.Ifindex, r.Vlan);
        foreach (PortRow r in world.Ports) machine.Port((int)r.Slot) = PortOf(r);
        foreach (ConnRow r in world.Connections) Load(machine, world, r);
        foreach (ClassRow r in world.Classes)
        {
            ClassKey key = KeyOf(r.Key);
            machine.Put("class", key, EntryOf(r.Action, r.Tag, KeyDigest.Of(key, world.DigestSeed)));
        }

        LoadWaysOut(machine, world);
        LoadAddresses(machine, world);
        LoadLimits(machine, world);
    }

    /// <summary>
    /// Gives a port, or a source, room for so many datagrams for the 5 ms to come: the table's clock cannot be stopped.
    /// </summary>
    /// <returns>What <see cref="Room"/> needs to tell how many were begun.</returns>
    public static ulong SetRoom(ProgramMachine machine, bool isForeign, uint index, int room)
    {
        ulong arrival = MonotonicClock.NowNs + ((ulong)(LayoutLimits.FragmentShare - room) * ShareNs) - ShareMarginNs;
        machine.Put(ShareTable(isForeign), index, arrival);
        return arrival;
    }

    public static int Room(ProgramMachine machine, bool isForeign, uint index, int room, ulong arrival)
    {
        machine.Table<uint, ulong>(ShareTable(isForeign)).TryLookup(index, out ulong now);
        return room - (int)((long)(now - arrival) / (long)ShareNs);
    }

    private static string ShareTable(bool isForeign) => isForeign ? "fragment_source" : "fragment_share";

    public static Conn4Key Key4Of(in ConnKey key) => new()
    {
        Port = key.Port,
        Src = BitConverter.ToUInt32(FrameMaker.Number(key.Source >> 96, 4)),
        Dst = BitConverter.ToUInt32(FrameMaker.Number(key.Destination >> 96, 4)),
        Sport = NetworkOrder.Of(key.SourcePort),
        Dport = NetworkOrder.Of(key.DestinationPort),
        Proto = (IpProtocol)key.Protocol,
        Fragment = key.Fragment,
        Dmac = MacOf(key.DestinationMac),
        Smac = MacOf(key.SourceMac),
    };

    public static Conn6Key Key6Of(in ConnKey key) => new()
    {
        Port = key.Port,
        Src = AddressOf(key.Source),
        Dst = AddressOf(key.Destination),
        Sport = NetworkOrder.Of(key.SourcePort),
        Dport = NetworkOrder.Of(key.DestinationPort),
        Proto = (IpProtocol)key.Protocol,
        Fragment = key.Fragment,
        Dmac = MacOf(key.DestinationMac),
        Smac = MacOf(key.SourceMac),
    };

    public static ClassKey KeyOf(in Testing.Reference.ClassKey key) => new()
    {
        Port = key.Port,
        Ethertype = NetworkOrder.Of(key.EtherType),
        Mask = key.Mask,
        Proto = (IpProtocol)key.Protocol,
        Dport = NetworkOrder.Of(key.DestinationPort),
        Fragment = key.Fragment,
        Dmac = MacOf(key.DestinationMac),
        Smac = MacOf(key.SourceMac),
        Src = AddressOf(key.Source),
        Dst = AddressOf(key.Destination),
    };

    public static VtepKey KeyOf(bool isIpv6, UInt128 address) =>
        new() { IsIpv6 = isIpv6 ? (byte)1 : (byte)0, Address = AddressOf(address) };

    public static FragmentKey KeyOf(in DatagramKey key) => new()
    {
        Port = key.Port,
        Id = key.Identification,
        Src = AddressOf(key.Source),
        Dst = AddressOf(key.Destination),
        Proto = (IpProtocol)key.Protocol,
        IsIpv6 = key.IsIpv6 ? (byte)1 : (byte)0,
    };

    private static MacOctets MacOf(ulong mac)
    {
        MacOctets octets = default;
        FrameMaker.Number(mac, 6).CopyTo((Span<byte>)octets);
        return octets;
    }

    private static AddressOctets AddressOf(UInt128 address)
    {
        AddressOctets octets = default;
        FrameMaker.Number(address, 16).CopyTo((Span<byte>)octets);
        return octets;
    }

    private static void Load(ProgramMachine machine, World world, ConnRow r)
    {
        if (r.Key.IsIpv6)
        {
            Conn6Key key = Key6Of(r.Key);
            machine.Put("conn6", key, EntryOf(r.Action, r.Tag, KeyDigest.Of(key, world.DigestSeed)));
        }
        else
        {
            Conn4Key key = Key4Of(r.Key);
            machine.Put("conn4", key, EntryOf(r.Action, r.Tag, KeyDigest.Of(key, world.DigestSeed)));
        }
    }

    private static ConnEntry EntryOf(Testing.Reference.Action a, TagFault fault, uint digest)
    {
        ulong tag = ((ulong)(fault == TagFault.OtherKey ? digest ^ 1 : digest) << 32) | 7;
        return new ConnEntry
        {
            TagHead = tag,
            TagTail = fault == TagFault.Torn ? tag + 1 : tag,
            Action = new ConnAction
            {
                ClassId = a.ClassId,
                Generation = a.Generation,
                Soft = a.Soft,
                Nexthop = a.NextHop,
                Verdict = a.Verdict,
                DropReason = a.DropReason,
                Rewrite = a.Rewrites,
                Hops = a.Hops,
                Flags = a.Commit ? ConnFlags.Commit : ConnFlags.None,
                State = a.State,
                Mtu = a.Mtu,
                Sport = NetworkOrder.Of(a.SourcePort),
                Dport = NetworkOrder.Of(a.DestinationPort),
                Dmac = MacOf(a.DestinationMac),
                Smac = MacOf(a.SourceMac),
                Src = AddressOf(a.Source),
                Dst = AddressOf(a.Destination),
            },
        };
    }

    private static PortEntry PortOf(PortRow r) => new()
    {
        Ifindex = r.Ifindex,
        KeyPort = r.KeyPort,
        Vlan = r.Vlan,
        Kind = (PortKind)r.Kind,
        Flags = (r.IsAdminDown ? PortFlags.AdminDown : PortFlags.None)
            | (r.IsPeer ? PortFlags.Peer : PortFlags.None) | (r.IsL3Key ? PortFlags.L3Key : PortFlags.None),
        ClassMasks = r.ClassMasks,
        Bridge = r.Bridge,
        Budget = r.Budget,
        Mac = MacOf(r.Mac),
        Ipv4 = BitConverter.ToUInt32(FrameMaker.Number(r.Ipv4 >> 96, 4)),
        HostIfindex = r.HostIfindex,
        Ipv6 = AddressOf(r.Ipv6),
        Mtu = r.Mtu,
    };

    private static void LoadWaysOut(ProgramMachine machine, World world)
    {
        foreach (GenerationRow r in world.Generations)
        {
            machine.Generation((int)r.ClassId) =
                new GenerationEntry { Hard = r.Hard, Soft = r.Soft, Revalidate = r.Revalidate ? 1u : 0 };
        }

        foreach (NextHopRow r in world.NextHops)
        {
            machine.NextHop((int)r.Index) = new NexthopEntry
            {
                Kind = (NexthopKind)r.Kind,
                DropReason = r.DropReason,
                PeerIsIpv6 = r.PeerIsIpv6 ? (byte)1 : (byte)0,
                Arg = r.Arg,
                TunnelKey = r.TunnelKey,
                Port = r.Port,
                Peer = AddressOf(r.Peer),
                Mtu = r.Mtu,
            };
        }

        foreach (DeliveryRow r in world.Deliveries)
        {
            machine.Delivery((int)r.Slot) = new DeliveryEntry
            {
                Kind = (DeliveryKind)r.Kind,
                Generation = r.Generation,
                Arg = r.Arg,
                Port = r.Port,
            };
        }

        foreach (ReplicationRow r in world.Replications)
        {
            ref ReplicationEntry list = ref machine.Replication((int)r.Index);
            list.Count = (uint)r.NextHops.Count;
            for (int i = 0; i < Math.Min(r.NextHops.Count, Limits.ReplicationTargets); i++)
                list.Nexthop[i] = r.NextHops[i];
        }
    }

    private static void LoadAddresses(ProgramMachine machine, World world)
    {
        foreach (NeighbourRow r in world.Neighbours)
        {
            NeighbourKey key =
                new() { Bridge = r.Bridge, IsIpv6 = r.IsIpv6 ? 1u : 0, Address = AddressOf(r.Address) };
            machine.Put("neighbour", key,
                new NeighbourEntry { Mac = MacOf(r.Mac), IsRouter = r.IsRouter ? (byte)1 : (byte)0 });
        }

        foreach (NatOwnerRow r in world.NatOwners)
        {
            uint address = BitConverter.ToUInt32(FrameMaker.Number(r.Address >> 96, 4));
            machine.Put("nat_owner", new NatOwnerKey { Address = address, Granule = r.Granule }, r.NextHop);
        }

        foreach (ServiceRow r in world.Services)
        {
            LocalServiceKey key = new()
            {
                Address = AddressOf(r.Address),
                Port = NetworkOrder.Of(r.Port),
                Proto = (IpProtocol)r.Protocol,
                IsIpv6 = r.IsIpv6 ? (byte)1 : (byte)0,
            };
            machine.Put("local_service", key, new LocalServiceEntry { Budget = r.Budget });
        }

        foreach (DestinationRow r in world.Destinations)
        {
            DestinationKey key = new()
            {
                PrefixBits = DestinationKey.FamilyBits + (uint)r.LengthBits,
                IsIpv6 = r.IsIpv6 ? (byte)1 : (byte)0,
                Address = AddressOf(r.Address),
            };
            machine.Put("destination", key, new DestinationEntry { Budget = r.Budget });
        }

        foreach (VtepRow r in world.Vteps)
        {
            machine.Put(
                "vtep", KeyOf(r.IsIpv6, r.Address), new VtepEntry { Host = r.Host, Budget = r.Budget });
        }
    }

    private static void LoadLimits(ProgramMachine machine, World world)
    {
        foreach (BudgetRow r in world.Budgets)
        {
            ref BudgetEntry budget = ref machine.Budget((int)r.Index);
            budget.Parent = r.Parent;
            SetLane(ref BudgetLane.Of(ref budget, BudgetLaneKind.Flows), r.Flows);
            SetLane(ref BudgetLane.Of(ref budget, BudgetLaneKind.Control), r.Control);
            SetLane(ref BudgetLane.Of(ref budget, BudgetLaneKind.Copies), r.Copies);
        }

        foreach (CreditRow r in world.Credits)
        {
            machine.Credit((int)r.KeyPort) = new FlowCreditEntry
            {
                Made4 = r.Made4,
                Limit4 = r.Limit4,
                Made6 = r.Made6,
                Limit6 = r.Limit6,
            };
        }

        for (uint i = 0; i < Limits.IdentificationCounters; i++) machine.Put("fragment_id", i, 0u);
        foreach (uint source in WorldMaker.Sources(world.DigestSeed)) machine.Put("fragment_source", source, 0UL);
        foreach (DatagramRow r in world.Datagrams)
            machine.Put(r.IsForeign ? "fragment_outside" : "fragment", KeyOf(r.Key), EntryOf(r, world.DigestSeed));
        if (world.IsDataRingFull) machine.TakeRoom("upcall_data");
        if (world.IsControlRingFull) machine.TakeRoom("upcall_control");
    }

    private static void SetLane(ref BudgetLane lane, uint? units)
    {
        if (units is not { } some) return;
        if (some == 0) (lane.IntervalNs, lane.ArrivalNs) = (1, Never);
        else (lane.IntervalNs, lane.BurstNs) = (IntervalNs, (some - 1) * IntervalNs);
    }

    private static FragmentEntry EntryOf(DatagramRow r, ulong seed)
    {
        const ulong Lifetime = 30 * Second; // FRAGMENT_NS
        ulong tag = DigestOf(KeyOf(r.Key), seed);
        return new FragmentEntry
        {
            TagHead = r.Tag == TagFault.OtherKey ? tag ^ 1 : tag,
            TagTail = r.Tag == TagFault.None ? tag : tag ^ 1,
            CreatedNs = MonotonicClock.NowNs - (r.IsExpired ? Lifetime + Second : 0),
            Sport = NetworkOrder.Of(r.SourcePort),
            Dport = NetworkOrder.Of(r.DestinationPort),
            Proto = (IpProtocol)r.Protocol,
            Id = NetworkOrder.Of(r.NewIdentification),
            Held = r.Held,
            Flags = (r.IsFirstKnown ? FragmentFlags.First : FragmentFlags.None)
                | (r.IsAwaited ? FragmentFlags.Awaited : FragmentFlags.None)
                | (r.IsOverlapped ? FragmentFlags.Overlap : FragmentFlags.None)
                | (r.IsWhole ? FragmentFlags.Whole : FragmentFlags.None)
                | (r.IsOfAgent ? FragmentFlags.Agent : FragmentFlags.None),
        };
    }

    /// <summary>All 64 bits, which tag a datagram.</summary>
    private static ulong DigestOf(FragmentKey key, ulong seed)
    {
        ulong digest = seed;
        foreach (ulong word in MemoryMarshal.Cast<FragmentKey, ulong>(new ReadOnlySpan<FragmentKey>(in key)))
        {
            digest = (digest ^ word) * LayoutLimits.DigestFactor;
            digest ^= digest >> 32;
        }

        return digest;
    }
}
