using System;
using System.Collections.Generic;
using System.IO;
using System.Text;

namespace Genkan.Testing;

/// <summary>
/// Octets as text. A capture file begins with a comment line that tells its origin; then frames, each under a line <c>#
/// frame NAME</c>, as hexadecimal digits with blanks where they please.
/// </summary>
public static class Hex
{
    /// <summary>Reads hexadecimal digits; blanks, colons and line ends are skipped.</summary>
    /// <param name="text">Such as <c>"45 00 00 54"</c>.</param>
    /// <returns>The octets.</returns>
    public static byte[] Octets(string text)
    {
        StringBuilder digits = new();
        foreach (char c in text)
            if (!char.IsWhiteSpace(c) && c != ':') digits.Append(c);
        return Convert.FromHexString(digits.ToString());
    }

    /// <summary>Reads one frame of a capture file.</summary>
    /// <param name="path">The file, relative to the test binary.</param>
    /// <param name="name">The frame's name in the file.</param>
    /// <returns>The octets.</returns>
    /// <exception cref="KeyNotFoundException">The file has no such frame.</exception>
    public static byte[] Frame(string path, string name) => Capture(path)[name];

    /// <summary>Reads all frames of a capture file.</summary>
    /// <param name="path">The file, relative to the test binary.</param>
    /// <returns>Frames by name.</returns>
    public static IReadOnlyDictionary<string, byte[]> Capture(string path)
    {
        const string marker = "# frame ";
        Dictionary<string, StringBuilder> texts = new(StringComparer.Ordinal);
        StringBuilder? current = null;
        foreach (string line in File.ReadLines(Path.Combine(AppContext.BaseDirectory, path)))
        {
            if (line.StartsWith(marker, StringComparison.Ordinal)) texts.Add(line[marker.Length..], current = new());
            else if (!line.StartsWith('#')) current?.AppendLine(line);
        }

        Dictionary<string, byte[]> frames = new(StringComparer.Ordinal);
        foreach ((string name, StringBuilder text) in texts) frames.Add(name, Octets(text.ToString()));
        return frames;
    }
}
