using System;
using System.Collections.Generic;
using System.Collections.Immutable;
using System.Globalization;
using System.Linq;

namespace Genkan.Benchmarks.Traffic;

/// <summary>
/// The same path with more and more flows: a testbed for each number, so that the tables hold no others. The last
/// figure is what is left at the most flows of the rate at the fewest.
/// </summary>
internal sealed class FlowScale : ISide
{
    private static readonly int[] FlowCounts = [1_000, 10_000, 100_000];

    private readonly List<PacketRate> _rates = [];

    /// <summary>Builds the testbeds.</summary>
    /// <param name="make">Builds one.</param>
    /// <param name="framesInRow">Frames of one flow before the next one's.</param>
    internal FlowScale(Func<ITestbed> make, int framesInRow)
    {
        foreach (int flowCount in FlowCounts) _rates.Add(new PacketRate(make(), flowCount, framesInRow));
    }

    /// <summary>What <see cref="Measure"/> gives.</summary>
    /// <param name="ratioMin">Bar of each ratio to the peer.</param>
    /// <param name="leftMin">Bar of what is left.</param>
    internal static ImmutableArray<Figure> Figures(double ratioMin, double leftMin) =>
    [
        .. FlowCounts.Select(count => new Figure("Mpps", Words(count) + " flows", Bar: Bar.Ratio(ratioMin))),
        new Figure("×", $"left of {Words(FlowCounts[0])}'s at {Words(FlowCounts[^1])}", Bar: Bar.Value(leftMin)),
    ];

    /// <inheritdoc />
    public double[] Measure()
    {
        double[] rates = [.. _rates.SelectMany(rate => rate.Measure())];
        return [.. rates, rates[^1] / rates[0]];
    }

    /// <inheritdoc />
    public void Dispose()
    {
        foreach (PacketRate rate in _rates) rate.Dispose();
    }

    private static string Words(int count) => count.ToString("#,0", CultureInfo.InvariantCulture);
}
