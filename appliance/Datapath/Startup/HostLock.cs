using System;
using System.Diagnostics.CodeAnalysis;
using System.IO;
using System.Text;
using Genkan.Datapath.Native;

namespace Genkan.Datapath.Startup;

/// <summary>
/// The right to be the only agent of a host, held by flock(2) on a file that names the holder's process. It ends with
/// the process, however that ends.
/// </summary>
public sealed unsafe class HostLock : IDisposable
{
    private const int OpenReadWriteCreateCloexec = 0x80000 | 0x40 | 2;
    private const uint OwnerReadWriteOthersRead = 0x1A4; // 0644
    private const int HolderSizeMax = 16;
    private const int LockExclusiveNonBlocking = 2 | 4;
    private const int Unlock = 8;

    private readonly FileDescriptor _fd;

    private HostLock(FileDescriptor fd, string path) => (_fd, Path) = (fd, path);

    /// <summary>The file.</summary>
    public string Path { get; }

    /// <summary>Takes the lock, or says who has it.</summary>
    /// <param name="path">File on a local file system; made with its directory.</param>
    /// <param name="taken">The lock, to be disposed of at the end.</param>
    /// <param name="problem">A sentence for the operator if another process has it, else null.</param>
    /// <returns>False if another process has it.</returns>
    /// <exception cref="KernelException">The file cannot be made.</exception>
    public static bool TryTake(
        string path, [NotNullWhen(true)] out HostLock? taken, [NotNullWhen(false)] out string? problem)
    {
        (taken, problem) = (null, null);
        CreateDirectoryOf(path);
        FileDescriptor fd = FileDescriptor.Open(
            Libc.Open(path, OpenReadWriteCreateCloexec, OwnerReadWriteOthersRead), $"open({path})");
        if (Libc.Flock(fd.Value, LockExclusiveNonBlocking) < 0)
        {
            Errno error = Libc.LastError;
            string holder = ReadHolder(fd);
            fd.Dispose();
            if (error != Errno.EAGAIN) throw new KernelException($"flock({path})", error);
            problem = $"Another agent (process {holder}) already runs on this host and holds {path}. "
                + "Stop it first: two agents would undo each other's flows.";
            return false;
        }
        WriteHolder(fd);
        taken = new HostLock(fd, path);
        return true;
    }

    /// <inheritdoc />
    public void Dispose()
    {
        // By its name: a child that another thread begins at this moment has the file too until its exec, and with it
        // the lock. That it fails nobody could mend; what is closed is unlocked then.
        if (!_fd.IsClosed) _ = Libc.Flock(_fd.Value, Unlock);
        _fd.Dispose();
    }

    private static void CreateDirectoryOf(string path)
    {
        string directory = System.IO.Path.GetDirectoryName(path) ?? "/";
        try
        {
            Directory.CreateDirectory(directory);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new KernelException($"mkdir({directory})", Errno.EACCES, e.Message);
        }
    }

    private static string ReadHolder(FileDescriptor fd)
    {
        byte* octets = stackalloc byte[HolderSizeMax];
        nint length = Libc.Read(fd.Value, octets, HolderSizeMax);
        return length > 0 ? Encoding.ASCII.GetString(octets, (int)length).Trim() : "unknown";
    }

    /// <summary>The number has a fixed width, so that no rest of a longer one stays behind it.</summary>
    private static void WriteHolder(FileDescriptor fd)
    {
        byte[] octets = Encoding.ASCII.GetBytes($"{Environment.ProcessId,-10}\n");
        fixed (byte* octetsAt = octets)
        {
            if (Libc.Write(fd.Value, octetsAt, octets.Length) >= 0) return;
            throw new KernelException("write(host lock)", Libc.LastError);
        }
    }
}
