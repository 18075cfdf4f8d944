using System;
using System.Collections.Generic;
using Genkan.Nat;
using Genkan.Overlay.Flows;
using Genkan.Overlay.Topology;
using Genkan.Wire;

namespace Genkan.Overlay.Simulation;

/// <summary>How a packet came in.</summary>
public enum IngressKind : byte
{
    /// <summary>At an exterior port or an uplink of this host.</summary>
    Port,

    /// <summary>A broadcast or multicast copy from another host: <see cref="Ingress.Object"/> is the bridge.</summary>
    Flood,

    /// <summary>A return packet for ports that this host owns: <see cref="Ingress.Object"/> is the
    /// <see cref="SourceNat"/>.</summary>
    NatReturn,
}

/// <summary>Where a packet enters the virtual topology, and what the kernel knew of its connection.</summary>
/// <param name="Kind">How.</param>
/// <param name="Object">Port, bridge or NAT pool, by <paramref name="Kind"/>.</param>
/// <param name="State">State of the connection entry that the kernel found (also a stale one).</param>
/// <param name="SegmentOctets">Payload octets of a segment if the frame is several in one (gso_size), else 0.</param>
/// <param name="MtuOctets">MTU of the way out if the kernel found the packet too long for it, else 0.</param>
public readonly record struct Ingress(
    IngressKind Kind, ObjectId Object, ConnectionState State, uint SegmentOctets = 0, uint MtuOctets = 0);

/// <summary>What becomes of the packet.</summary>
public enum SimulationVerdict : byte
{
    /// <summary>Dropped for <see cref="SimulationResult.DropReason"/>; <see cref="SimulationResult.AnswerLength"/> may
    /// hold an ICMP error to send back.</summary>
    Drop,

    /// <summary>Rewritten to <see cref="SimulationResult.Packet"/> and sent to
    /// <see cref="SimulationResult.Egress"/>.</summary>
    Forward,

    /// <summary>Consumed by a device, which answers with <see cref="SimulationResult.Answer"/> (ARP, ND, DHCP, ICMP
    /// echo ...). Never cached.</summary>
    Answer,

    /// <summary>Consumed without an answer (e.g. a gratuitous ARP that was checked). Never cached.</summary>
    Consume,

    /// <summary>An ICMP error whose embedded packet was translated: the whole frame is in
    /// <see cref="SimulationResult.Answer"/>, to be sent to <see cref="SimulationResult.Egress"/>. Never
    /// cached.</summary>
    ForwardTranslated,
}

/// <summary>Which way a packet leaves.</summary>
public enum EgressKind : byte
{
    /// <summary>Nowhere.</summary>
    None,

    /// <summary>An exterior port, on this host or another.</summary>
    Port,

    /// <summary>The FIB of gateway <see cref="Egress.Host"/>, into external network
    /// <see cref="Egress.Object"/>.</summary>
    FibExit,

    /// <summary>The owner <see cref="Egress.Host"/> of a port block of pool <see cref="Egress.Object"/>.</summary>
    NatReturn,

    /// <summary>Copies to <see cref="SimulationResult.Targets"/>.</summary>
    Replicate,

    /// <summary>A target of a replication: bridge <see cref="Egress.Object"/> on host
    /// <see cref="Egress.Host"/>.</summary>
    Flood,
}

/// <summary>A way out. <paramref name="Host"/> is None for <see cref="EgressKind.Port"/>: the port's binding says
/// where.</summary>
public readonly record struct Egress(EgressKind Kind, ObjectId Object, ObjectId Host = default);

/// <summary>Header fields that a simulation read; decides how wide a cache entry may be.</summary>
[Flags]
public enum FieldSet : ushort
{
    /// <summary>Only the ingress port.</summary>
    None = 0,

    /// <summary>EtherType.</summary>
    EtherType = 1 << 0,

    /// <summary>Ethernet source.</summary>
    SourceMac = 1 << 1,

    /// <summary>Ethernet destination.</summary>
    DestinationMac = 1 << 2,

    /// <summary>IP source.</summary>
    Source = 1 << 3,

    /// <summary>IP destination.</summary>
    Destination = 1 << 4,

    /// <summary>Transport protocol and fragment kind.</summary>
    Protocol = 1 << 5,

    /// <summary>Destination port, or ICMP type and code.</summary>
    DestinationPort = 1 << 6,

    /// <summary>Source port, or ICMP identifier.</summary>
    SourcePort = 1 << 7,

    /// <summary>Connection state or a translation: only an exact entry will do.</summary>
    Connection = 1 << 8,
}

/// <summary>One line of a trace: what a device made of the packet.</summary>
/// <param name="Device">Name of the device, port or chain.</param>
/// <param name="Text">What it decided, in the field's words.</param>
public readonly record struct TraceStep(string Device, string Text);

/// <summary>The outcome of one simulation. Reused from packet to packet: filled by the simulator, no
/// allocation.</summary>
public sealed class SimulationResult
{
    /// <summary>Octets of the largest frame that a device answers with.</summary>
    public const int AnswerMax = 2048;

    /// <summary>Targets of one replication.</summary>
    public const int TargetsMax = 128;

    /// <summary>Targets of a replication list of the kernel; copies to more are made by the agent, packet by
    /// packet.</summary>
    public const int KernelTargetsMax = 32;

    private readonly byte[] _answer = new byte[AnswerMax];
    private readonly ObjectId[] _tags = new ObjectId[TopologyLimits.TagsPerFlowMax];
    private readonly Egress[] _targets = new Egress[TargetsMax];
    private PacketHeader _packet;

    /// <summary>What becomes of the packet.</summary>
    public SimulationVerdict Verdict { get; set; }

    /// <summary>Reason if dropped.</summary>
    public DropReason DropReason { get; set; }

    /// <summary>The packet's headers, rewritten on the way.</summary>
    public ref PacketHeader Packet => ref _packet;

    /// <summary>Way out of the packet.</summary>
    public Egress Egress { get; set; }

    /// <summary>Routers passed.</summary>
    public byte Hops { get; set; }

    /// <summary>MTU of the network where the last router sent it, 0 none: within its own, a sender knows
    /// it.</summary>
    public ushort MtuOctets { get; set; }

    /// <summary>Direction of the connection that the flow belongs to; None if stateless.</summary>
    public ConnectionState State { get; set; }

    /// <summary>Zone of the router that translated, 0 none.</summary>
    public uint Zone { get; set; }

    /// <summary>Fields read.</summary>
    public FieldSet Fields { get; set; }

    /// <summary>
    /// Whether packets with the same key meet the same fate. False if it hung on something that no key holds: hop
    /// limit, length, ARP and ND fields, a quoted packet; and wherever the sender is told something.
    /// </summary>
    public bool IsCacheable { get; set; }

    /// <summary>
    /// The source NAT mapping by which the flow leaves, to be retained with it; <c>default</c> (zone 0) if none, and
    /// for the answering direction, which lives as long as the other.
    /// </summary>
    public NatBinding Binding { get; set; }

    /// <summary>Number of octets in <see cref="Answer"/>, 0 none.</summary>
    public int AnswerLength { get; set; }

    /// <summary>Where the answer goes.</summary>
    public Egress AnswerEgress { get; set; }

    /// <summary>Number of <see cref="Tags"/>.</summary>
    public int TagCount { get; private set; }

    /// <summary>Number of <see cref="Targets"/>.</summary>
    public int TargetCount { get; private set; }

    /// <summary>
    /// Set before a simulation to have its steps written down; null on the packet path. A traced simulation changes
    /// nothing: it makes no source NAT mapping, but shows the first port that it could have got.
    /// </summary>
    public List<TraceStep>? Trace { get; set; }

    /// <summary>Frame made by a device.</summary>
    public ReadOnlySpan<byte> Answer => _answer.AsSpan(0, AnswerLength);

    /// <summary>Room to write an answer into.</summary>
    public Span<byte> AnswerBuffer => _answer;

    /// <summary>Objects that the outcome depends on, in the order in which they were met; no doubles.</summary>
    public ReadOnlySpan<ObjectId> Tags => _tags.AsSpan(0, TagCount);

    /// <summary>Copies to make.</summary>
    public ReadOnlySpan<Egress> Targets => _targets.AsSpan(0, TargetCount);

    /// <summary>Empties the result for the next packet.</summary>
    public void Reset(in PacketHeader packet)
    {
        _packet = packet;
        Verdict = SimulationVerdict.Drop;
        DropReason = DropReason.None;
        Egress = default;
        AnswerEgress = default;
        Hops = 0;
        MtuOctets = 0;
        State = ConnectionState.None;
        Zone = 0;
        Fields = FieldSet.None;
        IsCacheable = true;
        Binding = default;
        AnswerLength = 0;
        TagCount = 0;
        TargetCount = 0;
        Trace?.Clear();
    }

    /// <summary>Notes that the outcome depends on an object.</summary>
    /// <returns>False past <see cref="TopologyLimits.TagsPerFlowMax"/>: the simulator then drops with a device
    /// loop.</returns>
    public bool TryTag(ObjectId id)
    {
        if (Tags.Contains(id)) return true;
        if (TagCount == _tags.Length) return false;
        _tags[TagCount++] = id;
        return true;
    }

    /// <summary>Adds a copy to make.</summary>
    /// <returns>False past <see cref="TargetsMax"/>.</returns>
    public bool TryAddTarget(in Egress target)
    {
        if (TargetCount == _targets.Length) return false;
        _targets[TargetCount++] = target;
        return true;
    }
}
