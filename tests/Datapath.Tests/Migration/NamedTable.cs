using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using Genkan.Datapath.Bpf;
using Genkan.Datapath.Migration;
using Genkan.Datapath.Native;
using Shouldly;

namespace Genkan.Datapath.Tests.Migration;

/// <summary>A pinned table whose fields are written and read by their names, whatever its layout.</summary>
internal sealed class NamedTable : IDisposable
{
    private readonly BpfMap _map;
    private readonly OctetTable _table;

    public NamedTable(string path)
    {
        _map = BpfMap.TryOpenPinned(path) ?? throw new FileNotFoundException(path);
        _table = new OctetTable(_map);
        Layout = TableLayout.Of(_map, new KernelBtf());
    }

    public TableLayout Layout { get; }

    public uint Id => _map.Id;

    /// <summary>Writes an entry; fields that are not named are zero. Of a per-CPU table, CPU i gets i more.</summary>
    public void Put(string key, string value) =>
        _table.Update(Encode(Layout.Key!, key, 0), EncodeValue(value)).ShouldBe(Errno.None);

    /// <summary>All entries as text: fields that are not zero, by name, in order of names.</summary>
    public string[] Read(params string[] without)
    {
        List<string> entries = [];
        byte[] keys = new byte[_table.KeySize * 1024];
        byte[] values = new byte[_table.ValueSize * 1024];
        BpfBatchCursor cursor = default;
        while (!cursor.Finished)
        {
            _table.LookupBatch(ref cursor, keys, values, out int count).ShouldBe(Errno.None);
            for (int i = 0; i < count; i++)
            {
                ReadOnlySpan<byte> whole = values.AsSpan(i * _table.ValueSize, _table.ValueSize);
                if (!whole.ContainsAnyExcept((byte)0)) continue;
                string[] slices = [.. Enumerable.Range(0, _table.SliceCount).Select(s => Decode(
                    Layout.Value!, values.AsSpan((i * _table.ValueSize) + (s * _table.SliceStride)), without))];
                string key = Decode(Layout.Key!, keys.AsSpan(i * _table.KeySize), without);
                entries.Add($"{key} -> {string.Join(" | ", slices)}");
            }
        }

        return [.. entries.Order(StringComparer.Ordinal)];
    }

    /// <summary>One number of an entry, summed over CPUs.</summary>
    public ulong Number(string key, string field)
    {
        byte[] value = new byte[_table.ValueSize];
        _table.TryLookup(Encode(Layout.Key!, key, 0), value).ShouldBeTrue(key);
        BtfField at = Layout.Value!.Find(field)!;
        return Enumerable.Range(0, _table.SliceCount)
            .Aggregate(0ul, (sum, s) => sum + MergeRule.Read(value.AsSpan(s * _table.SliceStride), at));
    }

    /// <summary>Octets of a key.</summary>
    public byte[] KeyOf(string key) => Encode(Layout.Key!, key, 0);

    public void Dispose() => _map.Dispose();

    private byte[] EncodeValue(string text)
    {
        byte[] value = new byte[_table.ValueSize];
        for (int s = 0; s < _table.SliceCount; s++)
        {
            Encode(Layout.Value!, text, s).CopyTo(value.AsSpan(s * _table.SliceStride));
        }

        return value;
    }

    // "port=7 dst=1,2,3"; a bare number is a key or value without a name.
    private static byte[] Encode(BtfLayout layout, string text, int more)
    {
        byte[] octets = new byte[layout.Size];
        foreach (string word in text.Split(' ', StringSplitOptions.RemoveEmptyEntries))
        {
            string[] parts = word.Contains('=', StringComparison.Ordinal) ? word.Split('=') : ["", word];
            BtfField field = layout.Find(parts[0]) ?? throw new ArgumentException($"no field {parts[0]}", nameof(text));
            string[] numbers = parts[1].Split(',');
            numbers.Length.ShouldBeLessThanOrEqualTo(field.Count);
            for (int i = 0; i < numbers.Length; i++)
            {
                BtfField element = field with { At = field.At + (i * field.ElementSize), Count = 1 };
                ulong number = field.IsSigned
                    ? (ulong)long.Parse(numbers[i], provider: null)
                    : ulong.Parse(numbers[i], provider: null);
                MergeRule.Write(octets, element, number + (ulong)more);
            }
        }

        return octets;
    }

    private static string Decode(BtfLayout layout, ReadOnlySpan<byte> octets, string[] without)
    {
        List<string> words = [];
        foreach (BtfField field in layout.Fields.OrderBy(f => f.Name, StringComparer.Ordinal))
        {
            if (without.Contains(field.Name)) continue;
            List<string> numbers = [];
            for (int i = 0; i < field.Count; i++)
            {
                BtfField element = field with { At = field.At + (i * field.ElementSize), Count = 1 };
                ulong number = MergeRule.Read(octets, element);
                int unused = 64 - (field.ElementSize * 8);
                numbers.Add(field.IsSigned ? $"{(long)(number << unused) >> unused}" : $"{number}");
            }

            while (numbers.Count > 0 && numbers[^1] == "0") numbers.RemoveAt(numbers.Count - 1);
            if (numbers.Count == 0) continue;
            words.Add(field.Name.Length == 0 ? numbers[0] : $"{field.Name}={string.Join(',', numbers)}");
        }

        return string.Join(' ', words);
    }
}
