using System;
using System.Globalization;
using System.Text;

namespace Genkan.Benchmarks.Ours;

/// <summary>The configuration files of our side. Security groups and anti-spoofing are on in all of them.</summary>
internal static class Configurations
{
    internal const string SenderMac = "fa:16:3e:00:01:02";
    internal const string ReceiverMac = "fa:16:3e:00:02:02";

    /// <summary>One network on one host.</summary>
    internal const string Bridged = """
        hosts:
          host1:
            underlay: { address: 192.0.2.1, interface: underlay, mtu: 1600 }
            ports:
              vm1: { interface: vm1 }
              vm2: { interface: vm2 }
        tenants:
          bench:
            networks:
              - name: net-1
                mtu: 1500
                subnets:
                  - { name: net-1-v4, cidr: 10.0.1.0/24, gateway: 10.0.1.1, dhcp: true, lease: 1h }
            routers:
              - name: router
                interfaces: [net-1-v4]
            security_groups:
              - name: open
                rules:
                  - { direction: egress, ethertype: ipv4 }
                  - { direction: ingress, ethertype: ipv4, protocol: icmp }
                  - { direction: ingress, ethertype: ipv4, protocol: udp, remote_group: open }
                  - { direction: ingress, ethertype: ipv4, protocol: tcp, remote_group: open }
            ports:
              - name: vm1
                network: net-1
                mac: fa:16:3e:00:01:02
                addresses: [10.0.1.2]
                security_groups: [open]
              - name: vm2
                network: net-1
                mac: fa:16:3e:00:02:02
                addresses: [10.0.1.3]
                security_groups: [open]

        """;

    /// <summary>Two networks and a router on one host.</summary>
    internal const string Routed = """
        hosts:
          host1:
            underlay: { address: 192.0.2.1, interface: underlay, mtu: 1600 }
            ports:
              vm1: { interface: vm1 }
              vm2: { interface: vm2 }
        tenants:
          bench:
            networks:
              - name: net-1
                mtu: 1500
                subnets:
                  - { name: net-1-v4, cidr: 10.0.1.0/24, gateway: 10.0.1.1, dhcp: true, lease: 1h }
              - name: net-2
                mtu: 1500
                subnets:
                  - { name: net-2-v4, cidr: 10.0.2.0/24, gateway: 10.0.2.1, dhcp: true, lease: 1h }
            routers:
              - name: router
                interfaces: [net-1-v4, net-2-v4]
            security_groups:
              - name: open
                rules:
                  - { direction: egress, ethertype: ipv4 }
                  - { direction: ingress, ethertype: ipv4, protocol: icmp }
                  - { direction: ingress, ethertype: ipv4, protocol: udp, remote_group: open }
                  - { direction: ingress, ethertype: ipv4, protocol: tcp, remote_group: open }
            ports:
              - name: vm1
                network: net-1
                mac: fa:16:3e:00:01:02
                addresses: [10.0.1.2]
                security_groups: [open]
              - name: vm2
                network: net-2
                mac: fa:16:3e:00:02:02
                addresses: [10.0.2.2]
                security_groups: [open]

        """;

    /// <summary>MAC address of a sender among many.</summary>
    internal static string MacOf(int number) =>
        string.Create(CultureInfo.InvariantCulture, $"fa:16:3e:00:03:{number:x2}");

    /// <summary>As <see cref="Routed"/>, with senders vm1, vm2 … in the first network; the receiver is vm0.</summary>
    internal static string Crowd(int senderCount)
    {
        StringBuilder interfaces = new();
        StringBuilder ports = new();
        for (int i = 1; i <= senderCount; i++)
        {
            interfaces.Append(CultureInfo.InvariantCulture, $"      vm{i}: {{ interface: vm{i} }}\n");
            ports.Append(CultureInfo.InvariantCulture, $$"""
                      - name: vm{{i}}
                        network: net-1
                        mac: {{MacOf(i)}}
                        addresses: [10.0.1.{{i + 1}}]
                        security_groups: [open]

                """);
        }

        const string firstPort = "      vm1: { interface: vm1 }\n      vm2: { interface: vm2 }\n";
        string routed = Routed.Replace(
            firstPort, interfaces + "      vm0: { interface: vm0 }\n", StringComparison.Ordinal);
        int portsAt = routed.IndexOf("      - name: vm1", StringComparison.Ordinal);
        int receiverAt = routed.IndexOf("      - name: vm2", StringComparison.Ordinal);
        string receiver = routed[receiverAt..].Replace("name: vm2", "name: vm0", StringComparison.Ordinal);
        return routed[..portsAt] + ports + receiver;
    }

    /// <summary>A VM, a router with source NAT, and an uplink.</summary>
    internal const string Translated = """
        hosts:
          host1:
            underlay: { address: 192.0.2.1, interface: underlay, mtu: 1600 }
            ports:
              vm1: { interface: vm1 }
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
                  - { name: net-1-v4, cidr: 10.0.1.0/24, gateway: 10.0.1.1, dhcp: true, lease: 1h }
            routers:
              - name: router
                interfaces: [net-1-v4]
                external_gateway:
                  network: public
                  address: 198.51.100.10
                  snat_blocks:
                    host1: 1024-65535
            security_groups:
              - name: out
                rules:
                  - { direction: egress, ethertype: ipv4 }
            ports:
              - name: vm1
                network: net-1
                mac: fa:16:3e:00:01:02
                addresses: [10.0.1.2]
                security_groups: [out]

        """;

    /// <summary>Two networks, a router with source NAT and a floating IP, and an uplink.</summary>
    internal const string Restarted = """
        hosts:
          host1:
            underlay: { address: 192.0.2.1, interface: underlay, mtu: 1600 }
            ports:
              vm1: { interface: vm1 }
              vm2: { interface: vm2 }
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
              - name: net-2
                mtu: 1500
                subnets:
                  - { name: net-2-v4, cidr: 10.0.2.0/24, gateway: 10.0.2.1 }
            routers:
              - name: router
                interfaces: [net-1-v4, net-2-v4]
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
              - name: vm1
                network: net-1
                mac: fa:16:3e:00:01:02
                addresses: [10.0.1.2]
                security_groups: [open]
              - name: vm2
                network: net-2
                mac: fa:16:3e:00:02:02
                addresses: [10.0.2.2]
                security_groups: [open]
            floating_ips:
              - { address: 198.51.100.20, network: public, port: vm2 }

        """;

    /// <summary>One network on two hosts.</summary>
    internal const string Spanned = """
        hosts:
          host1:
            underlay: { address: 192.0.2.1, interface: underlay, mtu: 1600 }
            ports:
              vm1: { interface: vm1 }
          host2:
            underlay: { address: 192.0.2.2, interface: underlay, mtu: 1600 }
            ports:
              vm2: { interface: vm2 }
        tenants:
          bench:
            networks:
              - name: net-1
                mtu: 1500
                subnets:
                  - { name: net-1-v4, cidr: 10.0.1.0/24, gateway: 10.0.1.1, dhcp: true, lease: 1h }
            routers:
              - name: router
                interfaces: [net-1-v4]
            security_groups:
              - name: open
                rules:
                  - { direction: egress, ethertype: ipv4 }
                  - { direction: ingress, ethertype: ipv4, protocol: icmp }
                  - { direction: ingress, ethertype: ipv4, protocol: udp, remote_group: open }
                  - { direction: ingress, ethertype: ipv4, protocol: tcp, remote_group: open }
            ports:
              - name: vm1
                network: net-1
                mac: fa:16:3e:00:01:02
                addresses: [10.0.1.2]
                security_groups: [open]
              - name: vm2
                network: net-1
                mac: fa:16:3e:00:02:02
                addresses: [10.0.1.3]
                security_groups: [open]

        """;
}
