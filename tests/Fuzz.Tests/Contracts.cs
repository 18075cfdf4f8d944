using System.Collections.Generic;
using System.Globalization;
using System.IO;
using System.Linq;
using Genkan.Fuzz.Engine;
using Genkan.Fuzz.Targets;
using Shouldly;

namespace Genkan.Fuzz.Tests;

/// <summary>What every parser, the simulation and the configuration promise for any input at all.</summary>
public sealed class Contracts(ITestOutputHelper output)
{
    private const string Seed = "20261125";

    // Together about 20 s of one core. A long run is tests/fuzz.
    private static readonly Dictionary<string, int> Runs = new()
    {
        ["frame"] = 50_000,
        ["rewrite"] = 50_000,
        ["checksum"] = 50_000,
        ["dhcp4"] = 25_000,
        ["dhcp6"] = 25_000,
        ["names"] = 50_000,
        ["simulate"] = 50_000,
        ["slowpath"] = 3_000,
        ["config"] = 8_000,
        ["trace"] = 25_000,
        ["netlink"] = 100_000,
        ["upcall"] = 50_000,
    };

    public static IEnumerable<TheoryDataRow<string>> Targets =>
        AllTargets.All.Select(static t => new TheoryDataRow<string>(t.Name));

    public static IEnumerable<TheoryDataRow<string, string>> Crashes =>
        InputFiles.AllCrashes().Select(static c => new TheoryDataRow<string, string>(c.Target, c.File));

    [Theory]
    [MemberData(nameof(Targets))]
    public void No_mutant_of_this_seed_breaks_the_contract_of(string target)
    {
        string runs = Runs[target].ToString(CultureInfo.InvariantCulture);
        (int code, string said) = FuzzRun.Of(target, "--runs", runs, "--seed", Seed);

        output.WriteLine(said);
        code.ShouldBe(Session.Clean, said);
    }

    [Theory]
    [MemberData(nameof(Crashes))]
    public void What_once_went_wrong_is_right(string target, string file)
    {
        string path = Path.Combine(InputFiles.Crashes, target, file);

        (int code, string said) = FuzzRun.Of(target, "--replay", path);

        code.ShouldBe(Session.Clean, said);
        File.ReadLines(path).First().ShouldStartWith("# tests/fuzz ");
    }
}
