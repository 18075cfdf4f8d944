using Genkan.Datapath.Namespaces;
using Genkan.Wire;

namespace Genkan.Datapath.Netlink;

/// <summary>An interface as the kernel describes it.</summary>
/// <param name="Ifindex">Number within its namespace.</param>
/// <param name="Name">Name.</param>
/// <param name="Kind"><c>veth</c>, <c>vxlan</c>, <c>tun</c> ..., or empty for hardware and loopback.</param>
/// <param name="Mac">Its MAC address, or zero.</param>
/// <param name="MtuOctets">Largest IP packet.</param>
/// <param name="IsUp">Whether it was set up.</param>
/// <param name="IsRunning">
/// Whether it can send: the other end is up too, and the kernel has taken note of that, which it does a little later
/// (IFF_RUNNING; RFC 2863 ifOperStatus up or unknown). Before, it drops what it is given.
/// </param>
/// <param name="PeerIfindex">The veth's other end, within its own namespace, or the parent; 0 for none.</param>
/// <param name="IsPeerElsewhere">Whether the other end is in another namespace.</param>
public sealed record LinkInfo(
    int Ifindex,
    string Name,
    string Kind,
    MacAddress Mac,
    int MtuOctets,
    bool IsUp,
    bool IsRunning,
    int PeerIfindex,
    bool IsPeerElsewhere)
{
    /// <summary>Whether its frames are Ethernet's (ARPHRD_ETHER).</summary>
    public bool IsEthernet { get; init; }

    /// <summary>Of a VXLAN device: UDP source ports that it picks from, both 0 for the range of the host
    /// (ip_local_port_range).</summary>
    public (ushort First, ushort Last) SourcePorts { get; init; }
}

/// <summary>What to set on an interface; null leaves it.</summary>
public sealed record LinkSettings
{
    /// <summary>Set up or down.</summary>
    public bool? IsUp { get; init; }

    /// <summary>Whether it takes frames to other MAC addresses than its own.</summary>
    public bool? IsPromiscuous { get; init; }

    /// <summary>Largest IP packet, octets.</summary>
    public int? MtuOctets { get; init; }

    /// <summary>MAC address.</summary>
    public MacAddress? Mac { get; init; }

    /// <summary>Another name.</summary>
    public string? Name { get; init; }

    /// <summary>Another namespace.</summary>
    public NetworkNamespace? Namespace { get; init; }

    /// <summary>The bridge that it becomes a port of.</summary>
    public int? MasterIfindex { get; init; }
}

/// <summary>One end of a new veth pair.</summary>
/// <param name="Name">Name.</param>
public sealed record VethEnd(string Name)
{
    /// <summary>MAC address; null for one that the kernel picks.</summary>
    public MacAddress? Mac { get; init; }

    /// <summary>Largest IP packet, octets; null for 1500.</summary>
    public int? MtuOctets { get; init; }

    /// <summary>Namespace; null for the netlink socket's own.</summary>
    public NetworkNamespace? Namespace { get; init; }
}

/// <summary>A VXLAN device whose tunnel keys come from and go to BPF (collect-metadata), with group policy.</summary>
/// <param name="Name">Name.</param>
/// <param name="UdpPort">Port of the VTEP.</param>
/// <param name="MtuOctets">Largest tenant IP packet.</param>
public sealed record VxlanDevice(string Name, ushort UdpPort, int MtuOctets)
{
    /// <summary>MAC address; null for one that the kernel picks.</summary>
    public MacAddress? Mac { get; init; }
}

/// <summary>What a route does (RTN_*).</summary>
public enum RouteKind
{
    /// <summary>Forwards.</summary>
    Unicast = 1,

    /// <summary>The address is ours.</summary>
    Local = 2,

    /// <summary>Drops in silence.</summary>
    Blackhole = 6,

    /// <summary>Drops and says "host unreachable".</summary>
    Unreachable = 7,

    /// <summary>Drops and says "administratively prohibited".</summary>
    Prohibit = 8,
}

/// <summary>A route of the kernel.</summary>
/// <param name="Destination">Where to.</param>
public sealed record Route(IpPrefix Destination)
{
    /// <summary>Table; 254 is <c>main</c>.</summary>
    public uint Table { get; init; } = 254;

    /// <summary>What it does.</summary>
    public RouteKind Kind { get; init; } = RouteKind.Unicast;

    /// <summary>Gateway, of either family; null for "on the link".</summary>
    public IpAddress? Via { get; init; }

    /// <summary>Interface; 0 to let the gateway decide.</summary>
    public int Ifindex { get; init; }

    /// <summary>Lower is better (metric); 0 lets the kernel pick.</summary>
    public uint Priority { get; init; }

    /// <summary>Source address of packets from here; null lets the kernel pick.</summary>
    public IpAddress? PreferredSource { get; init; }
}
