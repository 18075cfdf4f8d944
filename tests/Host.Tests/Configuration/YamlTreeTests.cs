using System.Collections.Generic;
using System.Linq;
using FsCheck;
using FsCheck.Fluent;
using Genkan.Host.Configuration;
using Shouldly;

namespace Genkan.Host.Tests.Configuration;

public sealed class YamlTreeTests
{
    private static FileDiagnostic Refused(string text)
    {
        List<FileDiagnostic> diagnostics = [];
        YamlTree.Read(text, diagnostics);
        return diagnostics.ShouldHaveSingleItem();
    }

    [Theory]
    [InlineData("a: &x 1", 1, 4, "anchors")]
    [InlineData("a: 1\nb: *x", 2, 4, "aliases")]
    [InlineData("a: !!str 1", 1, 4, "tags")]
    [InlineData("a: 1\n---\nb: 2", 2, 1, "a second YAML document")]
    [InlineData("a: 1\nb: 2\na: 3", 3, 1, "'a' stands twice here")]
    [InlineData("? [a]\n: 1", 1, 3, "a name is expected here")]
    [InlineData("", 1, 1, "the file is empty")]
    [InlineData("# only a comment\n", 1, 1, "the file is empty")]
    public void What_we_do_not_take_is_refused_where_it_stands(string text, int line, int column, string rule)
    {
        FileDiagnostic refused = Refused(text);
        refused.Error.Rule.ShouldContain(rule);
        (refused.Position.Line, refused.Position.Column).ShouldBe((line, column));
    }

    [Theory]
    [InlineData("a: [1, 2")]
    [InlineData("a: {b: 1")]
    [InlineData("a: \"open")]
    [InlineData("a: b: c")]
    [InlineData("\u0001")]
    public void What_is_no_YAML_is_refused_without_a_throw(string text) =>
        Refused(text).Error.Rule.ShouldContain("not YAML");

    [Fact]
    public void A_tab_is_told_on_its_own_line()
    {
        FileDiagnostic refused = Refused("a:\n  b: 1\n\tc: 2\n");
        refused.Position.ShouldBe(new FilePosition(3, 1, 1));
        refused.Error.Hint.ShouldBe("YAML is indented with blanks, never with tabs");
    }

    [Fact]
    public void No_text_makes_the_reader_throw() => Prop.ForAll<string>(static text =>
    {
        foreach (string tail in new[] { "", "\n", "}", "]", "\"", ": ", "\t" })
        {
            TopologyFile.Read("any.yaml", text + tail);
            TopologyFile.Read("any.yaml", "hosts: {" + text + tail);
        }
    }).QuickCheckThrowOnFailure();

    [Fact]
    public void No_prefix_of_a_good_file_makes_the_reader_throw()
    {
        const string Good = "hosts:\n  gw1: { underlay: { address: 192.0.2.1, interface: "
        + "\"u\", mtu: 1600 } }\nuplinks: [{ name: x }]\n";
        for (int length = 0; length <= Good.Length; length++)
        {
            TopologyFile.Read("any.yaml", Good[..length]).Diagnostics.Length.ShouldBeLessThan(9);
        }
    }

    [Fact]
    public void Depth_has_a_limit()
    {
        string Nested(int depth) => new string('[', depth) + new string(']', depth);
        List<FileDiagnostic> diagnostics = [];
        YamlTree.Read(Nested(FileLimits.DepthMax), diagnostics).ShouldNotBeNull();
        diagnostics.ShouldBeEmpty();
        Refused(Nested(FileLimits.DepthMax + 1)).Error.Rule.ShouldContain(
            "more than 16 lists and mappings inside each other");
    }

    [Fact]
    public void Every_value_knows_its_place()
    {
        List<FileDiagnostic> diagnostics = [];
        YamlMapping root = YamlTree.Read("a: 1\nlist:\n  - x\n  - {y: long}\n", diagnostics)
            .ShouldBeOfType<YamlMapping>();
        root.Entries.Select(static e => e.Key.Position.Line).ShouldBe([1, 2]);
        YamlSequence list = root.Entries[1].Value.ShouldBeOfType<YamlSequence>();
        list.Items[0].Position.ShouldBe(new FilePosition(3, 5, 1));
        list.Items[1].ShouldBeOfType<YamlMapping>().Entries[0].Value.Position.ShouldBe(new FilePosition(4, 9, 4));
    }
}
