using System;
using System.Buffers.Binary;
using System.Collections.Frozen;
using System.Collections.Generic;
using System.Linq;
using Genkan.Datapath.Bpf;

namespace Genkan.Datapath.Migration;

/// <summary>
/// What becomes of a field that programs write when an entry lived in two tables for a while: the old programs' and
/// the new ones'. Fields that the agent writes are equal in both and need no rule.
/// </summary>
/// <param name="Field">The field, in the layout of both.</param>
/// <param name="Kind">How.</param>
internal sealed record MergeRule(BtfField Field, MergeKind Kind)
{
    private static readonly FrozenDictionary<string, MergeKind> Kinds = new Dictionary<string, MergeKind>
    {
        ["packets"] = MergeKind.Add,
        ["octets"] = MergeKind.Add,
        ["rx_packets"] = MergeKind.Add,
        ["rx_octets"] = MergeKind.Add,
        ["tx_packets"] = MergeKind.Add,
        ["tx_octets"] = MergeKind.Add,
        ["drop_packets"] = MergeKind.Add,
        ["upcall_packets"] = MergeKind.Add,
        ["admitted"] = MergeKind.Add,
        ["refused"] = MergeKind.Add,
        ["control_admitted"] = MergeKind.Add,
        ["control_refused"] = MergeKind.Add,
        ["copy_admitted"] = MergeKind.Add,
        ["copy_refused"] = MergeKind.Add,
        ["last_seen_ns"] = MergeKind.Largest,
        ["arrival_ns"] = MergeKind.Largest,
        ["control_arrival_ns"] = MergeKind.Largest,
        ["copy_arrival_ns"] = MergeKind.Largest,
        ["made4"] = MergeKind.Largest,
        ["made6"] = MergeKind.Largest,
        ["tcp_seen"] = MergeKind.Or,
        ["revalidate"] = MergeKind.Or,
    }.ToFrozenDictionary(StringComparer.Ordinal);

    /// <summary>The rules of a table's values.</summary>
    /// <param name="table">Name of the table: bare numbers have none of their own.</param>
    /// <param name="value">Layout of its values.</param>
    internal static MergeRule[] Of(string table, BtfLayout value) =>
    [
        .. value.Fields
            .Where(f => f is { Count: 1, ElementSize: <= sizeof(ulong) })
            .Select(f => (Field: f, Kind: KindOf(table, f)))
            .Where(r => r.Kind != MergeKind.None)
            .Select(r => new MergeRule(r.Field, r.Kind)),
    ];

    /// <summary>Merges one field into the new table's value.</summary>
    /// <param name="old">Value of the old table, in the new layout.</param>
    /// <param name="current">Value of the new table.</param>
    /// <returns>Whether it changed.</returns>
    internal bool Apply(ReadOnlySpan<byte> old, Span<byte> current)
    {
        (ulong before, ulong now) = (Read(old, Field), Read(current, Field));
        ulong merged = Kind switch
        {
            MergeKind.Add => now + before,
            MergeKind.Largest => Math.Max(now, before),
            _ => now | before,
        };
        if (merged == now) return false;
        Write(current, Field, merged);
        return true;
    }

    /// <summary>Reads a number of at most eight octets.</summary>
    internal static ulong Read(ReadOnlySpan<byte> value, BtfField field)
    {
        Span<byte> wide = stackalloc byte[sizeof(ulong)];
        wide.Clear();
        value.Slice(field.At, field.ElementSize).CopyTo(wide);
        return BinaryPrimitives.ReadUInt64LittleEndian(wide);
    }

    /// <summary>Writes a number of at most eight octets; higher ones are lost.</summary>
    internal static void Write(Span<byte> value, BtfField field, ulong number)
    {
        Span<byte> wide = stackalloc byte[sizeof(ulong)];
        BinaryPrimitives.WriteUInt64LittleEndian(wide, number);
        wide[..field.ElementSize].CopyTo(value[field.At..]);
    }

    private static MergeKind KindOf(string table, BtfField field) => table == "drop_stats" && field.Name.Length == 0
        ? MergeKind.Add
        : Kinds.GetValueOrDefault(field.LastName);
}

/// <summary>How two values become one.</summary>
internal enum MergeKind
{
    /// <summary>The new table's stays.</summary>
    None,

    /// <summary>Counters: the sum; the copy begins at zero.</summary>
    Add,

    /// <summary>Times: the later one.</summary>
    Largest,

    /// <summary>Flags: either's.</summary>
    Or,
}
