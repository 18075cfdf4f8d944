using System.Collections.Immutable;
using Genkan.Control.Model;
using Genkan.Control.Plan;
using Genkan.Overlay.Topology;
using Genkan.Wire;

namespace Genkan.Control.Validation;

/// <summary>Security groups and their rules.</summary>
internal static class SecurityGroupRules
{
    public static void Check(TenantPlan tenant, string tenantPath, ErrorList errors)
    {
        ImmutableArray<SecurityGroup> groups = tenant.Tenant.SecurityGroups;
        errors.Limit($"{tenantPath}.security_groups", groups.Length, ControlLimits.NetworksMax, "security groups");
        errors.Names(groups, static g => g.Name, i => $"{tenantPath}.security_groups[{i}].name", "security groups");
        for (int i = 0; i < groups.Length; i++)
        {
            string path = $"{tenantPath}.security_groups[{i}]";
            if (!groups[i].IsStateful)
            {
                errors.Add(
                    $"{path}.stateful",
                    $"security group '{groups[i].Name}' is stateless, which is not supported",
                    "leave stateful out: answers to what is allowed are allowed");
            }

            // A rule for both families may need a rule each, so half of what a chain holds is always safe.
            errors.Limit(
                $"{path}.rules", groups[i].Rules.Length, TopologyLimits.RulesMax / 2, "rules in one security group");
            for (int j = 0; j < groups[i].Rules.Length; j++)
            {
                CheckRule(tenant, groups[i], j, $"{path}.rules[{j}]", errors);
            }
        }
    }

    private static void CheckRule(TenantPlan tenant, SecurityGroup group, int index, string path, ErrorList errors)
    {
        SecurityGroupRule rule = group.Rules[index];
        if (rule.Direction == Direction.Egress && group.DefaultEgress == true)
        {
            errors.Add(
                path,
                $"security group '{group.Name}' lets everything leave already, so this egress rule does nothing",
                "set default_egress: false to allow only what egress rules name");
        }

        if (rule.RemoteGroup is not null)
        {
            errors.Reference($"{path}.remote_group", rule.RemoteGroup, tenant.SecurityGroups.Keys, "security group");
            if (rule.RemoteIpPrefix is not null)
            {
                errors.Add(
                    $"{path}.remote_prefix",
                    "a rule has a remote prefix or a remote group, not both",
                    "make it two rules");
            }
        }

        CheckFamily(rule, path, errors);
        CheckPorts(rule, path, errors);
    }

    private static void CheckFamily(SecurityGroupRule rule, string path, ErrorList errors)
    {
        if (rule.EtherType is not (null or EtherType.Ipv4 or EtherType.Ipv6))
        {
            errors.Add($"{path}.ethertype", $"rules are for IPv4 or IPv6, not for {rule.EtherType}", "ipv4 or ipv6");
            return;
        }

        if (rule.RemoteIpPrefix is { } prefix && rule.Family is { } family
            && prefix.IsIpv4 != (family == EtherType.Ipv4))
        {
            errors.Add(
                $"{path}.remote_prefix",
                $"{prefix} is not of the rule's family",
                $"ethertype: {(prefix.IsIpv4 ? "ipv4" : "ipv6")}");
        }

        if (rule.Protocol == IpProtocol.Icmpv6 && rule.Family == EtherType.Ipv4)
        {
            errors.Add($"{path}.protocol", "ICMPv6 is not carried by IPv4", "protocol: icmp, or ethertype: ipv6");
        }
    }

    private static void CheckPorts(SecurityGroupRule rule, string path, ErrorList errors)
    {
        bool hasPorts = rule.PortRangeMin is not null || rule.PortRangeMax is not null;
        if (hasPorts && rule.Protocol is not (IpProtocol.Tcp or IpProtocol.Udp or IpProtocol.Sctp))
        {
            errors.Add(
                $"{path}.ports", "ports belong to tcp, udp and sctp", "add protocol: tcp, or use icmp_type for ICMP");
        }
        else if (hasPorts && (rule.PortRangeMin ?? 0) > (rule.PortRangeMax ?? ushort.MaxValue))
        {
            errors.Add(
                $"{path}.ports",
                $"{rule.PortRangeMin}-{rule.PortRangeMax} ends before it begins",
                $"{rule.PortRangeMax}-{rule.PortRangeMin}?");
        }

        if (rule.IcmpType is not null && rule.Protocol is not (IpProtocol.Icmp or IpProtocol.Icmpv6))
        {
            errors.Add($"{path}.icmp_type", "an ICMP type belongs to icmp or icmpv6", "protocol: icmp");
        }

        if (rule.IcmpCode is not null && rule.IcmpType is null)
        {
            errors.Add($"{path}.icmp_code", "an ICMP code needs a type", "icmp_type: 3 for destination unreachable");
        }

        // 255 stands for any code in the chain; the registries of both families leave it unassigned.
        if (rule.IcmpCode == byte.MaxValue)
        {
            errors.Add($"{path}.icmp_code", "ICMP code 255 is reserved", "leave it out for any code");
        }
    }
}
