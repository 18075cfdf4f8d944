using System;
using Genkan.Datapath.Layout;

namespace Genkan.Datapath.Tables;

/// <summary>Named limits and rates of the kernel tables of one host.</summary>
public static class DatapathLimits
{
    /// <summary>New flows of a port, a destination object or another host, before the first turn sets a fair
    /// share.</summary>
    public static readonly BudgetRate PortFlows = new(20_000, 2_000);

    /// <summary>Control packets (ARP, ND, DHCP, ICMP for the agent) of a port, a destination object or another host at
    /// most.</summary>
    public static readonly BudgetRate PortControl = new(1_000, 200);

    /// <summary>Copies of broadcasts that a port may cause.</summary>
    public static readonly BudgetRate PortCopies = new(50_000, 5_000);

    /// <summary>New flows of a tenant, before the first turn sets a fair share.</summary>
    public static readonly BudgetRate TenantFlows = new(50_000, 5_000);

    /// <summary>Control packets of a tenant at most.</summary>
    public static readonly BudgetRate TenantControl = new(4_000, 800);

    /// <summary>Copies of broadcasts that a tenant may cause.</summary>
    public static readonly BudgetRate TenantCopies = new(100_000, 10_000);

    /// <summary>New flows of all, before the first turn sets what the agent can take.</summary>
    public static readonly BudgetRate HostFlows = new(100_000, 10_000);

    /// <summary>Control packets of all: a number of VMs, however large, does not load the agent with more.</summary>
    public static readonly BudgetRate HostControl = new(10_000, 2_000);

    /// <summary>Copies of broadcasts of all.</summary>
    public static readonly BudgetRate HostCopies = new(200_000, 20_000);

    /// <summary>Packets to one of the host's own services on an uplink (control-plane policing).</summary>
    public static readonly BudgetRate Service = new(1_000, 200);

    /// <summary>New flows a second that a port has even if they come to nothing and no processor is idle …</summary>
    public const double SpeculativeFlowsPerSecond = 1_000;

    /// <summary>… as long as all such together have no more than this part of what the agent can take.</summary>
    public const double SpeculativeShare = 0.01;

    /// <summary>The host's total stands so far above the shares: a safeguard, not a share.</summary>
    public const double HostHeadroom = 1.25;

    /// <summary>A burst is what the rate gives in this time, in seconds, …</summary>
    public const double BurstSeconds = 0.02;

    /// <summary>… at least so many …</summary>
    public const double BurstMin = 256;

    /// <summary>… and at most.</summary>
    public const double BurstMax = 4_096;

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
