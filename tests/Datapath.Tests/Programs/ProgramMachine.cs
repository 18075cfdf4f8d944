using System;
using System.Collections.Generic;
using System.Runtime.InteropServices;
using Genkan.Datapath.Bpf;
using Genkan.Datapath.Layout;
using Genkan.Datapath.Native;
using Genkan.Datapath.Rings;
using Genkan.Overlay.Flows;
using Genkan.Testing.Kernel;
using Genkan.Wire;
using Shouldly;

namespace Genkan.Datapath.Tests.Programs;

/// <summary>Where a program of the test build sent a packet (verdict.h).</summary>
public enum Outcome : byte
{
    None = 0,
    Drop = 1,
    Port = 2,
    Peer = 3,
    Tunnel = 4,
    Neighbour = 5,
    Replicate = 6,
    Local = 7,
    Upcall = 8,
    Answer = 9,
}

/// <summary>What a run left in cb[], and the frame.</summary>
internal sealed record Verdict(int Code, Outcome Outcome, DropReason Reason, byte[] Frame)
{
    public uint GroupPolicy { get; init; }

    public uint NextHop { get; init; }

    public uint Ifindex { get; init; }

    public uint TunnelKey { get; init; }

    public int Vlan { get; init; }

    public int Port { get; init; }

    public PacketHeader Header
    {
        get
        {
            PacketHeader.TryDecode(Frame, out PacketHeader header).ShouldBe(PacketFault.None);
            return header;
        }
    }
}

/// <summary>A frame that the agent would get.</summary>
internal sealed record UpcallRecord(UpcallHeader Header, byte[] Frame);

/// <summary>
/// All programs in the test build over one set of tables. Loading takes the verifier a while, so the tests share it,
/// one after the
/// other, and each begins by emptying it.
/// </summary>
public sealed class ProgramMachine : IDisposable
{
    public const string Collection = "kernel programs";
    public const int ConnMax = 64;
    public const ulong Seed = 0x0123_4567_89AB_CDEF;
    public const ushort VxlanPort = 4790;
    public const uint VxlanIfindex = 77;

    private const int RingOctets = 256 * 1024;
    private const int SlotMax = 64; // what tests use of the arrays

    private static readonly string[] Objects =
        ["from_port", "from_tunnel", "from_uplink", "from_host", "from_agent", "from_underlay"];

    private readonly BpfProgramSet _set;
    private readonly List<RingBuffer> _control = [];
    private readonly List<RingBuffer> _data = [];
    private readonly List<(string Outer, int Cpu, BpfMap Ring)> _rings = [];
    private readonly MmapArray<PortEntry> _ports;
    private readonly MmapArray<NexthopEntry> _nextHops;
    private readonly MmapArray<DeliveryEntry> _deliveries;
    private readonly MmapArray<GenerationEntry> _generations;
    private readonly MmapArray<ReplicationEntry> _replications;
    private readonly MmapArray<BudgetEntry> _budgets;
    private readonly MmapArray<FlowCreditEntry> _credits;
    private readonly MmapArray<SettingsEntry> _settings;
    private readonly PerCpuArray<PortStats> _portStats;
    private readonly PerCpuArray<ulong> _dropStats;
    private bool _areRingsWhole = true;

    public ProgramMachine()
    {
        Netns.DemandRoot();
        _set = BpfProgramSet.Load(new BpfProgramSetOptions
        {
            Objects = Objects,
            TestVariant = true,
            MaxEntries = new Dictionary<string, uint>(StringComparer.Ordinal)
            {
                ["conn4"] = ConnMax,
                ["conn6"] = ConnMax,
                ["class"] = ConnMax,
            },
        });
        _ports = new(_set.Map("ports"));
        _nextHops = new(_set.Map("nexthop"));
        _deliveries = new(_set.Map("delivery"));
        _generations = new(_set.Map("generation"));
        _replications = new(_set.Map("replication"));
        _budgets = new(_set.Map("budget"));
        _credits = new(_set.Map("flow_credit"));
        _settings = new(_set.Map("settings"));
        _portStats = new(_set.Map("port_stats"));
        _dropStats = new(_set.Map("drop_stats"));
        AddRings("upcall_control", _control);
        AddRings("upcall_data", _data);
    }

    public void Dispose()
    {
        foreach (RingBuffer ring in _control) ring.Dispose();
        foreach (RingBuffer ring in _data) ring.Dispose();
        _ports.Dispose();
        _nextHops.Dispose();
        _deliveries.Dispose();
        _generations.Dispose();
        _replications.Dispose();
        _budgets.Dispose();
        _credits.Dispose();
        _settings.Dispose();
        _set.Dispose();
    }

    internal ref PortEntry Port(int slot) => ref _ports[slot];

    internal ref NexthopEntry NextHop(int index) => ref _nextHops[index];

    internal ref DeliveryEntry Delivery(int slot) => ref _deliveries[slot];

    internal ref GenerationEntry Generation(int classId) => ref _generations[classId];

    internal ref ReplicationEntry Replication(int index) => ref _replications[index];

    internal ref BudgetEntry Budget(int index) => ref _budgets[index];

    /// <summary>Flows whose first packet is on its way to the agent.</summary>
    internal int PendingCount() => CountOf<ulong, ulong>("pending");

    internal ref FlowCreditEntry Credit(int slot) => ref _credits[slot];

    internal ref SettingsEntry Settings => ref _settings[0];

    internal BpfTable<TKey, TValue> Table<TKey, TValue>(string name)
        where TKey : unmanaged
        where TValue : unmanaged => _set.Table<TKey, TValue>(name);

    internal BpfProgram Program(string name) => _set.Program(name);

    /// <summary>Empties every table and ring.</summary>
    /// <param name="countedSlots">Slots that have counted since the last reset: many system calls for each.</param>
    internal void Reset(int countedSlots = SlotMax)
    {
        Clear<LinkKey, uint>("link");
        Clear<Conn4Key, ConnEntry>("conn4");
        Clear<Conn6Key, ConnEntry>("conn6");
        Clear<ClassKey, ConnEntry>("class");
        Clear<NeighbourKey, NeighbourEntry>("neighbour");
        Clear<NatOwnerKey, uint>("nat_owner");
        Clear<LocalServiceKey, LocalServiceEntry>("local_service");
        Clear<DestinationKey, DestinationEntry>("destination");
        Clear<VtepKey, VtepEntry>("vtep");
        Clear<FragmentKey, FragmentEntry>("fragment");
        Clear<FragmentKey, FragmentEntry>("fragment_outside");
        Clear<ulong, ulong>("pending");
        for (int i = 0; i < SlotMax; i++)
        {
            (_ports[i], _nextHops[i], _deliveries[i], _generations[i]) = (default, default, default, default);
            (_replications[i], _budgets[i], _budgets[LayoutLimits.BudgetDestinationAt + i]) =
                (default, default, default);
            (_budgets[LayoutLimits.BudgetTotalAt + i], _credits[i]) = (default, default);
        }

        for (int i = 0; i < countedSlots; i++)
        {
            Put("fragment_share", (uint)i, 0UL);
            _portStats.Write(i, default).ShouldBe(Errno.None);
            for (int reason = 0; reason < LayoutLimits.DropReasonMax; reason++)
                _dropStats.Write((i * LayoutLimits.DropReasonMax) + reason, 0).ShouldBe(Errno.None);
        }
        _settings[0] = new SettingsEntry { VxlanIfindex = VxlanIfindex, VxlanPort = VxlanPort, DigestSeed = Seed };
        if (!_areRingsWhole) PutRings();
        Drain(_control);
        Drain(_data);
    }

    /// <summary>Until the next reset there is no room for the agent's records.</summary>
    /// <param name="rings"><c>upcall_control</c> or <c>upcall_data</c>.</param>
    internal void TakeRoom(string rings)
    {
        _areRingsWhole = false;
        BpfTable<uint, uint> outer = _set.Table<uint, uint>(rings);
        for (uint cpu = 0; cpu < BpfSyscall.PossibleCpuCount; cpu++)
            outer.Delete(cpu).ShouldBeOneOf(Errno.None, Errno.ENOENT);
    }

    internal void Put<TKey, TValue>(string table, TKey key, TValue value)
        where TKey : unmanaged
        where TValue : unmanaged => _set.Table<TKey, TValue>(table).Update(key, value).ShouldBe(Errno.None);

    internal void Link(int slot, uint ifindex = 1, uint vlan = 0) =>
        Put("link", new LinkKey { Ifindex = ifindex, Vlan = vlan }, (uint)slot);

    /// <summary>Installs a connection as the agent does.</summary>
    internal void Flow(FlowKey key, FlowAction action)
    {
        if (key.Source.IsIpv4)
        {
            Conn4Key key4 = Conn4Key.Of(key);
            Put("conn4", key4, ConnEntry.Of(action, KeyDigest.Of(key4, Seed), 1, 0));
        }
        else
        {
            Conn6Key key6 = Conn6Key.Of(key);
            Put("conn6", key6, ConnEntry.Of(action, KeyDigest.Of(key6, Seed), 1, 0));
        }
    }

    /// <summary>Removes a connection, as the agent's sweep does.</summary>
    internal void Forget(FlowKey key) => (key.Source.IsIpv4
        ? _set.Table<Conn4Key, ConnEntry>("conn4").Delete(Conn4Key.Of(key))
        : _set.Table<Conn6Key, ConnEntry>("conn6").Delete(Conn6Key.Of(key))).ShouldBe(Errno.None);

    /// <summary>Installs a class, and tells the port that it has such ones.</summary>
    internal void Class(int slot, FlowMask mask, EtherType type, FlowKey key, FlowAction action)
    {
        ClassKey classKey = ClassKey.Of(mask, (ushort)type, key);
        Put("class", classKey, ConnEntry.Of(action, KeyDigest.Of(classKey, Seed), 1, 0));
        _ports[slot].ClassMasks |= (ushort)(1 << (int)mask);
    }

    /// <summary>The connection's entry; the test fails if there is none.</summary>
    internal ConnEntry Entry(FlowKey key)
    {
        TryEntry(key, out ConnEntry entry).ShouldBeTrue("no such connection");
        return entry;
    }

    internal bool TryEntry(FlowKey key, out ConnEntry entry) => key.Source.IsIpv4
        ? _set.Table<Conn4Key, ConnEntry>("conn4").TryLookup(Conn4Key.Of(key), out entry)
        : _set.Table<Conn6Key, ConnEntry>("conn6").TryLookup(Conn6Key.Of(key), out entry);

    /// <summary>The entry of a fragment's datagram; the test fails if there is none.</summary>
    internal FragmentEntry Datagram(byte[] fragment, uint keyPort, bool isOutside = false)
    {
        PacketHeader.TryDecode(fragment, out PacketHeader header).ShouldBe(PacketFault.None);
        _set.Table<FragmentKey, FragmentEntry>(isOutside ? "fragment_outside" : "fragment")
            .TryLookup(FragmentKey.Of(keyPort, header), out FragmentEntry entry).ShouldBeTrue("no such datagram");
        return entry;
    }

    /// <summary>Datagrams in pieces that a table holds.</summary>
    internal int Datagrams(bool isOutside = false) =>
        CountOf<FragmentKey, FragmentEntry>(isOutside ? "fragment_outside" : "fragment");

    internal void PutDatagram(byte[] fragment, uint keyPort, FragmentEntry entry)
    {
        PacketHeader.TryDecode(fragment, out PacketHeader header).ShouldBe(PacketFault.None);
        Put("fragment", FragmentKey.Of(keyPort, header), entry);
    }

    internal ulong Drops(int slot, DropReason reason)
    {
        _dropStats.Read((slot * LayoutLimits.DropReasonMax) + (int)reason, out ulong count).ShouldBe(Errno.None);
        return count;
    }

    internal PortStats Stats(int slot)
    {
        _portStats.Read(slot, out PortStats stats).ShouldBe(Errno.None);
        return stats;
    }

    internal VtepEntry Vtep(IpAddress address)
    {
        _set.Table<VtepKey, VtepEntry>("vtep").TryLookup(VtepKey.Of(address), out VtepEntry entry).ShouldBeTrue();
        return entry;
    }

    /// <summary>Runs a program once.</summary>
    internal Verdict Run(string program, byte[] frame, SkBuffContext context = default) =>
        Run(program, frame, context, out _);

    /// <inheritdoc cref="Run(string, byte[], SkBuffContext)" />
    internal Verdict Run(string program, byte[] frame, SkBuffContext context, out uint markAfter)
    {
        BpfTestResult result = BpfTestRun.Run(_set.Program(program), frame, context);
        markAfter = result.Context.Mark;
        SkBuffContext.ControlWords cb = result.Context.Cb;
        return new Verdict(result.Verdict, (Outcome)(byte)(cb[0] >> 8), (DropReason)(byte)cb[0], result.Packet)
        {
            GroupPolicy = cb[0] >> 16,
            NextHop = cb[1],
            Ifindex = cb[2],
            TunnelKey = cb[3],
            Vlan = (ushort)cb[4],
            Port = (int)(cb[4] >> 16),
        };
    }

    /// <summary>A packet from the tunnel: what a test run cannot give stands in cb[].</summary>
    internal Verdict RunTunnel(byte[] frame, uint key, IpAddress from, uint? groupPolicy)
    {
        SkBuffContext context = default;
        context.Cb[0] = key | (1u << 31);
        context.Cb[1] = groupPolicy is { } policy ? policy | (1u << 31) : 0;
        context.Cb[2] = NetworkOrder.Of(from);
        return Run("from_tunnel", frame, context);
    }

    /// <summary>Takes what the agent would have got since the last call.</summary>
    internal IReadOnlyList<UpcallRecord> TakeControl() => Drain(_control);

    /// <inheritdoc cref="TakeControl" />
    internal IReadOnlyList<UpcallRecord> TakeData() => Drain(_data);

    private static List<UpcallRecord> Drain(List<RingBuffer> rings)
    {
        List<UpcallRecord> records = [];
        foreach (RingBuffer ring in rings)
        {
            while (ring.TryRead(out ReadOnlySpan<byte> record))
            {
                UpcallHeader header = MemoryMarshal.Read<UpcallHeader>(record);
                records.Add(new UpcallRecord(header, record.Slice(64, (int)header.Captured).ToArray()));
                ring.Advance();
            }
        }
        return records;
    }

    private void PutRings()
    {
        foreach ((string name, int cpu, BpfMap ring) in _rings) new BpfMapOfMaps(_set.Map(name)).Set(cpu, ring);
        _areRingsWhole = true;
    }

    private void AddRings(string name, List<RingBuffer> rings)
    {
        BpfMapOfMaps outer = new(_set.Map(name));
        for (int cpu = 0; cpu < BpfSyscall.PossibleCpuCount; cpu++)
        {
            BpfMap ring = RingBuffer.CreateMap($"{name[7..]}{cpu}", RingOctets);
            outer.Set(cpu, ring);
            _rings.Add((name, cpu, ring));
            rings.Add(new RingBuffer(ring));
        }
    }

    private int CountOf<TKey, TValue>(string name)
        where TKey : unmanaged
        where TValue : unmanaged
    {
        BpfTable<TKey, TValue> table = _set.Table<TKey, TValue>(name);
        int count = 0;
        BpfBatchCursor cursor = default;
        (TKey[] keys, TValue[] values) = (new TKey[4096], new TValue[4096]);
        while (!cursor.Finished)
        {
            table.LookupBatch(ref cursor, keys, values, out int read).ShouldBe(Errno.None);
            count += read;
        }

        return count;
    }

    private void Clear<TKey, TValue>(string name)
        where TKey : unmanaged
        where TValue : unmanaged
    {
        BpfTable<TKey, TValue> table = _set.Table<TKey, TValue>(name);
        while (table.TryGetFirstKey(out TKey key)) table.Delete(key).ShouldBe(Errno.None);
    }
}

/// <summary>Tests of programs take turns.</summary>
[CollectionDefinition(ProgramMachine.Collection)]
public sealed class ProgramMachineCollection : ICollectionFixture<ProgramMachine>;
