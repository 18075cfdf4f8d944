using System;
using System.Collections.Generic;
using Genkan.Datapath.Bpf;
using Genkan.Datapath.Netlink;

namespace Genkan.Datapath.Tables;

/// <summary>
/// Which program stands on which interface's ingress. What a former agent attached is taken over: new programs take
/// the places of the old ones between two packets, and those that nobody wants any more go.
/// </summary>
internal sealed class Attachments(string directory, AttachMode? mode) : IDisposable
{
    private readonly ProgramAttacher _attacher = new(directory, mode);
    private readonly Dictionary<int, uint> _present = [];
    private readonly HashSet<int> _wanted = [];

    /// <summary>How programs are attached.</summary>
    internal AttachMode Mode => _attacher.Mode;

    /// <summary>Begins a new set.</summary>
    /// <param name="links">The interfaces that there are.</param>
    internal void Begin(IEnumerable<LinkInfo> links)
    {
        _wanted.Clear();
        _present.Clear();
        if (_attacher.Mode == AttachMode.Tcx)
        {
            // Pins also tell of interfaces that are gone.
            foreach ((int ifindex, TcxHook hook) in _attacher.ListPinned()) Note(ifindex, hook);
            return;
        }

        foreach (LinkInfo link in links) Note(link.Ifindex, TcxHook.Ingress);
    }

    /// <summary>Puts a program on an interface's ingress, now; several VLAN ports share one attachment, the first one
    /// named.</summary>
    internal void Want(uint ifindex, BpfProgram program)
    {
        int number = (int)ifindex;
        if (!_wanted.Add(number)) return;
        if (_present.TryGetValue(number, out uint present) && present == program.Id) return;
        _attacher.Attach(number, TcxHook.Ingress, program);
    }

    /// <summary>Takes the programs off interfaces that were not named.</summary>
    internal void Commit()
    {
        foreach (int ifindex in _present.Keys)
        {
            if (!_wanted.Contains(ifindex)) _attacher.Detach(ifindex, TcxHook.Ingress);
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _attacher.Dispose();

    private void Note(int ifindex, TcxHook hook)
    {
        if (hook == TcxHook.Ingress && _attacher.FindProgramId(ifindex, hook) is { } program)
        {
            _present[ifindex] = program;
        }
    }
}
