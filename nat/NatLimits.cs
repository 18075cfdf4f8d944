namespace Genkan.Nat;

/// <summary>How large a <see cref="NatTable"/> may grow. All memory is taken at construction.</summary>
public sealed record NatLimits
{
    /// <summary>Random ports tried before the scan for a free one (RFC 6056 §3.3.1 asks for random first).</summary>
    public const int RandomTriesMax = 16;

    /// <summary>Blocks that one zone may have on one host.</summary>
    public const int BlocksPerZoneMax = 1_024;

    /// <summary>The last ports of an address (all divided by this) are for ports that hold fewer mappings than are
    /// left, the last room in the table for zones that do: neither takes everything from the others.</summary>
    public const int ReservedShare = 16;

    /// <summary>The defaults.</summary>
    public static NatLimits Default { get; } = new();

    /// <summary>Mappings of all zones together; about 160 octets each.</summary>
    public int BindingsMax { get; init; } = 131_072;

    /// <summary>Mappings of one internal address in one zone, over all protocols (RFC 6888 §3, REQ-4).</summary>
    public int BindingsPerSourceMax { get; init; } = 4_096;

    /// <summary>A UDP port that no address gives out, though its block has it: answers to it would not come back
    /// (RFC 4787 §4.1, REQ-1 needs a mapping that works); 0 for none.</summary>
    public ushort WithheldUdpPort { get; init; }
}
