using System.Collections.Generic;

namespace Genkan.Host.Api;

/// <summary>A packet to simulate; nothing is sent.</summary>
/// <param name="Words">As in <c>genkan trace</c>.</param>
public sealed record TraceRequest(IReadOnlyList<string> Words);

/// <summary>What became of it.</summary>
public sealed record TraceReport
{
    /// <summary>
    /// The packet in full, e.g. <c>fa:16:… &gt; 02:00:…, tcp 10.0.1.11:40000 &gt; 10.0.2.11:80 syn ttl 64</c>.
    /// </summary>
    public required string Packet { get; init; }

    /// <summary>Where it entered.</summary>
    public required string Port { get; init; }

    /// <summary>What each device made of it, in order.</summary>
    public required IReadOnlyList<TraceStepReport> Steps { get; init; }

    /// <summary><c>drop</c>, <c>forward</c>, <c>answer</c>, <c>consume</c> or <c>forward_translated</c>.</summary>
    public required string Verdict { get; init; }

    /// <summary>Reason if dropped.</summary>
    public string? DropReason { get; init; }

    /// <summary>The reason as a sentence.</summary>
    public string? DropMeaning { get; init; }

    /// <summary>Way out.</summary>
    public string? Egress { get; init; }

    /// <summary>What is rewritten on the way.</summary>
    public required IReadOnlyList<string> Rewrites { get; init; }

    /// <summary>Names of the objects that the outcome depends on.</summary>
    public required IReadOnlyList<string> DependsOn { get; init; }
}

/// <summary>One device's decision.</summary>
/// <param name="Device">Name of the device, port or chain.</param>
/// <param name="Text">What it decided.</param>
public sealed record TraceStepReport(string Device, string Text);
