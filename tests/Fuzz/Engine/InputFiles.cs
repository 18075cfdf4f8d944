using System;
using System.Collections.Generic;
using System.Globalization;
using System.IO;
using System.Linq;
using System.Security.Cryptography;
using System.Text;
using Genkan.Testing;

namespace Genkan.Fuzz.Engine;

/// <summary>
/// Inputs in files of the checkout: <c>Corpus/TARGET</c> to begin with, <c>Crashes/TARGET</c> that once went wrong. A
/// <c>.hex</c> file is one input as hexadecimal digits under comment lines that tell its origin; any other file is its
/// own octets.
/// </summary>
public static class InputFiles
{
    private const int LineOctets = 32;

    /// <summary>Folder of the fuzzer in the checkout.</summary>
    public static string Root { get; } = Path.Combine(FindRoot(), "tests/Fuzz");

    /// <summary>Where crashes go.</summary>
    public static string Crashes { get; } = Path.Combine(Root, "Crashes");

    /// <summary>Files that a target begins with.</summary>
    public static IEnumerable<byte[]> CorpusOf(string target) => ReadAll(Path.Combine(Root, "Corpus", target));

    /// <summary>Crash files of a folder, by target and name.</summary>
    public static IEnumerable<(string Target, string File)> AllCrashes() =>
        from folder in Directory.Exists(Crashes) ? Directory.EnumerateDirectories(Crashes) : []
        from file in Directory.EnumerateFiles(folder, "*.hex")
        orderby file
        select (Path.GetFileName(folder), Path.GetFileName(file));

    /// <summary>All inputs of a folder, in the order of their names; none if it does not exist.</summary>
    public static IEnumerable<byte[]> ReadAll(string folder) =>
        !Directory.Exists(folder) ? []
            : Directory.EnumerateFiles(folder).Order(StringComparer.Ordinal).Select(Read);

    /// <summary>Reads one input.</summary>
    public static byte[] Read(string path)
    {
        if (Path.GetExtension(path) != ".hex") return File.ReadAllBytes(path);
        return Hex.Octets(string.Concat(File.ReadLines(path).Where(static l => !l.StartsWith('#'))));
    }

    /// <summary>Writes a crash; the same crash is the same file.</summary>
    /// <param name="folder">Parent of the targets' folders.</param>
    /// <param name="target">The target.</param>
    /// <param name="seed">Seed of the run.</param>
    /// <param name="crash">What was found.</param>
    /// <returns>The path.</returns>
    public static string Write(string folder, string target, ulong seed, Crash crash)
    {
        StringBuilder text = new();
        text.Append(CultureInfo.InvariantCulture, $"# tests/fuzz {target} --seed {seed}, run {crash.Execution}: ");
        text.AppendLine(string.Join(' ', crash.Fault.Text.Split(['\r', '\n'], StringSplitOptions.RemoveEmptyEntries)));
        foreach (byte[] line in crash.Input.Chunk(LineOctets))
            text.AppendJoin(' ', line.Select(static o => o.ToString("x2", CultureInfo.InvariantCulture))).AppendLine();
        string name = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(crash.Fault.Kind)))[..12];
        string path = Path.Combine(folder, target, name + ".hex");
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllText(path, text.ToString());
        return path;
    }

    private static string FindRoot()
    {
        string? directory = AppContext.BaseDirectory;
        while (directory is not null && !File.Exists(Path.Combine(directory, "appliance.sln")))
            directory = Path.GetDirectoryName(directory);
        return directory ?? throw new InvalidOperationException("The fuzzer runs outside of the checkout.");
    }
}
