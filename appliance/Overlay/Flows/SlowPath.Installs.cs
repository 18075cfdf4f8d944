using System;
using Genkan.Nat;
using Genkan.Overlay.Simulation;
using Genkan.Wire;

namespace Genkan.Overlay.Flows;

/// <content>What a simulation leaves in the kernel's tables, and what its translations count.</content>
public sealed partial class SlowPath
{
    /// <summary>
    /// Writes the reply's entry if the reply enters here, then the packet's own; undoes the first if the second fails.
    /// </summary>
    private InstallOutcome Install(in FlowKey key, EtherType etherType, ConnectionState found, uint nextHop)
    {
        FlowAction action = FlowTranslator.Action(key, _result, nextHop, StampOf(_result), found);
        if (found != ConnectionState.Reply && FlowTranslator.TryGetMask(_result, out FlowMask mask))
            return InstallClass(mask, etherType, key, action);

        if (found == ConnectionState.None && !Quota.TryTake(key) && !IsForwarded(key)) return InstallOutcome.Full;

        // Counted before the entry is there: it then never names a translation that could end.
        bool holds = SourceBinding.TryRead(Topology, key, action, out NatBinding binding);
        if (holds && !_nat.Retain(binding)) return InstallOutcome.Failed;

        FlowKey reply = default;
        FlowAction replyAction = default;
        bool hasReply = _result.State == ConnectionState.Forward && key.Fragment != FragmentKind.Later
            && TryDecideReply(key, out reply, out replyAction);
        InstallOutcome outcome = hasReply
            ? InstallBoth(reply, replyAction, key, action)
            : InstallOne(key, action, found);
        if (outcome == InstallOutcome.Installed) _counters.Installs++;
        else if (holds) _nat.Release(binding, _datapath.Now);
        return outcome;
    }

    /// <summary>Both directions, the reply's entry first. In the usual case neither is there yet, and the table says
    /// so.</summary>
    private InstallOutcome InstallBoth(
        in FlowKey reply, in FlowAction replyAction, in FlowKey key, in FlowAction action)
    {
        InstallOutcome outcome = _datapath.InstallNew(reply, replyAction);
        bool isReplyNew = outcome == InstallOutcome.Installed;
        if (isReplyNew) outcome = _datapath.InstallNew(key, action);
        if (outcome == InstallOutcome.Installed || (outcome != InstallOutcome.Exists && !isReplyNew)) return outcome;

        _shared.Locks.Enter(key, reply);
        try
        {
            if (!isReplyNew) outcome = Put(reply, replyAction, out isReplyNew);
            if (outcome is InstallOutcome.Installed or InstallOutcome.Exists) outcome = Replace(key, action);

            // Who else handles this connection has its locks, and has then written both or none.
            bool isUnused = outcome != InstallOutcome.Installed && isReplyNew && !_datapath.TryFind(key, out _);
            if (isUnused && _datapath.TryFind(reply, out FlowEntry unused)) Remove(unused);
            return outcome;
        }
        finally
        {
            _shared.Locks.Exit(key, reply);
        }
    }

    private InstallOutcome Put(in FlowKey key, in FlowAction action, out bool isNew)
    {
        InstallOutcome outcome = _datapath.InstallNew(key, action);
        isNew = outcome == InstallOutcome.Installed;
        return outcome == InstallOutcome.Exists ? Replace(key, action) : outcome;
    }

    private InstallOutcome InstallOne(in FlowKey key, in FlowAction action, ConnectionState found)
    {
        if (found == ConnectionState.None)
        {
            InstallOutcome outcome = _datapath.InstallNew(key, action);
            if (outcome != InstallOutcome.Exists) return outcome;
        }

        _shared.Locks.Enter(key, key);
        try
        {
            return Replace(key, action);
        }
        finally
        {
            _shared.Locks.Exit(key, key);
        }
    }

    /// <summary>A verdict of drop. It takes the place of the entry that it was made for, and of no other.</summary>
    private InstallOutcome InstallDrop(in FlowKey key, in FlowAction action)
    {
        InstallOutcome outcome = _datapath.InstallNew(key, action);
        if (outcome != InstallOutcome.Exists) return outcome;
        _shared.Locks.Enter(key, key);
        try
        {
            // Another worker may have made a connection of it meanwhile: its answer must not meet this verdict.
            return !_datapath.TryFind(key, out FlowEntry entry) || entry.Action.State == action.State
                ? Replace(key, action)
                : InstallOutcome.Exists;
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

    // An entry with state has been counted; so has one that is there without.
    private bool IsForwarded(in FlowKey key) =>
        _datapath.TryFind(key, out FlowEntry entry) && entry.Action.Verdict == FlowVerdict.Forward;

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
