using System;
using System.IO;
using System.Text.Json;
using System.Threading.Tasks;

namespace Genkan.Lab.Tests.Agent;

/// <summary>One of the <see cref="TwoHosts"/>.</summary>
/// <param name="name">Its name in the file.</param>
/// <param name="namespaceName">Its network namespace.</param>
/// <param name="directory">Directory of the lab: the file, the agents' sockets, the pins.</param>
internal sealed class LabHost(string name, string namespaceName, string directory) : IAgentHost
{
    /// <summary>Its name in the file.</summary>
    public string Name => name;

    /// <inheritdoc/>
    public string Namespace => namespaceName;

    /// <summary>A bpffs; both hosts pin below it, each in a folder of its name.</summary>
    public string Pins => Path.Combine(directory, "bpf");

    /// <summary>Parent of the agent's socket.</summary>
    public string RunDirectory => Path.Combine(directory, "run");

    private string ConfigPath => Path.Combine(directory, "topology.yaml");

    /// <summary>Further variables of its agents, each NAME=VALUE.</summary>
    public string[] Variables { get; set; } = [];

    /// <inheritdoc/>
    public string[] RunArguments() =>
    [
        "env", $"GENKAN_RUN_DIRECTORY={RunDirectory}", .. Variables, Repository.Genkan, "run", "--config", ConfigPath,
        "--host", Name, "--pins", Pins,
    ];

    /// <summary>Starts its agent and waits until it is ready.</summary>
    public Task<AgentProcess> StartAgentAsync(params string[] more) => AgentProcess.StartAsync(this, more);

    /// <summary>Runs a program on the host.</summary>
    public Task<string> RunAsync(params string[] command) =>
        Command.MustAsync("nsenter", [$"--net=/run/netns/{Namespace}", .. command]);

    /// <summary>Asks its agent as an operator does.</summary>
    public async Task<JsonElement> AskAsync(params string[] words)
    {
        string json = await Command.MustAsync(
            "env", [$"GENKAN_RUN_DIRECTORY={RunDirectory}", Repository.Genkan, "--host", Name, .. words, "--json"]);
        using JsonDocument document = JsonDocument.Parse(json);
        return document.RootElement.Clone();
    }

    /// <summary>Asks until an answer will do; each question is a process, so this does not spin.</summary>
    public async Task<JsonElement> AskUntilAsync(Func<JsonElement, bool> isEnough, params string[] words)
    {
        JsonElement answer = await AskAsync(words);
        for (int i = 0; i < 40 && !isEnough(answer); i++) answer = await AskAsync(words);
        return isEnough(answer) ? answer : throw new TimeoutException($"the agent of {Name} still says: {answer}");
    }
}
