using System;
using System.Collections.Generic;
using System.Collections.Immutable;
using System.IO;
using Genkan.Control.Validation;
using YamlDotNet.Core;
using YamlDotNet.Core.Events;

namespace Genkan.Host.Configuration;

/// <summary>Reads YAML text into a tree that remembers where each value stood.</summary>
internal sealed class YamlTree
{
    private readonly Parser _parser;
    private readonly List<FileDiagnostic> _diagnostics;
    private int _depth;

    private YamlTree(string text, List<FileDiagnostic> diagnostics)
    {
        _parser = new Parser(new StringReader(text));
        _diagnostics = diagnostics;
    }

    /// <summary>Reads one document.</summary>
    /// <param name="text">The file's text.</param>
    /// <param name="diagnostics">Takes what is wrong.</param>
    /// <returns>The root; null if the text is no YAML of our kind, or empty.</returns>
    public static YamlNode? Read(string text, List<FileDiagnostic> diagnostics)
    {
        if (RefuseControlCharacters(text, diagnostics)) return null;
        YamlTree tree = new(text, diagnostics);
        try
        {
            return tree.ReadDocument();
        }
        catch (YamlException fault)
        {
            // The end is where the scanner stopped; the start may be the beginning of the whole construct.
            tree.RefuseText(text, fault.End.Line > 0 ? fault.End : fault.Start, Sentence(fault.Message));
            return null;
        }
        catch (Exception fault) when (
            fault is InvalidOperationException or ArgumentException or IndexOutOfRangeException)
        {
            // The scanner has such ends too, e.g. a plain value at the end of an unclosed { }. They carry no position.
            tree.RefuseText(
                text, tree._parser.Current?.End ?? Mark.Empty, "something is not closed or cut off after this");
            return null;
        }
    }

    private void RefuseText(string text, Mark mark, string what)
    {
        FilePosition at = new(Math.Max(1, (int)mark.Line), Math.Max(1, (int)mark.Column), 1);
        if (what.Contains(" tab ", StringComparison.Ordinal)) at = FirstTab(text) ?? at;
        ConfigError error = new("", $"this is not YAML: {what}", HintFor(text, at));
        _diagnostics.Add(new FileDiagnostic(at, error));
    }

    // The scanner tells of a tab where the block began.
    private static FilePosition? FirstTab(string text)
    {
        string[] lines = text.Split('\n');
        for (int i = 0; i < lines.Length; i++)
        {
            int tabAt = lines[i].IndexOf('\t', StringComparison.Ordinal);
            if (tabAt >= 0 && lines[i].AsSpan(0, tabAt).IsWhiteSpace()) return new FilePosition(i + 1, tabAt + 1, 1);
        }

        return null;
    }

    // YAML 1.2 §5.1: C0 and C1 controls but tab, line feed, carriage return and next line are no characters of a
    // stream. Next line and the separators of lines and paragraphs end a line for the scanner (YAML 1.1) but not for
    // editors (§5.4): each mistake behind them would be told with a wrong line.
    private static bool RefuseControlCharacters(string text, List<FileDiagnostic> diagnostics)
    {
        int line = 1;
        int lineAt = 0;
        for (int i = 0; i < text.Length; i++)
        {
            char c = text[i];
            if (c == '\n') (line, lineAt) = (line + 1, i + 1);
            bool isHiddenLineEnd = c is '\u0085' or '\u2028' or '\u2029';
            if (!isHiddenLineEnd && (!char.IsControl(c) || c is '\n' or '\r' or '\t')) continue;
            string what = isHiddenLineEnd ? "an invisible line end" : "a control";
            ConfigError error = new("", $"this is not YAML: character U+{(int)c:X4} is {what}", "remove it");
            diagnostics.Add(new FileDiagnostic(new FilePosition(line, i - lineAt + 1, 1), error));
            return true;
        }

        return false;
    }

    private YamlNode? ReadDocument()
    {
        _parser.Consume<StreamStart>();
        if (_parser.Accept<StreamEnd>(out _))
        {
            return Refuse<YamlNode>(FilePosition.Start, "the file is empty", "a topology begins with hosts:");
        }
        _parser.Consume<DocumentStart>();
        YamlNode? root = ReadNode();
        if (root is null) return null;
        _parser.Consume<DocumentEnd>();
        if (_parser.Accept<StreamEnd>(out _)) return root;
        return Refuse<YamlNode>(
            PositionOf(_parser.Current!), "a second YAML document begins here",
            "a file describes one topology: remove the '---'");
    }

    private YamlNode? ReadNode()
    {
        ParsingEvent current = _parser.Current ?? throw new YamlException("the document ends here");
        FilePosition at = PositionOf(current);
        if (current is AnchorAlias)
        {
            return Refuse<YamlNode>(at, "YAML aliases (*name) are not taken", "write the value out");
        }
        if (current is NodeEvent { Anchor.IsEmpty: false })
        {
            return Refuse<YamlNode>(at, "YAML anchors (&name) are not taken", "write the value out where it is needed");
        }

        if (current is NodeEvent { Tag.IsEmpty: false })
        {
            return Refuse<YamlNode>(at, "YAML tags (!name) are not taken", "remove it");
        }
        switch (current)
        {
            case Scalar scalar:
                _parser.MoveNext();
                return new YamlScalar(scalar.Value, scalar.Style != ScalarStyle.Plain, at);
            case SequenceStart:
                return Enter(at) ? ReadSequence(at) : null;
            case MappingStart:
                return Enter(at) ? ReadMapping(at) : null;
            default:
                return Refuse<YamlNode>(at, "a value is missing here", "");
        }
    }

    private bool Enter(FilePosition at)
    {
        _parser.MoveNext();
        if (++_depth <= FileLimits.DepthMax) return true;
        Refuse<YamlNode>(
            at, $"more than {FileLimits.DepthMax} lists and mappings inside each other", "no topology needs that");
        return false;
    }

    private YamlSequence? ReadSequence(FilePosition at)
    {
        ImmutableArray<YamlNode>.Builder items = ImmutableArray.CreateBuilder<YamlNode>();
        while (!_parser.TryConsume<SequenceEnd>(out _))
        {
            if (ReadNode() is not { } item) return null;
            items.Add(item);
        }

        _depth--;
        return new YamlSequence(items.ToImmutable(), at);
    }

    private YamlMapping? ReadMapping(FilePosition at)
    {
        ImmutableArray<YamlEntry>.Builder entries = ImmutableArray.CreateBuilder<YamlEntry>();
        Dictionary<string, FilePosition> seen = new(StringComparer.Ordinal);
        while (!_parser.TryConsume<MappingEnd>(out _))
        {
            if (ReadNode() is not { } keyNode) return null;
            if (keyNode is not YamlScalar key)
            {
                return Refuse<YamlMapping>(keyNode.Position, "a name is expected here, not a list or mapping", "");
            }
            if (ReadNode() is not { } value) return null;

            // Later values would silently win over earlier ones, so a name may stand once.
            if (!seen.TryAdd(key.Text, key.Position))
            {
                Refuse<YamlMapping>(
                    key.Position, $"'{key.Text}' stands twice here", $"it is on line {seen[key.Text].Line} already");
                continue;
            }

            entries.Add(new YamlEntry(key, value));
        }

        _depth--;
        return new YamlMapping(entries.ToImmutable(), at);
    }

    private T? Refuse<T>(FilePosition at, string rule, string hint)
        where T : class
    {
        _diagnostics.Add(new FileDiagnostic(at, new ConfigError("", rule, hint)));
        return null;
    }

    private static FilePosition PositionOf(ParsingEvent e)
    {
        int length = e.End.Line == e.Start.Line ? (int)(e.End.Column - e.Start.Column) : 1;
        bool isContainer = e is MappingStart or SequenceStart;
        return new FilePosition((int)e.Start.Line, (int)e.Start.Column, isContainer ? 1 : Math.Max(1, length));
    }

    // The scanner's messages are sentences with an upper-case letter and a full stop; ours go on after a colon.
    private static string Sentence(string message)
    {
        string text = message.Trim().TrimEnd('.');
        int colonAt = text.IndexOf("): ", StringComparison.Ordinal);
        if (text.StartsWith('(') && colonAt > 0) text = text[(colonAt + 3)..];
        return text.Length == 0 ? "a mistake" : char.ToLowerInvariant(text[0]) + text[1..];
    }

    private static string HintFor(string text, FilePosition at)
    {
        string line = DiagnosticText.LineOf(text, at.Line);
        if (line.Contains('\t', StringComparison.Ordinal)) return "YAML is indented with blanks, never with tabs";
        if (line.Contains("::", StringComparison.Ordinal))
        {
            return "an IPv6 address inside { } or [ ] needs quotes: \"2001:db8::1\"";
        }
        return "look at indentation, colons and brackets of this line and the one before";
    }
}
