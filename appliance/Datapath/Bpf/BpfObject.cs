using System;
using System.Collections.Generic;
using System.IO;
using System.Reflection;
using System.Runtime.InteropServices;
using Genkan.Datapath.Native;

namespace Genkan.Datapath.Bpf;

/// <summary>
/// One compiled <c>.bpf.c</c> between opening and loading: table sizes are set, maps of other objects or pins put in
/// the place of its own; then <see cref="Load"/> gives the kernel all of it. Closing it leaves what was taken out of
/// it.
/// </summary>
public sealed unsafe class BpfObject : IDisposable
{
    private readonly Dictionary<string, nint> _maps = new(StringComparer.Ordinal);
    private readonly Dictionary<string, nint> _programs = new(StringComparer.Ordinal);
    private nint _object;

    private BpfObject(nint handle, string name)
    {
        (_object, Name) = (handle, name);
        for (nint map = LibBpf.NextMap(handle, 0); map != 0; map = LibBpf.NextMap(handle, map))
        {
            _maps.Add(Text(LibBpf.MapName(map)), map);
        }
        for (nint program = LibBpf.NextProgram(handle, 0); program != 0; program = LibBpf.NextProgram(handle, program))
        {
            _programs.Add(Text(LibBpf.ProgramName(program)), program);
        }
    }

    /// <summary>Name for errors.</summary>
    public string Name { get; }

    /// <summary>The maps that the object names, without those of its global variables.</summary>
    public IEnumerable<string> MapNames
    {
        get
        {
            foreach ((string name, nint map) in _maps)
            {
                if (LibBpf.MapIsInternal(map) == 0) yield return name;
            }
        }
    }

    /// <summary>The programs that the object holds.</summary>
    public IEnumerable<string> ProgramNames => _programs.Keys;

    /// <summary>Opens an object that is a resource of <paramref name="assembly"/>.</summary>
    /// <param name="assembly">The assembly that embeds it.</param>
    /// <param name="resource">Its name, such as <c>from_port.bpf.o</c>.</param>
    /// <exception cref="KernelException">libbpf cannot read it.</exception>
    public static BpfObject OpenResource(Assembly assembly, string resource)
    {
        using Stream stream = assembly.GetManifestResourceStream(resource)
            ?? throw new FileNotFoundException($"{assembly.GetName().Name} embeds no {resource}.", resource);
        byte[] elf = new byte[stream.Length];
        stream.ReadExactly(elf);
        return Open(elf, resource);
    }

    /// <summary>Opens an object.</summary>
    /// <param name="elf">The octets that clang wrote.</param>
    /// <param name="name">Name for errors.</param>
    /// <exception cref="KernelException">libbpf cannot read it.</exception>
    public static BpfObject Open(ReadOnlySpan<byte> elf, string name)
    {
        fixed (byte* octets = elf)
        fixed (byte* nameOctets = BpfSyscall.ZeroTerminated(name))
        {
            ObjectOpenOptions options = new() { Size = (nuint)sizeof(ObjectOpenOptions), ObjectName = nameOctets };
            LibBpfLog.Start();
            nint handle = LibBpf.OpenMem(octets, (nuint)elf.Length, &options);
            Errno error = Libc.LastError;
            string log = LibBpfLog.Stop();
            return handle != 0
                ? new BpfObject(handle, name)
                : throw new KernelException($"libbpf: open {name}", error, log);
        }
    }

    /// <summary>What the object says of a map, before or after loading.</summary>
    public BpfMapSpec MapSpec(string map)
    {
        nint handle = Map(map);
        return new BpfMapSpec(
            map,
            (BpfMapType)LibBpf.MapType(handle),
            LibBpf.MapKeySize(handle),
            LibBpf.MapValueSize(handle),
            LibBpf.MapMaxEntries(handle),
            (BpfMapFlags)LibBpf.MapFlags(handle));
    }

    /// <summary>The object's own type information, or null if it was compiled without.</summary>
    /// <exception cref="BtfException">It cannot be read.</exception>
    internal Btf? ReadBtf()
    {
        nint btf = LibBpf.ObjectBtf(_object);
        if (btf == 0) return null;
        uint size = 0;
        byte* raw = LibBpf.BtfRawData(btf, &size);
        return raw is null ? null : Btf.Parse(new ReadOnlySpan<byte>(raw, (int)size));
    }

    /// <summary>Numbers of a map's key and value types in <see cref="ReadBtf"/>; 0 where there is none.</summary>
    internal (uint Key, uint Value) MapTypes(string map)
    {
        nint handle = Map(map);
        return (LibBpf.MapBtfKeyTypeId(handle), LibBpf.MapBtfValueTypeId(handle));
    }

    /// <summary>True if the object names such a map.</summary>
    public bool HasMap(string map) => _maps.ContainsKey(map);

    /// <summary>Sets the size of a map before loading.</summary>
    /// <exception cref="KernelException">Too late.</exception>
    public void SetMaxEntries(string map, uint maxEntries) =>
        Demand(LibBpf.SetMapMaxEntries(Map(map), maxEntries), $"size of {map}");

    /// <summary>Puts an existing map in the place of the object's own before loading.</summary>
    /// <exception cref="KernelException">They differ, which the message shows, or it is too late.</exception>
    public void ReuseMap(string map, BpfMap existing)
    {
        BpfMapSpec wanted = MapSpec(map) with { Name = existing.Spec.Name };
        if (wanted != existing.Spec)
        {
            throw new KernelException(
                $"libbpf: reuse map {map}", Errno.EINVAL, $"The program wants {wanted}, but there is {existing.Spec}.");
        }
        Demand(LibBpf.ReuseMapFd(Map(map), existing.Fd.Value), $"reuse map {map}");
        GC.KeepAlive(existing);
    }

    /// <summary>Leaves a program out of the load.</summary>
    public void LeaveOut(string program) => Demand(LibBpf.SetAutoload(Program(program), 0), $"leave out {program}");

    /// <summary>Sets a <c>const volatile</c> or a global variable's initial octets before loading.</summary>
    /// <param name="section"><c>.rodata</c>, <c>.data</c> or <c>.bss</c>.</param>
    /// <param name="at">Where in the section.</param>
    /// <param name="octets">What.</param>
    public void SetInitialValue(string section, int at, ReadOnlySpan<byte> octets)
    {
        foreach ((string name, nint map) in _maps)
        {
            if (LibBpf.MapIsInternal(map) == 0 || !name.EndsWith(section, StringComparison.Ordinal)) continue;
            nuint size = 0;
            void* value = LibBpf.MapInitialValue(map, &size);
            octets.CopyTo(new Span<byte>(value, (int)size)[at..]);
            return;
        }
        throw new ArgumentException($"{Name} has no {section}.", nameof(section));
    }

    /// <summary>Creates the maps, relocates (CO-RE) and loads the programs.</summary>
    /// <exception cref="KernelException">Refused; the detail is the end of the verifier's log.</exception>
    public void Load()
    {
        LibBpfLog.Start();
        int result = LibBpf.Load(_object);
        string log = LibBpfLog.Stop();
        if (result < 0) throw new KernelException($"bpf(PROG_LOAD {Name})", (Errno)(-result), log);
    }

    /// <summary>Takes a loaded program out; it lives on after the object is closed.</summary>
    /// <exception cref="KernelException">It was not loaded.</exception>
    public BpfProgram TakeProgram(string program) =>
        BpfProgram.Adopt(Duplicate(LibBpf.ProgramFd(Program(program)), program), program);

    /// <summary>Takes a map out; it lives on after the object is closed.</summary>
    /// <exception cref="KernelException">It was not created.</exception>
    public BpfMap TakeMap(string map) => BpfMap.Adopt(Duplicate(LibBpf.MapFd(Map(map)), map));

    /// <inheritdoc />
    public void Dispose()
    {
        if (_object != 0) LibBpf.Close(_object);
        _object = 0;
    }

    private static FileDescriptor Duplicate(int fd, string name) =>
        FileDescriptor.Open(fd < 0 ? fd : Libc.Fcntl(fd, Libc.FDupFdCloexec, 0), $"libbpf: take {name}");

    private static string Text(byte* name) => Marshal.PtrToStringUTF8((nint)name) ?? "";

    private nint Map(string name) => _maps.TryGetValue(name, out nint map)
        ? map
        : throw new ArgumentException($"{Name} names no map {name}.", nameof(name));

    private nint Program(string name) => _programs.TryGetValue(name, out nint program)
        ? program
        : throw new ArgumentException($"{Name} holds no program {name}.", nameof(name));

    private void Demand(int result, string what)
    {
        if (result < 0) throw new KernelException($"libbpf: {what} of {Name}", (Errno)(-result));
    }
}
