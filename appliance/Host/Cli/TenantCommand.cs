using System;
using System.Collections.Generic;
using System.CommandLine;
using System.Globalization;
using System.Linq;
using Genkan.Host.Api;

namespace Genkan.Host.Cli;

/// <summary><c>genkan tenant list</c>.</summary>
internal static class TenantCommand
{
    public static Command Create(AgentCommand agent) => new("tenant", "Show who asks for the agent's time and tables.")
    {
        agent.Create(
            new Command(
                "list",
                "List tenants with what they hold of the connection table and were refused; with --json their ports."),
            ApiJson.Default.IReadOnlyListTenantReport,
            static (client, _, cancellation) =>
                client.GetAsync(ApiRoutes.Tenants, ApiJson.Default.IReadOnlyListTenantReport, cancellation),
            Print),
    };

    private static int Print(Screen screen, IReadOnlyList<TenantReport> tenants)
    {
        screen.Table(
            ["TENANT", ">PORTS", "FAMILY", ">FLOWS", ">OF", ">ASKS/S", ">MAY/S", ">REFUSED", "MOST OF IT"],
            tenants.Select(static t => new[]
            {
                t.Kind == "tenant" ? t.Name : $"({t.Name})",
                t.Members.Count.ToString(CultureInfo.InvariantCulture),
                t.Family,
                Screen.Short((ulong)t.Flows),
                t.FlowsMax == 0 ? "-" : Screen.Short((ulong)t.FlowsMax),
                Screen.Short((ulong)Math.Max(0, t.AskedPerSecond)),
                Screen.Short((ulong)Math.Max(0, t.AllowedPerSecond)),
                Screen.Short(t.Refused),
                WorstOf(t),
            }),
            static row => row[7] != "0");
        return ExitCodes.Done;
    }

    private static string WorstOf(TenantReport tenant)
    {
        if (tenant.Members is not [{ Refused: > 0 } worst, ..]) return "";
        return worst.ComesToNothing ? $"{worst.Name}, comes to nothing" : worst.Name;
    }
}
