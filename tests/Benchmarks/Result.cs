using System.Collections.Generic;
using System.Globalization;
using System.IO;
using System.Linq;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Genkan.Benchmarks;

/// <summary>The medians of one benchmark.</summary>
/// <param name="Benchmark">Its words.</param>
/// <param name="Value">Ours, or null if only the peer ran.</param>
/// <param name="PeerValue">The peer's, or null.</param>
/// <param name="Runs">How often each side ran.</param>
internal sealed record Result(IBenchmark Benchmark, double? Value, double? PeerValue, int Runs)
{
    private static readonly JsonWriterOptions Plain = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Ours divided by the peer's.</summary>
    public double? Ratio => PeerValue is > 0 ? Value / PeerValue : null;

    /// <summary>The middle one; the mean of the middle two if their number is even.</summary>
    public static double Median(IReadOnlyCollection<double> values)
    {
        double[] sorted = [.. values.Order()];
        return (sorted[(sorted.Length - 1) / 2] + sorted[sorted.Length / 2]) / 2;
    }

    /// <summary>One object in one line.</summary>
    public string ToJson()
    {
        using MemoryStream stream = new();
        using (Utf8JsonWriter json = new(stream, Plain))
        {
            json.WriteStartObject();
            json.WriteString("name", Benchmark.Name);
            WriteNumber(json, "value", Value);
            json.WriteString("unit", Benchmark.Unit);
            json.WriteString("peer", Benchmark.Peer);
            WriteNumber(json, "peer_value", PeerValue);
            WriteNumber(json, "ratio", Ratio);
            if (Benchmark.LowerIsBetter) json.WriteBoolean("lower_is_better", value: true);
            json.WriteNumber("runs", Runs);
            json.WriteEndObject();
        }

        return Encoding.UTF8.GetString(stream.ToArray());
    }

    /// <summary>A table for people, figures to the right.</summary>
    public static void WriteTable(TextWriter output, IEnumerable<Result> results)
    {
        List<string[]> rows = [["benchmark", "ours", "peer's", "unit", "ratio", "runs", "peer"]];
        foreach (Result r in results)
        {
            string unit = r.Benchmark.Unit + (r.Benchmark.LowerIsBetter ? " (lower is better)" : "");
            rows.Add([r.Benchmark.Name, Text(r.Value), Text(r.PeerValue), unit, Text(r.Ratio),
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

    private static bool IsFigure(int column) => column is 1 or 2 or 4 or 5;

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
