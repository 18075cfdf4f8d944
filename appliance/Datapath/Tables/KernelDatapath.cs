using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Threading;
using Genkan.Datapath.Bpf;
using Genkan.Datapath.Layout;
using Genkan.Datapath.Migration;
using Genkan.Datapath.Native;
using Genkan.Datapath.Startup;
using Genkan.Overlay.Flows;
using Genkan.Overlay.Simulation;
using Genkan.Overlay.Topology;
using Genkan.Wire;

namespace Genkan.Datapath.Tables;

/// <summary>
/// The kernel's tables, programs and devices of one host. Everything is pinned: disposing of this, or dying, stops no
/// traffic, and the next one on the same host goes on with the same slots, next hops and connections. One thread uses
/// it, in the host's network namespace; each thread that handles packets has a <see cref="DatapathWorker"/> of it.
/// </summary>
public sealed partial class KernelDatapath : IDatapath, IDisposable
{
    private readonly KernelDatapathOptions _options;
    private readonly HostLock? _lock;
    private readonly HostDevices _devices;
    private readonly UplinkDevices _uplinks;
    private readonly KernelTables _tables;
    private readonly BudgetTable _budgets;
    private readonly PortTable _ports;
    private readonly NextHopTable _nextHops;
    private readonly DeliveryTable _deliveries;
    private readonly Generations _generations;
    private readonly ConnectionTable _connections;
    private readonly FragmentTable _fragments;
    private readonly MmapArray<FlowCreditEntry> _credits;
    private readonly ClassTable _classes;
    private readonly NeighbourTable _neighbours;
    private readonly NatOwnerTable _natOwners;
    private readonly ServiceTable _services;
    private readonly DestinationTable _destinations;
    private readonly VtepTable _vteps;
    private readonly Statistics _statistics;
    private readonly Lazy<Attachments> _attachments; // a rehearsal attaches nothing
    private readonly LinkWatch _watch;
    private readonly Injector _injector;
    private readonly AgentDrops _drops;
    private readonly MmapArray<InstallEntry> _installs;
    private readonly Heartbeat _heartbeat = new();
    private readonly LongPackets _longPackets;
    private HostPlan? _plan;
    private bool _hasOldSlots;

    private KernelDatapath(
        KernelDatapathOptions options, HostLock? hostLock, HostDevices devices, KernelTables tables, int sendIfindex)
    {
        (_options, _lock, _devices, _tables) = (options, hostLock, devices, tables);
        BpfProgramSet set = tables.Set;
        TagSource tags = new(tables.Settings.DigestSeed);
        _uplinks = new UplinkDevices(devices);
        _longPackets = new LongPackets(tables);
        _budgets = new BudgetTable(set.Map("budget"));
        _ports = new PortTable(set.Map("ports"), set.Map("link"), _budgets);
        _nextHops =
            new NextHopTable(set.Map("nexthop"), set.Map("replication"), _ports)
            {
                CollectUsed = CollectNextHops,
                TunnelMtu = (uint)devices.TenantMtuMax,
            };
        _deliveries = new DeliveryTable(set.Map("delivery"), _ports);
        _generations = new Generations(set.Map("generation"));
        _connections = new ConnectionTable(set.Map("conn4"), set.Map("conn6"), _generations, tags);
        _fragments = new FragmentTable(set.Map("fragment"), set.Map("fragment_outside"));
        _credits = new MmapArray<FlowCreditEntry>(set.Map("flow_credit"));
        _classes = new ClassTable(set.Map("class"), _generations, tags, _ports);
        _neighbours = new NeighbourTable(set.Map("neighbour"), _ports);
        _natOwners = new NatOwnerTable(set.Map("nat_owner"), _nextHops);
        _services = new ServiceTable(set.Map("local_service"), _budgets);
        _destinations = new DestinationTable(set.Map("destination"), _budgets);
        _vteps = new VtepTable(set.Map("vtep"), _budgets);
        _drops = new AgentDrops(set.Map("agent_drops"));
        _statistics = new Statistics(set.Map("port_stats"), set.Map("drop_stats"), _drops, _ports, _budgets);
        _attachments = new Lazy<Attachments>(() => new Attachments(options.LinkDirectory, options.Attach));
        _watch = new LinkWatch(options.UnderlayAddress);
        _injector = new Injector(sendIfindex, _drops);
        _installs = new MmapArray<InstallEntry>(set.Map("install"));
        Workers = [.. Enumerable.Range(0, options.Workers).Select(i => MakeWorker(i, sendIfindex))];
        Shares = new BudgetShares(_budgets);
        _hasOldSlots = tables.IsAdopted;
    }

    /// <summary>The tables as each worker uses them; between them they read all rings.</summary>
    public IReadOnlyList<DatapathWorker> Workers { get; }

    /// <summary>What the programs send up to the first worker, which is all if there is no other.</summary>
    public UpcallReader Upcalls => Workers[0].Upcalls;

    /// <summary>Budgets, and how the agent shares itself out by them.</summary>
    public BudgetShares Shares { get; }

    /// <summary>How programs are attached.</summary>
    public AttachMode AttachMode => _attachments.Value.Mode;

    /// <summary>Whether a former agent's tables were taken over: its connections go on.</summary>
    public bool IsAdopted => _tables.IsAdopted;

    /// <summary>Names of the former agent's tables that had another layout and were carried over; empty as a
    /// rule.</summary>
    public IReadOnlyList<string> MigratedTables => _tables.Migrated;

    /// <summary>
    /// Gives the packets that waited in rings of another layout, in their order. They are older than what
    /// <see cref="Upcalls"/> holds.
    /// </summary>
    /// <param name="handle">Handles one.</param>
    /// <returns>How many there were.</returns>
    public int HandleUnread(UpcallHandler handle)
    {
        foreach (UnreadUpcall unread in _tables.Unread) handle(new UpcallFrame(unread.Header, unread.Frame));
        return _tables.Unread.Count;
    }

    /// <summary>Largest IP packet of a tenant that fits the tunnels (underlay MTU less 50 octets, on IPv6 less
    /// 70).</summary>
    public int TenantMtuMax => _devices.TenantMtuMax;

    /// <summary>Longest packet that the underlay's interface sends.</summary>
    public int UnderlayMtu => _devices.UnderlayMtuOctets;

    /// <summary>Notes what the path to another host carries: ICMP errors, cutting and MSS follow. Any thread may
    /// call.</summary>
    /// <param name="peer">Its underlay address.</param>
    /// <param name="octets">Longest packet of the underlay that arrives there, at most
    /// <see cref="UnderlayMtu"/>.</param>
    public void SetPeerMtu(IpAddress peer, int octets)
    {
        _nextHops.SetPeerMtu(peer, (uint)(octets - (UnderlayMtu - TenantMtuMax)));
        _longPackets.Follow(_nextHops.NarrowestTunnelMtu());
    }

    /// <summary>Octets of the longest packet that every way out takes, 0 if all take what IPv6 asks of a
    /// link.</summary>
    internal int MtuAlways => _tables.Settings.MtuAlways;

    /// <inheritdoc/>
    public TimeSpan Now => MonotonicClock.Now;

    /// <summary>Brings a host's data plane up, or takes over the one that is there.</summary>
    /// <exception cref="DatapathException">The host lacks something, or another agent runs; the message says what to
    /// do.</exception>
    /// <exception cref="KernelException">The kernel refused a call.</exception>
    public static KernelDatapath Start(KernelDatapathOptions options)
    {
        Preconditions.Demand();
        HostLock hostLock = TakeLock(options);
        HostDevices? devices = null;
        KernelTables? tables = null;
        try
        {
            devices = new HostDevices();
            devices.Ensure(options.UnderlayAddress, options.VxlanPort);
            tables = KernelTables.Load(options);
            if (tables.IsAdopted && tables.Settings.VxlanPort != options.VxlanPort)
            {
                devices.ReplaceTunnel(options.UnderlayAddress, options.VxlanPort);
            }

            KernelDatapath datapath = new(options, hostLock, devices, tables, devices.AgentSendIfindex);
            datapath.WriteSettings();
            return datapath;
        }
        catch
        {
            tables?.Dispose();
            devices?.Dispose();
            hostLock.Dispose();
            throw;
        }
    }

    /// <summary>Removes everything that agents left on a host: programs, tables, devices. Its traffic ends.</summary>
    /// <exception cref="DatapathException">An agent runs.</exception>
    public static void Remove(KernelDatapathOptions options)
    {
        using HostLock hostLock = TakeLock(options);
        using HostDevices devices = new();
        devices.Refresh();
        if (Directory.Exists(options.PinDirectory))
        {
            using Attachments attachments = new(options.LinkDirectory, options.Attach);
            attachments.Begin(devices.Links.Values);
            attachments.Commit(); // nothing is wanted
        }

        BpfFileSystem.RemovePinDirectory(options.PinDirectory);
        devices.RemoveAll();
    }

    /// <inheritdoc/>
    public bool TryGetPort(uint slot, out DatapathPort port) => _ports.TryGetPort(slot, out port);

    /// <inheritdoc/>
    public bool TryGetSlot(ObjectId id, out uint slot) => _ports.TryGetSlot(id, out slot);

    /// <inheritdoc/>
    public uint NextHop(in Egress egress, ReadOnlySpan<Egress> targets) => _nextHops.Of(egress, targets);

    /// <inheritdoc/>
    public bool TryGetNextHop(uint nextHop, out Egress egress) => _nextHops.TryGet(nextHop, out egress);

    /// <inheritdoc/>
    public int ConnectionsMaxOf(bool isIpv4) => (int)(isIpv4 ? _connections.MaxEntries4 : _connections.MaxEntries6);

    /// <inheritdoc/>
    public InstallOutcome InstallNew(in FlowKey key, in FlowAction action) => _connections.InstallNew(key, action);

    /// <inheritdoc/>
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

    /// <inheritdoc/>
    public void CreditFlows(uint keyPort, bool isIpv4, int room)
    {
        ref FlowCreditEntry credit = ref _credits[(int)keyPort];
        uint limit = Volatile.Read(ref isIpv4 ? ref credit.Made4 : ref credit.Made6) + (uint)room;
        if (limit == 0) limit--; // 0 says unlimited
        Volatile.Write(ref isIpv4 ? ref credit.Limit4 : ref credit.Limit6, limit);
    }

    /// <inheritdoc/>
    public uint FlowsDelivered(bool isIpv4) =>
        isIpv4 ? Volatile.Read(ref _credits[0].Made4) : Volatile.Read(ref _credits[0].Made6);

    /// <inheritdoc/>
    public InstallOutcome Install(in FlowKey key, in FlowAction action) => _connections.Install(key, action);

    /// <inheritdoc/>
    public InstallOutcome InstallClass(FlowMask mask, ushort etherType, in FlowKey key, in FlowAction action) =>
        _classes.Install(mask, etherType, key, action);

    /// <inheritdoc/>
    public bool Remove(in FlowKey key) => _connections.Remove(key);

    /// <inheritdoc/>
    public bool TryFind(in FlowKey key, out FlowEntry entry) => _connections.TryFind(key, out entry);

    /// <inheritdoc/>
    public bool TryFindFirst(in DatapathPort port, in PacketHeader later, out FirstFragment first) =>
        _fragments.TryFindFirst(port, later, out first);

    /// <inheritdoc/>
    public int Scan(Span<FlowEntry> entries, ref ulong cursor) => _connections.Scan(entries, ref cursor);

    /// <inheritdoc/>
    public void SweepClasses(Span<bool> classesInUse) => _classes.Sweep(classesInUse);

    /// <inheritdoc/>
    public FlowStamp Stamp(uint classId) => _generations.Stamp(classId);

    /// <inheritdoc/>
    public void Bump(uint classId, bool isHard) => _generations.Bump(classId, isHard);

    /// <summary>Lets a class ask for revalidation again: its last event was answered.</summary>
    public void Rearm(uint classId) => _generations.Rearm(classId);

    /// <inheritdoc/>
    public Action? BeforeFlush
    {
        get => _injector.BeforeFlush;
        set => _injector.BeforeFlush = value;
    }

    /// <inheritdoc/>
    public int Inject(uint slot, ReadOnlySpan<byte> frame, in FrameOffload offload) =>
        _injector.Queue(MarkKind.AsIfFromPort, slot, frame, offload);

    /// <inheritdoc/>
    public void Cancel(int ticket) => _injector.Cancel(ticket);

    /// <inheritdoc/>
    public void Output(uint nextHop, ReadOnlySpan<byte> frame, in FrameOffload offload) =>
        _injector.Queue(MarkKind.Output, nextHop, frame, offload);

    /// <inheritdoc/>
    public void Flush() => _injector.Flush();

    /// <inheritdoc/>
    public void CountDrop(uint slot, DropReason reason) => _drops.Count(slot, reason);

    /// <summary>Takes back next hops that no flow uses, if a table of them was found full. No worker handles packets
    /// meanwhile.</summary>
    public void Reclaim()
    {
        if (_nextHops.IsReclaimWanted) _nextHops.Reclaim();
    }

    /// <summary>Whether <see cref="Reclaim"/> has something to do.</summary>
    public bool IsReclaimWanted => _nextHops.IsReclaimWanted;

    /// <summary>
    /// Tells the programs that the agent lives. It belongs into the loop that serves packets, and nowhere else: a loop
    /// that hangs must be seen to. After 10 s without it nothing crosses between external segments.
    /// </summary>
    public void Beat() => _heartbeat.Beat(ref _tables.Settings.HeartbeatNs);

    /// <summary>How long ago the last beat was.</summary>
    public TimeSpan HeartbeatAge => Heartbeat.Age(ref _tables.Settings.HeartbeatNs);

    /// <summary>The longest time between two beats since the start, the one that lasts included.</summary>
    public TimeSpan HeartbeatGapMax => _heartbeat.GapMax(ref _tables.Settings.HeartbeatNs);

    /// <summary>Counters of every slot in use and of slot 0.</summary>
    public IReadOnlyList<PortStatistics> ReadPortStatistics() => _statistics.ReadAll();

    /// <summary>Counters of one slot.</summary>
    public PortStatistics ReadPortStatistics(uint slot) => _statistics.Read(slot);

    /// <summary>Frames of the agent that the kernel did not take.</summary>
    public ulong InjectRefusedTotal =>
        Workers.Aggregate(_injector.RefusedCount, static (sum, worker) => sum + worker.InjectRefusedCount);

    /// <summary>Octets of kernel memory that all tables take, the rings too; docs/capacity.md says what is to be
    /// expected.</summary>
    public ulong ReadTableMemory() => _tables.ReadMemory();

    /// <summary>How full the tables are.</summary>
    public IReadOnlyList<TableOccupancy> ReadOccupancy() =>
    [
        new("conn4", _connections.Count4, _connections.MaxEntries4),
        new("conn6", _connections.Count6, _connections.MaxEntries6),
        new("class", _classes.Count, _classes.MaxEntries),
        new("nexthop", _nextHops.Count, _nextHops.Max),
        new("replication", _nextHops.ListCount, _nextHops.ListMax),
        new("delivery", _deliveries.Count, _deliveries.Max),
        new("link", _ports.LinkCount, _ports.LinkMax),
        new("neighbour", _neighbours.Table.Count, _neighbours.Table.MaxEntries),
        new("nat_owner", _natOwners.Table.Count, _natOwners.Table.MaxEntries),
        new("local_service", _services.Table.Count, _services.Table.MaxEntries),
        new("destination", _destinations.Table.Count, _destinations.Table.MaxEntries),
        new("vtep", _vteps.Table.Count, _vteps.Table.MaxEntries),
    ];

    /// <inheritdoc/>
    public void Dispose()
    {
        _injector.Dispose();
        _watch.Dispose();
        foreach (DatapathWorker worker in Workers) worker.Dispose();
        _installs.Dispose();
        if (_attachments.IsValueCreated) _attachments.Value.Dispose();
        _generations.Dispose();
        _deliveries.Dispose();
        _nextHops.Dispose();
        _ports.Dispose();
        _budgets.Dispose();
        _credits.Dispose();
        _drops.Dispose();
        _tables.Dispose();
        _devices.Dispose();
        _lock?.Dispose();
    }

    private static HostLock TakeLock(KernelDatapathOptions options) =>
        HostLock.TryTake(options.LockPath, out HostLock? taken, out string? problem)
            ? taken
            : throw new DatapathException(problem);

    /// <summary>As the public one, with a worker's own memory.</summary>
    internal int InstallNew(
        ReadOnlySpan<FlowWrite> writes, InstallRoom room, out InstallOutcome refusal) =>
        _connections.InstallNew(writes, room, out refusal);

    private DatapathWorker MakeWorker(int index, int sendIfindex) => new(
        this,
        new UpcallReader(
            _tables.Set.Map("upcall_control"),
            _tables.Set.Map("upcall_data"),
            index,
            _options.Workers,
            _options.RingOctets),
        new Injector(sendIfindex, _drops),
        _drops,
        new InstallRoom(_installs, _tables.Set.Program("install_new"), index));

    private void WriteSettings()
    {
        ref SettingsEntry settings = ref _tables.Settings;
        settings.VxlanIfindex = _devices.VxlanIfindex;
        settings.AgentIfindex = _devices.AgentIfindex;
        settings.VxlanPort = _options.VxlanPort;
        Beat();
        _tables.Seal();
    }

    private void CollectNextHops(HashSet<uint> used)
    {
        _connections.Purge((uint _, in ConnAction action) =>
        {
            used.Add(action.Nexthop);
            return false;
        });
        _classes.CollectNextHops(used);
    }
}
