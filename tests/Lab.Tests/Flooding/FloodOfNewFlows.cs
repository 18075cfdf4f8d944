using System;
using System.Collections.Generic;
using System.Linq;
using System.Text.Json;
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
    private const double KeptMin = 0.4; // single turns of a busy machine differ by 0.3; a victim that starves has none

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
        figures["refused to the victim"].GetProperty("value").GetDouble().ShouldBe(0, run.Error);
        run.Error.ShouldMatch($@"over a budget: [1-9]\d{{3,}} of {offender}, 0 of the victim");
    }
}
