using System.Collections.Immutable;
using Genkan.Wire;

namespace Genkan.Overlay.Topology;

/// <summary>An ordered list of rules; the first that matches and decides, decides. Security groups are chains
/// too.</summary>
/// <param name="Id">Identity: flows depend on it.</param>
/// <param name="Name">What operators see in a trace, e.g. <c>security group red/web, ingress</c>.</param>
/// <param name="Rules">In order; at most <see cref="TopologyLimits.RulesMax"/>.</param>
/// <param name="Default">What the end of the chain means when it was entered first (a jumped-to chain returns
/// instead).</param>
public sealed record Chain(ObjectId Id, string Name, ImmutableArray<Rule> Rules, RuleVerdict Default);

/// <summary>What a rule does.</summary>
public enum RuleVerdict : byte
{
    /// <summary>The packet passes this point.</summary>
    Accept,

    /// <summary>Dropped and counted.</summary>
    Drop,

    /// <summary>Dropped; the sender gets ICMP administratively prohibited.</summary>
    Reject,

    /// <summary>Evaluate <see cref="Rule.JumpTo"/>, then go on here if it did not decide.</summary>
    Jump,

    /// <summary>Back to the chain that jumped here.</summary>
    Return,
}

/// <summary>One rule. Unset fields match everything.</summary>
/// <param name="Verdict">What to do on a match.</param>
/// <param name="JumpTo">Chain for <see cref="RuleVerdict.Jump"/>.</param>
/// <param name="EtherType">0 any.</param>
/// <param name="Protocol">0 any; ICMP and ICMPv6 by the family's own number.</param>
/// <param name="Source">Null any.</param>
/// <param name="Destination">Null any.</param>
/// <param name="SourceGroup">Source address is a member of this address group; None any.</param>
/// <param name="DestinationGroup">Destination address is a member.</param>
/// <param name="DestinationPortMin">TCP, UDP, SCTP port, or ICMP type; with <paramref name="HasPorts"/>.</param>
/// <param name="DestinationPortMax">Inclusive; ICMP: code, or 255 any.</param>
/// <param name="HasPorts">Whether ports (ICMP type and code) are compared at all. Later fragments never match such a
/// rule.</param>
public sealed record Rule(
    RuleVerdict Verdict,
    ObjectId JumpTo = default,
    EtherType EtherType = default,
    IpProtocol Protocol = default,
    IpPrefix? Source = null,
    IpPrefix? Destination = null,
    ObjectId SourceGroup = default,
    ObjectId DestinationGroup = default,
    ushort DestinationPortMin = 0,
    ushort DestinationPortMax = 0,
    bool HasPorts = false);

/// <summary>A set of addresses: the members of a remote security group.</summary>
public sealed record AddressGroup(ObjectId Id, string Name, ImmutableArray<IpAddress> Members);

/// <summary>Named limits of a topology; each is checked when one is built.</summary>
public static class TopologyLimits
{
    /// <summary>Rules of one chain.</summary>
    public const int RulesMax = 1000;

    /// <summary>Devices that one packet may pass.</summary>
    public const int DevicesPerPacketMax = 16;

    /// <summary>Chains that jump into each other.</summary>
    public const int ChainDepthMax = 8;

    /// <summary>Objects that one flow may depend on.</summary>
    public const int TagsPerFlowMax = 64;

    /// <summary>Ports bound on one host (the kernel table's size less slot 0).</summary>
    public const int PortsPerHostMax = 4095;

    /// <summary>Allowed address pairs of one port.</summary>
    public const int AllowedPairsMax = 64;
}

/// <summary>Everything that <see cref="TopologySnapshot"/> is built from. Order carries no meaning.</summary>
public sealed record TopologyParts(
    ImmutableArray<Host> Hosts,
    ImmutableArray<Bridge> Bridges,
    ImmutableArray<Router> Routers,
    ImmutableArray<VirtualPort> Ports,
    ImmutableArray<Chain> Chains,
    ImmutableArray<AddressGroup> AddressGroups,
    ImmutableArray<ExternalNetwork> ExternalNetworks);
