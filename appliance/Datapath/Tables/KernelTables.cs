using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Reflection;
using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using Genkan.Datapath.Bpf;
using Genkan.Datapath.Layout;
using Genkan.Datapath.Native;
using Genkan.Datapath.Startup;

namespace Genkan.Datapath.Tables;

/// <summary>Programs and tables of a host, pinned: loaded anew, or taken over from a former agent.</summary>
internal sealed class KernelTables : IDisposable
{
    private static readonly string[] Objects =
        ["from_port", "from_tunnel", "from_agent", "from_uplink", "from_host", "install"];

    private readonly MmapArray<SettingsEntry> _settings;

    private KernelTables(BpfProgramSet set)
    {
        Set = set;
        _settings = new MmapArray<SettingsEntry>(set.Map("settings"));
        IsAdopted = Settings.LayoutVersion != 0;
    }

    /// <summary>Programs and maps by name.</summary>
    internal BpfProgramSet Set { get; }

    /// <summary>Whether a former agent's tables were taken over.</summary>
    internal bool IsAdopted { get; }

    /// <summary>The settings, in memory shared with the programs.</summary>
    internal ref SettingsEntry Settings => ref _settings[0];

    /// <summary>Loads the programs; tables that are pinned already keep content and size.</summary>
    /// <exception cref="DatapathException">The pinned tables have another layout.</exception>
    /// <exception cref="KernelException">The kernel refused.</exception>
    internal static KernelTables Load(KernelDatapathOptions options)
    {
        BpfFileSystem.CreatePinDirectory(options.PinDirectory);
        DemandLayout(options);
        Dictionary<string, uint> sizes = (options.Sizes ?? TableSizes.ForThisMachine()).ToDictionary();
        foreach (string name in sizes.Keys.ToArray())
        {
            using BpfMap? pinned = BpfMap.TryOpenPinned(Path.Combine(options.PinDirectory, name));
            if (pinned is not null) sizes[name] = pinned.Spec.MaxEntries;
        }

        BpfProgramSet set = BpfProgramSet.Load(new BpfProgramSetOptions
        {
            Assembly = Assembly.GetExecutingAssembly(),
            Objects = Objects,
            MaxEntries = sizes,
            PinDirectory = options.PinDirectory,
        });
        KernelTables tables = new(set);
        if (!tables.IsAdopted) tables.Settings.DigestSeed = RandomSeed();
        return tables;
    }

    /// <summary>Marks the tables as of our layout: from now on another agent may adopt them.</summary>
    internal void Seal()
    {
        Settings.CompatibleVersion = LayoutLimits.CompatibleVersion;
        Settings.LayoutVersion = LayoutLimits.LayoutVersion;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _settings.Dispose();
        Set.Dispose();
    }

    // Nobody outside may choose keys whose digests are equal.
    private static ulong RandomSeed()
    {
        Span<byte> octets = stackalloc byte[sizeof(ulong)];
        RandomNumberGenerator.Fill(octets);
        return BitConverter.ToUInt64(octets);
    }

    private static void DemandLayout(KernelDatapathOptions options)
    {
        using BpfMap? pinned = BpfMap.TryOpenPinned(Path.Combine(options.PinDirectory, "settings"));
        if (pinned is null) return;
        uint version = 0;
        if (pinned.Spec.ValueSize == Unsafe.SizeOf<SettingsEntry>())
        {
            new BpfTable<uint, SettingsEntry>(pinned).TryLookup(0, out SettingsEntry settings);
            version = settings.LayoutVersion;
            if (version is 0 or LayoutLimits.LayoutVersion) return;
        }

        throw new DatapathException(
            $"The tables pinned in {options.PinDirectory} have layout {version}, this agent needs "
            + $"{LayoutLimits.LayoutVersion}. Run the agent that made them, or `genkan host remove "
            + $"{options.HostName}`, which ends this host's connections.");
    }
}
