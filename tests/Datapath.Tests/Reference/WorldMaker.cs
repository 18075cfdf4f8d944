using System;
using System.Collections.Generic;
using System.Linq;
using Genkan.Overlay.Flows;
using Genkan.Testing.Reference;
using Genkan.Wire;
using Action = Genkan.Testing.Reference.Action;
using ClassKey = Genkan.Testing.Reference.ClassKey;
using DeliveryKind = Genkan.Testing.Reference.DeliveryKind;
using PortKind = Genkan.Testing.Reference.PortKind;

namespace Genkan.Datapath.Tests.Reference;

/// <summary>
/// Worlds in which packets find something: one port of each kind and its near misses, a dozen flows with entries of all
/// kinds, every kind of next hop, delivery, owner and service.
/// </summary>
internal sealed class WorldMaker(Chance chance)
{
    public const uint Tenant = 1, Tagged = 2, Segment = 3, Uplink = 4, OtherUplink = 5, Flood = 6, NatReturn = 7,
        Away = 8, OtherSegment = 9;

    /// <summary>Slots of any world, and then some.</summary>
    public const int SlotsMax = 16;

    public const ushort TaggedVlan = 5, SegmentVlan = 7, OtherSegmentVlan = 8, UplinkVlan = 9, OtherUplinkVlan = 10;
    public const uint Bridge = 3;
    public const ulong TenantMac = 0x0200_0000_0001, UplinkMac = 0x02aa_0000_0001, RouterMac = 0x0200_0000_0101;
    public const uint DestinationBudget = 4099, TenantTotal = 8193, HostTotal = 8192;
    public const int WaysOut = 24;

    private static readonly uint[] Slots =
        [Tenant, Tagged, Segment, Uplink, OtherUplink, Flood, NatReturn, Away, OtherSegment];

    public static readonly ulong[] Macs =
        [TenantMac, 0x0200_0000_0002, UplinkMac, RouterMac, 0xffff_ffff_ffff, 0x3333_0000_0001];

    public static readonly UInt128 NatAddress = Laboratory.Number("198.51.100.10");
    public static readonly UInt128 Host = Laboratory.Number("192.0.2.1");
    public static readonly UInt128 Host6 = Laboratory.Number("2001:db8:ff::1");
    public static readonly UInt128 Vtep = Laboratory.Number("203.0.113.9");

    public static readonly UInt128[] Ipv4 =
    [
        Laboratory.Number("10.0.1.11"), Laboratory.Number("10.0.1.12"), NatAddress, Host,
        Laboratory.Number("198.51.100.20"), Laboratory.Number("203.0.113.7"), Laboratory.Number("198.18.0.1"),
        Laboratory.Number("198.19.0.1"), Laboratory.Number("100.64.0.1"), Laboratory.Number("100.65.0.1"),
        Laboratory.Number("8.8.8.8"),
    ];

    public static readonly UInt128[] Ipv6 =
    [
        Laboratory.Number("2001:db8:1::11"), Laboratory.Number("2001:db8:1::12"), Host6,
        Laboratory.Number("fe80::ff:fe00:1"), Laboratory.Number("ff02::1:ff00:12"), Laboratory.Number("2001:db8:9::1"),
        Laboratory.Number("2001:db8:a::1"), Laboratory.Number("2001:db8:b::1"), Laboratory.Number("2001:db8:c::1"),
        Laboratory.Number("2001:db8:d::1"), Laboratory.Number("2001:db8:e::1"),
    ];

    /// <summary>Flows whose packets the world is about.</summary>
    public IReadOnlyList<FlowShape> Shapes { get; private set; } = [];

    public World Make()
    {
        ulong seed = new World().DigestSeed;
        Shapes = [.. Enumerable.Range(0, 12).Select(_ => Shape())];
        PortRow[] ports = [.. Slots.Select(Port)];
        return new World
        {
            Devices = Laboratory.Devices,
            Routes = Laboratory.Routes,
            VxlanIfindex = chance.OneIn(4) ? Laboratory.Narrow : Laboratory.Stranger,
            Links = Links(),
            Ports = ports,
            Connections = Connections(ports),
            Classes = Classes(ports),
            Generations = [.. Enumerable.Range(1, 4).Select(i => new GenerationRow(
                (uint)i, (uint)chance.Below(2), (uint)chance.Below(2), chance.OneIn(4)))],
            NextHops = [.. Enumerable.Range(1, WaysOut).Select(WayOut)],
            Deliveries = [.. Enumerable.Range(1, 10).Select(Delivery)],
            Replications = [.. Enumerable.Range(1, 3).Select(Replication)],
            Neighbours = Neighbours(ports),
            NatOwners = NatOwners(),
            Services = Services(),
            Destinations = Destinations(),
            Vteps = [new VtepRow(false, Vtep, 44, (uint)chance.Below(3))],
            Budgets =
            [
                new BudgetRow(0, null, null, null), Budget(1), Budget(2), Budget(DestinationBudget),
                Budget(DestinationBudget + 1), Budget(TenantTotal), Budget(HostTotal),
            ],
            Credits =
            [
                .. ports.Where(_ => chance.OneIn(4)).Select(p => (uint)p.KeyPort).Append(chance.OneIn(3) ? 0u : Away)
                    .Distinct().Select(Credit),
            ],
            Datagrams = Datagrams(ports),
            MtuAlways = chance.Of<ushort>(0, 0, 576, 1000, 1280),
            Shares =
            [
                .. ports.Where(_ => chance.OneIn(2)).Select(p => (uint)p.KeyPort).Distinct()
                    .Select(p => Share(false, p)),
                .. Sources(seed).Where(_ => chance.OneIn(4)).Select(s => Share(true, s)),
            ],
            IsAgentSilent = chance.OneIn(3),
            IsDataRingFull = chance.OneIn(20),
            IsControlRingFull = chance.OneIn(20),
        };
    }

    /// <summary>Counters of the datagrams that addresses of worlds begin from outside.</summary>
    public static IEnumerable<uint> Sources(ulong seed) => Ipv4.Select(a => ReferenceTables.SourceOf(seed, false, a))
        .Concat(Ipv6.Select(a => ReferenceTables.SourceOf(seed, true, a)))
        .Distinct();

    public FlowShape Shape()
    {
        bool isIpv6 = chance.OneIn(3);
        UInt128[] addresses = isIpv6 ? Ipv6 : Ipv4;
        byte icmp = isIpv6 ? (byte)58 : (byte)1, icmpOfTheOther = isIpv6 ? (byte)1 : (byte)58;
        byte protocol = chance.Of<byte>(6, 6, 6, 17, 17, icmp, 132, 136, 33, 50, icmpOfTheOther);
        byte echo = isIpv6 ? chance.Of<byte>(128, 129) : chance.Of<byte>(8, 0);
        byte other = isIpv6
            ? chance.Of<byte>(1, 2, 3, 4, 130, 133, 135, 136, 143)
            : chance.Of<byte>(3, 4, 5, 11, 12, 13);
        return new FlowShape(isIpv6, chance.From(addresses), chance.From(addresses), protocol)
        {
            SourceMac = chance.Of(TenantMac, chance.From(Macs)),
            DestinationMac = chance.Of(UplinkMac, chance.From(Macs)),
            SourcePort = Number(),
            DestinationPort = Number(),
            IcmpType = chance.OneIn(3) ? other : echo,
            IcmpCode = chance.OneIn(4) ? (byte)chance.Below(6) : (byte)0,
            HopLimit = chance.Of<byte>(64, 64, 255, 1, 2, 3, 0),
        };
    }

    private ushort Number() => chance.Of<ushort>(80, 1000, 1024, 1030, 2000, 53, 67, 547, 4790, 40000, 0xffff, 0);

    private PortRow Port(uint slot)
    {
        PortKind kind = slot switch
        {
            Segment or OtherSegment => PortKind.L2External,
            Uplink or OtherUplink => PortKind.Uplink,
            Flood or NatReturn => PortKind.Pseudo,
            _ => PortKind.Tenant,
        };
        bool isUplink = kind == PortKind.Uplink;
        return new PortRow(slot, chance.OneIn(30) ? chance.Of(Enum.GetValues<PortKind>()) : kind)
        {
            IsAdminDown = chance.OneIn(15),
            IsPeer = chance.OneIn(3),
            IsL3Key = isUplink || slot == NatReturn,
            Ifindex = slot is Away or Flood or NatReturn ? 0 : chance.Of(55u, 56u, Laboratory.Narrow),
            KeyPort = slot == OtherUplink && chance.OneIn(2) ? (ushort)Uplink : (ushort)slot,
            Vlan = chance.Of<ushort>(0, 0, 0, 12),
            ClassMasks = chance.OneIn(3) ? (ushort)0 : (ushort)chance.Below(32),
            Bridge = chance.OneIn(6) ? 0 : Bridge,
            Budget = (uint)chance.Below(3),
            Mac = isUplink ? UplinkMac : TenantMac,
            Ipv4 = Ipv4[0],
            Ipv6 = Ipv6[0],
            Mtu = chance.Of<ushort>(0, 0, 1500, 1450, 1280, 576, 60, 40),
            HostIfindex = !isUplink || chance.OneIn(12) ? 0 : slot == Uplink ? Laboratory.Host0 : Laboratory.Host1,
        };
    }

    private List<LinkRow> Links()
    {
        List<LinkRow> links =
        [
            new(1, 0, Tenant), new(1, TaggedVlan, Tagged), new(1, SegmentVlan, Segment), new(1, UplinkVlan, Uplink),
            new(1, OtherSegmentVlan, OtherSegment), new(1, OtherUplinkVlan, OtherUplink),
            new(Laboratory.Host0, 0, Uplink),
        ];
        if (!chance.OneIn(4)) links.Add(new LinkRow(Laboratory.Host1, 0, OtherUplink));
        if (chance.OneIn(4)) links.Add(new LinkRow(Laboratory.Stranger, 0, chance.From(Slots)));
        return links;
    }

    private List<ConnRow> Connections(PortRow[] ports)
    {
        Dictionary<ConnKey, ConnRow> rows = [];
        // One world in eight has a full table.
        if (chance.OneIn(8)) Fill(rows);
        foreach (FlowShape shape in Shapes.SkipLast(3))
        {
            foreach (PortRow port in ports.Where(_ => !chance.OneIn(3)))
            {
                bool isReply = chance.OneIn(3);
                ConnKey key = (isReply ? shape.Reversed() : shape).KeyAt(port.KeyPort, port.IsL3Key);
                Action action = Action(shape);
                // A stranger's packet that was refused before the connection whose answer it seems to be.
                if (isReply && chance.OneIn(2))
                    action = action with { Verdict = FlowVerdict.Drop, State = ConnectionState.None };
                rows[key] = new ConnRow(key, action, Tag());
            }
        }

        return [.. rows.Values.Where(r => !r.Key.IsIpv6).Take(64), .. rows.Values.Where(r => r.Key.IsIpv6).Take(64)];
    }

    private static void Fill(Dictionary<ConnKey, ConnRow> rows)
    {
        foreach (bool isIpv6 in (bool[])[false, true])
        {
            for (ushort i = 0; i < 64; i++)
            {
                UInt128 address = isIpv6 ? Ipv6[0] : Ipv4[0];
                ConnKey key = new(isIpv6, Away, address, address, i, i, 17, FragmentKind.None, 0, 0);
                rows[key] = new ConnRow(key, new Action { Verdict = FlowVerdict.Drop });
            }
        }
    }

    private List<ClassRow> Classes(PortRow[] ports)
    {
        Dictionary<ClassKey, ClassRow> rows = [];
        for (int i = 0; i < 24; i++)
        {
            FlowShape shape = chance.From(Shapes);
            PortRow port = chance.From(ports);
            FlowMask mask = chance.Of(Enum.GetValues<FlowMask>());
            ushort type = mask <= FlowMask.L2 && chance.OneIn(3) ? (ushort)0x0806 : shape.EtherType;
            ConnKey full = shape.KeyAt(port.KeyPort, port.IsL3Key);
            bool isL2 = mask >= FlowMask.L2, isL4 = mask == FlowMask.L4Destination;
            ClassKey key = new(
                full.Port, type, mask, isL4 ? full.Protocol : (byte)0, isL4 ? full.DestinationPort : (ushort)0,
                isL4 && chance.OneIn(8) ? FragmentKind.Later : FragmentKind.None,
                isL2 ? full.DestinationMac : 0, isL2 ? full.SourceMac : 0,
                mask >= FlowMask.L3 ? full.Source : 0, mask >= FlowMask.L3Destination ? full.Destination : 0);
            Action action = Action(shape);
            if (mask <= FlowMask.L2)
                action = action with { Rewrites = action.Rewrites & (Rewrites.DestinationMac | Rewrites.SourceMac) };
            rows[key] = new ClassRow(key, action, Tag());
        }

        return [.. rows.Values];
    }

    private TagFault Tag() => chance.OneIn(12) ? chance.Of(TagFault.OtherKey, TagFault.Torn) : TagFault.None;

    private Action Action(FlowShape shape)
    {
        UInt128[] addresses = shape.IsIpv6 ? Ipv6 : Ipv4;
        return new Action
        {
            ClassId = chance.OneIn(3) ? (uint)chance.Below(5) : 0,
            Generation = (uint)chance.Below(2),
            Soft = (uint)chance.Below(2),
            NextHop = (uint)chance.Below(WaysOut + 2),
            Verdict = chance.Of(
                FlowVerdict.Forward, FlowVerdict.Forward, FlowVerdict.Forward, FlowVerdict.Forward, FlowVerdict.Drop,
                FlowVerdict.Upcall),
            DropReason = chance.Of(DropReason.None, DropReason.SecurityGroup),
            Rewrites = chance.OneIn(3) ? Rewrites.None : (Rewrites)chance.Below(128),
            Hops = (byte)chance.Below(4),
            Commit = chance.OneIn(2),
            State = chance.Of(Enum.GetValues<ConnectionState>()),
            Mtu = chance.Of<ushort>(0, 0, 0, 1400, 1280, 600),
            SourcePort = Number(),
            DestinationPort = Number(),
            SourceMac = chance.From(Macs),
            DestinationMac = chance.From(Macs),
            Source = chance.From(addresses),
            Destination = chance.From(addresses),
        };
    }

    private NextHopRow WayOut(int index)
    {
        NextHopKind kind = chance.Of(
            NextHopKind.Port, NextHopKind.Port, NextHopKind.Port, NextHopKind.Tunnel, NextHopKind.Tunnel,
            NextHopKind.Tunnel, NextHopKind.FibExit, NextHopKind.FibExit, NextHopKind.FibExit, NextHopKind.Replicate,
            NextHopKind.Deliver, NextHopKind.None);
        uint argument = kind switch
        {
            NextHopKind.FibExit => chance.OneIn(8) ? Laboratory.Table + 1 : Laboratory.Table,
            NextHopKind.Replicate => chance.OneIn(10) ? Limits.ReplicationLists : (uint)chance.Below(4),
            NextHopKind.Deliver => NatReturn,
            _ => chance.OneIn(20) ? 4096 : chance.From(Slots),
        };
        return new NextHopRow(
            (uint)index, kind, chance.Of(DropReason.None, DropReason.NoGateway), chance.OneIn(8), argument,
            (uint)chance.Below(1 << 24), chance.OneIn(10) ? chance.From(Slots) : chance.Of(Uplink, OtherUplink),
            chance.OneIn(3) ? Vtep + ((UInt128)1 << 96) : Vtep)
        {
            Mtu = chance.Of<uint>(0, 0, 1450, 1400, 1300, 1280, 576),
        };
    }

    private DeliveryRow Delivery(int slot)
    {
        DeliveryKind kind = chance.Of(
            DeliveryKind.Port, DeliveryKind.Port, DeliveryKind.Flood, DeliveryKind.FibExit, DeliveryKind.FibExit,
            DeliveryKind.NatReturn, DeliveryKind.None, (DeliveryKind)9);
        uint argument = kind switch
        {
            DeliveryKind.FibExit => Laboratory.Table,
            DeliveryKind.Flood => Flood,
            DeliveryKind.NatReturn => NatReturn,
            _ => chance.OneIn(20) ? 4096 : chance.From(Slots),
        };
        uint port = chance.Of(Uplink, Uplink, OtherUplink, Tenant);
        return new DeliveryRow((uint)slot, kind, (byte)(slot % 3), argument, port);
    }

    private ReplicationRow Replication(int index) => new(
        (uint)index,
        [.. Enumerable.Range(0, chance.Of(0, 3, 5, 32, 40)).Select(_ => (uint)chance.Below(WaysOut + 1))]);

    private List<NeighbourRow> Neighbours(PortRow[] ports)
    {
        List<NeighbourRow> rows = [];
        foreach (uint bridge in ports.Select(static p => p.KeyPort | Limits.BridgeOfUplink).Append(Bridge).Distinct())
        {
            rows.Add(new NeighbourRow(bridge, false, Ipv4[1], RouterMac, false));
            rows.Add(new NeighbourRow(bridge, false, Ipv4[4], RouterMac, false));
            rows.Add(new NeighbourRow(bridge, true, Ipv6[1], RouterMac, chance.OneIn(2)));
        }

        return rows;
    }

    private List<NatOwnerRow> NatOwners()
    {
        List<NatOwnerRow> rows = [new(NatAddress, Limits.NatAddressItself, 1)];
        foreach (ushort port in (ushort[])[0, 1000, 1024, 2000, 40000])
        {
            if (chance.OneIn(3)) continue;
            uint owner = (uint)chance.Below(WaysOut + 1); // or forwarded
            rows.Add(new NatOwnerRow(NatAddress, (ushort)(port >> 6), owner));
        }

        return rows;
    }

    private List<ServiceRow> Services()
    {
        List<ServiceRow> rows = [];
        foreach (bool isIpv6 in (bool[])[false, true])
        {
            UInt128 host = isIpv6 ? Host6 : Host;
            if (!chance.OneIn(4)) rows.Add(new ServiceRow(host, isIpv6, 0, 0, (uint)chance.Below(3)));
            if (!chance.OneIn(4)) rows.Add(new ServiceRow(host, isIpv6, 80, 6, (uint)chance.Below(3)));
            byte icmp = isIpv6 ? (byte)58 : (byte)1;
            if (!chance.OneIn(4)) rows.Add(new ServiceRow(host, isIpv6, 0, icmp, (uint)chance.Below(3)));
            if (chance.OneIn(3)) rows.Add(new ServiceRow(host, isIpv6, 0, 17, (uint)chance.Below(3)));
        }

        if (chance.OneIn(4)) rows.Add(new ServiceRow(NatAddress, false, 0, 1, 2));
        return rows;
    }

    private List<DestinationRow> Destinations()
    {
        List<DestinationRow> rows = [];
        if (!chance.OneIn(4)) rows.Add(new DestinationRow(false, Ipv4[4], 32, DestinationBudget));
        UInt128 net = Laboratory.Number("10.0.1.0"), net6 = Laboratory.Number("2001:db8:1::");
        if (!chance.OneIn(4)) rows.Add(new DestinationRow(false, net, 24, DestinationBudget + 1));
        if (!chance.OneIn(4)) rows.Add(new DestinationRow(true, net6, 48, DestinationBudget));
        if (chance.OneIn(4)) rows.Add(new DestinationRow(true, Ipv6[0], 128, DestinationBudget + 1));
        return rows;
    }

    private BudgetRow Budget(uint index) => new(
        index, Units(), Units(), Units(),
        index switch
        {
            HostTotal => 0,
            TenantTotal => chance.Of(0u, HostTotal),
            _ => chance.Of(0u, TenantTotal, HostTotal),
        });

    private ShareRow Share(bool isForeign, uint index) => new(isForeign, index, chance.Of(0, 1, 2, 100));

    private uint? Units() => chance.Of<uint?>(null, null, null, 0, 1, (uint)(2 + chance.Below(6)), 40);

    private CreditRow Credit(uint keyPort)
    {
        uint made = chance.Of(0u, 5u, uint.MaxValue);
        return new CreditRow(keyPort, made, made + (uint)chance.Below(4), made, chance.Of(0u, made + 1));
    }

    /// <summary>Datagrams of the world's flows that have begun before, in all states.</summary>
    private List<DatagramRow> Datagrams(PortRow[] ports)
    {
        Dictionary<(DatagramKey, bool), DatagramRow> rows = [];
        for (int i = 0; i < 6; i++)
        {
            FlowShape shape = chance.From(Shapes);
            PortRow port = chance.From(ports);
            DatagramKey key = new(
                shape.IsIpv6, port.KeyPort, (uint)chance.Below(PacketMaker.Identifications), shape.Source,
                shape.Destination, shape.IsIpv6 ? (byte)0 : shape.Protocol);
            bool isForeign = port.Kind is PortKind.Uplink || (port.Kind == PortKind.Pseudo && port.IsL3Key);
            ConnKey flow = shape.KeyAt(port.KeyPort, port.IsL3Key);
            rows[(key, isForeign)] = new DatagramRow(key, isForeign)
            {
                IsExpired = chance.OneIn(4),
                IsFirstKnown = !chance.OneIn(3),
                IsAwaited = chance.OneIn(4),
                IsOverlapped = chance.OneIn(10),
                IsWhole = chance.OneIn(6),
                IsOfAgent = chance.OneIn(6),
                SourcePort = flow.SourcePort,
                DestinationPort = flow.DestinationPort,
                Protocol = shape.Protocol,
                NewIdentification = shape.IsIpv6 ? (ushort)0 : (ushort)(1 + chance.Below(0xffff)),
                Held = chance.Of(0u, 0u, 1u, 2u),
                Tag = chance.OneIn(10) ? Tag() : TagFault.None,
            };
        }

        return [.. rows.Values];
    }
}
