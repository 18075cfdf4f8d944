using System;
using System.Collections.Generic;
using Genkan.Control.Validation;

namespace Genkan.Host.Configuration;

/// <summary>One reading of a file: what is wrong so far, and where everything stood.</summary>
internal sealed class FileReading
{
    private readonly Dictionary<string, FilePosition> _positions = new(StringComparer.Ordinal);

    /// <summary>What is wrong so far.</summary>
    public List<FileDiagnostic> Diagnostics { get; } = [];

    /// <summary>
    /// Something could not be read at all, so that references to it would look wrong without being so.
    /// </summary>
    public bool IsIncomplete { get; set; }

    /// <summary>Notes a mistake.</summary>
    public void Refuse(FilePosition at, string path, string rule, string hint) =>
        Diagnostics.Add(new FileDiagnostic(at, new ConfigError(path, rule, hint)));

    /// <summary>Notes where a value stands.</summary>
    public void Place(string path, FilePosition at) => _positions.TryAdd(path, at);

    /// <summary>Where a path stands; the nearest parent's place if it is not written in the file.</summary>
    public FilePosition PlaceOf(string path)
    {
        while (path.Length > 0)
        {
            if (_positions.TryGetValue(path, out FilePosition at)) return at;
            int cut = path.EndsWith(']') ? path.LastIndexOf('[') : path.LastIndexOf('.');
            path = path[..Math.Max(0, cut)];
        }

        return FilePosition.Start;
    }
}
