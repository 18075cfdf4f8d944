using System;
using System.Collections.Generic;
using System.Globalization;
using System.Text;
using Genkan.Host.Api;

namespace Genkan.Host.Agent;

/// <summary>Metrics in the Prometheus text exposition format, version 0.0.4.</summary>
internal static class PrometheusText
{
    /// <summary>MIME type that Prometheus expects.</summary>
    public const string ContentType = "text/plain; version=0.0.4; charset=utf-8";

    /// <summary>Writes all metrics of an agent.</summary>
    public static string Write(AgentReports reports)
    {
        StatusReport status = reports.Status();
        IReadOnlyList<PortReport> ports = reports.Ports();
        StringBuilder text = new();

        Family(text, "genkan_info", "gauge", "Version and host of the agent; always 1.");
        Sample(text, "genkan_info", 1, ("host", status.Host), ("version", status.Version), ("attach", status.Attach));
        Single(text, "genkan_uptime_seconds", "gauge", "Seconds since the agent started.", status.UptimeSeconds);
        Single(text, "genkan_heartbeat_age_seconds", "gauge", "Seconds since the packet loop last said that it lives.",
            status.HeartbeatAgeSeconds);
        Single(text, "genkan_heartbeat_gap_seconds_max", "gauge", "Longest time between two heartbeats since start.",
            status.HeartbeatGapMaxSeconds);
        Single(text, "genkan_topology_revision", "gauge", "Revision of the topology in force.", status.Revision);
        Connections(text, status.Tables);
        Single(text, "genkan_table_memory_octets", "gauge", "Kernel memory of all tables and rings.",
            status.Tables.MemoryOctets);
        Single(text, "genkan_heap_octets", "gauge", "Memory that the agent's collector holds.",
            status.Tables.HeapOctets);
        Single(text, "genkan_flow_classes", "gauge", "Distinct sets of objects that flows depend on.",
            status.Tables.Classes);
        Single(text, "genkan_nat_mappings", "gauge", "Source NAT mappings of this host.", status.Tables.Translations);
        Single(text, "genkan_upcalls_total", "counter", "Packets that the kernel sent to the agent.",
            status.SlowPath.Upcalls);
        Single(text, "genkan_simulations_total", "counter", "Packets simulated.", status.SlowPath.Simulations);
        Single(text, "genkan_installs_total", "counter", "Flows installed.", status.SlowPath.Installs);
        Single(text, "genkan_installs_refused_total", "counter", "Installs refused.", status.SlowPath.InstallsRefused);
        Single(
            text, "genkan_icmp_errors_withheld_total", "counter", "ICMP errors over their limit.",
            status.SlowPath.ErrorsWithheld);
        Single(
            text, "genkan_packets_fragmented_total", "counter",
            "Packets cut into fragments, since their way out did not take them whole.", status.SlowPath.Fragmented);
        Single(
            text, "genkan_fragments_waiting", "gauge", "Fragments that wait for their first one.",
            status.SlowPath.WaitingFragments);
        Single(text, "genkan_answers_total", "counter", "ARP, ND, DHCP and ICMP frames made.", status.SlowPath.Answers);
        Single(text, "genkan_faults_total", "counter", "Faults of the agent's own.", reports.Faults);
        Tunnels(text, reports);
        Single(
            text, "genkan_gc_pause_seconds_total", "counter", "Time for which the collector stopped all threads.",
            GC.GetTotalPauseDuration().TotalSeconds);
        Workers(text, reports.Workers());
        Family(
            text, "genkan_budget_refused_total", "counter",
            "Packets to the agent, and broadcasts, over the share of a tenant with its ports, of outside, of hosts.");
        foreach ((string kind, string name, ulong packets) in reports.RefusedByShare())
            Sample(text, "genkan_budget_refused_total", packets, ("kind", kind), ("name", name));

        Ports(text, ports);
        Family(text, "genkan_drops_total", "counter", "Packets dropped, by reason.");
        foreach (DropReport drop in reports.Drops())
        {
            Sample(text, "genkan_drops_total", drop.Packets, ("reason", drop.Reason));
        }

        return text.ToString();
    }

    /// <summary>Writes how full the connection tables are: a sum of both would hide that one is full.</summary>
    internal static void Connections(StringBuilder text, TableCounts tables)
    {
        Family(text, "genkan_connections", "gauge", "Entries of a family's connection table, each direction counted.");
        Sample(text, "genkan_connections", tables.Ipv4.Flows, ("family", "ipv4"));
        Sample(text, "genkan_connections", tables.Ipv6.Flows, ("family", "ipv6"));
        Family(text, "genkan_connections_max", "gauge", "Room in a family's connection table.");
        Sample(text, "genkan_connections_max", tables.Ipv4.FlowsMax, ("family", "ipv4"));
        Sample(text, "genkan_connections_max", tables.Ipv6.FlowsMax, ("family", "ipv6"));
    }

    private static void Tunnels(StringBuilder text, AgentReports reports)
    {
        Single(
            text, "genkan_tunnel_direct", "gauge",
            "1 while programs put outer headers on and take them off themselves; 0: the kernel, see genkan status.",
            reports.IsTunnelDirect ? 1 : 0);
        Family(
            text, "genkan_peer_mtu_octets", "gauge",
            "Longest packet that the underlay is known to carry to another host; 0 while it answers nothing.");
        foreach ((string peer, int? octets) in reports.PeerMtus())
            Sample(text, "genkan_peer_mtu_octets", octets ?? 0, ("peer", peer));
    }

    private static void Workers(StringBuilder text, IReadOnlyList<WorkerReport> workers)
    {
        PerWorker(
            text, workers, "genkan_worker_upcalls_total", "counter", "Packets that a worker handled.",
            static w => w.Upcalls);
        PerWorker(
            text, workers, "genkan_worker_batches_total", "counter", "Batches in which it handled them.",
            static w => w.Batches);
        PerWorker(
            text, workers, "genkan_worker_backlog_octets", "gauge", "Octets that wait in its rings.",
            static w => w.BacklogOctets);
        PerWorker(
            text, workers, "genkan_worker_malformed_total", "counter", "Records of its rings that were no packets.",
            static w => w.Malformed);
        Latency(text, workers);
    }

    private static void Latency(StringBuilder text, IReadOnlyList<WorkerReport> workers)
    {
        const string name = "genkan_worker_upcall_latency_seconds";
        Family(text, name, "histogram", "From the kernel's ring until the decision is in the tables.");
        for (int i = 0; i < workers.Count; i++)
        {
            string worker = i.ToString(CultureInfo.InvariantCulture);
            IReadOnlyList<ulong> counts = workers[i].Latency.Read();
            ulong sum = 0;
            for (int bucket = 0; bucket < counts.Count; bucket++)
            {
                sum += counts[bucket];
                double bound = LatencyHistogram.BoundSeconds(bucket);
                string le = double.IsFinite(bound) ? bound.ToString(CultureInfo.InvariantCulture) : "+Inf";
                Sample(text, $"{name}_bucket", sum, ("worker", worker), ("le", le));
            }

            Sample(text, $"{name}_sum", workers[i].Latency.SumSeconds, ("worker", worker));
            Sample(text, $"{name}_count", sum, ("worker", worker));
        }
    }

    private static void PerWorker(
        StringBuilder text, IReadOnlyList<WorkerReport> workers, string name, string type, string help,
        Func<WorkerReport, double> value)
    {
        Family(text, name, type, help);
        for (int i = 0; i < workers.Count; i++)
        {
            Sample(text, name, value(workers[i]), ("worker", i.ToString(CultureInfo.InvariantCulture)));
        }
    }

    private static void Ports(StringBuilder text, IReadOnlyList<PortReport> ports)
    {
        PerPort(
            text, ports, "genkan_port_up", "gauge", "Whether the port's interface is there and up.",
            static p => p.State == "up" ? 1 : 0);
        PerPort(
            text, ports, "genkan_port_from_packets_total", "counter", "Packets that entered the network.",
            static p => p.FromPortPackets);
        PerPort(
            text, ports, "genkan_port_from_octets_total", "counter", "Octets that entered the network.",
            static p => p.FromPortOctets);
        PerPort(
            text, ports, "genkan_port_to_packets_total", "counter", "Packets that left the network.",
            static p => p.ToPortPackets);
        PerPort(
            text, ports, "genkan_port_to_octets_total", "counter", "Octets that left the network.",
            static p => p.ToPortOctets);
        Family(text, "genkan_port_drops_total", "counter", "Packets dropped that entered at the port, by reason.");
        foreach (PortReport port in ports)
        {
            foreach (DropReport drop in port.Drops)
            {
                Sample(text, "genkan_port_drops_total", drop.Packets, ("port", port.Name), ("reason", drop.Reason));
            }
        }
    }

    private static void PerPort(
        StringBuilder text, IReadOnlyList<PortReport> ports, string name, string type, string help,
        Func<PortReport, double> value)
    {
        Family(text, name, type, help);
        foreach (PortReport port in ports) Sample(text, name, value(port), ("port", port.Name));
    }

    private static void Single(StringBuilder text, string name, string type, string help, double value)
    {
        Family(text, name, type, help);
        Sample(text, name, value);
    }

    private static void Family(StringBuilder text, string name, string type, string help) =>
        text.Append(CultureInfo.InvariantCulture, $"# HELP {name} {help}\n# TYPE {name} {type}\n");

    private static void Sample(
        StringBuilder text, string name, double value, params ReadOnlySpan<(string Name, string Value)> labels)
    {
        text.Append(name);
        for (int i = 0; i < labels.Length; i++)
        {
            string escaped = labels[i].Value.Replace("\\", "\\\\", StringComparison.Ordinal)
                .Replace("\"", "\\\"", StringComparison.Ordinal)
                .Replace("\n", "\\n", StringComparison.Ordinal);
            text.Append(i == 0 ? '{' : ',').Append(labels[i].Name).Append("=\"").Append(escaped).Append('"');
        }

        if (labels.Length > 0) text.Append('}');
        text.Append(CultureInfo.InvariantCulture, $" {value}\n");
    }
}
