using System;
using System.Linq;
using Genkan.Datapath.Bpf;
using Genkan.Datapath.Layout;
using Genkan.Datapath.Native;
using Genkan.Datapath.Tables;

namespace Genkan.Datapath.Migration;

/// <summary>
/// Carries the entries of one table into its successor of another layout: once while old programs still use the old
/// one, and once more, when they do not any longer, what they wrote meanwhile.
/// </summary>
internal sealed class TableCopy
{
    private readonly string _name;
    private readonly OctetTable _source;
    private readonly OctetTable _target;
    private readonly FieldConversion _key;
    private readonly FieldConversion _value;
    private readonly MergeRule[] _rules;
    private readonly MergeRule[] _sourceCounters;
    private readonly BtfField? _createdNs;
    private readonly BtfField[] _tags;
    private readonly ulong _digestSeed;
    private readonly byte[] _newKey;
    private readonly byte[] _newValue;
    private readonly byte[] _present;

    /// <summary>Plans it.</summary>
    /// <param name="name">Name of the table.</param>
    /// <param name="source">The old one; <paramref name="from"/> says how it looks.</param>
    /// <param name="from">Its layout.</param>
    /// <param name="target">The new one; <paramref name="to"/> says how it looks.</param>
    /// <param name="to">Its layout.</param>
    /// <param name="digestSeed">What tags of keys are made with.</param>
    /// <exception cref="DatapathException">Nobody says how the old one looks.</exception>
    internal TableCopy(
        string name, BpfMap source, TableLayout from, BpfMap target, TableLayout to, ulong digestSeed)
    {
        (_name, _source, _target, _digestSeed) = (name, new OctetTable(source), new OctetTable(target), digestSeed);
        (BtfLayout fromKey, BtfLayout toKey) = Pair(from.Key, from.Spec.KeySize, to.Key, to.Spec.KeySize);
        (BtfLayout fromValue, BtfLayout toValue) = Pair(from.Value, from.Spec.ValueSize, to.Value, to.Spec.ValueSize);
        (_key, _value) = (new FieldConversion(fromKey, toKey), new FieldConversion(fromValue, toValue));
        _rules = MergeRule.Of(name, toValue);
        _sourceCounters = [.. MergeRule.Of(name, fromValue).Where(r => r.Kind == MergeKind.Add)];
        _createdNs = fromValue.Find("created_ns") is null ? null : toValue.Find("created_ns");
        _tags = [.. toValue.Fields.Where(f => f.Name is "tag_head" or "tag_tail")];
        (_newKey, _newValue) = (new byte[_target.KeySize], new byte[_target.ValueSize]);
        _present = new byte[_target.ValueSize];
    }

    private bool IsArray => _target.Map.Spec.Type is BpfMapType.Array or BpfMapType.PerCpuArray;

    /// <summary>Carries all entries over. Counters begin at zero: <see cref="Merge"/> adds the old ones.</summary>
    /// <returns>Entries carried over.</returns>
    /// <exception cref="DatapathException">An entry finds no room, or has a value that does not fit.</exception>
    internal int Copy() => Walk(static (copy, _, _, lost) => copy.CopyOne(lost));

    /// <summary>
    /// Adds what old programs counted and made since; nobody uses the old table any more. What was added is zeroed
    /// there, so that doing this again changes nothing.
    /// </summary>
    /// <returns>Entries that had something. There is no way back any more: what finds no room stays behind.</returns>
    internal int Merge() => _rules.Length == 0
        ? 0
        : Walk(static (copy, key, value, lost) => lost is null && copy.MergeOne(key, value));

    private delegate bool Carry(TableCopy copy, ReadOnlySpan<byte> key, Span<byte> value, string? lost);

    // Where nobody tells the names, octets are octets, and must be as many.
    private (BtfLayout From, BtfLayout To) Pair(BtfLayout? from, uint fromSize, BtfLayout? to, uint toSize)
    {
        if (from is not null && to is not null) return (from, to);
        if (fromSize != toSize) throw Refuse("was made without names of its fields");
        BtfLayout octets = new((int)fromSize, [new BtfField("", 0, 1, (int)fromSize, false)]);
        return (octets, octets);
    }

    private int Walk(Carry carry)
    {
        int room = (int)Math.Min(DatapathLimits.BatchEntryMax, _source.Map.Spec.MaxEntries);
        byte[] keys = new byte[room * _source.KeySize];
        byte[] values = new byte[room * _source.ValueSize];
        int carried = 0;
        BpfBatchCursor cursor = default;
        while (!cursor.Finished)
        {
            Errno error = _source.LookupBatch(ref cursor, keys, values, out int count);
            if (error != Errno.None) throw new KernelException($"bpf(MAP_LOOKUP_BATCH {_name})", error);
            for (int i = 0; i < count; i++)
            {
                ReadOnlySpan<byte> key = keys.AsSpan(i * _source.KeySize, _source.KeySize);
                Span<byte> value = values.AsSpan(i * _source.ValueSize, _source.ValueSize);
                if (carry(this, key, value, Convert(key, value))) carried++;
            }
        }

        return carried;
    }

    // Gives the name of a field whose value does not fit, or null.
    private string? Convert(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value)
    {
        string? lost = _key.Convert(key, _newKey);
        for (int i = 0; i < _target.SliceCount && lost is null; i++)
        {
            lost = _value.Convert(
                value[(i * _source.SliceStride)..], _newValue.AsSpan(i * _target.SliceStride, _target.SliceStride));
        }

        if (_tags.Length == 0) return lost;
        ulong digest = (ulong)KeyDigest.Of(_newKey, _digestSeed) << 32;
        foreach (BtfField tag in _tags)
        {
            MergeRule.Write(_newValue, tag, digest | (uint)MergeRule.Read(_newValue, tag));
        }

        return lost;
    }

    private bool CopyOne(string? lost)
    {
        if (lost is not null)
        {
            throw Refuse($"holds a value in {(lost.Length == 0 ? "an entry" : lost)} that is too large");
        }

        foreach (MergeRule rule in _rules)
        {
            if (rule.Kind != MergeKind.Add) continue;
            for (int i = 0; i < _target.SliceCount; i++) MergeRule.Write(Slice(_newValue, i), rule.Field, 0);
        }

        return Write(BpfUpdate.Any)
            ?? throw Refuse($"has more entries than the {_target.Map.Spec.MaxEntries} that this agent has room for");
    }

    // Null if there is no room.
    private bool? Write(BpfUpdate mode)
    {
        // Elements of a new array are zero already; most of them stay so.
        if (IsArray && !_newValue.AsSpan().ContainsAnyExcept((byte)0)) return false;
        Errno error = _target.Update(_newKey, _newValue, mode);
        return error switch
        {
            Errno.None => true,
            Errno.EEXIST => false,
            Errno.E2BIG or Errno.ENOMEM or Errno.ENOSPC => null,
            _ => throw new KernelException($"bpf(MAP_UPDATE {_name})", error),
        };
    }

    private bool MergeOne(ReadOnlySpan<byte> key, Span<byte> value)
    {
        bool isChanged;
        if (!_target.TryLookup(_newKey, _present))
        {
            isChanged = Write(BpfUpdate.NoExist) ?? false;
        }
        else if (_createdNs is not null && MergeRule.Read(_newValue, _createdNs) > MergeRule.Read(_present, _createdNs))
        {
            isChanged = Write(BpfUpdate.Any) ?? false; // an old program replaced it: see hides_state() in commit.h
        }
        else
        {
            isChanged = false;
            for (int i = 0; i < _target.SliceCount; i++)
            {
                foreach (MergeRule rule in _rules) isChanged |= rule.Apply(Slice(_newValue, i), Slice(_present, i));
            }

            if (isChanged) Demand(_target.Update(_newKey, _present));
        }

        if (isChanged) ClearCounters(key, value);
        return isChanged;
    }

    private void ClearCounters(ReadOnlySpan<byte> key, Span<byte> value)
    {
        if (_sourceCounters.Length == 0) return;
        for (int i = 0; i < _source.SliceCount; i++)
        {
            Span<byte> slice = value[(i * _source.SliceStride)..];
            foreach (MergeRule counter in _sourceCounters) MergeRule.Write(slice, counter.Field, 0);
        }

        Demand(_source.Update(key, value));
    }

    private Span<byte> Slice(byte[] value, int index) =>
        value.AsSpan(index * _target.SliceStride, _target.SliceStride);

    private void Demand(Errno error)
    {
        if (error != Errno.None) throw new KernelException($"bpf(MAP_UPDATE {_name})", error);
    }

    private DatapathException Refuse(string why) => new(
        $"The pinned table {_name} cannot be carried over to this agent: it {why}. Run the agent that made it, or "
        + "`genkan host remove`, which ends this host's connections.");
}
