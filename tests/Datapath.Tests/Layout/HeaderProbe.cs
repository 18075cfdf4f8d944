using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.IO;
using System.Linq;
using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Json;

namespace Genkan.Datapath.Tests.Layout;

/// <summary>What clang says of <c>flow_types.h</c>: a probe is compiled for BPF and its BTF read back.</summary>
public sealed class HeaderProbe
{
    private readonly Dictionary<int, JsonElement> _types = [];
    private readonly JsonDocument _btf;

    public HeaderProbe()
    {
        DirectoryInfo directory = Directory.CreateTempSubdirectory("genkan-probe");
        try
        {
            string source = Path.Combine(directory.FullName, "probe.c");
            string output = Path.Combine(directory.FullName, "probe.o");
            File.WriteAllText(source, Source());
            Run("clang", "-target", "bpf", "-g", "-O1", "-D__BPF__", "-I", BpfFolder(), "-I",
                "/usr/include/x86_64-linux-gnu", "-c", source, "-o", output);
            _btf = JsonDocument.Parse(Run("bpftool", "-j", "btf", "dump", "file", output));
        }
        finally
        {
            directory.Delete(recursive: true);
        }

        foreach (JsonElement type in _btf.RootElement.GetProperty("types").EnumerateArray())
        {
            _types[type.GetProperty("id").GetInt32()] = type;
        }
    }

    /// <summary>Structs of the header that C# has too.</summary>
    public static string[] Structs { get; } =
    [
        "port", "link_key", "port_stats", "conn4_key", "conn6_key", "action", "conn", "install", "install_run",
        "generation", "class_key", "nexthop",
        "delivery", "replication", "neighbour_key", "neighbour", "nat_owner_key", "local_service_key", "local_service",
        "destination_key", "destination", "vtep_key", "vtep", "budget", "flow_credit", "fragment_key", "fragment",
        "upcall", "settings",
    ];

    /// <summary>Enums of the header that C# has too.</summary>
    public static string[] Enums { get; } =
    [
        "drop_reason", "port_kind", "port_flags", "fragment_kind", "fragment_flags", "verdict",
        "conn_state", "rewrite", "conn_flags",
        "class_mask", "nexthop_kind", "delivery_kind", "upcall_kind", "upcall_flags", "mark_kind",
    ];

    /// <summary>Numbers of the header that C# has too.</summary>
    public static string[] Macros { get; } =
    [
        "LAYOUT_VERSION", "COMPATIBLE_VERSION", "FENCE_SECONDS", "PORT_MAX", "NEXTHOP_MAX", "DELIVERY_MAX", "CLASS_MAX",
        "REPLICATION_MAX",
        "REPLICATION_TARGETS_MAX", "BUDGET_MAX", "BUDGET_DESTINATION_AT", "BUDGET_TOTAL_AT", "NAT_GRANULE_SHIFT",
        "NAT_FORWARDED", "NAT_ADDRESS_ITSELF", "ANY_PORT", "INSTALL_WORKERS", "INSTALL_BATCH", "MARK_KIND_SHIFT",
        "MARK_ARG_MASK",
        "MARK_COMMIT", "FRAGMENT_UNITS", "FRAGMENT_WORDS", "FRAGMENT_SHARE",
    ];

    /// <summary>Size in octets and members of a struct.</summary>
    internal (int Size, Dictionary<string, (int At, int Size)> Members) Struct(string name)
    {
        JsonElement type = Find("STRUCT", name);
        Dictionary<string, (int At, int Size)> members = type.GetProperty("members").EnumerateArray().ToDictionary(
            m => m.GetProperty("name").GetString()!,
            m => (m.GetProperty("bits_offset").GetInt32() / 8, SizeOf(m.GetProperty("type_id").GetInt32())));
        return (type.GetProperty("size").GetInt32(), members);
    }

    /// <summary>Names and values of an enum.</summary>
    internal Dictionary<string, long> Enum(string name) =>
        Find("ENUM", name).GetProperty("values").EnumerateArray()
            .ToDictionary(v => v.GetProperty("name").GetString()!, v => v.GetProperty("val").GetInt64());

    internal static string Run(string program, params string[] arguments)
    {
        using Process process = Process.Start(new ProcessStartInfo(program, arguments)
        {
            UseShellExecute = false,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        System.Threading.Tasks.Task<string> errors = process.StandardError.ReadToEndAsync();
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return process.ExitCode == 0
            ? output
            : throw new InvalidOperationException($"{program} {string.Join(' ', arguments)}: {errors.Result}");
    }

    private static string Source()
    {
        StringBuilder text = new("#include \"flow_types.h\"\n");
        foreach (string name in Structs) text.Append("struct ").Append(name).Append(" s_").Append(name).Append(";\n");
        foreach (string name in Enums) text.Append("enum ").Append(name).Append(" e_").Append(name).Append(";\n");
        text.Append("enum macros {");
        foreach (string name in Macros) text.Append("M_").Append(name).Append(" = ").Append(name).Append(',');
        return text.Append("};\nenum macros e_macros;\n").ToString();
    }

    private static string BpfFolder([CallerFilePath] string path = "") =>
        Path.GetFullPath(Path.Combine(Path.GetDirectoryName(path)!, "../../../appliance/Datapath/bpf"));

    private JsonElement Find(string kind, string name) =>
        _types.Values.Single(t =>
            t.GetProperty("kind").GetString() == kind && t.GetProperty("name").GetString() == name);

    private int SizeOf(int id)
    {
        JsonElement type = _types[id];
        return type.GetProperty("kind").GetString() switch
        {
            "ARRAY" => type.GetProperty("nr_elems").GetInt32() * SizeOf(type.GetProperty("type_id").GetInt32()),
            "TYPEDEF" or "CONST" or "VOLATILE" => SizeOf(type.GetProperty("type_id").GetInt32()),
            _ => type.GetProperty("size").GetInt32(),
        };
    }
}
