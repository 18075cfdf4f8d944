using System;
using System.Diagnostics;
using System.Linq;
using Genkan.Host.Api;
using Genkan.Host.Trace;
using Genkan.Overlay.Flows;
using Genkan.Overlay.Simulation;
using Genkan.Overlay.Topology;
using Genkan.Wire;

namespace Genkan.Host.Agent;

/// <summary>The words of a trace are no packet, or not one that can enter here.</summary>
internal sealed class TraceException : Exception
{
    public TraceException()
    {
    }

    public TraceException(string message)
        : base(message)
    {
    }

    public TraceException(string message, Exception inner)
        : base(message, inner)
    {
    }

    public TraceException(TraceFault fault)
        : base(fault.Rule) => Hint = fault.Hint;

    /// <summary>What to do, or empty.</summary>
    public string Hint { get; } = string.Empty;
}

/// <summary>Traces: the same simulation as for a real packet, with its steps written down, and nothing sent or
/// installed.</summary>
internal sealed partial class AgentReports
{
    /// <summary>Simulates a packet given in words.</summary>
    /// <exception cref="TraceException">The words are no packet of this host.</exception>
    public TraceReport Trace(TraceRequest request)
    {
        if (!TraceWords.TryParse(request.Words, out TraceSpec? spec, out TraceFault? fault)
            || !TraceFrame.TryBuild(spec!, Topology, out VirtualPort? port, out byte[] frame, out fault))
        {
            throw new TraceException(fault!);
        }

        PacketFault refused = PacketHeader.TryDecode(frame, out PacketHeader packet);
        if (refused != PacketFault.None)
        {
            throw new TraceException($"the words make a packet that no host may send: {refused}");
        }

        SimulationResult result = new() { Trace = [] };
        Ingress ingress = new(IngressKind.Port, port!.Id, ConnectionState.None);
        runtime.Loop.SlowPath.Trace(ingress, packet, frame, result);
        return new TraceReport
        {
            Packet = PacketText.Describe(packet),
            Port = port.Name,
            Steps = [.. result.Trace!.Select(static s => new TraceStepReport(s.Device, s.Text))],
            Verdict = NameOf(result.Verdict),
            DropReason = result.Verdict == SimulationVerdict.Drop ? DropReasons.NameOf(result.DropReason) : null,
            DropMeaning = result.Verdict == SimulationVerdict.Drop ? DropReasons.MeaningOf(result.DropReason) : null,
            Egress = EgressOf(result),
            Rewrites = result.Verdict == SimulationVerdict.Forward ? PacketText.Rewrites(packet, result.Packet) : [],
            DependsOn = NamesOf(result.Tags),
        };
    }

    private string? EgressOf(SimulationResult result) => result.Verdict switch
    {
        SimulationVerdict.Forward when result.Egress.Kind == EgressKind.Replicate =>
            $"copies to {string.Join(", ", result.Targets.ToArray().Select(target => Describe(target)))}",
        SimulationVerdict.Forward or SimulationVerdict.ForwardTranslated => Describe(result.Egress),
        SimulationVerdict.Answer => $"answered to {Describe(result.AnswerEgress)}",
        _ => null,
    };

    private static string NameOf(SimulationVerdict verdict) => verdict switch
    {
        SimulationVerdict.Drop => "drop",
        SimulationVerdict.Forward => "forward",
        SimulationVerdict.Answer => "answer",
        SimulationVerdict.Consume => "consume",
        SimulationVerdict.ForwardTranslated => "forward_translated",
        _ => throw new UnreachableException(),
    };
}
