using System;
using System.IO;
using System.Threading;
using System.Threading.Tasks;
using Genkan.Host.Agent;
using Genkan.Host.Cli;

namespace Genkan.Host.Tests.Cli;

/// <summary>Runs the command line in this process and keeps what it prints.</summary>
internal sealed record CliRun(int ExitCode, string Output, string Error)
{
    public static async Task<CliRun> OfAsync(
        string runDirectory, string[] arguments, Func<AgentOptions, CancellationToken, Task<int>>? runAgent = null,
        TimeSpan? patience = null)
    {
        using StringWriter output = new();
        using StringWriter error = new();
        CliContext context = new(output, error, IsTerminal: false, runDirectory);
        if (patience is { } shorter) context = context with { Patience = shorter };
        int code = await GenkanCommand.InvokeAsync(GenkanCommand.Create(context, runAgent), context, arguments);
        return new CliRun(code, output.ToString(), error.ToString());
    }

    public static Task<CliRun> OfAsync(params string[] arguments) => OfAsync("/nonexistent", arguments);
}
