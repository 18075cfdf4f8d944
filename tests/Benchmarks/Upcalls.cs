using System;
using System.Collections.Immutable;
using Genkan.Benchmarks.Ours;

namespace Genkan.Benchmarks;

/// <summary>First packets through the whole of the running agent: read, decided, installed and re-injected.</summary>
internal sealed class Upcalls : IBenchmark
{
    private CrowdOurs? _ours;

    public string Name => "upcalls";

    public string Summary =>
        "first packets of routed flows decided, both directions installed, re-injected, for each second of a core's "
        + "time";

    public string? Peer => null;

    public ImmutableArray<Figure> Figures { get; } = [new Figure("first packets/s", Bar: Bar.Value(100_000))];

    public void PreparePeer() => throw new InvalidOperationException("there is no peer");

    public void PrepareOurs() => _ours = new CrowdOurs();

    public double[] RunOurs() => [_ours!.Measure()];

    public double[] RunPeer() => throw new InvalidOperationException("there is no peer");

    public void Dispose() => _ours?.Dispose();
}
