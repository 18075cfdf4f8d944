using System;
using Genkan.Overlay.Flows;
using Genkan.Overlay.Topology;
using Genkan.Wire;

namespace Genkan.Overlay.Simulation;

/// <content>Bridges: known unicast, copies of broadcast and multicast; unknown unicast is never flooded.</content>
internal ref partial struct Walk
{
    // IEEE 802.1Q §8.6.3: 01-80-C2-00-00-00 to -0F (spanning tree, LACP, LLDP, pause) are never relayed.
    private const ulong ReservedGroups = 0x0180_C200_0000 >> 4;

    private void AtBridge(BridgeNode bridge, PortNode inPort)
    {
        Tag(bridge.Id);
        if (!bridge.IsAdminUp)
        {
            Drop(DropReason.NetworkDown, bridge.Name, "network is administratively down");
            return;
        }

        Read(FieldSet.DestinationMac | FieldSet.EtherType);
        MacAddress destination = _packet.EthernetDestination;
        if (destination.Value >> 4 == ReservedGroups)
        {
            Drop(DropReason.NoDestination, bridge.Name, "a bridge keeps reserved group addresses to itself");
            return;
        }

        if (destination.IsMulticast)
        {
            Replicate(bridge, inPort);
            return;
        }

        if (!bridge.Macs.TryGet(destination, out PortNode? outPort))
        {
            Tag(bridge.MembersTag);
            Drop(DropReason.MacUnknown);
            _result.Trace?.Add(new TraceStep(bridge.Name, $"no port has {destination}"));
            return;
        }

        if (outPort == inPort)
        {
            Drop(DropReason.IngressIsEgress, bridge.Name, "destination is where it came from");
            return;
        }

        _result.Trace?.Add(new TraceStep(bridge.Name, $"{destination} is at {outPort.Name}"));
        if (outPort.Role == PortRole.Exterior) Deliver(bridge, outPort);
        else _next = outPort.Peer;
    }

    private void Deliver(BridgeNode bridge, PortNode port)
    {
        Tag(port.Id);
        if (!port.IsAdminUp || port.Host == ObjectId.None)
        {
            Drop(DropReason.PortDown, port.Name, port.IsAdminUp
                ? "port is bound to no host" : "port is administratively down");
            return;
        }

        if (_result.Hops > 0)
        {
            if (IsTooBig(bridge)) return;
            _result.MtuOctets = (ushort)Math.Min(bridge.Mtu, ushort.MaxValue);
        }

        if (!PassesFilter(port, port.ToPort, port.FromPort, isEntering: false)) return;
        Forward(new Egress(EgressKind.Port, port.Id));
    }

    // Only what a router sends is told: a host knows the MTU of its own network. Without DF the way out fragments.
    private bool IsTooBig(BridgeNode bridge)
    {
        int length = _ingress.SegmentOctets == 0
            ? _original.NetworkLengthOctets
            : _original.PayloadAt - _original.NetworkAt + (int)_ingress.SegmentOctets;
        if (length <= bridge.Mtu || !_original.DontFragment) return false;
        _result.Trace?.Add(new TraceStep(bridge.Name, $"{length} octets exceed the MTU of {bridge.Mtu}"));
        DropTooBig(bridge.Mtu);
        return true;
    }

    // RFC 1191 §4, RFC 4443 §3.2: the way out is narrower than any network here says. Within a network nobody is to
    // tell it, but a tunnel between two hosts that lost a part of its MTU would be a hole without a word.
    private void TellMtu(int mtu)
    {
        if (_original.DontFragment) DropTooBig(mtu);
    }

    private void DropTooBig(int mtu)
    {
        Drop(DropReason.TooBig);
        _result.IsCacheable = false;
        Answer(IcmpError.PacketTooBig(_packet.IsIpv4, mtu));
    }

    private void Replicate(BridgeNode bridge, PortNode? inPort)
    {
        Tag(bridge.MembersTag);
        bool fits = true;
        foreach (PortNode port in bridge.LocalPorts)
        {
            if (port == inPort || !port.IsAdminUp) continue;
            Tag(port.Id);
            if (!PassesFilter(port, port.ToPort, port.FromPort, isEntering: false)) continue;
            fits &= _result.TryAddTarget(new Egress(EgressKind.Port, port.Id));
        }

        if (inPort is not null)
        {
            foreach (ObjectId host in bridge.OtherHosts)
                fits &= _result.TryAddTarget(new Egress(EgressKind.Flood, bridge.Id, host));
        }

        _next = null;
        _result.AnswerLength = 0; // a target that rejects tells nobody: the copy was for a group
        if (!fits)
        {
            Drop(DropReason.NoList, bridge.Name, "more targets than one list holds");
        }
        else if (_result.TargetCount == 0)
        {
            Drop(DropReason.NoDestination, bridge.Name, "nobody else to copy it to");
        }
        else
        {
            Forward(new Egress(EgressKind.Replicate, bridge.Id));
            if (_result.TargetCount > SimulationResult.KernelTargetsMax) _result.IsCacheable = false;
            string targets = _result.TargetCount == 1 ? "target" : "targets";
            _result.Trace?.Add(new TraceStep(bridge.Name, $"copied to {_result.TargetCount} {targets}"));
        }
    }
}
