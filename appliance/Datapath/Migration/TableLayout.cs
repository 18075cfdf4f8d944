using System.Collections.Generic;
using System.IO;
using Genkan.Datapath.Bpf;

namespace Genkan.Datapath.Migration;

/// <summary>What a table is made of: for the kernel, and by names.</summary>
/// <param name="Spec">For the kernel.</param>
/// <param name="Key">Fields of the key, or null if nobody says.</param>
/// <param name="Value">Fields of the value, or null if nobody says.</param>
internal sealed record TableLayout(BpfMapSpec Spec, BtfLayout? Key, BtfLayout? Value)
{
    /// <summary>
    /// Whether programs that want <paramref name="wanted"/> can use the table as it is. Where nobody says how a table
    /// looks (rings, maps of maps), sizes must do.
    /// </summary>
    internal bool Serves(TableLayout wanted)
    {
        if (wanted.Spec with { Name = Spec.Name } != Spec) return false;
        return AreEqual(Key, wanted.Key) && AreEqual(Value, wanted.Value);
    }

    /// <summary>The layout of a table that there is.</summary>
    internal static TableLayout Of(BpfMap map, KernelBtf btf)
    {
        (BtfLayout? key, BtfLayout? value) = btf.LayoutsOf(map);
        return new TableLayout(map.Spec, key, value);
    }

    /// <summary>The layouts of all tables that objects name.</summary>
    /// <param name="options">The objects; entries other than in the source.</param>
    internal static Dictionary<string, TableLayout> ReadDeclared(BpfProgramSetOptions options)
    {
        Dictionary<string, TableLayout> layouts = new(System.StringComparer.Ordinal);
        foreach (string name in options.Objects)
        {
            string resource = name + (options.TestVariant ? ".test.bpf.o" : ".bpf.o");
            using BpfObject bpfObject = BpfObject.OpenResource(options.Assembly, resource);
            Btf btf = bpfObject.ReadBtf() ?? throw new InvalidDataException($"{resource} was compiled without -g.");
            foreach (string map in bpfObject.MapNames)
            {
                if (layouts.ContainsKey(map)) continue;
                BpfMapSpec spec = bpfObject.MapSpec(map);
                if (options.MaxEntries.TryGetValue(map, out uint entries)) spec = spec with { MaxEntries = entries };
                (uint key, uint value) = bpfObject.MapTypes(map);
                layouts[map] = new TableLayout(
                    spec, key == 0 ? null : btf.LayoutOf(key), value == 0 ? null : btf.LayoutOf(value));
            }
        }

        return layouts;
    }

    private static bool AreEqual(BtfLayout? one, BtfLayout? other) => one is null || other is null || one.Equals(other);
}
