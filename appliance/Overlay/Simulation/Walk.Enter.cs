using Genkan.Overlay.Flows;
using Genkan.Overlay.Topology;
using Genkan.Wire;

namespace Genkan.Overlay.Simulation;

/// <content>How packets get in: at a port, as a flood's copy, as a NAT return.</content>
internal ref partial struct Walk
{
    private void EnterPort()
    {
        if (!_topology.PortNodes.TryGet(_ingress.Object, out PortNode? port) || port.Role == PortRole.Interior)
        {
            Drop(DropReason.PortUnknown);
            return;
        }

        Tag(port.Id);
        _ingressPort = port;
        if (!port.IsAdminUp)
        {
            Drop(DropReason.PortDown, port.Name, "port is administratively down");
            return;
        }

        if (port.Role == PortRole.Uplink)
        {
            EnterFromOutside(port, port.ExternalNetwork!);
            return;
        }

        EnterBridge(port, port.Bridge!);
    }

    private void EnterFromOutside(PortNode port, ExternalNetworkNode outside)
    {
        Read(FieldSet.EtherType | FieldSet.Source);
        if (_packet.EthernetDestination.IsMulticast && (_packet.IsIpv4 || _packet.IsIpv6)
            && !_packet.Destination.IsMulticast && !_packet.Destination.IsBroadcast)
        {
            // RFC 1812 §5.3.4. An uplink's keys have no MACs: the same packet to the uplink's own is another matter.
            Drop(DropReason.MacUnknown, port.Name, "for one station, but sent to the whole link");
            _result.IsCacheable = false;
            return;
        }

        if (IsOurs(outside) && !IsConnected(port))
        {
            // RFC 2827: nobody out there has our addresses, and rules that name them mean the real ones.
            Drop(DropReason.Martian, port.Name, "a source of our public prefixes from the outside");
            return;
        }

        _result.Trace?.Add(new TraceStep(port.Name, "enters from the outside"));
        if (_packet.IsIcmpError && !BeginError()) return;
        _next = port;
    }

    // The ISP's end of the link may be numbered from our prefixes.
    private readonly bool IsConnected(PortNode uplink)
    {
        foreach (IpInterface address in uplink.Model.Addresses)
        {
            if (address.Prefix.Contains(_packet.Source)) return true;
        }

        return false;
    }

    private void EnterBridge(PortNode port, BridgeNode bridge)
    {
        Tag(bridge.Id);
        if (!bridge.IsAdminUp)
        {
            Drop(DropReason.NetworkDown, bridge.Name, "network is administratively down");
            return;
        }

        Read(FieldSet.EtherType | FieldSet.SourceMac);
        if (_packet.EthernetSource.IsMulticast || _packet.EthernetSource == MacAddress.Zero)
        {
            Drop(DropReason.SpoofedMac, port.Name, "a source MAC that no station has (IEEE 802.3 §3.2.3)");
            return;
        }

        if (port.PortSecurity && !PassesPortSecurity(port)) return;
        if (IsAnswered(bridge, port)) return;
        if (_packet.IsIcmpError && !BeginError()) return;
        if (!PassesFilter(port, port.FromPort, port.ToPort, isEntering: true)) return;
        _next = port;
    }

    private void EnterFlood()
    {
        if (!_topology.BridgeNodes.TryGet(_ingress.Object, out BridgeNode? bridge))
        {
            Drop(DropReason.PortUnknown);
            return;
        }

        Tag(bridge.Id);
        Read(FieldSet.EtherType | FieldSet.DestinationMac);
        if (!bridge.IsAdminUp)
            Drop(DropReason.NetworkDown, bridge.Name, "network is administratively down");
        else if (!_packet.EthernetDestination.IsMulticast)
            Drop(DropReason.MacUnknown, bridge.Name, "a flood's copy is addressed to a group");
        else
            Replicate(bridge, null);
    }

    private void EnterNatReturn()
    {
        if (!_topology.SourceNatNodes.TryGet(_ingress.Object, out SourceNatNode? pool))
        {
            Drop(DropReason.PortUnknown);
            return;
        }

        Tag(pool.Router.Id);
        Tag(pool.ExternalPort.Id);
        if (!pool.Router.IsAdminUp)
        {
            Drop(DropReason.NetworkDown, pool.Router.Name, "router is administratively down");
            return;
        }

        if (_packet.IsIcmpError)
        {
            // Of other packets the connection knows the source; an error may come from anybody, and the kernel of the
            // gateway that passed it on has not asked.
            bool isFromInside = pool.Router.Provides is null && IsInside(pool.Router);
            if (isFromInside || IsMartianSource(_packet.Source) || _packet.Source.IsUnspecified)
            {
                Drop(DropReason.Martian, pool.Router.Name, "ICMP error from an address that is not outside");
                return;
            }

            if (!BeginError()) return;
        }

        if (!TryGetNatPort(out ushort port))
        {
            Drop(DropReason.NatNoConnection, pool.Router.Name, "no protocol that source NAT translates");
            return;
        }

        if (ReturnToInside(pool, port)) Route(pool.Router, pool.ExternalPort);
    }
}
