using System;
using System.Collections.Immutable;
using Genkan.Benchmarks.Ours;

namespace Genkan.Benchmarks;

/// <summary>How long a flow's first packet takes through the agent of an otherwise idle host.</summary>
internal sealed class FirstPacket : IBenchmark
{
    private FirstPacketsOurs? _ours;

    public string Name => "first-packet";

    public string Summary => "a flow's first packet from one VM's call to another's on an idle host, 1,000 flows a run";

    public string? Peer => null;

    public ImmutableArray<Figure> Figures { get; } =
    [
        new Figure("microseconds", "median", LowerIsBetter: true, Bar.Value(250)),
        new Figure("microseconds", "p99", LowerIsBetter: true, Bar.Value(2_000)),
    ];

    public void PreparePeer() => throw new InvalidOperationException("there is no peer");

    public void PrepareOurs() => _ours = new FirstPacketsOurs();

    public double[] RunOurs() => _ours!.Measure();

    public double[] RunPeer() => throw new InvalidOperationException("there is no peer");

    public void Dispose() => _ours?.Dispose();
}
