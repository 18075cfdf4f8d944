using System.Collections.Immutable;

namespace Genkan.Benchmarks.Flooding;

/// <summary>
/// What a flood takes from a VM that has nothing to do with it. The flood has a core of its own, the last one; the
/// victim, its server and the agent have the first, so all that the flood makes the agent do is taken from them. The
/// control is the same flood at the same speed, on the same core, to a door that drops it before any program of ours:
/// what it costs its own core counts on neither side.
/// </summary>
/// <param name="name">What the command line calls it.</param>
/// <param name="summary">One line for the list.</param>
/// <param name="from">Who floods.</param>
internal sealed class Flood(string name, string summary, FloodFrom from) : IBenchmark
{
    private const double Kept = 0.9;

    private FloodLab? _lab;
    private double _packetsPerSecond;

    /// <inheritdoc />
    public string Name => name;

    /// <inheritdoc />
    public string Summary => summary;

    /// <inheritdoc />
    public string Peer => "the same flood to where it harms nobody";

    /// <inheritdoc />
    public ImmutableArray<Figure> Figures { get; } =
    [
        new Figure("connections/s", "new connections", Bar: Bar.Ratio(Kept)),
        new Figure("Gbit/s", "goodput", Bar: Bar.Ratio(Kept)),
        new Figure("packets", "dropped of the victim", LowerIsBetter: true, Bar.Value(0), OverRuns.Worst),
    ];

    /// <inheritdoc />
    public void PrepareOurs() => _lab ??= new FloodLab();

    /// <inheritdoc />
    public void PreparePeer() => _lab ??= new FloodLab();

    /// <inheritdoc />
    public double[] RunOurs()
    {
        _packetsPerSecond = 0;
        return _lab!.Measure(from, isHarmless: false, ref _packetsPerSecond);
    }

    /// <inheritdoc />
    public double[] RunPeer()
    {
        double pace = _packetsPerSecond; // of the turn before if the control is first
        return _lab!.Measure(from, isHarmless: true, ref pace);
    }

    /// <inheritdoc />
    public void Dispose() => _lab?.Dispose();
}
