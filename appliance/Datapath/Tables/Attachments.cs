using System;
using System.Collections.Generic;
using System.Globalization;
using System.IO;
using Genkan.Datapath.Bpf;

namespace Genkan.Datapath.Tables;

/// <summary>
/// Which program stands on which interface's ingress: one tcx link an interface, pinned, so that it outlives the agent. A new agent's
/// programs take the places of the old ones' between two packets.
/// </summary>
internal sealed class Attachments : IDisposable
{
    private const string Prefix = "link_"; // bpffs takes no dots, which interface names may have: the number names the pin

    private readonly string _directory;
    private readonly Dictionary<int, TcxLink> _links = [];
    private readonly Dictionary<int, BpfProgram> _wanted = [];

    internal Attachments(string directory)
    {
        _directory = directory;
        Directory.CreateDirectory(directory);
        foreach (string path in Directory.GetFiles(directory, Prefix + "*"))
        {
            TcxLink? link = TcxLink.TryOpenPinned(path);
            if (link is { Ifindex: not 0 }) _links[link.Ifindex] = link;
            else Forget(path, link);
        }
    }

    /// <summary>Interfaces with a program.</summary>
    internal int Count => _links.Count;

    /// <summary>Begins a new set.</summary>
    internal void Begin() => _wanted.Clear();

    /// <summary>Puts a program on an interface's ingress, now.</summary>
    internal void Want(uint ifindex, BpfProgram program)
    {
        int number = (int)ifindex;
        if (!_wanted.TryAdd(number, program)) return; // several VLAN ports share one attachment
        if (_links.TryGetValue(number, out TcxLink? present))
        {
            if (present.IsAttached())
            {
                if (present.ReadProgramId() != program.Id) present.Update(program);
                return;
            }

            Forget(PathOf(number), present); // the number was given to another interface
        }

        TcxLink link = TcxLink.Attach(program, number, TcxHook.Ingress);
        link.Pin(PathOf(number));
        _links[number] = link;
    }

    /// <summary>Takes the programs off interfaces that were not named.</summary>
    internal void Commit()
    {
        foreach ((int ifindex, TcxLink link) in _links)
        {
            if (_wanted.ContainsKey(ifindex)) continue;
            if (link.IsAttached()) link.Detach();
            Forget(PathOf(ifindex), link);
            _links.Remove(ifindex); // allowed while enumerating
        }
    }

    /// <summary>Takes all programs off.</summary>
    internal void DetachAll()
    {
        Begin();
        Commit();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (TcxLink link in _links.Values) link.Dispose();
    }

    private static void Forget(string path, TcxLink? link)
    {
        link?.Dispose();
        File.Delete(path);
    }

    private string PathOf(int ifindex) => Path.Combine(_directory, Prefix + ifindex.ToString(CultureInfo.InvariantCulture));
}
