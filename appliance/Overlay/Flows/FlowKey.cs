using Genkan.Wire;

namespace Genkan.Overlay.Flows;

/// <summary>
/// What the kernel's connection table tells packets apart by: the port where they enter and every header field that a
/// simulation may have read. Equal to <c>conn4_key</c> and <c>conn6_key</c>, without their layout.
/// </summary>
/// <param name="KeyPort">Slot of the ingress port (its <c>key_port</c>).</param>
/// <param name="Source">Source address; its family chooses the table.</param>
/// <param name="Destination">Destination address.</param>
/// <param name="Protocol">Transport protocol.</param>
/// <param name="SourcePort">Port, or ICMP echo identifier.</param>
/// <param name="DestinationPort">Port, or ICMP type &lt;&lt; 8 | code.</param>
/// <param name="Fragment">None, also for fragments of a known datagram; Later if its first one is not known, and then
/// no entry has the key.</param>
/// <param name="DestinationMac">Zero on L3 ports (uplinks, NAT return).</param>
/// <param name="SourceMac">Zero on L3 ports.</param>
public readonly record struct FlowKey(
    uint KeyPort,
    IpAddress Source,
    IpAddress Destination,
    IpProtocol Protocol,
    ushort SourcePort,
    ushort DestinationPort,
    FragmentKind Fragment,
    MacAddress DestinationMac,
    MacAddress SourceMac)
{
    /// <summary>The key of a parsed packet that entered at a port.</summary>
    /// <param name="keyPort">Slot used in keys.</param>
    /// <param name="packet">An IPv4 or IPv6 packet.</param>
    /// <param name="isL3">Whether the port's keys carry no MACs.</param>
    public static FlowKey Of(uint keyPort, in PacketHeader packet, bool isL3) => new(
        keyPort,
        packet.Source,
        packet.Destination,
        packet.Protocol,
        packet.SourcePort,
        packet.DestinationPort,
        packet.Fragment == FragmentKind.Later ? FragmentKind.Later : FragmentKind.None,
        isL3 ? default : packet.EthernetDestination,
        isL3 ? default : packet.EthernetSource);
}

/// <summary>What an entry of the connection table says of its packets.</summary>
public enum ConnectionState : byte
{
    /// <summary>No connection: stateless, or never seen.</summary>
    None = 0,

    /// <summary>The direction of the connection's originator.</summary>
    Forward = 1,

    /// <summary>The answering direction.</summary>
    Reply = 2,
}

/// <summary>What the kernel does with packets of a flow.</summary>
public enum FlowVerdict : byte
{
    /// <summary>State only: the agent decides at the first packet.</summary>
    Upcall = 0,

    /// <summary>Rewrite and send to the next hop.</summary>
    Forward = 1,

    /// <summary>Count the reason and drop.</summary>
    Drop = 2,
}

/// <summary>Fields that the kernel rewrites; equal to <c>enum rewrite</c>.</summary>
[System.Flags]
public enum Rewrites : byte
{
    /// <summary>Nothing.</summary>
    None = 0,

    /// <summary>Ethernet destination.</summary>
    DestinationMac = 1 << 0,

    /// <summary>Ethernet source.</summary>
    SourceMac = 1 << 1,

    /// <summary>TTL or hop limit, less the routers passed.</summary>
    HopLimit = 1 << 2,

    /// <summary>IP source.</summary>
    Source = 1 << 3,

    /// <summary>IP destination.</summary>
    Destination = 1 << 4,

    /// <summary>Source port (ICMP echo: identifier).</summary>
    SourcePort = 1 << 5,

    /// <summary>Destination port (ICMP echo: identifier).</summary>
    DestinationPort = 1 << 6,
}

/// <summary>The action of a flow; equal to <c>struct action</c>, without its layout.</summary>
public struct FlowAction
{
    /// <summary>Forward, drop, or state only.</summary>
    public FlowVerdict Verdict { get; set; }

    /// <summary>Reason if dropped.</summary>
    public DropReason DropReason { get; set; }

    /// <summary>Which of the new fields below are written.</summary>
    public Rewrites Rewrites { get; set; }

    /// <summary>Routers passed: subtracted from the hop limit.</summary>
    public byte Hops { get; set; }

    /// <summary>Set the commit bit on the tunnel, so that the receiver makes the reverse entry.</summary>
    public bool Commit { get; set; }

    /// <summary>Direction of the connection.</summary>
    public ConnectionState State { get; set; }

    /// <summary>Index in the next-hop table.</summary>
    public uint NextHop { get; set; }

    /// <summary>Flow class, see <see cref="FlowStamp"/>.</summary>
    public FlowStamp Stamp { get; set; }

    /// <summary>New Ethernet destination.</summary>
    public MacAddress DestinationMac { get; set; }

    /// <summary>New Ethernet source.</summary>
    public MacAddress SourceMac { get; set; }

    /// <summary>New IP source.</summary>
    public IpAddress Source { get; set; }

    /// <summary>New IP destination.</summary>
    public IpAddress Destination { get; set; }

    /// <summary>New source port or ICMP identifier.</summary>
    public ushort SourcePort { get; set; }

    /// <summary>New destination port or ICMP identifier.</summary>
    public ushort DestinationPort { get; set; }

    /// <summary>Zone of the router that translated, 0 none.</summary>
    public uint Zone { get; set; }

    /// <summary>MTU of the network where the last router sends it, 0 none: what is longer goes to the agent.</summary>
    public ushort MtuOctets { get; set; }
}

/// <summary>A flow class with the generations at which its flow was simulated; taken before the simulation
/// starts.</summary>
/// <param name="ClassId">Index in the generation table; 0 never goes stale.</param>
/// <param name="Hard">A difference is a miss.</param>
/// <param name="Soft">A difference asks for revalidation while forwarding.</param>
public readonly record struct FlowStamp(uint ClassId, uint Hard, uint Soft);
