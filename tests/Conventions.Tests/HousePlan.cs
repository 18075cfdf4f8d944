using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Xml.Linq;
using Shouldly;

namespace Genkan.Conventions.Tests;

/// <summary>Which rooms there are, and who may reference whom. Anything not listed is an error.</summary>
public sealed class HousePlan
{
    private static readonly string[] Protocols = ["Bgp", "Bfd", "Lacp", "Stp", "Nat", "Ipsec", "L2tp"];
    private static readonly string[] Inner = ["Wire", "Overlay", "Control", .. Protocols];

    private static readonly Dictionary<string, string[]> MayReference = new(StringComparer.Ordinal)
    {
        ["Wire"] = [],
        ["Overlay"] = ["Wire", "Nat"],
        ["Control"] = ["Wire", "Overlay", .. Protocols],
        ["Snmp"] = Inner,
        ["Web"] = Inner,
        ["Store"] = Inner,
        ["Datapath"] = Inner,
        ["BfdHost"] = ["Bfd"],
        ["Host"] = [.. Inner, "Snmp", "Web", "Store", "Datapath"],
        ["Image"] = [],
        ["Testing"] = ["Wire", "Datapath"],
        ["Conventions.Tests"] = [],
        ["Lab.Tests"] = ["Testing", "Benchmarks", "Host", "Datapath", .. Inner],
        ["Fuzz"] = ["Testing", "Host", "Datapath", .. Inner],
        ["Benchmarks"] = ["Testing", "Host", "Datapath", .. Inner],
    };

    private static readonly string[] SansIo = ["Wire", "Overlay", "Control", "Snmp", .. Protocols];

    private static readonly string[] Folders =
        [".ci", "appliance", "bgp", "image", "ipsec", "lacp", "nat", "stp", "tests"];

    [Fact]
    public void A_project_references_only_what_the_table_allows()
    {
        foreach ((string name, XDocument project) in Repository.Projects)
        {
            Repository.References(project).Except(AllowedReferences(name)).ShouldBeEmpty($"{name} may not use these");
        }
    }

    [Fact]
    public void A_project_without_I_O_says_so_and_only_such_a_project_does()
    {
        IEnumerable<string> declared = Repository.Projects
            .Where(p => p.Value.Descendants("SansIo").Any(e => (string)e == "true")).Select(p => p.Key);
        declared.ShouldBe(Repository.Projects.Keys.Where(SansIo.Contains), ignoreOrder: true);
    }

    [Fact]
    public void A_protocol_library_uses_no_package()
    {
        foreach ((string name, XDocument project) in Repository.Projects.Where(p => SansIo.Contains(p.Key)))
        {
            project.Descendants("PackageReference").Select(e => (string?)e.Attribute("Include"))
                .ShouldBeEmpty($"{name} is protocol code: functions over octets and values need no package");
        }
    }

    [Fact]
    public void Every_project_has_its_tests_and_is_in_the_solution()
    {
        string solution = Repository.Text("appliance.sln");
        foreach (string name in Repository.Projects.Keys)
        {
            solution.ShouldContain($"\"Genkan.{name}\"");
            if (name.EndsWith(".Tests", StringComparison.Ordinal) || name is "Testing" or "Benchmarks") continue;
            Repository.Projects.Keys.ShouldContain(name + ".Tests");
        }
    }

    [Fact]
    public void The_top_folder_holds_the_rooms_of_the_plan_and_nothing_else()
    {
        IEnumerable<string> folders = Repository.Files(".cs", ".csproj", ".c", ".h", ".sh", ".yaml", ".ts", ".tsx")
            .Where(path => path.Contains('/', StringComparison.Ordinal))
            .Select(path => path[..path.IndexOf('/', StringComparison.Ordinal)]).Distinct();
        folders.Except(Folders).ShouldBeEmpty("a new top folder needs a place in the house plan");
    }

    [Fact]
    public void Every_standard_that_a_document_of_ours_covers_is_a_numbered_file()
    {
        const string Folder = "appliance/docs/rfc/";
        foreach (string path in Repository.Files(".md").Where(p => p.StartsWith(Folder, StringComparison.Ordinal)))
        {
            Path.GetFileNameWithoutExtension(path).ShouldMatch("^[0-9]{4}$", $"{path}: NNNN.md, after the RFC");
        }
    }

    private static string[] AllowedReferences(string name)
    {
        if (MayReference.TryGetValue(name, out string[]? listed)) return listed;
        if (Protocols.Contains(name)) return ["Wire"];
        name.ShouldEndWith(".Tests", customMessage: $"{name} has no row in the table");
        string tested = name[..^".Tests".Length];
        return [tested, "Testing", .. AllowedReferences(tested)];
    }
}
