using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Xml.Linq;

namespace Genkan.Conventions.Tests;

/// <summary>The working tree that this test program was built from.</summary>
internal static class Repository
{
    private static readonly string[] Generated = ["bin", "obj", "artifacts", ".git", "node_modules", "TestResults"];

    public static string Root { get; } = FindRoot();

    /// <summary>Paths of our own files with one of these extensions, relative to the root.</summary>
    public static IEnumerable<string> Files(params string[] extensions) =>
        Walk(Root).Where(path => extensions.Contains(Path.GetExtension(path)))
            .Select(path => Path.GetRelativePath(Root, path)).Order(StringComparer.Ordinal);

    public static string[] Lines(string path) => File.ReadAllLines(Path.Combine(Root, path));

    public static string Text(string path) => File.ReadAllText(Path.Combine(Root, path));

    public static bool Exists(string path) => File.Exists(Path.Combine(Root, path));

    /// <summary>Every C# project by its short name: <c>Wire</c>, <c>Wire.Tests</c>.</summary>
    public static IReadOnlyDictionary<string, XDocument> Projects { get; } =
        Files(".csproj").ToDictionary(ShortName, path => XDocument.Parse(Text(path)), StringComparer.Ordinal);

    /// <summary>Short names of the projects that a project references.</summary>
    public static IEnumerable<string> References(XDocument project) =>
        project.Descendants("ProjectReference").Select(e => ShortName((string)e.Attribute("Include")!));

    private static string ShortName(string path)
    {
        string name = Path.GetFileNameWithoutExtension(path.Replace('\\', '/'));
        return name.StartsWith("Genkan.", StringComparison.Ordinal) ? name["Genkan.".Length..] : name;
    }

    private static IEnumerable<string> Walk(string folder) =>
        Directory.EnumerateFiles(folder).Concat(Directory.EnumerateDirectories(folder)
            .Where(d => !Generated.Contains(Path.GetFileName(d))).SelectMany(Walk));

    private static string FindRoot()
    {
        DirectoryInfo? folder = new(AppContext.BaseDirectory);
        while (folder is not null && folder.GetFiles("appliance.sln").Length == 0) folder = folder.Parent;
        return folder?.FullName ?? throw new InvalidOperationException("These tests read the tree they are built in.");
    }
}
