using System;
using System.Collections.Generic;
using System.CommandLine;
using System.Globalization;
using System.Linq;
using System.Threading;
using System.Threading.Tasks;
using Genkan.Control.Validation;
using Genkan.Host.Api;

namespace Genkan.Host.Cli;

/// <summary><c>genkan port list</c> and <c>genkan port show</c>.</summary>
internal static class PortCommand
{
    public static Command Create(AgentCommand agent)
    {
        Argument<string> name = new("PORT") { Description = "Name of a port, with or without its tenant." };
        return new Command("port", "Show the ports of a host.")
        {
            agent.Create(
                new Command("list", "List ports with their interfaces and counters."),
                ApiJson.Default.IReadOnlyListPortReport,
                static (client, _, cancellation) => AskAsync(client, cancellation),
                PrintList),
            agent.Create(
                new Command("show", "Show all about one port.") { name },
                ApiJson.Default.PortReport,
                async (client, result, cancellation) =>
                    Pick(await AskAsync(client, cancellation), result.GetRequiredValue(name)),
                PrintOne),
        };
    }

    private static Task<IReadOnlyList<PortReport>> AskAsync(AgentClient client, CancellationToken cancellation) =>
        client.GetAsync(ApiRoutes.Ports, ApiJson.Default.IReadOnlyListPortReport, cancellation);

    private static PortReport Pick(IReadOnlyList<PortReport> ports, string name)
    {
        PortReport[] found =
        [
            .. ports.Where(p => p.Name == name || p.Name.EndsWith($"/{name}", StringComparison.Ordinal)),
        ];
        if (found.Length == 1) return found[0];
        bool isFull = name.Contains('/', StringComparison.Ordinal);
        string[] names =
        [
            .. ports.Select(p => isFull ? p.Name : p.Name[(p.Name.IndexOf('/', StringComparison.Ordinal) + 1)..]),
        ];
        throw found.Length > 1
            ? new CliException(
                ExitCodes.Failed,
                $"several tenants have a port '{name}'",
                $"write {string.Join(" or ", found.Select(static p => p.Name))}")
            : new CliException(
                ExitCodes.Failed, $"there is no port '{name}' on this host", Suggestion.Hint(name, names, "ports"));
    }

    private static int PrintList(Screen screen, IReadOnlyList<PortReport> ports)
    {
        screen.Table(
            ["PORT", "INTERFACE", "STATE", ">IN", ">OUT", ">DROPPED", "ADDRESS"],
            ports.Select(static p => new[]
            {
                p.Name,
                InterfaceOf(p),
                p.State,
                Screen.Short(p.FromPortPackets),
                Screen.Short(p.ToPortPackets),
                Screen.Short(DropsOf(p)),
                p.Addresses.Count switch { 0 => "", 1 => p.Addresses[0], int n => $"{p.Addresses[0]} +{n - 1}" },
            }),
            static row => row[2] != "up");
        return ExitCodes.Done;
    }

    private static int PrintOne(Screen screen, PortReport port)
    {
        CultureInfo culture = CultureInfo.InvariantCulture;
        screen.Field("port", $"{port.Name} ({port.Role})");
        screen.Field("device", port.Device);
        screen.Field(
            "interface", string.Create(culture, $"{InterfaceOf(port)}, index {port.InterfaceIndex}, slot {port.Slot}"));
        screen.Field("state", port.State);
        screen.Field("MAC", port.Mac);
        foreach (string address in port.Addresses) screen.Field("address", address);
        screen.Field("security", port.PortSecurity ? "port security on" : "port security off: everything is allowed");
        foreach (string pair in port.AllowedPairs) screen.Field("may use", pair);
        screen.Field("in", string.Create(culture, $"{port.FromPortPackets} packets, {port.FromPortOctets} octets"));
        screen.Field("out", string.Create(culture, $"{port.ToPortPackets} packets, {port.ToPortOctets} octets"));
        foreach (DropReport drop in port.Drops)
        {
            screen.Field("dropped", string.Create(culture, $"{drop.Packets} packets, {drop.Reason}: {drop.Meaning}"));
        }

        return ExitCodes.Done;
    }

    private static string InterfaceOf(PortReport port) => port.Vlan == 0
        ? port.Interface
        : string.Create(CultureInfo.InvariantCulture, $"{port.Interface} vlan {port.Vlan}");

    // What the agent answers is counted with the drops, but nothing was lost.
    private static ulong DropsOf(PortReport port) =>
        port.Drops.Where(static d => d.Reason != "answered").Aggregate(0UL, static (sum, d) => sum + d.Packets);
}
