using System;
using System.Collections.Generic;
using System.Globalization;
using System.IO;
using System.Linq;
using Genkan.Datapath.Native;
using Genkan.Datapath.Netlink;
using Genkan.Wire;

namespace Genkan.Datapath.Tables;

/// <summary>
/// The devices that Genkan makes on a host: the tunnel, the internal veth on which the agent sends, and a veth a
/// uplink. They outlive the agent; making them again changes nothing.
/// </summary>
internal sealed class HostDevices : IDisposable, IInterfaces
{
    /// <summary>Tunnel device.</summary>
    internal const string Vxlan = "gk-vxlan";

    /// <summary>The internal veth's sending end.</summary>
    internal const string AgentSend = "gk-agent0";

    /// <summary>The internal veth's receiving end, where the program stands.</summary>
    internal const string AgentReceive = "gk-agent1";

    private const int VethMtuMax = 65535;
    private const int OverheadIpv4 = 50; // Ethernet 14, IPv4 20, UDP 8, VXLAN 8
    private const int OverheadIpv6 = 70;

    private readonly RouteSocket _netlink = new();
    private readonly Dictionary<string, LinkInfo> _links = new(StringComparer.Ordinal);

    /// <summary>Netlink, for those who make more devices.</summary>
    internal RouteSocket Netlink => _netlink;

    /// <summary>All interfaces by name, as of the last <see cref="Refresh"/>.</summary>
    internal IReadOnlyDictionary<string, LinkInfo> Links => _links;

    /// <summary>Interface number of the tunnel device.</summary>
    internal uint VxlanIfindex { get; private set; }

    /// <summary>Interface number of <see cref="AgentReceive"/>.</summary>
    internal uint AgentIfindex { get; private set; }

    /// <summary>Interface number of <see cref="AgentSend"/>.</summary>
    internal int AgentSendIfindex => _links[AgentSend].Ifindex;

    /// <summary>Largest IP packet of a tenant that fits the tunnels.</summary>
    internal int TenantMtuMax { get; private set; }

    /// <summary>MTU of the interface that has the underlay address.</summary>
    internal int UnderlayMtuOctets { get; private set; }

    /// <summary>Makes the tunnel device and the internal veth where they are missing.</summary>
    /// <param name="underlay">The host's own underlay address, which an interface must have.</param>
    /// <param name="udpPort">UDP port of the tunnels.</param>
    /// <exception cref="DatapathException">No interface has the address.</exception>
    internal void Ensure(IpAddress underlay, ushort udpPort)
    {
        Refresh();
        UnderlayMtuOctets = UnderlayMtu(underlay);
        TenantMtuMax = UnderlayMtuOctets - (underlay.IsIpv4 ? OverheadIpv4 : OverheadIpv6);
        if (!_links.ContainsKey(Vxlan)) CreateTunnel(udpPort);
        if (!_links.ContainsKey(AgentSend))
        {
            _netlink.CreateVeth(
                new VethEnd(AgentSend) { MtuOctets = VethMtuMax },
                new VethEnd(AgentReceive) { MtuOctets = VethMtuMax });
        }

        Refresh();
        foreach (string name in new[] { Vxlan, AgentSend, AgentReceive })
        {
            InterfaceSysctl.SetDisableIpv6(name, disabled: true);
            if (!_links[name].IsUp) _netlink.SetLink(_links[name].Ifindex, new LinkSettings { IsUp = true });
        }

        if (_links[Vxlan].MtuOctets != TenantMtuMax)
        {
            _netlink.SetLink(_links[Vxlan].Ifindex, new LinkSettings { MtuOctets = TenantMtuMax });
        }

        (VxlanIfindex, AgentIfindex) = ((uint)_links[Vxlan].Ifindex, (uint)_links[AgentReceive].Ifindex);
    }

    /// <summary>Makes the tunnel device anew, for another UDP port.</summary>
    internal void ReplaceTunnel(IpAddress underlay, ushort udpPort)
    {
        _netlink.DeleteLink(_links[Vxlan].Ifindex);
        Ensure(underlay, udpPort);
    }

    /// <summary>Reads the interfaces anew.</summary>
    internal void Refresh()
    {
        _links.Clear();
        foreach (LinkInfo link in _netlink.ListLinks()) _links[link.Name] = link;
    }

    /// <inheritdoc/>
    public bool TryGet(string name, out InterfaceState state)
    {
        bool isThere = _links.TryGetValue(name, out LinkInfo? link);
        state = isThere
            ? new InterfaceState((uint)link!.Ifindex, link.IsPeerElsewhere, link.Mac, (uint)link.MtuOctets)
            : default;
        return isThere;
    }

    /// <summary>Takes an interface over: up, and without an IPv6 address of the host's, which tenants on it could
    /// reach.</summary>
    /// <param name="name">Interface, which is there.</param>
    /// <param name="isPromiscuous">True on uplinks: the MAC on the wire is the host veth's.</param>
    internal void TakeOver(string name, bool isPromiscuous)
    {
        LinkInfo link = _links[name];
        InterfaceSysctl.SetDisableIpv6(name, disabled: true);
        if (link.IsUp && !isPromiscuous) return;
        _netlink.SetLink(link.Ifindex, new LinkSettings { IsUp = true, IsPromiscuous = isPromiscuous ? true : null });
    }

    /// <summary>The Ethernet interface that has an address, or null.</summary>
    internal LinkInfo? EthernetOf(IpAddress address)
    {
        foreach ((int ifindex, IpInterface found) in _netlink.ListAddresses())
        {
            if (found.Address != address) continue;
            return _links.Values.FirstOrDefault(l => l.Ifindex == ifindex && l.IsEthernet);
        }

        return null;
    }

    /// <summary>UDP source ports that the tunnel device picks from; the last one it never takes.</summary>
    internal (ushort First, ushort Count) SourcePorts()
    {
        (ushort first, ushort last) = _links[Vxlan].SourcePorts;
        if (first < last) return (first, (ushort)(last - first));
        string[] range = File.ReadAllText("/proc/sys/net/ipv4/ip_local_port_range") // made by an agent that set none
            .Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);
        (first, last) = (ushort.Parse(range[0], CultureInfo.InvariantCulture),
            ushort.Parse(range[1], CultureInfo.InvariantCulture));
        return (first, (ushort)(last - first));
    }

    /// <summary>Removes everything that Genkan makes.</summary>
    internal void RemoveAll()
    {
        Refresh();
        // A veth's twin is gone already.
        foreach (LinkInfo link in _links.Values.Where(IsOurs)) _netlink.DeleteLink(link.Ifindex);
    }

    /// <inheritdoc/>
    public void Dispose() => _netlink.Dispose();

    private static bool IsOurs(LinkInfo link) => link.Name is Vxlan or AgentSend or AgentReceive
        || link.Name.StartsWith(UplinkDevices.NamePrefix, StringComparison.Ordinal);

    private void CreateTunnel(ushort udpPort)
    {
        try
        {
            _netlink.CreateVxlan(new VxlanDevice(Vxlan, udpPort, TenantMtuMax));
        }
        catch (KernelException e) when (e.Error == Errno.EEXIST)
        {
            throw new DatapathException(
                $"Another VXLAN device of this network namespace has UDP port {udpPort}: remove it (ip link "
                + "show type vxlan), or give this host's underlay another port.",
                e);
        }
        catch (KernelException e) when (e.Error == Errno.EOPNOTSUPP)
        {
            throw new DatapathException(
                "This kernel has no VXLAN: load the module vxlan, or use a kernel with CONFIG_VXLAN.", e);
        }
    }

    private int UnderlayMtu(IpAddress underlay)
    {
        foreach ((int ifindex, IpInterface address) in _netlink.ListAddresses())
        {
            if (address.Address != underlay) continue;
            return _links.Values.First(l => l.Ifindex == ifindex).MtuOctets;
        }

        throw new DatapathException(
            $"No interface of this host has the underlay address {underlay}: add it (ip address add "
            + $"{underlay}/LENGTH dev INTERFACE), or correct the host's underlay address in the configuration.");
    }
}
