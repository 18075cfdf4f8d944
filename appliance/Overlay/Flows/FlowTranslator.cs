using Genkan.Overlay.Simulation;
using Genkan.Wire;

namespace Genkan.Overlay.Flows;

/// <summary>Turns the outcome of a simulation into an entry of the kernel's tables.</summary>
public static class FlowTranslator
{
    /// <summary>The action of a flow.</summary>
    /// <param name="key">
    /// Key of the entry. What it does not hold (MACs on L3 ports) differs from packet to packet, and is always written.
    /// </param>
    /// <param name="result">What became of a packet; <see cref="SimulationResult.IsCacheable"/>, verdict Forward or
    /// Drop.</param>
    /// <param name="nextHop">Index of the next hop for <see cref="SimulationResult.Egress"/>; 0 for a drop.</param>
    /// <param name="stamp">Class and generations, taken before the topology can change again.</param>
    /// <param name="found">State of the entry that this one takes the place of.</param>
    public static FlowAction Action(
        in FlowKey key, SimulationResult result, uint nextHop, in FlowStamp stamp, ConnectionState found)
    {
        if (result.Verdict != SimulationVerdict.Forward)
        {
            // A refused reply stays a reply: when the rules open again, the connection goes on.
            return new FlowAction
            {
                Verdict = FlowVerdict.Drop,
                DropReason = result.DropReason,
                State = found,
                Stamp = stamp,
            };
        }

        ref PacketHeader packet = ref result.Packet;
        PacketHeader original = Entering(key);
        bool isKnownReply = found == ConnectionState.Reply && result.State == ConnectionState.None;
        FlowAction action = new()
        {
            Verdict = FlowVerdict.Forward,
            State = isKnownReply ? ConnectionState.Reply : result.State,
            Stamp = stamp,
        };

        Rewrites rewrites = Rewrites.None;
        if (packet.EthernetDestination != original.EthernetDestination) rewrites |= Rewrites.DestinationMac;
        if (packet.EthernetSource != original.EthernetSource) rewrites |= Rewrites.SourceMac;
        if (result.Hops > 0) rewrites |= Rewrites.HopLimit;
        if (packet.Source != original.Source) rewrites |= Rewrites.Source;
        if (packet.Destination != original.Destination) rewrites |= Rewrites.Destination;
        if (packet.SourcePort != original.SourcePort) rewrites |= Rewrites.SourcePort;
        if (packet.DestinationPort != original.DestinationPort) rewrites |= Rewrites.DestinationPort;
        action.Rewrites = rewrites;
        action.Hops = result.Hops;
        action.Commit = result.State == ConnectionState.Forward && !ReturnsToOwner(result);
        action.NextHop = nextHop;
        action.DestinationMac = packet.EthernetDestination;
        action.SourceMac = packet.EthernetSource;
        action.Source = packet.Source;
        action.Destination = packet.Destination;
        action.SourcePort = packet.SourcePort;
        action.DestinationPort = packet.DestinationPort;
        action.Zone = result.Zone;
        action.MtuOctets = result.MtuOctets;
        return action;
    }

    /// <summary>An entry that knows the answering direction and leaves the rest to the agent.</summary>
    public static FlowAction ReplyState => new() { Verdict = FlowVerdict.Upcall, State = ConnectionState.Reply };

    // What comes back to a port of source NAT is steered to the port's owner, whichever gateway it enters: state at the
    // one
    // where it left would only send the reply's first packet up there.
    private static bool ReturnsToOwner(SimulationResult result) =>
        result.Egress.Kind == EgressKind.FibExit && result.Binding.Zone != 0;

    /// <summary>The narrowest mask of the class table that holds every field that was read.</summary>
    /// <param name="result">A cacheable outcome.</param>
    /// <param name="mask">The mask.</param>
    /// <returns>False if only an exact entry will do.</returns>
    public static bool TryGetMask(SimulationResult result, out FlowMask mask)
    {
        FieldSet fields = result.Fields;
        mask = FlowMask.EtherType;
        if ((fields & (FieldSet.Connection | FieldSet.SourcePort)) != FieldSet.None) return false;
        if (result.State != ConnectionState.None) return false;
        if ((fields & (FieldSet.Protocol | FieldSet.DestinationPort)) != FieldSet.None) mask = FlowMask.L4Destination;
        else if ((fields & FieldSet.Source) != FieldSet.None) mask = FlowMask.L3;
        else if ((fields & FieldSet.Destination) != FieldSet.None) mask = FlowMask.L3Destination;
        else if ((fields & (FieldSet.SourceMac | FieldSet.DestinationMac)) != FieldSet.None) mask = FlowMask.L2;
        return true;
    }

    /// <summary>Headers of a packet of the flow as it enters; what the key does not hold is what most packets
    /// have.</summary>
    public static PacketHeader Entering(in FlowKey key) => new()
    {
        EthernetDestination = key.DestinationMac,
        EthernetSource = key.SourceMac,
        EtherType = key.Source.IsIpv4 ? EtherType.Ipv4 : EtherType.Ipv6,
        Source = key.Source,
        Destination = key.Destination,
        Protocol = key.Protocol,
        SourcePort = key.SourcePort,
        DestinationPort = key.DestinationPort,
        Fragment = key.Fragment,
        HopLimit = byte.MaxValue,
        NetworkAt = -1,
        TransportAt = -1,
        PayloadAt = -1,
    };

    /// <summary>Headers of a packet of the flow as it leaves.</summary>
    public static PacketHeader Leaving(in FlowKey key, in FlowAction action)
    {
        PacketHeader packet = Entering(key);
        Rewrites rewrites = action.Rewrites;
        if ((rewrites & Rewrites.DestinationMac) != Rewrites.None) packet.EthernetDestination = action.DestinationMac;
        if ((rewrites & Rewrites.SourceMac) != Rewrites.None) packet.EthernetSource = action.SourceMac;
        if ((rewrites & Rewrites.Source) != Rewrites.None) packet.Source = action.Source;
        if ((rewrites & Rewrites.Destination) != Rewrites.None) packet.Destination = action.Destination;
        if ((rewrites & Rewrites.SourcePort) != Rewrites.None) packet.SourcePort = action.SourcePort;
        if ((rewrites & Rewrites.DestinationPort) != Rewrites.None) packet.DestinationPort = action.DestinationPort;
        return packet;
    }
}
