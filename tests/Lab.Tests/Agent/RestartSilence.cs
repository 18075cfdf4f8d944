using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.Threading.Tasks;
using Shouldly;

namespace Genkan.Lab.Tests.Agent;

/// <summary>What the host's own network sees of a restart.</summary>
public sealed class RestartSilence
{
    // What neighbour entries do of themselves.
    private static readonly string[] Natural = [" REACHABLE", " STALE", " DELAY", " PROBE"];

    private const int MarksMax = 30;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    [Fact]
    public async Task Killing_the_agent_and_starting_another_changes_no_link_address_route_or_neighbour()
    {
        await using TwoHosts lab = await TwoHosts.CreateAsync();
        await using AgentProcess first = await lab.One.StartAgentAsync();
        (await lab.InAsync("a", "ping", "-c", "2", "-i", "0.05", "-W", "5", TwoHosts.Internet))
            .ShouldContain("2 received");
        using Process monitor = lab.StartIn("h1", "ip", "monitor", "all");
        await ReadUntilMarkAsync(lab, monitor, "127.0.0.9");

        await first.KillAsync();
        await using AgentProcess second = await lab.One.StartAgentAsync();
        (await lab.InAsync("a", "ping", "-c", "2", "-i", "0.05", "-W", "5", TwoHosts.Internet))
            .ShouldContain("2 received");

        List<string> seen = await ReadUntilMarkAsync(lab, monitor, "127.0.0.10");
        monitor.Kill();
        seen.ShouldBeEmpty();
    }

    /// <summary>Changes something itself, and reads until that is told. A monitor that does not listen yet misses the
    /// change, so it is made again until it is told.</summary>
    private static async Task<List<string>> ReadUntilMarkAsync(TwoHosts lab, Process monitor, string address)
    {
        Task<List<string>> reading = ReadAsync(monitor, address);
        for (int marks = 0; marks < MarksMax; marks++)
        {
            await lab.InAsync("h1", "ip", "address", "replace", $"{address}/32", "dev", "lo");
            try
            {
                return await reading.WaitAsync(Patience, TestContext.Current.CancellationToken);
            }
            catch (TimeoutException)
            {
                continue;
            }
        }

        throw new TimeoutException($"ip monitor does not tell of {address}");
    }

    private static async Task<List<string>> ReadAsync(Process monitor, string address)
    {
        List<string> seen = [];
        while (await monitor.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken) is { } line)
        {
            if (line.Contains($" {address}/32", StringComparison.Ordinal)) return seen;
            if (line.Contains(" 127.0.0.", StringComparison.Ordinal)) continue; // our marks and their routes
            if (!line.StartsWith('[')) continue; // more of the line before
            if (line.Contains("genkan-probe", StringComparison.Ordinal)) continue; // of the agent, asks what tcx can
            bool isNatural = line.Contains("[NEIGH]", StringComparison.Ordinal)
                && Array.Exists(Natural, n => line.Contains(n, StringComparison.Ordinal))
                && !line.Contains("Deleted", StringComparison.Ordinal);
            if (!isNatural) seen.Add(line);
        }

        throw new InvalidOperationException("ip monitor ended");
    }
}
