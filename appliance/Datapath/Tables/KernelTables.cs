using System;
using System.Collections.Generic;
using System.Linq;
using System.Reflection;
using System.Security.Cryptography;
using Genkan.Datapath.Bpf;
using Genkan.Datapath.Layout;
using Genkan.Datapath.Migration;
using Genkan.Datapath.Native;

namespace Genkan.Datapath.Tables;

/// <summary>Programs and tables of a host, pinned: loaded anew, or taken over from a former agent.</summary>
internal sealed class KernelTables : IDisposable
{
    internal static readonly string[] Objects =
        ["from_port", "from_tunnel", "from_agent", "from_uplink", "from_host", "from_underlay", "install"];

    // Of a rehearsal: the tables that would be large, and what they hold then.
    private const uint RehearsalEntries = 1024;
    private static readonly string[] LargeTables =
        ["conn4", "conn6", "class", "link", "neighbour", "vtep", "pending", "fragment", "fragment_outside"];

    private readonly MmapArray<SettingsEntry> _settings;

    private KernelTables(LoadedGeneration loaded)
    {
        (Set, Unread) = (loaded.Set, loaded.Unread);
        Migrated = [.. loaded.Migrated.Order(StringComparer.Ordinal)];
        _settings = new MmapArray<SettingsEntry>(Set.Map("settings"));
        IsAdopted = Settings.LayoutVersion != 0;
    }

    /// <summary>Programs and maps by name.</summary>
    internal BpfProgramSet Set { get; }

    /// <summary>Tables of a former agent that were carried over to our layout.</summary>
    internal IReadOnlyList<string> Migrated { get; }

    /// <summary>Packets that waited in rings of another layout.</summary>
    internal IReadOnlyList<UnreadUpcall> Unread { get; }

    /// <summary>Whether a former agent's tables were taken over.</summary>
    internal bool IsAdopted { get; }

    /// <summary>The settings, in memory shared with the programs.</summary>
    internal ref SettingsEntry Settings => ref _settings[0];

    /// <summary>Loads the programs; tables that are pinned already keep content and size, whatever their
    /// layout.</summary>
    /// <exception cref="DatapathException">The pinned tables cannot be taken over.</exception>
    /// <exception cref="KernelException">The kernel refused.</exception>
    internal static KernelTables Load(KernelDatapathOptions options)
    {
        KernelTables tables = new(TableMigration.Load(options, new BpfProgramSetOptions
        {
            Assembly = Assembly.GetExecutingAssembly(),
            Objects = Objects,
            MaxEntries = (options.Sizes ?? TableSizes.ForThisMachine()).ToDictionary(),
        }));
        if (!tables.IsAdopted) tables.Settings.DigestSeed = RandomSeed();
        return tables;
    }

    /// <summary>Makes tables that no program but <c>install_new</c> knows, small and not pinned: they go when they are
    /// disposed of.</summary>
    /// <exception cref="KernelException">The kernel refused.</exception>
    internal static KernelTables ForRehearsal() => new(new LoadedGeneration(
        BpfProgramSet.Load(new BpfProgramSetOptions
        {
            Assembly = Assembly.GetExecutingAssembly(),
            Objects = ["install"], // names all tables, and is the only program that the agent itself runs
            MaxEntries = LargeTables.ToDictionary(static name => name, static _ => RehearsalEntries),
        }),
        new HashSet<string>(StringComparer.Ordinal),
        [],
        UnreadLostCount: 0));

    /// <summary>Octets of kernel memory that all tables take now, the rings too.</summary>
    internal ulong ReadMemory()
    {
        ulong total = 0;
        foreach (string name in Set.MapNames)
        {
            BpfMap map = Set.Map(name);
            total += map.MemoryOctets;
            if (map.Spec.Type == BpfMapType.ArrayOfMaps) total += ReadInner(map);
        }

        return total;
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

    private static ulong ReadInner(BpfMap outer)
    {
        BpfMapOfMaps inner = new(outer);
        ulong total = 0;
        for (int i = 0; i < outer.Spec.MaxEntries; i++)
        {
            using BpfMap? map = inner.TryOpen(i);
            if (map is not null) total += map.MemoryOctets;
        }

        return total;
    }

    // Nobody outside may choose keys whose digests are equal.
    private static ulong RandomSeed()
    {
        Span<byte> octets = stackalloc byte[sizeof(ulong)];
        RandomNumberGenerator.Fill(octets);
        return BitConverter.ToUInt64(octets);
    }
}
