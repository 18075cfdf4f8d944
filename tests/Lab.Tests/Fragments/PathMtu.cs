using System;
using System.Globalization;
using System.Linq;
using System.Text.Json;
using System.Text.RegularExpressions;
using System.Threading.Tasks;
using Genkan.Lab.Tests.Agent;
using Shouldly;

namespace Genkan.Lab.Tests.Fragments;

/// <summary>
/// Ways that are narrower than a network says: the uplink, the path between two hosts, the underlay itself. Who asks
/// (DF, IPv6) is told the MTU (RFC 1191 §4, RFC 8201 §4); what may be cut is cut; TCP needs neither.
/// </summary>
public sealed class PathMtu
{
    private const string Internet6 = "2001:db8:beef::10";

    [Theory]
    [InlineData("a", "floating IP, on the gateway")]
    [InlineData("c", "source NAT, on the gateway")]
    [InlineData("b", "source NAT, on another host")]
    public async Task Of_an_uplink_is_told_to_every_sender_wherever_it_is(string vm, string what)
    {
        await using TwoHosts lab = await TwoHosts.CreateAsync();
        await lab.InAsync("isp", "ip", "link", "set", "gw1", "mtu", "1400");
        await lab.InAsync("h1", "ip", "link", "set", "isp0", "mtu", "1400");
        await using AgentProcess one = await lab.One.StartAgentAsync();
        await using AgentProcess two = await lab.Two.StartAgentAsync();

        (await PingAsync(lab, vm, TwoHosts.Internet, "do", 1372)).ShouldContain("2 received", customMessage: what);
        (await PingAsync(lab, vm, TwoHosts.Internet, "dont", 1373)).ShouldContain("2 received", customMessage: what);
        (await PingAsync(lab, vm, TwoHosts.Internet, "dont", 4000)).ShouldContain("2 received", customMessage: what);
        MtuOf(await PingAsync(lab, vm, TwoHosts.Internet, "do", 1373)).ShouldBe(1400, what);
        MtuOf(await PingAsync(lab, vm, Internet6, "do", 1400)).ShouldBe(1400, what);
    }

    [Fact]
    public async Task Between_two_hosts_is_found_by_probes_and_shown_told_and_obeyed()
    {
        await using TwoHosts lab = await TwoHosts.CreateAsync();
        await lab.InAsync("sw", "ip", "link", "set", "h2", "mtu", "1500");
        await using AgentProcess one = await lab.One.StartAgentAsync();
        await using AgentProcess two = await lab.Two.StartAgentAsync();
        string warning = await UntilWarnedAsync(lab.One, "h2");
        await UntilWarnedAsync(lab.Two, "h1");

        warning.ShouldContain("need 1550");
        int carries = Number(warning, @"packets of (?<number>[0-9]+) octets, but");
        carries.ShouldBeInRange(1493, 1500);
        int tenant = carries - 50;
        MtuOf(await PingAsync(lab, "a", "10.9.0.12", "do", 1472)).ShouldBe(tenant);
        MtuOf(await PingAsync(lab, "b", "2001:db8:1:9::11", "do", 1452)).ShouldBe(tenant);
        (await PingAsync(lab, "a", "10.9.0.12", "do", tenant - 28)).ShouldContain("2 received");
        (await PingAsync(lab, "a", "10.9.0.12", "dont", 1472)).ShouldContain("2 received");
        (await PingAsync(lab, "b", TwoHosts.Internet, "dont", 4000)).ShouldContain("2 received");
        await TransferAsync(lab, "10.9.0.12");
        await TransferAsync(lab, "2001:db8:1:9::12");
    }

    [Fact]
    public async Task Between_two_hosts_of_less_than_1330_is_told_and_obeyed_as_well()
    {
        await using TwoHosts lab = await TwoHosts.CreateAsync();
        await lab.InAsync("sw", "ip", "link", "set", "h2", "mtu", "1320");
        await using AgentProcess one = await lab.One.StartAgentAsync();
        await using AgentProcess two = await lab.Two.StartAgentAsync();
        string warning = await UntilWarnedAsync(lab.One, "h2");
        await UntilWarnedAsync(lab.Two, "h1");

        int tenant = Number(warning, @"packets of (?<number>[0-9]+) octets, but") - 50;
        tenant.ShouldBeInRange(1263, 1270);
        MtuOf(await PingAsync(lab, "a", "10.9.0.12", "do", 1280 - 28)).ShouldBe(tenant);
        (await PingAsync(lab, "a", "10.9.0.12", "do", tenant - 28)).ShouldContain("2 received");
        (await PingAsync(lab, "a", "10.9.0.12", "dont", 1280 - 28)).ShouldContain("2 received");
        await TransferAsync(lab, "10.9.0.12");
    }

    [Fact]
    public async Task Of_a_narrow_network_on_another_host_is_told_and_obeyed_at_the_host_where_a_packet_enters()
    {
        await using TwoHosts lab = await TwoHosts.CreateAsync(WithNarrowNetwork);
        await lab.InAsync("b", "ip", "address", "flush", "dev", "eth0");
        await lab.InAsync("b", "ip", "link", "set", "eth0", "mtu", "700");
        await lab.InAsync("b", "ip", "address", "add", "10.7.0.12/24", "dev", "eth0");
        await lab.InAsync("b", "ip", "route", "add", "default", "via", "10.7.0.1");
        await using AgentProcess one = await lab.One.StartAgentAsync();
        await using AgentProcess two = await lab.Two.StartAgentAsync();

        (await PingAsync(lab, "a", "10.7.0.12", "do", 672)).ShouldContain("2 received");
        MtuOf(await PingAsync(lab, "a", "10.7.0.12", "do", 673)).ShouldBe(700);
        long before = await CutAsync(lab.One);
        (await PingAsync(lab, "a", "10.7.0.12", "dont", 1400)).ShouldContain("2 received");

        (await CutAsync(lab.One)).ShouldBe(before + 2, "b's interface takes no whole one");
    }

    // b in a network of its own, behind the same router.
    private static string WithNarrowNetwork(string file) => file
        .Replace(
            "    routers:\n",
            "      - { name: n7, mtu: 700, subnets: [{ name: n74, cidr: 10.7.0.0/24, gateway: 10.7.0.1 }] }\n"
            + "    routers:\n",
            StringComparison.Ordinal)
        .Replace("interfaces: [n4, n6]", "interfaces: [n4, n6, n74]", StringComparison.Ordinal)
        .Replace(
            "network: n\n        mac: \"02:00:00:00:00:12\"\n        addresses: [10.9.0.12, \"2001:db8:1:9::12\"]",
            "network: n7\n        mac: \"02:00:00:00:00:12\"\n        addresses: [10.7.0.12]",
            StringComparison.Ordinal);

    private static async Task<long> CutAsync(LabHost host) =>
        (await host.AskAsync("status")).GetProperty("slow_path").GetProperty("fragmented").GetInt64();

    [Fact]
    public async Task Of_an_underlay_that_is_too_narrow_lowers_the_tenants_and_is_shown()
    {
        await using TwoHosts lab = await TwoHosts.CreateAsync(underlayMtu: 1500);
        await using AgentProcess one = await lab.One.StartAgentAsync();
        await using AgentProcess two = await lab.Two.StartAgentAsync();

        JsonElement status = await lab.One.AskAsync("status");

        status.GetProperty("warnings").EnumerateArray().Select(w => w.GetString())
            .ShouldContain(w => w!.Contains("1550", StringComparison.Ordinal)
                && w.Contains("works with 1450", StringComparison.Ordinal));
        MtuOf(await PingAsync(lab, "a", "10.9.0.12", "do", 1472)).ShouldBe(1450);
        (await PingAsync(lab, "a", "10.9.0.12", "dont", 1472)).ShouldContain("2 received");
        await TransferAsync(lab, "10.9.0.12");
    }

    private static async Task<string> PingAsync(TwoHosts lab, string vm, string to, string pmtudisc, int octets)
    {
        Outcome outcome = await lab.TryInAsync(
            vm, "ping", "-c", "2", "-i", "0.1", "-W", "2", "-M", pmtudisc,
            "-s", octets.ToString(CultureInfo.InvariantCulture), to);
        await lab.InAsync(vm, "ip", "route", "flush", "cache");
        await lab.InAsync(vm, "ip", "-6", "route", "flush", "cache");
        return outcome.Output + outcome.Error;
    }

    // "Frag needed and DF set (mtu = 1400)", "Packet too big: mtu=1400", "message too long, mtu=1400"
    private static int MtuOf(string said) => Number(said, "mtu ?= ?(?<number>[0-9]+)");

    private static int Number(string text, string pattern)
    {
        Match match = Regex.Match(text, pattern, RegexOptions.None, TimeSpan.FromSeconds(1));
        match.Success.ShouldBeTrue(text);
        return int.Parse(match.Groups["number"].Value, CultureInfo.InvariantCulture);
    }

    /// <summary>TCP from a to b, whole and without a segment that had to be cut or that was too long for the
    /// path.</summary>
    private static async Task TransferAsync(TwoHosts lab, string address)
    {
        long before = await TooLongAsync(lab);
        using System.Diagnostics.Process server = lab.StartIn("b", "iperf3", "-s", "-1", "-B", address);
        await lab.InAsync("b", "sh", "-c", "until ss -Hltn 'sport = 5201' | grep -q .; do :; done");
        string said = await lab.InAsync("a", "iperf3", "-c", address, "-n", "4M", "-J");
        using JsonDocument report = JsonDocument.Parse(said);
        report.RootElement.GetProperty("end").GetProperty("sum_received").GetProperty("bytes").GetInt64()
            .ShouldBeGreaterThan(1 << 20, "the client stops counting when all is sent, not when all has come");
        await server.WaitForExitAsync();
        (await TooLongAsync(lab)).ShouldBe(before, "MSS spares TCP what others meet");
    }

    /// <summary>Packets that were cut, or dropped as too long, so far.</summary>
    private static async Task<long> TooLongAsync(TwoHosts lab)
    {
        long sum = 0;
        foreach (LabHost host in (LabHost[])[lab.One, lab.Two])
        {
            sum += await CutAsync(host);
            foreach (JsonElement drop in (await host.AskAsync("drop", "list")).EnumerateArray())
            {
                if (drop.GetProperty("reason").GetString() == "too_big") sum += drop.GetProperty("packets").GetInt64();
            }
        }

        return sum;
    }

    /// <summary>Asks until the search is over; each question is a process, so this does not spin.</summary>
    private static async Task<string> UntilWarnedAsync(LabHost host, string peer)
    {
        for (int i = 0; i < 400; i++)
        {
            foreach (JsonElement warning in (await host.AskAsync("status")).GetProperty("warnings").EnumerateArray())
            {
                string text = warning.GetString()!;
                if (text.StartsWith($"The path to host {peer} ", StringComparison.Ordinal)) return text;
            }
        }

        throw new TimeoutException($"{host.Name} found nothing of the path to {peer}");
    }
}
