using System.Collections.Generic;
using System.Globalization;
using System.IO;
using System.Linq;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Genkan.Benchmarks;

/// <summary>One figure of a benchmark, over all its runs.</summary>
/// <param name="Benchmark">Its words.</param>
/// <param name="Figure">Which figure.</param>
/// <param name="Value">Ours, or null if only the peer ran.</param>
/// <param name="PeerValue">The peer's, or null.</param>
/// <param name="Ratio">
/// Ours divided by the peer's, of each turn, then over all: a machine that becomes slower half-way slows both sides of
/// a turn. Null if a side has no value.
/// </param>
/// <param name="Runs">How often each side ran.</param>
internal sealed record Result(
    IBenchmark Benchmark, Figure Figure, double? Value, double? PeerValue, double? Ratio, int Runs)
{
    private static readonly JsonWriterOptions Plain = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Name of the benchmark, and of the figure if it has several.</summary>
    public string Name => Figure.Name.Length > 0 ? $"{Benchmark.Name}: {Figure.Name}" : Benchmark.Name;

    /// <summary>Whether the bar is reached; null if there is none, or nothing of ours was measured.</summary>
    public bool? IsReached
    {
        get
        {
            if (Figure.Bar is not { } bar || Value is null) return null;
            if ((bar.Of == BarOf.Ratio ? Ratio : Value) is not { } measured) return false; // the peer gave nothing
            return Figure.LowerIsBetter ? measured <= bar.Limit : measured >= bar.Limit;
        }
    }

    /// <summary>One object in one line.</summary>
    public string ToJson()
    {
        using MemoryStream stream = new();
        using (Utf8JsonWriter json = new(stream, Plain))
        {
            json.WriteStartObject();
            json.WriteString("name", Benchmark.Name);
            if (Figure.Name.Length > 0) json.WriteString("figure", Figure.Name);
            WriteNumber(json, "value", Value);
            json.WriteString("unit", Figure.Unit);
            json.WriteString("peer", Benchmark.Peer);
            WriteNumber(json, "peer_value", PeerValue);
            WriteNumber(json, "ratio", Ratio);
            if (Figure.LowerIsBetter) json.WriteBoolean("lower_is_better", value: true);
            if (Figure.Bar is { } bar)
            {
                json.WriteNumber("bar", bar.Limit);
                json.WriteString("bar_of", bar.Of == BarOf.Ratio ? "ratio" : "value");
            }

            if (IsReached is { } isReached) json.WriteBoolean("reached", isReached);
            json.WriteNumber("runs", Runs);
            json.WriteEndObject();
        }

        return Encoding.UTF8.GetString(stream.ToArray());
    }

    /// <summary>A table for people, figures to the right.</summary>
    public static void WriteTable(TextWriter output, IEnumerable<Result> results)
    {
        List<string[]> rows = [["benchmark", "ours", "peer's", "unit", "ratio", "bar", "", "runs", "peer"]];
        foreach (Result r in results)
        {
            string unit = r.Figure.Unit + (r.Figure.LowerIsBetter ? " (lower is better)" : "");
            rows.Add([r.Name, Text(r.Value), Text(r.PeerValue), unit, Text(r.Ratio), r.BarText(), r.Mark(),
                r.Runs.ToString(CultureInfo.InvariantCulture), r.Benchmark.Peer ?? "-"]);
        }

        int[] widths = [.. Enumerable.Range(0, rows[0].Length).Select(column => rows.Max(row => row[column].Length))];
        foreach (string[] row in rows)
        {
            IEnumerable<string> cells = row.Select((cell, column) => IsFigure(column)
                ? cell.PadLeft(widths[column])
                : cell.PadRight(widths[column]));
            output.WriteLine(string.Join("  ", cells).TrimEnd());
        }
    }

    /// <summary>One line: how many bars are reached, and which are not.</summary>
    /// <param name="output">Where to.</param>
    /// <param name="results">What was measured.</param>
    /// <param name="failed">Names of the benchmarks that gave no result.</param>
    public static void WriteSummary(
        TextWriter output, IReadOnlyCollection<Result> results, IReadOnlyCollection<string> failed)
    {
        Result[] withBar = [.. results.Where(r => r.IsReached is not null)];
        string[] missed = [.. withBar.Where(r => r.IsReached == false).Select(r => $"{r.Name} ({r.BarText()})")];
        StringBuilder line = new();
        line.Append(CultureInfo.InvariantCulture, $"{withBar.Length - missed.Length} of {withBar.Length} bars reached");
        if (missed.Length > 0) line.Append("; missed: ").AppendJoin(", ", missed);
        if (failed.Count > 0) line.Append("; failed: ").AppendJoin(", ", failed);
        output.WriteLine(line);
    }

    private string BarText()
    {
        if (Figure.Bar is not { } bar) return "-";
        string limit = (Figure.LowerIsBetter ? "≤ " : "≥ ") + Text(bar.Limit);
        return bar.Of == BarOf.Ratio ? limit + "×" : limit;
    }

    private string Mark() => IsReached switch { true => "✔", false => "✘", null => " " };

    private static bool IsFigure(int column) => column is 1 or 2 or 4 or 5 or 7;

    private static void WriteNumber(Utf8JsonWriter json, string name, double? value)
    {
        if (value is { } number) json.WriteNumber(name, Rounded(number));
        else json.WriteNull(name);
    }

    /// <summary>Four digits are more than two runs agree on.</summary>
    private static decimal Rounded(double value)
    {
        string digits = value.ToString("G4", CultureInfo.InvariantCulture);
        return decimal.Parse(digits, NumberStyles.Float, CultureInfo.InvariantCulture);
    }

    private static string Text(double? value) =>
        value is { } number ? Rounded(number).ToString("#,0.####", CultureInfo.InvariantCulture) : "-";
}
