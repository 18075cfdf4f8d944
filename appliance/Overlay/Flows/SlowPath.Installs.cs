using System;
using Genkan.Nat;
using Genkan.Overlay.Simulation;
using Genkan.Wire;

namespace Genkan.Overlay.Flows;

/// <content>What a simulation leaves in the kernel's tables, and what its translations count.</content>
public sealed partial class SlowPath
{
    /// <summary>
    /// Writes the entry of a flow in the place of one that the kernel found, with the answer's before it if the answer
    /// enters here.
    /// </summary>
    private InstallOutcome Install(in FlowKey key, EtherType etherType, ConnectionState found, uint nextHop)
    {
        FlowAction action = FlowTranslator.Action(key, _result, nextHop, StampOf(_result), found);
        if (found != ConnectionState.Reply && FlowTranslator.TryGetMask(_result, out FlowMask mask))
            return InstallClass(mask, etherType, key, action);

        // Counted before the entry is there: it then never names a translation that could end.
        bool holds = SourceBinding.TryRead(Topology, key, action, out NatBinding binding);
        if (holds && !_nat.Retain(binding)) return InstallOutcome.Failed;

        bool hasReply = TryDecideReply(key, out FlowKey reply, out FlowAction replyAction);
        InstallOutcome outcome = InstallLocked(hasReply, reply, replyAction, key, action, isReplyNew: false);
        if (outcome == InstallOutcome.Installed) _counters.Installs++;
        else if (holds) _nat.Release(binding, _datapath.Now);
        return outcome;
    }

    /// <summary>Writes what the table did not take as new, and undoes the answer's entry if the flow's own finds no
    /// room.</summary>
    private InstallOutcome InstallLocked(
        bool hasReply,
        in FlowKey reply,
        in FlowAction replyAction,
        in FlowKey key,
        in FlowAction action,
        bool isReplyNew)
    {
        ref readonly FlowKey other = ref hasReply ? ref reply : ref key;
        _shared.Locks.Enter(key, other);
        try
        {
            InstallOutcome outcome = InstallOutcome.Installed;
            if (hasReply && !isReplyNew) outcome = Put(reply, replyAction, out isReplyNew);
            if (outcome == InstallOutcome.Installed) outcome = Replace(key, action);

            // Who else handles this connection has its locks, and has then written both or none.
            bool isUnused = outcome != InstallOutcome.Installed && isReplyNew && !_datapath.TryFind(key, out _);
            if (isUnused && _datapath.TryFind(reply, out FlowEntry unused)) Remove(unused);
            return outcome;
        }
        finally
        {
            _shared.Locks.Exit(key, other);
        }
    }

    private InstallOutcome Put(in FlowKey key, in FlowAction action, out bool isNew)
    {
        InstallOutcome outcome = _datapath.InstallNew(key, action);
        isNew = outcome == InstallOutcome.Installed;
        return outcome == InstallOutcome.Exists ? Replace(key, action) : outcome;
    }

    /// <summary>A verdict of drop. It takes the place of the entry that it was made for, and of no other.</summary>
    /// <returns>Whether the table has one entry more.</returns>
    private bool InstallDrop(in FlowKey key, in FlowAction action)
    {
        Settle();
        InstallOutcome outcome = _datapath.InstallNew(key, action);
        if (outcome != InstallOutcome.Exists) return outcome == InstallOutcome.Installed;
        _shared.Locks.Enter(key, key);
        try
        {
            // Another worker may have made a connection of it meanwhile: its answer must not meet this verdict.
            if (!_datapath.TryFind(key, out FlowEntry entry) || entry.Action.State == action.State)
                Replace(key, action);
            return false;
        }
        finally
        {
            _shared.Locks.Exit(key, key);
        }
    }

    // With the key's lock: what the entry in its place held ends with it.
    private InstallOutcome Replace(in FlowKey key, in FlowAction action)
    {
        bool wasHeld = TryFindHeld(key, out NatBinding held);
        InstallOutcome outcome = _datapath.Install(key, action);
        if (wasHeld && outcome == InstallOutcome.Installed) _nat.Release(held, _datapath.Now);
        return outcome;
    }

    private InstallOutcome InstallClass(FlowMask mask, EtherType etherType, in FlowKey key, in FlowAction action)
    {
        // An exact entry would hide the class: a stale one sends every packet up.
        if (_datapath.TryFind(key, out _)) RemoveHiding(key);
        InstallOutcome outcome = _datapath.InstallClass(mask, (ushort)etherType, key, action);
        if (outcome == InstallOutcome.Installed) _counters.Installs++;
        return outcome;
    }

    private void RemoveHiding(in FlowKey key)
    {
        _shared.Locks.Enter(key, key);
        try
        {
            if (_datapath.TryFind(key, out FlowEntry hiding)) Remove(hiding);
        }
        finally
        {
            _shared.Locks.Exit(key, key);
        }
    }

    /// <summary>The translation that an entry holds which is about to be replaced: also one that the kernel did not
    /// meet, since two first packets of a flow may wait in the rings.</summary>
    private bool TryFindHeld(in FlowKey key, out NatBinding held)
    {
        held = default;
        return _shared.Zones.Count > 0
            && _datapath.TryFind(key, out FlowEntry old)
            && SourceBinding.TryRead(Topology, key, old.Action, out held);
    }

    /// <summary>What the answer's entry will be, if the answer enters here.</summary>
    private bool TryDecideReply(in FlowKey own, out FlowKey key, out FlowAction action)
    {
        (key, action) = (default, default);
        if (_result.State != ConnectionState.Forward || own.Fragment == FragmentKind.Later) return false;
        ref PacketHeader leaving = ref _result.Packet;
        if (!ReplyIngress.TryFind(
                Topology,
                _datapath,
                _result.Egress,
                leaving.Source,
                leaving.SourcePort,
                out Ingress ingress,
                out DatapathPort port))
        {
            return false;
        }

        // By its key alone: the length and hop limit of the packet in hand are not the reply's.
        key = ReplyIngress.KeyOf(port, own, leaving);
        PacketHeader reply = FlowTranslator.Entering(key);
        Simulator.Simulate(
            Topology, _connections, _nat, ingress, reply, ReadOnlySpan<byte>.Empty, _datapath.Now, _replyResult);
        bool isForwarded = _replyResult.Verdict == SimulationVerdict.Forward && _replyResult.IsCacheable;
        uint nextHop = isForwarded ? _datapath.NextHop(_replyResult.Egress, _replyResult.Targets) : 0;

        // What cannot be forwarded now is told apart from a stranger's packet all the same, as on a host that had the
        // commit bit.
        action = nextHop == 0
            ? FlowTranslator.ReplyState
            : FlowTranslator.Action(key, _replyResult, nextHop, StampOf(_replyResult), ConnectionState.Reply);
        return true;
    }
}
