using System;
using System.Collections.Generic;
using System.Linq;
using System.Text.RegularExpressions;
using Shouldly;

namespace Genkan.Conventions.Tests;

/// <summary>Limits of the text itself, and what may stand where.</summary>
public sealed partial class SourceText
{
    private const int FileLinesMax = 500;
    private const int LineColumnsMax = 120;
    private const int FunctionLinesMax = 60;
    private const int ScriptLinesMax = 200;
    private const int ReadmeLinesMax = 150;
    private const int TabColumns = 8;

    private static readonly string[] Code = [".cs", ".c", ".h", ".sh", ".yaml", ".ts", ".tsx", ".proto"];

    [Fact]
    public void A_file_has_at_most_500_lines_a_script_200_and_a_readme_150()
    {
        IEnumerable<string> tooLong = Repository.Files([.. Code, ".md"])
            .Where(path => Repository.Lines(path).Length > LinesMax(path));
        tooLong.ShouldBeEmpty("split by message, or by section of the RFC");
    }

    [Fact]
    public void A_line_has_at_most_120_columns()
    {
        IEnumerable<string> tooLong = from path in Repository.Files(Code)
                                      from numbered in Repository.Lines(path).Index()
                                      where Columns(numbered.Item) > LineColumnsMax
                                      select $"{path}:{numbered.Index + 1}";
        tooLong.ShouldBeEmpty();
    }

    [Fact]
    public void A_function_has_at_most_60_lines() =>
        Repository.Files(".cs").Where(IsProduct).SelectMany(LongFunctions).ShouldBeEmpty();

    [Fact]
    public void Nothing_is_left_for_later()
    {
        IEnumerable<string> marks = from path in Repository.Files([.. Code, ".md"])
                                    where path != "tests/Conventions.Tests/SourceText.cs"
                                    from numbered in Repository.Lines(path).Index()
                                    where LeftForLater().IsMatch(numbered.Item)
                                    select $"{path}:{numbered.Index + 1}";
        marks.ShouldBeEmpty();
    }

    [Fact]
    public void Only_the_data_plane_calls_native_code()
    {
        IEnumerable<string> callers = from path in Repository.Files(".cs").Where(IsProduct)
                                      where !path.StartsWith("appliance/Datapath/", StringComparison.Ordinal)
                                      where NativeCode().IsMatch(Repository.Text(path))
                                      select path;
        callers.ShouldBeEmpty();
    }

    [Fact]
    public void No_test_sleeps_or_reads_the_wall_clock()
    {
        IEnumerable<string> sleepers = from path in Repository.Files(".cs")
                                       where path.StartsWith("tests/", StringComparison.Ordinal)
                                       where path.Contains(".Tests/", StringComparison.Ordinal)
                                       where path != "tests/Conventions.Tests/SourceText.cs"
                                       from numbered in Repository.Lines(path).Index()
                                       where WallClock().IsMatch(numbered.Item)
                                       select $"{path}:{numbered.Index + 1}";
        sleepers.ShouldBeEmpty();
    }

    private static bool IsProduct(string path) => !path.StartsWith("tests/", StringComparison.Ordinal);

    private static int LinesMax(string path) => path switch
    {
        "README.md" => ReadmeLinesMax,
        _ when path.EndsWith(".md", StringComparison.Ordinal) => int.MaxValue,
        _ when path.EndsWith(".sh", StringComparison.Ordinal) => ScriptLinesMax,
        _ => FileLinesMax,
    };

    private static int Columns(string line) => line.EnumerateRunes().Aggregate(0, (column, rune) =>
        rune.Value == '\t' ? (column / TabColumns + 1) * TabColumns : column + 1);

    /// <summary>
    /// Functions by their layout, which the build enforces: a brace alone on a member's or a nested type's member's
    /// column opens what the same column closes. A type's own braces are told by the word before them.
    /// </summary>
    private static IEnumerable<string> LongFunctions(string path)
    {
        string[] lines = Repository.Lines(path);
        for (int open = 1; open < lines.Length; open++)
        {
            if (!MemberBrace().IsMatch(lines[open]) || TypeDeclaration().IsMatch(Declaration(lines, open))) continue;
            string closing = lines[open].Replace('{', '}');
            int close = Array.FindIndex(lines, open, line => line.StartsWith(closing, StringComparison.Ordinal));
            if (close - open - 1 > FunctionLinesMax) yield return $"{path}:{open}: {close - open - 1} lines";
            open = Math.Max(open, close);
        }
    }

    /// <summary>The lines back from a brace to the end of whatever stands before its declaration.</summary>
    private static string Declaration(string[] lines, int open)
    {
        int first = open;
        while (first > 0 && !DeclarationEnd().IsMatch(lines[first - 1])) first--;
        return string.Join(' ', lines[first..open]);
    }

    [GeneratedRegex(@"\b(TODO|FIXME|XXX|HACK)\b")]
    private static partial Regex LeftForLater();

    [GeneratedRegex(@"\[(Library|Dll)Import\b|\bNativeLibrary\.")]
    private static partial Regex NativeCode();

    [GeneratedRegex(@"Thread\.Sleep|Task\.Delay\(|DateTime(Offset)?\.(Utc)?Now\b")]
    private static partial Regex WallClock();

    [GeneratedRegex(@"^(    |        )\{$")]
    private static partial Regex MemberBrace();

    [GeneratedRegex(
        @"\b(class|struct|interface|enum|record|namespace)\b|^\s*(if|else|for(each)?|while|switch|using|lock|fixed)\b",
        RegexOptions.ExplicitCapture)]
    private static partial Regex TypeDeclaration();

    [GeneratedRegex(@"^\s*$|[;{}]\s*$|^\s*///|^\s*//|\]\s*$")]
    private static partial Regex DeclarationEnd();
}
