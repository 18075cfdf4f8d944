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
        ObjectId target;
        if (egress.Kind == EgressKind.Port && datapath.TryGetSlot(egress.Object, out _))
        {
            target = egress.Object;
        }
        else if (topology.TryGetNatOwner(source, sourcePort, out NatOwner owner))
        {
            if (owner.Host != topology.LocalHost.Id) return false;
            target = owner.Pool;
        }
        else if (egress.Kind == EgressKind.FibExit)
        {
            if (egress.Host != topology.LocalHost.Id) return false;
            if (!topology.TryGetLocalUplink(egress.Object, out target)) return false;
        }
        else
        {
            return false;
        }

        if (!datapath.TryGetSlot(target, out uint slot) || !datapath.TryGetPort(slot, out port)) return false;
        ingress = new Ingress(port.Kind, port.Object, ConnectionState.Reply);
        return true;
    }

    /// <summary>The reply as it enters.</summary>
    /// <param name="asked">The packet as it entered.</param>
    /// <param name="leaving">The packet as it leaves.</param>
    /// <param name="port">The slot where the reply enters.</param>
    /// <returns>Its headers. A NAT return has passed the other end's own translation: it comes from where the question
    /// went (RFC 4787 §6, hairpinning).</returns>
    public static PacketHeader ReplyOf(in PacketHeader asked, in PacketHeader leaving, in DatapathPort port)
    {
        PacketHeader reply = leaving.Reversed();
        if (port.Kind != IngressKind.NatReturn) return reply;
        reply.Source = asked.Destination;
        if (!reply.IsIcmp) reply.SourcePort = asked.DestinationPort;
        return reply;
    }
}
