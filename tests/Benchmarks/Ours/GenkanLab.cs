using System;
using System.Collections.Generic;
using System.IO;
using System.Text.Json;

namespace Genkan.Benchmarks.Ours;

/// <summary>
/// Hosts that run genkan, their VMs and cables, from one configuration file; as a user would set them up.
/// </summary>
internal sealed class GenkanLab : IDisposable
{
    private readonly List<int> _agentIds = [];
    private string _runDirectory = "";

    internal Lab Lab { get; } = new();

    /// <summary>Process ids of the agents, in the order in which they were started.</summary>
    internal IReadOnlyList<int> AgentIds => _agentIds;

    /// <summary>
    /// Makes a VM: a namespace whose <c>eth0</c> is cabled to an interface of the VM's name on the host.
    /// </summary>
    /// <param name="name">Name of the VM and of its virtual port.</param>
    /// <param name="host">Namespace of its host.</param>
    /// <param name="mac">Its MAC address, as in the configuration.</param>
    /// <param name="prefix">Its address with the prefix length.</param>
    /// <param name="gateway">Its default gateway.</param>
    internal void AddVm(string name, string host, string mac, string prefix, string gateway)
    {
        Lab.AddNamespace(name);
        Lab.AddCable(name, "eth0", host, name);
        Lab.Ip(name, $"link set eth0 address {mac}");
        Lab.Ip(name, $"address add {prefix} dev eth0");
        Lab.Ip(name, $"route add default via {gateway}");
    }

    /// <summary>Starts the agents of all hosts and waits until they forward.</summary>
    internal void StartAgents(string configuration, params string[] hosts)
    {
        string directory = Lab.AddDirectory(Lab.FilesParent);
        string file = Path.Combine(directory, "bench.yaml");
        File.WriteAllText(file, configuration);
        string pins = Lab.AddDirectory(Lab.PinsParent);
        _runDirectory = directory;
        foreach (string host in hosts)
        {
            string options = $"--config {file} --host {host} --pins {Path.Combine(pins, host)}";
            string command = $"env GENKAN_RUN_DIRECTORY={directory} {Executable()} run {options}";
            _agentIds.Add(Lab.Start(host, command, until: "is ready"));
        }
    }

    /// <summary>The MAC address by which a VM reaches its gateway, asked for as any VM does.</summary>
    internal byte[] GatewayMac(string vm, string gateway)
    {
        Lab.Run(vm, $"ping -c 3 -i 0.2 -W 2 {gateway}");
        string neighbour = Lab.Ip(vm, $"neighbour show {gateway}");
        string[] words = neighbour.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        int at = Array.IndexOf(words, "lladdr");
        if (at < 0) throw new InvalidOperationException($"{vm} knows no way to {gateway}: {neighbour}");
        return Convert.FromHexString(words[at + 1].Replace(":", "", StringComparison.Ordinal));
    }

    /// <summary>Asks a host's agent as an operator does: words and <c>--json</c>.</summary>
    internal JsonDocument Ask(string host, string words) => JsonDocument.Parse(Shell.Run(
        $"env GENKAN_RUN_DIRECTORY={_runDirectory} {Executable()} --host {host} {words} --json"));

    /// <inheritdoc />
    public void Dispose() => Lab.Dispose();

    /// <summary>The product that is measured.</summary>
    internal static string Executable()
    {
        string path = Environment.GetEnvironmentVariable("GENKAN")
            ?? throw new InvalidOperationException("GENKAN names no executable: start me by tests/bench");
        return File.Exists(path) ? path : throw new InvalidOperationException($"there is no {path}");
    }
}
