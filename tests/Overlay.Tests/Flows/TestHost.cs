using System;
using System.Collections.Generic;
using Genkan.Nat;
using Genkan.Overlay.Flows;
using Genkan.Overlay.Simulation;
using Genkan.Overlay.Tests.Fixtures;
using Genkan.Overlay.Topology;
using Genkan.Wire;

namespace Genkan.Overlay.Tests.Flows;

/// <summary>A host: the agent's flow parts over <see cref="TableDatapath"/>, and what the kernel's programs do between
/// them.</summary>
internal sealed class TestHost
{
    private readonly Queue<(Upcall Upcall, byte[] Frame)> _upcalls = new();
    private readonly TwoHosts _wire;
    private readonly HashSet<FragmentId> _awaited = [];

    public TestHost(TwoHosts wire, ObjectId id, TableDatapath? tables = null, TopologyParts? parts = null)
    {
        _wire = wire;
        Id = id;
        Tables = tables ?? new TableDatapath();
        Tables.Sender = (isInjected, argument, frame) => Send(isInjected, argument, frame);
        TopologySnapshot topology = Courtyard.Snapshot(id, parts ?? Courtyard.Parts);
        SlowPath = new SlowPath(Tables, Nat, Classes, topology);
        Sweeper = new FlowSweeper(Tables, Classes, SlowPath);
        Tables.Apply(topology);
    }

    public ObjectId Id { get; }

    public TableDatapath Tables { get; }

    public NatTable Nat { get; } =
        new(new NatLimits { BindingsMax = 1024, BindingsPerSourceMax = 64 }, NatTimeouts.Default, seed: 1);

    public FlowClasses Classes { get; } = new();

    public SlowPath SlowPath { get; }

    public FlowSweeper Sweeper { get; }

    /// <summary>Packets sent up since the start, revalidation events apart.</summary>
    public int Upcalls { get; private set; }

    public uint Slot(ObjectId id) =>
        Tables.TryGetSlot(id, out uint slot) ? slot : throw new ArgumentOutOfRangeException(nameof(id));

    public uint Slot(string port) => Slot(Courtyard.Port(port));

    public void Apply(TopologyParts parts) => SlowPath.Apply(Courtyard.Snapshot(Id, parts));

    /// <summary>One whole pass of the sweep.</summary>
    public void Sweep()
    {
        while (!Sweeper.Turn()) continue;
    }

    /// <summary>The program of an interface, a pseudo port or the agent's veth.</summary>
    public void Enter(uint slot, byte[] frame, bool isFromTunnel = false, bool isFromAgent = false)
    {
        if (!Tables.TryGetPort(slot, out DatapathPort port)) throw new ArgumentOutOfRangeException(nameof(slot));
        PacketHeader packet = Frames.Decode(frame);
        if (packet.Fragment != FragmentKind.None && !PassesFragment(slot, port, ref packet, frame, isFromAgent)) return;
        FlowKey key = FlowKey.Of(port.KeyPort, packet, port.IsL3);
        bool isFound = Tables.TryJudge(
            key, packet, out FlowAction action, out ConnectionState state, out uint asks, out bool isKnown);
        uint length = (uint)frame.Length;
        if (asks != 0) SendUp(new Upcall(slot, UpcallKind.Revalidate, state, length, asks, default), frame[..20]);
        if (isFound)
        {
            Forward(slot, action, packet, frame, isFromTunnel || port.Kind != IngressKind.Port, isFromAgent);
            return;
        }

        if (isFromAgent)
            Tables.CountDrop(slot, DropReason.ReinjectMiss);
        else if (!isKnown && Courtyard.Port("provider/isp") == port.Object && Steer(packet, frame))
            return;
        else if (!isKnown && port.Kind == IngressKind.NatReturn && !packet.IsIcmpError)
            Tables.CountDrop(slot, DropReason.NatNoConnection);
        else
            SendUp(new Upcall(slot, UpcallKind.Miss, state, length, 0, default), frame);
    }

    // As on_fragment() of fragment.h, without its watch for overlaps.
    private bool PassesFragment(
        uint slot, in DatapathPort port, ref PacketHeader packet, byte[] frame, bool isFromAgent)
    {
        FragmentId id = FragmentId.Of(port.KeyPort, packet);
        Upcall upcall = new(slot, UpcallKind.Fragment, ConnectionState.None, (uint)frame.Length, 0, default);
        if (packet.Fragment == FragmentKind.First)
        {
            Tables.Firsts[id] = new FirstFragment(packet.Protocol, packet.SourcePort, packet.DestinationPort);
            if (_awaited.Remove(id) && !isFromAgent) SendUp(upcall, frame);
            return true;
        }

        if (Tables.Firsts.TryGetValue(id, out FirstFragment first))
        {
            packet = first.Join(packet);
            return true;
        }

        if (isFromAgent)
        {
            Tables.CountDrop(slot, DropReason.ReinjectMiss);
            return false;
        }

        _awaited.Add(id);
        SendUp(upcall, frame);
        return false;
    }

    /// <summary>A tunnel's end: a delivery to a port or out by the FIB.</summary>
    public void Deliver(in Egress egress, byte[] frame, bool isCommitted)
    {
        ObjectId target = egress.Object;
        if (egress.Kind == EgressKind.FibExit) SlowPath.Topology.TryGetLocalUplink(egress.Object, out target);
        Tables.TryGetPort(Slot(target), out DatapathPort port);
        DropReason reason = isCommitted ? Tables.Commit(port, Frames.Decode(frame)) : DropReason.None;
        if (reason != DropReason.None) Tables.CountDrop(port.KeyPort, reason);
        else _wire.Arrived.Add((target, frame));
    }

    public void Run()
    {
        while (_upcalls.TryDequeue(out (Upcall Upcall, byte[] Frame) item))
        {
            SlowPath.Handle(item.Upcall, item.Frame);
            Tables.Flush();
        }
    }

    private bool Steer(in PacketHeader packet, byte[] frame)
    {
        ushort port = packet.Protocol == IpProtocol.Icmp ? packet.SourcePort : packet.DestinationPort;
        if (!SlowPath.Topology.TryGetNatOwner(packet.Destination, port, out NatOwner owner)) return false;
        TestHost host = _wire.Of(owner.Host);
        host.Enter(host.Slot(owner.Pool), frame, isFromTunnel: host != this);
        return true;
    }

    private void SendUp(in Upcall upcall, byte[] frame)
    {
        if (upcall.Kind != UpcallKind.Revalidate) Upcalls++;
        _upcalls.Enqueue((upcall, frame));
        _wire.Wake(this);
    }

    private void Forward(
        uint slot, in FlowAction action, in PacketHeader packet, byte[] frame, bool isFromTunnel, bool isFromAgent)
    {
        if (action.Verdict == FlowVerdict.Drop)
        {
            Tables.CountDrop(slot, action.DropReason);
            return;
        }

        if (packet.HopLimit <= action.Hops && !isFromAgent)
        {
            SendUp(new Upcall(slot, UpcallKind.HopLimit, action.State, (uint)frame.Length, 0, default), frame);
            return;
        }

        byte[] copy = [.. frame];
        PacketRewriter.Apply(copy, packet, Rewritten(packet, action));
        Output(action.NextHop, copy, action.Commit, isFromTunnel);
    }

    private static PacketHeader Rewritten(in PacketHeader packet, in FlowAction action)
    {
        PacketHeader to = packet;
        if (action.Rewrites.HasFlag(Rewrites.DestinationMac)) to.EthernetDestination = action.DestinationMac;
        if (action.Rewrites.HasFlag(Rewrites.SourceMac)) to.EthernetSource = action.SourceMac;
        if (action.Rewrites.HasFlag(Rewrites.Source)) to.Source = action.Source;
        if (action.Rewrites.HasFlag(Rewrites.Destination)) to.Destination = action.Destination;
        if (action.Rewrites.HasFlag(Rewrites.SourcePort)) to.SourcePort = action.SourcePort;
        if (action.Rewrites.HasFlag(Rewrites.DestinationPort)) to.DestinationPort = action.DestinationPort;
        if (action.Rewrites.HasFlag(Rewrites.HopLimit)) to.HopLimit -= action.Hops;
        return to;
    }

    private void Send(bool isInjected, uint argument, byte[] frame)
    {
        if (isInjected) Enter(argument, frame, isFromAgent: true);
        else Output(argument, frame, isCommitted: false, isFromTunnel: false);
    }

    private void Output(uint nextHop, byte[] frame, bool isCommitted, bool isFromTunnel)
    {
        Tables.TryGetNextHop(nextHop, out Egress egress);
        if (egress.Kind == EgressKind.Replicate)
        {
            foreach (Egress target in Tables.TargetsOf(nextHop)) OutputOne(target, frame, isCommitted, isFromTunnel);
        }
        else
        {
            OutputOne(egress, frame, isCommitted, isFromTunnel);
        }
    }

    private void OutputOne(in Egress egress, byte[] frame, bool isCommitted, bool isFromTunnel)
    {
        ObjectId at = egress.Host;
        if (egress.Kind == EgressKind.Port && SlowPath.Topology.TryGetPort(egress.Object, out VirtualPort? port))
            at = port.Binding!.Host;
        TestHost host = _wire.Of(at);
        if (host != this && isFromTunnel)
            Tables.CountDrop(0, DropReason.TunnelLoop);
        else if (egress.Kind is EgressKind.NatReturn or EgressKind.Flood)
            host.Enter(host.Slot(egress.Object), frame, isFromTunnel: true);
        else
            host.Deliver(egress, frame, isCommitted && host != this);
    }
}

/// <summary>gw1 and hv1 of <see cref="Courtyard"/> with a wire between them; what leaves the overlay is kept.</summary>
internal sealed class TwoHosts
{
    private readonly List<TestHost> _awake = [];

    public TwoHosts()
    {
        Gw1 = new TestHost(this, Courtyard.Gw1);
        Hv1 = new TestHost(this, Courtyard.Hv1);
    }

    public TestHost Gw1 { get; private set; }

    public TestHost Hv1 { get; private set; }

    /// <summary>Frames that came out, by port.</summary>
    public List<(ObjectId Port, byte[] Frame)> Arrived { get; } = [];

    public TimeSpan Now
    {
        get => Gw1.Tables.Now;
        set => Gw1.Tables.Now = Hv1.Tables.Now = value;
    }

    public TestHost Of(ObjectId host) => host == Gw1.Id ? Gw1 : Hv1;

    public void Wake(TestHost host) => _awake.Add(host);

    /// <summary>Takes a topology on both hosts.</summary>
    public void Apply(TopologyParts parts)
    {
        Gw1.Apply(parts);
        Hv1.Apply(parts);
    }

    /// <summary>A new agent on hv1 over the tables that the old one left.</summary>
    /// <returns>Connections that could not be kept.</returns>
    public int RestartHv1(TopologyParts parts)
    {
        Hv1 = new TestHost(this, Courtyard.Hv1, Hv1.Tables, parts);
        int lost = 0;
        foreach (FlowEntry entry in new List<FlowEntry>(Hv1.Tables.Connections.Values))
        {
            if (!Hv1.SlowPath.Adopt(entry)) lost++;
        }

        Hv1.Sweeper.RevalidateAll();
        return lost;
    }

    /// <summary>Sends a frame in at a port and runs everything to its end.</summary>
    /// <returns>What came out last, as "port: source port
    /// > destination port", or the drop reasons that were counted.</returns>
    public string Send(string port, byte[] frame)
    {
        Arrived.Clear();
        Gw1.Tables.Drops.Clear();
        Hv1.Tables.Drops.Clear();
        TestHost host = Gw1.Tables.TryGetSlot(Courtyard.Port(port), out uint slot) ? Gw1 : Hv1;
        host.Enter(host == Gw1 ? slot : Hv1.Slot(port), frame);
        for (int i = 0; i < _awake.Count; i++) _awake[i].Run();
        _awake.Clear();
        List<string> lines = [];
        foreach ((ObjectId at, byte[] out_) in Arrived)
        {
            PacketHeader p = Frames.Decode(out_);
            string name = Gw1.SlowPath.Topology.NameOf(at);
            lines.Add($"{name}: {p.Source} {p.SourcePort} > {p.Destination} {p.DestinationPort}");
        }

        foreach (DropReason reason in Gw1.Tables.Drops.Keys) lines.Add($"gw1 {reason}");
        foreach (DropReason reason in Hv1.Tables.Drops.Keys) lines.Add($"hv1 {reason}");
        return string.Join("; ", lines);
    }

    /// <summary>The frame that came out last.</summary>
    public byte[] Last => Arrived[^1].Frame;
}
