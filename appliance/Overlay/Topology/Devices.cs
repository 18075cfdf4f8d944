using System.Collections.Immutable;
using Genkan.Wire;

namespace Genkan.Overlay.Topology;

/// <summary>A server that runs an agent: tunnel endpoint, and perhaps a gateway.</summary>
/// <param name="Id">Identity.</param>
/// <param name="Name">Host name as operators write it.</param>
/// <param name="UnderlayAddress">The VTEP's address: outer source and destination of its tunnels.</param>
public sealed record Host(ObjectId Id, string Name, IpAddress UnderlayAddress);

/// <summary>Where an exterior port meets the world.</summary>
/// <param name="Host">The host that holds the interface.</param>
/// <param name="Interface">Interface name on that host, at most 15 octets.</param>
/// <param name="Vlan">802.1Q VID on that interface, 0 untagged.</param>
public sealed record PortBinding(ObjectId Host, string Interface, ushort Vlan);

/// <summary>A MAC and prefix that a port may use as its own source (fixed addresses and allowed address
/// pairs).</summary>
public readonly record struct AddressPair(MacAddress Mac, IpPrefix Prefix);

/// <summary>What a virtual port is attached to, seen from its device.</summary>
public enum PortRole : byte
{
    /// <summary>Bound to an interface of a host (or not yet bound): VM, NIC, LAG.</summary>
    Exterior,

    /// <summary>Linked to a port of another virtual device.</summary>
    Interior,

    /// <summary>Faces an ISP: bound to a NIC, L3 only, routed by the host's FIB.</summary>
    Uplink,
}

/// <summary>A port of a virtual device.</summary>
/// <param name="Id">Identity.</param>
/// <param name="Name">Full name, e.g. <c>red/red-a</c>.</param>
/// <param name="Device">The bridge or router it belongs to.</param>
/// <param name="Role">What is on the other side.</param>
/// <param name="Mac">Exterior on a bridge: the VM's MAC. On a router: the router's MAC on this port.</param>
/// <param name="Addresses">Exterior: fixed addresses. Router port: the router's own addresses, with their prefix
/// lengths.</param>
/// <param name="Peer">Interior: the port it is linked to.</param>
/// <param name="Binding">Exterior and uplink: where.</param>
/// <param name="IsAdminUp">False drops everything through it.</param>
/// <param name="PortSecurity">True: anti-spoofing by <paramref name="AllowedPairs"/>, no DHCP server, no RA, only
/// IPv4, IPv6 and ARP.</param>
/// <param name="AllowedPairs">Sources that the port may use; fixed addresses are in it.</param>
/// <param name="FromPort">Chain for packets that enter the network here (egress rules of its security groups), None
/// for no rules: accept.</param>
/// <param name="ToPort">Chain for packets that leave the network here (ingress rules of its security groups).</param>
public sealed record VirtualPort(
    ObjectId Id,
    string Name,
    ObjectId Device,
    PortRole Role,
    MacAddress Mac,
    ImmutableArray<IpInterface> Addresses,
    ObjectId Peer,
    PortBinding? Binding,
    bool IsAdminUp,
    bool PortSecurity,
    ImmutableArray<AddressPair> AllowedPairs,
    ObjectId FromPort,
    ObjectId ToPort)
{
    /// <summary>The tenant that owns it: a tenant's full names are tenant, slash, name. Empty for what has no
    /// owner.</summary>
    public string Tenant => Name.IndexOf('/', System.StringComparison.Ordinal) is > 0 and int at ? Name[..at] : "";
}

/// <summary>A virtual switch: known unicast, broadcast and multicast; never floods unknown unicast.</summary>
/// <param name="Id">Identity.</param>
/// <param name="Name">Full name, e.g. <c>red/red-1</c>.</param>
/// <param name="Mtu">Octets of an IP packet in this network.</param>
/// <param name="IsAdminUp">False drops everything through it.</param>
/// <param name="Subnets">What DHCP, router advertisements and stateless DHCPv6 announce.</param>
public sealed record Bridge(ObjectId Id, string Name, int Mtu, bool IsAdminUp, ImmutableArray<Subnet> Subnets);

/// <summary>An L3 range of a bridge with what its hosts are told.</summary>
/// <param name="Prefix">The range.</param>
/// <param name="Gateway">Default gateway told to hosts, unspecified for none.</param>
/// <param name="DhcpServer">Source address of DHCPv4 answers and server identifier (normally the gateway).</param>
/// <param name="IsDhcpEnabled">IPv4: answer DHCP. IPv6: send router advertisements and answer stateless DHCPv6.</param>
/// <param name="Dns">Resolvers (options 6, 23, RDNSS).</param>
/// <param name="Domain">Domain name and search list, empty for none.</param>
/// <param name="Ntp">Time servers (options 42, 56).</param>
/// <param name="HostRoutes">Extra classless static routes (option 121, RFC 4191).</param>
/// <param name="LeaseSeconds">DHCPv4 lease time; T1 is a half, T2 seven eighths (RFC 2131 §4.4.5).</param>
public sealed record Subnet(
    IpPrefix Prefix,
    IpAddress Gateway,
    IpAddress DhcpServer,
    bool IsDhcpEnabled,
    ImmutableArray<IpAddress> Dns,
    string Domain,
    ImmutableArray<IpAddress> Ntp,
    ImmutableArray<HostRoute> HostRoutes,
    uint LeaseSeconds);

/// <summary>A route that hosts of a subnet are told.</summary>
public readonly record struct HostRoute(IpPrefix Destination, IpAddress NextHop);

/// <summary>A virtual router. The provider router that faces the ISPs is one too: its routes end in
/// <see cref="RouteTarget.FibExit"/>.</summary>
/// <param name="Id">Identity; the connection zone of its translations.</param>
/// <param name="Name">Full name, e.g. <c>red/router</c>.</param>
/// <param name="IsAdminUp">False drops everything through it.</param>
/// <param name="Routes">All routes, connected ones included.</param>
/// <param name="FloatingIps">1:1 translations at its external port.</param>
/// <param name="SourceNat">Dynamic source NAT of what leaves by its external port, or null.</param>
/// <param name="PortForwards">Destination NAT of public address and port.</param>
public sealed record Router(
    ObjectId Id,
    string Name,
    bool IsAdminUp,
    ImmutableArray<Route> Routes,
    ImmutableArray<FloatingIp> FloatingIps,
    SourceNat? SourceNat,
    ImmutableArray<PortForward> PortForwards);

/// <summary>What a route does with a packet.</summary>
public enum RouteTarget : byte
{
    /// <summary>Out of a port of this router; the next hop is the gateway address, or the destination itself if that
    /// is unspecified.</summary>
    Port,

    /// <summary>Silently dropped.</summary>
    Blackhole,

    /// <summary>Dropped, and the sender gets an ICMP unreachable.</summary>
    Reject,

    /// <summary>To the outside by the FIB of a gateway host.</summary>
    FibExit,
}

/// <summary>A route; among the longest prefixes the lowest metric wins, equal ones share flows by consistent
/// hash.</summary>
/// <param name="Destination">Prefix.</param>
/// <param name="Target">What to do.</param>
/// <param name="Port">Port of this router for <see cref="RouteTarget.Port"/>, else None.</param>
/// <param name="Gateway">Next hop's address, unspecified for connected.</param>
/// <param name="Metric">Lower is better.</param>
public readonly record struct Route(IpPrefix Destination, RouteTarget Target, ObjectId Port, IpAddress Gateway,
    uint Metric);

/// <summary>A public address mapped 1:1 to a fixed address behind this router.</summary>
/// <param name="Id">Identity.</param>
/// <param name="Address">Public address.</param>
/// <param name="FixedAddress">Address of the port behind the router.</param>
/// <param name="ExternalPort">The router's port towards the external network.</param>
public sealed record FloatingIp(ObjectId Id, IpAddress Address, IpAddress FixedAddress, ObjectId ExternalPort);

/// <summary>Source NAT: one public address, its ports leased in blocks to hosts (each host translates what enters
/// there).</summary>
/// <param name="Id">Identity of the pool: NAT-RETURN deliveries name it.</param>
/// <param name="ExternalPort">The router's port towards the external network.</param>
/// <param name="Blocks">Who owns which ports.</param>
public sealed record SourceNat(ObjectId Id, ObjectId ExternalPort, ImmutableArray<NatBlockLease> Blocks);

/// <summary>A range of ports of a public address, owned by one host; whole granules of 64 ports.</summary>
/// <param name="Address">Public IPv4 address.</param>
/// <param name="FirstPort">First port, a multiple of 64.</param>
/// <param name="LastPort">Last port, one less than a multiple of 64.</param>
/// <param name="Host">Owner.</param>
public readonly record struct NatBlockLease(IpAddress Address, ushort FirstPort, ushort LastPort, ObjectId Host);

/// <summary>Destination NAT: packets to (public address, protocol, port) go to (fixed address, port).</summary>
public sealed record PortForward(
    ObjectId Id, IpAddress Address, IpProtocol Protocol, ushort Port, IpAddress FixedAddress, ushort FixedPort,
    ObjectId ExternalPort);

/// <summary>The outside, as the hosts that are attached to it see it.</summary>
/// <param name="Id">Identity: FIB-EXIT deliveries name it.</param>
/// <param name="Name">Name.</param>
/// <param name="ProviderRouter">The router whose routes end in FIB-EXIT here.</param>
/// <param name="Prefixes">Public prefixes that the ISPs route to us.</param>
/// <param name="Uplinks">Ways out, each on a gateway host.</param>
public sealed record ExternalNetwork(
    ObjectId Id, string Name, ObjectId ProviderRouter, ImmutableArray<IpPrefix> Prefixes,
    ImmutableArray<Uplink> Uplinks);

/// <summary>One attachment to an ISP: a NIC of a gateway host behind a port of the provider router.</summary>
/// <param name="Id">Identity of the uplink port (a <see cref="VirtualPort"/> with
/// <see cref="PortRole.Uplink"/>).</param>
/// <param name="Host">Gateway host.</param>
/// <param name="Interface">NIC.</param>
/// <param name="Vlan">802.1Q VID, 0 untagged.</param>
/// <param name="Addresses">The host's own addresses on it; they sit on a host veth that stands for the router.</param>
/// <param name="Gateways">Static default gateways, by family; may be empty (BGP writes the routes).</param>
/// <param name="FibTable">Kernel routing table that FIB-EXIT looks up.</param>
public sealed record Uplink(
    ObjectId Id,
    ObjectId Host,
    string Interface,
    ushort Vlan,
    ImmutableArray<IpInterface> Addresses,
    ImmutableArray<IpAddress> Gateways,
    uint FibTable);
