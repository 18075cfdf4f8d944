using System;
using Genkan.Datapath.Native;

namespace Genkan.Datapath.Bpf;

/// <summary>One loaded program of type sched_cls (the type of tcx and of cls_bpf).</summary>
public sealed class BpfProgram : IDisposable
{
    private const uint TypeSchedCls = 3;

    private BpfProgram(FileDescriptor fd, string name)
    {
        (Fd, Name) = (fd, name);
        BpfProgInfo info = default;
        BpfSyscall.GetInfo(fd, ref info, name);
        (Id, Tag, KernelName) = (info.Id, info.Tag, info.Name);
    }

    /// <summary>The function's name in C, or the path of the pin.</summary>
    public string Name { get; }

    /// <summary>The name that the kernel has: the first 15 octets of the function's.</summary>
    public string KernelName { get; }

    /// <summary>The kernel's number of the program.</summary>
    public uint Id { get; }

    /// <summary>The kernel's digest of the instructions: equal for equal code over equal constants.</summary>
    public ulong Tag { get; }

    internal FileDescriptor Fd { get; }

    /// <summary>Opens the program pinned at <paramref name="path"/>, or null if nothing is there.</summary>
    /// <exception cref="KernelException">The kernel refused.</exception>
    public static BpfProgram? TryOpenPinned(string path) =>
        BpfSyscall.TryGetPinned(path) is { } fd ? new BpfProgram(fd, path) : null;

    /// <summary>Opens a loaded program by the kernel's number, or null if it went meanwhile.</summary>
    /// <exception cref="KernelException">The kernel refused for another reason.</exception>
    public static BpfProgram? TryOpen(uint id)
    {
        GetByIdAttributes attributes = new() { Id = id };
        int fd = BpfSyscall.Run(BpfCommand.ProgGetFdById, ref attributes);
        if (fd >= 0) return new BpfProgram(new FileDescriptor(fd), $"program {id}");
        Errno error = Libc.LastError;
        return error == Errno.ENOENT
            ? null
            : throw new KernelException(BpfSyscall.Call(BpfCommand.ProgGetFdById, $"{id}"), error);
    }

    /// <summary>Pins the program at <paramref name="path"/>, which must not exist, on a bpffs.</summary>
    /// <exception cref="KernelException">The kernel refused.</exception>
    public void Pin(string path) => BpfSyscall.Pin(Fd, path);

    /// <inheritdoc />
    public void Dispose() => Fd.Dispose();

    internal static BpfProgram Adopt(FileDescriptor fd, string name) => new(fd, name);

    /// <summary>Loads bare instructions; for probes of what the kernel can do.</summary>
    /// <param name="instructions">struct bpf_insn in machine order, eight octets each.</param>
    /// <param name="name">Name for errors.</param>
    /// <exception cref="KernelException">The kernel refused.</exception>
    internal static unsafe BpfProgram Load(ReadOnlySpan<ulong> instructions, string name)
    {
        fixed (ulong* code = instructions)
        fixed (byte* license = "GPL\0"u8)
        {
            ProgLoadAttributes attributes = new()
            {
                Type = TypeSchedCls,
                InstructionCount = (uint)instructions.Length,
                Instructions = code,
                License = license,
            };
            BpfSyscall.CopyName(name, attributes.Name);
            return new BpfProgram(BpfSyscall.Open(BpfCommand.ProgLoad, ref attributes, name), name);
        }
    }
}
