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
    public const string Quiet = """
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

    // Between the two routers; neither end says anything under it.
    private const string UpAddress4 = "169.254.0.2", DownAddress4 = "169.254.0.1";
    private const string UpMac = "02:00:00:00:03:01", DownMac = "02:00:00:00:03:02";
    private const string UpAddress6 = "fd00:ffff::2", DownAddress6 = "fd00:ffff::1";

    private readonly Netns _netns = new();
    private readonly Netns _provider = new();
    private readonly Dictionary<string, Tap> _taps = new(StringComparer.Ordinal);
    private readonly Fence _fence;

    public LinuxForwarder(JudgedWorld world, Fence fence)
    {
        _fence = fence;
        _netns.Run(() =>
        {
            foreach ((string path, string value) in Settings) Set(path, value);
            Execute("nft", "-f -", Quiet);
            if (!world.Groups.IsEmpty || world.Outside is not null) Filter(world);
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
        if (world.Outside is { } outside) MakeOutside(world, outside);
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
        _provider.Dispose();
    }

    private static void Filter(JudgedWorld world)
    {
        Execute("nft", "-f -", NftRuleset.Of(world));
        Set("netfilter/nf_conntrack_tcp_be_liberal", "1"); // whose window it is, Genkan does not ask
    }

    /// <summary>The second router, in a namespace of its own, where nothing is tracked.</summary>
    private void MakeOutside(JudgedWorld world, JudgedOutside outside)
    {
        JudgedNetwork link = outside.Isp.Network;
        _netns.Run(() =>
        {
            using RouteSocket netlink = new();
            netlink.CreateVeth(new VethEnd("up0"), new VethEnd("down0") { Namespace = _provider.Namespace });
            Execute("ip", "-batch -", $"""
                link set up0 addrgenmode none address {UpMac} up
                address add {outside.Address4}/32 dev up0
                address add {UpAddress4}/30 dev up0
                address add {UpAddress6}/126 dev up0 nodad
                neighbour replace {DownAddress4} lladdr {DownMac} dev up0 nud permanent
                neighbour replace {DownAddress6} lladdr {DownMac} dev up0 nud permanent

                """);
        });
        _provider.Run(() =>
        {
            foreach ((string path, string value) in Settings) Set(path, value);
            Execute("nft", "-f -", Quiet + NftRuleset.OfProvider());
            _taps.Add(outside.Isp.Name, new Tap(outside.Isp.Name));
            Execute("ip", "-batch -", $"""
                link set down0 addrgenmode none address {DownMac} up
                link set {outside.Isp.Name} addrgenmode none address {link.GatewayMac} up
                address add {DownAddress4}/30 dev down0
                address add {DownAddress6}/126 dev down0 nodad
                neighbour replace {UpAddress4} lladdr {UpMac} dev down0 nud permanent
                neighbour replace {UpAddress6} lladdr {UpMac} dev down0 nud permanent
                address add {link.Gateway4} dev {outside.Isp.Name}
                address add {link.Gateway6} dev {outside.Isp.Name} nodad
                neighbour replace {outside.Isp.Address4} lladdr {outside.Isp.Mac} dev {outside.Isp.Name} nud permanent
                neighbour replace {outside.Isp.Address6} lladdr {outside.Isp.Mac} dev {outside.Isp.Name} nud permanent

                """);
            using RouteSocket netlink = new();
            LinkWaiter.WaitUntilRunning(netlink.FindLink("down0")!.Ifindex, TimeSpan.FromSeconds(20));
            Execute("ip", "-batch -", ProviderRoutes(world, outside));
        });
        _netns.Run(() => Execute("ip", "-batch -", $"""
            route add default via {DownAddress4} dev up0 src {outside.Address4}
            route add default via {DownAddress6} dev up0 src {world.Networks[0].Gateway6.Address}

            """));
    }

    private static string ProviderRoutes(JudgedWorld world, JudgedOutside outside)
    {
        StringBuilder text = new();
        Add(text, $"route add default via {outside.Isp.Address4} dev {outside.Isp.Name}");
        Add(text, $"route add default via {outside.Isp.Address6} dev {outside.Isp.Name}");
        foreach (IpPrefix prefix in JudgedOutside.Prefixes) Add(text, $"route add blackhole {prefix}");
        HashSet<IpAddress> own = [outside.Address4];
        own.UnionWith(outside.FloatingIps.Select(static f => f.Address));
        own.UnionWith(outside.Forwards.Select(static f => f.Forward.Address));
        (IpAddress source4, IpAddress source6) =
            (outside.Isp.Network.Gateway4.Address, outside.Isp.Network.Gateway6.Address);
        foreach (IpAddress address in own)
            Add(text, $"route add {address} via {UpAddress4} dev down0 src {source4}");
        foreach (JudgedNetwork n in world.Networks)
        {
            Add(text, $"route add {n.Gateway4.Prefix} via {UpAddress4} dev down0 src {source4}"); // errors go back
            Add(text, $"route add {n.Gateway6.Prefix} via {UpAddress6} dev down0 src {source6}");
        }

        return text.ToString();
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

    public static void Execute(string program, string arguments, string input)
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
