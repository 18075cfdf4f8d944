using System;
using System.IO;
using System.Linq;
using System.Threading.Tasks;
using Shouldly;

namespace Genkan.Lab.Tests.Agent;

/// <summary>The first packets that reach a process which has just begun.</summary>
public sealed class FirstPackets
{
    // What stands between a packet in the ring and its decision in the tables. Housekeeping has a thread of its own.
    private static readonly string[] OnTheWay =
    [
        "Genkan.Overlay.Simulation.", "Genkan.Overlay.Flows.SlowPath:", "Genkan.Overlay.Flows.FlowTranslator:",
        "Genkan.Nat.", "Genkan.Wire.", "Genkan.Datapath.Packets.", "Genkan.Datapath.Tables.ConnectionTable:",
        "Genkan.Datapath.Rings.", "Genkan.Datapath.Tables.InstallRoom:", "Genkan.Datapath.Tables.Injector:",
        "Genkan.Datapath.Tables.DatapathWorker:", "Genkan.Datapath.Tables.UpcallFrame:",
        "Genkan.Host.Agent.PacketWorker:HandleBatch",
    ];

    [Fact]
    public async Task Wait_for_no_code_to_be_compiled()
    {
        await using TwoHosts lab = await TwoHosts.CreateAsync();
        string list = Path.Combine(lab.One.RunDirectory, "compiled");
        Directory.CreateDirectory(lab.One.RunDirectory);
        lab.One.Variables = [$"DOTNET_JitStdOutFile={list}", "DOTNET_JitDisasmSummary=1"];
        await using AgentProcess one = await lab.One.StartAgentAsync();
        string[] rehearsed = await CompiledAsync(list);

        // To a VM here, to the Internet by source NAT, from it to a floating IP, to nobody; TCP is refused by the VM.
        (await lab.InAsync("c", "ping", "-c", "1", "-W", "5", "10.9.0.11")).ShouldContain("1 received");
        (await lab.InAsync("c", "ping", "-c", "1", "-W", "5", TwoHosts.Internet)).ShouldContain("1 received");
        (await lab.InAsync("isp", "ping", "-c", "1", "-W", "5", TwoHosts.FloatingIp)).ShouldContain("1 received");
        await lab.TryInAsync("c", "bash", "-c", "echo >/dev/tcp/10.9.0.11/7777");
        await lab.InAsync("c", "bash", "-c", "echo >/dev/udp/10.9.0.11/7777");
        await lab.TryInAsync("c", "ping", "-c", "1", "-W", "1", "10.99.0.1");

        rehearsed.ShouldContain(
            static line => line.Contains("Genkan.Overlay.Simulation.Walk:Run()", StringComparison.Ordinal));
        (await CompiledAsync(list)).Skip(rehearsed.Length)
            .Where(static line => !line.Contains("[Tier1", StringComparison.Ordinal)) // again, and beside the workers
            .Where(static line =>
                OnTheWay.Any(name => line.Contains($"compiled {name}", StringComparison.Ordinal)))
            .ShouldBeEmpty();
    }

    [Fact]
    public async Task Of_a_flow_that_begins_at_once_are_all_answered()
    {
        await using OneHost host = await OneHost.CreateAsync();
        await using AgentProcess agent = await AgentProcess.StartAsync(host);

        // Behind its first packet eight may wait: that one has 80 ms.
        (await host.InVmAsync("a", "ping", "-i", "0.01", "-c", "100", "-W", "2", "10.9.0.12"))
            .ShouldContain("100 received, 0% packet loss");
    }

    private static Task<string[]> CompiledAsync(string list) =>
        File.ReadAllLinesAsync(list, TestContext.Current.CancellationToken);
}
