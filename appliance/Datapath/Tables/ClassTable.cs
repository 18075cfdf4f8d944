using System;
using System.Collections.Generic;
using System.Runtime.InteropServices;
using System.Threading;
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
    private readonly Lock _installing = new();

    internal uint MaxEntries => _table.Map.Spec.MaxEntries;

    /// <summary>Entries at the last <see cref="Sweep"/>, and installed since.</summary>
    internal int Count { get; private set; }

    /// <summary>See <see cref="IDatapath.InstallClass"/>.</summary>
    internal InstallOutcome Install(FlowMask mask, ushort etherType, in FlowKey key, in FlowAction action)
    {
        if (!generations.IsCurrent(action.Stamp)) return InstallOutcome.Stale;
        ClassKey classKey = ClassKey.Of(mask, etherType, key);
        using Lock.Scope scope = _installing.EnterScope(); // few: a class stands for many flows
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

    /// <summary>See <see cref="IDatapath.SweepClasses"/>; masks that no entry of a port has any more are taken
    /// back.</summary>
    internal void Sweep(Span<bool> classesInUse)
    {
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
                if (!IsWorthKeeping(key, entry))
                {
                    condemned.Add(key);
                    continue;
                }

                keptCount++;
                if (entry.Action.ClassId < classesInUse.Length) classesInUse[(int)entry.Action.ClassId] = true;
                if (key.Port < _masks.Length) _masks[(int)key.Port] |= (ushort)(1 << (int)key.Mask);
            }
        }

        _table.DeleteBatch(CollectionsMarshal.AsSpan(condemned), out _);
        Count = keptCount;
        ports.SetClassMasks(_masks);
    }

    /// <summary>Notes the next hops of all entries.</summary>
    internal void CollectNextHops(HashSet<uint> used)
    {
        BpfBatchCursor cursor = default;
        while (!cursor.Finished)
        {
            Errno error = _table.LookupBatch(ref cursor, _keys, _entries, out int count);
            if (error != Errno.None) throw new KernelException("bpf(MAP_LOOKUP_BATCH class)", error);
            for (int i = 0; i < count; i++) used.Add(_entries[i].Action.Nexthop);
        }
    }

    // Drops are looked at again now and then, however many packets they absorb.
    private bool IsWorthKeeping(in ClassKey key, in ConnEntry entry)
    {
        FlowStamp stamp = new(entry.Action.ClassId, entry.Action.Generation, entry.Action.Soft);
        if (!generations.IsCurrent(stamp) || !ports.IsLive(key.Port)) return false;
        bool isDrop = entry.Action.Verdict == FlowVerdict.Drop;
        TimeSpan limit = isDrop ? DatapathLimits.ClassDropAge : DatapathLimits.ClassIdle;
        ulong since = isDrop ? entry.CreatedNs : entry.LastSeenNs;
        return since + ((ulong)limit.Ticks * TimeSpan.NanosecondsPerTick) >= MonotonicClock.NowNs;
    }
}
