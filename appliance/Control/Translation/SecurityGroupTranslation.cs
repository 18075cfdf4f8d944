using System.Collections.Generic;
using System.Collections.Immutable;
using System.Linq;
using Genkan.Control.Model;
using Genkan.Control.Plan;
using Genkan.Overlay.Topology;
using Genkan.Wire;

namespace Genkan.Control.Translation;

/// <summary>
/// Security groups: a chain each way a group, shared by its ports; a port's own chains jump to those of its groups and
/// drop what
/// none of them accepts.
/// </summary>
internal static class SecurityGroupTranslation
{
    public static void Add(TenantPlan tenant, PartsBuilder parts)
    {
        HashSet<string> used = [.. tenant.Ports.SelectMany(static port => TenantPlan.GroupNames(port.Port))];
        HashSet<string> remote = [];
        foreach (SecurityGroup group in tenant.SecurityGroups.Values.Where(group => used.Contains(group.Name)))
        {
            parts.Chains.Add(GroupChain(tenant, group, Direction.Ingress));
            parts.Chains.Add(GroupChain(tenant, group, Direction.Egress));
            remote.UnionWith(
                group.Rules.Where(static r => r.RemoteGroup is not null).Select(static r => r.RemoteGroup!));
        }

        foreach (string name in remote)
        {
            ImmutableArray<IpAddress> members = [.. Members(tenant, name).Distinct().Order()];
            string fullName = tenant.FullName(name);
            parts.AddressGroups.Add(new AddressGroup(ObjectIds.AddressGroup(fullName), fullName, members));
        }
    }

    /// <summary>The chain of a port in one direction; None without port security.</summary>
    public static ObjectId PortChain(TenantPlan tenant, PortPlan port, Direction direction, PartsBuilder parts)
    {
        if (!port.Port.IsPortSecurityEnabled) return ObjectId.None;
        string word = Word(direction);
        ObjectId id = ObjectIds.PortChain(port.FullName, word);
        parts.Chains.Add(new Chain(
            id,
            $"{word} of port {port.FullName}",
            [.. TenantPlan.GroupNames(port.Port).Select(group =>
                new Rule(RuleVerdict.Jump, ObjectIds.SecurityGroup(tenant.FullName(group), word)))],
            RuleVerdict.Drop));
        return id;
    }

    private static Chain GroupChain(TenantPlan tenant, SecurityGroup group, Direction direction)
    {
        string fullName = tenant.FullName(group.Name);
        string word = Word(direction);
        ImmutableArray<Rule>.Builder rules = ImmutableArray.CreateBuilder<Rule>();
        bool lacksEgressRules = group.Rules.All(static rule => rule.Direction != Direction.Egress);
        if (direction == Direction.Egress && (group.DefaultEgress ?? lacksEgressRules))
        {
            rules.Add(new Rule(RuleVerdict.Accept));
        }
        foreach (SecurityGroupRule rule in group.Rules.Where(rule => rule.Direction == direction))
        {
            rules.AddRange(Translate(tenant, rule));
        }

        return new Chain(
            ObjectIds.SecurityGroup(fullName, word), $"{word} of security group {fullName}", rules.ToImmutable(),
            RuleVerdict.Drop);
    }

    private static IEnumerable<Rule> Translate(TenantPlan tenant, SecurityGroupRule rule)
    {
        ObjectId group = rule.RemoteGroup is null
            ? ObjectId.None
            : ObjectIds.AddressGroup(tenant.FullName(rule.RemoteGroup));
        bool isIngress = rule.Direction == Direction.Ingress;
        Rule translated = new(
            RuleVerdict.Accept,
            EtherType: rule.Family ?? EtherType.None,
            Protocol: Protocol(rule),
            Source: isIngress ? rule.RemoteIpPrefix : null,
            Destination: isIngress ? null : rule.RemoteIpPrefix,
            SourceGroup: isIngress ? group : ObjectId.None,
            DestinationGroup: isIngress ? ObjectId.None : group);
        if (rule.IcmpType is { } type)
        {
            translated = translated with
            {
                HasPorts = true,
                DestinationPortMin = type,
                DestinationPortMax = rule.IcmpCode ?? byte.MaxValue,
            };
        }
        else if (rule.PortRangeMin is not null || rule.PortRangeMax is not null)
        {
            translated = translated with
            {
                HasPorts = true,
                DestinationPortMin = rule.PortRangeMin ?? 0,
                DestinationPortMax = rule.PortRangeMax ?? ushort.MaxValue,
            };
        }

        yield return translated;
    }

    // Neutron takes `icmp` in an IPv6 rule for ICMPv6.
    private static IpProtocol Protocol(SecurityGroupRule rule) => rule.Protocol switch
    {
        IpProtocol.Icmp when rule.Family == EtherType.Ipv6 => IpProtocol.Icmpv6,
        { } protocol => protocol,
        null => default,
    };

    private static IEnumerable<IpAddress> Members(TenantPlan tenant, string group)
    {
        foreach (PortPlan port in tenant.Ports)
        {
            if (!TenantPlan.GroupNames(port.Port).Contains(group)) continue;
            foreach (IpInterface address in port.Addresses) yield return address.Address;
            foreach (AllowedAddressPair pair in port.Port.AllowedAddressPairs)
            {
                if (pair.Prefix.IsHost) yield return pair.Prefix.Address;
            }
        }
    }

    private static string Word(Direction direction) => direction == Direction.Ingress ? "ingress" : "egress";
}
