using System.Collections.Generic;
using Genkan.Overlay.Flows;

namespace Genkan.Testing.Reference;

/// <summary>What packets have met so far: an agreement about what no packet reaches proves nothing.</summary>
internal sealed class Coverage
{
    /// <summary>Fates by program.</summary>
    public Dictionary<(Hook Hook, FateKind Kind), int> Fates { get; } = [];

    /// <summary>Drops, and copies left out of a list.</summary>
    public Dictionary<DropReason, int> Reasons { get; } = [];

    public Dictionary<UpcallKind, int> Upcalls { get; } = [];

    /// <summary>What was rewritten, in packets of either family.</summary>
    public Dictionary<(Rewrites What, bool IsIpv6), int> Rewritten { get; } = [];

    public Dictionary<NextHopKind, int> WaysOut { get; } = [];

    public Dictionary<DeliveryKind, int> Deliveries { get; } = [];

    /// <summary>Masks of classes that were found.</summary>
    public Dictionary<FlowMask, int> Masks { get; } = [];

    /// <summary>Tables in which something was found, or whose limit was asked for.</summary>
    public Dictionary<string, int> Tables { get; } = [];

    /// <summary>Effects that are none of these, by name.</summary>
    public Dictionary<string, int> Effects { get; } = [];

    public void Met(UpcallKind kind) => Count(Upcalls, kind);

    public void Met(NextHopKind kind) => Count(WaysOut, kind);

    public void Met(DeliveryKind kind) => Count(Deliveries, kind);

    public void Met(FlowMask mask) => Count(Masks, mask);

    public void Met(string effect) => Count(Effects, effect);

    public void Found(string table) => Count(Tables, table);

    public void Met(DropReason reason) => Count(Reasons, reason);

    public void Met(Hook hook, Fate fate)
    {
        Count(Fates, (hook, fate.Kind));
        if (fate.Kind == FateKind.Drop) Met(fate.Reason);
    }

    public void Met(Rewrites rewrites, bool isIpv6)
    {
        for (int bit = 1; bit < 1 << 7; bit <<= 1)
        {
            if (((int)rewrites & bit) != 0) Count(Rewritten, ((Rewrites)bit, isIpv6));
        }
    }

    private static void Count<T>(Dictionary<T, int> counts, T what)
        where T : notnull => counts[what] = counts.GetValueOrDefault(what) + 1;
}
