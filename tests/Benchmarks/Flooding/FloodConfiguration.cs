using System;
using System.Linq;

namespace Genkan.Benchmarks.Flooding;

/// <summary>
/// Two tenants on one host, each with a router and source NAT: in one the victim and another VM, in the other a VM that
/// no one in the first knows. The attackers may use all addresses of their network. Each tenant has floating
/// IPs, an eighth of the range: one lets everything in to them, one nothing.
/// </summary>
internal static class FloodConfiguration
{
    internal const string VictimMac = "fa:16:3e:00:01:02";
    internal const string OwnMac = "fa:16:3e:00:01:03";
    internal const string RivalMac = "fa:16:3e:00:09:02";

    private const int FloatingPorts = 4; // of each tenant, on another host
    private const int FloatingPerPort = 8;
    private const int FirstOfOwn = 64; // last octets of the public addresses and of those that they stand for
    private const int FirstOfRival = 96;

    /// <summary>The file.</summary>
    internal static string Text { get; } = Frame
        .Replace("  - PORTS ELSEWHERE\n", Bindings("own") + Bindings("rival"), StringComparison.Ordinal)
        .Replace("  - PORTS OF OWN\n", Ports("own", 1, FirstOfOwn, "open"), StringComparison.Ordinal)
        .Replace("  - PORTS OF RIVAL\n", Ports("rival", 9, FirstOfRival, "out"), StringComparison.Ordinal)
        .Replace("  - FLOATING OF OWN\n", Floating("own", FirstOfOwn), StringComparison.Ordinal)
        .Replace("  - FLOATING OF RIVAL\n", Floating("rival", FirstOfRival), StringComparison.Ordinal);

    private const string Frame = """
        hosts:
          host1:
            underlay: { address: 192.0.2.1, interface: underlay, mtu: 1600 }
            ports:
              victim: { interface: victim }
              own: { interface: own }
              rival: { interface: rival }
          host2:
            underlay: { address: 192.0.2.2, interface: underlay, mtu: 1600 }
            ports:
          - PORTS ELSEWHERE
        uplinks:
          - name: isp
            host: host1
            interface: isp0
            external_network: public
            addresses: [203.0.113.2/30]
            gateways: [203.0.113.1]
        external_networks:
          - name: public
            prefixes: [198.51.100.0/24]
        tenants:
          bench:
            networks:
              - name: net-1
                mtu: 1500
                subnets:
                  - { name: net-1-v4, cidr: 10.0.1.0/24, gateway: 10.0.1.1 }
            routers:
              - name: router
                interfaces: [net-1-v4]
                external_gateway:
                  network: public
                  address: 198.51.100.10
                  snat_blocks:
                    host1: 1024-65535
            security_groups:
              - name: open
                rules:
                  - { direction: egress, ethertype: ipv4 }
                  - { direction: ingress, ethertype: ipv4 }
            ports:
              - name: victim
                network: net-1
                mac: fa:16:3e:00:01:02
                addresses: [10.0.1.2]
                security_groups: [open]
              - name: own
                network: net-1
                mac: fa:16:3e:00:01:03
                addresses: [10.0.1.3]
                allowed_address_pairs: [{ address: 10.0.1.0/24 }]
                security_groups: [open]
          - PORTS OF OWN
            floating_ips:
          - FLOATING OF OWN
          rival:
            networks:
              - name: net-9
                mtu: 1500
                subnets:
                  - { name: net-9-v4, cidr: 10.0.9.0/24, gateway: 10.0.9.1 }
            routers:
              - name: router
                interfaces: [net-9-v4]
                external_gateway:
                  network: public
                  address: 198.51.100.11
                  snat_blocks:
                    host1: 1024-65535
            security_groups:
              - name: out
                rules:
                  - { direction: egress, ethertype: ipv4 }
            ports:
              - name: rival
                network: net-9
                mac: fa:16:3e:00:09:02
                addresses: [10.0.9.2]
                allowed_address_pairs: [{ address: 10.0.9.0/24 }]
                security_groups: [out]
          - PORTS OF RIVAL
            floating_ips:
          - FLOATING OF RIVAL

        """;

    private static string Bindings(string name) =>
        Lines(FloatingPorts, i => $"      {name}-{i}: {{ interface: {name}-{i} }}");

    private static string Ports(string name, int network, int first, string group) => Lines(FloatingPorts, i =>
    {
        string addresses = string.Join(
            ", ", Enumerable.Range(first + (i * FloatingPerPort), FloatingPerPort).Select(a => $"10.0.{network}.{a}"));
        return $"""
                  - name: {name}-{i}
                    network: net-{network}
                    addresses: [{addresses}]
                    security_groups: [{group}]
            """;
    });

    private static string Floating(string name, int first) => Lines(FloatingPorts * FloatingPerPort, i =>
    {
        string inside = $"10.0.{(name == "own" ? 1 : 9)}.{first + i}";
        string port = $"{name}-{i / FloatingPerPort}";
        return $"      - {{ address: 198.51.100.{first + i}, network: public, port: {port}, fixed_ip: {inside} }}";
    });

    private static string Lines(int count, Func<int, string> line) =>
        string.Concat(Enumerable.Range(0, count).Select(i => line(i) + "\n"));
}
