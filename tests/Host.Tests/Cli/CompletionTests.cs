using System;
using System.Diagnostics;
using System.IO;
using System.Threading.Tasks;
using Shouldly;

namespace Genkan.Host.Tests.Cli;

/// <summary>The completion script in a real bash, with the real program.</summary>
public sealed class CompletionTests
{
    private const string Harness = """
        source <(genkan completion bash)
        COMP_LINE=$1; COMP_POINT=${#1}
        read -ra COMP_WORDS <<<"$1"
        [[ $1 == *" " ]] && COMP_WORDS+=("")
        COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
        _genkan
        printf '%s ' "${COMPREPLY[@]}"
        """;

    [Theory]
    [InlineData("genkan po", "port")]
    [InlineData("genkan te", "tenant")]
    [InlineData("genkan tenant ", "list")]
    [InlineData("genkan config ", "check reload")]
    [InlineData("genkan flow list --s", "--state")]
    [InlineData("genkan flow list --state ", "forward none reply")]
    [InlineData("genkan --host ", "gw1")]
    public async Task Bash_completes(string line, string expected)
    {
        string directory = Directory.CreateTempSubdirectory("genkan-completion-").FullName;
        try
        {
            Directory.CreateDirectory(Path.Combine(directory, "gw1"));
            await File.WriteAllTextAsync(
                Path.Combine(directory, "gw1", "agent.sock"), "", TestContext.Current.CancellationToken);
            string answer = await AskAsync(directory, line);
            foreach (string word in expected.Split(' ')) answer.Split(' ').ShouldContain(word);
        }
        finally
        {
            Directory.Delete(directory, recursive: true);
        }
    }

    private static async Task<string> AskAsync(string runDirectory, string line)
    {
        ProcessStartInfo start = new("bash") { RedirectStandardOutput = true, UseShellExecute = false };
        start.ArgumentList.Add("-c");
        start.ArgumentList.Add(Harness);
        start.ArgumentList.Add("bash");
        start.ArgumentList.Add(line);
        start.Environment["PATH"] = $"{AppContext.BaseDirectory}:{Environment.GetEnvironmentVariable("PATH")}";
        start.Environment["GENKAN_RUN_DIRECTORY"] = runDirectory;
        using Process bash = Process.Start(start)!;
        string output = await bash.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        await bash.WaitForExitAsync(TestContext.Current.CancellationToken);
        return output.Trim();
    }
}
