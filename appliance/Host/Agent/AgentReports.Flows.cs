using System;
using System.Collections.Generic;
using Genkan.Host.Api;
using Genkan.Overlay.Flows;
using Genkan.Overlay.Simulation;
using Genkan.Overlay.Topology;
using Genkan.Wire;

namespace Genkan.Host.Agent;

/// <summary>Which flows are asked for.</summary>
/// <param name="Port">Port name, or its part after the slash; null any.</param>
/// <param name="State"><c>forward</c>, <c>reply</c>, <c>none</c>; null any.</param>
/// <param name="OnlyDrops">Only those that drop.</param>
/// <param name="Limit">At most so many.</param>
internal sealed record FlowFilter(string? Port, string? State, bool OnlyDrops, int Limit)
{
    /// <summary>Flows in one answer unless asked for more.</summary>
    public const int LimitDefault = 1_000;

    /// <summary>Flows in one answer at most.</summary>
    public const int LimitMax = 20_000;
}

/// <summary>How far an answer about flows has come. Each batch is garbage before the next one is made, so that a long
/// answer stops neither the agent's loop nor, by the collector, its workers for long.</summary>
/// <param name="filter">Which flows.</param>
internal sealed class FlowWalk(FlowFilter filter)
{
    /// <summary>Which flows.</summary>
    public FlowFilter Filter => filter;

    /// <summary>Room for the entries of a batch.</summary>
    public FlowEntry[] Batch { get; } = new FlowEntry[FlowLimits.SweepBatch];

    /// <summary>Where the kernel goes on.</summary>
    public ulong Cursor { get; set; }

    /// <summary>Flows that may still be told.</summary>
    public int Left { get; set; } = Math.Clamp(filter.Limit, 1, FlowFilter.LimitMax);

    /// <summary>Whether the answer is complete.</summary>
    public bool IsOver { get; set; }
}

/// <summary>Flows and traces.</summary>
internal sealed partial class AgentReports
{
    /// <summary>Reads the next flows from the kernel; none of a batch need be asked for.</summary>
    public IReadOnlyList<FlowReport> Flows(FlowWalk walk)
    {
        List<FlowReport> flows = [];
        ulong cursor = walk.Cursor;
        int count = Datapath.Scan(walk.Batch, ref cursor);
        for (int i = 0; i < count && flows.Count < walk.Left; i++)
        {
            ref readonly FlowEntry entry = ref walk.Batch[i];
            if (walk.Filter.OnlyDrops && entry.Action.Verdict != FlowVerdict.Drop) continue;
            if (walk.Filter.State is not null && NameOf(entry.Action.State) != walk.Filter.State) continue;
            string port = IngressNameOf(entry.Key.KeyPort);
            if (!IsNamed(port, walk.Filter.Port)) continue;
            flows.Add(FlowOf(entry, port));
        }

        walk.Cursor = cursor;
        walk.Left -= flows.Count;
        walk.IsOver = cursor == 0 || walk.Left == 0;
        return flows;
    }

    /// <summary>Whether a full name is meant by what an operator typed.</summary>
    private static bool IsNamed(string fullName, string? asked) =>
        asked is null || fullName == asked || fullName.EndsWith("/" + asked, StringComparison.Ordinal);

    private FlowReport FlowOf(in FlowEntry entry, string port)
    {
        FlowAction action = entry.Action;
        TimeSpan now = Datapath.Now;
        FlowStamp current = Datapath.Stamp(action.Stamp.ClassId);
        return new FlowReport
        {
            Port = port,
            Protocol = ProtocolName(entry.Key.Protocol),
            Source = entry.Key.Source.ToString(),
            SourcePort = entry.Key.SourcePort,
            Destination = entry.Key.Destination.ToString(),
            DestinationPort = entry.Key.DestinationPort,
            Fragment = NameOf(entry.Key.Fragment),
            State = NameOf(action.State),
            Verdict = NameOf(action.Verdict),
            DropReason = action.Verdict == FlowVerdict.Drop ? DropReasons.NameOf(action.DropReason) : null,
            Rewrites = RewritesOf(action),
            Egress = action.Verdict == FlowVerdict.Forward && Datapath.TryGetNextHop(action.NextHop, out Egress egress)
                ? Describe(egress)
                : null,
            Packets = entry.Packets,
            Octets = entry.Octets,
            IdleSeconds = Seconds(now - entry.LastSeen),
            AgeSeconds = Seconds(now - entry.Created),
            IsStale = current.Hard != action.Stamp.Hard || current.Soft != action.Stamp.Soft,
            DependsOn = NamesOf(runtime.Classes.TagsOf(action.Stamp.ClassId)),
        };
    }

    private string IngressNameOf(uint slot) =>
        Datapath.TryGetPort(slot, out DatapathPort port) ? Topology.NameOf(port.Object) : $"slot {slot}";

    private List<string> NamesOf(ReadOnlySpan<ObjectId> tags)
    {
        List<string> names = new(tags.Length);
        foreach (ObjectId tag in tags) names.Add(Topology.NameOf(tag));
        return names;
    }

    private string Describe(in Egress egress) => egress.Kind switch
    {
        EgressKind.Port when Topology.TryGetPort(egress.Object, out VirtualPort? port) =>
            $"port {port.Name} on {HostOf(port)}",
        EgressKind.Port => $"port {Topology.NameOf(egress.Object)}",
        EgressKind.FibExit => $"{Topology.NameOf(egress.Object)} by the routes of {Topology.NameOf(egress.Host)}",
        EgressKind.NatReturn => $"{Topology.NameOf(egress.Object)} at {Topology.NameOf(egress.Host)}",
        EgressKind.Flood => $"network {Topology.NameOf(egress.Object)} on {Topology.NameOf(egress.Host)}",
        EgressKind.Replicate => "copies",
        _ => "nowhere",
    };

    private string HostOf(VirtualPort port) => port.Binding is null ? "no host" : Topology.NameOf(port.Binding.Host);

    private static List<string> RewritesOf(in FlowAction action)
    {
        List<string> rewrites = [];
        void Add(Rewrites which, FormattableString text, Rewrites all)
        {
            if ((all & which) != Rewrites.None) rewrites.Add(FormattableString.Invariant(text));
        }

        Rewrites set = action.Rewrites;
        Add(Rewrites.SourceMac, $"from {action.SourceMac}", set);
        Add(Rewrites.DestinationMac, $"to {action.DestinationMac}", set);
        Add(Rewrites.Source, $"source {action.Source}", set);
        Add(Rewrites.SourcePort, $"source port {action.SourcePort}", set);
        Add(Rewrites.Destination, $"destination {action.Destination}", set);
        Add(Rewrites.DestinationPort, $"destination port {action.DestinationPort}", set);
        Add(Rewrites.HopLimit, $"ttl -{action.Hops}", set);
        return rewrites;
    }

    private static double Seconds(TimeSpan span) => Math.Max(0, Math.Round(span.TotalSeconds, 1));

    private static string ProtocolName(IpProtocol protocol) => protocol switch
    {
        IpProtocol.Tcp => "tcp",
        IpProtocol.Udp => "udp",
        IpProtocol.Icmp => "icmp",
        IpProtocol.Icmpv6 => "icmpv6",
        _ => FormattableString.Invariant($"{(byte)protocol}"),
    };

    private static string NameOf(ConnectionState state) => state switch
    {
        ConnectionState.Forward => "forward",
        ConnectionState.Reply => "reply",
        _ => "none",
    };

    private static string NameOf(FlowVerdict verdict) => verdict switch
    {
        FlowVerdict.Forward => "forward",
        FlowVerdict.Drop => "drop",
        _ => "upcall",
    };

    private static string NameOf(FragmentKind fragment) => fragment switch
    {
        FragmentKind.First => "first",
        FragmentKind.Later => "later",
        _ => "none",
    };
}
