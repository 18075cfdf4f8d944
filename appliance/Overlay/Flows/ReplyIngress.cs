using Genkan.Overlay.Simulation;
using Genkan.Overlay.Topology;
using Genkan.Wire;

namespace Genkan.Overlay.Flows;

/// <summary>Where the reply to a forwarded packet will enter, if that is on this host.</summary>
internal static class ReplyIngress
{
    /// <summary>Finds the reply's ingress.</summary>
    /// <param name="topology">Current topology.</param>
    /// <param name="datapath">Slots of this host.</param>
    /// <param name="egress">Way out of the packet.</param>
    /// <param name="source">Source address of the packet as it leaves.</param>
    /// <param name="sourcePort">Its source port or ICMP identifier.</param>
    /// <param name="ingress">Where the reply enters.</param>
    /// <param name="port">The slot there.</param>
    /// <returns>False if it enters on another host: that one makes the entry when it delivers (commit bit).</returns>
    public static bool TryFind(
        TopologySnapshot topology,
        IDatapath datapath,
        in Egress egress,
        IpAddress source,
        ushort sourcePort,
        out Ingress ingress,
        out DatapathPort port)
    {
        (ingress, port) = (default, default);
        uint slot;
        if (egress.Kind != EgressKind.Port || !datapath.TryGetSlot(egress.Object, out slot))
        {
            // Through other hosts, or out: what answers a port of ours comes back as a NAT return.
            if (!TryFindFar(topology, egress, source, sourcePort, out ObjectId target)) return false;
            if (!datapath.TryGetSlot(target, out slot)) return false;
        }

        if (!datapath.TryGetPort(slot, out port)) return false;
        ingress = new Ingress(port.Kind, port.Object, ConnectionState.Reply);
        return true;
    }

    /// <summary>
    /// The key of what answers a packet. Only the request's own size made it fragments, so the answer is taken to be
    /// whole, as by
    /// the kernel where the commit bit is set.
    /// </summary>
    /// <param name="port">Where the answer enters.</param>
    /// <param name="key">The packet's own key.</param>
    /// <param name="leaving">The packet as it leaves.</param>
    public static FlowKey KeyOf(in DatapathPort port, in FlowKey key, in PacketHeader leaving)
    {
        PacketHeader packet = leaving;
        if (port.IsL3)
        {
            // A hairpin's answer is given the public address again where it enters, before it comes here as a NAT
            // return.
            packet.Destination = key.Destination;
            packet.DestinationPort = key.DestinationPort;
        }

        return FlowKey.Of(port.KeyPort, packet.Reversed(), port.IsL3) with { Fragment = FragmentKind.None };
    }

    private static bool TryFindFar(
        TopologySnapshot topology, in Egress egress, IpAddress source, ushort sourcePort, out ObjectId target)
    {
        target = ObjectId.None;
        if (topology.TryGetNatOwner(source, sourcePort, out NatOwner owner))
        {
            target = owner.Pool;
            return owner.Host == topology.LocalHost.Id;
        }

        return egress.Kind == EgressKind.FibExit
            && egress.Host == topology.LocalHost.Id
            && topology.TryGetLocalUplink(egress.Object, out target);
    }
}
