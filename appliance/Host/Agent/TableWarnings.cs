using System;
using System.Collections.Generic;
using System.Linq;
using Genkan.Datapath.Tables;
using Genkan.Overlay.Flows;

namespace Genkan.Host.Agent;

/// <summary>Sentences about tables, and shares of them, that are nearly used up. Shares end long before a connection
/// table is full, so both are looked at.</summary>
internal static class TableWarnings
{
    private const string MoreRoom = "more room: genkan run --connections";

    /// <summary>Tables that are nine tenths full.</summary>
    public static IEnumerable<string> Full(IEnumerable<TableOccupancy> tables) => tables
        .Where(static t => IsNearly(t.Entries, t.MaxEntries))
        .Select(static t => $"table {t.Table} is nine tenths full{HintOf(t.Table)}");

    /// <summary>Families of whose table somebody holds nine tenths of what it may; a sentence each.</summary>
    /// <param name="uses">Who holds how much.</param>
    public static IEnumerable<string> Scarce(IEnumerable<(string Name, QuotaUses Use)> uses)
    {
        List<string> ipv4 = [];
        List<string> ipv6 = [];
        foreach ((string name, QuotaUses use) in uses)
        {
            if (IsNearly(use.Ipv4.Flows, use.Ipv4.FlowsMax)) ipv4.Add(name);
            if (IsNearly(use.Ipv6.Flows, use.Ipv6.FlowsMax)) ipv6.Add(name);
        }

        if (ipv4.Count > 0) yield return Scarce("IPv4", ipv4);
        if (ipv6.Count > 0) yield return Scarce("IPv6", ipv6);
    }

    private static string Scarce(string family, List<string> names)
    {
        string who = names.Count == 1
            ? $"{names[0]} holds nine tenths of its share"
            : FormattableString.Invariant(
                $"{names[0]} and {names.Count - 1} more hold nine tenths of their shares");
        return $"{family} connections: {who} of the table, more is dropped as flow_quota: genkan tenant list says who; "
            + MoreRoom;
    }

    private static bool IsNearly(long count, long max) => count > 0 && count * 10 >= max * 9;

    // Where the class table is full, exact entries take its place: nobody is refused, and no share says who it is.
    private static string HintOf(string table) => table switch
    {
        "conn4" or "conn6" => $": genkan tenant list says who; {MoreRoom}",
        "class" => $": exact entries will take its place; {MoreRoom}",
        _ => "",
    };
}
