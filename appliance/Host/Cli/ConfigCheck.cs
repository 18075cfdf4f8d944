using System;
using System.CommandLine;
using System.Globalization;
using System.IO;
using System.Linq;
using System.Text.Json;
using Genkan.Control.Model;
using Genkan.Host.Api;
using Genkan.Host.Configuration;

namespace Genkan.Host.Cli;

/// <summary><c>genkan config check FILE</c>.</summary>
internal static class ConfigCheck
{
    public static Command Create(CliContext context, Option<bool> json)
    {
        Argument<string> file = new("FILE") { Description = "Topology file (YAML)." };
        Command command = new("check", "Explain every mistake in a topology file. Nothing is applied.") { file };
        command.SetAction(result => Run(context, result.GetRequiredValue(file), result.GetValue(json)));
        return command;
    }

    private static int Run(CliContext context, string path, bool asJson)
    {
        TopologyFile file;
        try
        {
            file = TopologyFile.Load(path);
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            context.Error.WriteLine($"genkan: cannot read {path}: {fault.Message}");
            return ExitCodes.Failed;
        }

        ConfigReport report = ReportOf(file);
        if (asJson) context.Output.WriteLine(JsonSerializer.Serialize(report, ApiJson.Default.ConfigReport));
        else WriteText(context, file, report);
        return report.IsGood ? ExitCodes.Done : ExitCodes.Failed;
    }

    private static ConfigReport ReportOf(TopologyFile file) => new(
        file.Name,
        file.State is not null,
        DiagnosticReports.Of(file),
        file.State is { } state ? SummaryOf(state) : null);

    private static ConfigSummary SummaryOf(DesiredState state) => new(
        state.Hosts.Length,
        state.Uplinks.Length,
        state.Tenants.Length,
        state.Tenants.Sum(static t => t.Networks.Length),
        state.Tenants.Sum(static t => t.Routers.Length),
        state.Tenants.Sum(static t => t.Ports.Length),
        state.Tenants.Sum(static t => t.SecurityGroups.Length),
        state.Tenants.Sum(static t => t.FloatingIps.Length));

    private static void WriteText(CliContext context, TopologyFile file, ConfigReport report)
    {
        if (report.Summary is { } s)
        {
            string[] parts =
            [
                Count(s.Hosts, "host"), Count(s.Uplinks, "uplink"), Count(s.Tenants, "tenant"),
                Count(s.Networks, "network"), Count(s.Routers, "router"), Count(s.Ports, "port"),
                Count(s.SecurityGroups, "security group"), Count(s.FloatingIps, "floating IP"),
            ];
            context.Output.WriteLine($"{file.Name}: good: {string.Join(", ", parts)}");
            return;
        }

        context.Output.Write(DiagnosticText.Format(file.Name, file.Text, file.Diagnostics));
        context.Output.WriteLine();
        string more = file.IsIncomplete ? "; what refers to what is checked once these are right" : "";
        context.Output.WriteLine($"{file.Name}: {Count(file.Diagnostics.Length, "error")}{more}");
    }

    private static string Count(int count, string noun) =>
        string.Create(CultureInfo.InvariantCulture, $"{count} {noun}{(count == 1 ? "" : "s")}");
}
