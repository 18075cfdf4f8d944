using System;
using System.Collections.Generic;
using System.IO;
using System.Reflection;
using Genkan.Datapath.Native;

namespace Genkan.Datapath.Bpf;

/// <summary>What <see cref="BpfProgramSet.Load"/> loads.</summary>
public sealed record BpfProgramSetOptions
{
    /// <summary>The assembly that embeds the objects.</summary>
    public Assembly Assembly { get; init; } = typeof(BpfProgramSet).Assembly;

    /// <summary>The objects, such as <c>from_port</c>; their maps of the same name are one map.</summary>
    public required IReadOnlyList<string> Objects { get; init; }

    /// <summary>True for the variant that was compiled with GENKAN_TEST.</summary>
    public bool TestVariant { get; init; }

    /// <summary>Entries of the maps by name, where they differ from the source.</summary>
    public IReadOnlyDictionary<string, uint> MaxEntries { get; init; } =
        new Dictionary<string, uint>(StringComparer.Ordinal);

    /// <summary>
    /// A directory on a bpffs whose maps are adopted, and where new ones are pinned; null to pin nothing.
    /// </summary>
    public string? PinDirectory { get; init; }

    /// <summary>Maps that are not adopted, whatever the pin directory holds.</summary>
    public IReadOnlySet<string> MadeAnew { get; init; } = new HashSet<string>(StringComparer.Ordinal);

    /// <summary>Where new maps are pinned; null: in <see cref="PinDirectory"/>.</summary>
    public string? NewPinDirectory { get; init; }
}

/// <summary>
/// Programs that share maps by name, and those maps. Maps that a pin directory holds already are taken over with their
/// content, so a new agent goes on with the flows of the old one.
/// </summary>
public sealed class BpfProgramSet : IDisposable
{
    private readonly Dictionary<string, BpfMap> _maps = new(StringComparer.Ordinal);
    private readonly Dictionary<string, BpfProgram> _programs = new(StringComparer.Ordinal);
    private readonly HashSet<string> _adopted = new(StringComparer.Ordinal);

    private BpfProgramSet()
    {
    }

    /// <summary>The maps that were in the pin directory before.</summary>
    public IReadOnlySet<string> AdoptedMaps => _adopted;

    /// <summary>Names of all maps.</summary>
    public IReadOnlyCollection<string> MapNames => _maps.Keys;

    /// <summary>Names of all programs.</summary>
    public IReadOnlyCollection<string> ProgramNames => _programs.Keys;

    /// <summary>Loads all objects.</summary>
    /// <exception cref="KernelException">
    /// The kernel refused, or a pinned map has another layout. Nothing stays loaded.
    /// </exception>
    public static BpfProgramSet Load(BpfProgramSetOptions options)
    {
        BpfProgramSet set = new();
        try
        {
            foreach (string name in options.Objects) set.LoadObject(name, options);
            return set;
        }
        catch
        {
            set.Dispose();
            throw;
        }
    }

    /// <summary>A program by the name of its function. It belongs to the set.</summary>
    public BpfProgram Program(string name) => _programs.TryGetValue(name, out BpfProgram? program)
        ? program
        : throw new ArgumentException($"No program {name} among {string.Join(", ", _programs.Keys)}.", nameof(name));

    /// <summary>A map by its name. It belongs to the set.</summary>
    public BpfMap Map(string name) => _maps.TryGetValue(name, out BpfMap? map)
        ? map
        : throw new ArgumentException($"No map {name} among {string.Join(", ", _maps.Keys)}.", nameof(name));

    /// <summary>A map as a table.</summary>
    public BpfTable<TKey, TValue> Table<TKey, TValue>(string name)
        where TKey : unmanaged
        where TValue : unmanaged => new(Map(name));

    /// <inheritdoc />
    public void Dispose()
    {
        foreach (BpfProgram program in _programs.Values) program.Dispose();
        foreach (BpfMap map in _maps.Values) map.Dispose();
    }

    private void LoadObject(string name, BpfProgramSetOptions options)
    {
        string resource = name + (options.TestVariant ? ".test.bpf.o" : ".bpf.o");
        using BpfObject bpfObject = BpfObject.OpenResource(options.Assembly, resource);
        foreach (string map in bpfObject.MapNames)
        {
            if (options.MaxEntries.TryGetValue(map, out uint maxEntries)) bpfObject.SetMaxEntries(map, maxEntries);
            if (TryAdopt(map, options) is { } existing) bpfObject.ReuseMap(map, existing);
        }
        bpfObject.Load();
        foreach (string map in bpfObject.MapNames)
        {
            if (_maps.ContainsKey(map)) continue;
            BpfMap created = bpfObject.TakeMap(map);
            _maps.Add(map, created);
            string? pins = options.NewPinDirectory ?? options.PinDirectory;
            if (pins is not null) created.Pin(Path.Combine(pins, map));
        }
        foreach (string program in bpfObject.ProgramNames) _programs.Add(program, bpfObject.TakeProgram(program));
    }

    private BpfMap? TryAdopt(string map, BpfProgramSetOptions options)
    {
        if (_maps.TryGetValue(map, out BpfMap? shared)) return shared;
        if (options.PinDirectory is null || options.MadeAnew.Contains(map)) return null;
        if (BpfMap.TryOpenPinned(Path.Combine(options.PinDirectory, map)) is not { } pinned) return null;
        _maps.Add(map, pinned);
        _adopted.Add(map);
        return pinned;
    }
}
