using System;
using System.CommandLine;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using System.Threading;
using System.Threading.Tasks;

namespace Genkan.Host.Cli;

/// <summary>What commands that ask an agent have in common.</summary>
/// <param name="Context">The world.</param>
/// <param name="Json">The option <c>--json</c>.</param>
/// <param name="Host">The option <c>--host</c>.</param>
internal sealed record AgentCommand(CliContext Context, Option<bool> Json, Option<string?> Host)
{
    /// <summary>A command that asks an agent and prints the answer.</summary>
    /// <typeparam name="T">The answer.</typeparam>
    /// <param name="command">The command.</param>
    /// <param name="type">How it is written as JSON.</param>
    /// <param name="ask">Asks.</param>
    /// <param name="print">Prints for people; returns the exit code.</param>
    /// <param name="check">Refuses wrong arguments before an agent is looked for.</param>
    /// <returns>The command.</returns>
    public Command Create<T>(
        Command command,
        JsonTypeInfo<T> type,
        Func<AgentClient, ParseResult, CancellationToken, Task<T>> ask,
        Func<Screen, T, int> print,
        Action<ParseResult>? check = null)
    {
        command.SetAction((result, cancellation) => GuardAsync(Context, async () =>
        {
            check?.Invoke(result);
            using AgentClient client = await AgentClient.FindAsync(Context, result.GetValue(Host), cancellation);
            T answer = await ask(client, result, cancellation);
            if (!result.GetValue(Json)) return print(new Screen(Context), answer);
            await Context.Output.WriteLineAsync(JsonSerializer.Serialize(answer, type));
            return ExitCodes.Done;
        }));
        return command;
    }

    private static async Task<int> GuardAsync(CliContext context, Func<Task<int>> action)
    {
        try
        {
            return await action();
        }
        catch (CliException fault)
        {
            await context.Error.WriteLineAsync($"genkan: {fault.Message}");
            foreach (Api.DiagnosticReport error in fault.Problem?.Errors ?? [])
            {
                await context.Error.WriteLineAsync(
                    $"{fault.Problem?.File}:{error.Line}:{error.Column}: error: {error.Rule}");
                if (error.Hint.Length > 0) await context.Error.WriteLineAsync($"     hint: {error.Hint}");
            }

            if (fault.Hint.Length > 0) await context.Error.WriteLineAsync($"  hint: {fault.Hint}");
            return fault.ExitCode;
        }
    }
}
