namespace Genkan.Overlay.Flows;

/// <summary>Why a packet was dropped; numbers and names equal <c>drop_reasons.h</c>. Append only: numbers are kept in
/// pinned tables.</summary>
public enum DropReason : byte
{
    /// <summary>The packet itself.</summary>
    None = 0,

    /// <summary>Headers end before their own length, or an echo request has no way back.</summary>
    Truncated = 1,

    /// <summary>Version, header length, total length or extension header is wrong, or an IPv6 option in a packet to a
    /// router says to drop what does not know it.</summary>
    Malformed = 2,

    /// <summary>IPv4 header or transport checksum, seen by the agent.</summary>
    BadChecksum = 3,

    /// <summary>Source or destination that may not be on a wire.</summary>
    Martian = 4,

    /// <summary>More than one 802.1Q tag.</summary>
    NestedVlan = 5,

    /// <summary>Tag without a port on this interface.</summary>
    VlanNotBound = 6,

    /// <summary>Later fragment that no first one vouches for.</summary>
    Fragment = 7,

    /// <summary>TTL or hop limit reached zero.</summary>
    HopLimit = 8,

    /// <summary>Longer than the MTU of the way out, DF set.</summary>
    TooBig = 9,

    /// <summary>A fragment that overlaps another, and all that come after it.</summary>
    FragmentOverlap = 10,

    /// <summary>Its first fragment did not come in time, or the queue was full.</summary>
    FragmentWait = 11,

    /// <summary>The share of datagrams in pieces (of the port, or of who sends from outside), or of packets to cut, is
    /// spent.</summary>
    FragmentBudget = 12,

    /// <summary>Interface is not bound to a port.</summary>
    PortUnknown = 16,

    /// <summary>Administratively down, or its interface is gone.</summary>
    PortDown = 17,

    /// <summary>Outer source is no host of ours.</summary>
    VtepUnknown = 18,

    /// <summary>VXLAN without the group-policy extension.</summary>
    NoGroupPolicy = 19,

    /// <summary>No delivery action in that slot.</summary>
    TunnelKeyUnknown = 20,

    /// <summary>The slot's generation has moved on.</summary>
    TunnelKeyStale = 21,

    /// <summary>UDP to the VTEP port on a port that is not underlay.</summary>
    VxlanFromPort = 22,

    /// <summary>A packet from a tunnel would be tunnelled again.</summary>
    TunnelLoop = 23,

    /// <summary>Next hop's interface does not exist.</summary>
    InterfaceGone = 24,

    /// <summary>From one external segment to another while no agent lives.</summary>
    Fenced = 25,

    /// <summary>First packets of new flows over the port's budget.</summary>
    BudgetPort = 32,

    /// <summary>First packets of new flows from outside, over the budget of the address they are for.</summary>
    BudgetDestination = 33,

    /// <summary>ARP, ND, DHCP, ICMP for the agent, or control-plane policing.</summary>
    BudgetControl = 34,

    /// <summary>The flow's first packet is still being simulated and its queue is full.</summary>
    Pending = 35,

    /// <summary>The agent does not keep up, or the kernel does not take back what it sends.</summary>
    RingFull = 36,

    /// <summary>No room for the connection.</summary>
    ConnTableFull = 37,

    /// <summary>Re-injected packet found no flow: changed meanwhile.</summary>
    ReinjectMiss = 38,

    /// <summary>Longer than the largest record or what the agent writes, or an echo request in pieces.</summary>
    UpcallTooBig = 39,

    /// <summary>New flows of all the tenant's ports together are over its share of the agent.</summary>
    BudgetTenant = 40,

    /// <summary>The port, its tenant, the address from outside, or what other hosts deliver holds its share of the
    /// connection table.</summary>
    FlowQuota = 41,

    /// <summary>Copies of broadcast and multicast over the port's budget.</summary>
    BudgetBroadcast = 42,

    /// <summary>From the outside to no object of ours, broadcast or multicast with nobody else in the network, or a
    /// group address that bridges keep to themselves.</summary>
    NoDestination = 48,

    /// <summary>NAT address, but no host owns that port block.</summary>
    NatNoOwner = 49,

    /// <summary>NAT return without a connection here.</summary>
    NatNoConnection = 50,

    /// <summary>Outgoing source (address, block) that the sending VTEP does not own.</summary>
    NatNotOwned = 51,

    /// <summary>To the gateway's own address, but no such service.</summary>
    NotLocalService = 52,

    /// <summary>FIB or virtual router has no route.</summary>
    NoRoute = 53,

    /// <summary>A blackhole route.</summary>
    RouteBlackhole = 54,

    /// <summary>A reject route; the sender was told if it is a virtual router's.</summary>
    RouteReject = 55,

    /// <summary>No usable gateway host for the outside.</summary>
    NoGateway = 56,

    /// <summary>Next hop is an address of the network that no port has.</summary>
    NoNeighbour = 57,

    /// <summary>Security group.</summary>
    SecurityGroup = 64,

    /// <summary>Source MAC that is not the port's, or that no station has.</summary>
    SpoofedMac = 65,

    /// <summary>Spoofed address.</summary>
    SpoofedAddress = 66,

    /// <summary>ARP sender is not the port's.</summary>
    SpoofedArp = 67,

    /// <summary>ND target or source is not the port's.</summary>
    SpoofedNd = 68,

    /// <summary>DHCP server message from a tenant port.</summary>
    DhcpServer = 69,

    /// <summary>RA or redirect from a tenant port.</summary>
    RouterAdvertisement = 70,

    /// <summary>A chain's drop rule.</summary>
    Rule = 71,

    /// <summary>Rule reject.</summary>
    RuleReject = 72,

    /// <summary>Unicast to a MAC that the bridge does not know, or on an uplink a packet to one station in a frame that
    /// is not for the uplink's own MAC.</summary>
    MacUnknown = 73,

    /// <summary>More devices than the limit.</summary>
    DeviceLoop = 74,

    /// <summary>Nat ports exhausted.</summary>
    NatPortsExhausted = 75,

    /// <summary>The source holds its quota of ports; or few are left, and its port or router holds more.</summary>
    NatQuota = 76,

    /// <summary>Not IPv4, IPv6 or ARP, and port security is on.</summary>
    Ethertype = 77,

    /// <summary>Unicast to a router's own address that no service takes.</summary>
    NotForUs = 78,

    /// <summary>Destination is where it came from.</summary>
    IngressIsEgress = 79,

    /// <summary>Reply or ICMP error without a connection.</summary>
    InvalidState = 80,

    /// <summary>Device administratively down.</summary>
    NetworkDown = 81,

    /// <summary>Too many replication lists or members.</summary>
    NoList = 82,

    /// <summary>Consumed: the agent answered it (ARP, DHCP, ping); counted apart, never an error.</summary>
    Answered = 83,

    /// <summary>A protocol that source NAT does not translate, or a sender without a public address asks a floating IP
    /// or forward of its own router.</summary>
    NatProtocol = 84,
}
