using System;
using System.Collections.Immutable;

namespace Genkan.Benchmarks;

/// <summary>One of two sides that do the same work.</summary>
internal interface ISide : IDisposable
{
    /// <summary>Measures once.</summary>
    double[] Measure();
}

/// <summary>A benchmark of two sides that are built and measured in the same way.</summary>
/// <param name="name">What the command line calls it.</param>
/// <param name="summary">One line for the list.</param>
/// <param name="peer">What ours is compared with.</param>
/// <param name="figures">What each measurement gives.</param>
/// <param name="makeOurs">Builds our side.</param>
/// <param name="makePeer">Builds the peer's.</param>
internal sealed class SideBySide(
    string name,
    string summary,
    string peer,
    ImmutableArray<Figure> figures,
    Func<ISide> makeOurs,
    Func<ISide> makePeer) : IBenchmark
{
    private ISide? _ours;
    private ISide? _peer;

    public string Name => name;

    public string Summary => summary + "; peer: " + peer;

    public string Peer => peer;

    public ImmutableArray<Figure> Figures => figures;

    public void PrepareOurs() => _ours = makeOurs();

    public void PreparePeer() => _peer = makePeer();

    public double[] RunOurs() => _ours!.Measure();

    public double[] RunPeer() => _peer!.Measure();

    public void Dispose()
    {
        _ours?.Dispose();
        _peer?.Dispose();
    }
}
