using System;
using System.Collections.Immutable;

namespace Genkan.Benchmarks;

/// <summary>Figures of ours and of a peer, measured by turns on the same machine in the same session.</summary>
internal interface IBenchmark : IDisposable
{
    /// <summary>What the command line calls it.</summary>
    string Name { get; }

    /// <summary>One line for the list.</summary>
    string Summary { get; }

    /// <summary>What ours is compared with, or null.</summary>
    string? Peer { get; }

    /// <summary>What each run gives, in this order, and what it must reach.</summary>
    ImmutableArray<Figure> Figures { get; }

    /// <summary>Builds our side; it stands until <see cref="IDisposable.Dispose"/>.</summary>
    void PrepareOurs();

    /// <summary>Builds the peer's side; not called if there is none.</summary>
    void PreparePeer();

    /// <summary>Measures ours once: a value for each of <see cref="Figures"/>.</summary>
    double[] RunOurs();

    /// <summary>
    /// Measures the peer once; not called if there is none. Figures that the peer does not have come last, and are left
    /// out.
    /// </summary>
    double[] RunPeer();
}
