using Genkan.Overlay.Topology;
using Genkan.Wire;

namespace Genkan.Overlay.Simulation;

/// <content>ARP (RFC 826, RFC 5227): known addresses are answered for with their owner's MAC, on the asker's own
/// host.</content>
internal ref partial struct Walk
{
    private bool IsArpAnswered(BridgeNode bridge, PortNode port)
    {
        _result.IsCacheable = false;
        IpAddress target = _packet.Destination;
        bool isAnnouncement = _packet.Source == target;
        if (isAnnouncement && bridge.Neighbours.TryGet(target, out NeighbourNode? own) && own.Port == port)
        {
            // RFC 5227 §2.3: everybody knows already; whoever asks is told.
            _result.Trace?.Add(new TraceStep(bridge.Name, $"{target} announces itself"));
            Consume();
            return true;
        }

        if (_packet.ArpOperation != ArpOperation.Request) return false;
        Tag(bridge.MembersTag);
        if (isAnnouncement || !bridge.Neighbours.TryGet(target, out NeighbourNode? owner)) return false;
        if (owner.Port == port)
        {
            Consume(); // a probe for its own address (RFC 5227 §2.1.1): silence means that it is free
            return true;
        }

        FrameWriter writer = new(_result.AnswerBuffer);
        writer.Ethernet(_packet.EthernetSource, owner.Mac, vlanTci: _packet.VlanTci);
        writer.Arp(ArpOperation.Reply, owner.Mac, target, _packet.ArpSenderMac, _packet.Source);
        EndWithAnswer(writer.Finish(), port);
        _result.Trace?.Add(new TraceStep(bridge.Name, $"{target} is at {owner.Mac}"));
        return true;
    }

    private readonly void EndWithAnswer(int length, PortNode port)
    {
        Consume();
        _result.Verdict = SimulationVerdict.Answer;
        _result.AnswerLength = length;
        _result.AnswerEgress = new Egress(EgressKind.Port, port.Id);
    }
}
