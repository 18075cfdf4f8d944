using System.Collections.Immutable;

namespace Genkan.Host.Configuration;

/// <summary>Where something stands in a file.</summary>
/// <param name="Line">From 1.</param>
/// <param name="Column">From 1, in characters.</param>
/// <param name="Length">Characters on that line, at least 1.</param>
internal readonly record struct FilePosition(int Line, int Column, int Length)
{
    public static FilePosition Start => new(1, 1, 1);
}

/// <summary>
/// A YAML value with its position. Of YAML we take plain trees: no anchors, aliases, tags or further documents.
/// </summary>
internal abstract record YamlNode(FilePosition Position);

/// <summary>Text. YAML's guesses about types are not asked: whoever reads a value knows its type.</summary>
internal sealed record YamlScalar(string Text, bool IsQuoted, FilePosition Position) : YamlNode(Position)
{
    /// <summary>Nothing was written.</summary>
    public bool IsEmpty => !IsQuoted && Text is "" or "~" or "null";
}

/// <summary>A list.</summary>
internal sealed record YamlSequence(ImmutableArray<YamlNode> Items, FilePosition Position) : YamlNode(Position);

/// <summary>Names with values, in the order of the file.</summary>
internal sealed record YamlMapping(ImmutableArray<YamlEntry> Entries, FilePosition Position) : YamlNode(Position);

/// <summary>One name with its value.</summary>
internal sealed record YamlEntry(YamlScalar Key, YamlNode Value);
