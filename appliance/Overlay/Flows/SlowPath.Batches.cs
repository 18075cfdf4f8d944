using System;
using Genkan.Nat;

namespace Genkan.Overlay.Flows;

/// <content>New connections, kept back until they are written in one call of the kernel.</content>
public sealed partial class SlowPath
{
    private readonly Pending[] _pending = new Pending[FlowLimits.InstallBatch];
    private readonly FlowWrite[] _writes = new FlowWrite[FlowLimits.WriteBatch];
    private int _pendingCount;
    private int _writeCount;

    /// <summary>A connection that waits to be written.</summary>
    /// <param name="Slot">Where its packet entered.</param>
    /// <param name="Ticket">Its packet among the queued frames.</param>
    /// <param name="HasReply">Whether the answer's entry stands in front of its own.</param>
    /// <param name="IsCounted">Whether it has taken room of its share.</param>
    /// <param name="WriteAt">Index of its own entry.</param>
    /// <param name="Binding">The translation that it holds; zone 0 none.</param>
    private readonly record struct Pending(
        uint Slot, int Ticket, bool HasReply, bool IsCounted, int WriteAt, NatBinding Binding);

    /// <summary>Takes a connection that no table knew into the batch, with its packet.</summary>
    private void Queue(in Upcall upcall, in FlowKey key, ReadOnlySpan<byte> frame, uint nextHop)
    {
        FlowAction action = FlowTranslator.Action(key, _result, nextHop, StampOf(_result), ConnectionState.None);
        bool isCounted = Quota.TryTake(key, count: 2);
        if (!isCounted && !IsForwarded(key))
        {
            Samples.Refused(upcall.Budget);
            Refuse(upcall.Slot, InstallOutcome.OverQuota);
            return;
        }

        // Counted before the entry is there: it then never names a translation that could end.
        bool holds = SourceBinding.TryRead(Topology, key, action, out NatBinding binding);
        if (holds && !_nat.Retain(binding))
        {
            if (isCounted) Quota.GiveBack(key, count: 2);
            Refuse(upcall.Slot, InstallOutcome.Failed);
            return;
        }

        bool hasReply = TryDecideReply(key, out FlowKey reply, out FlowAction replyAction);
        if (isCounted && !hasReply) Quota.GiveBack(key, count: 1);
        Samples.Installed(upcall.Budget, key, _datapath.Now);
        int ticket = Inject(upcall, frame); // may send, and so settle, what is queued
        if (_pendingCount == _pending.Length) Settle();
        if (hasReply) _writes[_writeCount++] = new FlowWrite(reply, replyAction);
        _writes[_writeCount++] = new FlowWrite(key, action);
        _pending[_pendingCount++] =
            new Pending(upcall.Slot, ticket, hasReply, isCounted, _writeCount - 1, holds ? binding : default);
    }

    /// <summary>Writes the connections that were kept back.</summary>
    private void Settle()
    {
        if (_pendingCount == 0) return;
        int count = _pendingCount;
        int writeCount = _writeCount;
        (_pendingCount, _writeCount) = (0, 0);
        int at = 0;
        for (int next = 0; next < count;)
        {
            at += _datapath.InstallNew(_writes.AsSpan(at, writeCount - at), out InstallOutcome refusal);
            for (; next < count && _pending[next].WriteAt < at; next++) _counters.Installs++;
            if (next == count) return;

            SettleOne(_pending[next], at, refusal);
            at = _pending[next].WriteAt + 1;
            next++;
        }
    }

    /// <summary>Settles the connection one of whose entries the table refused as new.</summary>
    private void SettleOne(in Pending pending, int refusedAt, InstallOutcome refusal)
    {
        ref readonly FlowWrite own = ref _writes[pending.WriteAt];
        ref readonly FlowWrite reply = ref _writes[pending.HasReply ? pending.WriteAt - 1 : pending.WriteAt];
        bool isReplyNew = pending.HasReply && refusedAt == pending.WriteAt;
        InstallOutcome outcome = refusal == InstallOutcome.Exists || isReplyNew
            ? InstallLocked(pending.HasReply, reply.Key, reply.Action, own.Key, own.Action, isReplyNew)
            : refusal;
        if (outcome == InstallOutcome.Installed)
        {
            _counters.Installs++;
            return;
        }

        if (pending.IsCounted) Quota.GiveBack(own.Key, pending.HasReply ? 2 : 1);
        if (pending.Binding.Zone != 0) _nat.Release(pending.Binding, _datapath.Now);
        if (pending.Ticket >= 0) _datapath.Cancel(pending.Ticket);
        Refuse(pending.Slot, outcome);
    }

    // An entry with state has been counted; so has one that is there without.
    private bool IsForwarded(in FlowKey key)
    {
        Settle();
        return _datapath.TryFind(key, out FlowEntry entry) && entry.Action.Verdict == FlowVerdict.Forward;
    }
}
