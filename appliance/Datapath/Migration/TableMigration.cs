using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using Genkan.Datapath.Bpf;
using Genkan.Datapath.Native;
using Genkan.Datapath.Rings;
using Genkan.Datapath.Startup;
using Genkan.Datapath.Tables;

namespace Genkan.Datapath.Migration;

/// <summary>
/// Loads programs over a host's pinned tables. Tables that look as the programs want are used as they are; where one
/// does not, a new generation is made, filled by the names of fields, and put in the place of the old one while
/// packets run. Neither side needs to know the other's version, so that this goes up and down.
/// </summary>
internal sealed class TableMigration
{
    private static readonly string[] RingArrays = ["upcall_control", "upcall_data"];

    private readonly KernelDatapathOptions _options;
    private readonly BpfProgramSetOptions _programs;
    private readonly GenerationSwitch _switch;
    private readonly KernelBtf _btf = new();

    private TableMigration(KernelDatapathOptions options, BpfProgramSetOptions programs)
    {
        (_options, _programs, _switch) = (options, programs, new GenerationSwitch(options));
    }

    /// <summary>Loads the programs.</summary>
    /// <param name="options">The host.</param>
    /// <param name="programs">What is loaded; pins are ours to say.</param>
    /// <exception cref="DatapathException">The pinned tables cannot be taken over; the message says what to
    /// do.</exception>
    /// <exception cref="KernelException">The kernel refused.</exception>
    internal static LoadedGeneration Load(KernelDatapathOptions options, BpfProgramSetOptions programs)
    {
        BpfFileSystem.CreatePinDirectory(options.PinDirectory);
        TableMigration migration = new(options, programs with { PinDirectory = options.PinDirectory });
        LayoutGate.Demand(options.PinDirectory, options.HostName);
        LayoutGate.Demand(migration._switch.SwitchDirectory, options.HostName);
        try
        {
            migration._switch.Recover();
            return migration.Load();
        }
        catch (BtfException e)
        {
            throw new DatapathException(
                $"The tables pinned in {options.PinDirectory} cannot be read by their names ({e.Message}): run the "
                + $"agent that made them, or `genkan --host {options.HostName} host remove`, which ends this host's "
                + "connections.",
                e);
        }
    }

    /// <summary>Whether a table's entries are worth anything to a successor.</summary>
    internal static bool IsCarriedOver(string name, BpfMapType type) =>
        !IsOfTheMoment(name) && type is not (BpfMapType.RingBuffer or BpfMapType.ArrayOfMaps);

    /// <summary>How records in pinned rings begin; null if there are no pinned tables.</summary>
    internal static BtfLayout? RecordLayoutIn(string directory, KernelBtf btf)
    {
        using BpfMap? record = BpfMap.TryOpenPinned(Path.Combine(directory, "upcall_record"));
        if (record is not null) return btf.LayoutsOf(record).Value;
        using BpfMap? settings = BpfMap.TryOpenPinned(Path.Combine(directory, "settings"));
        return settings is null ? null : UnreadUpcall.VersionOne;
    }

    // What a program or the agent works with during one packet or batch, and marks that serve for 200 ms.
    private static bool IsOfTheMoment(string name) =>
        name is "pending" or "install" || name.StartsWith("scratch", StringComparison.Ordinal);

    private LoadedGeneration Load()
    {
        BpfProgramSetOptions programs = _programs with { MaxEntries = KeepSizes(_programs.MaxEntries) };
        Dictionary<string, TableLayout> declared = TableLayout.ReadDeclared(programs);
        HashSet<string> differing = FindDiffering(declared);
        BpfProgramSet set = differing.Count == 0
            ? BpfProgramSet.Load(programs)
            : Renew(programs with { MadeAnew = differing, NewPinDirectory = _switch.NextDirectory }, declared);
        try
        {
            RemoveOthers(declared);
        }
        catch
        {
            set.Dispose();
            throw;
        }

        return new LoadedGeneration(set, differing, _switch.Unread, _switch.UnreadLostCount);
    }

    // Entries of tables whose size follows memory; a table that is there keeps its own.
    private Dictionary<string, uint> KeepSizes(IReadOnlyDictionary<string, uint> wanted)
    {
        Dictionary<string, uint> sizes = new(wanted, StringComparer.Ordinal);
        foreach (string name in wanted.Keys)
        {
            using BpfMap? pinned = BpfMap.TryOpenPinned(Path.Combine(_options.PinDirectory, name));
            if (pinned is not null) sizes[name] = pinned.Spec.MaxEntries;
        }

        return sizes;
    }

    private HashSet<string> FindDiffering(Dictionary<string, TableLayout> declared)
    {
        HashSet<string> differing = new(StringComparer.Ordinal);
        foreach ((string name, TableLayout wanted) in declared)
        {
            using BpfMap? pinned = BpfMap.TryOpenPinned(Path.Combine(_options.PinDirectory, name));
            if (pinned is not null && !TableLayout.Of(pinned, _btf).Serves(wanted)) differing.Add(name);
        }

        // Rings say nothing of their records.
        if (declared.TryGetValue("upcall_record", out TableLayout? record)
            && RecordLayoutIn(_options.PinDirectory, _btf) is { } present && !present.Equals(record.Value))
        {
            differing.UnionWith(RingArrays.Where(declared.ContainsKey));
        }

        return differing;
    }

    private BpfProgramSet Renew(BpfProgramSetOptions programs, Dictionary<string, TableLayout> declared)
    {
        BpfFileSystem.CreatePinDirectory(_switch.NextDirectory);
        BpfProgramSet? set = null;
        try
        {
            set = BpfProgramSet.Load(programs);
            _switch.Step(MigrationStep.Loaded);
            ulong seed = LayoutGate.ReadDigestSeed(_options.PinDirectory, _options.HostName, _btf);
            foreach (string name in programs.MadeAnew)
            {
                CarryOver(name, set.Map(name), declared[name], seed);
                _switch.Step(MigrationStep.TableCopied);
            }

            _switch.Commit(set.ProgramNames.Select(set.Program));
            return set;
        }
        catch (DatapathException)
        {
            set?.Dispose();
            BpfFileSystem.RemovePinDirectory(_switch.NextDirectory);
            throw;
        }
        catch
        {
            set?.Dispose();
            throw;
        }
    }

    private void CarryOver(string name, BpfMap next, TableLayout layout, ulong seed)
    {
        using BpfMap? old = BpfMap.TryOpenPinned(Path.Combine(_options.PinDirectory, name));
        if (old is null) return;
        if (next.Spec.Type == BpfMapType.ArrayOfMaps && old.Spec.Type == BpfMapType.ArrayOfMaps)
        {
            MakeRings(old, next);
        }
        else if (IsCarriedOver(name, next.Spec.Type))
        {
            new TableCopy(name, old, TableLayout.Of(old, _btf), next, layout, seed).Copy();
            if (name == "settings" && layout.Value is not null) LayoutGate.WriteVersions(next, layout.Value);
        }
    }

    // The new programs must find rings from their first packet on.
    private static void MakeRings(BpfMap old, BpfMap next)
    {
        (BpfMapOfMaps from, BpfMapOfMaps to) = (new BpfMapOfMaps(old), new BpfMapOfMaps(next));
        for (int cpu = 0; cpu < Math.Min(old.Spec.MaxEntries, next.Spec.MaxEntries); cpu++)
        {
            using BpfMap? present = from.TryOpen(cpu);
            if (present is null) continue;
            using BpfMap ring = RingBuffer.CreateMap(next.Spec.Name, present.Spec.MaxEntries);
            to.Set(cpu, ring);
        }
    }

    // Tables that no program of ours names: a successor that has them again must not find what is long past.
    private void RemoveOthers(Dictionary<string, TableLayout> declared)
    {
        foreach (string name in GenerationSwitch.Pins(_options.PinDirectory).ToArray())
        {
            if (!declared.ContainsKey(name)) File.Delete(Path.Combine(_options.PinDirectory, name));
        }
    }
}
