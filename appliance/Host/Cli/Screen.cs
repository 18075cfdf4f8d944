using System;
using System.Collections.Generic;
using System.Globalization;
using System.IO;
using System.Linq;
using System.Text;
using Spectre.Console;

namespace Genkan.Host.Cli;

/// <summary>Prints for people: aligned tables, colour only on a terminal.</summary>
internal sealed class Screen
{
    // Pipes have no width: rows stay whole, so that grep and awk see one line each.
    private const int PipeWidth = 1000;
    private const int WrapWidth = 100;

    private readonly TextWriter _output;
    private readonly bool _isTerminal;
    private readonly IAnsiConsole _console;

    public Screen(CliContext context)
    {
        _output = context.Output;
        _isTerminal = context.IsTerminal;
        _console = AnsiConsole.Create(Settings(context.IsTerminal, context.Output));
    }

    /// <summary>A plain line.</summary>
    public void Line(string text = "") => _output.WriteLine(text);

    /// <summary>A name and its value, values aligned.</summary>
    public void Field(string name, string value) => _output.WriteLine($"{name,-12} {value}");

    /// <summary>A table.</summary>
    /// <param name="headings">
    /// Headings; one that begins with <c>&gt;</c> is of a column of numbers, aligned right.
    /// </param>
    /// <param name="rows">Cells, as many as headings.</param>
    /// <param name="isAlarming">Rows to be red on a terminal.</param>
    public void Table(
        IReadOnlyList<string> headings, IEnumerable<string[]> rows, Func<string[], bool>? isAlarming = null)
    {
        Table table = new() { Border = TableBorder.None, ShowHeaders = true };
        for (int i = 0; i < headings.Count; i++)
        {
            bool isNumber = headings[i].StartsWith('>');
            TableColumn column = new(new Text(headings[i].TrimStart('>'), new Style(decoration: Decoration.Bold)));
            column.Padding = new Padding(0, 0, i == headings.Count - 1 ? 0 : 2, 0);
            column.Alignment = isNumber ? Justify.Right : Justify.Left;
            column.NoWrap = i < headings.Count - 1;
            table.AddColumn(column);
        }

        foreach (string[] row in rows)
        {
            Style style = isAlarming?.Invoke(row) == true ? new Style(Color.Red) : Style.Plain;
            table.AddRow(row.Select(cell => new Text(cell, style)));
        }

        if (_isTerminal)
        {
            _console.Write(table);
            return;
        }

        // Cells are padded to their column's width, the last one too; files and tests are better off without.
        using StringWriter text = new();
        IAnsiConsole console = AnsiConsole.Create(Settings(isTerminal: false, text));
        console.Profile.Width = PipeWidth;
        console.Write(table);
        foreach (string line in text.ToString().TrimEnd().Split('\n')) _output.WriteLine(line.TrimEnd());
    }

    /// <summary>Parts with two blanks between, on a second line what does not fit.</summary>
    public void Flowing(IEnumerable<string> parts)
    {
        StringBuilder line = new();
        foreach (string part in parts)
        {
            if (line.Length > 0 && line.Length + 2 + part.Length > WrapWidth)
            {
                _output.WriteLine(line);
                line.Clear().Append("   ");
            }

            if (line.Length > 0) line.Append("  ");
            line.Append(part);
        }

        _output.WriteLine(line);
    }

    /// <summary>Words with commas between, broken into lines that begin below the first word.</summary>
    public void Wrapped(string start, IEnumerable<string> words)
    {
        StringBuilder line = new(start);
        string indent = new(' ', start.Length);
        bool isFirst = true;
        foreach (string word in words)
        {
            if (!isFirst) line.Append(',');
            if (!isFirst && line.Length + 1 + word.Length > WrapWidth)
            {
                _output.WriteLine(line);
                line.Clear().Append(indent);
            }
            else if (!isFirst)
            {
                line.Append(' ');
            }

            line.Append(word);
            isFirst = false;
        }

        if (!isFirst) _output.WriteLine(line);
    }

    /// <summary>A count that stays short: <c>999</c>, <c>12.3k</c>, <c>4.5M</c>.</summary>
    public static string Short(ulong count)
    {
        string[] units = ["", "k", "M", "G", "T", "P", "E"];
        double value = count;
        int unit = 0;
        while (value >= 999.5)
        {
            value /= 1000;
            unit++;
        }

        string format = unit == 0 || value >= 99.95 ? "0" : "0.0";
        return value.ToString(format, CultureInfo.InvariantCulture) + units[unit];
    }

    /// <summary>A time that stays short: <c>0.4s</c>, <c>12m05s</c>, <c>3h12m</c>, <c>2d04h</c>.</summary>
    public static string Short(double seconds)
    {
        TimeSpan time = TimeSpan.FromSeconds(Math.Max(0, seconds));
        CultureInfo culture = CultureInfo.InvariantCulture;
        if (time.TotalSeconds < 60) return string.Create(culture, $"{time.TotalSeconds:0.0}s");
        if (time.TotalMinutes < 60) return string.Create(culture, $"{(int)time.TotalMinutes}m{time.Seconds:00}s");
        if (time.TotalHours < 24) return string.Create(culture, $"{(int)time.TotalHours}h{time.Minutes:00}m");
        return string.Create(culture, $"{(int)time.TotalDays}d{time.Hours:00}h");
    }

    private static AnsiConsoleSettings Settings(bool isTerminal, TextWriter output) => new()
    {
        Ansi = isTerminal ? AnsiSupport.Detect : AnsiSupport.No,
        ColorSystem = isTerminal ? ColorSystemSupport.Detect : ColorSystemSupport.NoColors,
        Interactive = InteractionSupport.No,
        Out = new AnsiConsoleOutput(output),
    };
}
