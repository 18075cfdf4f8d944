using System.Linq;
using Genkan.Overlay.Flows;
using Genkan.Overlay.Simulation;
using Genkan.Overlay.Tests.Fixtures;
using Genkan.Overlay.Topology;
using Genkan.Wire;
using Shouldly;

namespace Genkan.Overlay.Tests.Simulation;

/// <summary>Chains at ports: security groups with remote groups, answers of connections, limits.</summary>
public sealed class SecurityGroups
{
    private static readonly MacAddress A = Courtyard.Mac("red/red-a");
    private static readonly MacAddress B = Courtyard.Mac("red/red-b");

    [Fact]
    public void A_remote_group_admits_its_members_only()
    {
        byte[] frame = Frames.Tcp(B, A, "10.0.1.11", "10.0.1.12", 1000, 5201);
        Lab.TextOf(Lab.OnHv1.From("red/red-a", frame)).ShouldBe("Forward");

        TopologyParts empty = Courtyard.Parts with
        {
            AddressGroups = [Courtyard.Parts.AddressGroups[0] with { Members = [IpAddress.Parse("10.0.1.12")] }],
        };
        SimulationResult result = new Lab(Courtyard.Hv1, empty).From("red/red-a", frame);
        Lab.TextOf(result).ShouldBe("Drop SecurityGroup");
        result.Tags.ToArray().ShouldContain(ObjectId.Of("group", "red/base"));
    }

    [Theory]
    [InlineData(130)]
    [InlineData(131)]
    [InlineData(143)]
    public void What_belongs_to_the_link_is_behind_a_router_a_packet_like_any_other(byte type)
    {
        VirtualPort c = Courtyard.Parts.PortOf("red/red-c");
        IpAddress address = IpAddress.Parse("2001:db8:1:2::11");
        Router router = Courtyard.Parts.RouterOf("red/router");
        TopologyParts parts = Courtyard.Parts
            .With(c with
            {
                ToPort = Courtyard.ChainId("blue/in"),
                Addresses = [.. c.Addresses, new IpInterface(address, 64)],
                AllowedPairs = [.. c.AllowedPairs, new AddressPair(c.Mac, new IpPrefix(address, 128))],
            })
            .With(router with { Routes = [.. router.Routes, Courtyard.Via("2001:db8:1:2::/64", "red/router-2")] });
        const string Own = "2001:db8:1:1:f816:3eff:fe00:111";
        byte[] frame = Frames.Ping(MacAddress.Parse("02:00:00:00:01:01"), A, Own, "2001:db8:1:2::11");
        frame[54] = type;

        Lab.TextOf(new Lab(Courtyard.Hv1, parts).From("red/red-a", frame)).ShouldBe("Drop SecurityGroup");
    }

    [Fact]
    public void A_refused_flow_is_cached_by_the_fields_that_were_read()
    {
        SimulationResult result = Lab.OnHv1.From("red/red-a", Frames.Tcp(B, A, "10.0.1.11", "10.0.1.12", 1000, 22));

        Lab.TextOf(result).ShouldBe("Drop SecurityGroup");
        result.IsCacheable.ShouldBeTrue();
        result.Fields.HasFlag(FieldSet.DestinationPort).ShouldBeTrue();
    }

    [Fact]
    public void An_answer_passes_while_the_rules_admit_its_question()
    {
        byte[] answer = Frames.Tcp(A, B, "10.0.1.12", "10.0.1.11", 5201, 1000, TcpFlags.Ack);

        Lab.TextOf(Lab.OnGw1.From("red/red-b", answer)).ShouldBe("Drop SecurityGroup");
        SimulationResult result = Lab.OnGw1.From("red/red-b", answer, ConnectionState.Reply);
        Lab.TextOf(result).ShouldBe("Forward");
        result.State.ShouldBe(ConnectionState.Reply);
    }

    [Fact]
    public void An_answer_stops_when_the_rule_is_taken_away()
    {
        Chain closed = Courtyard.Parts.Chains.First(c => c.Name == "red/base, ingress");
        TopologyParts parts =
            Courtyard.Parts.With(closed with { Rules = [.. closed.Rules.Where(r => r.DestinationPortMin != 5201)] });
        byte[] answer = Frames.Tcp(A, B, "10.0.1.12", "10.0.1.11", 5201, 1000, TcpFlags.Ack);

        Lab.TextOf(new Lab(Courtyard.Gw1, parts).From("red/red-b", answer, ConnectionState.Reply))
            .ShouldBe("Drop SecurityGroup");
    }

    [Fact]
    public void A_drop_rule_and_a_reject_rule_have_their_own_names()
    {
        Chain chain = Courtyard.Parts.Chains.First(c => c.Name == "red/base, egress");
        byte[] frame = Frames.Tcp(B, A, "10.0.1.11", "10.0.1.12", 1000, 5201);

        Lab.TextOf(With(chain with { Rules = [new Rule(RuleVerdict.Drop)] }).From("red/red-a", frame))
            .ShouldBe("Drop Rule");
        SimulationResult result = With(chain with { Rules = [new Rule(RuleVerdict.Reject)] }).From("red/red-a", frame);
        Lab.TextOf(result).ShouldBe("Drop RuleReject");
        Frames.Decode(result.Answer).IcmpCode.ShouldBe((byte)IcmpUnreachableCode.AdministrativelyProhibited);
    }

    [Fact]
    public void Return_goes_back_to_the_chain_that_jumped_and_the_end_decides()
    {
        Chain chain = Courtyard.Parts.Chains.First(c => c.Name == "red/base, egress");
        Chain inner =
            new(Courtyard.ChainId("red/inner"), "inner", [new Rule(RuleVerdict.Return), new Rule(RuleVerdict.Drop)],
            RuleVerdict.Drop);
        Chain outer = chain with { Rules = [new Rule(RuleVerdict.Jump, inner.Id), new Rule(RuleVerdict.Accept)] };
        Lab lab = new(Courtyard.Hv1, Courtyard.Parts.With(inner).With(outer));

        Lab.TextOf(lab.From("red/red-a", Frames.Tcp(B, A, "10.0.1.11", "10.0.1.12", 1000, 5201))).ShouldBe("Forward");
    }

    [Fact]
    public void A_later_fragment_passes_no_rule_with_ports()
    {
        FrameWriter writer = Frames.Begin(out byte[] buffer, B, A, "10.0.1.11", "10.0.1.12", IpProtocol.Tcp);
        writer.Fragment(9, 1480);
        writer.Octets(new byte[64]);

        Lab.TextOf(Lab.OnHv1.From("red/red-a", buffer[..writer.Finish()])).ShouldBe("Drop Fragment");
    }

    [Theory]
    [InlineData(8, 0, "Forward")]
    [InlineData(8, 1, "Drop SecurityGroup")]
    [InlineData(13, 0, "Drop SecurityGroup")]
    public void ICMP_rules_compare_type_and_code(byte type, byte code, string expected)
    {
        Chain chain = Courtyard.Parts.Chains.First(c => c.Name == "red/base, egress");
        Rule rule =
            new(RuleVerdict.Accept, Protocol: IpProtocol.Icmp, DestinationPortMin: 8, DestinationPortMax: 0,
            HasPorts: true);
        FrameWriter writer = Frames.Begin(out byte[] buffer, B, A, "10.0.1.11", "10.0.1.12", IpProtocol.Icmp);
        writer.Icmp(type, code);
        writer.Octets(new byte[16]);

        Lab.TextOf(With(chain with { Rules = [rule] }).From("red/red-a", buffer[..writer.Finish()])).ShouldBe(expected);
    }

    [Fact]
    public void More_tags_than_a_flow_may_have_drop_the_packet()
    {
        Chain chain = Courtyard.Parts.Chains.First(c => c.Name == "red/base, egress");
        Chain[] many = [.. Enumerable.Range(0, TopologyLimits.TagsPerFlowMax).Select(
            i => new Chain(Courtyard.ChainId($"many-{i}"), $"many-{i}", [], RuleVerdict.Drop))];
        Rule[] rules = [.. many.Select(c => new Rule(RuleVerdict.Jump, c.Id)), new Rule(RuleVerdict.Accept)];
        TopologyParts parts = Courtyard.Parts.With(chain with { Rules = [.. rules] });
        Lab lab = new(Courtyard.Hv1, parts with { Chains = [.. parts.Chains, .. many] });

        Lab.TextOf(lab.From("red/red-a", Frames.Tcp(B, A, "10.0.1.11", "10.0.1.12", 1000, 5201)))
            .ShouldBe("Drop DeviceLoop");
    }

    private static Lab With(Chain chain) => new(Courtyard.Hv1, Courtyard.Parts.With(chain));
}
