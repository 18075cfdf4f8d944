using System;
using System.Collections.Generic;
using System.Collections.Immutable;
using System.IO;
using System.Linq;
using Genkan.Control.Plan;
using Genkan.Fuzz.Engine;
using Genkan.Host.Configuration;
using Genkan.Overlay.Simulation;
using Genkan.Overlay.Topology;
using Genkan.Wire;

namespace Genkan.Fuzz.Targets;

/// <summary>
/// The courtyard's file as its two hosts see it: two tenants, a router with source NAT, floating IP and security
/// groups, an uplink. Its addresses are what mutants are made of.
/// </summary>
internal static class World
{
    /// <summary>The checkout's file.</summary>
    public static string CourtyardText { get; } =
        File.ReadAllText(Path.Combine(InputFiles.Root, "../../appliance/courtyard/courtyard.yaml"));

    /// <summary>The hosts' topologies.</summary>
    public static ImmutableArray<TopologySnapshot> Hosts { get; } = [Snapshot("gw1"), Snapshot("hv1")];

    /// <summary>Ways in, of each host: ports and uplinks, bridges, NAT pools.</summary>
    public static ImmutableArray<ImmutableArray<(IngressKind Kind, ObjectId Object)>> WaysIn { get; } =
        [.. Hosts.Select(WaysInOf)];

    /// <summary>MAC addresses of everybody.</summary>
    public static ImmutableArray<MacAddress> Macs { get; } =
    [
        .. Hosts[0].Parts.Ports.Select(static p => p.Mac).Distinct(), MacAddress.Broadcast, MacAddress.Zero,
        MacAddress.Parse("33:33:00:00:00:01"), MacAddress.Parse("33:33:ff:00:01:11"),
        MacAddress.Parse("01:00:5e:00:00:01"), MacAddress.Parse("01:80:c2:00:00:00"),
    ];

    /// <summary>IPv4 addresses of everybody, and those that may not be on a wire.</summary>
    public static ImmutableArray<IpAddress> Ipv4 { get; } = Addresses(
        true, "0.0.0.0", "255.255.255.255", "127.0.0.1", "224.0.0.1", "240.0.0.1", "169.254.1.1", "0.1.2.3",
        "10.0.1.255", "10.0.1.99", "198.51.100.10", "198.51.100.20", "198.51.100.30", "198.18.0.10", "203.0.113.1");

    /// <summary>IPv6 addresses of everybody, and those that may not be on a wire.</summary>
    public static ImmutableArray<IpAddress> Ipv6 { get; } = Addresses(
        false, "::", "::1", "ff02::1", "ff02::2", "ff02::1:2", "ff02::16", "ff02::1:ff00:111", "fe80::1", "fec0::1",
        "64:ff9b::1", "2001:db8:beef::10", "2001:db8:1:1::99", "fe80::f816:3eff:fe00:111");

    /// <summary>The MAC address of a port of the file.</summary>
    public static MacAddress MacOf(string port) => Hosts[0].Parts.Ports.First(p => p.Name == port).Mac;

    /// <summary>The MAC address that a router has in the network of an address.</summary>
    public static MacAddress RouterMac(string address) => Hosts[0].Parts.Ports.First(
        p => p.Role == PortRole.Interior && p.Addresses.Any(a => a.Address == IpAddress.Parse(address))).Mac;

    private static TopologySnapshot Snapshot(string host)
    {
        TopologyFile file = TopologyFile.Read("courtyard.yaml", CourtyardText);
        return TopologySnapshot.TryCreate(
            file.Parts!, ObjectIds.Host(host), 1, out TopologySnapshot? snapshot,
            out IReadOnlyList<TopologyFault> faults)
            ? snapshot
            : throw new InvalidOperationException(string.Join("; ", faults));
    }

    private static ImmutableArray<(IngressKind, ObjectId)> WaysInOf(TopologySnapshot host) =>
    [
        .. host.LocalPorts.Select(static p => (IngressKind.Port, p.Id)),
        .. host.LocalBridges.Select(static b => (IngressKind.Flood, b.Id)),
        .. host.Parts.Routers.Where(static r => r.SourceNat is not null)
            .Select(static r => (IngressKind.NatReturn, r.SourceNat!.Id)),
    ];

    private static ImmutableArray<IpAddress> Addresses(bool isIpv4, params string[] more) =>
    [
        .. Hosts[0].Parts.Ports.SelectMany(static p => p.Addresses).Select(static a => a.Address)
            .Where(a => a.IsIpv4 == isIpv4).Distinct(),
        .. more.Select(static a => IpAddress.Parse(a)),
    ];
}
