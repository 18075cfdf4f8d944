using System;
using System.Collections.Generic;
using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Parsing;
using System.Linq;
using System.Threading;
using System.Threading.Tasks;
using Genkan.Control.Validation;
using Genkan.Host.Agent;
using Genkan.Host.Api;

namespace Genkan.Host.Cli;

/// <summary>The whole command line.</summary>
internal static class GenkanCommand
{
    /// <summary>Makes the command line.</summary>
    /// <param name="context">The world.</param>
    /// <param name="runAgent">
    /// What <c>genkan run</c> does, with the process's exit code; null: there is no such command.
    /// </param>
    public static RootCommand Create(CliContext context, Func<AgentOptions, CancellationToken, Task<int>>? runAgent)
    {
        Option<bool> json = new("--json") { Description = "Print JSON.", Recursive = true };
        Option<string?> host = new("--host")
        {
            Description = "Host to run or to ask. Default: with `run` the file's `host:`, else its only host; else the "
                + "one whose agent runs here.",
            HelpName = "NAME",
            Recursive = true,
        };
        host.CompletionSources.Add(_ => AgentSocket.Hosts(context.RunDirectory));
        RootCommand root = new(
            "Genkan, an edge gateway: runs the agent of a host, and shows what it does.") { json, host };
        foreach (HelpOption help in root.Options.OfType<HelpOption>())
        {
            help.Aliases.Clear(); // only one that people here type
            help.Aliases.Add("-h");
        }

        if (runAgent is not null) root.Subcommands.Add(RunCommand.Create(context, host, runAgent));
        AgentCommand agent = new(context, json, host);
        root.Subcommands.Add(HostCommand.Create(context, host));
        root.Subcommands.Add(new Command("config", "Check or reload the topology file.")
        {
            ConfigCheck.Create(context, json),
            ReloadCommand.Create(agent),
        });
        root.Subcommands.Add(StatusCommand.Create(agent));
        root.Subcommands.Add(PortCommand.Create(agent));
        root.Subcommands.Add(TenantCommand.Create(agent));
        root.Subcommands.Add(FlowCommand.Create(agent));
        root.Subcommands.Add(DropCommand.Create(agent));
        root.Subcommands.Add(TraceCommand.Create(agent));
        root.Subcommands.Add(CompletionCommand.Create(context));
        return root;
    }

    /// <summary>Parses and does what the arguments say.</summary>
    /// <returns>See <see cref="ExitCodes"/>.</returns>
    public static async Task<int> InvokeAsync(RootCommand root, CliContext context, IReadOnlyList<string> arguments)
    {
        ParseResult result = root.Parse(arguments);
        if (result.Errors.Count > 0 && arguments.Count > 0 && !IsGroupAlone(result))
        {
            await ExplainAsync(result, context);
            return ExitCodes.Usage;
        }

        InvocationConfiguration configuration = new() { Output = context.Output, Error = context.Error };
        int code = await result.InvokeAsync(configuration);
        return result.Errors.Count > 0 ? ExitCodes.Usage : code;
    }

    // `genkan flow` is a question for what there is: the help answers it better than an error.
    private static bool IsGroupAlone(ParseResult result) =>
        result.UnmatchedTokens.Count == 0 && result.CommandResult.Command.Subcommands.Count > 0;

    private static async Task ExplainAsync(ParseResult result, CliContext context)
    {
        Command command = result.CommandResult.Command;
        string path = PathOf(result.CommandResult);
        string hint = $"see {path} --help";
        if (result.UnmatchedTokens is [string word, ..])
        {
            bool isOption = word.StartsWith('-');
            string[] known = isOption
                ? [.. command.Options.Union(result.RootCommandResult.Command.Options).Select(static o => o.Name)]
                : [.. command.Subcommands.Select(static c => c.Name)];
            await context.Error.WriteLineAsync($"{path}: there is no {(isOption ? "option" : "command")} '{word}'");
            if (known.Length > 0) hint = Suggestion.Hint(word, known, isOption ? "options" : "commands");
        }
        else
        {
            await context.Error.WriteLineAsync($"{path}: {result.Errors[0].Message}");
        }

        await context.Error.WriteLineAsync($"  hint: {hint}");
    }

    private static string PathOf(CommandResult result) =>
        result.Parent is CommandResult parent ? $"{PathOf(parent)} {result.Command.Name}" : "genkan";
}
