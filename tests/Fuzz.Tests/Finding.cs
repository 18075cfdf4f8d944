using System.IO;
using System.Linq;
using Genkan.Fuzz.Engine;
using Shouldly;

namespace Genkan.Fuzz.Tests;

/// <summary>That the fuzzer finds what there is to find.</summary>
public sealed class Finding
{
    private const string RunsMax = "40000";

    [Theory]
    [InlineData("1")]
    [InlineData("2")]
    [InlineData("3")]
    public void Each_kind_of_planted_fault_behind_three_magic_octets_is_found_and_shown_again_by_its_file(string seed)
    {
        using TemporaryFolder folder = new();

        (int code, string said) = FuzzRun.Of("planted", "--runs", RunsMax, "--seed", seed, "--crashes", folder.Path);

        code.ShouldBe(Session.Found);
        said.ShouldContain("IndexOutOfRangeException");
        said.ShouldContain("more steps than a run of this length may take");
        said.ShouldContain("more than the stack that a run may take");
        said.ShouldContain("octets allocated");
        folder.Files.Count().ShouldBe(4, said);
        foreach (string file in folder.Files)
        {
            FuzzRun.Of("planted", "--replay", file).ExitCode.ShouldBe(Session.Found, file);
            InputFiles.Read(file).Length.ShouldBeLessThan(256, "a crash is written as short as it was found to be");
        }
    }

    [Fact]
    public void The_same_seed_finds_the_same_in_the_same_order()
    {
        using TemporaryFolder one = new();
        using TemporaryFolder two = new();

        _ = FuzzRun.Of("planted", "--runs", RunsMax, "--seed", "7", "--crashes", one.Path);
        _ = FuzzRun.Of("planted", "--runs", RunsMax, "--seed", "7", "--crashes", two.Path);

        one.Files.Order().Select(File.ReadAllText).ShouldBe(two.Files.Order().Select(File.ReadAllText));
    }

    [Theory]
    [InlineData("nothing-of-that-name")]
    [InlineData("frame", "--seconds", "many")]
    [InlineData("frame", "--replay", "/no/such/file")]
    [InlineData("frame", "--seed")]
    public void Words_that_make_no_sense_are_answered_with_the_usage(params string[] words)
    {
        (int code, string said) = FuzzRun.Of(words);

        code.ShouldBe(Session.Usage);
        said.ShouldContain("usage: tests/fuzz");
    }
}
