using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.IO;
using Genkan.Datapath.Netlink;
using Genkan.Datapath.Startup;
using Genkan.Datapath.Tables;
using Genkan.Overlay.Topology;
using Genkan.Testing.Kernel;
using Genkan.Wire;
using Shouldly;

namespace Genkan.Datapath.Tests.Tables;

/// <summary>One host in a namespace of its own, with an underlay, and VMs in theirs; its pins and lock are its own
/// too.</summary>
public sealed class TestHost : IDisposable
{
    public static readonly IpAddress Underlay = IpAddress.Parse("192.0.2.11");

    private static int _count;

    private readonly string _scratch = Directory.CreateTempSubdirectory("genkan-run").FullName;
    private readonly Netns _netns = new();
    private readonly Dictionary<string, Netns> _vms = new(StringComparer.Ordinal);

    public TestHost()
    {
        BpfFileSystem.EnsureMounted();
        string pins =
            $"/sys/fs/bpf/genkan-test-{Environment.ProcessId}-{System.Threading.Interlocked.Increment(ref _count)}";
        Options = new KernelDatapathOptions
        {
            HostName = "h1",
            UnderlayAddress = Underlay,
            PinRoot = pins,
            RunDirectory = _scratch,
            Sizes = TableSizes.Small,
        };
        Run(() =>
        {
            using RouteSocket netlink = new();
            netlink.CreateVeth(new VethEnd("ul0") { MtuOctets = 1600 }, new VethEnd("ul1") { MtuOctets = 1600 });
            Up(netlink, "ul0");
            Up(netlink, "ul1");
            netlink.AddAddress(netlink.FindLink("ul0")!.Ifindex, new IpInterface(Underlay, 24));
        });
    }

    public KernelDatapathOptions Options { get; init; }

    public static Host Host { get; } = new(ObjectId.Of("host", "h1"), "h1", Underlay);

    public static Host OtherHost { get; } = new(ObjectId.Of("host", "h2"), "h2", IpAddress.Parse("192.0.2.12"));

    public static Bridge Bridge { get; } = new(ObjectId.Of("network", "red/net"), "red/net", 1500, IsAdminUp: true, []);

    public static MacAddress MacOf(int number) => new(0x02_00_00_00_01_00UL + (uint)number);

    public static IpAddress AddressOf(int number) => IpAddress.FromIpv4(0x0a_00_01_00u + (uint)number);

    public static IpAddress Address6Of(int number) => IpPrefix.Parse("2001:db8:1::/64").Host((UInt128)(uint)number);

    public static string InterfaceOf(int number) => $"vm{number}";

    public static VirtualPort Port(int number, Host? host = null) => new(
        ObjectId.Of("port", $"red/vm{number}"),
        $"red/vm{number}",
        Bridge.Id,
        PortRole.Exterior,
        MacOf(number),
        [new IpInterface(AddressOf(number), 24), new IpInterface(Address6Of(number), 64)],
        ObjectId.None,
        new PortBinding((host ?? Host).Id, InterfaceOf(number), 0),
        IsAdminUp: true,
        PortSecurity: false,
        [],
        ObjectId.None,
        ObjectId.None);

    public static TopologySnapshot Topology(params VirtualPort[] ports) =>
        Topology(new TopologyParts([Host, OtherHost], [Bridge], [], [.. ports], [], [], []));

    public static TopologySnapshot Topology(TopologyParts parts)
    {
        TopologySnapshot.TryCreate(
            parts, Host.Id, revision: 1, out TopologySnapshot? snapshot, out IReadOnlyList<TopologyFault> faults);
        faults.ShouldBeEmpty();
        return snapshot!;
    }

    public void Run(Action function) => _netns.Run(function);

    public T Run<T>(Func<T> function) => _netns.Run(function);

    /// <summary>Makes a VM: a namespace with eth0, whose other end is this host's interface of that number.</summary>
    public void AddVm(int number)
    {
        Netns vm = new();
        _vms.Add(InterfaceOf(number), vm);
        Run(() =>
        {
            using RouteSocket netlink = new();
            netlink.CreateVeth(
                new VethEnd(InterfaceOf(number)),
                new VethEnd("eth0") { Mac = MacOf(number), Namespace = vm.Namespace });
        });
        vm.Run(() =>
        {
            using RouteSocket netlink = new();
            Up(netlink, "lo");
            int eth0 = netlink.FindLink("eth0")!.Ifindex;
            netlink.AddAddress(eth0, new IpInterface(AddressOf(number), 24));
            netlink.AddAddress(eth0, new IpInterface(Address6Of(number), 64));
            Up(netlink, "eth0");
        });
    }

    /// <summary>Makes an ISP's router: a namespace with eth0, whose other end is this host's uplink.</summary>
    public void AddIsp(string uplink, params IpInterface[] addresses)
    {
        Netns isp = new();
        _vms.Add(uplink, isp);
        Run(() =>
        {
            using RouteSocket netlink = new();
            netlink.CreateVeth(new VethEnd(uplink), new VethEnd("eth0") { Namespace = isp.Namespace });
        });
        isp.Run(() =>
        {
            using RouteSocket netlink = new();
            Up(netlink, "eth0");
            foreach (IpInterface address in addresses) netlink.AddAddress(netlink.FindLink("eth0")!.Ifindex, address);
        });
    }

    public void RemoveVm(int number) => Run(() =>
    {
        using RouteSocket netlink = new();
        netlink.DeleteLink(netlink.FindLink(InterfaceOf(number))!.Ifindex);
        _vms.Remove(InterfaceOf(number), out Netns? vm);
        vm!.Dispose();
    });

    /// <summary>Starts a program in a VM.</summary>
    public Process Start(int vm, string program, params string[] arguments) =>
        StartBehind(InterfaceOf(vm), program, arguments);

    /// <summary>Starts a program behind an interface of this host.</summary>
    public Process StartBehind(string name, string program, params string[] arguments) => _vms[name].Run(() =>
        Process.Start(new ProcessStartInfo(program, arguments)
        {
            UseShellExecute = false,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!);

    /// <summary>Runs a program in a VM to its end.</summary>
    public (int ExitCode, string Output) Execute(int vm, string program, params string[] arguments)
    {
        using Process process = Start(vm, program, arguments);
        return Finish(process);
    }

    public static (int ExitCode, string Output) Finish(Process process)
    {
        System.Threading.Tasks.Task<string> errors = process.StandardError.ReadToEndAsync();
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return (process.ExitCode, output + errors.Result);
    }

    public KernelDatapath StartDatapath() => Run(() => KernelDatapath.Start(Options));

    public void Dispose()
    {
        Run(() => KernelDatapath.Remove(Options));
        BpfFileSystem.RemovePinDirectory(Options.PinRoot);
        foreach (Netns vm in _vms.Values) vm.Dispose();
        _netns.Dispose();
        Directory.Delete(_scratch, recursive: true);
    }

    private static void Up(RouteSocket netlink, string name) =>
        netlink.SetLink(netlink.FindLink(name)!.Ifindex, new LinkSettings { IsUp = true });
}
