using System;
using System.Collections.Generic;
using System.Globalization;
using System.Text;

namespace Genkan.Host.Configuration;

/// <summary>Prints mistakes as a compiler does: place, rule, the line with a caret, hint.</summary>
internal static class DiagnosticText
{
    /// <summary>Characters of a source line that are shown.</summary>
    private const int ExcerptMax = 88;

    /// <summary>Formats all, in the order of the file, with an empty line between.</summary>
    public static string Format(string fileName, string text, IEnumerable<FileDiagnostic> diagnostics)
    {
        StringBuilder output = new();
        foreach (FileDiagnostic diagnostic in diagnostics)
        {
            if (output.Length > 0) output.Append('\n');
            Append(output, fileName, text, diagnostic);
        }

        return output.ToString();
    }

    /// <summary>A line of a text.</summary>
    /// <param name="text">The text.</param>
    /// <param name="line">From 1.</param>
    /// <returns>Without its end; empty past the last line.</returns>
    public static string LineOf(string text, int line)
    {
        int at = 0;
        for (int i = 1; i < line; i++)
        {
            at = text.IndexOf('\n', at) + 1;
            if (at == 0) return "";
        }

        int end = text.IndexOf('\n', at);
        return text[at..(end < 0 ? text.Length : end)].TrimEnd('\r');
    }

    private static void Append(StringBuilder output, string fileName, string text, FileDiagnostic diagnostic)
    {
        FilePosition at = diagnostic.Position;
        output.Append(
            CultureInfo.InvariantCulture, $"{fileName}:{at.Line}:{at.Column}: error: {diagnostic.Error.Rule}\n");
        string line = LineOf(text, at.Line);
        if (line.Length > 0) AppendExcerpt(output, line, at);
        if (diagnostic.Error.Path.Length > 0)
        {
            output.Append(CultureInfo.InvariantCulture, $"       at: {diagnostic.Error.Path}\n");
        }
        if (diagnostic.Error.Hint.Length > 0)
        {
            output.Append(CultureInfo.InvariantCulture, $"     hint: {diagnostic.Error.Hint}\n");
        }
    }

    private static void AppendExcerpt(StringBuilder output, string line, FilePosition at)
    {
        int column = Math.Min(at.Column - 1, line.Length);
        int from = line.Length <= ExcerptMax ? 0 : Math.Clamp(column - (ExcerptMax / 2), 0, line.Length - ExcerptMax);
        int to = Math.Min(line.Length, from + ExcerptMax);
        output.Append(CultureInfo.InvariantCulture, $"{at.Line,6} | ");
        foreach (char c in line.AsSpan(from, to - from)) output.Append(char.IsControl(c) ? ' ' : c);
        output.Append("\n       | ").Append(' ', column - from);
        output.Append('^', Math.Max(1, Math.Min(at.Length, to - column))).Append('\n');
    }
}
