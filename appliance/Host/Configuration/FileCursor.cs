using System;
using System.Collections.Immutable;
using System.Linq;

namespace Genkan.Host.Configuration;

/// <summary>A value of the file while it is read. Wrong values are noted and read as null.</summary>
internal readonly partial struct FileCursor
{
    private readonly YamlNode _node;
    private readonly FileReading _reading;

    public FileCursor(YamlNode node, string path, FileReading reading)
    {
        _node = node;
        _reading = reading;
        Path = path;
        reading.Place(path, node.Position);
    }

    public string Path { get; }

    public FilePosition Position => _node.Position;

    public FileReading Reading => _reading;

    /// <summary>Whether it is text rather than a list or mapping.</summary>
    public bool IsScalar => _node is YamlScalar;

    /// <summary>Whether it is a mapping.</summary>
    public bool IsMapping => _node is YamlMapping;

    /// <summary>Notes a mistake here.</summary>
    public void Refuse(string rule, string hint) => _reading.Refuse(Position, Path, rule, hint);

    /// <summary>Items of a list; none if nothing is written.</summary>
    public ImmutableArray<FileCursor> Items()
    {
        FileReading reading = _reading;
        string path = Path;
        if (_node is YamlSequence sequence)
        {
            return [.. sequence.Items.Select((item, i) => new FileCursor(item, $"{path}[{i}]", reading))];
        }

        if (_node is YamlScalar { IsEmpty: true }) return [];
        _reading.IsIncomplete = true;
        Refuse("a list is expected here", "items in [ ] or on lines that begin with '- '");
        return [];
    }

    /// <summary>Names and values of a mapping whose names are free; none if nothing is written.</summary>
    public ImmutableArray<(YamlScalar Key, FileCursor Value)> Entries()
    {
        FileReading reading = _reading;
        string path = Path;
        if (_node is YamlMapping mapping)
        {
            return [.. mapping.Entries.Select(e => (e.Key, new FileCursor(e.Value, $"{path}.{e.Key.Text}", reading)))];
        }

        if (_node is YamlScalar { IsEmpty: true }) return [];
        _reading.IsIncomplete = true;
        Refuse("names with values are expected here", "lines such as 'name: …'");
        return [];
    }

    /// <summary>A mapping with fixed keys; null if it is none.</summary>
    public FileMap? Map(string noun)
    {
        if (_node is YamlMapping mapping) return new FileMap(mapping, Path, _reading);
        _reading.IsIncomplete = true;
        Refuse($"{noun} is expected here, as keys with values", "e.g. { name: … }");
        return null;
    }

    /// <summary>Reads every item of a list; items that cannot be read are left out.</summary>
    public ImmutableArray<T> List<T>(Func<FileCursor, T?> read)
        where T : struct
    {
        ImmutableArray<T>.Builder items = ImmutableArray.CreateBuilder<T>();
        foreach (FileCursor item in Items())
        {
            if (read(item) is { } value) items.Add(value);
            else _reading.IsIncomplete = true; // indexes of the rest no longer fit
        }

        return items.ToImmutable();
    }

    /// <inheritdoc cref="List{T}(Func{FileCursor, T?})"/>
    public ImmutableArray<T> ListOf<T>(Func<FileCursor, T?> read)
        where T : class
    {
        ImmutableArray<T>.Builder items = ImmutableArray.CreateBuilder<T>();
        foreach (FileCursor item in Items())
        {
            if (read(item) is { } value) items.Add(value);
            else _reading.IsIncomplete = true;
        }

        return items.ToImmutable();
    }
}
