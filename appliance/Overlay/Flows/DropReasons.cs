using System;
using Genkan.Wire;

namespace Genkan.Overlay.Flows;

/// <summary>Drop reasons for faults that other rooms name.</summary>
public static class DropReasons
{
    /// <summary>The reason under which a frame is counted that does not decode.</summary>
    public static DropReason Of(PacketFault fault) => fault switch
    {
        PacketFault.None => DropReason.None,
        PacketFault.Truncated => DropReason.Truncated,
        PacketFault.NestedVlan => DropReason.NestedVlan,
        PacketFault.BadHeaderChecksum => DropReason.BadChecksum,
        _ => DropReason.Malformed,
    };

    /// <summary>The reason under which a UDP datagram to ourselves is counted that is not taken.</summary>
    public static DropReason Of(UdpFault fault) => fault switch
    {
        UdpFault.None => DropReason.None,
        UdpFault.BadChecksum => DropReason.BadChecksum,
        _ => DropReason.Malformed,
    };

    /// <summary>The reason's name in metrics, JSON and on the command line: its C name without prefix, in lower
    /// case.</summary>
    public static string NameOf(DropReason reason)
    {
        Span<char> name = stackalloc char[64];
        int length = 0;
        foreach (char c in reason.ToString())
        {
            if (char.IsAsciiLetterUpper(c) && length > 0) name[length++] = '_';
            name[length++] = char.ToLowerInvariant(c);
        }

        return new string(name[..length]);
    }

    /// <summary>The reason as a sentence for operators.</summary>
    public static string MeaningOf(DropReason reason) => reason switch
    {
        DropReason.Truncated => "Headers end before their own length, or a ping to a router has no way back.",
        DropReason.Malformed =>
            "Version, header length, total length or extension header is wrong, or an IPv6 option says to drop.",
        DropReason.BadChecksum => "IPv4 header or transport checksum, seen by the agent.",
        DropReason.Martian => "Source or destination that may not be on a wire.",
        DropReason.NestedVlan => "More than one 802.1Q tag.",
        DropReason.VlanNotBound => "Tag without a port on this interface.",
        DropReason.Fragment => "Later fragment that no first one vouches for.",
        DropReason.HopLimit => "TTL or hop limit reached zero.",
        DropReason.TooBig => "Longer than the MTU of the way out, DF set.",
        DropReason.FragmentOverlap => "A fragment that overlaps another, and all that come after it.",
        DropReason.FragmentWait => "Its first fragment did not come in time, or the queue was full.",
        DropReason.FragmentBudget =>
            "The share of datagrams in pieces (of the port, or of who sends from outside), or of packets to cut, is "
            + "spent.",
        DropReason.PortUnknown => "Interface is not bound to a port.",
        DropReason.PortDown => "Port is administratively down, or its interface is gone.",
        DropReason.VtepUnknown => "Outer source is no host of ours.",
        DropReason.NoGroupPolicy => "VXLAN without the group-policy extension.",
        DropReason.TunnelKeyUnknown => "No delivery action in that slot.",
        DropReason.TunnelKeyStale => "The slot's generation has moved on.",
        DropReason.VxlanFromPort => "UDP to the VTEP port on a port that is not underlay.",
        DropReason.TunnelLoop => "A packet from a tunnel would be tunnelled again.",
        DropReason.InterfaceGone => "Next hop's interface does not exist.",
        DropReason.Fenced => "From one external segment to another while no agent lives.",
        DropReason.BudgetPort => "First packets of new flows over the port's budget.",
        DropReason.BudgetDestination =>
            "First packets of new flows from outside, over the budget of the address they are for.",
        DropReason.BudgetControl => "ARP, ND, DHCP, ICMP for the agent, or control-plane policing.",
        DropReason.Pending => "The flow's first packet is still being simulated and its queue is full.",
        DropReason.RingFull => "The agent does not keep up, or the kernel does not take back what it sends.",
        DropReason.ConnTableFull => "No room for the connection.",
        DropReason.ReinjectMiss => "Re-injected packet found no flow: changed meanwhile.",
        DropReason.UpcallTooBig => "Longer than the largest record, or a ping in pieces to a router.",
        DropReason.BudgetTenant => "New flows of all the tenant's ports together are over its share of the agent.",
        DropReason.FlowQuota =>
            "The port, its tenant, the address from outside, or what other hosts deliver holds its share of the "
            + "connection table.",
        DropReason.BudgetBroadcast => "Copies of broadcast and multicast over the port's budget.",
        DropReason.NoDestination =>
            "From the outside to no object of ours, broadcast or multicast with nobody else in the network, or a group "
            + "address that bridges keep to themselves.",
        DropReason.NatNoOwner => "NAT address, but no host owns that port block.",
        DropReason.NatNoConnection => "NAT return without a connection here.",
        DropReason.NatNotOwned => "Outgoing source (address, block) that the sending VTEP does not own.",
        DropReason.NotLocalService => "To the gateway's own address, but no such service.",
        DropReason.NoRoute => "FIB or virtual router has no route.",
        DropReason.RouteBlackhole => "The route is a blackhole.",
        DropReason.RouteReject => "The route rejects; the sender was told if it is a virtual router's.",
        DropReason.NoGateway => "No usable gateway host for the outside.",
        DropReason.NoNeighbour => "Next hop is an address of the network that no port has, or its broadcast address.",
        _ => MeaningOfDecision(reason),
    };

    // Decided by simulation.
    private static string MeaningOfDecision(DropReason reason) => reason switch
    {
        DropReason.SecurityGroup => "No rule of the security groups admits it.",
        DropReason.SpoofedMac =>
            "Source MAC is not the port's, or (without port security too) a group's or zero.",
        DropReason.SpoofedAddress => "Source address is not the port's.",
        DropReason.SpoofedArp => "ARP sender is not the port's.",
        DropReason.SpoofedNd => "ND target or source is not the port's.",
        DropReason.DhcpServer => "DHCP server message from a tenant port.",
        DropReason.RouterAdvertisement => "RA or redirect from a tenant port.",
        DropReason.Rule => "A chain's drop rule.",
        DropReason.RuleReject => "A chain's reject rule; the sender was told.",
        DropReason.MacUnknown =>
            "Unicast to a MAC that the bridge does not know, or on an uplink a packet to one station in a frame that "
            + "is not for the uplink's own MAC.",
        DropReason.DeviceLoop => "More devices than the limit.",
        DropReason.NatPortsExhausted => "No source NAT port is left in the blocks of this host.",
        DropReason.NatQuota =>
            "The source holds its quota of ports; or few are left, and its port or router holds more.",
        DropReason.Ethertype => "Not IPv4, IPv6 or ARP, and port security is on.",
        DropReason.NotForUs => "Unicast to a router's own address that no service takes.",
        DropReason.IngressIsEgress => "Destination is where it came from.",
        DropReason.InvalidState => "Reply or ICMP error without a connection.",
        DropReason.NetworkDown => "Device administratively down.",
        DropReason.NoList => "Too many replication lists or members.",
        DropReason.Answered => "Consumed: the agent answered it (ARP, DHCP, ping); counted apart, never an error.",
        DropReason.NatProtocol =>
            "A protocol that source NAT does not translate, or a sender without a public address asks a floating IP or "
            + "forward of its own router.",
        _ => "Unknown.",
    };
}
