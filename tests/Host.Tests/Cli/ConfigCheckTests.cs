using System.IO;
using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Threading.Tasks;
using Genkan.Host.Api;
using Genkan.Testing;
using Shouldly;

namespace Genkan.Host.Tests.Cli;

public sealed class ConfigCheckTests
{
    private static string Folder([CallerFilePath] string self = "") =>
        Path.GetFullPath(Path.Combine(Path.GetDirectoryName(self)!, "../Configuration/Golden"));

    [Theory]
    [InlineData("good", 0)]
    [InlineData("references", 1)]
    [InlineData("shape", 1)]
    [InlineData("syntax", 1)]
    [InlineData("public", 1)]
    public async Task A_file_is_explained_as_the_golden_text_has_it(string name, int code)
    {
        string path = Path.Combine(Folder(), $"{name}.yaml");
        CliRun run = await CliRun.OfAsync("config", "check", path);
        run.ExitCode.ShouldBe(code);
        run.Error.ShouldBeEmpty();
        Golden.Check(
            Path.ChangeExtension(path, ".txt"),
            run.Output.Replace(path, $"{name}.yaml", System.StringComparison.Ordinal))
            .ShouldBeNull();
    }

    [Fact]
    public async Task As_JSON_a_program_can_read_it()
    {
        CliRun run = await CliRun.OfAsync("config", "check", "--json", Path.Combine(Folder(), "references.yaml"));
        run.ExitCode.ShouldBe(1);
        ConfigReport report = JsonSerializer.Deserialize(run.Output, ApiJson.Default.ConfigReport)!;
        report.IsGood.ShouldBeFalse();
        report.Summary.ShouldBeNull();
        report.Errors[0].Line.ShouldBe(6);
        run.Output.ShouldContain("\"is_good\": false");
    }

    [Fact]
    public async Task A_file_that_is_not_there_is_told()
    {
        CliRun run = await CliRun.OfAsync("config", "check", "/nonexistent/file.yaml");
        run.ExitCode.ShouldBe(1);
        run.Error.ShouldStartWith("genkan: cannot read /nonexistent/file.yaml:");
    }
}
