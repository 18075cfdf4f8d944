using System;
using Genkan.Datapath.Layout;

namespace Genkan.Datapath.Tables;

/// <summary>Named limits and rates of the kernel tables of one host.</summary>
public static class DatapathLimits
{
    /// <summary>First packets of new flows that a port may send up, a second.</summary>
    public const uint PortFlowsPerSecond = 20_000;

    /// <summary>New flows that a port may send up at once.</summary>
    public const uint PortFlowsBurst = 2_000;

    /// <summary>New flows from outside that one destination object (floating IP, prefix) may cause, a second.</summary>
    public const uint DestinationFlowsPerSecond = 5_000;

    /// <summary>New flows from outside that one destination object may cause at once.</summary>
    public const uint DestinationFlowsBurst = 1_000;

    /// <summary>Packets a second to one of the host's own services on an uplink (control-plane policing).</summary>
    public const uint ServicePacketsPerSecond = 1_000;

    /// <summary>Packets at once to one of the host's own services.</summary>
    public const uint ServicePacketsBurst = 200;

    /// <summary>New flows a second that one other host may send up through its tunnel.</summary>
    public const uint VtepFlowsPerSecond = 20_000;

    /// <summary>New flows that one other host may send up at once.</summary>
    public const uint VtepFlowsBurst = 5_000;

    /// <summary>Flow classes, class 0 included; ids handed to <see cref="KernelDatapath.Stamp"/> stay below.</summary>
    public const int ClassMax = LayoutLimits.ClassMax;

    /// <summary>Entries that one batched call of the kernel reads or writes.</summary>
    public const int BatchEntryMax = 1024;

    /// <summary>Octets of all upcall rings together, divided by the CPUs.</summary>
    public const uint RingOctetsTotal = 16 << 20;

    /// <summary>Octets of one upcall ring, at least: the largest record is a whole GSO frame.</summary>
    public const uint RingOctetsMin = 256 << 10;

    /// <summary>Workers at most, whatever the number of cores: beyond that their shared locks cost more than a core
    /// gives.</summary>
    public const int WorkersMax = LayoutLimits.InstallWorkers;

    /// <summary>Octets of an interface name (IFNAMSIZ less the final zero).</summary>
    public const int InterfaceNameMax = 15;

    /// <summary>A class entry without packets for so long goes.</summary>
    public static readonly TimeSpan ClassIdle = TimeSpan.FromSeconds(60);

    /// <summary>A class entry that drops is simulated again after so long.</summary>
    public static readonly TimeSpan ClassDropAge = TimeSpan.FromSeconds(10);

    /// <summary>Seconds at least between two searches for next hops that no flow uses any more.</summary>
    public const int ReclaimIntervalSeconds = 10;
}
