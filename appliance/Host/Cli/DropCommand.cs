using System.Collections.Generic;
using System.CommandLine;
using System.Globalization;
using System.Linq;
using Genkan.Host.Api;

namespace Genkan.Host.Cli;

/// <summary><c>genkan drop list</c>.</summary>
internal static class DropCommand
{
    public static Command Create(AgentCommand agent) => new("drop", "Show why packets are dropped.")
    {
        agent.Create(
            new Command("list", "List drop reasons with counts and what they mean."),
            ApiJson.Default.IReadOnlyListDropReport,
            static (client, _, cancellation) =>
                client.GetAsync(ApiRoutes.Drops, ApiJson.Default.IReadOnlyListDropReport, cancellation),
            Print),
    };

    private static int Print(Screen screen, IReadOnlyList<DropReport> drops)
    {
        if (drops.Count == 0)
        {
            screen.Line("nothing was dropped");
            return ExitCodes.Done;
        }

        screen.Table(
            ["REASON", ">PACKETS", "MEANING"],
            drops.OrderByDescending(static d => d.Packets).Select(static d =>
                new[] { d.Reason, d.Packets.ToString(CultureInfo.InvariantCulture), d.Meaning }));
        return ExitCodes.Done;
    }
}
