using Genkan.Overlay.Flows;
using Genkan.Overlay.Topology;
using Genkan.Wire;
using Genkan.Wire.NeighborDiscovery;

namespace Genkan.Overlay.Simulation;

/// <content>Neighbor discovery (RFC 4861): solicitations for known addresses, router solicitations.</content>
internal ref partial struct Walk
{
    private bool IsNdAnswered(BridgeNode bridge, PortNode port)
    {
        Read(FieldSet.Protocol | FieldSet.DestinationPort);
        switch ((Icmpv6Type)_packet.IcmpType)
        {
            case Icmpv6Type.NeighborSolicitation:
                _result.IsCacheable = false;
                return IsSolicitationAnswered(bridge, port);
            case Icmpv6Type.NeighborAdvertisement:
                _result.IsCacheable = false;
                return IsAnnouncementConsumed(bridge, port);
            case Icmpv6Type.RouterSolicitation:
                return IsAdvertised(bridge, port);
            default:
                return false;
        }
    }

    private bool IsSolicitationAnswered(BridgeNode bridge, PortNode port)
    {
        if (!NeighborSolicitation.TryDecode(_frame, _packet, out NeighborSolicitation solicitation))
        {
            Drop(DropReason.Malformed, bridge.Name, "neighbor solicitation is not valid (RFC 4861 §7.1.1)");
            return true;
        }

        Tag(bridge.MembersTag);
        if (!bridge.Neighbours.TryGet(solicitation.Target, out NeighbourNode? owner)) return false;
        if (owner.Port == port)
        {
            Consume(); // RFC 4862 §5.4: duplicate address detection of its own address: silence means that it is free
            return true;
        }

        int length = NeighborAdvertisement.WriteReply(
            _result.AnswerBuffer, _packet, solicitation, owner.Mac, owner.IsRouter);
        EndWithAnswer(length, port);
        _result.Trace?.Add(new TraceStep(bridge.Name, $"{solicitation.Target} is at {owner.Mac}"));
        return true;
    }

    // An unsolicited advertisement to all nodes says what everybody knows already.
    private bool IsAnnouncementConsumed(BridgeNode bridge, PortNode port)
    {
        if (!_packet.EthernetDestination.IsMulticast) return false;
        if (!NeighborAdvertisement.TryDecode(_frame, _packet, out NeighborAdvertisement advertisement)) return false;
        if (!bridge.Neighbours.TryGet(advertisement.Target, out NeighbourNode? owner) || owner.Port != port)
            return false;
        _result.Trace?.Add(new TraceStep(bridge.Name, $"{advertisement.Target} announces itself"));
        Consume();
        return true;
    }
}
