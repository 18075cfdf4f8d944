using System.Collections.Generic;
using System.Linq;

namespace Genkan.Benchmarks;

/// <summary>One number that a benchmark gives.</summary>
/// <param name="Unit">Its unit, ours and the peer's.</param>
/// <param name="Name">What tells it from the benchmark's other ones; empty if it is the only one.</param>
/// <param name="LowerIsBetter">Whether less is better: times, losses, octets.</param>
/// <param name="Bar">What must be reached, or null.</param>
/// <param name="OverRuns">Which of the runs' values counts.</param>
internal sealed record Figure(
    string Unit,
    string Name = "",
    bool LowerIsBetter = false,
    Bar? Bar = null,
    OverRuns OverRuns = OverRuns.Median)
{
    /// <summary>The value that stands for all runs, or null if there was none.</summary>
    public double? Of(IReadOnlyCollection<double> values)
    {
        if (values.Count == 0) return null;
        double[] sorted = [.. values.Order()];
        if (OverRuns == OverRuns.Worst) return LowerIsBetter ? sorted[^1] : sorted[0];
        return (sorted[(sorted.Length - 1) / 2] + sorted[sorted.Length / 2]) / 2; // an even number has two middle ones
    }
}

/// <summary>Which value stands for all runs.</summary>
internal enum OverRuns
{
    /// <summary>The middle one; the mean of the middle two if their number is even.</summary>
    Median,

    /// <summary>The worst one: for what may never happen.</summary>
    Worst,
}

/// <summary>What a figure must reach: at least, or at most where lower is better.</summary>
/// <param name="Of">Of which number.</param>
/// <param name="Limit">The bar itself.</param>
internal sealed record Bar(BarOf Of, double Limit)
{
    /// <summary>Ours divided by the peer's.</summary>
    public static Bar Ratio(double limit) => new(BarOf.Ratio, limit);

    /// <summary>Ours alone, in the figure's unit.</summary>
    public static Bar Value(double limit) => new(BarOf.Value, limit);
}

/// <summary>The number that a bar is for.</summary>
internal enum BarOf
{
    /// <summary>Ours divided by the peer's.</summary>
    Ratio,

    /// <summary>Ours alone.</summary>
    Value,
}
