using System;
using System.Collections.Generic;
using System.Linq;
using Genkan.Datapath.Bpf;
using Genkan.Datapath.Layout;
using Genkan.Datapath.Tables;
using Genkan.Datapath.Tests.Programs;
using Genkan.Overlay.Flows;
using Genkan.Testing.Reference;
using ClassKey = Genkan.Testing.Reference.ClassKey;
using KernelClassKey = Genkan.Datapath.Layout.ClassKey;

namespace Genkan.Datapath.Tests.Reference;

/// <summary>
/// Runs a case through the kernel's programs and through the interpreter, and tells where they differ.
/// </summary>
internal sealed class Comparison
{
    private const int TriesMax = 3;

    /// <summary>
    /// A flow's first packet is waited for 200 ms, and a port may begin another datagram after 15 ms. A machine that
    /// stood still for long, and had such a flow or datagram, has run another case than the interpreter.
    /// </summary>
    private const ulong StandstillNs = 150_000_000, PacketStandstillNs = 5_000_000;

    private static readonly string[] Programs =
        ["from_port", "from_uplink", "from_tunnel", "from_agent", "from_host"];

    private readonly ProgramMachine _machine;
    private readonly Laboratory _laboratory;
    private readonly List<string> _differences = [];
    private Interpreter _interpreter = null!;
    private bool _isLate;

    public Comparison(ProgramMachine machine, Laboratory laboratory)
    {
        (_machine, _laboratory) = (machine, laboratory);
        machine.Reset();
    }

    /// <summary>Cases that were thrown away, since the machine stood still meanwhile.</summary>
    public int Standstills { get; private set; }

    /// <summary>What the cases have met.</summary>
    public Coverage Coverage { get; } = new();

    /// <summary>Packets whose fates were compared.</summary>
    public long Packets { get; private set; }

    /// <summary>Null if both agree, else what differs.</summary>
    public string? Run(Case one) => _laboratory.Namespace.Run(() =>
    {
        for (int i = 0; i < TriesMax; i++)
        {
            RunOnce(one);
            if (_isLate) continue;
            Packets += one.Packets.Count;
            return _differences.Count == 0 ? null : string.Join('\n', _differences);
        }

        Standstills++;
        return null;
    });

    private void RunOnce(Case one)
    {
        KernelWorld.Load(_machine, one.World);
        _interpreter = new Interpreter(one.World, Coverage);
        _differences.Clear();
        _isLate = false;
        ulong start = MonotonicClock.NowNs;
        for (int i = 0; i < one.Packets.Count && _differences.Count == 0; i++) RunOne(i, one.Packets[i]);
        if (MonotonicClock.NowNs - start > StandstillNs && _interpreter.Tables.Pending.Count > 0) _isLate = true;
        CompareTables();
    }

    private void RunOne(int number, Packet packet)
    {
        int upcallsBefore = _interpreter.Tables.Upcalls.Count;
        ulong start = MonotonicClock.NowNs;
        ((bool IsForeign, uint Index) Of, int Room, ulong Arrival)[] shares = [.. _interpreter.Tables.Shares
            .Select(s => (s.Key, s.Value, KernelWorld.SetRoom(_machine, s.Key.IsForeign, s.Key.Index, s.Value)))];
        _interpreter.IsShareAsked = false;
        Fate expected = _interpreter.Run(packet);
        SkBuffContext context = new()
        {
            Ifindex = packet.Ifindex,
            Mark = packet.Mark,
            GsoSize = packet.GsoSize,
            GsoSegs = packet.GsoSegments,
        };
        if (packet.Hook == Hook.FromTunnel)
        {
            context.Cb[0] = packet.TunnelKey | (1u << 31);
            context.Cb[1] = packet.GroupPolicy is { } policy ? policy | (1u << 31) : 0;
            context.Cb[2] = BitConverter.ToUInt32(FrameMaker.Number(packet.OuterSource >> 96, 4));
        }

        Verdict verdict = _machine.Run(Programs[(int)packet.Hook], Tagged(packet), context);
        if (MonotonicClock.NowNs - start > PacketStandstillNs && _interpreter.IsShareAsked) _isLate = true;
        foreach (((bool isForeign, uint index), int room, ulong arrival) in shares)
        {
            string whose = isForeign ? "source" : "port";
            Differ($"room for datagrams of {whose} {index}", _interpreter.Tables.Shares[(isForeign, index)],
                KernelWorld.Room(_machine, isForeign, index, room, arrival));
        }

        Differ($"packet {number}", expected, FateOf(verdict));
        UpcallSeen[] actual = [.. Seen(_machine.TakeControl(), true), .. Seen(_machine.TakeData(), false)];
        UpcallSeen[] wanted =
            [.. _interpreter.Tables.Upcalls.Skip(upcallsBefore).OrderByDescending(static u => u.IsControlRing)];
        Differ($"upcalls of packet {number}", string.Join('\n', wanted.AsEnumerable()),
            string.Join('\n', actual.AsEnumerable()));
    }

    private static byte[] Tagged(Packet packet) => packet.VlanTci is { } tci
        ? [.. packet.Frame[..12], 0x81, 0, (byte)(tci >> 8), (byte)tci, .. packet.Frame[12..]]
        : packet.Frame;

    private static Fate FateOf(Verdict verdict)
    {
        Fate fate = new((FateKind)verdict.Outcome) { Frame = Convert.ToHexString(verdict.Frame) };
        return fate.Kind switch
        {
            FateKind.Drop => fate with { Reason = verdict.Reason, Frame = "" },
            FateKind.Upcall => fate with { Frame = "" },
            FateKind.Port or FateKind.Peer => fate with
            {
                Ifindex = verdict.Ifindex,
                Slot = (uint)verdict.Port,
                Vlan = (uint)verdict.Vlan,
            },
            FateKind.Tunnel => fate with
            {
                Ifindex = verdict.Ifindex,
                TunnelKey = verdict.TunnelKey,
                GroupPolicy = verdict.GroupPolicy,
            },
            FateKind.Replicate => fate with { Copies = verdict.NextHop, Ifindex = verdict.Ifindex, Frame = "" },
            FateKind.Neighbour or FateKind.Local => fate with { Ifindex = verdict.Ifindex },
            _ => fate,
        };
    }

    private static IEnumerable<UpcallSeen> Seen(IReadOnlyList<UpcallRecord> records, bool isControl) =>
        records.Select(r => new UpcallSeen(
            isControl, r.Header.Kind, r.Header.Port, r.Header.State, (uint)r.Header.Flags, r.Header.Length,
            r.Header.GsoSize, r.Header.GsoSegs, r.Header.VlanTci, r.Header.VtepHost, r.Header.FlowDigest)
        {
            ClassId = r.Header.Kind == UpcallKind.Revalidate ? r.Header.ClassId : 0,
            Mtu = r.Header.Kind == UpcallKind.TooBig ? r.Header.Mtu : 0,
            Budget = r.Header.Kind == UpcallKind.Revalidate ? 0 : r.Header.Budget,
            NextHop = r.Header.Kind is UpcallKind.TooBig or UpcallKind.HopLimit ? r.Header.Nexthop : 0,
            Frame = Convert.ToHexString(r.Frame),
        });

    private void CompareTables()
    {
        ReferenceTables tables = _interpreter.Tables;
        CompareConnections(tables);
        foreach ((ClassKey key, Entry entry) in tables.Classes)
        {
            _machine.Table<KernelClassKey, ConnEntry>("class").TryLookup(KernelWorld.KeyOf(key), out ConnEntry found);
            Differ($"class {key}", Text(entry), Text(found));
        }

        foreach ((uint id, GenerationState now) in tables.Generations)
            Differ($"revalidate {id}", now.Revalidate, _machine.Generation((int)id).Revalidate != 0);
        foreach (((bool isIpv6, UInt128 address), VtepState vtep) in tables.Vteps)
        {
            _machine.Table<VtepKey, VtepEntry>("vtep")
                .TryLookup(KernelWorld.KeyOf(isIpv6, address), out VtepEntry found);
            Differ($"VTEP {address:x}", (vtep.Packets, vtep.Octets), (found.Packets, found.Octets));
        }

        CompareLimits(tables);
        CompareDatagrams("fragment", tables.Datagrams);
        CompareDatagrams("fragment_outside", tables.Foreign);
        CompareCounters(tables);
    }

    private void CompareConnections(ReferenceTables tables)
    {
        Dictionary<ConnKey, Entry> left = new(tables.Connections);
        BpfTable<Conn4Key, ConnEntry> table4 = _machine.Table<Conn4Key, ConnEntry>("conn4");
        BpfTable<Conn6Key, ConnEntry> table6 = _machine.Table<Conn6Key, ConnEntry>("conn6");
        foreach ((ConnKey key, Entry entry) in left)
        {
            ConnEntry found;
            bool isThere = key.IsIpv6
                ? table6.TryLookup(KernelWorld.Key6Of(key), out found)
                : table4.TryLookup(KernelWorld.Key4Of(key), out found);
            Differ($"connection {key}", Text(entry), isThere ? Text(found) : "none");
        }

        Differ("connections", left.Count, Keys(table4).Count + Keys(table6).Count);
    }

    private void CompareLimits(ReferenceTables tables)
    {
        foreach ((uint index, BudgetState budget) in tables.Budgets)
        {
            BudgetEntry e = _machine.Budget((int)index);
            Differ($"new flows of budget {index}", $"{budget.Flows}", $"admitted={e.Admitted} refused={e.Refused}");
            Differ($"control packets of budget {index}", $"{budget.Control}",
                $"admitted={e.ControlAdmitted} refused={e.ControlRefused}");
            Differ($"copies of budget {index}", $"{budget.Copies}",
                $"admitted={e.CopyAdmitted} refused={e.CopyRefused}");
        }

        foreach ((uint port, CreditState credit) in tables.Credits)
        {
            FlowCreditEntry e = _machine.Credit((int)port);
            Differ($"credit of port {port}", (credit.Made4, credit.Made6), (e.Made4, e.Made6));
        }

        BpfTable<uint, uint> counters = _machine.Table<uint, uint>("fragment_id");
        foreach ((uint at, uint given) in tables.Identifications)
        {
            counters.TryLookup(at, out uint found);
            Differ($"identifications of counter {at}", given, found);
        }
    }

    private void CompareDatagrams(string name, Dictionary<DatagramKey, Datagram> datagrams)
    {
        BpfTable<FragmentKey, FragmentEntry> table = _machine.Table<FragmentKey, FragmentEntry>(name);
        foreach ((DatagramKey key, Datagram datagram) in datagrams)
        {
            bool isThere = table.TryLookup(KernelWorld.KeyOf(key), out FragmentEntry found);
            Differ($"{name} {key}", Text(datagram), isThere ? Text(found) : "none");
        }

        Differ(name, datagrams.Count, Keys(table).Count);
    }

    private static string Text(Datagram d)
    {
        FragmentFlags flags = (d.IsFirstKnown ? FragmentFlags.First : FragmentFlags.None)
            | (d.IsAwaited ? FragmentFlags.Awaited : FragmentFlags.None)
            | (d.IsOverlapped ? FragmentFlags.Overlap : FragmentFlags.None)
            | (d.IsWhole ? FragmentFlags.Whole : FragmentFlags.None)
            | (d.IsOfAgent ? FragmentFlags.Agent : FragmentFlags.None);
        return Text(
            flags, d.SourcePort, d.DestinationPort, d.Protocol, d.NewIdentification, d.Seen, d.Total, d.Held,
            d.Units);
    }

    private static string Text(in FragmentEntry e)
    {
        List<int> units = [];
        for (int i = 0; i < LayoutLimits.FragmentUnits; i++)
        {
            if (((e.Units[i / 64] >> (i % 64)) & 1) != 0) units.Add(i);
        }

        return Text(
            e.Flags, NetworkOrder.Of(e.Sport), NetworkOrder.Of(e.Dport), (byte)e.Proto, NetworkOrder.Of(e.Id),
            (int)e.Seen, (int)e.Total, e.Held, units);
    }

    /// <summary>Of an overlapped one it does not matter which units came: nothing more of it passes.</summary>
    private static string Text(
        FragmentFlags flags, ushort sport, ushort dport, byte protocol, ushort id, int seen, int total,
        uint held, IEnumerable<int> units)
    {
        string which = (flags & FragmentFlags.Overlap) != FragmentFlags.None ? "-" : string.Join(',', units);
        return string.Create(null, $"{flags} {sport} {dport} {protocol} {id:x} {seen}/{total} held {held:x} {which}");
    }

    private static List<TKey> Keys<TKey, TValue>(BpfTable<TKey, TValue> table)
        where TKey : unmanaged
        where TValue : unmanaged
    {
        List<TKey> keys = [];
        for (bool more = table.TryGetFirstKey(out TKey next); more; more = table.TryGetNextKey(keys[^1], out next))
            keys.Add(next);
        return keys;
    }

    private static string Text(Entry e) => string.Create(
        null, $"{e.Action.Verdict} {e.Action.State} {e.Packets} {e.Octets} {e.TcpSeen} {e.IsSeen}");

    private static string Text(in ConnEntry e) => string.Create(
        null, $"{e.Action.Verdict} {e.Action.State} {e.Packets} {e.Octets} {e.TcpSeen} {e.LastSeenNs != 0}");

    private void CompareCounters(ReferenceTables tables)
    {
        HashSet<uint> slots = [0, .. tables.World.Ports.Select(static p => p.Slot), .. tables.PortCounters.Keys];
        foreach (uint slot in slots)
        {
            PortStats stats = _machine.Stats((int)slot);
            PortCounters found = new(
                stats.RxPackets, stats.RxOctets, stats.TxPackets, stats.TxOctets, stats.DropPackets,
                stats.UpcallPackets);
            Differ($"counters of port {slot}", tables.PortCounters.GetValueOrDefault(slot), found);
            foreach (DropReason reason in Enum.GetValues<DropReason>())
            {
                ulong expected = tables.Drops.GetValueOrDefault((slot, reason));
                Differ($"{reason} of port {slot}", expected, _machine.Drops((int)slot, reason));
            }
        }

        BpfTable<ulong, ulong> pending = _machine.Table<ulong, ulong>("pending");
        Dictionary<ulong, int> waiting = Keys(pending).ToDictionary(
            static k => k, k => pending.TryLookup(k, out ulong value) ? (int)(value & 0xff) : -1);
        Differ("pending", Text(tables.Pending), Text(waiting));
    }

    private static string Text(Dictionary<ulong, int> pending) =>
        string.Join(' ', pending.OrderBy(static p => p.Key).Select(static p => $"{p.Key:x}:{p.Value}"));

    private void Differ<T>(string what, T expected, T actual)
    {
        if (!EqualityComparer<T>.Default.Equals(expected, actual))
            _differences.Add($"{what}:\n  interpreter {expected}\n  kernel      {actual}");
    }
}
