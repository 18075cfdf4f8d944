using System.Collections.Generic;
using System.CommandLine;
using System.Globalization;
using System.Linq;
using Genkan.Host.Api;

namespace Genkan.Host.Cli;

/// <summary><c>genkan status</c>.</summary>
internal static class StatusCommand
{
    private const int LineMax = 84;

    public static Command Create(AgentCommand agent) => agent.Create(
        new Command("status", "Show how the agent is."),
        ApiJson.Default.StatusReport,
        static (client, _, cancellation) =>
            client.GetAsync(ApiRoutes.Status, ApiJson.Default.StatusReport, cancellation),
        Print);

    private static int Print(Screen screen, StatusReport s)
    {
        CultureInfo culture = CultureInfo.InvariantCulture;
        string uplinks = s.Ports.Uplinks == 1 ? "uplink" : "uplinks";
        screen.Field("host", $"{s.Host}, underlay {s.UnderlayAddress}");
        screen.Field(
            "agent",
            string.Create(
                culture,
                $"genkan {s.Version.Split('+')[0]}, process {s.ProcessId}, up {Screen.Short(s.UptimeSeconds)}"));
        screen.Field(
            "heartbeat",
            string.Create(
                culture, $"{s.HeartbeatAgeSeconds:0.0}s ago, longest gap {Screen.Short(s.HeartbeatGapMaxSeconds)}"));
        screen.Field("topology", string.Create(culture, $"revision {s.Revision} of {s.ConfigFile}"));
        screen.Field("data plane", $"{s.Attach}{(s.IsAdopted ? ", took over the flows of an earlier agent" : "")}");
        screen.Field("tunnels", s.Tunnels);
        string label = "hosts";
        foreach (string line in Lines(s.Hosts.Select(Describe)))
        {
            screen.Field(label, line);
            label = "";
        }

        screen.Field(
            "ports",
            string.Create(culture, $"{s.Ports.Bound} of {s.Ports.Known} bound, {s.Ports.Uplinks} {uplinks}"));
        screen.Field(
            "flows",
            string.Create(
                culture,
                $"{s.Tables.Ipv4.Flows} of {s.Tables.Ipv4.FlowsMax} IPv4, "
                + $"{s.Tables.Ipv6.Flows} of {s.Tables.Ipv6.FlowsMax} IPv6"));
        screen.Field(
            "tables",
            string.Create(
                culture,
                $"{s.Tables.Classes} classes, {s.Tables.NextHops} next hops, {s.Tables.Translations} translations"));
        screen.Field(
            "memory",
            string.Create(
                culture,
                $"{s.Tables.MemoryOctets / 1e6:0.0} MB of tables in the kernel, "
                + $"{s.Tables.HeapOctets / 1e6:0.0} MB of the agent's heap"));
        screen.Field(
            "slow path",
            string.Create(
                culture,
                $"{s.SlowPath.Upcalls} upcalls, {s.SlowPath.Simulations} simulations, {s.SlowPath.Installs} installs, "
                + $"{s.SlowPath.Answers} answers"));
        screen.Field("workers", string.Create(culture, $"{s.Workers}, {s.BacklogOctets} octets wait for them"));
        PrintLatency(screen, s.UpcallLatency);
        screen.Field(
            "fragments",
            string.Create(
                culture, $"{s.SlowPath.WaitingFragments} waiting, {s.SlowPath.Fragmented} packets cut into them"));
        screen.Field("dropped", string.Create(culture, $"{s.DroppedPackets} packets (genkan drop list)"));
        foreach (string warning in s.Warnings) screen.Field("warning", warning);
        return ExitCodes.Done;
    }

    private static void PrintLatency(Screen screen, IEnumerable<LatencyReport> workers)
    {
        foreach (LatencyReport worker in workers.Where(static w => w.Packets > 0))
        {
            screen.Field(
                "latency",
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"worker {worker.Worker}: half of {worker.Packets} packets {Below(worker.MedianBelowSeconds)}, "
                    + $"99 % {Below(worker.P99BelowSeconds)}"));
        }
    }

    private static IEnumerable<string> Lines(IEnumerable<string> parts)
    {
        string line = "";
        foreach (string part in parts)
        {
            if (line.Length > 0 && line.Length + part.Length > LineMax)
            {
                yield return line + ",";
                line = "";
            }

            line += line.Length == 0 ? part : $", {part}";
        }

        yield return line;
    }

    private static string Below(double seconds) => seconds == 0
        ? "longer than 2 s"
        : string.Create(
            CultureInfo.InvariantCulture,
            $"below {(seconds < 0.001 ? $"{seconds * 1e6:0} µs" : $"{seconds * 1e3:0} ms")}");

    private static string Describe(HostReport host)
    {
        string mtu = host.PathMtuState switch
        {
            "found" => string.Create(CultureInfo.InvariantCulture, $"path MTU {host.PathMtuOctets}"),
            "silent" => "answers no MTU probe",
            _ => "path MTU not known yet",
        };
        return host.IsLocal ? $"{host.Name} {host.UnderlayAddress}" : $"{host.Name} {host.UnderlayAddress} ({mtu})";
    }
}
