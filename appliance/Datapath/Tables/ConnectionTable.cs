using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Threading;
using Genkan.Datapath.Bpf;
using Genkan.Datapath.Layout;
using Genkan.Datapath.Native;
using Genkan.Overlay.Flows;

namespace Genkan.Datapath.Tables;

/// <summary>The exact tables, <c>conn4</c> and <c>conn6</c>, as one. Single entries may be found, written and removed
/// by workers in parallel; walks are for one thread.</summary>
internal sealed class ConnectionTable
{
    private const ulong CursorIpv6 = 1UL << 63;
    private const ulong CursorStarted = 1UL << 62;

    private readonly BpfTable<Conn4Key, ConnEntry> _table4;
    private readonly BpfTable<Conn6Key, ConnEntry> _table6;
    private readonly Generations _generations;
    private readonly TagSource _tags;
    private readonly Conn4Key[] _keys4 = new Conn4Key[DatapathLimits.BatchEntryMax];
    private readonly Conn6Key[] _keys6 = new Conn6Key[DatapathLimits.BatchEntryMax];
    private readonly ConnEntry[] _entries = new ConnEntry[DatapathLimits.BatchEntryMax];

    private long _scanned;
    private ulong _failed;

    internal ConnectionTable(BpfMap conn4, BpfMap conn6, Generations generations, TagSource tags)
    {
        (_table4, _table6) = (new BpfTable<Conn4Key, ConnEntry>(conn4), new BpfTable<Conn6Key, ConnEntry>(conn6));
        (_generations, _tags) = (generations, tags);
    }

    /// <summary>Installs that the kernel refused for another reason than a full table.</summary>
    internal ulong FailedCount => Volatile.Read(ref _failed);

    /// <summary>IPv4 entries at the end of the last whole scan.</summary>
    internal long Count4 { get; private set; }

    /// <summary>IPv6 entries at the end of the last whole scan.</summary>
    internal long Count6 { get; private set; }

    internal uint MaxEntries4 => _table4.Map.Spec.MaxEntries;

    internal uint MaxEntries6 => _table6.Map.Spec.MaxEntries;

    /// <summary>See <see cref="IDatapath.InstallNew(in FlowKey, in FlowAction)"/>.</summary>
    internal InstallOutcome InstallNew(in FlowKey key, in FlowAction action) => key.Source.IsIpv4
        ? InstallNew(_table4, Conn4Key.Of(key), action)
        : InstallNew(_table6, Conn6Key.Of(key), action);

    /// <summary>As <see cref="IDatapath.InstallNew(ReadOnlySpan{FlowWrite}, out InstallOutcome)"/>.</summary>
    /// <param name="writes">Entries.</param>
    /// <param name="room">A worker's own memory for them.</param>
    /// <param name="refusal">Why the next one was refused.</param>
    internal int InstallNew(ReadOnlySpan<FlowWrite> writes, InstallRoom room, out InstallOutcome refusal)
    {
        refusal = InstallOutcome.Installed;
        int at = 0;
        while (at < writes.Length && refusal == InstallOutcome.Installed)
        {
            bool isIpv4 = writes[at].Key.Source.IsIpv4;
            int count = 0;
            for (; at + count < writes.Length && writes[at + count].Key.Source.IsIpv4 == isIpv4; count++)
            {
                ref readonly FlowWrite write = ref writes[at + count];
                if (!_generations.IsCurrent(write.Action.Stamp)) break;
                ref InstallEntry entry = ref room[count];
                if (isIpv4) entry.Key4 = Conn4Key.Of(write.Key);
                else entry.Key6 = Conn6Key.Of(write.Key);
                entry.Conn = isIpv4 ? _tags.Entry(entry.Key4, write.Action) : _tags.Entry(entry.Key6, write.Action);
            }

            if (count == 0)
            {
                refusal = InstallOutcome.Stale;
                break;
            }

            at += room.Add(count, isIpv4, out Errno error);
            refusal = OutcomeOf(error);
        }

        return at;
    }

    /// <summary>See <see cref="IDatapath.Install"/>.</summary>
    internal InstallOutcome Install(in FlowKey key, in FlowAction action) => key.Source.IsIpv4
        ? Install(_table4, Conn4Key.Of(key), action)
        : Install(_table6, Conn6Key.Of(key), action);

    /// <summary>See <see cref="IDatapath.Remove"/>.</summary>
    internal bool Remove(in FlowKey key) => key.Source.IsIpv4
        ? _table4.Delete(Conn4Key.Of(key)) == Errno.None
        : _table6.Delete(Conn6Key.Of(key)) == Errno.None;

    /// <summary>See <see cref="IDatapath.TryFind"/>.</summary>
    internal bool TryFind(in FlowKey key, out FlowEntry entry)
    {
        bool found = key.Source.IsIpv4
            ? _table4.TryLookup(Conn4Key.Of(key), out ConnEntry value)
            : _table6.TryLookup(Conn6Key.Of(key), out value);
        entry = found ? value.ToFlowEntry(key) : default;
        return found;
    }

    /// <summary>See <see cref="IDatapath.Scan"/>. The cursor is table, begun, and the kernel's own: a bucket of the
    /// hash.</summary>
    internal int Scan(Span<FlowEntry> entries, ref ulong cursor)
    {
        int room = Math.Min(entries.Length, _entries.Length);
        int count;
        if (cursor == 0) _scanned = 0;
        if ((cursor & CursorIpv6) == 0)
        {
            bool finished = Walk(_table4, _keys4.AsSpan(0, room), ref cursor, out count);
            for (int i = 0; i < count; i++) entries[i] = _entries[i].ToFlowEntry(_keys4[i].ToFlowKey());
            _scanned += count;
            if (finished) (cursor, Count4, _scanned) = (CursorIpv6, _scanned, 0);
        }
        else
        {
            bool finished = Walk(_table6, _keys6.AsSpan(0, room), ref cursor, out count);
            for (int i = 0; i < count; i++) entries[i] = _entries[i].ToFlowEntry(_keys6[i].ToFlowKey());
            _scanned += count;
            if (finished) (cursor, Count6, _scanned) = (0, _scanned, 0);
        }

        return count;
    }

    /// <summary>Reads all entries, removes those that a judge condemns, and lets the tags go on behind the
    /// largest.</summary>
    /// <param name="condemns">Judges by the key port and the action.</param>
    /// <returns>Entries removed.</returns>
    internal int Purge(Condemns condemns) => Purge(_table4, _keys4, key => key.Port, condemns)
        + Purge(_table6, _keys6, key => key.Port, condemns);

    /// <summary>Whether an entry is to go.</summary>
    internal delegate bool Condemns(uint keyPort, in ConnAction action);

    private InstallOutcome InstallNew<TKey>(BpfTable<TKey, ConnEntry> table, in TKey key, in FlowAction action)
        where TKey : unmanaged
    {
        if (!_generations.IsCurrent(action.Stamp)) return InstallOutcome.Stale;
        return OutcomeOf(table.Update(key, _tags.Entry(key, action), BpfUpdate.NoExist));
    }

    private InstallOutcome Install<TKey>(BpfTable<TKey, ConnEntry> table, in TKey key, in FlowAction action)
        where TKey : unmanaged
    {
        if (!_generations.IsCurrent(action.Stamp)) return InstallOutcome.Stale;
        ConnEntry entry = _tags.Entry(key, action);
        Errno error = table.Update(key, entry, BpfUpdate.NoExist);
        if (error == Errno.EEXIST)
        {
            if (table.TryLookup(key, out ConnEntry replaced)) entry.Continue(replaced);
            error = table.Update(key, entry);
        }

        return OutcomeOf(error);
    }

    private InstallOutcome OutcomeOf(Errno error)
    {
        switch (error)
        {
            case Errno.None:
                return InstallOutcome.Installed;
            case Errno.EEXIST:
                return InstallOutcome.Exists;
            case Errno.E2BIG or Errno.ENOMEM or Errno.ENOSPC:
                return InstallOutcome.Full;
            default:
                Interlocked.Increment(ref _failed);
                return InstallOutcome.Failed;
        }
    }

    private bool Walk<TKey>(BpfTable<TKey, ConnEntry> table, Span<TKey> keys, ref ulong cursor, out int count)
        where TKey : unmanaged
    {
        BpfBatchCursor position = new() { Started = (cursor & CursorStarted) != 0 };
        uint bucket = (uint)cursor;
        Span<byte> octets = MemoryMarshal.AsBytes(new Span<BpfBatchCursor.CursorOctets>(ref position.Octets));
        MemoryMarshal.Write(octets, in bucket);
        Errno error = table.LookupBatch(ref position, keys, _entries.AsSpan(0, keys.Length), out count);
        bucket = MemoryMarshal.Read<uint>(octets);
        if (error == Errno.ENOSPC)
        {
            // One bucket holds more than there is room for: no hash of ours does that with room for 64. Step over it.
            count = 0;
            Interlocked.Increment(ref _failed);
            bucket++;
        }
        else if (error != Errno.None)
        {
            Interlocked.Increment(ref _failed);
            return true;
        }

        cursor = (cursor & CursorIpv6) | CursorStarted | bucket;
        return position.Finished;
    }

    private int Purge<TKey>(BpfTable<TKey, ConnEntry> table, TKey[] keys, Func<TKey, uint> portOf, Condemns condemns)
        where TKey : unmanaged
    {
        List<TKey> condemned = [];
        BpfBatchCursor cursor = default;
        while (!cursor.Finished)
        {
            Errno error = table.LookupBatch(ref cursor, keys, _entries, out int count);
            if (error != Errno.None) throw new KernelException($"bpf(MAP_LOOKUP_BATCH {table.Map.Spec.Name})", error);
            for (int i = 0; i < count; i++)
            {
                _tags.Saw(_entries[i]);
                if (condemns(portOf(keys[i]), in _entries[i].Action)) condemned.Add(keys[i]);
            }
        }

        table.DeleteBatch(CollectionsMarshal.AsSpan(condemned), out int deletedCount);
        Debug.Assert(deletedCount <= condemned.Count, "Only what was named goes.");
        return deletedCount;
    }
}
