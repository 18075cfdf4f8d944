using System;
using Genkan.Overlay.Flows;
using Genkan.Overlay.Topology;
using Genkan.Wire;

namespace Genkan.Overlay.Simulation;

/// <content>Chains: security groups and rules. Answers of a connection pass if the rules would admit its own
/// direction.</content>
internal ref partial struct Walk
{
    private enum ChainOutcome : byte
    {
        Undecided,
        Accept,
        DropByDefault,
        DropByRule,
        Reject,
    }

    /// <summary>What rules compare.</summary>
    private readonly struct Tuple(in PacketHeader packet)
    {
        public readonly UInt128 Source = packet.Source.Value;
        public readonly UInt128 Destination = packet.Destination.Value;
        public readonly EtherType EtherType = packet.EtherType;
        public readonly IpProtocol Protocol = packet.Protocol;
        public readonly ushort DestinationPort = packet.DestinationPort;
        public readonly FragmentKind Fragment = packet.Fragment;
    }

    /// <summary>Decides a point that watches connections: by a port's chain for one direction, by the other for
    /// answers.</summary>
    private bool PassesFilter(PortNode port, ChainNode? chain, ChainNode? opposite, bool isEntering)
    {
        if ((chain is null && opposite is null) || !(_packet.IsIpv4 || _packet.IsIpv6)) return true;
        Read(FieldSet.Protocol);
        if (IsLinkProtocol()) return true;
        if (_isError && _state == ConnectionState.None)
        {
            Drop(DropReason.InvalidState, port.Name, "ICMP error about no connection");
            return false;
        }

        bool isReply = _state == ConnectionState.Reply;
        if (isReply) BecomeStateful();
        bool metLaterFragment = false;
        ChainOutcome outcome = ChainOutcome.Accept;
        ChainNode? decisive = isReply ? opposite : chain;
        if (decisive is not null)
        {
            Tuple tuple = isReply ? new Tuple(_packet.Reversed()) : new Tuple(_packet);
            outcome = Evaluate(decisive, tuple, ref metLaterFragment);
            if (outcome == ChainOutcome.Undecided) outcome = OutcomeOfDefault(decisive);
        }

        if (outcome != ChainOutcome.Accept) return Refuse(port, decisive!, outcome, metLaterFragment);

        // Copies have no one answer, so they stay out of the connection table.
        if (!_packet.EthernetDestination.IsMulticast) BecomeStateful();
        _result.Trace?.Add(new TraceStep(port.Name, Describe(decisive, isEntering, isReply)));
        return true;
    }

    private static string Describe(ChainNode? chain, bool isEntering, bool isReply) =>
        $"{(isEntering ? "from" : "to")} port: accepted by {chain?.Name ?? "having no rules"}"
            + (isReply ? ", as an answer" : "");

    private static ChainOutcome OutcomeOfDefault(ChainNode chain) => chain.Default switch
    {
        RuleVerdict.Accept => ChainOutcome.Accept,
        RuleVerdict.Reject => ChainOutcome.Reject,
        _ => ChainOutcome.DropByDefault,
    };

    private bool Refuse(PortNode port, ChainNode chain, ChainOutcome outcome, bool metLaterFragment)
    {
        DropReason reason = outcome switch
        {
            ChainOutcome.Reject => DropReason.RuleReject,
            ChainOutcome.DropByRule => DropReason.Rule,
            _ => metLaterFragment ? DropReason.Fragment : DropReason.SecurityGroup,
        };
        Drop(reason, port.Name, outcome switch
        {
            ChainOutcome.Reject => "rejected by a rule",
            ChainOutcome.DropByRule => "dropped by a rule",
            _ => "no rule admits it",
        });
        _result.Trace?.Add(new TraceStep(chain.Name, "decided"));
        if (outcome == ChainOutcome.Reject) AnswerProhibited();
        return false;
    }

    // Neighbour discovery and group membership belong to the link, not to the hosts' conversations; they are what port
    // security checks, and a network in which rules could forbid them would not work. Behind a router they are packets
    // like any other.
    private readonly bool IsLinkProtocol() => _result.Hops == 0
        && _packet.IsIcmpv6 && _packet.Fragment != FragmentKind.Later
        && (Icmpv6Type)_packet.IcmpType is Icmpv6Type.MulticastListenerQuery or Icmpv6Type.MulticastListenerReport
            or Icmpv6Type.MulticastListenerDone or Icmpv6Type.RouterSolicitation or Icmpv6Type.RouterAdvertisement
            or Icmpv6Type.NeighborSolicitation or Icmpv6Type.NeighborAdvertisement
            or Icmpv6Type.MulticastListenerReportV2;

    // Depth is bounded: TopologyChecks refuses deeper chains and circles.
    private ChainOutcome Evaluate(ChainNode chain, in Tuple tuple, ref bool metLaterFragment)
    {
        Tag(chain.Id);
        RuleNode[] rules = chain.Rules;
        for (int i = 0; i < rules.Length; i++)
        {
            ref readonly RuleNode rule = ref rules[i];
            if (!Matches(rule, tuple, ref metLaterFragment)) continue;
            switch (rule.Verdict)
            {
                case RuleVerdict.Accept: return ChainOutcome.Accept;
                case RuleVerdict.Drop: return ChainOutcome.DropByRule;
                case RuleVerdict.Reject: return ChainOutcome.Reject;
                case RuleVerdict.Return: return ChainOutcome.Undecided;
                default:
                    ChainOutcome outcome = Evaluate(rule.JumpTo!, tuple, ref metLaterFragment);
                    if (outcome != ChainOutcome.Undecided) return outcome;
                    break;
            }
        }

        return ChainOutcome.Undecided;
    }

    private bool Matches(in RuleNode rule, in Tuple tuple, ref bool metLaterFragment)
    {
        if (rule.EtherType != EtherType.None && rule.EtherType != tuple.EtherType) return false;
        if (rule.Protocol != default && rule.Protocol != tuple.Protocol) return false;
        if (rule.HasSource)
        {
            Read(FieldSet.Source | FieldSet.Destination); // answers compare them the other way round
            if ((tuple.Source & rule.SourceMask) != rule.Source) return false;
        }

        if (rule.HasDestination)
        {
            Read(FieldSet.Source | FieldSet.Destination);
            if ((tuple.Destination & rule.DestinationMask) != rule.Destination) return false;
        }

        if (rule.HasPorts && !MatchesPorts(rule, tuple, ref metLaterFragment)) return false;
        return MatchesGroup(rule.SourceGroup, tuple.Source) && MatchesGroup(rule.DestinationGroup, tuple.Destination);
    }

    private readonly bool MatchesPorts(in RuleNode rule, in Tuple tuple, ref bool metLaterFragment)
    {
        if (tuple.Fragment == FragmentKind.Later)
        {
            metLaterFragment = true;
            return false;
        }

        Read(FieldSet.DestinationPort);
        switch (tuple.Protocol)
        {
            case IpProtocol.Tcp or IpProtocol.Udp or IpProtocol.Sctp:
                return tuple.DestinationPort >= rule.PortMin && tuple.DestinationPort <= rule.PortMax;
            case IpProtocol.Icmp or IpProtocol.Icmpv6:
                return tuple.DestinationPort >> 8 == rule.PortMin
                    && (rule.PortMax == 255 || (tuple.DestinationPort & 0xff) == rule.PortMax);
            default:
                return false;
        }
    }

    private bool MatchesGroup(GroupNode? group, UInt128 address)
    {
        if (group is null) return true;
        Read(FieldSet.Source | FieldSet.Destination);
        Tag(group.Id);
        return group.Members.Contains(new IpAddress(address));
    }
}
