using System;
using System.Globalization;
using System.Linq;
using System.Text.Json;
using System.Threading;
using Genkan.Benchmarks.Ours;
using Genkan.Benchmarks.Traffic;

namespace Genkan.Benchmarks.Flooding;

/// <summary>Who floods.</summary>
internal enum FloodFrom
{
    /// <summary>A VM of another tenant.</summary>
    Rival,

    /// <summary>Another VM of the victim's tenant, behind the same source NAT.</summary>
    Own,

    /// <summary>An Internet host that scans the range of the floating IPs, also those that nobody has.</summary>
    Internet,
}

/// <summary>One genkan host with a victim, attackers, the Internet, and a VM that floods a door without a
/// program.</summary>
internal sealed class FloodLab : IDisposable
{
    private const string Host = "host1";
    private const string Victim = "victim";
    private const string Isp = "isp";
    private const string IspAddress = "203.0.113.1";
    private const string Harmless = "harmless";

    private readonly GenkanLab _genkan = new();
    private readonly byte[] _gatewayOfOwn;
    private readonly byte[] _gatewayOfRival;
    private readonly byte[] _uplink;
    private readonly VictimConnections _connections;

    /// <summary>Builds it, and has the agent compiled by connections of the victim.</summary>
    internal FloodLab()
    {
        Lab lab = _genkan.Lab;
        foreach (string role in (string[])[Host, "host2", Isp, Harmless]) lab.AddNamespace(role);
        lab.AddCable(Host, "underlay", "host2", "underlay", mtu: 1_600);
        lab.Ip(Host, "address add 192.0.2.1/24 dev underlay");
        lab.Ip("host2", "address add 192.0.2.2/24 dev underlay"); // it runs no agent: what comes ends there
        _genkan.AddVm(Victim, Host, FloodConfiguration.VictimMac, "10.0.1.2/24", "10.0.1.1");
        _genkan.AddVm("own", Host, FloodConfiguration.OwnMac, "10.0.1.3/24", "10.0.1.1");
        _genkan.AddVm("rival", Host, FloodConfiguration.RivalMac, "10.0.9.2/24", "10.0.9.1");
        lab.AddCable(Isp, "eth0", Host, "isp0");
        lab.Ip(Isp, $"address add {IspAddress}/30 dev eth0");
        lab.Ip(Isp, "route add 198.51.100.0/24 via 203.0.113.2");
        lab.AddCable(Harmless, "eth0", Host, Harmless);
        lab.Run(Host, "nft -f -", """
            table netdev harmless {
              chain ingress {
                type filter hook ingress device "harmless" priority 0
                drop
              }
            }

            """);
        _genkan.StartAgents(FloodConfiguration.Text, Host);

        // With all its threads: where the scheduler puts them would be half of the figure.
        Shell.Run($"taskset --all-tasks --pid --cpu-list {Core.First} {_genkan.AgentIds[0]}");
        _gatewayOfOwn = _genkan.GatewayMac("own", "10.0.1.1");
        _gatewayOfRival = _genkan.GatewayMac("rival", "10.0.9.1");
        _genkan.GatewayMac(Victim, "10.0.1.1");
        _uplink = _genkan.GatewayMac(Isp, "203.0.113.2");
        _connections = new VictimConnections(lab, Victim, Isp);
        TcpTransfer.StartServer(lab, Isp);
        _connections.Measure(WarmUp);
    }

    private static TimeSpan WarmUp { get; } = TimeSpan.FromSeconds(2);

    private static TimeSpan Settling { get; } = TimeSpan.FromSeconds(1.5);

    private static TimeSpan Window { get; } = TimeSpan.FromSeconds(2.5);

    /// <summary>The victim's new connections a second, its goodput in Gbit/s, and its packets that were dropped, for
    /// whatever reason, during a flood.</summary>
    /// <param name="from">Who floods.</param>
    /// <param name="isHarmless">Whether the same packets go to a door that drops them before any program.</param>
    /// <param name="pace">Packets a second, 0 as fast as it can; on return the flood's.</param>
    internal double[] Measure(FloodFrom from, bool isHarmless, ref double pace)
    {
        (string role, FloodFrames frames) = Frames(from);
        long victims = DroppedOfVictim();
        long offenders = RefusedOf(from);
        double connections;
        double gigabits;
        using (FloodGenerator flood = new(_genkan.Lab, isHarmless ? Harmless : role, frames, pace))
        {
            Thread.Sleep(Settling);
            connections = _connections.Measure(Window);
            gigabits = TcpTransfer.Run(_genkan.Lab, Victim, IspAddress, $"{Core.First},{Core.First}");
            pace = flood.PacketsPerSecond;
        }

        victims = DroppedOfVictim() - victims;
        offenders = RefusedOf(from) - offenders;
        Console.Error.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"flood from {from}{(isHarmless ? " (control)" : "")}: {pace:F0} packets/s; {offenders} of "
            + $"{NameOf(from)} over a budget, {victims} of the victim dropped, which had "
            + $"{connections:F0} connections/s, {gigabits:F2} Gbit/s"));
        return [connections, gigabits, victims];
    }

    /// <inheritdoc />
    public void Dispose()
    {
        _connections.Dispose();
        _genkan.Dispose();
    }

    private long DroppedOfVictim()
    {
        using JsonDocument answer = _genkan.Ask(Host, "port list");
        return answer.RootElement.EnumerateArray()
            .Single(static p => p.GetProperty("name").GetString() == "bench/victim")
            .GetProperty("drops").EnumerateArray()
            .Where(static d => d.GetProperty("reason").GetString() != "answered") // ARP of its gateway
            .Sum(static d => d.GetProperty("packets").GetInt64());
    }

    /// <summary>Packets of who floods that were over a budget.</summary>
    private long RefusedOf(FloodFrom from)
    {
        using JsonDocument answer = _genkan.Ask(Host, "tenant list");
        JsonElement[] owners =
        [
            .. answer.RootElement.EnumerateArray(),
            .. answer.RootElement.EnumerateArray().SelectMany(t => t.GetProperty("members").EnumerateArray()),
        ];
        return owners.Single(o => o.GetProperty("name").GetString() == NameOf(from)).GetProperty("refused").GetInt64();
    }

    private static string NameOf(FloodFrom from) => from switch
    {
        FloodFrom.Own => "bench/own",
        FloodFrom.Rival => "rival/rival",
        FloodFrom.Internet => "outside",
        _ => throw new ArgumentOutOfRangeException(nameof(from)),
    };

    // To anywhere in 64.0.0.0/2; of the scan, from anywhere there to the 256 addresses of the external network.
    private (string Role, FloodFrames Frames) Frames(FloodFrom from)
    {
        AddressRange internet = new(0x40000000, 0x3fffffff);
        return from switch
        {
            FloodFrom.Own => ("own", new FloodFrames(
                _gatewayOfOwn, Octets.OfMac(FloodConfiguration.OwnMac), new(0x0a000180, 0x7f), internet)),
            FloodFrom.Rival => ("rival", new FloodFrames(
                _gatewayOfRival, Octets.OfMac(FloodConfiguration.RivalMac), new(0x0a000980, 0x7f), internet)),
            FloodFrom.Internet => (Isp, new FloodFrames(
                _uplink, new byte[] { 2, 0, 0, 0, 0, 1 }, internet, new(0xc6336400, 0xff))),
            _ => throw new ArgumentOutOfRangeException(nameof(from)),
        };
    }
}
