using System;
using System.Collections.Generic;
using System.Globalization;
using System.Linq;
using System.Text.RegularExpressions;
using Shouldly;

namespace Genkan.Conventions.Tests;

/// <summary>Every drop has one reason, equal in C and C#, from which metric, CLI and REST take its name.</summary>
public sealed partial class DropReasons
{
    private const RegexOptions ByLine = RegexOptions.Multiline | RegexOptions.ExplicitCapture;

    private const string InC = "appliance/Datapath/bpf/drop_reasons.h";
    private const string InCSharp = "appliance/Overlay/Flows/DropReason.cs";

    [Fact]
    public void C_and_CSharp_have_the_same_reasons_with_the_same_numbers()
    {
        Dictionary<string, int> inC = MembersOfC().Matches(Repository.Text(InC))
            .Where(m => m.Groups["name"].Value != "REASON_MAX") // the size of the counters
            .ToDictionary(m => PascalCase(m.Groups["name"].Value), Number, StringComparer.Ordinal);
        Dictionary<string, int> inCSharp = MembersOfCSharp().Matches(Repository.Text(InCSharp))
            .ToDictionary(m => m.Groups["name"].Value, Number, StringComparer.Ordinal);

        inC.ShouldNotBeEmpty();
        inCSharp.OrderBy(p => p.Value).ShouldBe(inC.OrderBy(p => p.Value));
    }

    [Fact]
    public void The_operators_page_has_a_row_for_each_reason_of_C()
    {
        string[] rows = Repository.Lines("appliance/docs/drop-reasons.md");
        string[] named =
        [
            .. rows.Select(row => NameOfRow().Match(row)).Where(m => m.Success).Select(m => m.Groups["name"].Value),
        ];
        string[] reasons =
        [
            .. MembersOfC().Matches(Repository.Text(InC)).Select(m => m.Groups["name"].Value)
                .Where(name => name is not ("NONE" or "REASON_MAX")).Select(name => name.ToLowerInvariant()),
        ];

        named.ShouldBe(reasons);
    }

    [Fact]
    public void The_page_of_metrics_has_a_row_for_each_metric_and_no_other()
    {
        string page = Repository.Text("appliance/docs/metrics.md");
        string[] metrics =
        [
            .. NameOfMetric().Matches(Repository.Text("appliance/Host/Agent/PrometheusText.cs"))
                .Select(m => m.Groups["name"].Value).Distinct(StringComparer.Ordinal),
        ];

        metrics.ShouldNotBeEmpty();
        RowOfMetric().Matches(page).Select(m => m.Groups["name"].Value).ShouldBe(metrics, ignoreOrder: true);
    }

    private static int Number(Match match) => int.Parse(match.Groups["number"].Value, CultureInfo.InvariantCulture);

    private static string PascalCase(string snakeCase) =>
        string.Concat(snakeCase.Split('_').Select(word => word[..1] + word[1..].ToLowerInvariant()));

    [GeneratedRegex(@"^\s*DROP_(?<name>[A-Z0-9_]+) = (?<number>[0-9]+),?", ByLine)]
    private static partial Regex MembersOfC();

    [GeneratedRegex(@"^\s*(?<name>[A-Z][A-Za-z0-9]+) = (?<number>[0-9]+),?\s*$", ByLine)]
    private static partial Regex MembersOfCSharp();

    [GeneratedRegex(@"^\| `(?<name>[a-z_0-9]+)` \| [^|]+ \| [^|]+ \|$", RegexOptions.ExplicitCapture)]
    private static partial Regex NameOfRow();

    [GeneratedRegex(@"^\| `(?<name>genkan_[a-z_]+)` \|", ByLine)]
    private static partial Regex RowOfMetric();

    [GeneratedRegex(@"""(?<name>genkan_[a-z_]+)""", RegexOptions.ExplicitCapture)]
    private static partial Regex NameOfMetric();
}
