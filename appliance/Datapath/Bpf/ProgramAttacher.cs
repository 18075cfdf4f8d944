using System;
using System.Collections.Generic;
using System.Globalization;
using System.IO;
using Genkan.Datapath.Native;
using Genkan.Datapath.Netlink;
using Genkan.Datapath.Startup;

namespace Genkan.Datapath.Bpf;

/// <summary>How programs are put on interfaces.</summary>
public enum AttachMode
{
    /// <summary>tcx links, pinned (Linux 6.6).</summary>
    Tcx,

    /// <summary>The clsact qdisc with cls_bpf.</summary>
    Clsact,
}

/// <summary>
/// Keeps one of our programs on each hook, across agents: what a former agent attached is taken over and its program
/// replaced between two packets. Works in the network namespace of the thread that makes it.
/// </summary>
public sealed class ProgramAttacher : IDisposable
{
    private readonly Dictionary<(int Ifindex, TcxHook Hook), TcxLink> _links = [];
    private readonly RouteSocket _route = new();
    private readonly string _directory;

    /// <summary>Makes an attacher.</summary>
    /// <param name="pinDirectory">Directory on a bpffs where links are pinned; made if need be.</param>
    /// <param name="mode">How; null to take tcx where the kernel has it.</param>
    /// <exception cref="KernelException">The directory is on no bpffs.</exception>
    public ProgramAttacher(string pinDirectory, AttachMode? mode = null)
    {
        BpfFileSystem.CreatePinDirectory(pinDirectory);
        _directory = pinDirectory;
        Mode = mode ?? (KernelProbe.HasTcx() ? AttachMode.Tcx : AttachMode.Clsact);
    }

    /// <summary>How programs are attached.</summary>
    public AttachMode Mode { get; }

    /// <summary>Puts a program on a hook, in the place of our former one if there is one.</summary>
    /// <exception cref="KernelException">The kernel refused.</exception>
    public void Attach(int ifindex, TcxHook hook, BpfProgram program)
    {
        if (Mode == AttachMode.Clsact)
        {
            _route.SetFilter(ifindex, hook, program);
            return;
        }
        if (FindLink(ifindex, hook) is { } existing)
        {
            existing.Update(program);
            return;
        }
        TcxLink link = TcxLink.Attach(program, ifindex, hook);
        try
        {
            link.Pin(PathOf(ifindex, hook));
        }
        catch (KernelException)
        {
            link.Dispose();
            throw;
        }
        _links[(ifindex, hook)] = link;
    }

    /// <summary>Takes our program off a hook.</summary>
    /// <returns>False if it was not there.</returns>
    /// <exception cref="KernelException">The kernel refused.</exception>
    public bool Detach(int ifindex, TcxHook hook)
    {
        if (Mode == AttachMode.Clsact) return _route.DeleteFilter(ifindex, hook);
        if (FindLink(ifindex, hook) is not { } link) return false;
        link.Detach();
        Forget(ifindex, hook, link);
        return true;
    }

    /// <summary>Number of the program that stands on a hook for us, or null.</summary>
    /// <exception cref="KernelException">The kernel refused.</exception>
    public uint? FindProgramId(int ifindex, TcxHook hook) => Mode == AttachMode.Clsact
        ? _route.FindFilterProgramId(ifindex, hook)
        : FindLink(ifindex, hook)?.ReadProgramId();

    /// <summary>Hooks with our pinned links, also those of a former agent (tcx alone).</summary>
    public IReadOnlyList<(int Ifindex, TcxHook Hook)> ListPinned()
    {
        List<(int, TcxHook)> hooks = [];
        foreach (string path in Directory.EnumerateFiles(_directory))
        {
            string[] parts = Path.GetFileName(path).Split('-');
            if (parts.Length == 2 && Enum.TryParse(parts[0], ignoreCase: true, out TcxHook hook)
                && int.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out int ifindex))
            {
                hooks.Add((ifindex, hook));
            }
        }
        return hooks;
    }

    /// <summary>Closes the descriptors; pinned links and filters stay on their hooks.</summary>
    public void Dispose()
    {
        foreach (TcxLink link in _links.Values) link.Dispose();
        _links.Clear();
        _route.Dispose();
    }

    private string PathOf(int ifindex, TcxHook hook)
    {
        string side = hook == TcxHook.Ingress ? "ingress" : "egress";
        return Path.Combine(_directory, string.Create(CultureInfo.InvariantCulture, $"{side}-{ifindex}"));
    }

    /// <summary>
    /// Our link on a hook. A shell whose interface is gone is thrown away: its number may have a new owner.
    /// </summary>
    private TcxLink? FindLink(int ifindex, TcxHook hook)
    {
        if (!_links.TryGetValue((ifindex, hook), out TcxLink? link))
        {
            link = TcxLink.TryOpenPinned(PathOf(ifindex, hook));
            if (link is null) return null;
            _links.Add((ifindex, hook), link);
        }
        if (link.IsAttached()) return link;
        Forget(ifindex, hook, link);
        return null;
    }

    private void Forget(int ifindex, TcxHook hook, TcxLink link)
    {
        _links.Remove((ifindex, hook));
        link.Dispose();
        File.Delete(PathOf(ifindex, hook));
    }
}
