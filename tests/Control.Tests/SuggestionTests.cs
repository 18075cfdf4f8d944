using Genkan.Control.Validation;
using Shouldly;

namespace Genkan.Control.Tests;

public sealed class SuggestionTests
{
    [Theory]
    [InlineData("adresses", "addresses")]
    [InlineData("interfcae", "interface")]
    [InlineData("MTU", "mtu")]
    [InlineData("port-security", "port_security")]
    [InlineData("mtus", "mtu")]
    public void A_typing_error_finds_the_name(string written, string expected) =>
        Suggestion.Nearest(written, ["addresses", "interface", "mtu", "port_security"]).ShouldBe(expected);

    [Fact]
    public void Another_word_finds_nothing() => Suggestion.Nearest("elephant", ["addresses", "mtu"]).ShouldBeNull();

    [Fact]
    public void A_hint_lists_what_there_is() =>
        Suggestion.Hint("elephant", ["a", "b"], "names").ShouldBe("names: a, b");

    [Fact]
    public void A_hint_says_that_there_is_nothing() => Suggestion.Hint("x", [], "names").ShouldBe("there are no names");
}
