using System.Collections.Generic;
using Genkan.Nat;
using Genkan.Overlay.Topology;

namespace Genkan.Overlay.Flows;

/// <summary>
/// What the workers of one agent share: the topology in force, translations, flow classes, shares of the tables. All of
/// it is safe while workers handle packets in parallel; what stands here as a plain property is written only while
/// none does (see <see cref="SlowPath"/>).
/// </summary>
internal sealed class SlowPathState
{
    private readonly List<SlowPath> _workers = [];

    /// <summary>Makes the state of an agent.</summary>
    /// <param name="datapath">The kernel's tables.</param>
    /// <param name="nat">Translations of this host.</param>
    /// <param name="classes">Flow classes.</param>
    /// <param name="topology">First topology.</param>
    /// <param name="seed">Where identifications begin.</param>
    public SlowPathState(
        IDatapath datapath, NatTable nat, FlowClasses classes, TopologySnapshot topology, ulong seed)
    {
        (Nat, Classes, Topology) = (nat, classes, topology);
        Identifications = new Identifications(seed);
        Quota = new ConnectionQuota(datapath);
        Quota.Apply(topology);
    }

    /// <summary>The topology that packets are simulated against; replaced only while no worker handles.</summary>
    public TopologySnapshot Topology { get; set; }

    /// <summary>Translations of this host.</summary>
    public NatTable Nat { get; }

    /// <summary>Flow classes.</summary>
    public FlowClasses Classes { get; }

    /// <summary>Shares of the connection tables.</summary>
    public ConnectionQuota Quota { get; }

    /// <summary>What comes of new flows, by the budget that paid for them.</summary>
    public FlowSamples Samples { get; } = new(FlowLimits.Budgets);

    /// <summary>Classes whose flows are to be simulated again.</summary>
    public Revalidations Revalidations { get; } = new();

    /// <summary>Share of each port of the ICMP errors that virtual routers send about its packets (RFC 1812
    /// §4.3.2.8, RFC 4443 §2.4 (f)).</summary>
    public PortLimit ErrorLimit { get; } = new(FlowLimits.IcmpErrorsPerSecond, FlowLimits.IcmpErrorsBurst);

    /// <summary>Share of each port of the DHCP messages that are looked at: no other packets cost garbage.</summary>
    public PortLimit DhcpLimit { get; } = new(FlowLimits.DhcpMessagesPerSecond, FlowLimits.DhcpMessagesBurst);

    /// <summary>Fragments that wait for their first one.</summary>
    public FragmentQueue Waiting { get; } = new();

    /// <summary>Share of each port of the packets that the agent cuts.</summary>
    public PortLimit Cutting { get; } = new(FlowLimits.CutPacketsPerSecond, FlowLimits.CutPacketsBurst);

    /// <summary>New identifications of translated packets that the agent cuts.</summary>
    public Identifications Identifications { get; }

    /// <summary>Connections whose entries are being replaced.</summary>
    public FlowLocks Locks { get; } = new();

    /// <summary>Routers that translate with ports of this host; changed only while no worker handles.</summary>
    public HashSet<ObjectId> Zones { get; } = [];

    /// <summary>What all workers have done so far.</summary>
    public SlowPathCounters Total
    {
        get
        {
            SlowPathCounters total = default;
            foreach (SlowPath worker in _workers) total += worker.Counters;
            return total;
        }
    }

    /// <summary>Adds a worker; before the first packet.</summary>
    public void Join(SlowPath worker) => _workers.Add(worker);
}
