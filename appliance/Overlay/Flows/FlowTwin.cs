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
        if (entry.Action.Verdict != FlowVerdict.Forward) return false;
        if (!datapath.TryGetNextHop(entry.Action.NextHop, out Egress egress)) return false;

        PacketHeader leaving = FlowTranslator.Leaving(entry.Key, entry.Action);
        return ReplyIngress.TryFind(
                topology, datapath, egress, leaving.Source, leaving.SourcePort, out _, out DatapathPort port)
            && datapath.TryFind(ReplyIngress.KeyOf(port, entry.Key, leaving), out twin);
    }
}
