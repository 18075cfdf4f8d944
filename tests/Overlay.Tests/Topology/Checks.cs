using System.Collections.Generic;
using System.Linq;
using Genkan.Overlay.Tests.Fixtures;
using Genkan.Overlay.Topology;
using Genkan.Wire;
using Shouldly;

namespace Genkan.Overlay.Tests.Topology;

/// <summary>What a topology must keep; each test breaks one rule and expects that rule's fault.</summary>
public sealed class Checks
{
    private static readonly VirtualPort A = Courtyard.Parts.PortOf("red/red-a");
    private static readonly Router Red = Courtyard.Parts.RouterOf("red/router");

    [Fact]
    public void The_courtyard_has_no_fault() => FaultsOf(Courtyard.Parts).ShouldBeEmpty();

    [Fact]
    public void The_local_host_is_one_of_the_hosts()
    {
        TopologySnapshot.TryCreate(
            Courtyard.Parts, ObjectId.Of("host", "hv9"), 1, out TopologySnapshot? snapshot,
            out IReadOnlyList<TopologyFault> faults)
            .ShouldBeFalse();
        snapshot.ShouldBeNull();
        faults[0].Rule.ShouldBe("The local host is one of the hosts.");
        faults[0].ToString().ShouldBe($"{faults[0].Name}: The local host is one of the hosts. {faults[0].Hint}");
    }

    [Fact]
    public void Ids_are_unique() =>
        Breaks(Courtyard.Parts with { Ports = [.. Courtyard.Parts.Ports, A] }, "Ids are unique");

    [Fact]
    public void MACs_are_unique_in_a_network() => Breaks(
        Courtyard.Parts.With(A with { Mac = Courtyard.Mac("red/red-b") }), "MACs are unique in red/red-1");

    [Fact]
    public void Addresses_are_unique_in_a_network() => Breaks(
        Courtyard.Parts.With(A with { Addresses = [IpInterface.Parse("10.0.1.12/24")] }),
        "Addresses are unique in red/red-1");

    [Fact]
    public void The_same_address_in_two_networks_is_fine() =>
        Courtyard.Parts.PortOf("blue/blue-a").Addresses[0].ShouldBe(A.Addresses[0]);

    [Fact]
    public void A_port_belongs_to_a_device() => Breaks(
        Courtyard.Parts.With(A with { Device = Courtyard.Device("nowhere") }), "A port belongs to a bridge or router");

    [Fact]
    public void The_chains_of_a_port_exist() => Breaks(
        Courtyard.Parts.With(A with { ToPort = Courtyard.ChainId("none") }), "The chains of a port exist");

    [Fact]
    public void An_interface_carries_one_port() => Breaks(
        Courtyard.Parts.With(A with { Binding = new PortBinding(Courtyard.Hv1, "red-c", 0) }),
        "An interface and VID carry one port");

    [Fact]
    public void A_port_is_bound_on_a_host_that_exists() => Breaks(
        Courtyard.Parts.With(A with { Binding = new PortBinding(ObjectId.Of("host", "x"), "red-a", 0) }),
        "A port is bound on a host");

    [Fact]
    public void An_interface_name_is_short() => Breaks(
        Courtyard.Parts.With(A with { Binding = new PortBinding(Courtyard.Hv1, "interface-of-red-a", 0) }),
        "An interface name has 1 to 15");

    [Fact]
    public void Interior_ports_are_linked_in_pairs() => Breaks(
        Courtyard.Parts.With(Courtyard.Parts.PortOf("red/gateway") with { Peer = Courtyard.Port("red/router-1") }),
        "linked in pairs");

    [Fact]
    public void Allowed_pairs_past_the_limit_are_refused() => Breaks(
        Courtyard.Parts.With(A with
        {
            AllowedPairs = [.. Enumerable.Range(0, TopologyLimits.AllowedPairsMax + 1).Select(
                i => new AddressPair(A.Mac, new IpPrefix(IpAddress.FromIpv4((uint)i), 32)))],
        }),
        "allowed address pairs");

    [Fact]
    public void Rules_past_the_limit_are_refused() => Breaks(
        Courtyard.Parts.With(new Chain(
            Courtyard.ChainId("long"), "long",
            [.. Enumerable.Repeat(new Rule(RuleVerdict.Accept), TopologyLimits.RulesMax + 1)], RuleVerdict.Drop)),
        "at most 1000 rules");

    [Fact]
    public void Chains_do_not_jump_in_a_circle() => Breaks(
        Courtyard.Parts
            .With(new Chain(Courtyard.ChainId("x"), "x", [new Rule(RuleVerdict.Jump, Courtyard.ChainId("y"))],
                RuleVerdict.Drop))
            .With(new Chain(Courtyard.ChainId("y"), "y", [new Rule(RuleVerdict.Jump, Courtyard.ChainId("x"))],
                RuleVerdict.Drop)),
        "never in a circle");

    [Theory]
    [InlineData(TopologyLimits.ChainDepthMax, 0)]
    [InlineData(TopologyLimits.ChainDepthMax + 1, 1)]
    public void Chains_jump_so_deep_and_no_deeper(int depth, int faults)
    {
        TopologyParts parts = Courtyard.Parts;
        for (int i = 1; i <= depth; i++)
        {
            Rule[] rules = i == depth ? [] : [new Rule(RuleVerdict.Jump, Courtyard.ChainId($"c{i + 1}"))];
            parts = parts.With(new Chain(Courtyard.ChainId($"c{i}"), $"c{i}", [.. rules], RuleVerdict.Drop));
        }

        FaultsOf(parts).Count.ShouldBe(faults);
    }

    [Fact]
    public void A_jump_leads_to_a_chain() => Breaks(
        Courtyard.Parts.With(
            new Chain(Courtyard.ChainId("x"), "x", [new Rule(RuleVerdict.Jump, Courtyard.ChainId("none"))],
            RuleVerdict.Drop)),
        "A rule jumps to a chain that exists");

    [Fact]
    public void A_route_leaves_by_a_port_of_its_router() => Breaks(
        Courtyard.Parts.With(Red with { Routes = [Courtyard.Via("10.0.1.0/24", "blue/router-1")] }),
        "leaves by a port of this router");

    [Fact]
    public void Only_a_provider_router_exits_by_a_FIB() => Breaks(
        Courtyard.Parts.With(Red with { Routes = [Courtyard.To("0.0.0.0/0", RouteTarget.FibExit)] }),
        "only in a provider router");

    [Fact]
    public void A_floating_IP_is_used_once()
    {
        FloatingIp one = Red.FloatingIps[0];
        FloatingIp two =
            one with { Id = ObjectId.Of("floating-ip", "other"), FixedAddress = IpAddress.Parse("10.0.1.12") };
        Breaks(Courtyard.Parts.With(Red with { FloatingIps = [one, two] }), "A floating IP is used once");
    }

    [Theory]
    [InlineData(1000, 2047, "whole granules")]
    [InlineData(1024, 40000, "whole granules")]
    [InlineData(1024, 32767, "do not overlap")]
    public void Blocks_are_whole_granules_that_do_not_overlap(ushort first, ushort last, string rule) => Breaks(
        Courtyard.Parts.With(Red with
        {
            SourceNat = Red.SourceNat! with
            {
                Blocks = [.. Red.SourceNat.Blocks, new NatBlockLease(Courtyard.NatAddress, first, last, Courtyard.Hv1)],
            },
        }),
        rule);

    [Fact]
    public void An_uplink_stands_behind_a_port_of_the_provider_router()
    {
        ExternalNetwork network = Courtyard.Parts.ExternalNetworks[0];
        ExternalNetwork moved = network with { Uplinks = [network.Uplinks[0] with { Id = Courtyard.Port("x") }] };
        Breaks(Courtyard.Parts with { ExternalNetworks = [moved] }, "An uplink stands behind a port");
    }

    [Fact]
    public void Two_names_that_hash_to_one_slot_of_a_host_are_refused()
    {
        Dictionary<ushort, string> slots = [];
        for (int i = 0; ; i++)
        {
            ObjectId id = Courtyard.Port($"red/p{i}");
            ushort slot =
                Overlay.Flows.DeliveryKey.Of(Overlay.Flows.DeliveryKind.Port, id, Courtyard.Hv1, ObjectId.None).Slot;
            if (slots.TryAdd(slot, $"p{i}")) continue;
            TopologyParts parts = Courtyard.Parts
                .With(Courtyard.Vm("red", slots[slot], "red-1", "hv1", "fa:16:3e:00:f0:01", "10.0.1.201"))
                .With(Courtyard.Vm("red", $"p{i}", "red-1", "hv1", "fa:16:3e:00:f0:02", "10.0.1.202"));
            Breaks(parts, "Delivery slots of hv1 are unique");
            return;
        }
    }

    private static void Breaks(TopologyParts parts, string rule) =>
        FaultsOf(parts).ShouldContain(f => f.Rule.Contains(rule) && f.Hint.Length > 0);

    private static IReadOnlyList<TopologyFault> FaultsOf(TopologyParts parts)
    {
        TopologySnapshot.TryCreate(parts, Courtyard.Hv1, 1, out TopologySnapshot? snapshot,
            out IReadOnlyList<TopologyFault> faults)
            .ShouldBe(faults.Count == 0);
        (snapshot is null).ShouldBe(faults.Count > 0);
        return faults;
    }
}
