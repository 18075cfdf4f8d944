namespace Genkan.Overlay.Flows;

/// <summary>What the slow path has done since the agent started.</summary>
public record struct SlowPathCounters
{
    /// <summary>Packets that the kernel sent up.</summary>
    public ulong Upcalls { get; set; }

    /// <summary>Packets simulated.</summary>
    public ulong Simulations { get; set; }

    /// <summary>Flows installed.</summary>
    public ulong Installs { get; set; }

    /// <summary>Installs that the kernel's tables refused.</summary>
    public ulong InstallsRefused { get; set; }

    /// <summary>Frames made by virtual devices: ARP, ND, DHCP, ICMP.</summary>
    public ulong Answers { get; set; }

    /// <summary>ICMP errors not sent, since their port had its share
    /// (<see cref="FlowLimits.IcmpErrorsPerSecond"/>).</summary>
    public ulong ErrorsWithheld { get; set; }

    /// <summary>Packets cut into fragments, since their way out did not take them whole.</summary>
    public ulong Fragmented { get; set; }

    /// <summary>Flows removed because they were idle.</summary>
    public ulong Expired { get; set; }

    /// <summary>Flows simulated again after a change.</summary>
    public ulong Revalidated { get; set; }

    /// <summary>Source translations that ended because their port block went to another host.</summary>
    public ulong TranslationsRevoked { get; set; }

    /// <summary>What two workers have done together.</summary>
    public static SlowPathCounters operator +(in SlowPathCounters a, in SlowPathCounters b) => Add(a, b);

    /// <summary>What two workers have done together.</summary>
    public static SlowPathCounters Add(in SlowPathCounters left, in SlowPathCounters right) => new()
    {
        Upcalls = left.Upcalls + right.Upcalls,
        Simulations = left.Simulations + right.Simulations,
        Installs = left.Installs + right.Installs,
        InstallsRefused = left.InstallsRefused + right.InstallsRefused,
        Answers = left.Answers + right.Answers,
        ErrorsWithheld = left.ErrorsWithheld + right.ErrorsWithheld,
        Fragmented = left.Fragmented + right.Fragmented,
        Expired = left.Expired + right.Expired,
        Revalidated = left.Revalidated + right.Revalidated,
        TranslationsRevoked = left.TranslationsRevoked + right.TranslationsRevoked,
    };
}

/// <summary>Named limits of the slow path.</summary>
public static class FlowLimits
{
    /// <summary>Drop verdicts that the connection table holds at a time.</summary>
    public const int NegativeEntriesMax = 16384;

    /// <summary>Of these, those of one port.</summary>
    public const int NegativeEntriesPerPort = 1024;

    /// <summary>One port, or one address from the outside, may hold so many entries of a table for each one that is
    /// free: alone three sevenths of the table (decision 0013).</summary>
    public const int PortPerFree = 1;

    /// <summary>All ports of one tenant together, all that comes from outside, or from other hosts: alone three fifths.
    /// So whatever number of tenants fills a table together, there is room for one more.</summary>
    public const int TenantPerFree = 2;

    /// <summary>What is free divided by this may an address from the outside hold whatever all others hold.</summary>
    public const int FreePerFew = 16;

    /// <summary>Deliveries from other hosts may add what is free divided by this in a pass of the sweep; it is not free
    /// for others meanwhile.</summary>
    public const int DeliveriesPerPass = 4;

    /// <summary>Drop verdicts hold at most the smallest table's room divided by this, one port a quarter of
    /// it.</summary>
    public const int NegativeShare = 4;

    /// <summary>Connections whose entries a worker keeps back to write them in one call of the kernel.</summary>
    public const int InstallBatch = 64;

    /// <summary>Entries in one call of the kernel: both directions of a batch of connections.</summary>
    public const int WriteBatch = 2 * InstallBatch;

    /// <summary>What others may open to one port: entries of its answers, a table's room divided by this. More than one
    /// port may open, so that one on the same host cannot use it up.</summary>
    public const int AnswerShare = 2;

    /// <summary>Connections looked at in one turn of the sweep.</summary>
    public const int SweepBatch = 512;

    /// <summary>Seconds that a pass of the sweep over a large table should take.</summary>
    public const double SweepPassSeconds = 20;

    /// <summary>The same where a share is scarce.</summary>
    public const double SweepScarceSeconds = 5;

    /// <summary>Port slots of the kernel's table (<c>PORT_MAX</c>).</summary>
    public const int PortSlots = 4096;

    /// <summary>Budgets of the kernel's table (<c>BUDGET_MAX</c>).</summary>
    public const int Budgets = 12288;

    /// <summary>ICMP errors a second about packets that enter at one port.</summary>
    public const int IcmpErrorsPerSecond = 100;

    /// <summary>ICMP errors in a row: enough for a traceroute with three probes a hop.</summary>
    public const int IcmpErrorsBurst = 50;

    /// <summary>DHCP messages a second of one port that are looked at. They are decoded into objects, about
    /// <see cref="DhcpAnswerOctetsMax"/> each: a port that floods must not make the collector stop all.</summary>
    public const int DhcpMessagesPerSecond = 10;

    /// <summary>DHCP messages in a row: a client that starts, IPv4 and IPv6, with all its repetitions.</summary>
    public const int DhcpMessagesBurst = 20;

    /// <summary>Octets of garbage for one DHCP message and its answer, at most.</summary>
    public const int DhcpAnswerOctetsMax = 16_384;

    /// <summary>Fragments that wait for their first one, of all ports.</summary>
    public const int WaitingFragmentsMax = 1024;

    /// <summary>Fragments of one port that wait.</summary>
    public const int WaitingFragmentsPerPort = 128;

    /// <summary>Octets of all frames that wait.</summary>
    public const int WaitingOctetsMax = 4 << 20;

    /// <summary>Packets a second of one port that are cut into fragments.</summary>
    public const int CutPacketsPerSecond = 1000;

    /// <summary>Packets in a row that are cut.</summary>
    public const int CutPacketsBurst = 200;

    /// <summary>Counters of new identifications, by destination and protocol; as many as the kernel's.</summary>
    public const int IdentificationCounters = 1024;

    /// <summary>Octets of a frame that the agent rewrites itself (ICMP errors and the like).</summary>
    public const int RewrittenFrameMax = 16_384;
}
