using System.IO;
using System.Threading.Tasks;
using Shouldly;

namespace Genkan.Host.Tests.Cli;

/// <summary>A wrong command line is answered with two lines: what is wrong, and what to do.</summary>
public sealed class UsageTests
{
    [Theory]
    [InlineData("flo list", "genkan: there is no command 'flo'\n  hint: did you mean 'flow'?\n")]
    [InlineData("port lst", "genkan port: there is no command 'lst'\n  hint: did you mean 'list'?\n")]
    [InlineData("drop list --jsn", "genkan drop list: there is no option '--jsn'\n  hint: did you mean '--json'?\n")]
    [InlineData("status --hots gw1", "genkan status: there is no option '--hots'\n  hint: did you mean '--host'?\n")]
    public async Task What_does_not_exist_is_named_with_what_was_probably_meant(string line, string expected)
    {
        CliRun run = await CliRun.OfAsync(line.Split(' '));

        run.ShouldBe(new CliRun(2, "", expected));
    }

    [Fact]
    public async Task A_missing_argument_points_to_the_help_of_its_command()
    {
        CliRun run = await CliRun.OfAsync("config", "check");

        run.ExitCode.ShouldBe(2);
        run.Output.ShouldBeEmpty();
        run.Error.ShouldEndWith("\n  hint: see genkan config check --help\n");
    }

    [Fact]
    public async Task A_group_alone_shows_what_is_in_it()
    {
        CliRun run = await CliRun.OfAsync("flow");

        run.ExitCode.ShouldBe(2);
        run.Output.ShouldContain("List flows in the kernel");
    }

    [Fact]
    public async Task A_directory_is_no_topology_file()
    {
        string directory = Path.GetTempPath();
        CliRun run = await CliRun.OfAsync("config", "check", directory);

        run.ShouldBe(new CliRun(1, "", $"genkan: cannot read {directory}: {directory} is a directory\n"));
    }
}
