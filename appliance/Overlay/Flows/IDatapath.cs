using System;
using Genkan.Overlay.Simulation;
using Genkan.Overlay.Topology;
using Genkan.Wire;

namespace Genkan.Overlay.Flows;

/// <summary>What the agent knows of a slot of the kernel's port table.</summary>
/// <param name="Kind">How packets of this slot enter the topology.</param>
/// <param name="Object">Port, bridge or NAT pool.</param>
/// <param name="KeyPort">Slot used in flow keys.</param>
/// <param name="IsL3">Whether its flow keys carry no MACs.</param>
public readonly record struct DatapathPort(IngressKind Kind, ObjectId Object, uint KeyPort, bool IsL3);

/// <summary>An entry of the connection table as the agent reads it back.</summary>
/// <param name="Key">Its key.</param>
/// <param name="Action">Its action.</param>
/// <param name="Packets">Packets so far (segments of GSO frames counted).</param>
/// <param name="Octets">Octets so far.</param>
/// <param name="LastSeen">Time of the last packet, since boot (CLOCK_MONOTONIC).</param>
/// <param name="Created">Time of the install.</param>
/// <param name="TcpSeen">Flags seen: 1 SYN, 2 FIN, 4 RST, 8 ACK, 16 ACK beyond the SYN.</param>
public readonly record struct FlowEntry(
    FlowKey Key, FlowAction Action, ulong Packets, ulong Octets, TimeSpan LastSeen, TimeSpan Created, byte TcpSeen);

/// <summary>An entry to be written.</summary>
/// <param name="Key">Its key.</param>
/// <param name="Action">Its action.</param>
public readonly record struct FlowWrite(FlowKey Key, FlowAction Action);

/// <summary>How an install went.</summary>
public enum InstallOutcome : byte
{
    /// <summary>In the table.</summary>
    Installed,

    /// <summary>The table is full.</summary>
    Full,

    /// <summary>The port, its tenant, or the address from outside holds its share; never the kernel's answer.</summary>
    OverQuota,

    /// <summary>The stamp is older than the class's generation: the topology has moved on, simulate again.</summary>
    Stale,

    /// <summary>The kernel refused for another reason; counted.</summary>
    Failed,

    /// <summary>An entry with that key is there: what was to be new is not.</summary>
    Exists,
}

/// <summary>Segmentation of a frame that goes back to the kernel whole.</summary>
/// <param name="SegmentOctets">Payload octets of a segment (gso_size), 0 for a plain frame.</param>
/// <param name="VlanTci">802.1Q TCI | 0x10000 if the frame carried a tag, else 0.</param>
public readonly record struct FrameOffload(uint SegmentOctets, uint VlanTci);

/// <summary>What the first fragment of a datagram says of all of them.</summary>
/// <param name="Protocol">Transport protocol.</param>
/// <param name="SourcePort">Port, or ICMP echo identifier.</param>
/// <param name="DestinationPort">Port, or ICMP type &lt;&lt; 8 | code.</param>
public readonly record struct FirstFragment(IpProtocol Protocol, ushort SourcePort, ushort DestinationPort)
{
    /// <summary>A later fragment with the ports of its first one: it has the flow key of the whole datagram, but no
    /// transport header of its own (<see cref="PacketHeader.TransportAt"/> stays -1).</summary>
    public PacketHeader Join(in PacketHeader later) => later with
    {
        Fragment = FragmentKind.First,
        Protocol = Protocol,
        SourcePort = SourcePort,
        DestinationPort = DestinationPort,
    };
}

/// <summary>
/// The kernel's tables and ports, as one worker uses them: each has one of its own, with its own queue of frames, over
/// the same tables. What reads the topology's or writes the flows' tables is safe for workers in parallel, and
/// allocates nothing per packet. <see cref="Apply"/>, <see cref="Scan"/>, <see cref="SweepClasses"/>,
/// <see cref="Bump"/> and <see cref="Rearm"/> are for the thread that has all workers stand still.
/// </summary>
public interface IDatapath
{
    /// <summary>Time since boot (CLOCK_MONOTONIC), the clock of every time stamp here.</summary>
    TimeSpan Now { get; }

    /// <summary>Brings ports, next hops, deliveries, VTEPs, neighbours, NAT owners, services and budgets of this host
    /// in line with
    /// a topology. Slots and next hops of objects that stay keep their numbers.</summary>
    void Apply(TopologySnapshot topology);

    /// <summary>What stands in a port slot.</summary>
    bool TryGetPort(uint slot, out DatapathPort port);

    /// <summary>The slot of a port, bridge (flood) or NAT pool of this host.</summary>
    bool TryGetSlot(ObjectId id, out uint slot);

    /// <summary>Index of the next hop for a way out, made on first use; 0 if there can be none (table full, host
    /// unknown).</summary>
    /// <param name="egress">Way out.</param>
    /// <param name="targets">Targets of a replication, else empty.</param>
    uint NextHop(in Egress egress, ReadOnlySpan<Egress> targets);

    /// <summary>The way out that a next hop stands for; false for one that this process did not make or find in the
    /// topology.</summary>
    bool TryGetNextHop(uint nextHop, out Egress egress);

    /// <summary>Entries that the connection table of a family holds at most.</summary>
    int ConnectionsMaxOf(bool isIpv4);

    /// <summary>Adds an entry to the connection table, unless there is one with that key: of several workers that do
    /// so, one is told that it was the first.</summary>
    InstallOutcome InstallNew(in FlowKey key, in FlowAction action);

    /// <summary>Adds entries to the connection table in their order, up to the first that is refused.</summary>
    /// <param name="writes">Entries, at most <see cref="FlowLimits.WriteBatch"/>.</param>
    /// <param name="refusal">Why the one after the last written was refused, else <c>Installed</c>.</param>
    /// <returns>How many were written.</returns>
    int InstallNew(ReadOnlySpan<FlowWrite> writes, out InstallOutcome refusal);

    /// <summary>Lets deliveries from other hosts make so many more state-only entries for a key port; for port 0, for
    /// all ports together.</summary>
    void CreditFlows(uint keyPort, bool isIpv4, int room);

    /// <summary>State-only entries that deliveries have made so far; runs around.</summary>
    uint FlowsDelivered(bool isIpv4);

    /// <summary>Writes an entry of the connection table; replaces one with the same key, keeping its
    /// counters.</summary>
    InstallOutcome Install(in FlowKey key, in FlowAction action);

    /// <summary>Writes an entry of the class table; key fields outside the mask are ignored.</summary>
    InstallOutcome InstallClass(FlowMask mask, ushort etherType, in FlowKey key, in FlowAction action);

    /// <summary>Removes an entry of the connection table.</summary>
    /// <returns>Whether it was there.</returns>
    bool Remove(in FlowKey key);

    /// <summary>Finds an entry of the connection table.</summary>
    bool TryFind(in FlowKey key, out FlowEntry entry);

    /// <summary>What the kernel knows of the datagram that a later fragment belongs to.</summary>
    /// <param name="port">Port where the fragment entered.</param>
    /// <param name="later">Its headers.</param>
    /// <param name="first">What its first fragment said.</param>
    /// <returns>False as long as the first one has not come.</returns>
    bool TryFindFirst(in DatapathPort port, in PacketHeader later, out FirstFragment first);

    /// <summary>Reads connections in batches; not a snapshot: entries that come and go meanwhile may be missed or seen
    /// twice.</summary>
    /// <param name="entries">Room for a batch.</param>
    /// <param name="cursor">0 to begin; opaque after that; 0 again at the end.</param>
    /// <returns>Entries read.</returns>
    int Scan(Span<FlowEntry> entries, ref ulong cursor);

    /// <summary>Removes idle and stale entries of the class table (whose next packet makes them anew), and marks the
    /// flow
    /// classes of those that stay.</summary>
    void SweepClasses(Span<bool> classesInUse);

    /// <summary>Current generations of a class.</summary>
    FlowStamp Stamp(uint classId);

    /// <summary>Makes every flow of a class stale: at once (hard), or softly (keeps forwarding, one revalidation
    /// event).</summary>
    void Bump(uint classId, bool isHard);

    /// <summary>Lets a flow class ask for revalidation again: its last event was answered.</summary>
    void Rearm(uint classId);

    /// <summary>Called before queued frames leave, also where a full queue is sent early: what they are to meet in the
    /// tables must be there by then.</summary>
    Action? BeforeFlush { get; set; }

    /// <summary>Sends a frame into the kernel as if it had just entered at a port; queued until
    /// <see cref="Flush"/>.</summary>
    /// <returns>A ticket to <see cref="Cancel"/> it by before the flush; negative if it was refused.</returns>
    int Inject(uint slot, ReadOnlySpan<byte> frame, in FrameOffload offload);

    /// <summary>Takes a queued frame back.</summary>
    /// <param name="ticket">Of <see cref="Inject"/>, since the last flush.</param>
    void Cancel(int ticket);

    /// <summary>Sends a frame out by a next hop, as it is; queued until <see cref="Flush"/>.</summary>
    void Output(uint nextHop, ReadOnlySpan<byte> frame, in FrameOffload offload);

    /// <summary>Sends what is queued.</summary>
    void Flush();

    /// <summary>Counts a drop that the agent decided (the kernel never sees the packet again).</summary>
    void CountDrop(uint slot, DropReason reason);
}

/// <summary>The fixed set of masks of the class table; equal to <c>enum class_mask</c>.</summary>
public enum FlowMask : byte
{
    /// <summary>Port, EtherType.</summary>
    EtherType = 0,

    /// <summary>… and both MACs.</summary>
    L2 = 1,

    /// <summary>… and the IP destination.</summary>
    L3Destination = 2,

    /// <summary>… and the IP source.</summary>
    L3 = 3,

    /// <summary>… and protocol, fragment kind, destination port.</summary>
    L4Destination = 4,
}
