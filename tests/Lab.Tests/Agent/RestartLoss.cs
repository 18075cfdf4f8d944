using System;
using System.Text.Json;
using System.Threading.Tasks;
using Shouldly;

namespace Genkan.Lab.Tests.Agent;

/// <summary>
/// Killing the agent under 20,000 packets a second each way and a TCP transfer: between VMs, by source NAT, by a
/// floating IP. The benchmarks restart-loss and upgrade-loss, as they are; <c>sudo tests/bench</c> does it a hundred
/// times.
/// </summary>
public sealed class RestartLoss
{
    private static readonly TimeSpan Deadline = TimeSpan.FromMinutes(4);

    [Fact]
    public Task Ten_restarts_lose_no_packet_of_running_flows_nor_a_first_one_that_waits_and_keep_all_tuples() =>
        LosesNothing("restart-loss", restarts: 10);

    [Fact]
    public Task Ten_changes_of_the_layout_of_all_tables_down_and_up_lose_none_either() =>
        LosesNothing("upgrade-loss", restarts: 5);

    private static async Task LosesNothing(string benchmark, int restarts)
    {
        Outcome run = await Command.RunForAsync(
            Deadline, "env", $"GENKAN={Repository.Genkan}", Repository.Benchmarks, "--json", "--runs=1",
            $"--restarts={restarts}", benchmark);

        run.ExitCode.ShouldBe(0, run.ToString());
        using JsonDocument figures = JsonDocument.Parse(run.Output);
        double lost = figures.RootElement.GetProperty("value").GetDouble();
        double control = figures.RootElement.GetProperty("peer_value").GetDouble();
        lost.ShouldBeLessThanOrEqualTo(control, run.Error);
        run.Error.ShouldContain($"{restarts * 3} sent to a dead agent, 0 lost");
        run.Error.ShouldContain("0 from another tuple");
    }
}
