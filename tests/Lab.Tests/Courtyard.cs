using System.IO;
using System.Threading.Tasks;
using Shouldly;

namespace Genkan.Lab.Tests;

/// <summary>The main job, as a newcomer starts it.</summary>
public sealed class Courtyard
{
    [Fact]
    public async Task Once_every_line_of_the_report_holds_and_nothing_is_left_behind()
    {
        Outcome run = await Command
            .RunForAsync(System.TimeSpan.FromMinutes(8), Path.Combine(Repository.Root, "run.sh"), "--once");

        run.ExitCode.ShouldBe(0, run.ToString());
        run.Output.ShouldContain("Everything held.");
        (await Command.RunAsync(Path.Combine(Repository.Root, "appliance/courtyard/cleanup.sh"), "--check")).ExitCode
            .ShouldBe(0);
    }
}
