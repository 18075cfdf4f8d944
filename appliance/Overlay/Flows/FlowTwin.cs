using Genkan.Overlay.Simulation;
using Genkan.Overlay.Topology;
using Genkan.Wire;

namespace Genkan.Overlay.Flows;

/// <summary>The entry of a connection's other direction.</summary>
internal static class FlowTwin
{
    /// <summary>Finds it.</summary>
    /// <param name="topology">Current topology.</param>
    /// <param name="datapath">The kernel's tables.</param>
    /// <param name="entry">One direction.</param>
    /// <param name="twin">The other; <c>default</c> if not found.</param>
    /// <returns>False if its packets enter at another host, or there is none yet.</returns>
    public static bool TryFind(
        TopologySnapshot topology, IDatapath datapath, in FlowEntry entry, out FlowEntry twin)
    {
        twin = default;
        return TryFindPort(topology, datapath, entry, out PacketHeader leaving, out DatapathPort port)
            && datapath.TryFind(ReplyIngress.KeyOf(port, entry.Key, leaving), out twin);
    }

    /// <summary>Whether an originator's answers enter at this host, so that there is an entry for them
    /// here.</summary>
    /// <param name="topology">Current topology.</param>
    /// <param name="datapath">The kernel's tables.</param>
    /// <param name="entry">The originator's entry.</param>
    public static bool IsHere(TopologySnapshot topology, IDatapath datapath, in FlowEntry entry) =>
        entry.Action.State == ConnectionState.Forward && TryFindPort(topology, datapath, entry, out _, out _);

    private static bool TryFindPort(
        TopologySnapshot topology,
        IDatapath datapath,
        in FlowEntry entry,
        out PacketHeader leaving,
        out DatapathPort port)
    {
        (leaving, port) = (default, default);
        if (entry.Action.Verdict != FlowVerdict.Forward) return false;
        if (!datapath.TryGetNextHop(entry.Action.NextHop, out Egress egress)) return false;
        leaving = FlowTranslator.Leaving(entry.Key, entry.Action);
        return ReplyIngress.TryFind(
            topology, datapath, egress, leaving.Source, leaving.SourcePort, out _, out port);
    }
}
