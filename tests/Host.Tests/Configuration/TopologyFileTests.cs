using System;
using System.IO;
using System.Linq;
using System.Runtime.CompilerServices;
using System.Text;
using Genkan.Control.Model;
using Genkan.Host.Configuration;
using Genkan.Wire;
using Shouldly;

namespace Genkan.Host.Tests.Configuration;

public sealed class TopologyFileTests
{
    private const string Hosts = """
        hosts:
          gw1:
            underlay: { address: 192.0.2.11, interface: ul0, mtu: 1600 }

        """;

    private static TopologyFile Read(string text) => TopologyFile.Read("test.yaml", text);

    private static string Root([CallerFilePath] string self = "") =>
        Path.GetFullPath(Path.Combine(Path.GetDirectoryName(self)!, "../../.."));

    [Fact]
    public void The_courtyards_file_is_good()
    {
        TopologyFile file = TopologyFile.Load(Path.Combine(Root(), "appliance/courtyard/courtyard.yaml"));
        DiagnosticText.Format(file.Name, file.Text, file.Diagnostics).ShouldBeEmpty();
        file.State!.Hosts.Length.ShouldBe(2);
        file.State.Tenants.Select(static t => t.Name).ShouldBe(["red", "blue"]);
        file.State.Tenants[0].Ports[1].Binding.ShouldBe(new PortBinding("gw1", "red-b"));
        file.Parts.ShouldNotBeNull();
    }

    [Theory]
    [InlineData("hosts: []", 1, 8, "names with values are expected here")]
    [InlineData("host: gw2\n" + Hosts, 1, 7, "there is no host 'gw2'")]
    [InlineData("hosts: { gw1: { ports: {} } }", 1, 15, "'underlay' is missing here")]
    [InlineData("hosts: { gw1: { underlay: { interface: u } } }", 1, 27, "'address' is missing here")]
    [InlineData("hosts: { gw1: { underlay: { address: 192.0.2.1/24, interface: u } } }", 1, 38, "has a prefix length")]
    [InlineData("hosts: { gw1: { underlay: { address: 192.0.2.256, interface: u } } }", 1, 38, "is not an IP address")]
    [
        InlineData(
            "hosts: { gw1: { underlay: { address: 192.0.2.1, interface: u, encapsulation: none } } }", 1, 78,
            "'none' is none of direct, kernel"),
    ]
    [InlineData("- a", 1, 1, "a topology is expected here")]
    [InlineData(Hosts + "tenant: {}", 4, 1, "'tenant' is not a key here")]
    [InlineData(Hosts + "tenants: { red: { networks: red-1 } }", 4, 29, "a list is expected here")]
    [InlineData(Hosts + "tenants: { red: { networks: [{ mtu: 1500 }] } }", 4, 30, "'name' is missing here")]
    [InlineData(Hosts + "tenants: { red: { networks: [{ name: }] } }", 4, 32, "a value is expected here")]
    [
        InlineData(
            Hosts + "tenants: { red: { networks: [{ name: n, mtu: 15oo }] } }", 4, 46, "'15oo' is not a whole number"),
    ]
    [
        InlineData(
            Hosts + "tenants: { red: { networks: [{ name: n, admin_state_up: yes }] } }",
            4,
            57,
            "neither true nor false"),
    ]
    public void A_wrong_shape_is_told_where_it_stands(string text, int line, int column, string rule)
    {
        TopologyFile file = Read(text);
        file.State.ShouldBeNull();
        FileDiagnostic first = file.Diagnostics[0];
        first.Error.Rule.ShouldContain(rule);
        (first.Position.Line, first.Position.Column).ShouldBe((line, column));
    }

    [Theory]
    [InlineData("cidr: 10.0.1.1/24", "has host bits set", "the network is 10.0.1.0/24")]
    [InlineData("cidr: 10.0.1.0/33", "has a bad length", "")]
    [InlineData("cidr: 10.0.1.0", "has no length", "")]
    [InlineData("cidr: 10.0.1.0/24, lease: 3600", "'3600' is not a time", "90s, 10m, 1h30m, 7d")]
    [InlineData("cidr: 10.0.1.0/24, lease: 1w", "'1w' is not a time", "")]
    [InlineData("cidr: 10.0.1.0/24, ra: slaac", "IPv4 has no router advertisements", "dhcp: true or false")]
    [InlineData("cidr: \"2001:db8::/64\", dhcp: true", "announced by router advertisements", "ra: slaac")]
    [InlineData("cidr: \"2001:db8::/64\", ra: slac", "'slac' is none of slaac, none", "did you mean 'slaac'?")]
    [InlineData("cidr: 10.0.1.0/24, gatway: 10.0.1.1", "'gatway' is not a key here", "did you mean 'gateway'?")]
    [InlineData("cidr: 10.0.1.0/24, host_routes: [{ destination: 10.9.0.0/16 }]", "'next_hop' is missing", "")]
    public void A_wrong_subnet_is_explained(string subnet, string rule, string hint)
    {
        TopologyFile file = Read(
            Hosts + $"tenants: {{ red: {{ networks: [{{ name: n, subnets: [{{ {subnet} }}] }}] }} }}");
        file.Diagnostics[0].Error.Rule.ShouldContain(rule);
        file.Diagnostics[0].Error.Hint.ShouldContain(hint);
    }

    [Theory]
    [InlineData("protocol: tcpp", "'tcpp' is not a protocol", "did you mean 'tcp'?")]
    [InlineData("protocol: tcp, ports: 80-", "'80-' is not a port or range of ports", "5000-5999")]
    [InlineData("protocol: tcp, ports: 65536", "is not a port or range of ports", "65535")]
    [InlineData("direktion: ingress", "'direktion' is not a key here", "did you mean 'direction'?")]
    [InlineData("ethertype: arp", "'arp' is none of ipv4, ipv6", "")]
    [InlineData("protocol: icmp, icmp_type: 256", "'256' is not a whole number from 0 to 255", "")]
    public void A_wrong_rule_is_explained(string rule, string says, string hint)
    {
        TopologyFile file = Read(
            Hosts + $"tenants: "
            + $"{{ red: {{ security_groups: [{{ name: g, rules: [{{ direction: ingress, {rule} }}] }}] }} }}");
        file.Diagnostics[0].Error.Rule.ShouldContain(says);
        file.Diagnostics[0].Error.Hint.ShouldContain(hint);
    }

    [Fact]
    public void All_mistakes_are_told_at_once_in_the_order_of_the_file()
    {
        TopologyFile file = Read("""
            hosts:
              gw1:
                underlay: { address: nowhere, interface: ul0, mto: 1600 }
            uplinks:
              - { name: isp, host: gw1, interface: isp0, vlan: x }
            """);
        file.Diagnostics.Select(static d => d.Position.Line).ShouldBe([3, 3, 5, 5]);
        file.IsIncomplete.ShouldBeTrue();
    }

    [Fact]
    public void A_mistake_in_the_model_is_told_where_the_value_stands()
    {
        TopologyFile file = Read(Hosts + """
            tenants:
              red:
                networks:
                  - name: red-1
                    subnets: [{ cidr: 10.0.1.0/24, gateway: 10.0.2.1 }]
            """);
        FileDiagnostic only = file.Diagnostics.ShouldHaveSingleItem();
        only.Error.Path.ShouldBe("tenants.red.networks[0].subnets[0].gateway");
        only.Position.ShouldBe(new FilePosition(8, 49, 8));
    }

    [Theory]
    [InlineData("red-z: { interface: x }", "there is no port 'red-z'", "did you mean 'red-a'?")]
    [
        InlineData(
            "red-a: { interface: a }\n      red/red-a: { interface: b }",
            "is plugged in twice",
            "a port is in one place"),
    ]
    [InlineData("both: { interface: a }", "several tenants have a port 'both'", "write red/both or blue/both")]
    [InlineData("red-a: { interface: sixteen-letters- }", "has 16", "")]
    [InlineData("red-a: { interface: a, vlan: 4095 }", "VLAN 4095 does not exist", "4094")]
    [InlineData("red-a: { interface: ul0 }", "the underlay of host 'gw1'", "")]
    public void What_is_plugged_in_is_checked_where_the_host_says_it(string port, string rule, string hint)
    {
        TopologyFile file = Read($$"""
            hosts:
              gw1:
                underlay: { address: 192.0.2.11, interface: ul0, mtu: 1600 }
                ports:
                  {{port}}
            tenants:
              red: { networks: [{ name: n }], ports: [{ name: red-a, network: n }, { name: both, network: n }] }
              blue: { networks: [{ name: n }], ports: [{ name: both, network: n }] }
            """);
        FileDiagnostic only = file.Diagnostics.ShouldHaveSingleItem();
        only.Error.Rule.ShouldContain(rule);
        only.Error.Hint.ShouldContain(hint);
        only.Position.Line.ShouldBeInRange(5, 6);
    }

    [Fact]
    public void What_hosts_are_told_may_stand_at_the_network_for_subnets_of_its_family()
    {
        TopologyFile file = Read(Hosts + """
            tenants:
              red:
                networks:
                  - name: n
                    dns: [10.0.1.53, "2001:db8::53"]
                    domain: red.example
                    subnets:
                      - { cidr: 10.0.1.0/24, lease: 1h30m }
                      - { cidr: "2001:db8:1::/64", domain: six.example, gateway: none, ra: none }
                      - { cidr: 10.0.2.0/24, dns: [] }
            """);
        DiagnosticText.Format(file.Name, file.Text, file.Diagnostics).ShouldBeEmpty();
        Subnet[] subnets = [.. file.State!.Tenants[0].Networks[0].Subnets];
        subnets[0].DnsNameservers.ShouldBe([IpAddress.Parse("10.0.1.53")]);
        subnets[0].Lease.ShouldBe(TimeSpan.FromMinutes(90));
        subnets[1].DnsNameservers.ShouldBe([IpAddress.Parse("2001:db8::53")]);
        subnets[1].Gateway.ShouldBeNull();
        subnets[1].IsDhcpEnabled.ShouldBeFalse();
        subnets.Select(static s => s.Domain).ShouldBe(["red.example", "six.example", "red.example"]);
        subnets[2].DnsNameservers.ShouldBeEmpty();
    }

    [Fact]
    public void A_resolver_that_nobody_is_told_is_a_mistake()
    {
        TopologyFile file = Read(
            Hosts + "tenants: { red: { networks: [{ name: n, dns: "
            + "[\"2001:db8::53\"], subnets: [{ cidr: 10.0.1.0/24 }] }] } }");
        file.Diagnostics.ShouldHaveSingleItem().Error.Rule.ShouldContain("2001:db8::53 is told to nobody");
    }

    [Fact]
    public void Everything_else_of_a_tenant_is_read()
    {
        TopologyFile file = Read(Hosts + """
            external_networks: [{ name: public, prefixes: [198.51.100.0/24] }]
            uplinks:
              - { name: isp, host: gw1, interface: isp0, external_network: public, vlan: 5, table: 7 }
            tenants:
              red:
                networks: [{ name: n, subnets: [{ name: s, cidr: 10.0.1.0/24 }] }]
                routers:
                  - name: r
                    interfaces: [{ subnet: n/s, address: 10.0.1.9 }]
                    external_gateway: { network: public, address: 198.51.100.9, snat_blocks: { gw1: 1024-2047 } }
                    routes:
                      - { destination: 10.9.0.0/16, next_hop: 10.0.1.7 }
                      - { destination: 10.8.0.0/16, next_hop: reject }
                ports:
                  - name: p
                    network: n
                    allowed_address_pairs: [{ address: 10.0.1.100, mac: "02:00:00:00:00:64" }]
                    admin_state_up: false
                port_forwards:
                  - { address: 198.51.100.9, protocol: udp, external_port: 53, port: p, internal_port: 5353 }
            """);
        DiagnosticText.Format(file.Name, file.Text, file.Diagnostics).ShouldBeEmpty();
        DesiredState state = file.State!;
        (state.Uplinks[0].Vlan, state.Uplinks[0].Table).ShouldBe(((ushort)5, 7u));
        Router router = state.Tenants[0].Routers[0];
        router.Interfaces[0].ShouldBe(new RouterInterface("n/s", IpAddress.Parse("10.0.1.9")));
        router.ExternalGateway!.SnatBlocks.ShouldBe([new SnatBlock("gw1", 1024, 2047)]);
        router.Routes[1].Target.ShouldBe(Genkan.Overlay.Topology.RouteTarget.Reject);
        Port port = state.Tenants[0].Ports[0];
        port.IsAdminUp.ShouldBeFalse();
        port.AllowedAddressPairs.ShouldBe(
            [new AllowedAddressPair(IpPrefix.Parse("10.0.1.100/32"), MacAddress.Parse("02:00:00:00:00:64"))]);
        state.Tenants[0].PortForwards[0].InternalPort.ShouldBe((ushort)5353);
    }

    [Fact]
    public void A_file_has_at_most_4_MiB()
    {
        string path = Path.GetTempFileName();
        try
        {
            File.WriteAllText(path, new string('#', FileLimits.SizeOctetsMax + 1));
            TopologyFile.Load(path).Diagnostics.ShouldHaveSingleItem().Error.Rule.ShouldContain(
                "more than 4194304 octets");
        }
        finally
        {
            File.Delete(path);
        }
    }

    [Fact]
    public void A_file_is_UTF_8()
    {
        string path = Path.GetTempFileName();
        try
        {
            File.WriteAllBytes(path, [0x61, 0x3a, 0x20, 0xff]);
            TopologyFile.Load(path).Diagnostics.ShouldHaveSingleItem().Error.Rule.ShouldBe(
                "the file is not UTF-8 text");
        }
        finally
        {
            File.Delete(path);
        }
    }

    [Fact]
    public void A_byte_order_mark_is_skipped()
    {
        Encoding.UTF8.GetString([0xef, 0xbb, 0xbf]).ShouldBe("\uFEFF");
        Read("\uFEFF" + Hosts).Diagnostics.ShouldBeEmpty();
    }
}
