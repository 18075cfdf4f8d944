using System;
using System.Collections.Generic;
using System.Linq;
using System.Threading;
using Genkan.Overlay.Flows;
using Genkan.Overlay.Simulation;
using Genkan.Overlay.Topology;
using Genkan.Wire;

namespace Genkan.Overlay.Tests.Flows;

/// <summary>
/// The kernel's tables as plain dictionaries: the reference of look-up order, generations, counters and limits. Each
/// call of a worker is atomic, as in the kernel. What moves packets between two of them is <see cref="TestHost"/>.
/// </summary>
internal sealed class TableDatapath : IDatapath
{
    private static readonly byte[] NoOctets = [];

    private readonly Lock _call;
    private readonly Dictionary<ObjectId, uint> _slots;
    private readonly List<DatapathPort> _ports;
    private readonly Dictionary<Egress, uint> _nextHopOf;
    private readonly List<(Egress Egress, Egress[] Targets)> _nextHops;
    private readonly FlowStamp[] _stamps;
    private readonly bool[] _hasAsked;
    private readonly List<FlowKey> _scan = [];
    private readonly List<(bool IsInjected, uint Argument, byte[]? Frame)> _queue = new(256);

    public TableDatapath(int capacity = 4096)
    {
        Connections = new Dictionary<FlowKey, FlowEntry>(capacity);
        Classes = new Dictionary<(FlowMask, ushort, FlowKey), FlowEntry>(capacity);
        ConnectionsMax = capacity;
        Drops = new Dictionary<DropReason, int>(256);
        _call = new Lock();
        _slots = [];
        _ports = [default];
        _nextHopOf = [];
        _nextHops = [default];
        _stamps = [.. Enumerable.Range(0, FlowClasses.ClassesMax).Select(i => new FlowStamp((uint)i, 0, 0))];
        _hasAsked = new bool[FlowClasses.ClassesMax];
    }

    private TableDatapath(TableDatapath of)
    {
        (_call, _slots, _ports, _nextHopOf, _nextHops) =
            (of._call, of._slots, of._ports, of._nextHopOf, of._nextHops);
        (_stamps, _hasAsked, Connections, Classes) = (of._stamps, of._hasAsked, of.Connections, of.Classes);
        (Drops, ConnectionsMax, ClassesMax) = (of.Drops, of.ConnectionsMax, of.ClassesMax);
    }

    public Dictionary<FlowKey, FlowEntry> Connections { get; }

    public Dictionary<(FlowMask Mask, ushort EtherType, FlowKey Key), FlowEntry> Classes { get; }

    public Dictionary<DropReason, int> Drops { get; }

    /// <summary>What the agent did, in order: "install …", "inject", "output"; null to note nothing.</summary>
    public List<string>? Log { get; set; }

    /// <summary>Gets what the agent sends: kind, argument, frame.</summary>
    public Action<bool, uint, byte[]>? Sender { get; set; }

    public int Sent { get; private set; }

    public int ConnectionsMax { get; set; }

    public uint[] Delivered { get; } = new uint[2];

    public int ClassesMax { get; set; } = int.MaxValue;

    /// <summary>Called before each install; may bump, or refuse by an outcome of its own.</summary>
    public Func<FlowKey, InstallOutcome?>? BeforeInstall { get; set; }

    public List<uint> Rearmed { get; } = [];

    public TimeSpan Now { get; set; } = TimeSpan.FromHours(1);

    /// <summary>The same tables as another worker uses them.</summary>
    public TableDatapath Another() => new(this);

    public void Apply(TopologySnapshot topology)
    {
        foreach (VirtualPort port in topology.LocalPorts)
            Add(port.Id, IngressKind.Port, isL3: port.Role == PortRole.Uplink);
        foreach (Bridge bridge in topology.LocalBridges) Add(bridge.Id, IngressKind.Flood, isL3: false);
        foreach (Router router in topology.Parts.Routers)
        {
            if (router.SourceNat is { } nat && nat.Blocks.Any(b => b.Host == topology.LocalHost.Id))
                Add(nat.Id, IngressKind.NatReturn, isL3: true);
        }
    }

    public bool TryGetPort(uint slot, out DatapathPort port)
    {
        port = slot < _ports.Count ? _ports[(int)slot] : default;
        return port.KeyPort != 0;
    }

    public bool TryGetSlot(ObjectId id, out uint slot) => _slots.TryGetValue(id, out slot);

    public uint NextHop(in Egress egress, ReadOnlySpan<Egress> targets)
    {
        using Lock.Scope scope = _call.EnterScope();
        if (egress.Kind != EgressKind.Replicate && _nextHopOf.TryGetValue(egress, out uint index)) return index;
        for (int i = 1; i < _nextHops.Count; i++)
        {
            if (_nextHops[i].Egress == egress && targets.SequenceEqual(_nextHops[i].Targets)) return (uint)i;
        }

        _nextHops.Add((egress, targets.ToArray()));
        index = (uint)_nextHops.Count - 1;
        if (egress.Kind != EgressKind.Replicate) _nextHopOf.Add(egress, index);
        return index;
    }

    public bool TryGetNextHop(uint nextHop, out Egress egress)
    {
        using Lock.Scope scope = _call.EnterScope();
        egress = nextHop < _nextHops.Count ? _nextHops[(int)nextHop].Egress : default;
        return egress.Kind != EgressKind.None;
    }

    public Egress[] TargetsOf(uint nextHop) => _nextHops[(int)nextHop].Targets;

    public int ConnectionsMaxOf(bool isIpv4) => ConnectionsMax;

    public uint FlowsDelivered(bool isIpv4) => Delivered[isIpv4 ? 0 : 1];

    public InstallOutcome InstallNew(in FlowKey key, in FlowAction action)
    {
        using Lock.Scope scope = _call.EnterScope();
        return Connections.ContainsKey(key) ? InstallOutcome.Exists : Install(key, action);
    }

    /// <summary>Entries that deliveries may still make, by key port and family; none: any number.</summary>
    public Dictionary<(uint KeyPort, bool IsIpv4), int> Credits { get; } = [];

    public void CreditFlows(uint keyPort, bool isIpv4, int room) => Credits[(keyPort, isIpv4)] = room;

    public InstallOutcome Install(in FlowKey key, in FlowAction action)
    {
        using Lock.Scope scope = _call.EnterScope();
        if (BeforeInstall?.Invoke(key) is { } refused) return refused;
        if (action.Stamp != Stamp(action.Stamp.ClassId)) return InstallOutcome.Stale;
        bool isKnown = Connections.TryGetValue(key, out FlowEntry old);
        if (!isKnown && Connections.Count >= ConnectionsMax) return InstallOutcome.Full;
        Connections[key] = isKnown
            ? old with { Action = action, LastSeen = Now }
            : new FlowEntry(key, action, 0, 0, Now, Now, 0);
        Log?.Add($"install {key.Source} > {key.Destination} {action.State} {action.Verdict}");
        return InstallOutcome.Installed;
    }

    public InstallOutcome InstallClass(FlowMask mask, ushort etherType, in FlowKey key, in FlowAction action)
    {
        using Lock.Scope scope = _call.EnterScope();
        if (action.Stamp != Stamp(action.Stamp.ClassId)) return InstallOutcome.Stale;
        FlowKey masked = Masked(mask, key);
        if (Classes.Count >= ClassesMax && !Classes.ContainsKey((mask, etherType, masked))) return InstallOutcome.Full;
        Classes[(mask, etherType, masked)] = new FlowEntry(masked, action, 0, 0, Now, Now, 0);
        return InstallOutcome.Installed;
    }

    public bool Remove(in FlowKey key)
    {
        using Lock.Scope scope = _call.EnterScope();
        return Connections.Remove(key);
    }

    public bool TryFind(in FlowKey key, out FlowEntry entry)
    {
        using Lock.Scope scope = _call.EnterScope();
        return Connections.TryGetValue(key, out entry);
    }

    /// <summary>First fragments that the kernel has seen.</summary>
    public Dictionary<FragmentId, FirstFragment> Firsts { get; } = [];

    /// <summary>Called when the agent asks for a first fragment, before it is answered.</summary>
    public Action? BeforeFindFirst { get; set; }

    public bool TryFindFirst(in DatapathPort port, in PacketHeader later, out FirstFragment first)
    {
        BeforeFindFirst?.Invoke();
        return Firsts.TryGetValue(FragmentId.Of(port.KeyPort, later), out first);
    }

    public int Scan(Span<FlowEntry> entries, ref ulong cursor)
    {
        if (cursor == 0)
        {
            _scan.Clear();
            _scan.AddRange(Connections.Keys);
        }

        int count = 0;
        while (count < entries.Length && cursor < (ulong)_scan.Count)
        {
            if (Connections.TryGetValue(_scan[(int)cursor++], out FlowEntry entry)) entries[count++] = entry;
        }

        if (cursor == (ulong)_scan.Count) cursor = 0;
        return count;
    }

    public void SweepClasses(Span<bool> classesInUse)
    {
        foreach (((FlowMask, ushort, FlowKey) key, FlowEntry entry) in Classes)
        {
            uint id = entry.Action.Stamp.ClassId;
            if (entry.Action.Stamp != Stamp(id)) Classes.Remove(key); // allowed while enumerating
            else classesInUse[(int)id] = true;
        }
    }

    public FlowStamp Stamp(uint classId) => _stamps[classId];

    public void Bump(uint classId, bool isHard)
    {
        FlowStamp old = _stamps[classId];
        _stamps[classId] = isHard ? old with { Hard = old.Hard + 1 } : old with { Soft = old.Soft + 1 };
        if (!isHard) _hasAsked[classId] = false;
    }

    public void Rearm(uint classId)
    {
        _hasAsked[classId] = false;
        Rearmed.Add(classId);
    }

    public Action? BeforeFlush { get; set; }

    public int InstallNew(ReadOnlySpan<FlowWrite> writes, out InstallOutcome refusal)
    {
        refusal = InstallOutcome.Installed;
        for (int i = 0; i < writes.Length; i++)
        {
            refusal = InstallNew(writes[i].Key, writes[i].Action);
            if (refusal != InstallOutcome.Installed) return i;
        }

        return writes.Length;
    }

    public int Inject(uint slot, ReadOnlySpan<byte> frame, in FrameOffload offload) => Queue(true, slot, frame);

    public void Output(uint nextHop, ReadOnlySpan<byte> frame, in FrameOffload offload) => Queue(false, nextHop, frame);

    public void Cancel(int ticket) => _queue[ticket] = default;

    public void Flush()
    {
        BeforeFlush?.Invoke();
        int count = _queue.Count;
        for (int i = 0; i < count; i++)
        {
            (bool IsInjected, uint Argument, byte[]? Frame) item = _queue[i];
            if (item.Frame is null) continue;
            Sent++;
            Log?.Add(item.IsInjected ? "inject" : "output");
            Sender?.Invoke(item.IsInjected, item.Argument, item.Frame);
        }

        _queue.RemoveRange(0, count);
    }

    private int Queue(bool isInjected, uint argument, ReadOnlySpan<byte> frame)
    {
        _queue.Add((isInjected, argument, Sender is null ? NoOctets : frame.ToArray()));
        return _queue.Count - 1;
    }

    public void CountDrop(uint slot, DropReason reason)
    {
        using Lock.Scope scope = _call.EnterScope();
        Drops[reason] = Drops.GetValueOrDefault(reason) + 1;
    }

    /// <summary>What the kernel finds for a packet: exact first, then by class, narrow masks after wide ones.</summary>
    /// <param name="key">Its key.</param>
    /// <param name="packet">Its headers, for counters.</param>
    /// <param name="action">The action, if current.</param>
    /// <param name="state">State of the entry, also a stale one.</param>
    /// <param name="asks">Class that asks for revalidation, 0 none.</param>
    /// <param name="isKnown">Whether there was an exact entry at all.</param>
    public bool TryJudge(
        in FlowKey key,
        in PacketHeader packet,
        out FlowAction action,
        out ConnectionState state,
        out uint asks,
        out bool isKnown)
    {
        (action, state, asks) = (default, ConnectionState.None, 0);
        isKnown = Connections.TryGetValue(key, out FlowEntry entry);
        if (isKnown)
        {
            state = entry.Action.State;
            if (entry.Action.Verdict == FlowVerdict.Upcall || !IsCurrent(entry, ref asks)) return false;
            Connections[key] = Counted(entry, packet);
            action = entry.Action;
            return true;
        }

        foreach (FlowMask mask in Enum.GetValues<FlowMask>())
        {
            (FlowMask, ushort, FlowKey) masked = (mask, (ushort)packet.EtherType, Masked(mask, key));
            if (!Classes.TryGetValue(masked, out entry) || !IsCurrent(entry, ref asks)) continue;
            Classes[masked] = Counted(entry, packet);
            action = entry.Action;
            return true;
        }

        return false;
    }

    /// <summary>The receiver's part of the commit bit, as <c>commit.h</c> has it.</summary>
    /// <returns>Why there is no state, None if there is.</returns>
    public DropReason Commit(in DatapathPort port, in PacketHeader packet)
    {
        bool isIp = packet.IsIpv4 || packet.IsIpv6;
        if (!isIp || packet.IsIcmpError || packet.Fragment == FragmentKind.Later) return DropReason.None;
        FlowKey key = FlowKey.Of(port.KeyPort, packet.Reversed(), port.IsL3) with { Fragment = FragmentKind.None };
        bool isThere = Connections.TryGetValue(key, out FlowEntry entry);
        if (isThere && !FlowTimeouts.IsNegative(entry))
        {
            Connections[key] = entry with { LastSeen = Now };
            return DropReason.None;
        }

        (uint, bool) account = (port.KeyPort, key.Source.IsIpv4);
        (uint, bool) total = (0, key.Source.IsIpv4);
        if (!isThere && Credits.GetValueOrDefault(account, int.MaxValue) <= 0) return DropReason.FlowQuota;
        if (!isThere && Credits.GetValueOrDefault(total, int.MaxValue) <= 0) return DropReason.FlowQuota;
        if (!isThere && Connections.Count >= ConnectionsMax) return DropReason.ConnTableFull;
        if (!isThere && Credits.TryGetValue(account, out int room)) Credits[account] = room - 1;
        if (!isThere && Credits.TryGetValue(total, out int rest)) Credits[total] = rest - 1;
        if (!isThere) Delivered[key.Source.IsIpv4 ? 0 : 1]++;
        FlowAction action = new() { Verdict = FlowVerdict.Upcall, State = ConnectionState.Reply };
        Connections[key] = new FlowEntry(key, action, 0, 0, Now, Now, 0);
        return DropReason.None;
    }

    private void Add(ObjectId id, IngressKind kind, bool isL3)
    {
        if (!_slots.TryAdd(id, (uint)_ports.Count)) return;
        _ports.Add(new DatapathPort(kind, id, (uint)_ports.Count, isL3));
    }

    private bool IsCurrent(in FlowEntry entry, ref uint asks)
    {
        FlowStamp stamp = entry.Action.Stamp;
        if (stamp.ClassId == 0) return true;
        FlowStamp now = Stamp(stamp.ClassId);
        if (now.Hard != stamp.Hard) return false;
        if (now.Soft != stamp.Soft && !_hasAsked[stamp.ClassId])
        {
            _hasAsked[stamp.ClassId] = true;
            asks = stamp.ClassId;
        }

        return true;
    }

    private FlowEntry Counted(in FlowEntry entry, in PacketHeader packet)
    {
        byte seen = 0;
        if ((packet.TcpFlags & TcpFlags.Syn) != TcpFlags.None) seen |= FlowTimeouts.TcpSeenSyn;
        if ((packet.TcpFlags & TcpFlags.Fin) != TcpFlags.None) seen |= FlowTimeouts.TcpSeenFin;
        if ((packet.TcpFlags & TcpFlags.Rst) != TcpFlags.None) seen |= FlowTimeouts.TcpSeenRst;
        if ((packet.TcpFlags & TcpFlags.Ack) != TcpFlags.None) seen |= FlowTimeouts.TcpSeenAck;
        bool isPastSyn = (packet.TcpFlags & (TcpFlags.Ack | TcpFlags.Syn | TcpFlags.Rst)) == TcpFlags.Ack;
        if (isPastSyn) seen |= FlowTimeouts.TcpSeenBeyondSyn;
        int kept = entry.TcpSeen;
        if ((seen & FlowTimeouts.TcpSeenRst) == 0) kept &= ~FlowTimeouts.TcpSeenRst;
        if ((seen & (FlowTimeouts.TcpSeenSyn | FlowTimeouts.TcpSeenRst)) == FlowTimeouts.TcpSeenSyn)
            kept &= ~FlowTimeouts.TcpSeenFin;
        return entry with
        {
            Packets = entry.Packets + 1,
            Octets = entry.Octets + (ulong)packet.LengthOctets,
            LastSeen = Now,
            TcpSeen = (byte)(kept | seen),
        };
    }

    private static FlowKey Masked(FlowMask mask, in FlowKey key)
    {
        FlowKey masked = new(key.KeyPort, default, default, default, 0, 0, default, default, default);
        if (mask >= FlowMask.L2)
            masked = masked with { DestinationMac = key.DestinationMac, SourceMac = key.SourceMac };
        if (mask >= FlowMask.L3Destination) masked = masked with { Destination = key.Destination };
        if (mask >= FlowMask.L3) masked = masked with { Source = key.Source };
        if (mask >= FlowMask.L4Destination)
        {
            masked = masked with
            {
                Protocol = key.Protocol,
                DestinationPort = key.DestinationPort,
                Fragment = key.Fragment,
            };
        }

        return masked;
    }
}
