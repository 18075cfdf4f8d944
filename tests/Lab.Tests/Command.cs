using System;
using System.Diagnostics;
using System.Threading;
using System.Threading.Tasks;

namespace Genkan.Lab.Tests;

/// <summary>What a program said and how it ended.</summary>
internal sealed record Outcome(int ExitCode, string Output, string Error)
{
    public override string ToString() => $"exit {ExitCode}\n{Output}\n{Error}";
}

/// <summary>Programs of the machine, each with a deadline, so that a hanging peer is a red test and not a hanging
/// run.</summary>
internal static class Command
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(60);

    /// <summary>Runs a program to its end.</summary>
    public static Task<Outcome> RunAsync(string program, params string[] arguments) =>
        RunForAsync(Deadline, program, arguments);

    /// <summary>Runs a program to its end, with another deadline.</summary>
    public static async Task<Outcome> RunForAsync(TimeSpan limit, string program, params string[] arguments)
    {
        using Process process = Start(program, arguments);
        process.StandardInput.Close();
        using CancellationTokenSource deadline = new(limit);
        Task<string> output = process.StandardOutput.ReadToEndAsync(deadline.Token);
        Task<string> error = process.StandardError.ReadToEndAsync(deadline.Token);
        try
        {
            await process.WaitForExitAsync(deadline.Token);
            return new Outcome(process.ExitCode, await output, await error);
        }
        catch (OperationCanceledException late)
        {
            process.Kill(entireProcessTree: true);
            throw new TimeoutException($"{program} {string.Join(' ', arguments)} did not end within {limit}", late);
        }
    }

    /// <summary>Runs a program that must succeed.</summary>
    public static async Task<string> MustAsync(string program, params string[] arguments)
    {
        Outcome outcome = await RunAsync(program, arguments);
        return outcome.ExitCode == 0
            ? outcome.Output
            : throw new InvalidOperationException($"{program} {string.Join(' ', arguments)}: {outcome}");
    }

    /// <summary>Starts a program.</summary>
    public static Process Start(string program, params string[] arguments)
    {
        ProcessStartInfo start = new(program, arguments)
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            RedirectStandardInput = true,
            UseShellExecute = false,
        };
        return Process.Start(start) ?? throw new InvalidOperationException($"{program} did not start");
    }
}
