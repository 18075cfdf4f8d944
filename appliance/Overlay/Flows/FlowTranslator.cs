using Genkan.Overlay.Simulation;
using Genkan.Wire;

namespace Genkan.Overlay.Flows;

/// <summary>Turns the outcome of a simulation into an entry of the kernel's tables.</summary>
public static class FlowTranslator
{
    /// <summary>The action of a flow.</summary>
    /// <param name="original">The packet as it entered.</param>
    /// <param name="result">What became of it; <see cref="SimulationResult.IsCacheable"/>, verdict Forward or
    /// Drop.</param>
    /// <param name="nextHop">Index of the next hop for <see cref="SimulationResult.Egress"/>; 0 for a drop.</param>
    /// <param name="stamp">Class and generations, taken before the simulation.</param>
    public static FlowAction Action(in PacketHeader original, SimulationResult result, uint nextHop, in FlowStamp stamp)
    {
        ref PacketHeader packet = ref result.Packet;
        FlowAction action = new()
        {
            Verdict = result.Verdict == SimulationVerdict.Forward ? FlowVerdict.Forward : FlowVerdict.Drop,
            DropReason = result.DropReason,
            State = result.State,
            Stamp = stamp,
        };
        if (action.Verdict == FlowVerdict.Drop) return action;

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

        // What leaves with a leased port comes back by the owner map: the gateway needs no state for it.
        bool isLeased = result.Binding.Zone != 0 && result.Egress.Kind == EgressKind.FibExit;
        action.Commit = result.State == ConnectionState.Forward && !isLeased;
        action.NextHop = nextHop;
        action.DestinationMac = packet.EthernetDestination;
        action.SourceMac = packet.EthernetSource;
        action.Source = packet.Source;
        action.Destination = packet.Destination;
        action.SourcePort = packet.SourcePort;
        action.DestinationPort = packet.DestinationPort;
        action.Zone = result.Zone;
        return action;
    }

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
