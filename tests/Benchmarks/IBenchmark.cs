using System;

namespace Genkan.Benchmarks;

/// <summary>One figure of ours and of a peer, measured by turns on the same machine in the same session.</summary>
internal interface IBenchmark : IDisposable
{
    /// <summary>What the command line calls it.</summary>
    string Name { get; }

    /// <summary>One line for the list.</summary>
    string Summary { get; }

    /// <summary>Unit of both figures.</summary>
    string Unit { get; }

    /// <summary>What ours is compared with, or null.</summary>
    string? Peer { get; }

    /// <summary>Whether a ratio below 1 is the good one.</summary>
    bool LowerIsBetter { get; }

    /// <summary>Builds our side; it stands until <see cref="IDisposable.Dispose"/>.</summary>
    void PrepareOurs();

    /// <summary>Builds the peer's side; not called if there is none.</summary>
    void PreparePeer();

    /// <summary>Measures ours once.</summary>
    double RunOurs();

    /// <summary>Measures the peer once; not called if there is none.</summary>
    double RunPeer();
}
