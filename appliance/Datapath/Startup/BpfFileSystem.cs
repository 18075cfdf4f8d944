using System;
using System.IO;
using Genkan.Datapath.Native;

namespace Genkan.Datapath.Startup;

/// <summary>The file system that BPF objects are pinned on.</summary>
public static unsafe class BpfFileSystem
{
    /// <summary>Where Linux keeps it.</summary>
    public const string DefaultMountPoint = "/sys/fs/bpf";

    private const long Magic = 0xCAFE4A11;

    /// <summary>True if <paramref name="directory"/> exists and is on a bpffs.</summary>
    public static bool IsOn(string directory)
    {
        StatFsBuffer buffer = default;
        return Libc.StatFs(directory, &buffer) == 0 && (uint)buffer.Type == Magic;
    }

    /// <summary>Makes sure that a bpffs is mounted at <paramref name="mountPoint"/>.</summary>
    /// <returns>True if it was mounted now.</returns>
    /// <exception cref="KernelException">It is not, and mounting was refused.</exception>
    public static bool EnsureMounted(string mountPoint = DefaultMountPoint)
    {
        if (IsOn(mountPoint)) return false;
        if (!Directory.Exists(mountPoint))
        {
            try
            {
                Directory.CreateDirectory(mountPoint);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                throw new KernelException($"mkdir({mountPoint})", Errno.EACCES, e.Message);
            }
        }
        if (Libc.Mount("bpf", mountPoint, "bpf", 0, "mode=0700") == 0) return true;
        throw new KernelException(
            $"mount(bpf on {mountPoint})", Libc.LastError, $"Mount it beforehand: mount -t bpf bpf {mountPoint}.");
    }

    /// <summary>Takes a bpffs away, and what is pinned on it alone.</summary>
    /// <exception cref="KernelException">Refused.</exception>
    public static void Unmount(string mountPoint)
    {
        if (Libc.Umount2(mountPoint, 0) < 0) throw new KernelException($"umount({mountPoint})", Libc.LastError);
    }

    /// <summary>
    /// Makes a pin directory with its parents, mounting a bpffs if its path is under <see cref="DefaultMountPoint"/>
    /// and none is there.
    /// </summary>
    /// <exception cref="KernelException">It is on no bpffs, or the kernel refused.</exception>
    public static void CreatePinDirectory(string directory)
    {
        if (directory.StartsWith(DefaultMountPoint + "/", StringComparison.Ordinal)) EnsureMounted();
        try
        {
            Directory.CreateDirectory(directory);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new KernelException($"mkdir({directory})", Errno.EACCES, e.Message);
        }
        if (!IsOn(directory))
        {
            throw new KernelException(
                $"pin directory {directory}", Errno.EINVAL, "It is on no bpffs: choose one under /sys/fs/bpf.");
        }
    }

    /// <summary>
    /// Removes a pin directory and what is pinned in it: the objects go unless somebody else holds them.
    /// </summary>
    /// <returns>False if it was not there.</returns>
    public static bool RemovePinDirectory(string directory)
    {
        if (!Directory.Exists(directory)) return false;
        Directory.Delete(directory, recursive: true);
        return true;
    }
}
