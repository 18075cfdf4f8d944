using System;
using System.Collections.Generic;
using System.Collections.Immutable;
using Genkan.Control.Validation;

namespace Genkan.Host.Configuration;

/// <summary>A mapping with known keys. <see cref="Close"/> refuses the others.</summary>
internal sealed class FileMap(YamlMapping mapping, string path, FileReading reading)
{
    private readonly List<string> _known = [];

    public string Path => path;

    public FilePosition Position => mapping.Position;

    /// <summary>The value of a key; null if it is absent.</summary>
    public FileCursor? Find(string key)
    {
        _known.Add(key);
        foreach (YamlEntry entry in mapping.Entries)
        {
            if (entry.Key.Text != key) continue;
            YamlNode value = entry.Value is YamlScalar { IsEmpty: true } empty
                ? empty with { Position = entry.Key.Position }
                : entry.Value;
            return new FileCursor(value, path.Length == 0 ? key : $"{path}.{key}", reading);
        }

        return null;
    }

    /// <summary>The value of a key that must be there. Notes its absence.</summary>
    public FileCursor? Require(string key, string hint)
    {
        FileCursor? found = Find(key);
        if (found is not null) return found;
        reading.IsIncomplete = true;
        reading.Refuse(Position, path, $"'{key}' is missing here", hint);
        return null;
    }

    /// <summary>A value that must be there and right, else the whole is incomplete.</summary>
    public T? Require<T>(string key, string hint, Func<FileCursor, T?> read)
        where T : struct
    {
        T? value = Require(key, hint) is { } cursor ? read(cursor) : null;
        if (value is null) reading.IsIncomplete = true;
        return value;
    }

    /// <summary>Text that must be there, else the whole is incomplete.</summary>
    public string? RequireText(string key, string hint)
    {
        string? value = Require(key, hint)?.Text();
        if (value is null) reading.IsIncomplete = true;
        return value;
    }

    /// <summary>A list of things; empty if absent.</summary>
    public ImmutableArray<T> List<T>(string key, Func<FileCursor, T?> read)
        where T : struct => Find(key)?.List(read) ?? [];

    /// <inheritdoc cref="List"/>
    public ImmutableArray<T> ListOf<T>(string key, Func<FileCursor, T?> read)
        where T : class => Find(key)?.ListOf(read) ?? [];

    /// <summary>Refuses keys that nobody asked for.</summary>
    public void Close()
    {
        foreach (YamlEntry entry in mapping.Entries)
        {
            if (_known.Contains(entry.Key.Text)) continue;
            string at = path.Length == 0 ? entry.Key.Text : $"{path}.{entry.Key.Text}";
            reading.Refuse(
                entry.Key.Position,
                at,
                $"'{entry.Key.Text}' is not a key here",
                Suggestion.Hint(entry.Key.Text, _known, "keys"));
        }
    }
}
