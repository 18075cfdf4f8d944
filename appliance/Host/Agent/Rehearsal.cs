using System;
using System.Collections.Generic;
using System.Threading;
using Genkan.Datapath.Tables;
using Genkan.Host.Configuration;
using Genkan.Nat;
using Genkan.Overlay.Flows;
using Genkan.Overlay.Topology;
using Microsoft.Extensions.Logging;

namespace Genkan.Host.Agent;

/// <summary>
/// First packets before the first packet: while the kernel checks the programs, which takes one core longer than this
/// takes the other, a worker decides a packet of each kind over a small topology and tables of its own. The code that
/// a first packet needs is then compiled before there is one, behind which no more than eight of its flow may wait.
/// What it decided goes with it: no table, counter or port of the agent is touched.
/// </summary>
internal sealed partial class Rehearsal : IDisposable
{
    private const int BindingsMax = 1024;

    private readonly ILogger _logger;
    private readonly Thread _thread;
    private Exception? _fault;

    private Rehearsal(ILogger logger)
    {
        _logger = logger;
        _thread = new Thread(Run) { Name = "rehearsal", IsBackground = true };
    }

    /// <summary>Begins, on a thread of its own.</summary>
    public static Rehearsal Begin(ILogger logger)
    {
        Rehearsal rehearsal = new(logger);
        rehearsal._thread.Start();
        return rehearsal;
    }

    /// <summary>Waits until it is over. One that failed is in the log; the agent then compiles as it goes.</summary>
    public void End()
    {
        _thread.Join();
        if (_fault is not null) LogFailed(_fault);

        // What it and the reading of the file left behind goes back to the machine before packets come.
        GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
    }

    /// <summary>Waits until it is over. Where the kernel refused its tables it refused the agent's as well, which says
    /// why.</summary>
    public void Dispose() => _thread.Join();

    /// <summary>Has a worker decide all packets.</summary>
    /// <param name="logger">Where a packet goes that made it fail.</param>
    /// <returns>What it did.</returns>
    /// <exception cref="Datapath.Native.KernelException">The kernel refused the tables.</exception>
    internal static (SlowPathCounters Done, ulong Faults) Play(ILogger logger)
    {
        TopologySnapshot topology = MakeTopology();
        using DatapathRehearsal stage = DatapathRehearsal.Open(topology);
        NatTable nat = new(new NatLimits { BindingsMax = BindingsMax }, NatTimeouts.Default, seed: 1);
        FlowClasses classes = new();
        SlowPath slowPath = new(stage.Worker, nat, classes, topology);
        FaultLog faults = new(logger);
        PacketWorker worker = new(0, stage.Worker, slowPath, new WorkerGate(workerCount: 1), faults);
        worker.Rehearse(new RehearsedPackets(topology, stage.Worker).ToList());

        // Workers stand still while these look at what there is.
        FlowSweeper sweeper = new(stage.Worker, classes, slowPath);
        while (!sweeper.Turn()) continue;
        slowPath.ExpireFragments();
        nat.Expire(stage.Worker.Now, budget: 1);
        return (slowPath.TotalCounters, faults.Count);
    }

    private static TopologySnapshot MakeTopology()
    {
        TopologyFile file = TopologyFile.Read("the rehearsal's topology", TopologyText);
        if (file.Parts is null) throw new ConfigurationException(file);
        return TopologySnapshot.TryCreate(
            file.Parts,
            Control.Plan.ObjectIds.Host("here"),
            revision: 1,
            out TopologySnapshot? topology,
            out IReadOnlyList<TopologyFault> faults)
            ? topology
            : throw new ConfigurationException($"the rehearsal's topology: {faults[0]}");
    }

    private void Run()
    {
        try
        {
            Play(_logger);
        }
        catch (Exception fault) when (fault is not OutOfMemoryException)
        {
            _fault = fault;
        }
    }

    [LoggerMessage(
        Level = LogLevel.Warning,
        Message = "The rehearsal of first packets failed: the first ones wait until their code is compiled.")]
    private partial void LogFailed(Exception fault);

    private const string TopologyText = """
        hosts:
          here:
            underlay: { address: 192.0.2.1, interface: ul0, mtu: 1600 }
            ports: { a: { interface: vm-a }, b: { interface: vm-b }, c: { interface: vm-c } }
          there:
            underlay: { address: 192.0.2.2, interface: ul0, mtu: 1600 }
            ports: { d: { interface: vm-d } }
        uplinks:
          - name: isp
            host: here
            interface: isp0
            external_network: public
            addresses: [203.0.113.2/30, "2001:db8:ffff::2/64"]
            gateways: [203.0.113.1, "2001:db8:ffff::1"]
        external_networks:
          - { name: public, prefixes: [198.51.100.0/24, "2001:db8:1::/48"] }
        tenants:
          t:
            networks:
              - name: one
                mtu: 1500
                dns: [198.18.0.10]
                domain: t.example
                subnets:
                  - { name: one-4, cidr: 10.0.1.0/24, gateway: 10.0.1.1 }
                  - { name: one-6, cidr: "2001:db8:1:1::/64", gateway: "2001:db8:1:1::1", ra: slaac }
              - name: two
                mtu: 1500
                subnets:
                  - { name: two-4, cidr: 10.0.2.0/24, gateway: 10.0.2.1 }
                  - { name: two-6, cidr: "2001:db8:1:2::/64", gateway: "2001:db8:1:2::1", ra: slaac }
            routers:
              - name: r
                interfaces: [one-4, one-6, two-4, two-6]
                external_gateway:
                  network: public
                  address: 198.51.100.10
                  snat_blocks: { here: 1024-32767, there: 32768-65535 }
            security_groups:
              - name: g
                rules:
                  - { direction: egress, ethertype: ipv4 }
                  - { direction: egress, ethertype: ipv6 }
                  - { direction: ingress, ethertype: ipv4, protocol: icmp }
                  - { direction: ingress, ethertype: ipv6, protocol: icmpv6 }
                  - { direction: ingress, ethertype: ipv4, protocol: udp, ports: 53, remote_group: g }
                  - { direction: ingress, ethertype: ipv6, protocol: udp, ports: 53, remote_group: g }
                  - { direction: ingress, ethertype: ipv4, protocol: tcp, ports: 80, remote_prefix: 0.0.0.0/0 }
                  - { direction: ingress, ethertype: ipv6, protocol: tcp, ports: 80, remote_prefix: "::/0" }
            ports:
              - name: a
                network: one
                mac: "02:00:00:00:00:0a"
                addresses: [10.0.1.11, "2001:db8:1:1::ff:fe00:a"]
                security_groups: [g]
              - name: b
                network: one
                mac: "02:00:00:00:00:0b"
                addresses: [10.0.1.12, "2001:db8:1:1::ff:fe00:b"]
                security_groups: [g]
              - name: c
                network: two
                mac: "02:00:00:00:00:0c"
                addresses: [10.0.2.13, "2001:db8:1:2::ff:fe00:c"]
                security_groups: [g]
              - name: d
                network: one
                mac: "02:00:00:00:00:0d"
                addresses: [10.0.1.14, "2001:db8:1:1::ff:fe00:d"]
                security_groups: [g]
            floating_ips:
              - { address: 198.51.100.20, network: public, port: a }
            port_forwards:
              - { address: 198.51.100.10, protocol: tcp, external_port: 80, port: c, internal_port: 80 }
        """;
}
