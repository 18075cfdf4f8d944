using Genkan.Wire;

namespace Genkan.Overlay.Flows;

/// <summary>Drop reasons for faults that other rooms name.</summary>
public static class DropReasons
{
    /// <summary>The reason under which a frame is counted that does not decode.</summary>
    public static DropReason Of(PacketFault fault) => fault switch
    {
        PacketFault.None => DropReason.None,
        PacketFault.Truncated => DropReason.Truncated,
        PacketFault.NestedVlan => DropReason.NestedVlan,
        PacketFault.BadHeaderChecksum => DropReason.BadChecksum,
        _ => DropReason.Malformed,
    };
}
