using System;
using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using System.Threading;
using System.Threading.Tasks;
using Genkan.Datapath.Tables;
using Genkan.Host.Agent;

namespace Genkan.Host.Cli;

/// <summary><c>genkan run</c>: the agent of one host, in this network namespace, until it is told to stop.</summary>
internal static class RunCommand
{
    private const string DefaultPins = "/sys/fs/bpf/genkan";

    public static Command Create(
        CliContext context, Option<string?> host, Func<AgentOptions, CancellationToken, Task<int>> runAgent)
    {
        Option<string> config = new("--config")
        {
            Description = "Topology file (YAML).",
            HelpName = "FILE",
            Required = true,
        };
        Option<string> pins = PinsOption();
        Option<AttachChoice> attach = new("--attach")
        {
            Description = "How programs are hooked into interfaces.",
            HelpName = "tcx|clsact|auto",
            DefaultValueFactory = static _ => AttachChoice.Auto,
        };
        Option<int> workers = WorkersOption();
        Option<uint?> connections = ConnectionsOption();
        Command command = new("run", "Run the agent of one host.") { config, pins, attach, workers, connections };
        command.SetAction((result, cancellation) => runAgent(
            new AgentOptions(
                result.GetRequiredValue(config),
                result.GetValue(host),
                result.GetRequiredValue(pins),
                context.RunDirectory,
                result.GetValue(attach),
                result.GetValue(workers),
                result.GetValue(connections)),
            cancellation));
        return command;
    }

    private static Option<int> WorkersOption()
    {
        Option<int> workers = new("--workers")
        {
            Description = "Threads that handle the first packets of flows, by default one a core.",
            HelpName = "N",
            DefaultValueFactory = static _ => Math.Min(Environment.ProcessorCount, DatapathLimits.WorkersMax),
        };
        workers.CustomParser = ParseWorkers;
        return workers;
    }

    private static int ParseWorkers(ArgumentResult result)
    {
        string word = result.Tokens[0].Value;
        bool isNumber = int.TryParse(word, NumberStyles.None, CultureInfo.InvariantCulture, out int workers);
        if (isNumber && workers is >= 1 and <= DatapathLimits.WorkersMax) return workers;
        result.AddError($"--workers takes a number from 1 to {DatapathLimits.WorkersMax}, not '{word}'.");
        return 0;
    }

    private static Option<uint?> ConnectionsOption() => new("--connections")
    {
        Description = "Entries of the IPv4 connection table, two a connection within the host; half as many for IPv6. "
        + "By default by the machine's memory: 16384, from 2 GiB 131072, from 4 GiB 1048576.",
        HelpName = "N",
        CustomParser = ParseConnections,
    };

    private static uint? ParseConnections(ArgumentResult result)
    {
        string word = result.Tokens[0].Value;
        bool isNumber = uint.TryParse(word, NumberStyles.None, CultureInfo.InvariantCulture, out uint entries);
        if (isNumber && entries is >= TableSizes.ConnectionsMin and <= TableSizes.ConnectionsMax) return entries;
        result.AddError(
            $"--connections takes a number from {TableSizes.ConnectionsMin} to {TableSizes.ConnectionsMax}, "
            + $"not '{word}'.");
        return null;
    }

    /// <summary>The option that says where pins stand, of every command that touches them.</summary>
    public static Option<string> PinsOption() => new("--pins")
    {
        Description = "Directory on a bpffs; tables and programs of the host stay in a folder of its name while no "
        + "agent runs.",
        HelpName = "DIR",
        DefaultValueFactory = static _ => DefaultPins,
    };
}
