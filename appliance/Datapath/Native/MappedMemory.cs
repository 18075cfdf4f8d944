using System.Runtime.InteropServices;

namespace Genkan.Datapath.Native;

/// <summary>A mapping of a file descriptor's memory into ours, undone with its owner.</summary>
internal sealed unsafe class MappedMemory : SafeHandle
{
    private const int MapShared = 1;

    private readonly nuint _size;

    private MappedMemory(void* address, nuint size) : base(-1, ownsHandle: true)
    {
        _size = size;
        SetHandle((nint)address);
    }

    /// <summary>What the mapping allows; the values of mmap(2).</summary>
    [System.Flags]
    internal enum Protection
    {
        /// <summary>PROT_READ.</summary>
        Read = 1,

        /// <summary>PROT_WRITE.</summary>
        Write = 2,
    }

    /// <inheritdoc />
    public override bool IsInvalid => handle == -1;

    /// <summary>The first octet.</summary>
    internal byte* Address => (byte*)handle;

    /// <summary>Size in octets.</summary>
    internal nuint Size => _size;

    /// <summary>
    /// Maps <paramref name="size"/> octets of <paramref name="fd"/> from <paramref name="offset"/>, shared.
    /// </summary>
    /// <exception cref="KernelException">The kernel refused.</exception>
    internal static MappedMemory Map(FileDescriptor fd, nuint size, Protection protection, long offset, string what)
    {
        void* address = Libc.Mmap(null, size, (int)protection, MapShared, fd.Value, offset);
        return (nint)address != -1
            ? new MappedMemory(address, size)
            : throw new KernelException($"mmap({what})", Libc.LastError);
    }

    /// <inheritdoc />
    protected override bool ReleaseHandle() => Libc.Munmap((void*)handle, _size) == 0;
}
