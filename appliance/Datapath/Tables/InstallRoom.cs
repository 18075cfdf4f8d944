using System;
using Genkan.Datapath.Bpf;
using Genkan.Datapath.Layout;
using Genkan.Datapath.Native;

namespace Genkan.Datapath.Tables;

/// <summary>
/// Memory that one worker shares with the program <c>install_new</c>, by which it adds a batch of connections in one
/// call of the kernel.
/// </summary>
internal sealed class InstallRoom
{
    private readonly MmapArray<InstallEntry> _entries;
    private readonly BpfProgram _program;
    private readonly int _first;

    /// <summary>Takes a worker's share.</summary>
    /// <param name="entries">The memory of all workers.</param>
    /// <param name="program"><c>install_new</c>.</param>
    /// <param name="worker">Zero-based.</param>
    internal InstallRoom(MmapArray<InstallEntry> entries, BpfProgram program, int worker) =>
        (_entries, _program, _first) = (entries, program, worker * LayoutLimits.InstallBatch);

    /// <summary>An entry of the next call.</summary>
    /// <param name="index">Zero-based, below <see cref="LayoutLimits.InstallBatch"/>.</param>
    internal ref InstallEntry this[int index] => ref _entries[_first + index];

    /// <summary>Adds the first entries to the table of their family.</summary>
    /// <param name="count">How many.</param>
    /// <param name="isIpv4">Their family.</param>
    /// <param name="error">Why the one after the last added was refused; <c>None</c> if all were added.</param>
    /// <returns>How many were added.</returns>
    internal unsafe int Add(int count, bool isIpv4, out Errno error)
    {
        InstallRun run = new()
        {
            First = (uint)_first,
            End = (uint)(_first + count),
            IsIpv6 = isIpv4 ? 0u : 1u,
        };
        TestRunAttributes attributes = new()
        {
            ProgFd = (uint)_program.Fd.Value,
            ContextIn = &run,
            ContextSizeIn = (uint)sizeof(InstallRun),
        };
        error = BpfSyscall.TryRun(BpfCommand.ProgTestRun, ref attributes);
        GC.KeepAlive(_program);
        if (error != Errno.None) return 0;
        int added = (int)attributes.ReturnValue;
        if (added < count) error = (Errno)(-this[added].Error);
        return added;
    }
}
