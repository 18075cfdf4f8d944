using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.Globalization;
using System.IO;
using System.Linq;
using System.Text;
using System.Threading.Tasks;
using Genkan.Datapath.Namespaces;

namespace Genkan.Benchmarks;

/// <summary>
/// Namespaces, cables and processes of one side of a benchmark. All of them go with it; what a killed run left
/// behind goes with the next one.
/// </summary>
internal sealed class Lab : IDisposable
{
    /// <summary>Where files may be made.</summary>
    internal const string FilesParent = "/tmp";

    /// <summary>Where BPF objects may be pinned.</summary>
    internal const string PinsParent = "/sys/fs/bpf";

    private const string Prefix = "gkb-";
    private const string NamedNamespaces = "/run/netns";

    private static readonly TimeSpan StartMax = TimeSpan.FromSeconds(90);
    private static readonly List<Lab> Standing = [];
    private static int _madeCount;

    /// <summary>Whether the run was interrupted: nothing is built any more.</summary>
    internal static bool IsClosing { get; private set; }

    private readonly List<string> _namespaces = [];
    private readonly List<string> _directories = [];
    private readonly List<Process> _processes = [];
    private readonly int _number = ++_madeCount;

    internal Lab()
    {
        lock (Standing) Standing.Add(this);
    }

    /// <summary>Makes a namespace; loopback is up.</summary>
    /// <param name="role">Short name, of this lab only.</param>
    internal void AddNamespace(string role)
    {
        string name = NameOf(role);
        lock (Standing)
        {
            RefuseIfClosing();
            Shell.Run($"ip netns add {name}");
            _namespaces.Add(name);
        }

        Shell.Run($"ip -n {name} link set lo up");
    }

    /// <summary>Makes a directory that goes with the lab.</summary>
    /// <param name="parent">Where: a file system for files or for BPF pins.</param>
    internal string AddDirectory(string parent)
    {
        string path = Path.Combine(parent, NameOf("dir"));
        lock (Standing)
        {
            RefuseIfClosing();
            Directory.CreateDirectory(path);
            _directories.Add(path);
        }

        return path;
    }

    /// <summary>Full name of a namespace, as in <c>ip netns</c>.</summary>
    internal string NameOf(string role) =>
        string.Create(CultureInfo.InvariantCulture, $"{Prefix}{Environment.ProcessId}-{_number}-{role}");

    /// <summary>Opens a namespace.</summary>
    internal NetworkNamespace Open(string role) => NetworkNamespace.OpenNamed(NameOf(role));

    /// <summary>Runs <c>ip</c> in a namespace.</summary>
    internal string Ip(string role, string command) => Shell.Run($"ip -n {NameOf(role)} {command}");

    /// <summary>Index of an interface.</summary>
    internal int InterfaceIndex(string role, string interfaceName) =>
        int.Parse(Ip(role, $"-oneline link show {interfaceName}").Split(':')[0], CultureInfo.InvariantCulture);

    /// <summary>Runs a command in a namespace.</summary>
    internal string Run(string role, string command, string? input = null) =>
        Shell.Run($"nsenter --net={NamedNamespaces}/{NameOf(role)} {command}", input);

    /// <summary>Starts a process in a namespace; it ends with the lab.</summary>
    /// <param name="role">The namespace.</param>
    /// <param name="command">Words parted by blanks.</param>
    /// <param name="until">Waits for a line with this in it; the rest is read and forgotten.</param>
    /// <returns>Its process id, of the command itself.</returns>
    /// <exception cref="InvalidOperationException">
    /// It ended, or <see cref="StartMax"/> passed, without that line.
    /// </exception>
    internal int Start(string role, string command, string until)
    {
        Process process;
        lock (Standing)
        {
            RefuseIfClosing();
            process = Shell.Start($"nsenter --net={NamedNamespaces}/{NameOf(role)} {command}");
            _processes.Add(process);
        }

        StringBuilder said = new();
        TaskCompletionSource<bool> ready = new(TaskCreationOptions.RunContinuationsAsynchronously);
        void Read(object sender, DataReceivedEventArgs e)
        {
            if (ready.Task.IsCompleted) return; // what it says later is read, and forgotten
            lock (said) said.AppendLine(e.Data);
            if (e.Data is null) ready.TrySetResult(false);
            else if (e.Data.Contains(until, StringComparison.Ordinal)) ready.TrySetResult(true);
        }

        process.OutputDataReceived += Read;
        process.ErrorDataReceived += Read;
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        if (ready.Task.Wait(StartMax) && ready.Task.Result) return process.Id;
        lock (said) throw new InvalidOperationException($"'{command}' did not get ready: {said.ToString().Trim()}");
    }

    /// <summary>Joins two namespaces by a veth, both ends up.</summary>
    /// <param name="left">Role of one side.</param>
    /// <param name="leftName">Interface there.</param>
    /// <param name="right">Role of the other side.</param>
    /// <param name="rightName">Interface there.</param>
    /// <param name="mtu">MTU of both, in octets.</param>
    internal void AddCable(string left, string leftName, string right, string rightName, int mtu = 1_500)
    {
        Shell.Run(
            $"ip link add {leftName} mtu {mtu} netns {NameOf(left)} type veth " +
            $"peer name {rightName} mtu {mtu} netns {NameOf(right)}");
        Ip(left, $"link set {leftName} up");
        Ip(right, $"link set {rightName} up");
    }

    /// <summary>
    /// Keeps netfilter out of a namespace's bridges: where br_netfilter is loaded, it passes every frame through its
    /// hooks even without a rule, which takes a third off a bridge.
    /// </summary>
    internal void KeepNetfilterOutOfBridges(string role)
    {
        if (!File.Exists("/proc/sys/net/bridge/bridge-nf-call-iptables")) return;
        Run(role, "sysctl -qw net.bridge.bridge-nf-call-iptables=0 net.bridge.bridge-nf-call-ip6tables=0 "
            + "net.bridge.bridge-nf-call-arptables=0");
    }

    /// <summary>Ends the processes, then takes the namespaces away, and with them the cables.</summary>
    public void Dispose()
    {
        lock (Standing) // to the end: an interrupt waits for what is being taken down already
        {
            if (!Standing.Remove(this)) return;
            foreach (Process process in _processes)
            {
                if (!process.HasExited) process.Kill();
                process.WaitForExit();
                process.Dispose();
            }

            foreach (string name in _namespaces) Remove(name);
            foreach (string path in _directories) Directory.Delete(path, recursive: true);
        }
    }

    /// <summary>Takes down what stands.</summary>
    /// <param name="forGood">When the run is interrupted: nothing can be built afterwards.</param>
    internal static void DisposeAll(bool forGood = false)
    {
        lock (Standing)
        {
            IsClosing |= forGood;
            foreach (Lab lab in Standing.ToArray()) lab.Dispose();
        }
    }

    /// <summary>Takes away what runs left behind whose process is gone.</summary>
    internal static void RemoveLeftovers()
    {
        foreach (string path in Leftovers(NamedNamespaces)) Remove(Path.GetFileName(path));
        foreach (string parent in (string[])[FilesParent, PinsParent])
        {
            foreach (string path in Leftovers(parent)) Directory.Delete(path, recursive: true);
        }
    }

    private static string[] Leftovers(string parent) => !Directory.Exists(parent) ? [] :
    [
        .. Directory.EnumerateFileSystemEntries(parent, Prefix + "*")
            .Where(path => !Directory.Exists("/proc/" + Path.GetFileName(path)[Prefix.Length..].Split('-')[0])),
    ];

    private static void RefuseIfClosing()
    {
        if (IsClosing) throw new InvalidOperationException("interrupted");
    }

    private static void Remove(string name)
    {
        string processes = Shell.Run($"ip netns pids {name}");
        foreach (string process in processes.Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            try
            {
                Process.GetProcessById(int.Parse(process, CultureInfo.InvariantCulture)).Kill();
            }
            catch (ArgumentException)
            {
                continue; // it ended meanwhile
            }
        }

        Shell.Run($"ip netns del {name}");
    }
}
