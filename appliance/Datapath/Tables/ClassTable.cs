using System;
using System.Collections.Generic;
using System.Runtime.InteropServices;
using Genkan.Datapath.Bpf;
using Genkan.Datapath.Layout;
using Genkan.Datapath.Native;
using Genkan.Overlay.Flows;

namespace Genkan.Datapath.Tables;

/// <summary>The masked table. A port's <c>class_masks</c> tell the programs which masks to try at all.</summary>
internal sealed class ClassTable(BpfMap map, Generations generations, TagSource tags, PortTable ports)
{
    private readonly BpfTable<ClassKey, ConnEntry> _table = new(map);
    private readonly ClassKey[] _keys = new ClassKey[DatapathLimits.BatchEntryMax];
    private readonly ConnEntry[] _entries = new ConnEntry[DatapathLimits.BatchEntryMax];
    private readonly ushort[] _masks = new ushort[LayoutLimits.PortMax];

    internal uint MaxEntries => _table.Map.Spec.MaxEntries;

    /// <summary>Entries at the last <see cref="Expire"/>, and installed since.</summary>
    internal int Count { get; private set; }

    /// <summary>See <see cref="IDatapath.InstallClass"/>.</summary>
    internal InstallOutcome Install(FlowMask mask, ushort etherType, in FlowKey key, in FlowAction action)
    {
        if (!generations.IsCurrent(action.Stamp)) return InstallOutcome.Stale;
        ClassKey classKey = ClassKey.Of(mask, etherType, key);
        ConnEntry entry = tags.Entry(classKey, action);
        Errno error = _table.Update(classKey, entry, BpfUpdate.NoExist);
        if (error == Errno.EEXIST)
        {
            if (_table.TryLookup(classKey, out ConnEntry replaced)) entry.Continue(replaced);
            error = _table.Update(classKey, entry);
        }
        else if (error == Errno.None)
        {
            Count++;
        }

        if (error == Errno.None)
        {
            ports.AddClassMask(key.KeyPort, mask);
            return InstallOutcome.Installed;
        }

        return error is Errno.E2BIG or Errno.ENOMEM ? InstallOutcome.Full : InstallOutcome.Failed;
    }

    /// <summary>Removes entries that are stale, idle or of ports that are gone, and takes back the masks that no entry has.</summary>
    /// <param name="idle">Age of the last packet past which an entry goes.</param>
    /// <param name="condemns">Judges further by key port and action; may be null.</param>
    /// <returns>Entries removed.</returns>
    internal int Expire(TimeSpan idle, ConnectionTable.Condemns? condemns = null)
    {
        ulong now = MonotonicClock.NowNs;
        ulong idleNs = (ulong)idle.Ticks * TimeSpan.NanosecondsPerTick;
        Array.Clear(_masks);
        List<ClassKey> condemned = [];
        int keptCount = 0;
        BpfBatchCursor cursor = default;
        while (!cursor.Finished)
        {
            Errno error = _table.LookupBatch(ref cursor, _keys, _entries, out int count);
            if (error != Errno.None) throw new KernelException("bpf(MAP_LOOKUP_BATCH class)", error);
            for (int i = 0; i < count; i++)
            {
                ref readonly ConnEntry entry = ref _entries[i];
                ref readonly ClassKey key = ref _keys[i];
                tags.Saw(entry);
                FlowStamp stamp = new(entry.Action.ClassId, entry.Action.Generation, entry.Action.Soft);
                bool isIdle = entry.LastSeenNs + idleNs < now;
                if (isIdle || !generations.IsCurrent(stamp) || condemns?.Invoke(key.Port, in entry.Action) == true)
                {
                    condemned.Add(key);
                    continue;
                }

                keptCount++;
                if (key.Port < _masks.Length) _masks[key.Port] |= (ushort)(1 << (int)key.Mask);
            }
        }

        _table.DeleteBatch(CollectionsMarshal.AsSpan(condemned), out int deletedCount);
        Count = keptCount;
        ports.SetClassMasks(_masks);
        return deletedCount;
    }
}
