using System;
using System.Collections.Generic;
using System.Globalization;
using System.Linq;
using Genkan.Datapath.Netlink;
using Genkan.Overlay.Topology;
using Genkan.Wire;

namespace Genkan.Datapath.Tables;

/// <summary>
/// A veth pair a uplink: the end with the addresses, routes and neighbours stands for the router in the host's FIB;
/// out of the other end come the host's own packets. Routes so outlive a carrier loss of the NIC.
/// </summary>
internal sealed class UplinkDevices(HostDevices host)
{
    /// <summary>What all names begin with.</summary>
    internal const string NamePrefix = "gk-up";

    private const uint MainTable = 254;

    private readonly Dictionary<ObjectId, UplinkDevice> _devices = [];

    /// <summary>Devices by uplink.</summary>
    internal IReadOnlyDictionary<ObjectId, UplinkDevice> Devices => _devices;

    /// <summary>Name of the end with the addresses.</summary>
    internal static string HostNameOf(ObjectId uplink) =>
        string.Create(CultureInfo.InvariantCulture, $"{NamePrefix}{uplink.Zone:x8}");

    /// <summary>Name of the other end.</summary>
    internal static string WireNameOf(ObjectId uplink) =>
        string.Create(CultureInfo.InvariantCulture, $"{NamePrefix}p{uplink.Zone:x8}");

    /// <summary>MAC of the host end: locally administered, the same at every start, so that the ISP's neighbour entry
    /// stays true.</summary>
    internal static MacAddress MacOf(ObjectId uplink) => new((0x02UL << 40) | (uplink.Value & 0xff_ffff_ffff));

    /// <summary>Makes and configures the devices of all uplinks of a plan.</summary>
    internal void Ensure(HostPlan plan)
    {
        foreach (PlannedPort planned in plan.Ports)
        {
            if (planned.Uplink is not null) Ensure(planned.Port.Id, planned.Uplink);
        }
    }

    /// <summary>Removes the devices of uplinks that a plan does not name.</summary>
    internal void RemoveOthers(HostPlan plan)
    {
        HashSet<string> wanted = [.. plan.Ports.Where(p => p.Uplink is not null).Select(p => HostNameOf(p.Port.Id))];
        HashSet<ObjectId> ids = [.. plan.Ports.Select(p => p.Port.Id)];
        foreach (LinkInfo link in host.Links.Values)
        {
            bool isHostEnd = link.Name.Length == NamePrefix.Length + 8
                && link.Name.StartsWith(NamePrefix, StringComparison.Ordinal);
            if (isHostEnd && !wanted.Contains(link.Name)) host.Netlink.DeleteLink(link.Ifindex);
        }

        foreach (ObjectId id in _devices.Keys)
        {
            if (!ids.Contains(id)) _devices.Remove(id); // allowed while enumerating
        }
    }

    private void Ensure(ObjectId id, Uplink uplink)
    {
        (string hostName, string wireName) = (HostNameOf(id), WireNameOf(id));
        int mtu = host.Links.TryGetValue(uplink.Interface, out LinkInfo? nic) ? nic.MtuOctets : 1500;
        if (!host.Links.ContainsKey(hostName))
        {
            host.Netlink.CreateVeth(
                new VethEnd(hostName) { Mac = MacOf(id), MtuOctets = mtu }, new VethEnd(wireName) { MtuOctets = mtu });
            host.Refresh();
        }

        LinkInfo hostEnd = host.Links[hostName];
        LinkInfo wireEnd = host.Links[wireName];
        InterfaceSysctl.SetDisableIpv6(wireName, disabled: true);
        Configure(hostName, uplink);
        Set(hostEnd, mtu);
        Set(wireEnd, mtu);
        SetAddresses(hostEnd.Ifindex, uplink);
        SetRoutes(hostEnd.Ifindex, uplink);
        _devices[id] = new UplinkDevice((uint)hostEnd.Ifindex, (uint)wireEnd.Ifindex, MacOf(id));
    }

    // bpf_fib_lookup answers only for an input device with forwarding on; nothing else of the host forwards.
    private static void Configure(string hostName, Uplink uplink)
    {
        bool hasIpv6 = uplink.Addresses.Any(a => a.Address.IsIpv6);
        InterfaceSysctl.Write("ipv6", hostName, "accept_dad", "0");
        InterfaceSysctl.Write("ipv4", hostName, "accept_redirects", "0"); // as RFC 1812 §5.2.7.2 lets routers do
        InterfaceSysctl.SetAcceptRouterAdvertisements(hostName, 0);
        InterfaceSysctl.SetDisableIpv6(hostName, disabled: !hasIpv6);
        InterfaceSysctl.SetForwarding(hostName, ipv4: true, ipv6: true);
        InterfaceSysctl.SetReversePathFilter(hostName, 0);
    }

    private void Set(LinkInfo link, int mtu)
    {
        if (link.IsUp && link.MtuOctets == mtu) return;
        host.Netlink.SetLink(link.Ifindex, new LinkSettings { IsUp = true, MtuOctets = mtu });
    }

    private void SetAddresses(int ifindex, Uplink uplink)
    {
        HashSet<IpInterface> present =
            [.. host.Netlink.ListAddresses().Where(a => a.Ifindex == ifindex).Select(a => a.Address)];
        foreach (IpInterface address in uplink.Addresses)
        {
            if (!present.Remove(address)) host.Netlink.AddAddress(ifindex, address);
        }

        foreach (IpInterface address in present)
        {
            if (!address.Address.IsLinkLocal) host.Netlink.DeleteAddress(ifindex, address);
        }
    }

    private void SetRoutes(int ifindex, Uplink uplink)
    {
        List<Netlink.Route> wanted = [];
        if (uplink.FibTable != MainTable)
        {
            // The look-up asks this table alone; what is on the link stands in the main one.
            wanted.AddRange(uplink.Addresses.Select(
                own => new Netlink.Route(own.Prefix) { Table = uplink.FibTable, Ifindex = ifindex }));
        }

        wanted.AddRange(uplink.Gateways.Select(gateway =>
            new Netlink.Route(gateway.IsIpv4 ? IpPrefix.All4 : IpPrefix.All6)
            {
                Table = uplink.FibTable,
                Via = gateway,
                Ifindex = ifindex,
            }));

        // A successor finds them: its start changes nothing that a routing daemon or a monitor would see.
        IReadOnlyList<Netlink.Route> present = host.Netlink.ListRoutes(uplink.FibTable);
        if (wanted.TrueForAll(w => present.Any(p => IsSame(p, w)))) return;
        foreach (Netlink.Route route in wanted) host.Netlink.ReplaceRoute(route);
    }

    // The kernel fills in what we leave open.
    private static bool IsSame(Netlink.Route one, Netlink.Route other) => one.Destination == other.Destination
        && one.Via == other.Via && one.Ifindex == other.Ifindex && one.Kind == other.Kind;
}
