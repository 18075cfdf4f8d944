using System;
using System.IO;
using Genkan.Datapath.Bpf;
using Genkan.Datapath.Migration;
using Genkan.Wire;

namespace Genkan.Datapath.Tables;

/// <summary>What the data plane of one host is made with.</summary>
public sealed record KernelDatapathOptions
{
    /// <summary>Name of the host: names its pins and its lock.</summary>
    public required string HostName { get; init; }

    /// <summary>The host's own address in the underlay, which one of its interfaces has.</summary>
    public required IpAddress UnderlayAddress { get; init; }

    /// <summary>A directory on a bpffs; each host has its own below.</summary>
    public string PinRoot { get; init; } = "/sys/fs/bpf/genkan";

    /// <summary>A directory for locks; each host has its own below.</summary>
    public string RunDirectory { get; init; } = "/run/genkan";

    /// <summary>UDP port of the tunnels.</summary>
    public ushort VxlanPort { get; init; } = 4789;

    /// <summary>How programs are attached; null: by tcx where the kernel has it.</summary>
    public AttachMode? Attach { get; init; }

    /// <summary>Sizes of the tables that grow with traffic; null: by the machine's memory. Pinned tables keep
    /// theirs.</summary>
    public TableSizes? Sizes { get; init; }

    /// <summary>Threads that will handle packets, each with its own rings and socket.</summary>
    public int Workers { get; init; } = 1;

    /// <summary>Octets of each ring that is made; null: its share of
    /// <see cref="DatapathLimits.RingOctetsTotal"/>.</summary>
    internal uint? RingOctets { get; init; }

    /// <summary>Told of each step of a migration; tests end it there.</summary>
    internal Action<MigrationStep>? OnMigrationStep { get; init; }

    internal string PinDirectory => Path.Combine(PinRoot, HostName);

    internal string LinkDirectory => Path.Combine(PinDirectory, "links");

    internal string LockPath => Path.Combine(RunDirectory, HostName, "lock");
}
