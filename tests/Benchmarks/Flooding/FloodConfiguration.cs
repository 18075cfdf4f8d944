namespace Genkan.Benchmarks.Flooding;

/// <summary>
/// Two tenants on one host, each with a router and source NAT: in one the victim and another VM, in the other a VM that
/// no one in the first knows. The attackers may use all addresses of their network. Both have floating IPs: one lets
/// everything in, one nothing.
/// </summary>
internal static class FloodConfiguration
{
    internal const string VictimMac = "fa:16:3e:00:01:02";
    internal const string OwnMac = "fa:16:3e:00:01:03";
    internal const string RivalMac = "fa:16:3e:00:09:02";

    internal const string Text = """
        hosts:
          host1:
            underlay: { address: 192.0.2.1, interface: underlay, mtu: 1600 }
            ports:
              victim: { interface: victim }
              own: { interface: own }
              rival: { interface: rival }
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
            floating_ips:
              - { address: 198.51.100.20, network: public, port: own }
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
            floating_ips:
              - { address: 198.51.100.30, network: public, port: rival }

        """;
}
