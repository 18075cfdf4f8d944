using System.Collections.Generic;
using System.Collections.Immutable;
using System.IO;
using System.Linq;
using System.Text;
using Genkan.Control.Model;
using Genkan.Control.Translation;
using Genkan.Control.Validation;
using Genkan.Overlay.Topology;

namespace Genkan.Host.Configuration;

/// <summary>A topology file that was read: either the state it describes, or what is wrong with it.</summary>
internal sealed class TopologyFile
{
    private TopologyFile(string name, string text, ImmutableArray<FileDiagnostic> diagnostics, bool isIncomplete)
    {
        Name = name;
        Text = text;
        Diagnostics = diagnostics;
        IsIncomplete = isIncomplete;
    }

    /// <summary>Name as it was given.</summary>
    public string Name { get; }

    /// <summary>The whole text.</summary>
    public string Text { get; }

    /// <summary>What is wrong, in the order of the file; empty if it is good.</summary>
    public ImmutableArray<FileDiagnostic> Diagnostics { get; }

    /// <summary>Parts could not be read, so that references between parts were not checked.</summary>
    public bool IsIncomplete { get; }

    /// <summary>Which host the reader of the file is, if it says so.</summary>
    public string? HostName { get; private init; }

    /// <summary>What the file describes; null if something is wrong.</summary>
    public DesiredState? State { get; private init; }

    /// <summary>The topology of it; null if something is wrong.</summary>
    public TopologyParts? Parts { get; private init; }

    /// <summary>Reads a file.</summary>
    /// <param name="path">Path.</param>
    /// <exception cref="IOException">The file cannot be opened or read.</exception>
    /// <exception cref="System.UnauthorizedAccessException">It may not be read.</exception>
    public static TopologyFile Load(string path)
    {
        if (Directory.Exists(path)) throw new IOException($"{path} is a directory"); // opening it says: access denied
        using FileStream stream = File.OpenRead(path);
        byte[] octets = new byte[FileLimits.SizeOctetsMax + 1];
        int length = stream.ReadAtLeast(octets, octets.Length, throwOnEndOfStream: false);
        if (length > FileLimits.SizeOctetsMax)
        {
            return Refused(path, $"the file has more than {FileLimits.SizeOctetsMax} octets", "is it the right file?");
        }

        try
        {
            return Read(path, new UTF8Encoding(false, throwOnInvalidBytes: true).GetString(octets, 0, length));
        }
        catch (DecoderFallbackException)
        {
            return Refused(path, "the file is not UTF-8 text", "is it the right file?");
        }
    }

    /// <summary>Reads text.</summary>
    /// <param name="name">What messages call it.</param>
    /// <param name="text">The text; a byte order mark is skipped.</param>
    public static TopologyFile Read(string name, string text)
    {
        text = text.TrimStart('\uFEFF');
        if (Encoding.UTF8.GetByteCount(text) > FileLimits.SizeOctetsMax)
        {
            return Refused(name, $"the file has more than {FileLimits.SizeOctetsMax} octets", "is it the right file?");
        }

        FileReading reading = new();
        if (YamlTree.Read(text, reading.Diagnostics) is not { } root || reading.Diagnostics.Count > 0)
        {
            return new TopologyFile(name, text, InOrder(reading.Diagnostics), isIncomplete: true);
        }

        (string? host, DesiredState state) = TopologyReader.Read(root, reading);
        TopologyParts? parts = null;
        if (!reading.IsIncomplete)
        {
            TopologyTranslator.TryTranslate(state, out parts, out ImmutableArray<ConfigError> errors);
            foreach (ConfigError error in errors)
            {
                reading.Diagnostics.Add(new FileDiagnostic(reading.PlaceOf(error.Path), error));
            }
            CheckHost(host, state, reading);
        }

        bool isGood = reading.Diagnostics.Count == 0;
        return new TopologyFile(name, text, InOrder(reading.Diagnostics), reading.IsIncomplete)
        {
            HostName = host,
            State = isGood ? state : null,
            Parts = isGood ? parts : null,
        };
    }

    private static void CheckHost(string? host, DesiredState state, FileReading reading)
    {
        if (host is null || state.Hosts.Any(h => h.Name == host)) return;
        reading.Refuse(
            reading.PlaceOf("host"), "host", $"there is no host '{host}'",
            Suggestion.Hint(host, [.. state.Hosts.Select(static h => h.Name)], "hosts"));
    }

    private static TopologyFile Refused(string name, string rule, string hint) => new(
        name, "", [new FileDiagnostic(FilePosition.Start, new ConfigError("", rule, hint))], isIncomplete: true);

    private static ImmutableArray<FileDiagnostic> InOrder(List<FileDiagnostic> diagnostics) =>
        [.. diagnostics.OrderBy(static d => d.Position.Line).ThenBy(static d => d.Position.Column)];
}
