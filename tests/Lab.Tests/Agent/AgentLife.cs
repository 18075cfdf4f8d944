using System.Diagnostics;
using System.IO;
using System.Linq;
using System.Text.Json;
using System.Threading.Tasks;
using Shouldly;

namespace Genkan.Lab.Tests.Agent;

/// <summary>Start, death, adoption and refusals of an agent, on the real kernel.</summary>
public sealed class AgentLife
{
    [Fact]
    public async Task Killing_the_agent_and_starting_another_loses_no_packet_of_a_running_flow()
    {
        await using OneHost host = await OneHost.CreateAsync();
        await using AgentProcess first = await AgentProcess.StartAsync(host);

        // 3,000 pings in about 9 s, all of one flow; once it flows, the agent dies, and another comes.
        using Process pings = host.StartInVm("a", "ping", "-c", "3000", "-i", "0.003", "-W", "2", "10.9.0.12");
        while (await pings.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken) is { } line)
        {
            if (line.Contains("icmp_seq=1 ", System.StringComparison.Ordinal)) break;
        }

        await first.KillAsync();
        await using AgentProcess second = await AgentProcess.StartAsync(host);

        (await pings.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken))
            .ShouldContain("3000 received, 0% packet loss");
        JsonElement status = await host.AskAsync("status");
        status.GetProperty("is_adopted").GetBoolean().ShouldBeTrue();
        (await host.InVmAsync("a", "ping", "-c", "1", "-W", "5", "10.9.0.12")).ShouldContain("1 received");
        (await host.AskAsync("status")).GetProperty("upcall_latency").EnumerateArray()
            .Sum(static w => w.GetProperty("packets").GetInt64()).ShouldBeGreaterThan(0);
    }

    [Fact]
    public async Task A_second_agent_on_the_same_host_is_refused_with_one_message_that_names_the_first()
    {
        await using OneHost host = await OneHost.CreateAsync();
        await using AgentProcess first = await AgentProcess.StartAsync(host);

        Outcome second =
            await Command.RunAsync("nsenter", [$"--net=/run/netns/{host.Namespace}", .. host.RunArguments()]);

        second.ExitCode.ShouldBe(1);
        second.Error.ShouldStartWith("genkan: ");
        second.Error.ShouldContain("process");
        second.Error.Trim().Split('\n').Length.ShouldBe(1);
    }

    [Fact]
    public async Task An_interface_that_appears_later_is_bound_and_its_absence_is_a_warning_until_then()
    {
        await using OneHost host = await OneHost.CreateAsync(hasB: false);
        await using AgentProcess agent = await AgentProcess.StartAsync(host);
        (await host.AskAsync("status")).GetProperty("warnings").ToString().ShouldContain("vm-b");

        await host.AddVmAsync("b");
        await host.AskUntilAsync(static s => s.GetProperty("ports").GetProperty("bound").GetInt32() == 2, "status");

        (await host.InVmAsync("a", "ping", "-c", "1", "-W", "5", "10.9.0.12")).ShouldContain("1 received");
        (await host.AskAsync("status")).GetProperty("warnings").GetArrayLength().ShouldBe(0);
    }

    [Fact]
    public async Task Without_the_capability_to_load_programs_it_says_which_one_is_missing()
    {
        await using OneHost host = await OneHost.CreateAsync();

        Outcome run = await Command.RunAsync(
            "nsenter",
            [$"--net=/run/netns/{host.Namespace}", "setpriv", "--bounding-set=-bpf,-sys_admin",
                .. host.RunArguments()]);

        run.ExitCode.ShouldBe(1);
        run.Error.ShouldContain("CAP_BPF");
    }

    [Fact]
    public async Task A_mistake_in_the_file_is_one_message_with_its_line_and_nothing_is_started()
    {
        await using OneHost host = await OneHost.CreateAsync();
        string text = await File.ReadAllTextAsync(host.ConfigPath, TestContext.Current.CancellationToken);
        await File.WriteAllTextAsync(
            host.ConfigPath, text.Replace("10.9.0.12", "10.8.0.12", System.StringComparison.Ordinal),
                TestContext.Current.CancellationToken);

        Outcome run = await Command.RunAsync("nsenter", [$"--net=/run/netns/{host.Namespace}", .. host.RunArguments()]);

        run.ExitCode.ShouldBe(1);
        run.Error.ShouldContain("topology.yaml:21:");
        (await host.InHostAsync("ip", "-br", "link")).ShouldNotContain("gk-");
    }

    [Fact]
    public async Task Programs_stand_on_clsact_where_tcx_is_not_wanted()
    {
        await using OneHost host = await OneHost.CreateAsync();
        await using AgentProcess agent = await AgentProcess.StartAsync(host, "--attach", "clsact");

        (await host.InVmAsync("a", "ping", "-c", "2", "-W", "5", "10.9.0.12")).ShouldContain("2 received");
        (await host.AskAsync("status")).GetProperty("attach").GetString().ShouldBe("clsact");
        (await host.InHostAsync("tc", "filter", "show", "dev", "vm-a", "ingress")).ShouldContain("direct-action");
    }

    [Fact]
    public async Task What_a_VM_spoofs_is_dropped_and_counted_under_its_port()
    {
        await using OneHost host = await OneHost.CreateAsync();
        await using AgentProcess agent = await AgentProcess.StartAsync(host);

        await host.InVmAsync("a", "ip", "address", "add", "10.9.0.99/24", "dev", "eth0");
        Outcome ping =
            await host.TryInVmAsync("a", "ping", "-c", "3", "-i", "0.2", "-W", "1", "-I", "10.9.0.99", "10.9.0.12");

        ping.ExitCode.ShouldNotBe(0);
        JsonElement port = await host.AskAsync("port", "show", "a");
        port.GetProperty("drops").ToString().ShouldContain("spoofed_");
    }
}
