using Genkan.Nat;
using Genkan.Overlay.Topology;

namespace Genkan.Overlay.Flows;

/// <summary>The translation that an entry of the connection table uses, if it is the forward entry of a dynamic source
/// NAT.</summary>
internal static class SourceBinding
{
    /// <summary>Reads the binding from the entry itself. The NAT table need not know it: before adoption, after
    /// revocation.</summary>
    public static bool TryRead(TopologySnapshot topology, in FlowKey key, in FlowAction action, out NatBinding binding)
    {
        binding = default;
        if (action.State != ConnectionState.Forward || action.Verdict != FlowVerdict.Forward) return false;
        if ((action.Rewrites & Rewrites.Source) == Rewrites.None || action.Zone == 0) return false;
        if (!topology.TryGetZone(action.Zone, out ObjectId router)) return false;

        ushort port = (action.Rewrites & Rewrites.SourcePort) != Rewrites.None ? action.SourcePort : key.SourcePort;
        if (!topology.TryGetNatOwner(action.Source, port, out _)) return false;
        binding = new NatBinding(router.Value, key.Protocol, key.Source, key.SourcePort, action.Source, port);
        return true;
    }
}
