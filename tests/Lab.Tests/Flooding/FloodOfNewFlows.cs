using System;
using System.Collections.Generic;
using System.Globalization;
using System.Linq;
using System.Text.Json;
using System.Text.RegularExpressions;
using System.Threading.Tasks;
using Shouldly;

namespace Genkan.Lab.Tests.Flooding;

/// <summary>
/// A VM that floods random tuples at full speed, and a scan of the floating IPs, beside a VM that opens connections and
/// sends over one. The benchmarks flood, flood-own and flood-scan, one turn of each; <c>sudo tests/bench</c> takes five
/// and asks for nine tenths. Here other tests run beside, so less is asked of the rates: what counts exactly is who was
/// refused.
/// </summary>
public sealed class FloodOfNewFlows
{
    // Single turns beside other tests differ by a factor of two; a victim that starves has nothing.
    private const double KeptMin = 0.2;

    // A machine that others load hands out less than a victim asks for, for a turn or two.
    private const double OfVictimMax = 0.001;

    private static readonly TimeSpan Deadline = TimeSpan.FromMinutes(3);

    [Theory]
    [InlineData("flood", "rival/rival")]
    [InlineData("flood-own", "bench/own")]
    [InlineData("flood-scan", "outside")]
    public async Task Is_refused_under_its_own_name_and_leaves_the_others_what_they_had(
        string benchmark, string offender)
    {
        Outcome run = await Command.RunForAsync(
            Deadline, "env", $"GENKAN={Repository.Genkan}", Repository.Benchmarks, "--json", "--runs=1", benchmark);

        run.Error.ShouldContain("run 1 of 1", Case.Sensitive, run.ToString());
        Dictionary<string, JsonElement> figures = run.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Select(static line => JsonDocument.Parse(line).RootElement.Clone())
            .ToDictionary(static figure => figure.GetProperty("figure").GetString()!, StringComparer.Ordinal);
        figures["new connections"].GetProperty("ratio").GetDouble().ShouldBeGreaterThan(KeptMin, run.Error);
        figures["goodput"].GetProperty("ratio").GetDouble().ShouldBeGreaterThan(KeptMin, run.Error);
        Match refused = Regex.Match(
            run.Error, $@"flood from \w+: .*; (\d+) of {offender} over a budget, (\d+) of the victim dropped");
        refused.Success.ShouldBeTrue(run.Error);
        double ofOffender = double.Parse(refused.Groups[1].Value, CultureInfo.InvariantCulture);
        double ofVictim = double.Parse(refused.Groups[2].Value, CultureInfo.InvariantCulture);
        ofOffender.ShouldBeGreaterThan(1_000, run.Error);
        ofVictim.ShouldBeLessThanOrEqualTo(ofOffender * OfVictimMax, run.Error);
    }
}
