using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using Genkan.Datapath.Bpf;
using Genkan.Datapath.Native;
using Genkan.Datapath.Netlink;
using Genkan.Datapath.Startup;
using Genkan.Datapath.Tables;

namespace Genkan.Datapath.Migration;

/// <summary>
/// From one generation of pinned tables and programs to the next, while packets run through both. Whoever starts next
/// finds one of three states, each of which works:
/// <code>
/// PIN/next/    being prepared: not begun, as far as packets are concerned; thrown away
/// PIN/switch/  complete (renamed from next/: the point of no return): interfaces may run old or new programs; whoever
///              comes goes forward, also an agent that knows neither layout
/// neither      one generation
/// </code>
/// </summary>
/// <param name="options">The host.</param>
internal sealed class GenerationSwitch(KernelDatapathOptions options)
{
    private const string ProgramPrefix = "prog_";

    private readonly KernelBtf _btf = new();

    /// <summary>Where the next generation is prepared.</summary>
    internal string NextDirectory => Path.Combine(options.PinDirectory, "next");

    /// <summary>Where it stands while interfaces are switched.</summary>
    internal string SwitchDirectory => Path.Combine(options.PinDirectory, "switch");

    /// <summary>Packets that waited in rings of another layout, to be handled before those in the rings.</summary>
    internal List<UnreadUpcall> Unread { get; } = [];

    /// <summary>Records of such rings that made no sense.</summary>
    internal int UnreadLostCount { get; private set; }

    /// <summary>Brings what a former agent left half-done to one of its ends.</summary>
    internal void Recover()
    {
        BpfFileSystem.RemovePinDirectory(NextDirectory);
        if (Directory.Exists(SwitchDirectory)) GoForward();
    }

    /// <summary>Names the prepared generation complete, and goes forward.</summary>
    /// <param name="programs">Its programs.</param>
    internal void Commit(IEnumerable<BpfProgram> programs)
    {
        foreach (BpfProgram program in programs)
        {
            program.Pin(Path.Combine(NextDirectory, ProgramPrefix + program.KernelName));
        }

        Step(MigrationStep.Prepared);
        Directory.Move(NextDirectory, SwitchDirectory);
        Step(MigrationStep.Committed);
        GoForward();
    }

    /// <summary>Tells tests where we are.</summary>
    internal void Step(MigrationStep step) => options.OnMigrationStep?.Invoke(step);

    // Each step can be done again: a successor begins at the first one.
    private void GoForward()
    {
        SwitchInterfaces();
        WaitForOldPrograms();
        string[] tables = [.. Pins(SwitchDirectory).Where(n => !n.StartsWith(ProgramPrefix, StringComparison.Ordinal))];
        ulong seed = LayoutGate.ReadDigestSeed(options.PinDirectory, options.HostName, _btf);
        foreach (string name in tables)
        {
            Merge(name, seed);
            Step(MigrationStep.TableMerged);
        }

        foreach (string name in tables) Drain(name);
        Step(MigrationStep.RingsDrained);
        foreach (string name in tables)
        {
            File.Move(PathIn(SwitchDirectory, name), PathIn(options.PinDirectory, name), overwrite: true);
            Step(MigrationStep.TablePromoted);
        }

        BpfFileSystem.RemovePinDirectory(SwitchDirectory);
        Step(MigrationStep.Finished);
    }

    private void SwitchInterfaces()
    {
        Dictionary<string, BpfProgram> programs = new(StringComparer.Ordinal);
        try
        {
            foreach (string pin in Pins(SwitchDirectory))
            {
                if (!pin.StartsWith(ProgramPrefix, StringComparison.Ordinal)) continue;
                programs[pin[ProgramPrefix.Length..]] = BpfProgram.TryOpenPinned(PathIn(SwitchDirectory, pin))!;
            }

            using ProgramAttacher attacher = new(options.LinkDirectory, options.Attach);
            foreach ((int ifindex, TcxHook hook) in Hooks(attacher))
            {
                if (SwitchInterface(attacher, ifindex, hook, programs)) Step(MigrationStep.InterfaceSwitched);
            }
        }
        finally
        {
            foreach (BpfProgram program in programs.Values) program.Dispose();
        }
    }

    private static IEnumerable<(int Ifindex, TcxHook Hook)> Hooks(ProgramAttacher attacher)
    {
        if (attacher.Mode == AttachMode.Tcx) return attacher.ListPinned();
        using RouteSocket route = new();
        return [.. route.ListLinks().Select(l => (l.Ifindex, TcxHook.Ingress))];
    }

    private static bool SwitchInterface(
        ProgramAttacher attacher, int ifindex, TcxHook hook, Dictionary<string, BpfProgram> programs)
    {
        try
        {
            if (attacher.FindProgramId(ifindex, hook) is not { } id) return false;
            using BpfProgram? old = BpfProgram.TryOpen(id);
            if (old is null || !programs.TryGetValue(old.KernelName, out BpfProgram? next)) return false;
            if (next.Id == id) return false;
            attacher.Attach(ifindex, hook, next);
            return true;
        }
        catch (KernelException e) when (e.Error is Errno.ENOLINK or Errno.ENODEV or Errno.ENOENT)
        {
            return false; // the interface went meanwhile, and its program with it
        }
    }

    // A program that began before its interface was switched may still write into the old tables. The kernel waits for
    // all running programs before an update of a map of maps returns, so that one is made for this.
    private static void WaitForOldPrograms()
    {
        using BpfMap inner = BpfMap.Create(new BpfMapSpec("grace_inner", BpfMapType.Array, 4, 4, 1));
        using BpfMap outer = BpfMap.Create(new BpfMapSpec("grace", BpfMapType.ArrayOfMaps, 4, 4, 1), inner);
        new BpfMapOfMaps(outer).Set(0, inner);
    }

    private void Merge(string name, ulong seed)
    {
        using BpfMap? old = BpfMap.TryOpenPinned(PathIn(options.PinDirectory, name));
        using BpfMap? next = BpfMap.TryOpenPinned(PathIn(SwitchDirectory, name));
        if (old is null || next is null || !TableMigration.IsCarriedOver(name, next.Spec.Type)) return;
        new TableCopy(name, old, TableLayout.Of(old, _btf), next, TableLayout.Of(next, _btf), seed).Merge();
    }

    private void Drain(string name)
    {
        using BpfMap? old = BpfMap.TryOpenPinned(PathIn(options.PinDirectory, name));
        if (old is null || old.Spec.Type != BpfMapType.ArrayOfMaps) return;
        BtfLayout? layout = TableMigration.RecordLayoutIn(options.PinDirectory, _btf);
        if (layout is not null) UnreadLostCount += UnreadUpcall.Drain(old, layout, Unread);
    }

    /// <summary>Names of what is pinned in a directory.</summary>
    internal static IEnumerable<string> Pins(string directory) =>
        Directory.EnumerateFiles(directory).Select(f => Path.GetFileName(f)).Order(StringComparer.Ordinal);

    private static string PathIn(string directory, string name) => Path.Combine(directory, name);
}
