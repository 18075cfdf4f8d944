using System;
using Genkan.Nat;
using Genkan.Overlay.Simulation;
using Genkan.Overlay.Topology;
using Genkan.Wire;
using Genkan.Wire.Dhcp;

namespace Genkan.Overlay.Flows;

/// <summary>
/// One worker of the agent's packet loop, without its I/O: takes what the kernel sends up, simulates it, installs the
/// flow and sends the packet back. No allocation and no lock per packet.
/// </summary>
/// <remarks>
/// A reply that will enter on this host too is simulated together with the first packet, and its entry is written
/// first: a connection then costs one upcall, and no reply can come before its entry.
/// <para>
/// New connections of a batch are kept back and written in one call of the kernel, the frames that need them after
/// that in another: at the latest when the frames are flushed (<see cref="IDatapath.BeforeFlush"/>). Whatever reads
/// the connection table has them written before (<c>Settle</c>).
/// </para>
/// <para>
/// Workers, one a core, run <see cref="Handle"/> in parallel: each has its own results, scratch memory, counters and
/// way into the kernel. What they share stands in <see cref="SlowPathState"/> and is safe for that: lock-free, counted
/// by interlocked operations, or behind a short lock of its own. The caller sees to it that the other methods
/// (<see cref="Apply(TopologySnapshot)"/>, <see cref="Adopt"/>, a turn of <see cref="FlowSweeper"/>) run only while no
/// worker is between a <see cref="Handle"/> and the flush of its batch: so within a batch the topology, the
/// generations of classes and the time of translations stand still.
/// </para>
/// <para>
/// Two workers may have first packets of one connection at the same time, or its two directions. The table says who
/// added an entry; who finds one there replaces it under the locks of the connection (<see cref="FlowLocks"/>). A
/// translation is held once for each entry of the table that uses it: whoever writes one has counted it before, and
/// ends the count of the entry that it replaced.
/// </para>
/// </remarks>
public sealed partial class SlowPath
{
    private readonly IDatapath _datapath;
    private readonly SlowPathState _shared;
    private readonly NatTable _nat;
    private readonly FlowClasses _classes;
    private readonly IConnections _connections;
    private readonly SimulationResult _result = new();
    private readonly SimulationResult _replyResult = new();
    private readonly byte[] _scratch = new byte[FlowLimits.RewrittenFrameMax];
    private SlowPathCounters _counters;

    /// <summary>Makes the first worker of an agent, with the state that all share.</summary>
    /// <param name="datapath">The kernel's tables, as this worker uses them.</param>
    /// <param name="nat">Translations of this host.</param>
    /// <param name="classes">Flow classes.</param>
    /// <param name="topology">First topology.</param>
    /// <param name="seed">Where identifications begin; secret and new with each start of an agent.</param>
    public SlowPath(
        IDatapath datapath, NatTable nat, FlowClasses classes, TopologySnapshot topology, ulong seed = 0)
        : this(datapath, new SlowPathState(datapath, nat, classes, topology, seed)) => RevokeTranslations(topology);

    /// <summary>Makes another worker over the state of the first one; before the first packet.</summary>
    /// <param name="first">A worker.</param>
    /// <param name="datapath">The same tables, as this worker uses them.</param>
    public SlowPath(SlowPath first, IDatapath datapath)
        : this(datapath, first._shared)
    {
    }

    private SlowPath(IDatapath datapath, SlowPathState shared)
    {
        _datapath = datapath;
        _shared = shared;
        _nat = shared.Nat;
        _classes = shared.Classes;
        _connections = new TableConnections(this);
        datapath.BeforeFlush = Settle;
        shared.Join(this);
    }

    /// <summary>The topology that packets are simulated against.</summary>
    public TopologySnapshot Topology => _shared.Topology;

    /// <summary>What this worker has done so far.</summary>
    public ref readonly SlowPathCounters Counters => ref _counters;

    /// <summary>What all workers have done so far; any thread may ask.</summary>
    public SlowPathCounters TotalCounters => _shared.Total;

    /// <summary>Shares of the connection tables.</summary>
    public ConnectionQuota Quota => _shared.Quota;

    /// <summary>What comes of new flows, by the budget that paid for them.</summary>
    public FlowSamples Samples => _shared.Samples;

    /// <summary>Classes whose flows are to be simulated again.</summary>
    internal Revalidations Revalidations => _shared.Revalidations;

    /// <summary>Simulates a packet without sending or installing anything.</summary>
    /// <param name="ingress">Where it would enter.</param>
    /// <param name="packet">Its headers.</param>
    /// <param name="frame">Its octets.</param>
    /// <param name="result">Filled; set <see cref="SimulationResult.Trace"/> before.</param>
    public void Trace(in Ingress ingress, in PacketHeader packet, ReadOnlySpan<byte> frame, SimulationResult result) =>
        Simulator.Simulate(Topology, _connections, _nat, ingress, packet, frame, _datapath.Now, result);

    /// <summary>Handles one packet that the kernel sent up.</summary>
    /// <param name="upcall">What the kernel says of it.</param>
    /// <param name="frame">Its octets, without the 802.1Q tag.</param>
    public void Handle(in Upcall upcall, ReadOnlySpan<byte> frame)
    {
        _counters.Upcalls++;
        if (upcall.Kind == UpcallKind.Revalidate)
        {
            // The packet went its way; what is here may not even decode. The sweep finds the flows by their
            // generations.
            Revalidations.Ask(upcall.ClassId);
            return;
        }

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

        if (packet.Fragment != FragmentKind.None || upcall.IsLeaving)
            HandleUnusual(upcall, port, packet, frame);
        else if (upcall.Kind != UpcallKind.Follower || !TryFollow(upcall, port, packet, frame))
            Decide(upcall, port, packet, frame);
    }

    private void Decide(in Upcall upcall, in DatapathPort port, in PacketHeader packet, ReadOnlySpan<byte> frame)
    {
        if (IsToDhcpServer(packet) && !_shared.DhcpLimit.TryTake(upcall.Slot, _datapath.Now))
        {
            _datapath.CountDrop(upcall.Slot, DropReason.BudgetControl);
            return;
        }

        Ingress ingress = new(port.Kind, port.Object, upcall.State, upcall.Offload.SegmentOctets, upcall.MtuOctets);
        _counters.Simulations++;
        Simulator.Simulate(Topology, _connections, _nat, ingress, packet, frame, _datapath.Now, _result);
        Perform(upcall, port, packet, frame);
    }

    private static bool IsToDhcpServer(in PacketHeader packet) => packet.Protocol == IpProtocol.Udp
        && (packet.SourcePort, packet.DestinationPort) == (packet.IsIpv4
            ? (DhcpMessage.ClientPort, DhcpMessage.ServerPort)
            : (Dhcpv6Message.ClientPort, Dhcpv6Message.ServerPort));

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
                SendAnswer(upcall.Slot, _result.AnswerEgress);
                break;
            case SimulationVerdict.ForwardTranslated:
                SendAnswer(upcall.Slot, _result.Egress);
                break;
            case SimulationVerdict.Consume:
                _datapath.CountDrop(upcall.Slot, DropReason.Answered);
                break;
        }
    }

    private void Forward(in Upcall upcall, in DatapathPort port, in PacketHeader packet, ReadOnlySpan<byte> frame)
    {
        if (upcall.Kind is UpcallKind.HopLimit or UpcallKind.TooBig)
        {
            // The kernel could not forward it and the simulation could: the way out is narrower than its network and
            // the sender does not ask to be told (no DF), or the flow has changed meanwhile and the sender tries again.
            if (upcall.Kind == UpcallKind.TooBig) CutOrDrop(upcall, packet, frame, nextHop: 0);
            else _datapath.CountDrop(upcall.Slot, DropReason.ReinjectMiss);
            return;
        }

        if (_result.Egress.Kind == EgressKind.Replicate && !_result.IsCacheable)
        {
            SendCopies(upcall, frame);
            return;
        }

        uint nextHop = _datapath.NextHop(_result.Egress, _result.Targets);
        if (nextHop == 0)
        {
            _datapath.CountDrop(upcall.Slot, DropReason.NoList);
            return;
        }

        if (!_result.IsCacheable)
        {
            SendRewritten(upcall, packet, frame, nextHop);
            return;
        }

        FlowKey key = FlowKey.Of(port.KeyPort, packet, port.IsL3);
        bool isNew = upcall.State == ConnectionState.None;
        if (isNew && !FlowTranslator.TryGetMask(_result, out _))
        {
            Queue(upcall, key, frame, nextHop);
            return;
        }

        Settle();
        InstallOutcome outcome = Install(key, packet.EtherType, upcall.State, nextHop);
        if (outcome == InstallOutcome.Full && isNew && (packet.IsIpv4 || packet.IsIpv6))
        {
            // No room in the class table, of which nobody has a share: an exact entry does as well, and has one.
            Queue(upcall, key, frame, nextHop);
            return;
        }

        if (outcome == InstallOutcome.Installed)
        {
            Samples.Installed(upcall.Budget, key, _datapath.Now);
            Inject(upcall, frame);
        }
        else
        {
            Samples.Refused(upcall.Budget);
            Refuse(upcall.Slot, outcome);
        }
    }

    private void Refuse(uint slot, InstallOutcome outcome)
    {
        _counters.InstallsRefused++;
        _datapath.CountDrop(slot, outcome switch
        {
            InstallOutcome.Full => DropReason.ConnTableFull,
            InstallOutcome.OverQuota => DropReason.FlowQuota,
            _ => DropReason.ReinjectMiss,
        });
    }

    private void Drop(in Upcall upcall, in DatapathPort port, in PacketHeader packet)
    {
        _datapath.CountDrop(upcall.Slot, _result.DropReason);
        if (upcall.Kind == UpcallKind.Miss) Samples.Refused(upcall.Budget);
        if (_result.AnswerLength > 0) SendError(upcall);
        if (!_result.IsCacheable || (!packet.IsIpv4 && !packet.IsIpv6)) return;

        FlowKey key = FlowKey.Of(port.KeyPort, packet, port.IsL3);
        if (!Quota.TryTakeNegative(key)) return;
        FlowAction action = FlowTranslator.Action(key, _result, 0, StampOf(_result), upcall.State);

        if (!InstallDrop(key, action)) Quota.GiveBackNegative(key); // the sweep counts what took another's place
    }

    private void SendError(in Upcall upcall)
    {
        if (_shared.ErrorLimit.TryTake(upcall.Payer, _datapath.Now)) SendAnswer(upcall.Slot, _result.AnswerEgress);
        else _counters.ErrorsWithheld++;
    }

    private void SendAnswer(uint slot, in Egress egress)
    {
        uint nextHop = _datapath.NextHop(egress, []);
        if (nextHop == 0)
        {
            _datapath.CountDrop(slot, DropReason.NoList);
            return;
        }

        _counters.Answers++;
        _datapath.Output(nextHop, _result.Answer, default);
    }

    /// <summary>Copies a packet to more targets than a list of the kernel holds; its port's budget bounds how
    /// often.</summary>
    private void SendCopies(in Upcall upcall, ReadOnlySpan<byte> frame)
    {
        if (frame.Length < upcall.LengthOctets)
        {
            _datapath.CountDrop(upcall.Slot, DropReason.UpcallTooBig);
            return;
        }

        foreach (ref readonly Egress target in _result.Targets)
        {
            uint nextHop = _datapath.NextHop(target, []);
            if (nextHop == 0) _datapath.CountDrop(upcall.Slot, DropReason.NoList);
            else _datapath.Output(nextHop, frame, upcall.Offload);
        }
    }

    /// <summary>Sends a packet whose fate hangs on more than its key: rewritten here, this once.</summary>
    private void SendRewritten(in Upcall upcall, in PacketHeader packet, ReadOnlySpan<byte> frame, uint nextHop)
    {
        if (frame.Length > _scratch.Length || frame.Length < upcall.LengthOctets || upcall.Offload.SegmentOctets != 0)
        {
            _datapath.CountDrop(upcall.Slot, DropReason.UpcallTooBig);
            return;
        }

        Span<byte> copy = _scratch.AsSpan(0, frame.Length);
        frame.CopyTo(copy);
        PacketRewriter.Apply(copy, packet, _result.Packet, PacketRewriter.IsPartial(copy, packet));
        _datapath.Output(nextHop, copy, default);
    }

    /// <summary>Sends a packet on its way through the tables. A frame that came up cut must not go on as a whole
    /// one.</summary>
    /// <returns>As <see cref="IDatapath.Inject"/>.</returns>
    private int Inject(in Upcall upcall, ReadOnlySpan<byte> frame)
    {
        if (frame.Length < upcall.LengthOctets)
        {
            _datapath.CountDrop(upcall.Slot, DropReason.UpcallTooBig);
            return -1;
        }

        return _datapath.Inject(upcall.Slot, frame, upcall.Offload);
    }

    private bool TryFollow(in Upcall upcall, in DatapathPort port, in PacketHeader packet, ReadOnlySpan<byte> frame)
    {
        Settle();
        if (!_datapath.TryFind(FlowKey.Of(port.KeyPort, packet, port.IsL3), out FlowEntry entry)) return false;
        if (_datapath.Stamp(entry.Action.Stamp.ClassId).Hard != entry.Action.Stamp.Hard) return false;
        switch (entry.Action.Verdict)
        {
            case FlowVerdict.Forward:
                Inject(upcall, frame);
                return true;
            case FlowVerdict.Drop:
                _datapath.CountDrop(upcall.Slot, entry.Action.DropReason);
                return true;
            default:
                return false;
        }
    }

    private FlowStamp StampOf(SimulationResult result) => _datapath.Stamp(_classes.Intern(result.Tags));

    private sealed class TableConnections(SlowPath worker) : IConnections
    {
        public ConnectionState Find(in Ingress ingress, in PacketHeader packet)
        {
            IDatapath datapath = worker._datapath;
            if (!datapath.TryGetSlot(ingress.Object, out uint slot)) return ConnectionState.None;
            if (!datapath.TryGetPort(slot, out DatapathPort port)) return ConnectionState.None;
            worker.Settle();
            FlowKey key = FlowKey.Of(port.KeyPort, packet, port.IsL3);
            return datapath.TryFind(key, out FlowEntry entry) ? entry.Action.State : ConnectionState.None;
        }
    }
}
