using System;
using System.Diagnostics;
using System.IO;
using System.Text.Json;
using System.Threading;
using System.Threading.Tasks;

namespace Genkan.Lab.Tests.Agent;

/// <summary>
/// One host with two VMs, a and b, on one network, each in a namespace of its own, and a file to start agents with.
/// Everything is
/// named after this process and removed with it.
/// </summary>
internal sealed class OneHost : IAgentHost, IAsyncDisposable
{
    private static int _count;

    private readonly string _name = $"gkt{Environment.ProcessId}x{Interlocked.Increment(ref _count)}";
    private readonly string _directory;

    private OneHost() => _directory = Path.Combine("/run", _name);

    /// <summary>Namespace of the host.</summary>
    public string Namespace => _name;

    /// <summary>The file.</summary>
    public string ConfigPath => Path.Combine(_directory, "topology.yaml");

    /// <summary>Parent of the agent's socket.</summary>
    public string RunDirectory => Path.Combine(_directory, "run");

    private string Pins => Path.Combine(_directory, "bpf");

    /// <summary>Lays it out; no agent runs yet.</summary>
    public static async Task<OneHost> CreateAsync(int underlayMtu = 1600, bool hasB = true)
    {
        OneHost host = new();
        try
        {
            await host.LayOutAsync(underlayMtu, hasB);
            return host;
        }
        catch
        {
            await host.DisposeAsync();
            throw;
        }
    }

    private async Task LayOutAsync(int underlayMtu, bool hasB)
    {
        Directory.CreateDirectory(Pins);
        await Command.MustAsync("mount", "-n", "-t", "bpf", "bpf", Pins);
        await Command.MustAsync("ip", "netns", "add", Namespace);
        await InHostAsync("ip", "link", "set", "lo", "up");
        await InHostAsync("ip", "link", "add", "ul0", "type", "veth", "peer", "name", "ul1");
        await InHostAsync("ip", "link", "set", "ul0", "mtu", $"{underlayMtu}", "up");
        await InHostAsync("ip", "link", "set", "ul1", "mtu", $"{underlayMtu}", "up");
        await InHostAsync("ip", "address", "add", "192.0.2.1/24", "dev", "ul0");
        await AddVmAsync("a");
        if (hasB) await AddVmAsync("b");
        await File.WriteAllTextAsync(ConfigPath, Topology);
    }

    /// <summary>Adds the VM a or b: a namespace with an interface eth0 whose other end is in the host.</summary>
    public async Task AddVmAsync(string vm)
    {
        int number = vm == "a" ? 1 : 2;
        await Command.MustAsync("ip", "netns", "add", NamespaceOf(vm));
        await Command.MustAsync(
            "ip", "link", "add", "name", $"vm-{vm}", "netns", Namespace, "type", "veth", "peer", "name", "eth0",
                "netns", NamespaceOf(vm));
        await InVmAsync(vm, "ip", "link", "set", "eth0", "address", $"02:00:00:00:00:0{number}", "up");
        await InVmAsync(vm, "ip", "link", "set", "lo", "up");
        await InVmAsync(vm, "ip", "address", "add", $"10.9.0.{10 + number}/24", "dev", "eth0");
        await InHostAsync("ip", "link", "set", $"vm-{vm}", "up");
    }

    /// <summary><c>genkan run</c> with all it needs here.</summary>
    public string[] RunArguments() =>
    [
        "env", $"GENKAN_RUN_DIRECTORY={RunDirectory}", Repository.Genkan, "run", "--config", ConfigPath, "--pins", Pins,
    ];

    /// <summary>Runs a program in the host's namespace.</summary>
    public Task<string> InHostAsync(params string[] command) =>
        Command.MustAsync("nsenter", [$"--net=/run/netns/{Namespace}", .. command]);

    /// <summary>Starts a program in a VM.</summary>
    public Process StartInVm(string vm, params string[] command) =>
        Command.Start("nsenter", [$"--net=/run/netns/{NamespaceOf(vm)}", .. command]);

    /// <summary>Runs a program in a VM; it may fail.</summary>
    public Task<Outcome> TryInVmAsync(string vm, params string[] command) =>
        Command.RunAsync("nsenter", [$"--net=/run/netns/{NamespaceOf(vm)}", .. command]);

    /// <summary>Runs a program in a VM.</summary>
    public Task<string> InVmAsync(string vm, params string[] command) =>
        Command.MustAsync("nsenter", [$"--net=/run/netns/{NamespaceOf(vm)}", .. command]);

    /// <summary>Asks the agent as an operator does.</summary>
    public async Task<JsonElement> AskAsync(params string[] words)
    {
        string json = await Command.MustAsync(
            "env", [$"GENKAN_RUN_DIRECTORY={RunDirectory}", Repository.Genkan, .. words, "--json"]);
        using JsonDocument document = JsonDocument.Parse(json);
        return document.RootElement.Clone();
    }

    /// <summary>Asks until an answer will do; each question is a process, so this does not spin.</summary>
    public async Task<JsonElement> AskUntilAsync(Func<JsonElement, bool> isEnough, params string[] words)
    {
        JsonElement answer = await AskAsync(words);
        for (int i = 0; i < 40 && !isEnough(answer); i++) answer = await AskAsync(words);
        return isEnough(answer) ? answer : throw new TimeoutException($"the agent still says: {answer}");
    }

    public async ValueTask DisposeAsync()
    {
        foreach (string name in new[] { NamespaceOf("a"), NamespaceOf("b"), Namespace })
        {
            if (File.Exists($"/run/netns/{name}")) await Command.MustAsync("ip", "netns", "delete", name);
        }

        await Command.RunAsync("umount", Pins); // fails if it was never mounted
        Directory.Delete(_directory, recursive: true);
    }

    private string NamespaceOf(string vm) => $"{_name}{vm}";

    private const string Topology = """
        hosts:
          alone:
            underlay: { address: 192.0.2.1, interface: ul0, mtu: 1600 }
            ports:
              a: { interface: vm-a }
              b: { interface: vm-b }
        tenants:
          t:
            networks:
              - name: n
                mtu: 1500
                subnets:
                  - { name: n4, cidr: 10.9.0.0/24, gateway: 10.9.0.1 }
            security_groups:
              - name: open
                rules:
                  - { direction: egress, ethertype: ipv4 }
                  - { direction: ingress, ethertype: ipv4 }
            ports:
              - { name: a, network: n, mac: "02:00:00:00:00:01", addresses: [10.9.0.11], security_groups: [open] }
              - { name: b, network: n, mac: "02:00:00:00:00:02", addresses: [10.9.0.12], security_groups: [open] }
        """;
}
