using System.Collections.Generic;
using System.Collections.Immutable;
using Genkan.Control.Model;
using Genkan.Wire;

namespace Genkan.Host.Configuration;

/// <summary>Reads security groups.</summary>
internal static class SecurityGroupReader
{
    private static readonly Dictionary<string, Direction> Directions = new()
    {
        ["ingress"] = Direction.Ingress,
        ["egress"] = Direction.Egress,
    };

    private static readonly Dictionary<string, EtherType> EtherTypes = new()
    {
        ["ipv4"] = EtherType.Ipv4,
        ["ipv6"] = EtherType.Ipv6,
    };

    public static SecurityGroup? Read(FileCursor cursor)
    {
        if (cursor.Map("a security group") is not { } map) return null;
        string? name = map.RequireText("name", "name: …");
        bool isStateful = map.Find("stateful")?.Boolean() ?? true;
        bool? defaultEgress = map.Find("default_egress")?.Boolean();
        ImmutableArray<SecurityGroupRule> rules = map.ListOf("rules", ReadRule);
        map.Close();
        return name is null
            ? null
            : new SecurityGroup { Name = name, IsStateful = isStateful, DefaultEgress = defaultEgress, Rules = rules };
    }

    private static SecurityGroupRule? ReadRule(FileCursor cursor)
    {
        if (cursor.Map("a rule") is not { } map) return null;
        Direction? direction = map.Require("direction", "ingress or egress", static c => c.Word(Directions));
        EtherType? etherType = map.Find("ethertype")?.Word(EtherTypes);
        IpProtocol? protocol = map.Find("protocol")?.Protocol();
        (ushort First, ushort Last)? ports = map.Find("ports")?.PortRange();
        byte? icmpType = (byte?)map.Find("icmp_type")?.Number(0, byte.MaxValue);
        byte? icmpCode = (byte?)map.Find("icmp_code")?.Number(0, byte.MaxValue);
        IpPrefix? remotePrefix = map.Find("remote_prefix")?.PrefixOrAddress();
        string? remoteGroup = map.Find("remote_group")?.Text();
        map.Close();
        return direction is null
            ? null
            : new SecurityGroupRule
            {
                Direction = direction.Value,
                EtherType = etherType,
                Protocol = protocol,
                PortRangeMin = ports?.First,
                PortRangeMax = ports?.Last,
                IcmpType = icmpType,
                IcmpCode = icmpCode,
                RemoteIpPrefix = remotePrefix,
                RemoteGroup = remoteGroup,
            };
    }
}
