using System.Threading.Tasks;
using Shouldly;

namespace Genkan.Lab.Tests.Agent;

/// <summary>The lab of two hosts as it stands: every way that a packet can go.</summary>
public sealed class TwoHostsLife
{
    [Fact]
    public async Task A_VM_reaches_its_neighbours_the_other_host_and_the_Internet_and_is_reached_by_its_floating_IP()
    {
        await using TwoHosts lab = await TwoHosts.CreateAsync();
        await using AgentProcess one = await lab.One.StartAgentAsync();
        await using AgentProcess two = await lab.Two.StartAgentAsync();

        string[][] pings =
        [
            ["a", "10.9.0.13"], ["a", "10.9.0.12"], ["a", "10.9.0.1"], ["a", TwoHosts.Internet],
            ["b", TwoHosts.Internet], ["c", TwoHosts.Internet], ["isp", TwoHosts.FloatingIp],
            ["a", "2001:db8:1:9::13"], ["b", "2001:db8:1:9::11"], ["c", "2001:db8:beef::10"],
        ];
        foreach (string[] ping in pings)
        {
            (await lab.InAsync(ping[0], "ping", "-c", "2", "-i", "0.05", "-W", "5", ping[1]))
                .ShouldContain("2 received", customMessage: $"{ping[0]} to {ping[1]}");
        }

        // z has the neighbours' numbers in a world of its own: nothing answers.
        (await lab.TryInAsync("z", "ping", "-c", "1", "-W", "1", "10.8.0.11")).ExitCode.ShouldNotBe(0);
    }
}
