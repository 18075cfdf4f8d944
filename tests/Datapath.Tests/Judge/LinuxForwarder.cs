using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.Globalization;
using System.IO;
using System.Linq;
using System.Text;
using System.Threading;
using Genkan.Datapath.Netlink;
using Genkan.Overlay.Topology;
using Genkan.Testing.Kernel;
using Genkan.Wire;
using Shouldly;

namespace Genkan.Datapath.Tests.Judge;

/// <summary>
/// A world as Linux forwards it by itself: its bridges with static entries, its routing, its neighbour table. None of
/// our code is in it.
/// </summary>
internal sealed class LinuxForwarder : IForwarder
{
    // What the router says for itself is not compared: it looks for neighbours and listeners whenever it likes.
    private const string Quiet = """
        table ip6 quiet {
          chain output {
            type filter hook output priority 0
            icmpv6 type { 130, 131, 132, 133, 134, 135, 136, 137, 143 } drop
          }
        }

        """;

    private const string BridgeSettings = "stp_state 0 forward_delay 0 mcast_snooping 0";

    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(20);

    private static readonly (string Path, string Value)[] Settings =
    [
        ("ipv4/ip_forward", "1"),
        ("ipv4/conf/all/rp_filter", "0"), // RFC 3704 is no matter of a plain router
        ("ipv4/conf/default/rp_filter", "0"),
        ("ipv4/conf/all/send_redirects", "0"), // ours sends none: its VMs know their network
        ("ipv4/conf/default/send_redirects", "0"),
        ("ipv4/icmp_ratemask", "0"), // how often is not compared
        ("ipv4/icmp_msgs_per_sec", "1000000"),
        ("ipv4/icmp_msgs_burst", "1000000"),
        ("ipv6/conf/all/forwarding", "1"),
        ("ipv6/conf/default/forwarding", "1"),
        ("ipv6/conf/default/accept_dad", "0"),
        ("ipv6/conf/default/addr_gen_mode", "0"),
        ("ipv6/icmp/ratelimit", "0"),
        ("bridge/bridge-nf-call-iptables", "0"),
        ("bridge/bridge-nf-call-ip6tables", "0"),
        ("bridge/bridge-nf-call-arptables", "0"),
    ];

    private readonly Netns _netns = new();
    private readonly Dictionary<string, Tap> _taps = new(StringComparer.Ordinal);
    private readonly Fence _fence;

    public LinuxForwarder(JudgedWorld world, Fence fence)
    {
        _fence = fence;
        _netns.Run(() =>
        {
            foreach ((string path, string value) in Settings) Set(path, value);
            Execute("nft", "-f -", Quiet);
            foreach (JudgedPort port in world.Ports) _taps.Add(port.Name, new Tap(port.Name));
            Execute("ip", "-batch -", Commands(world));
            foreach (JudgedNetwork network in world.Networks)
            {
                // who is not known is not looked for
                foreach (string family in (string[])["ipv4", "ipv6"])
                    Set($"{family}/neigh/{network.BridgeName}/mcast_solicit", "0");
            }

            Execute("bridge", "-batch -", BridgeCommands(world));
            using RouteSocket netlink = new();
            foreach (JudgedNetwork network in world.Networks)
                LinkWaiter.WaitUntilRunning(netlink.FindLink(network.BridgeName)!.Ifindex, Timeout).ShouldBeTrue();
            Execute("ip", "-batch -", RouteCommands(world));
            foreach (JudgedNetwork network in world.Networks) WaitUntilOwn(network.Gateway6.Address);
        });
    }

    public List<Arrival> Forward(string port, ReadOnlySpan<byte> frame)
    {
        _taps[port].Send(frame);
        _fence.Pass();
        List<Arrival> arrivals = [];
        foreach (Tap tap in _taps.Values) arrivals.AddRange(tap.TakeAll().Select(f => new Arrival(tap.Name, f)));
        return arrivals;
    }

    public void Dispose()
    {
        foreach (Tap tap in _taps.Values) tap.Dispose();
        _netns.Dispose();
    }

    // The kernel's work queue makes the route by which an IPv6 address is the host's own.
    private static void WaitUntilOwn(IpAddress address)
    {
        Span<byte> octets = stackalloc byte[16];
        address.CopyTo(octets);
        string route = Convert.ToHexStringLower(octets) + " 80 ";
        long start = Stopwatch.GetTimestamp();
        while (!File.ReadAllText("/proc/thread-self/net/ipv6_route").Contains(route, StringComparison.Ordinal))
        {
            Stopwatch.GetElapsedTime(start).ShouldBeLessThan(Timeout);
            Thread.Yield();
        }
    }

    private static void Set(string path, string value)
    {
        string file = Path.Combine("/proc/sys/net", path);
        if (File.Exists(file)) File.WriteAllText(file, value + "\n");
        else if (!path.StartsWith("bridge/", StringComparison.Ordinal)) throw new FileNotFoundException(file);
    }

    private static string Commands(JudgedWorld world)
    {
        StringBuilder text = new();
        foreach (JudgedNetwork n in world.Networks)
        {
            Add(text, $"link add {n.BridgeName} address {n.GatewayMac} mtu {n.Mtu} type bridge {BridgeSettings}");
        }

        foreach (JudgedPort p in world.Ports)
        {
            Add(text, $"link set {p.Name} mtu {p.Network.Mtu} addrgenmode none master {p.Network.BridgeName}");
            Add(text, $"link set {p.Name} up");
        }

        foreach (JudgedNetwork n in world.Networks)
        {
            Add(text, $"link set {n.BridgeName} mtu {n.Mtu} up");
            Add(text, $"address add {n.Gateway4} dev {n.BridgeName}");
            Add(text, $"address add {n.Gateway6} dev {n.BridgeName} nodad");
        }

        return text.ToString();
    }

    // Each VM is known and nobody else: nothing is learnt, and what is for nobody is not flooded.
    private static string BridgeCommands(JudgedWorld world)
    {
        StringBuilder text = new();
        foreach (JudgedPort p in world.Ports)
        {
            Add(text, $"link set dev {p.Name} learning off flood off");
            Add(text, $"fdb replace {p.Mac} dev {p.Name} master static");
        }

        return text.ToString();
    }

    private static string RouteCommands(JudgedWorld world)
    {
        StringBuilder text = new();
        foreach (JudgedPort p in world.Ports)
        {
            foreach (IpAddress address in (IpAddress[])[p.Address4, p.Address6])
                Add(text, $"neighbour replace {address} lladdr {p.Mac} dev {p.Network.BridgeName} nud permanent");
        }

        foreach (JudgedRoute r in world.Routes)
        {
            string route = r.Target switch
            {
                RouteTarget.Blackhole => $"blackhole {r.Destination}",
                RouteTarget.Reject => $"unreachable {r.Destination}",
                _ => $"{r.Destination} via {r.Gateway} dev {r.NextHop!.Network.BridgeName}",
            };
            Add(text, $"route add {route}");
        }

        return text.ToString();
    }

    private static void Add(StringBuilder text, FormattableString line) =>
        text.Append(line.ToString(CultureInfo.InvariantCulture)).Append('\n');

    private static void Execute(string program, string arguments, string input)
    {
        using Process process = Process.Start(new ProcessStartInfo(program, arguments)
        {
            UseShellExecute = false,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        process.StandardInput.Write(input);
        process.StandardInput.Close();
        (int code, string output) = Tables.TestHost.Finish(process);
        code.ShouldBe(0, $"{program} {arguments}: {output}\n{input}");
    }
}
