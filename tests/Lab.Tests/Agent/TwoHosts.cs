using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.IO;
using System.Threading;
using System.Threading.Tasks;

namespace Genkan.Lab.Tests.Agent;

/// <summary>
/// Two hosts on an underlay, an uplink to an Internet, and VMs, each in a namespace of its own. Everything is named
/// after this process and removed with it, so that several may stand side by side.
/// <code>
///   a 10.9.0.11   c 10.9.0.13   z 10.8.0.21            b 10.9.0.12     a also: floating IP 198.51.100.20
///      └──────────────┼─────────────┘                       │          c and b: source NAT 198.51.100.10
///            h1 192.0.2.11, uplink isp0                h2 192.0.2.12   z: another tenant, a world of its own
///                ul0 └──────── underlay switch ────────────┘ ul0       x: an intruder 192.0.2.99 on the underlay
///               isp0 └── 203.0.113.0/30 ── isp 203.0.113.1, 198.18.0.10 is the Internet
/// </code>
/// </summary>
internal sealed class TwoHosts : IAsyncDisposable
{
    /// <summary>The host of the Internet.</summary>
    public const string Internet = "198.18.0.10";

    /// <summary>The floating IP of VM a.</summary>
    public const string FloatingIp = "198.51.100.20";

    private static int _count;

    private readonly string _name = $"gk2{Environment.ProcessId}x{Interlocked.Increment(ref _count)}";
    private readonly string _directory;
    private readonly List<string> _namespaces = [];

    private TwoHosts()
    {
        _directory = Path.Combine("/run", _name);
        One = new LabHost("h1", NamespaceOf("h1"), _directory);
        Two = new LabHost("h2", NamespaceOf("h2"), _directory);
    }

    /// <summary>The host with the uplink, and with VMs a, c and z.</summary>
    public LabHost One { get; }

    /// <summary>The host with VM b.</summary>
    public LabHost Two { get; }

    /// <summary>The file, which both hosts read.</summary>
    public string ConfigPath => Path.Combine(_directory, "topology.yaml");

    /// <summary>Full name of a namespace: a, b, c, z (VMs), h1, h2, isp, x.</summary>
    public string NamespaceOf(string role) => $"{_name}{role}";

    /// <summary>Lays it out; no agent runs yet.</summary>
    /// <param name="edit">Changes the file.</param>
    /// <param name="vmMtu">MTU of both ends of a VM's cable.</param>
    /// <param name="underlayMtu">MTU of the underlay.</param>
    public static async Task<TwoHosts> CreateAsync(
        Func<string, string>? edit = null, int vmMtu = 1500, int underlayMtu = 1600)
    {
        TwoHosts lab = new();
        try
        {
            await lab.LayOutAsync(vmMtu, underlayMtu);
            await File.WriteAllTextAsync(lab.ConfigPath, edit is null ? Topology : edit(Topology));
            return lab;
        }
        catch
        {
            await lab.DisposeAsync();
            throw;
        }
    }

    /// <summary>Runs a program in a namespace; it must succeed.</summary>
    public Task<string> InAsync(string role, params string[] command) =>
        Command.MustAsync("nsenter", [$"--net=/run/netns/{NamespaceOf(role)}", .. command]);

    /// <summary>Runs a program in a namespace; it may fail.</summary>
    public Task<Outcome> TryInAsync(string role, params string[] command) =>
        Command.RunAsync("nsenter", [$"--net=/run/netns/{NamespaceOf(role)}", .. command]);

    /// <summary>Starts a program in a namespace.</summary>
    public Process StartIn(string role, params string[] command) =>
        Command.Start("nsenter", [$"--net=/run/netns/{NamespaceOf(role)}", .. command]);

    public async ValueTask DisposeAsync()
    {
        foreach (string name in _namespaces) await Command.MustAsync("ip", "netns", "delete", name);
        if (!Directory.Exists(_directory)) return;
        await Command.RunAsync("umount", One.Pins); // fails if it was never mounted
        Directory.Delete(_directory, recursive: true);
    }

    private async Task LayOutAsync(int vmMtu, int underlayMtu)
    {
        Directory.CreateDirectory(One.Pins);
        await Command.MustAsync("mount", "-n", "-t", "bpf", "bpf", One.Pins);
        foreach (string role in (string[])["sw", "h1", "h2", "isp", "x"]) await AddNamespaceAsync(role);
        await InAsync("sw", "ip", "link", "add", "switch", "mtu", $"{underlayMtu}", "type", "bridge");
        await InAsync("sw", "ip", "link", "set", "switch", "up");
        await JoinUnderlayAsync("h1", "192.0.2.11/24", underlayMtu);
        await JoinUnderlayAsync("h2", "192.0.2.12/24", underlayMtu);
        await JoinUnderlayAsync("x", "192.0.2.99/24", underlayMtu);
        await LayOutInternetAsync();
        await AddVmAsync("a", "h1", 11, vmMtu);
        await AddVmAsync("b", "h2", 12, vmMtu);
        await AddVmAsync("c", "h1", 13, vmMtu);
        await AddVmAsync("z", "h1", 21, vmMtu);
    }

    private async Task AddNamespaceAsync(string role)
    {
        await Command.MustAsync("ip", "netns", "add", NamespaceOf(role));
        _namespaces.Add(NamespaceOf(role));
        await InAsync(role, "ip", "link", "set", "lo", "up");

        // Addresses are ours to give: without the wait for duplicates they work at once.
        await InAsync(role, "sysctl", "-qw", "net.ipv6.conf.default.accept_dad=0", "net.ipv6.conf.all.accept_dad=0");
    }

    private async Task AddCableAsync(string left, string leftName, string right, string rightName, int mtu)
    {
        await Command.MustAsync(
            "ip", "link", "add", "name", leftName, "mtu", $"{mtu}", "netns", NamespaceOf(left), "type", "veth",
            "peer", "name", rightName, "mtu", $"{mtu}", "netns", NamespaceOf(right));
        await InAsync(left, "ip", "link", "set", leftName, "up");
        await InAsync(right, "ip", "link", "set", rightName, "up");
    }

    private async Task JoinUnderlayAsync(string role, string address, int mtu)
    {
        await AddCableAsync(role, "ul0", "sw", role, mtu);
        await InAsync("sw", "ip", "link", "set", role, "master", "switch");
        await InAsync(role, "ip", "address", "add", address, "dev", "ul0");
    }

    private async Task LayOutInternetAsync()
    {
        await AddCableAsync("h1", "isp0", "isp", "gw1", 1500);
        await InAsync("h1", "sysctl", "-qw", "net.ipv6.conf.isp0.disable_ipv6=1");
        await InAsync("isp", "ip", "address", "add", "203.0.113.1/30", "dev", "gw1");
        await InAsync("isp", "ip", "address", "add", "2001:db8:ffff::1/64", "dev", "gw1");
        await InAsync("isp", "ip", "address", "add", $"{Internet}/32", "dev", "lo");
        await InAsync("isp", "ip", "address", "add", "2001:db8:beef::10/128", "dev", "lo");
        await InAsync("isp", "ip", "route", "add", "198.51.100.0/24", "via", "203.0.113.2");
        await InAsync("isp", "ip", "route", "add", "2001:db8:1::/48", "via", "2001:db8:ffff::2");
    }

    /// <summary>Adds a VM behind the interface <c>vm-NAME</c> of a host; <see cref="CreateAsync"/> has made those that
    /// its file names.</summary>
    /// <param name="vm">Its name; y and z are the other tenant's.</param>
    /// <param name="host">Where it stands: h1 or h2.</param>
    /// <param name="number">Last number of its addresses, and last octet of its MAC as written.</param>
    /// <param name="mtu">MTU of both ends of its cable.</param>
    public async Task AddVmAsync(string vm, string host, int number, int mtu = 1500)
    {
        string net = vm is "y" or "z" ? "8" : "9";
        await AddNamespaceAsync(vm);
        await AddCableAsync(host, $"vm-{vm}", vm, "eth0", mtu);
        await InAsync(host, "sysctl", "-qw", $"net.ipv6.conf.vm-{vm}.disable_ipv6=1"); // the host itself stays silent
        await InAsync(vm, "ip", "link", "set", "eth0", "address", $"02:00:00:00:00:{number}");
        await InAsync(vm, "ip", "address", "add", $"10.{net}.0.{number}/24", "dev", "eth0");
        await InAsync(vm, "ip", "address", "add", $"2001:db8:1:{net}::{number}/64", "dev", "eth0");
        if (vm is "y" or "z") return;
        await InAsync(vm, "ip", "route", "add", "default", "via", "10.9.0.1");
        await InAsync(vm, "ip", "route", "add", "default", "via", "2001:db8:1:9::1");
    }

    private const string Topology = """
        hosts:
          h1:
            underlay: { address: 192.0.2.11, interface: ul0, mtu: 1600 }
            ports:
              a: { interface: vm-a }
              c: { interface: vm-c }
              z: { interface: vm-z }
          h2:
            underlay: { address: 192.0.2.12, interface: ul0, mtu: 1600 }
            ports:
              b: { interface: vm-b }
        uplinks:
          - name: isp
            host: h1
            interface: isp0
            external_network: public
            addresses: [203.0.113.2/30, "2001:db8:ffff::2/64"]
            gateways: [203.0.113.1, "2001:db8:ffff::1"]
        external_networks:
          - name: public
            prefixes: [198.51.100.0/24, "2001:db8:1::/48"]
        tenants:
          t:
            networks:
              - name: n
                mtu: 1500
                subnets:
                  - { name: n4, cidr: 10.9.0.0/24, gateway: 10.9.0.1, dhcp: true, lease: 1h }
                  - { name: n6, cidr: "2001:db8:1:9::/64", gateway: "2001:db8:1:9::1", ra: slaac }
            routers:
              - name: r
                interfaces: [n4, n6]
                external_gateway: { network: public, address: 198.51.100.10 }
            security_groups:
              - name: open
                rules:
                  - { direction: egress, ethertype: ipv4 }
                  - { direction: egress, ethertype: ipv6 }
                  - { direction: ingress, ethertype: ipv4 }
                  - { direction: ingress, ethertype: ipv6 }
            ports:
              - name: a
                network: n
                mac: "02:00:00:00:00:11"
                addresses: [10.9.0.11, "2001:db8:1:9::11"]
                security_groups: [open]
              - name: b
                network: n
                mac: "02:00:00:00:00:12"
                addresses: [10.9.0.12, "2001:db8:1:9::12"]
                security_groups: [open]
              - name: c
                network: n
                mac: "02:00:00:00:00:13"
                addresses: [10.9.0.13, "2001:db8:1:9::13"]
                security_groups: [open]
            floating_ips:
              - { address: 198.51.100.20, network: public, port: a }
          other:
            networks:
              - name: m
                mtu: 1500
                subnets:
                  - { name: m4, cidr: 10.8.0.0/24, gateway: 10.8.0.1 }
            security_groups:
              - name: open
                rules:
                  - { direction: egress, ethertype: ipv4 }
                  - { direction: ingress, ethertype: ipv4 }
            ports:
              - { name: z, network: m, mac: "02:00:00:00:00:21", addresses: [10.8.0.21], security_groups: [open] }
        """;
}
