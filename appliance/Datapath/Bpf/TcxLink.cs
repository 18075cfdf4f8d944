using System;
using Genkan.Datapath.Native;

namespace Genkan.Datapath.Bpf;

/// <summary>The side of an interface that a program stands on.</summary>
public enum TcxHook
{
    /// <summary>What the interface received (BPF_TCX_INGRESS).</summary>
    Ingress = 46,

    /// <summary>What the interface is about to send (BPF_TCX_EGRESS).</summary>
    Egress = 47,
}

/// <summary>Where a program goes among those that are on the hook already.</summary>
/// <param name="Place">Before or after.</param>
/// <param name="Relative">The link to stand next to; null means all.</param>
/// <param name="ExpectedRevision">The hook's revision that the choice was made on, or 0 for any.</param>
public readonly record struct TcxPosition(TcxPlace Place, TcxLink? Relative = null, ulong ExpectedRevision = 0);

/// <summary>BPF_F_BEFORE or BPF_F_AFTER.</summary>
public enum TcxPlace
{
    /// <summary>Wherever the kernel appends: last.</summary>
    Default = 0,

    /// <summary>Before the relative, or first.</summary>
    Before = 1 << 3,

    /// <summary>After the relative, or last.</summary>
    After = 1 << 4,
}

/// <summary>
/// A program on a tcx hook. The attachment lasts as long as the descriptor or its pin: pinned, it outlives the agent.
/// </summary>
public sealed class TcxLink : IDisposable
{
    private const uint FlagRelativeIsLink = 1 << 13; // BPF_F_LINK

    private TcxLink(FileDescriptor fd)
    {
        Fd = fd;
        BpfLinkInfo info = default;
        BpfSyscall.GetInfo(fd, ref info, "link");
        (Id, Ifindex, Hook) = (info.Id, (int)info.Ifindex, (TcxHook)info.AttachType);
    }

    /// <summary>The kernel's number of the link.</summary>
    public uint Id { get; }

    /// <summary>The interface, or 0 if that was gone when the link was opened.</summary>
    public int Ifindex { get; }

    /// <summary>The hook.</summary>
    public TcxHook Hook { get; }

    private FileDescriptor Fd { get; }

    /// <summary>Attaches <paramref name="program"/>.</summary>
    /// <param name="program">Program of type sched_cls.</param>
    /// <param name="ifindex">Interface of the calling thread's namespace.</param>
    /// <param name="hook">Side.</param>
    /// <param name="position">Order among the hook's programs.</param>
    /// <exception cref="KernelException">The kernel refused; <c>ESTALE</c> if the revision moved on.</exception>
    public static TcxLink Attach(BpfProgram program, int ifindex, TcxHook hook, TcxPosition position = default)
    {
        TcxLinkCreateAttributes attributes = new()
        {
            ProgFd = (uint)program.Fd.Value,
            TargetIfindex = (uint)ifindex,
            AttachType = (uint)hook,
            Flags = (uint)position.Place | (position.Relative is null ? 0 : FlagRelativeIsLink),
            RelativeFd = position.Relative is null ? 0 : (uint)position.Relative.Fd.Value,
            ExpectedRevision = position.ExpectedRevision,
        };
        FileDescriptor fd = BpfSyscall.Open(
            BpfCommand.LinkCreate, ref attributes, $"{program.Name} on {hook} of interface {ifindex}");
        GC.KeepAlive(program);
        GC.KeepAlive(position.Relative);
        return new TcxLink(fd);
    }

    /// <summary>Opens the link pinned at <paramref name="path"/>, or null if nothing is there.</summary>
    /// <exception cref="KernelException">The kernel refused.</exception>
    public static TcxLink? TryOpenPinned(string path) =>
        BpfSyscall.TryGetPinned(path) is { } fd ? new TcxLink(fd) : null;

    /// <summary>Pins the link at <paramref name="path"/>, which must not exist, on a bpffs.</summary>
    /// <exception cref="KernelException">The kernel refused.</exception>
    public void Pin(string path) => BpfSyscall.Pin(Fd, path);

    /// <summary>Puts another program in the place of the link's program, between two packets.</summary>
    /// <exception cref="KernelException">The kernel refused; <c>ENOLINK</c> if the interface is gone.</exception>
    public void Update(BpfProgram program)
    {
        LinkUpdateAttributes attributes = new() { LinkFd = (uint)Fd.Value, NewProgFd = (uint)program.Fd.Value };
        BpfSyscall.Demand(BpfCommand.LinkUpdate, ref attributes, program.Name);
        GC.KeepAlive(program);
    }

    /// <summary>The number of the program that the link runs now.</summary>
    /// <exception cref="KernelException">The kernel refused.</exception>
    public uint ReadProgramId() => ReadInfo().ProgId;

    /// <summary>True while the interface is there: a link outlives its interface as an empty shell.</summary>
    /// <exception cref="KernelException">The kernel refused.</exception>
    public bool IsAttached() => ReadInfo().Ifindex != 0;

    /// <summary>Takes the program off the hook, pinned or not.</summary>
    /// <exception cref="KernelException">The kernel refused.</exception>
    public void Detach()
    {
        LinkUpdateAttributes attributes = new() { LinkFd = (uint)Fd.Value };
        BpfSyscall.Demand(BpfCommand.LinkDetach, ref attributes, $"link {Id}");
    }

    /// <summary>
    /// The hook's revision and how many programs are on it; for <see cref="TcxPosition.ExpectedRevision"/>.
    /// </summary>
    /// <exception cref="KernelException">The kernel refused.</exception>
    public static (ulong Revision, int ProgramCount) Query(int ifindex, TcxHook hook)
    {
        ProgQueryAttributes attributes = new() { TargetIfindex = (uint)ifindex, AttachType = (uint)hook };
        BpfSyscall.Demand(BpfCommand.ProgQuery, ref attributes, $"{hook} of interface {ifindex}");
        return (attributes.Revision, (int)attributes.Count);
    }

    /// <inheritdoc />
    public void Dispose() => Fd.Dispose();

    private BpfLinkInfo ReadInfo()
    {
        BpfLinkInfo info = default;
        BpfSyscall.GetInfo(Fd, ref info, $"link {Id}");
        return info;
    }
}
