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

    private static int Number(Match match) => int.Parse(match.Groups["number"].Value, CultureInfo.InvariantCulture);

    private static string PascalCase(string snakeCase) =>
        string.Concat(snakeCase.Split('_').Select(word => word[..1] + word[1..].ToLowerInvariant()));

    [GeneratedRegex(@"^\s*DROP_(?<name>[A-Z0-9_]+) = (?<number>[0-9]+),?", ByLine)]
    private static partial Regex MembersOfC();

    [GeneratedRegex(@"^\s*(?<name>[A-Z][A-Za-z0-9]+) = (?<number>[0-9]+),?\s*$", ByLine)]
    private static partial Regex MembersOfCSharp();
}
