using System;
using System.Collections.Generic;
using Genkan.Overlay.Flows;
using Genkan.Wire;

namespace Genkan.Testing.Reference;

/// <content>To the agent (upcall.h), within budgets (budget.h).</content>
internal sealed partial class Interpreter
{
    private const uint Truncated = 1, FromCommit = 2, FromTunnelFlag = 4;
    private const uint Leaving = 8;
    private const int HeadersOnly = 192;

    /// <summary>
    /// A new flow's first packet goes up alone, a few of the same flow wait behind it, and no more; what is control
    /// has a lane of each budget and a ring of its own.
    /// </summary>
    private Fate ToAgent(Flow f, UpcallKind kind)
    {
        if (kind == UpcallKind.Miss && !f.IsControl) return NewFlow(f);
        if (kind == UpcallKind.Fragment)
        {
            int refused = Take(f, f.Budget, static b => b.Flows, Cost(f));
            return refused > 0 ? Drop(ReasonOf(f, refused)) : Up(f, kind, isControl: false);
        }

        // From far away nobody may spend the control time of an uplink's own budget, which is its neighbours'.
        bool isControl = !f.IsFromOutside || f.Budget >= Limits.DestinationBudgets;
        if (Take(f, f.Budget, b => isControl ? b.Control : b.Flows, Cost(f)) > 0) return Drop(DropReason.BudgetControl);
        return Up(f, kind == UpcallKind.Miss ? UpcallKind.Control : kind, isControl: true);
    }

    private Fate NewFlow(Flow f)
    {
        if (f.Budget >= Limits.Budgets) return Drop(ReasonOf(f, 1));
        if (Tables.Budgets.TryGetValue(f.Budget, out BudgetState? budget) && budget.Flows.IsSpent)
        {
            budget.Flows.Refuse();
            return Drop(ReasonOf(f, 1));
        }

        ulong digest = Tables.Digest(f.Key, f.EtherType);
        bool isFollower = Tables.Pending.TryGetValue(digest, out int followers);
        int room = f.Fragment == FragmentKind.None ? Limits.Followers : Limits.FollowingFragments;
        if (isFollower) Coverage.Found("pending");
        if (isFollower && followers >= room) return Drop(DropReason.Pending);
        int refused = Take(f, f.Budget, static b => b.Flows, Cost(f));
        if (refused > 0) return Drop(ReasonOf(f, refused));

        Tables.Pending[digest] = isFollower ? followers + 1 : 0;
        Fate fate = Up(f, isFollower ? UpcallKind.Follower : UpcallKind.Miss, isControl: false);
        // Nobody will simulate this one, so nobody should wait for it.
        if (fate.Kind == FateKind.Drop && !isFollower) Tables.Pending.Remove(digest);
        return fate;
    }

    private static DropReason ReasonOf(Flow f, int level) => level > 1
        ? DropReason.BudgetTenant
        : f.Budget >= Limits.DestinationBudgets ? DropReason.BudgetDestination : DropReason.BudgetPort;

    private static uint Cost(Flow f) => 1 + ((uint)f.Frame.Length / Limits.BudgetOctets);

    private Fate Up(Flow f, UpcallKind kind, bool isControl) =>
        SendUp(f, kind, isControl, 0) ? new Fate(FateKind.Upcall) : Drop(DropReason.RingFull);

    private bool SendUp(Flow f, UpcallKind kind, bool isControl, uint classId)
    {
        if (isControl ? Tables.World.IsControlRingFull : Tables.World.IsDataRingFull) return false;
        int captured = kind == UpcallKind.Revalidate ? Math.Min(f.Frame.Length, HeadersOnly) : f.Frame.Length;
        Tables.Upcalls.Add(new UpcallSeen(
            isControl, kind, f.Slot, f.State, f.UpcallFlags | (captured < f.Frame.Length ? Truncated : 0),
            (uint)f.Frame.Length, f.GsoSize, f.GsoSegments, f.VlanTci is { } tci ? tci | 0x10000u : 0, f.VtepHost,
            (uint)Tables.Digest(f.Key, f.EtherType))
        {
            ClassId = classId,
            Mtu = kind == UpcallKind.TooBig ? f.Mtu : 0,
            NextHop = kind is UpcallKind.TooBig or UpcallKind.HopLimit ? f.NextHop : 0,
            Budget = kind == UpcallKind.Revalidate ? 0 : f.Budget,
            Frame = Convert.ToHexString(f.Frame.AsSpan(0, captured)),
        });
        Coverage.Met(kind);
        Coverage.Found(isControl ? "upcall_control" : "upcall_data");
        Tables.Count(f.Slot, c => c with { UpcallPackets = c.UpcallPackets + f.Packets });
        return true;
    }

    /// <summary>
    /// Asks a budget and the totals above it. What a higher one refuses is given back below. The agent's own packets
    /// were paid for when they came up.
    /// </summary>
    /// <returns>0, or the level that refused: 1 the budget's own.</returns>
    private int Take(Flow f, uint index, Func<BudgetState, Lane> laneOf, uint cost)
    {
        if (f.IsFromAgent) return 0;
        List<Lane> admitted = [];
        for (int level = 1; level <= Limits.BudgetLevels; level++)
        {
            if (index >= Limits.Budgets) return Refuse(level);
            if (!Tables.Budgets.TryGetValue(index, out BudgetState? budget)) return 0;
            Coverage.Found("budget");
            if (!laneOf(budget).Take(cost)) return Refuse(level);
            admitted.Add(laneOf(budget));
            index = budget.Parent;
            if (index == 0) break;
        }

        return 0;

        int Refuse(int level)
        {
            if (admitted.Count > 0) Coverage.Met("given back below a total");
            foreach (Lane lane in admitted) lane.GiveBack(cost);
            return level;
        }
    }
}
