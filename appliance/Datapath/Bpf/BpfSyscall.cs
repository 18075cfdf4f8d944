using System;
using System.IO;
using System.Runtime.CompilerServices;
using System.Text;
using Genkan.Datapath.Native;

namespace Genkan.Datapath.Bpf;

/// <summary>bpf(2) itself.</summary>
internal static unsafe class BpfSyscall
{
    /// <summary>BPF_OBJ_NAME_LEN: octets of a name with its final zero.</summary>
    internal const int NameSize = 16;

    /// <summary>Runs one command.</summary>
    /// <returns>The kernel's result, or −1 with <see cref="Libc.LastError"/>.</returns>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static int Run<T>(BpfCommand command, ref T attributes)
        where T : unmanaged
    {
        fixed (T* pointer = &attributes) return (int)Libc.Syscall(Libc.SysBpf, (long)command, pointer, sizeof(T));
    }

    /// <summary>Runs one command of a table; nothing is thrown.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static Errno TryRun<T>(BpfCommand command, ref T attributes)
        where T : unmanaged => Run(command, ref attributes) >= 0 ? Errno.None : Libc.LastError;

    /// <summary>Runs a command that yields a descriptor.</summary>
    /// <exception cref="KernelException">The kernel refused.</exception>
    internal static FileDescriptor Open<T>(BpfCommand command, ref T attributes, string what)
        where T : unmanaged => FileDescriptor.Open(Run(command, ref attributes), Call(command, what));

    /// <summary>Runs a command that must succeed.</summary>
    /// <exception cref="KernelException">The kernel refused.</exception>
    internal static int Demand<T>(BpfCommand command, ref T attributes, string what)
        where T : unmanaged
    {
        int result = Run(command, ref attributes);
        return result >= 0 ? result : throw new KernelException(Call(command, what), Libc.LastError);
    }

    /// <summary>How a call is named in errors, such as <c>bpf(MAP_CREATE conn4)</c>.</summary>
    internal static string Call(BpfCommand command, string what)
    {
        StringBuilder text = new("bpf(");
        foreach (char c in command.ToString())
        {
            if (char.IsUpper(c) && text.Length > 4) text.Append('_');
            text.Append(char.ToUpperInvariant(c));
        }
        return text.Append(' ').Append(what).Append(')').ToString();
    }

    /// <summary>Pins an object at <paramref name="path"/>, which must not exist, on a bpffs.</summary>
    /// <exception cref="KernelException">The kernel refused.</exception>
    internal static void Pin(FileDescriptor fd, string path)
    {
        fixed (byte* octets = ZeroTerminated(path))
        {
            ObjectAttributes attributes = new() { Path = octets, Fd = (uint)fd.Value };
            Demand(BpfCommand.ObjPin, ref attributes, path);
        }
    }

    /// <summary>Opens what is pinned at <paramref name="path"/>, or null if nothing is there.</summary>
    /// <exception cref="KernelException">The kernel refused for another reason.</exception>
    internal static FileDescriptor? TryGetPinned(string path)
    {
        fixed (byte* octets = ZeroTerminated(path))
        {
            ObjectAttributes attributes = new() { Path = octets };
            int fd = Run(BpfCommand.ObjGet, ref attributes);
            if (fd >= 0) return new FileDescriptor(fd);
            Errno error = Libc.LastError;
            return error == Errno.ENOENT ? null : throw new KernelException(Call(BpfCommand.ObjGet, path), error);
        }
    }

    /// <summary>Fills <paramref name="info"/> of an object; the kernel zero-fills what it does not know.</summary>
    /// <exception cref="KernelException">The kernel refused.</exception>
    internal static void GetInfo<T>(FileDescriptor fd, ref T info, string what)
        where T : unmanaged
    {
        fixed (T* pointer = &info)
        {
            InfoAttributes attributes = new() { Fd = (uint)fd.Value, Length = (uint)sizeof(T), Info = pointer };
            Demand(BpfCommand.ObjGetInfoByFd, ref attributes, what);
        }
    }

    /// <summary>UTF-8 with the final zero.</summary>
    internal static byte[] ZeroTerminated(string text) => Encoding.UTF8.GetBytes(text + "\0");

    /// <summary>Copies the first 15 octets of a name into an attribute.</summary>
    internal static void CopyName(string name, byte* target)
    {
        ReadOnlySpan<char> shortened = name.AsSpan(0, Math.Min(name.Length, NameSize - 1));
        Encoding.ASCII.GetBytes(shortened, new Span<byte>(target, NameSize - 1));
    }

    /// <summary>
    /// The CPUs that per-CPU maps have values for (/sys/devices/system/cpu/possible, as in <c>0-3</c>).
    /// </summary>
    internal static int PossibleCpuCount { get; } = ReadPossibleCpuCount();

    private static int ReadPossibleCpuCount()
    {
        string text = File.ReadAllText("/sys/devices/system/cpu/possible").Trim();
        int last = text.LastIndexOfAny([',', '-']);
        return int.Parse(text.AsSpan(last + 1), provider: null) + 1;
    }
}
