using System;
using System.Collections.Generic;
using System.Globalization;
using System.Linq;
using System.Text;
using Genkan.Control.Model;
using Genkan.Wire;

namespace Genkan.Datapath.Tests.Judge;

/// <summary>
/// Security groups, floating IPs, port forwards and source NAT of a world as rules of nftables. The filter stands where
/// a packet has the addresses that its VM knows: before the destination is translated and after the source is.
/// </summary>
internal static class NftRuleset
{
    // Where the packets of a router itself are told apart from those that it forwards.
    private const string OwnMark = "1";

    /// <summary>Of the router that the VMs know.</summary>
    public static string Of(JudgedWorld world)
    {
        StringBuilder text = new("table inet filter {\n");
        foreach (string name in RemoteGroups(world)) AddMembers(text, world, name);
        foreach (SecurityGroup group in world.Groups)
        {
            AddGroup(text, group, Direction.Ingress);
            AddGroup(text, group, Direction.Egress);
        }

        foreach (JudgedPort port in world.Ports.Where(static p => p.IsSecured))
        {
            AddPort(text, port, Direction.Ingress);
            AddPort(text, port, Direction.Egress);
        }

        if (world.Outside is not null) AddGuard(text, world);
        AddHook(text, "output", "output", -150, [$"meta mark set {OwnMark}"]);
        AddHook(text, "enter", "prerouting", -150, [.. Jumps(world, "saddr", Direction.Egress)]);
        AddHook(
            text, "leave", "postrouting", 300,
            [$"meta mark {OwnMark} accept", .. Jumps(world, "daddr", Direction.Ingress)]);
        text.Append("}\n");
        AddPortSecurity(text, world);
        if (world.Outside is { } outside) AddTranslations(text, world, outside);
        return text.ToString();
    }

    /// <summary>
    /// Of the router behind it: what says that it is ours does not come from outside (RFC 2827), what is not ours does
    /// not leave, what came from outside does not go back there, and inner addresses are known to nobody there.
    /// </summary>
    public static string OfProvider()
    {
        string ours4 = JudgedOutside.Prefixes.First(static p => p.IsIpv4).ToString();
        string ours6 = JudgedOutside.Prefixes.First(static p => p.IsIpv6).ToString();
        return $$"""
            table inet border {
              chain enter {
                type filter hook prerouting priority -150
                iifname "isp0" ip saddr {{ours4}} drop
                iifname "isp0" ip6 saddr {{ours6}} drop
                iifname "isp0" ip daddr 10.0.0.0/8 drop
              }
              chain pass {
                type filter hook forward priority 0
                iifname "isp0" oifname "isp0" drop
                oifname "isp0" meta nfproto ipv4 ip saddr != {{ours4}} drop
                oifname "isp0" meta nfproto ipv6 ip6 saddr != {{ours6}} drop
              }
            }

            """;
    }

    private static IEnumerable<string> RemoteGroups(JudgedWorld world) => world.Groups
        .SelectMany(static g => g.Rules).Select(static r => r.RemoteGroup).OfType<string>().Distinct();

    private static void AddMembers(StringBuilder text, JudgedWorld world, string group)
    {
        JudgedPort[] members = [.. world.Ports.Where(p => p.Groups.Contains(group))];
        AddSet(text, $"{group}_4", "ipv4_addr", members.Select(static m => m.Address4));
        AddSet(text, $"{group}_6", "ipv6_addr", members.Select(static m => m.Address6));
    }

    private static void AddSet(StringBuilder text, string name, string type, IEnumerable<IpAddress> elements)
    {
        string list = string.Join(", ", elements);
        string line = list.Length == 0 ? "" : $"elements = {{ {list} }}\n";
        Add(text, $"  set {name} {{\n    type {type}\n    {line}  }}");
    }

    private static void AddGroup(StringBuilder text, SecurityGroup group, Direction direction) => AddChain(
        text, $"{group.Name}_{direction}",
        [
            .. direction == Direction.Egress && group.DefaultEgress == true ? ["accept"] : Array.Empty<string>(),
            .. group.Rules.Where(r => r.Direction == direction).SelectMany(Matches).Select(static m => $"{m} accept"),
        ]);

    private static void AddPort(StringBuilder text, JudgedPort port, Direction direction) => AddChain(
        text, $"{port.Name}_{direction}",
        [
            "ct state established,related accept", "ct state invalid drop",
            .. port.Groups.Select(g => $"jump {g}_{direction}"), "drop",
        ]);

    private static IEnumerable<string> Jumps(JudgedWorld world, string field, Direction direction)
    {
        foreach (JudgedPort port in world.Ports.Where(static p => p.IsSecured))
        {
            yield return $"ip {field} {port.Address4} jump {port.Name}_{direction}";
            yield return $"ip6 {field} {port.Address6} jump {port.Name}_{direction}";
        }
    }

    // What says that it is of inside does not come from outside (RFC 3704 §2.2). A public address that stands for
    // others is no service of its own: what none of them asked for is not answered but pings.
    private static void AddGuard(StringBuilder text, JudgedWorld world)
    {
        JudgedOutside outside = world.Outside!;
        AddHook(
            text, "guard", "prerouting", -150,
            [
                .. world.Networks.SelectMany(static n => (string[])
                [
                    $"iifname \"up0\" ip saddr {n.Gateway4.Prefix} drop",
                    $"iifname \"up0\" ip6 saddr {n.Gateway6.Prefix} drop",
                ]),
            ]);
        if (outside.IsSnatEnabled)
        {
            // RFC 5508 §6, REQ-8: what cannot be translated is told.
            string translated = string.Join(", ", outside.FloatingIps.Select(static f => f.Port.Address4)
                .Append(outside.Address4));
            AddHook(
                text, "pass", "forward", 0,
                [
                    $"oifname \"up0\" meta nfproto ipv4 iifname != \"up0\" ip saddr != {{ {translated} }} "
                    + "meta l4proto != { tcp, udp, icmp } reject with icmp type admin-prohibited",
                ]);
        }

        AddHook(
            text, "own", "input", 0,
            [
                "meta l4proto tcp drop",
                .. outside.IsSnatEnabled
                    ?
                    [
                        $"ip daddr {outside.Address4} meta l4proto udp drop",
                        $"iifname \"up0\" ip daddr {outside.Address4} meta l4proto != icmp drop",
                    ]
                    : Array.Empty<string>(),
            ]);
    }

    // On the bridge, where the interface and the MAC are known.
    private static void AddPortSecurity(StringBuilder text, JudgedWorld world)
    {
        text.Append("table bridge security {\n");
        AddHook(
            text, "enter", "prerouting", -150,
            [
                .. world.Ports.Where(static p => p.IsSecured).SelectMany(static p => (string[])
                [
                    $"iifname \"{p.Name}\" ether saddr != {p.Mac} drop",
                    $"iifname \"{p.Name}\" ether type ip ip saddr != {p.Address4} drop",
                    $"iifname \"{p.Name}\" ether type ip6 ip6 saddr != {p.Address6} drop",
                ]),
            ]);
        text.Append("}\n");
    }

    private static void AddTranslations(StringBuilder text, JudgedWorld world, JudgedOutside outside)
    {
        string inside = string.Join(", ", world.Networks.Select(static n => n.Gateway4.Prefix));
        text.Append("table ip nat {\n");
        AddHook(
            text, "destinations", "prerouting", -100,
            [
                .. outside.FloatingIps.Select(static f => $"ip daddr {f.Address} dnat to {f.Port.Address4}"),
                .. outside.Forwards.Select(static f => $"ip daddr {f.Forward.Address} meta l4proto "
                    + $"{(int)f.Forward.Protocol} th dport {f.Forward.ExternalPort} dnat to "
                    + $"{f.Port.Address4}:{f.Forward.InternalPort}"),
            ],
            "nat");

        // From inside to a public address both ends are translated (RFC 4787 §6).
        List<string> sources =
            [$"ip saddr != {{ {inside} }} return", "oifname != \"up0\" ct status & dnat == 0 return"];
        sources.AddRange(outside.FloatingIps.Select(static f => $"ip saddr {f.Port.Address4} snat to {f.Address}"));
        if (outside.IsSnatEnabled)
        {
            sources.Add($"meta l4proto {{ tcp, udp, icmp }} snat to {outside.Address4}:"
                + $"{JudgedOutside.NatPortMin}-{ushort.MaxValue}");
        }

        AddHook(text, "sources", "postrouting", 100, [.. sources], "nat");
        text.Append("}\n");
    }

    private static IEnumerable<string> Matches(SecurityGroupRule rule)
    {
        EtherType[] families = rule.Family is { } family ? [family] : [EtherType.Ipv4, EtherType.Ipv6];
        foreach (EtherType type in families)
        {
            bool isIpv4 = type == EtherType.Ipv4;
            string end = rule.Direction == Direction.Ingress ? "saddr" : "daddr";
            string ip = isIpv4 ? "ip" : "ip6";
            StringBuilder match = new($"meta nfproto {(isIpv4 ? "ipv4" : "ipv6")}");
            if (rule.RemoteIpPrefix is { } prefix) match.Append(Invariant($" {ip} {end} {prefix}"));
            if (rule.RemoteGroup is { } group) match.Append(Invariant($" {ip} {end} @{group}_{(isIpv4 ? 4 : 6)}"));
            if (rule.Protocol is { } protocol)
            {
                IpProtocol own = protocol == IpProtocol.Icmp && !isIpv4 ? IpProtocol.Icmpv6 : protocol;
                match.Append(Invariant($" meta l4proto {(int)own}"));
            }

            if (rule.PortRangeMin is not null || rule.PortRangeMax is not null)
            {
                match.Append(
                    Invariant($" th dport {rule.PortRangeMin ?? 0}-{rule.PortRangeMax ?? ushort.MaxValue}"));
            }

            string icmp = isIpv4 ? "icmp" : "icmpv6";
            if (rule.IcmpType is { } icmpType) match.Append(Invariant($" {icmp} type {icmpType}"));
            if (rule.IcmpCode is { } icmpCode) match.Append(Invariant($" {icmp} code {icmpCode}"));
            yield return match.ToString();
        }
    }

    private static void AddChain(StringBuilder text, string name, string[] rules) =>
        Add(text, $"  chain {name} {{\n    {string.Join("\n    ", rules)}\n  }}");

    private static void AddHook(
        StringBuilder text, string name, string hook, int priority, string[] rules, string type = "filter") =>
        AddChain(
            text, name, [Invariant($"type {type} hook {hook} priority {priority}"), .. rules]);

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);

    private static void Add(StringBuilder text, FormattableString line) => text.Append(Invariant(line)).Append('\n');
}
