using System;

namespace Genkan.Control.Model;

/// <summary>
/// The named maxima of a desired state; each has a test that goes past it. Those of the topology come on top.
/// </summary>
public static class ControlLimits
{
    /// <summary>Characters of a name: letters, digits, <c>.</c>, <c>_</c> and <c>-</c>.</summary>
    public const int NameLengthMax = 63;

    /// <summary>Characters of an interface name (Linux: IFNAMSIZ less the end).</summary>
    public const int InterfaceNameLengthMax = 15;

    /// <summary>Hosts; bounded by the kernel's table of tunnel endpoints.</summary>
    public const int HostsMax = 1024;

    /// <summary>External networks.</summary>
    public const int ExternalNetworksMax = 16;

    /// <summary>Public prefixes of an external network.</summary>
    public const int PrefixesMax = 256;

    /// <summary>Uplinks of all hosts.</summary>
    public const int UplinksMax = 32;

    /// <summary>Tenants.</summary>
    public const int TenantsMax = 4096;

    /// <summary>Networks of a tenant, and routers, and security groups, each.</summary>
    public const int NetworksMax = 1000;

    /// <summary>Subnets of a network.</summary>
    public const int SubnetsMax = 16;

    /// <summary>Ports of a tenant.</summary>
    public const int PortsMax = 10_000;

    /// <summary>Floating IPs of a tenant, and port forwards, each.</summary>
    public const int FloatingIpsMax = 1000;

    /// <summary>Interfaces of a router: networks that it joins.</summary>
    public const int RouterInterfacesMax = 64;

    /// <summary>Static routes of a router.</summary>
    public const int StaticRoutesMax = 256;

    /// <summary>Fixed addresses of a port.</summary>
    public const int AddressesMax = 16;

    /// <summary>Security groups of a port; each may add two objects to what a flow depends on.</summary>
    public const int SecurityGroupsPerPortMax = 8;

    /// <summary>Resolvers of a subnet (Neutron: <c>max_dns_nameservers</c>), and time servers.</summary>
    public const int DnsNameserversMax = 5;

    /// <summary>Host routes of a subnet (Neutron: <c>max_subnet_host_routes</c>).</summary>
    public const int HostRoutesMax = 20;

    /// <summary>Characters of a domain name in text form (RFC 1035 §2.3.4 less length octet and root).</summary>
    public const int DomainLengthMax = 253;

    /// <summary>Smallest MTU of a network with IPv4 only (RFC 791: every host takes 576).</summary>
    public const int MtuMin = 576;

    /// <summary>Smallest MTU of a network with IPv6 (RFC 8200 §5).</summary>
    public const int Ipv6MtuMin = 1280;

    /// <summary>Largest MTU of anything.</summary>
    public const int MtuMax = 9216;

    /// <summary>MTU of a network that names none, where the underlay allows it.</summary>
    public const int MtuDefault = 1500;

    /// <summary>Ports of the smallest unit that NAT blocks are made of.</summary>
    public const int SnatGranule = 64;

    /// <summary>First port that SNAT may use; those below stay well known.</summary>
    public const int SnatPortMin = 1024;

    /// <summary>Shortest lease.</summary>
    public static readonly TimeSpan LeaseMin = TimeSpan.FromSeconds(60);

    /// <summary>Longest lease; the next value would mean for ever (RFC 2131 §3.3).</summary>
    public static readonly TimeSpan LeaseMax = TimeSpan.FromSeconds(uint.MaxValue - 1);

    /// <summary>Errors in one report; one more says that there are others.</summary>
    public const int ErrorsMax = 100;
}
