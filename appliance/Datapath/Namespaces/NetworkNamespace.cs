using System;
using System.IO;
using System.Runtime.ExceptionServices;
using System.Threading;
using Genkan.Datapath.Native;

namespace Genkan.Datapath.Namespaces;

/// <summary>
/// A network namespace, named under /run/netns as <c>ip netns</c> does, or anonymous. A thread enters it for the time
/// of a function; sockets and BPF links that the function opens stay in it.
/// </summary>
public sealed class NetworkNamespace : IDisposable
{
    private const string Directory = "/run/netns";
    private const int CloneNewNet = 0x40000000;
    private const int OpenReadOnlyCloexec = 0x80000;
    private const ulong MountBind = 0x1000;
    private const ulong MountRecursive = 0x4000;
    private const ulong MountShared = 0x100000;
    private const int UnmountDetach = 2;

    private readonly FileDescriptor _fd;

    private NetworkNamespace(FileDescriptor fd, string? name) => (_fd, Name) = (fd, name);

    /// <summary>Name under /run/netns, or null.</summary>
    public string? Name { get; }

    /// <summary>The descriptor, for netlink's IFLA_NET_NS_FD.</summary>
    internal int FdValue => _fd.Value;

    /// <summary>Makes a namespace that lives as long as this and the sockets and interfaces that use it.</summary>
    /// <exception cref="KernelException">The kernel refused: CAP_SYS_ADMIN is needed.</exception>
    public static NetworkNamespace CreateAnonymous()
    {
        FileDescriptor fd = OnNewThread(() =>
        {
            Unshare();
            return OpenCurrent();
        });
        return new NetworkNamespace(fd, name: null);
    }

    /// <summary>
    /// Makes a namespace that others find as /run/netns/<paramref name="name"/> until <see cref="Delete"/>.
    /// </summary>
    /// <exception cref="KernelException">The kernel refused: CAP_SYS_ADMIN is needed, or the name exists.</exception>
    public static NetworkNamespace CreateNamed(string name)
    {
        string path = Path.Combine(Directory, name);
        ShareDirectory();
        if (File.Exists(path)) throw new KernelException($"netns {name}", Errno.EEXIST);
        File.WriteAllBytes(path, []);
        try
        {
            FileDescriptor fd = OnNewThread(() =>
            {
                Unshare();
                Demand(Libc.Mount("/proc/thread-self/ns/net", path, null, MountBind, null), $"mount({path})");
                return OpenCurrent();
            });
            return new NetworkNamespace(fd, name);
        }
        catch
        {
            File.Delete(path);
            throw;
        }
    }

    /// <summary>Opens /run/netns/<paramref name="name"/>.</summary>
    /// <exception cref="KernelException">There is none.</exception>
    public static NetworkNamespace OpenNamed(string name) => new(OpenPath(Path.Combine(Directory, name)), name);

    /// <summary>Opens the namespace of the calling thread.</summary>
    /// <exception cref="KernelException">The kernel refused.</exception>
    public static NetworkNamespace Current() => new(OpenCurrent(), name: null);

    /// <summary>Takes the name away; the namespace itself goes with its last user.</summary>
    /// <exception cref="KernelException">The kernel refused.</exception>
    public static void Delete(string name)
    {
        string path = Path.Combine(Directory, name);
        Demand(Libc.Umount2(path, UnmountDetach), $"umount({path})");
        File.Delete(path);
    }

    /// <summary>
    /// Runs <paramref name="function"/> on a thread of its own that is in the namespace, and waits for it.
    /// </summary>
    public void Run(Action function) => Run(() =>
    {
        function();
        return true;
    });

    /// <summary>
    /// Runs <paramref name="function"/> on a thread of its own that is in the namespace, and waits for its result.
    /// </summary>
    public T Run<T>(Func<T> function) => OnNewThread(() =>
    {
        EnterForThisThread();
        return function();
    });

    /// <summary>
    /// Moves the calling thread into the namespace for good: for threads that a driver owns, never for the pool's.
    /// </summary>
    /// <exception cref="KernelException">The kernel refused.</exception>
    public void EnterForThisThread() => Demand(Libc.SetNs(_fd.Value, CloneNewNet), $"setns({Name ?? "anonymous"})");

    /// <inheritdoc />
    public void Dispose() => _fd.Dispose();

    private static void Unshare() => Demand(Libc.Unshare(CloneNewNet), "unshare(CLONE_NEWNET)");

    private static FileDescriptor OpenCurrent() => OpenPath("/proc/thread-self/ns/net");

    private static FileDescriptor OpenPath(string path) =>
        FileDescriptor.Open(Libc.Open(path, OpenReadOnlyCloexec, 0), $"open({path})");

    private static void Demand(int result, string call)
    {
        if (result < 0) throw new KernelException(call, Libc.LastError);
    }

    /// <summary>
    /// Makes /run/netns a shared mount, so that names made here are seen (and can be removed) in other mount
    /// namespaces.
    /// </summary>
    private static void ShareDirectory()
    {
        System.IO.Directory.CreateDirectory(Directory);
        if (Libc.Mount("", Directory, "none", MountShared | MountRecursive, null) == 0) return;
        Demand(Libc.Mount(Directory, Directory, "none", MountBind | MountRecursive, null), $"mount({Directory})");
        Demand(Libc.Mount("", Directory, "none", MountShared | MountRecursive, null), $"mount({Directory})");
    }

    private static T OnNewThread<T>(Func<T> function)
    {
        T? result = default;
        ExceptionDispatchInfo? fault = null;
        Thread thread = new(() =>
        {
            try
            {
                result = function();
            }
            catch (Exception e)
            {
                fault = ExceptionDispatchInfo.Capture(e); // rethrown on the caller's thread
            }
        })
        {
            IsBackground = true,
            Name = "netns",
        };
        thread.Start();
        thread.Join();
        fault?.Throw();
        return result!;
    }
}
