using System;
using System.Collections.Generic;
using System.CommandLine;
using System.Globalization;
using System.Linq;
using Genkan.Host.Api;

namespace Genkan.Host.Cli;

/// <summary><c>genkan flow list</c>.</summary>
internal static class FlowCommand
{
    private const int DefaultLimit = 1000;

    public static Command Create(AgentCommand agent)
    {
        Option<string?> port = new("--port") { Description = "Only flows that enter at this port.", HelpName = "PORT" };
        Option<string?> state = new("--state")
        {
            Description = "Only flows in this direction of their connection.",
            HelpName = "forward|reply|none",
        };
        state.AcceptOnlyFromAmong("forward", "reply", "none");
        Option<bool> drop = new("--drop") { Description = "Only flows that are dropped." };
        Option<int> limit = new("--limit")
        {
            Description = "At most so many.",
            HelpName = "N",
            DefaultValueFactory = static _ => DefaultLimit,
        };
        Command list = new("list", "List flows in the kernel, with what each depends on.") { port, state, drop, limit };
        return new Command("flow", "Show the flow cache.")
        {
            agent.Create(
                list,
                ApiJson.Default.IReadOnlyListFlowReport,
                (client, result, cancellation) => client.GetAsync(
                    Query(result.GetValue(port), result.GetValue(state), result.GetValue(drop), result.GetValue(limit)),
                    ApiJson.Default.IReadOnlyListFlowReport,
                    cancellation),
                Print),
        };
    }

    private static string Query(string? port, string? state, bool isDrop, int limit)
    {
        List<string> terms = [string.Create(CultureInfo.InvariantCulture, $"limit={limit}")];
        if (port is not null) terms.Add($"port={Uri.EscapeDataString(port)}");
        if (state is not null) terms.Add($"state={state}");
        if (isDrop) terms.Add("drop=true");
        return $"{ApiRoutes.Flows}?{string.Join('&', terms)}";
    }

    private static int Print(Screen screen, IReadOnlyList<FlowReport> flows)
    {
        IEnumerable<FlowReport> ordered =
            flows.OrderBy(static f => f.Port, StringComparer.Ordinal).ThenBy(static f => f.IdleSeconds);
        foreach (FlowReport flow in ordered)
        {
            string stale = flow.IsStale ? ", stale" : "";
            string counts = string.Create(
                CultureInfo.InvariantCulture,
                $"{flow.Packets} packet{(flow.Packets == 1 ? "" : "s")}, idle {Screen.Short(flow.IdleSeconds)}{stale}");
            string[] heads = [flow.Port, Ends(flow), flow.State == "none" ? "stateless" : flow.State, counts];
            screen.Flowing(heads);
            screen.Wrapped("    ", [Fate(flow), .. flow.Rewrites]);
            screen.Wrapped("    depends on ", flow.DependsOn);
        }

        screen.Line(flows.Count == 1 ? "1 flow" : string.Create(CultureInfo.InvariantCulture, $"{flows.Count} flows"));
        return ExitCodes.Done;
    }

    private static string Fate(FlowReport flow) => flow.Verdict switch
    {
        "drop" => $"dropped: {flow.DropReason}",
        "upcall" => "decided at its first packet",
        _ => $"to {flow.Egress}",
    };

    private static string Ends(FlowReport flow)
    {
        bool hasPorts = flow.Protocol is "tcp" or "udp" or "sctp" && flow.Fragment != "later";
        string fragment = flow.Fragment == "none" ? "" : $" {flow.Fragment} fragment";
        string source = hasPorts ? Endpoint(flow.Source, flow.SourcePort) : flow.Source;
        string destination = hasPorts ? Endpoint(flow.Destination, flow.DestinationPort) : flow.Destination;
        return $"{flow.Protocol} {source} > {destination}{fragment}";
    }

    private static string Endpoint(string address, ushort port) => string.Create(
        CultureInfo.InvariantCulture,
        $"{(address.Contains(':', StringComparison.Ordinal) ? $"[{address}]" : address)}:{port}");
}
