using System.Runtime.InteropServices;

namespace Genkan.Datapath.Native;

/// <summary>An open file descriptor, closed with its owner.</summary>
public sealed class FileDescriptor : SafeHandle
{
    /// <summary>Takes over <paramref name="fd"/>.</summary>
    internal FileDescriptor(int fd) : base(-1, ownsHandle: true) => SetHandle(fd);

    /// <inheritdoc />
    public override bool IsInvalid => handle < 0;

    /// <summary>
    /// The number. It stays valid only while the owner lives: an owner keeps itself alive over its calls.
    /// </summary>
    internal int Value => (int)handle;

    /// <summary>Takes over the result of a call, or throws.</summary>
    /// <exception cref="KernelException">The result is negative.</exception>
    internal static FileDescriptor Open(int result, string call) =>
        result >= 0 ? new FileDescriptor(result) : throw new KernelException(call, Libc.LastError);

    /// <inheritdoc />
    protected override bool ReleaseHandle() => Libc.Close((int)handle) == 0;
}
