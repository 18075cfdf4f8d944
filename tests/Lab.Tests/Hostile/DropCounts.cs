using System;
using System.Collections.Generic;
using System.Linq;
using System.Text.Json;
using System.Threading.Tasks;
using Genkan.Lab.Tests.Agent;

namespace Genkan.Lab.Tests.Hostile;

/// <summary>Drops of a host by reason, as an operator reads them; <c>answered</c> is none.</summary>
internal static class DropCounts
{
    private const int Questions = 12; // each is a process, so this does not spin

    /// <summary>Of one port.</summary>
    public static Task<Dictionary<string, ulong>> OfPortAsync(LabHost host, string port) =>
        AskAsync(host, "port", "show", port);

    /// <summary>Of all ports, and of none.</summary>
    public static Task<Dictionary<string, ulong>> EverywhereAsync(LabHost host) => AskAsync(host, "drop", "list");

    /// <summary>Asks until a reason has grown by so many; gives the last answer in any case.</summary>
    public static async Task<Dictionary<string, ulong>> UntilGrownAsync(
        Func<Task<Dictionary<string, ulong>>> ask, Dictionary<string, ulong> before, string reason, ulong count)
    {
        ulong enough = before.GetValueOrDefault(reason) + count;
        Dictionary<string, ulong> after = await ask();
        for (int i = 1; i < Questions && after.GetValueOrDefault(reason) < enough; i++) after = await ask();
        return after;
    }

    /// <summary>What has grown, as "reason count, …" by name.</summary>
    public static string Grown(Dictionary<string, ulong> before, Dictionary<string, ulong> after) =>
        string.Join(", ", after
            .Where(d => d.Value != before.GetValueOrDefault(d.Key))
            .OrderBy(static d => d.Key, StringComparer.Ordinal)
            .Select(d => $"{d.Key} {d.Value - before.GetValueOrDefault(d.Key)}"));

    private static async Task<Dictionary<string, ulong>> AskAsync(LabHost host, params string[] words)
    {
        JsonElement answer = await host.AskAsync(words);
        JsonElement drops = answer.ValueKind == JsonValueKind.Array ? answer : answer.GetProperty("drops");
        return drops.EnumerateArray()
            .Where(static d => d.GetProperty("reason").GetString() != "answered")
            .ToDictionary(
                static d => d.GetProperty("reason").GetString()!, static d => d.GetProperty("packets").GetUInt64());
    }
}
