namespace Genkan.Datapath.Layout;

/// <summary>The numbers of <c>flow_types.h</c>; a test compares them with the header.</summary>
internal static class LayoutLimits
{
    /// <summary>LAYOUT_VERSION: of the meaning of the tables; their fields are carried over by name.</summary>
    internal const uint LayoutVersion = 2;

    /// <summary>COMPATIBLE_VERSION: agents of this layout and later can take over what we write.</summary>
    internal const uint CompatibleVersion = 2;

    /// <summary>FENCE_SECONDS: without a heartbeat for so long, nothing goes from one external segment to
    /// another.</summary>
    internal const int FenceSeconds = 10;

    /// <summary>PORT_MAX: ports of one host; slot 0 is never used.</summary>
    internal const int PortMax = 4096;

    /// <summary>NEXTHOP_MAX; index 0 is never used.</summary>
    internal const int NexthopMax = 65536;

    /// <summary>DELIVERY_MAX: slots of tunnel keys.</summary>
    internal const int DeliveryMax = 65536;

    /// <summary>CLASS_MAX: flow classes.</summary>
    internal const int ClassMax = 65536;

    /// <summary>REPLICATION_MAX: replication lists.</summary>
    internal const int ReplicationMax = 1024;

    /// <summary>REPLICATION_TARGETS_MAX.</summary>
    internal const int ReplicationTargetsMax = 32;

    /// <summary>BUDGET_MAX.</summary>
    internal const int BudgetMax = 12288;

    /// <summary>BUDGET_DESTINATION_AT: below it one budget a port slot.</summary>
    internal const int BudgetDestinationAt = 4096;

    /// <summary>BUDGET_TOTAL_AT: the host's total; behind it those of tenants.</summary>
    internal const int BudgetTotalAt = 8192;

    /// <summary>NAT_GRANULE_SHIFT: a granule of the owner table is 64 ports.</summary>
    internal const int NatGranuleShift = 6;

    /// <summary>NAT_FORWARDED: what stands in place of an owner for ports that are forwarded.</summary>
    internal const uint NatForwarded = 0;

    /// <summary>NAT_ADDRESS_ITSELF: the granule that marks a NAT address.</summary>
    internal const ushort NatAddressItself = 0xffff;

    /// <summary>ANY_PORT of a local service.</summary>
    internal const ushort AnyPort = 0;

    /// <summary>DROP_REASON_MAX: counters of drops a port has.</summary>
    internal const int DropReasonMax = 96;

    /// <summary>CLASS_MASKS.</summary>
    internal const int ClassMasks = 5;

    /// <summary>INSTALL_WORKERS: shares of <c>install</c>.</summary>
    internal const int InstallWorkers = 16;

    /// <summary>INSTALL_BATCH: entries that one worker adds in one call.</summary>
    internal const int InstallBatch = 128;

    /// <summary>MARK_KIND_SHIFT.</summary>
    internal const int MarkKindShift = 28;

    /// <summary>MARK_ARG_MASK.</summary>
    internal const uint MarkArgMask = 0x07ffffff;

    /// <summary>MARK_COMMIT: with <see cref="MarkKind.Output"/>, set the commit bit on the tunnel.</summary>
    internal const uint MarkCommit = 0x0800_0000;

    /// <summary>DIGEST_FACTOR.</summary>
    internal const ulong DigestFactor = 0x9e3779b97f4a7c15;

    /// <summary>FRAGMENT_UNITS: 8-octet units of the longest datagram.</summary>
    internal const int FragmentUnits = 8192;

    /// <summary>FRAGMENT_WORDS.</summary>
    internal const int FragmentWords = FragmentUnits / 64;

    /// <summary>FRAGMENT_SHARE: datagrams in pieces that a port may begin at once.</summary>
    internal const int FragmentShare = 128;

    /// <summary>Bit of <see cref="NeighbourKey.Bridge"/> that tells an uplink's key port from a bridge.</summary>
    internal const uint NeighbourUplink = 0x8000_0000;
}
