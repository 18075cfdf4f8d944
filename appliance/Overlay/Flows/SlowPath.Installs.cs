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

        bool wasHeld = TryFindHeld(key, out NatBinding held);
        bool holds = SourceBinding.TryRead(_topology, key, action, out NatBinding binding);
        bool isNew = holds && !(wasHeld && held == binding);
        if (isNew && !_nat.Retain(binding)) return InstallOutcome.Failed;

        bool hasReply = false;
        FlowKey reply = default;
        InstallOutcome outcome = InstallOutcome.Installed;
        if (_result.State == ConnectionState.Forward && key.Fragment != FragmentKind.Later)
            outcome = InstallReply(key, out reply, out hasReply);
        if (outcome == InstallOutcome.Installed) outcome = _datapath.Install(key, action);
        if (outcome == InstallOutcome.Installed)
        {
            _counters.Installs++;
            if (wasHeld && (isNew || !holds)) _nat.Release(held, _datapath.Now);
            return outcome;
        }

        if (hasReply) UndoReply(reply);
        if (isNew) _nat.Release(binding, _datapath.Now);
        return outcome;
    }

    // An entry with state has been counted; so has one that is there without.
    private bool IsForwarded(in FlowKey key) =>
        _datapath.TryFind(key, out FlowEntry entry) && entry.Action.Verdict == FlowVerdict.Forward;

    private InstallOutcome InstallClass(FlowMask mask, EtherType etherType, in FlowKey key, in FlowAction action)
    {
        // An exact entry would hide the class: a stale one sends every packet up.
        if (_datapath.TryFind(key, out FlowEntry hiding)) Remove(hiding);
        InstallOutcome outcome = _datapath.InstallClass(mask, (ushort)etherType, key, action);
        if (outcome == InstallOutcome.Installed) _counters.Installs++;
        return outcome;
    }

    /// <summary>The translation that an entry holds which is about to be replaced: also one that the kernel did not
    /// meet, since
    /// two first packets of a flow may wait in the ring.</summary>
    private bool TryFindHeld(in FlowKey key, out NatBinding held)
    {
        held = default;
        return _zones.Count > 0
            && _datapath.TryFind(key, out FlowEntry old)
            && SourceBinding.TryRead(_topology, key, old.Action, out held);
    }

    private InstallOutcome InstallReply(in FlowKey own, out FlowKey key, out bool isInstalled)
    {
        (key, isInstalled) = (default, false);
        ref PacketHeader leaving = ref _result.Packet;
        if (!ReplyIngress.TryFind(
                _topology,
                _datapath,
                _result.Egress,
                leaving.Source,
                leaving.SourcePort,
                out Ingress ingress,
                out DatapathPort port))
        {
            return InstallOutcome.Installed;
        }

        // By its key alone: the length and hop limit of the packet in hand are not the reply's.
        key = ReplyIngress.KeyOf(port, own, leaving);
        PacketHeader reply = FlowTranslator.Entering(key);
        Simulator.Simulate(
            _topology, _connections, _nat, ingress, reply, ReadOnlySpan<byte>.Empty, _datapath.Now, _replyResult);
        bool isForwarded = _replyResult.Verdict == SimulationVerdict.Forward && _replyResult.IsCacheable;
        uint nextHop = isForwarded ? _datapath.NextHop(_replyResult.Egress, _replyResult.Targets) : 0;

        // What cannot be forwarded now is told apart from a stranger's packet all the same, as on a host that had the
        // commit bit.
        FlowAction action = FlowTranslator.ReplyState;
        if (nextHop != 0)
        {
            action = FlowTranslator.Action(key, _replyResult, nextHop, StampOf(_replyResult), ConnectionState.Reply);
        }

        InstallOutcome outcome = _datapath.Install(key, action);
        isInstalled = outcome == InstallOutcome.Installed;
        return outcome;
    }

    // An entry that has carried packets was there before, for a connection that lives.
    private void UndoReply(in FlowKey reply)
    {
        if (_datapath.TryFind(reply, out FlowEntry entry) && entry.Packets == 0) _datapath.Remove(reply);
    }
}
