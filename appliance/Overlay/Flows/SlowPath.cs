using System;
using System.Collections.Generic;
using Genkan.Nat;
using Genkan.Overlay.Simulation;
using Genkan.Overlay.Topology;
using Genkan.Wire;

namespace Genkan.Overlay.Flows;

/// <summary>
/// The agent's packet loop without its I/O: takes what the kernel sends up, simulates it, installs the flow and sends
/// the packet back. One thread; no allocation per packet.
/// </summary>
/// <remarks>
/// A reply that will enter on this host too is simulated together with the first packet, and its entry is written
/// first: a connection then costs one upcall, and no reply can come before its entry.
/// </remarks>
public sealed partial class SlowPath
{
    private readonly IDatapath _datapath;
    private readonly NatTable _nat;
    private readonly FlowClasses _classes;
    private readonly IConnections _connections;
    private readonly SimulationResult _result = new();
    private readonly SimulationResult _replyResult = new();
    private readonly HashSet<ObjectId> _zones = [];
    private readonly byte[] _scratch = new byte[FlowLimits.RewrittenFrameMax];
    private TopologySnapshot _topology;
    private SlowPathCounters _counters;

    /// <summary>Wires the loop.</summary>
    /// <param name="datapath">The kernel's tables.</param>
    /// <param name="nat">Translations of this host.</param>
    /// <param name="classes">Flow classes.</param>
    /// <param name="topology">First topology.</param>
    public SlowPath(IDatapath datapath, NatTable nat, FlowClasses classes, TopologySnapshot topology)
    {
        _datapath = datapath;
        _nat = nat;
        _classes = classes;
        _topology = topology;
        _connections = new TableConnections(datapath);
        RevokeTranslations(topology);
    }

    /// <summary>The topology that packets are simulated against.</summary>
    public TopologySnapshot Topology => _topology;

    /// <summary>What this loop has done so far.</summary>
    public ref readonly SlowPathCounters Counters => ref _counters;

    /// <summary>Drop verdicts in the connection table, about: the sweep counts them anew.</summary>
    internal int Negatives { get; set; }

    /// <summary>Takes a new topology: kernel tables first, then the flows that depended on what changed.</summary>
    /// <returns>Flow classes that became stale.</returns>
    public int Apply(TopologySnapshot topology)
    {
        TopologySnapshot old = _topology;
        _topology = topology;
        RevokeTranslations(topology);
        _datapath.Apply(topology);
        return _classes.Bump(TopologyDiff.ChangedTags(old, topology), _datapath);
    }

    /// <summary>Simulates a packet without sending or installing anything.</summary>
    /// <param name="ingress">Where it would enter.</param>
    /// <param name="packet">Its headers.</param>
    /// <param name="frame">Its octets.</param>
    /// <param name="result">Filled; set <see cref="SimulationResult.Trace"/> before.</param>
    public void Trace(in Ingress ingress, in PacketHeader packet, ReadOnlySpan<byte> frame, SimulationResult result) =>
        Simulator.Simulate(_topology, _connections, _nat, ingress, packet, frame, _datapath.Now, result);

    /// <summary>Handles one packet that the kernel sent up.</summary>
    /// <param name="upcall">What the kernel says of it.</param>
    /// <param name="frame">Its octets, without the 802.1Q tag.</param>
    public void Handle(in Upcall upcall, ReadOnlySpan<byte> frame)
    {
        _counters.Upcalls++;
        if (!_datapath.TryGetPort(upcall.Slot, out DatapathPort port))
        {
            _datapath.CountDrop(upcall.Slot, DropReason.PortUnknown);
            return;
        }

        PacketFault fault = PacketHeader.TryDecode(frame, out PacketHeader packet);
        if (fault != PacketFault.None)
        {
            _datapath.CountDrop(upcall.Slot, DropReasons.Of(fault));
            return;
        }

        packet.VlanTci = (ushort)upcall.Offload.VlanTci;
        if (upcall.Kind == UpcallKind.Follower && TryFollow(upcall, port, packet, frame)) return;

        Ingress ingress = new(port.Kind, port.Object, upcall.State, upcall.Offload.SegmentOctets);
        _counters.Simulations++;
        Simulator.Simulate(_topology, _connections, _nat, ingress, packet, frame, _datapath.Now, _result);
        Perform(upcall, port, packet, frame);
    }

    private void Perform(in Upcall upcall, in DatapathPort port, in PacketHeader packet, ReadOnlySpan<byte> frame)
    {
        switch (_result.Verdict)
        {
            case SimulationVerdict.Forward:
                Forward(upcall, port, packet, frame);
                break;
            case SimulationVerdict.Drop:
                Drop(upcall, port, packet);
                break;
            case SimulationVerdict.Answer:
                _datapath.CountDrop(upcall.Slot, DropReason.Answered);
                SendAnswer(_result.AnswerEgress);
                break;
            case SimulationVerdict.ForwardTranslated:
                SendAnswer(_result.Egress);
                break;
            case SimulationVerdict.Consume:
                _datapath.CountDrop(upcall.Slot, DropReason.Answered);
                break;
        }
    }

    private void Forward(in Upcall upcall, in DatapathPort port, in PacketHeader packet, ReadOnlySpan<byte> frame)
    {
        uint nextHop = _datapath.NextHop(_result.Egress, _result.Targets);
        if (nextHop == 0)
        {
            _datapath.CountDrop(upcall.Slot, DropReason.NoList);
            return;
        }

        if (upcall.Kind is UpcallKind.HopLimit or UpcallKind.TooBig)
        {
            // The kernel could not forward it and the simulation could: the flow changed meanwhile. The sender tries
            // again.
            _datapath.CountDrop(upcall.Slot, DropReason.ReinjectMiss);
            return;
        }

        if (!_result.IsCacheable)
        {
            SendRewritten(upcall, packet, frame, nextHop);
            return;
        }

        InstallOutcome outcome = Install(upcall.State, port, packet, nextHop);
        if (outcome == InstallOutcome.Installed)
        {
            if (upcall.Kind != UpcallKind.Revalidate) _datapath.Inject(upcall.Slot, frame, upcall.Offload);
            return;
        }

        _counters.InstallsRefused++;
        _datapath.CountDrop(upcall.Slot, outcome == InstallOutcome.Full
            ? DropReason.ConnTableFull : DropReason.ReinjectMiss);
    }

    /// <summary>Writes the reply's entry if the reply enters here, then the packet's own; undoes the first if the
    /// second fails.</summary>
    private InstallOutcome Install(ConnectionState found, in DatapathPort port, in PacketHeader packet, uint nextHop)
    {
        FlowAction action = FlowTranslator.Action(packet, _result, nextHop, StampOf(_result));
        FlowKey key = FlowKey.Of(port.KeyPort, packet, port.IsL3);
        if (FlowTranslator.TryGetMask(_result, out FlowMask mask))
        {
            return _datapath.InstallClass(mask, (ushort)packet.EtherType, key, action);
        }

        NatBinding binding = _result.Binding;
        bool isRetained = binding.Zone != 0 && !IsHeld(found, key, binding) && _nat.Retain(binding);
        FlowKey reply = default;
        bool hasReply = _result.State == ConnectionState.Forward && TryInstallReply(packet, out reply);
        InstallOutcome outcome = _datapath.Install(key, action);
        if (outcome == InstallOutcome.Installed)
        {
            _counters.Installs++;
            return outcome;
        }

        if (hasReply) _datapath.Remove(reply);
        if (isRetained) _nat.Release(binding, _datapath.Now);
        return outcome;
    }

    /// <summary>Whether the entry that is about to be replaced holds the translation already.</summary>
    private bool IsHeld(ConnectionState found, in FlowKey key, in NatBinding binding) =>
        found == ConnectionState.Forward
        && _datapath.TryFind(key, out FlowEntry old)
        && SourceBinding.TryFind(_topology, _nat, key, old.Action, out NatBinding held)
        && held == binding;

    private bool TryInstallReply(in PacketHeader packet, out FlowKey key)
    {
        key = default;
        if (!ReplyIngress.TryFind(
                _topology,
                _datapath,
                _result.Egress,
                _result.Packet.Source,
                _result.Packet.SourcePort,
                out Ingress ingress,
                out DatapathPort port))
        {
            return false;
        }

        PacketHeader reply = ReplyIngress.ReplyOf(packet, _result.Packet, port);
        reply.HopLimit = byte.MaxValue;
        Simulator.Simulate(
            _topology, _connections, _nat, ingress, reply, ReadOnlySpan<byte>.Empty, _datapath.Now, _replyResult);
        if (_replyResult.Verdict != SimulationVerdict.Forward) return false;

        uint nextHop = _datapath.NextHop(_replyResult.Egress, _replyResult.Targets);
        if (nextHop == 0) return false;

        key = FlowKey.Of(port.KeyPort, reply, port.IsL3);
        FlowAction action = FlowTranslator.Action(reply, _replyResult, nextHop, StampOf(_replyResult));
        return _datapath.Install(key, action) == InstallOutcome.Installed;
    }

    private void Drop(in Upcall upcall, in DatapathPort port, in PacketHeader packet)
    {
        _datapath.CountDrop(upcall.Slot, _result.DropReason);
        if (_result.AnswerLength > 0) SendAnswer(_result.AnswerEgress);
        if (!_result.IsCacheable || (!packet.IsIpv4 && !packet.IsIpv6)) return;
        if (Negatives >= FlowLimits.NegativeEntriesMax) return;

        FlowKey key = FlowKey.Of(port.KeyPort, packet, port.IsL3);
        ReleaseReplaced(upcall.State, key);
        FlowAction action = new()
        {
            Verdict = FlowVerdict.Drop,
            DropReason = _result.DropReason,
            Stamp = StampOf(_result),
            // A refused reply stays a reply: when the rules open again, the connection goes on.
            State = upcall.State,
        };
        if (_datapath.Install(key, action) == InstallOutcome.Installed) Negatives++;
    }

    /// <summary>A drop verdict takes the place of a translated connection: its translation loses that
    /// connection.</summary>
    private void ReleaseReplaced(ConnectionState found, in FlowKey key)
    {
        if (found == ConnectionState.Forward
            && _datapath.TryFind(key, out FlowEntry old)
            && SourceBinding.TryFind(_topology, _nat, key, old.Action, out NatBinding binding))
        {
            _nat.Release(binding, _datapath.Now);
        }
    }

    private void SendAnswer(in Egress egress)
    {
        uint nextHop = _datapath.NextHop(egress, _result.Targets);
        if (nextHop == 0) return;
        _counters.Answers++;
        _datapath.Output(nextHop, _result.Answer, default);
    }

    /// <summary>Sends a packet whose fate hangs on more than its key: rewritten here, this once.</summary>
    private void SendRewritten(in Upcall upcall, in PacketHeader packet, ReadOnlySpan<byte> frame, uint nextHop)
    {
        if (frame.Length > _scratch.Length || upcall.Offload.SegmentOctets != 0)
        {
            _datapath.CountDrop(upcall.Slot, DropReason.UpcallTooBig);
            return;
        }

        Span<byte> copy = _scratch.AsSpan(0, frame.Length);
        frame.CopyTo(copy);
        PacketRewriter.Apply(copy, packet, _result.Packet);
        _datapath.Output(nextHop, copy, default);
    }

    private bool TryFollow(in Upcall upcall, in DatapathPort port, in PacketHeader packet, ReadOnlySpan<byte> frame)
    {
        if (!_datapath.TryFind(FlowKey.Of(port.KeyPort, packet, port.IsL3), out FlowEntry entry)) return false;
        switch (entry.Action.Verdict)
        {
            case FlowVerdict.Forward:
                _datapath.Inject(upcall.Slot, frame, upcall.Offload);
                return true;
            case FlowVerdict.Drop:
                _datapath.CountDrop(upcall.Slot, entry.Action.DropReason);
                return true;
            default:
                return false;
        }
    }

    private FlowStamp StampOf(SimulationResult result) => _datapath.Stamp(_classes.Intern(result.Tags));

    private sealed class TableConnections(IDatapath datapath) : IConnections
    {
        public ConnectionState Find(in Ingress ingress, in PacketHeader packet)
        {
            if (!datapath.TryGetSlot(ingress.Object, out uint slot)) return ConnectionState.None;
            if (!datapath.TryGetPort(slot, out DatapathPort port)) return ConnectionState.None;
            FlowKey key = FlowKey.Of(port.KeyPort, packet, port.IsL3);
            return datapath.TryFind(key, out FlowEntry entry) ? entry.Action.State : ConnectionState.None;
        }
    }
}
