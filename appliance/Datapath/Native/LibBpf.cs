using System.Runtime.InteropServices;

namespace Genkan.Datapath.Native;

/// <summary>
/// libbpf, for opening and loading ELF objects with CO-RE alone: Debian 12's 1.1 has no tcx, so that all else is bpf(2)
/// itself.
/// </summary>
internal static unsafe partial class LibBpf
{
    private const string Library = "libbpf.so.1";

    /// <summary>Sets who hears libbpf's words; the arguments are (level, format, va_list).</summary>
    [LibraryImport(Library, EntryPoint = "libbpf_set_print")]
    internal static partial void* SetPrint(delegate* unmanaged<int, byte*, void*, int> print);

    [LibraryImport(Library, EntryPoint = "bpf_object__open_mem", SetLastError = true)]
    internal static partial nint OpenMem(byte* buffer, nuint size, ObjectOpenOptions* options);

    [LibraryImport(Library, EntryPoint = "bpf_object__load")]
    internal static partial int Load(nint bpfObject);

    [LibraryImport(Library, EntryPoint = "bpf_object__close")]
    internal static partial void Close(nint bpfObject);

    [LibraryImport(Library, EntryPoint = "bpf_object__next_map")]
    internal static partial nint NextMap(nint bpfObject, nint previous);

    [LibraryImport(Library, EntryPoint = "bpf_object__next_program")]
    internal static partial nint NextProgram(nint bpfObject, nint previous);

    [LibraryImport(Library, EntryPoint = "bpf_map__name")]
    internal static partial byte* MapName(nint map);

    [LibraryImport(Library, EntryPoint = "bpf_map__fd")]
    internal static partial int MapFd(nint map);

    [LibraryImport(Library, EntryPoint = "bpf_map__type")]
    internal static partial int MapType(nint map);

    [LibraryImport(Library, EntryPoint = "bpf_map__key_size")]
    internal static partial uint MapKeySize(nint map);

    [LibraryImport(Library, EntryPoint = "bpf_map__value_size")]
    internal static partial uint MapValueSize(nint map);

    [LibraryImport(Library, EntryPoint = "bpf_map__map_flags")]
    internal static partial uint MapFlags(nint map);

    [LibraryImport(Library, EntryPoint = "bpf_map__max_entries")]
    internal static partial uint MapMaxEntries(nint map);

    [LibraryImport(Library, EntryPoint = "bpf_map__set_max_entries")]
    internal static partial int SetMapMaxEntries(nint map, uint maxEntries);

    [LibraryImport(Library, EntryPoint = "bpf_map__reuse_fd")]
    internal static partial int ReuseMapFd(nint map, int fd);

    [LibraryImport(Library, EntryPoint = "bpf_map__btf_key_type_id")]
    internal static partial uint MapBtfKeyTypeId(nint map);

    [LibraryImport(Library, EntryPoint = "bpf_map__btf_value_type_id")]
    internal static partial uint MapBtfValueTypeId(nint map);

    [LibraryImport(Library, EntryPoint = "bpf_object__btf")]
    internal static partial nint ObjectBtf(nint bpfObject);

    [LibraryImport(Library, EntryPoint = "btf__raw_data")]
    internal static partial byte* BtfRawData(nint btf, uint* size);

    [LibraryImport(Library, EntryPoint = "bpf_map__is_internal")]
    internal static partial byte MapIsInternal(nint map);

    [LibraryImport(Library, EntryPoint = "bpf_map__initial_value")]
    internal static partial void* MapInitialValue(nint map, nuint* size);

    [LibraryImport(Library, EntryPoint = "bpf_program__name")]
    internal static partial byte* ProgramName(nint program);

    [LibraryImport(Library, EntryPoint = "bpf_program__fd")]
    internal static partial int ProgramFd(nint program);

    [LibraryImport(Library, EntryPoint = "bpf_program__set_autoload")]
    internal static partial int SetAutoload(nint program, byte load);
}

/// <summary>struct bpf_object_open_opts of libbpf 1.1, of which only the name is set.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct ObjectOpenOptions
{
    internal nuint Size;
    internal byte* ObjectName;
    internal byte RelaxedMaps;
    internal byte* PinRootPath;
    internal uint Reserved;
    internal byte* KernelConfig;
    internal byte* BtfCustomPath;
    internal byte* KernelLog;
    internal nuint KernelLogSize;
    internal uint KernelLogLevel;
}
