using System.CommandLine;
using System.Globalization;
using Genkan.Host.Api;

namespace Genkan.Host.Cli;

/// <summary><c>genkan config reload</c>.</summary>
internal static class ReloadCommand
{
    public static Command Create(AgentCommand agent) => agent.Create(
        new Command("reload", "Have the agent read its topology file again. A file with mistakes changes nothing."),
        ApiJson.Default.ReloadReport,
        static (client, _, cancellation) =>
            client.PostAsync(ApiRoutes.Reload, null, ApiJson.Default.ReloadReport, cancellation),
        Print);

    private static int Print(Screen screen, ReloadReport report)
    {
        string changed = report.ChangedObjects.Count == 0
            ? "nothing changed"
            : "flows are decided anew that depend on:";
        screen.Line(string.Create(CultureInfo.InvariantCulture, $"revision {report.Revision} is in force; {changed}"));
        screen.Wrapped("  ", report.ChangedObjects);
        foreach (string warning in report.Warnings) screen.Field("warning", warning);
        return ExitCodes.Done;
    }
}
