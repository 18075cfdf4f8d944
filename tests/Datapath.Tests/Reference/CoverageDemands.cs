using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Runtime.CompilerServices;
using System.Text.RegularExpressions;
using Genkan.Overlay.Flows;
using Genkan.Testing.Reference;
using DeliveryKind = Genkan.Testing.Reference.DeliveryKind;

namespace Genkan.Datapath.Tests.Reference;

/// <summary>
/// What the packets of a run must have met, taken from the programs' own text where it says so: each drop reason, each
/// table, each way that a packet can end, each rewrite. An agreement about what no packet meets proves nothing.
/// </summary>
internal static partial class CoverageDemands
{
    /// <summary>Reasons that a test run cannot reach.</summary>
    private static readonly DropReason[] OutOfReach =
    [
        DropReason.UpcallTooBig, // a frame of more than 68 KiB; a test run takes a page
    ];

    /// <summary>Tables that are not looked up by what is in a packet.</summary>
    private static readonly string[] NotLookedUp =
    [
        "settings", // read for each packet
        "upcall_record", // holds nothing, see flow_maps.h
        "port_stats", "drop_stats", // written only; all of them are compared after each case
        "agent_drops", // the agent's
    ];

    private static readonly FateKind[] Ways =
        [FateKind.Drop, FateKind.Port, FateKind.Peer, FateKind.Neighbour, FateKind.Replicate, FateKind.Upcall];

    /// <summary>How packets can end, by program.</summary>
    private static readonly (Hook Hook, FateKind[] Fates)[] Fates =
    [
        (Hook.FromPort, [.. Ways, FateKind.Tunnel, FateKind.Answer]),
        (Hook.FromUplink, [.. Ways, FateKind.Tunnel, FateKind.Answer, FateKind.Local]),
        (Hook.FromTunnel, Ways), // never into a tunnel again
        (Hook.FromAgent, [.. Ways, FateKind.Tunnel, FateKind.Local]),
        (Hook.FromHost, [FateKind.Drop, FateKind.Port, FateKind.Peer]),
    ];

    private static readonly string[] Effects =
    [
        "clamped", "too big where it leaves", "state made", "state in a refusal's place", "whole datagram",
        "given back below a total", "whole datagram gone", "too big for the network behind a router",
        "awaited first fragment", "later fragment with the key of the whole", "new identification",
        "octets behind a packet",
    ];

    /// <summary>What was not met, by name; empty if nothing is missing.</summary>
    public static IReadOnlyList<string> Missing(Coverage met)
    {
        List<string> missing = [];
        Demand("drop", Reasons().Except(OutOfReach), met.Reasons);
        Demand("table", Tables().Except(NotLookedUp, StringComparer.Ordinal), met.Tables);
        Demand("fate", Fates.SelectMany(static p => p.Fates.Select(kind => (p.Hook, kind))), met.Fates);
        Demand("upcall", Enum.GetValues<UpcallKind>(), met.Upcalls);
        Demand("next hop", Enum.GetValues<NextHopKind>(), met.WaysOut);
        Demand("delivery", Enum.GetValues<DeliveryKind>().Where(static k => k != DeliveryKind.None), met.Deliveries);
        Demand("class mask", Enum.GetValues<FlowMask>(), met.Masks);
        IEnumerable<Rewrites> rewrites = Enum.GetValues<Rewrites>().Where(static r => r != Rewrites.None);
        Demand("rewrite", rewrites.SelectMany(static r => ((Rewrites, bool)[])[(r, false), (r, true)]), met.Rewritten);
        Demand("effect", Effects, met.Effects);
        return missing;

        void Demand<T>(string what, IEnumerable<T> wanted, Dictionary<T, int> counts)
            where T : notnull =>
            missing.AddRange(wanted.Where(w => !counts.ContainsKey(w)).Select(w => $"{what} {w}"));
    }

    /// <summary>How often each was met.</summary>
    public static IEnumerable<string> Lines(Coverage met) =>
    [
        .. met.Fates.Select(static f => $"{f.Key.Hook} {f.Key.Kind}: {f.Value}").Order(),
        .. met.Reasons.Select(static r => $"drop {r.Key}: {r.Value}").Order(),
        .. met.Upcalls.Select(static u => $"upcall {u.Key}: {u.Value}").Order(),
        .. met.Rewritten.Select(static r => $"rewrite {r.Key}: {r.Value}").Order(),
        .. met.WaysOut.Select(static w => $"next hop {w.Key}: {w.Value}").Order(),
        .. met.Deliveries.Select(static d => $"delivery {d.Key}: {d.Value}").Order(),
        .. met.Masks.Select(static m => $"class mask {m.Key}: {m.Value}").Order(),
        .. met.Tables.Select(static t => $"table {t.Key}: {t.Value}").Order(),
        .. met.Effects.Select(static e => $"{e.Key}: {e.Value}").Order(),
    ];

    /// <summary>Reasons that the programs name.</summary>
    private static IEnumerable<DropReason> Reasons() => Directory.EnumerateFiles(Sources())
        .Where(static f => Path.GetFileName(f) != "drop_reasons.h")
        .SelectMany(static f => ReasonName().Matches(Comment().Replace(File.ReadAllText(f), "")))
        .Select(static m => m.Groups[1].Value)
        .Where(static name => name != "REASON_MAX")
        .Distinct(StringComparer.Ordinal)
        .Select(static n => Enum.Parse<DropReason>(n.Replace("_", "", StringComparison.Ordinal), ignoreCase: true));

    private static IEnumerable<string> Tables() => TableName()
        .Matches(File.ReadAllText(Path.Combine(Sources(), "flow_maps.h")))
        .Select(static m => m.Groups[1].Value);

    private static string Sources([CallerFilePath] string path = "") =>
        Path.Combine(Path.GetDirectoryName(path)!, "..", "..", "..", "appliance", "Datapath", "bpf");

    [GeneratedRegex(@"\bDROP_([A-Z_]+)\b")]
    private static partial Regex ReasonName();

    [GeneratedRegex(@"/\*.*?\*/", RegexOptions.Singleline)]
    private static partial Regex Comment();

    [GeneratedRegex(@"(\w+) SEC\(""\.maps""\)")]
    private static partial Regex TableName();
}
