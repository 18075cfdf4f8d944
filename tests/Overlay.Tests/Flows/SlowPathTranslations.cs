using System;
using System.Collections.Immutable;
using System.Linq;
using Genkan.Overlay.Flows;
using Genkan.Overlay.Tests.Fixtures;
using Genkan.Overlay.Topology;
using Genkan.Wire;
using Shouldly;
using static Genkan.Overlay.Tests.Flows.FlowFrames;

namespace Genkan.Overlay.Tests.Flows;

/// <summary>Translated flows over two hosts: source NAT, floating IPs, hairpins (RFC 4787 §6), adoption, revoked
/// blocks.</summary>
public sealed class SlowPathTranslations
{
    private readonly TwoHosts _hosts = new();

    [Fact]
    public void Source_NAT_through_a_remote_gateway_costs_one_upcall_and_no_state_at_the_gateway()
    {
        _hosts.Send("red/red-c", CToServer()).ShouldBe($"provider/isp: 198.51.100.10 {Mapped()} > 198.18.0.10 80");
        _hosts.Send("provider/isp", ServerTo("198.51.100.10", Mapped()))
            .ShouldBe("red/red-c: 198.18.0.10 80 > 10.0.2.11 5000");
        _hosts.Send("red/red-c", CToServer(flags: TcpFlags.Ack)).ShouldStartWith("provider/isp");

        (_hosts.Gw1.Upcalls, _hosts.Hv1.Upcalls).ShouldBe((0, 1));
        _hosts.Gw1.Tables.Connections.ShouldBeEmpty();
        _hosts.Hv1.Tables.Connections.Keys.ShouldContain(k => k.KeyPort == _hosts.Hv1.Slot(Courtyard.Pool));
    }

    [Fact]
    public void A_stranger_does_not_get_in_by_a_mapping()
    {
        _hosts.Send("red/red-c", CToServer());

        _hosts.Send("provider/isp", Frames.Tcp(Veth, Isp, "198.18.0.66", "198.51.100.10", 80, Mapped()))
            .ShouldBe("hv1 NatNoConnection");
    }

    [Fact]
    public void A_floating_IP_leads_from_the_outside_to_its_host_and_back()
    {
        byte[] syn = Frames.Tcp(Veth, Isp, Server, "198.51.100.20", 4000, 80);
        _hosts.Send("provider/isp", syn).ShouldBe("red/red-a: 198.18.0.10 4000 > 10.0.1.11 80");
        byte[] answer = Frames.Tcp(Router1, A, "10.0.1.11", Server, 80, 4000, SynAck);
        _hosts.Send("red/red-a", answer).ShouldBe("provider/isp: 198.51.100.20 80 > 198.18.0.10 4000");

        (_hosts.Gw1.Upcalls, _hosts.Hv1.Upcalls).ShouldBe((1, 1));
    }

    [Fact]
    public void An_entry_of_an_uplink_writes_both_MACs_whatever_those_of_its_first_packet_were()
    {
        _hosts.Send("provider/isp", Frames.Tcp(A, Router1, Server, "198.51.100.20", 4000, 80));
        _hosts.Send("provider/isp", Frames.Tcp(Veth, Isp, Server, "198.51.100.20", 4000, 80));

        PacketHeader arrived = Frames.Decode(_hosts.Last);
        (arrived.EthernetDestination, arrived.EthernetSource).ShouldBe((A, Router1));
        _hosts.Gw1.Upcalls.ShouldBe(1);
    }

    [Fact]
    public void Rfc4787_section_6_a_hairpin_on_one_host_costs_one_upcall()
    {
        byte[] syn = Frames.Tcp(Router2, C, "10.0.2.11", "198.51.100.20", 5000, 80);
        _hosts.Send("red/red-c", syn).ShouldBe($"red/red-a: 198.51.100.10 {Mapped()} > 10.0.1.11 80");
        byte[] answer = Frames.Tcp(Router1, A, "10.0.1.11", "198.51.100.10", 80, Mapped(), SynAck);
        _hosts.Send("red/red-a", answer).ShouldBe("red/red-c: 198.51.100.20 80 > 10.0.2.11 5000");

        _hosts.Hv1.Upcalls.ShouldBe(1);
    }

    [Fact]
    public void Rfc4787_section_6_a_hairpin_between_hosts_comes_back_as_a_NAT_return()
    {
        byte[] syn = Frames.Tcp(Router1, B, "10.0.1.12", "198.51.100.20", 5000, 80);
        _hosts.Send("red/red-b", syn).ShouldStartWith("red/red-a: 198.51.100.10");
        ushort port = Frames.Decode(_hosts.Last).SourcePort;
        byte[] answer = Frames.Tcp(Router1, A, "10.0.1.11", "198.51.100.10", 80, port, SynAck);
        _hosts.Send("red/red-a", answer).ShouldBe("red/red-b: 198.51.100.20 80 > 10.0.1.12 5000");

        (_hosts.Gw1.Upcalls, _hosts.Hv1.Upcalls).ShouldBe((1, 1));
    }

    [Fact]
    public void A_new_agent_over_the_same_tables_keeps_the_tuple_and_its_hold()
    {
        _hosts.Send("red/red-c", CToServer());
        ushort port = Mapped();
        _hosts.RestartHv1(Courtyard.Parts).ShouldBe(0);
        _hosts.Hv1.Sweeper.IsUrgent.ShouldBeTrue();
        _hosts.Hv1.Sweep();

        _hosts.Send("red/red-c", CToServer(flags: TcpFlags.Ack))
            .ShouldBe($"provider/isp: 198.51.100.10 {port} > 198.18.0.10 80");
        _hosts.Send("provider/isp", ServerTo("198.51.100.10", port))
            .ShouldBe("red/red-c: 198.18.0.10 80 > 10.0.2.11 5000");
        _hosts.Hv1.Upcalls.ShouldBe(0);
        _hosts.Hv1.Nat.Expire(_hosts.Now + TimeSpan.FromHours(9), 100).ShouldBe(0);
        Expire();
        _hosts.Hv1.Nat.Expire(_hosts.Now + SlowPathInstalls.HoldDown, 100).ShouldBe(1);
    }

    [Fact]
    public void Flows_of_an_earlier_agent_go_stale_with_any_change_until_they_are_simulated_again()
    {
        _hosts.Send("red/red-a", AToC());
        _hosts.RestartHv1(Courtyard.Parts);
        _hosts.Hv1.Apply(Courtyard.Parts.With(Courtyard.Parts.PortOf("red/red-c") with { IsAdminUp = false }));

        _hosts.Send("red/red-a", AToC()).ShouldBe("hv1 PortDown");
    }

    [Fact]
    public void A_connection_whose_block_went_to_another_host_is_not_adopted()
    {
        _hosts.Send("red/red-c", CToServer());

        _hosts.RestartHv1(BlocksTo(Courtyard.Gw1)).ShouldBe(1);
        _hosts.Hv1.Tables.Connections.Values.ShouldAllBe(e => e.Action.State == ConnectionState.Reply);
    }

    [Fact]
    public void When_a_block_is_revoked_its_flows_end_at_once_and_start_again_with_a_port_that_the_host_owns()
    {
        _hosts.Send("red/red-c", CToServer());
        ushort port = Mapped();
        TopologyParts parts = WithBlocks(
            new NatBlockLease(Courtyard.NatAddress, 1024, 32767, Courtyard.Hv1),
            new NatBlockLease(Courtyard.NatAddress, 32768, 65535, Courtyard.Gw1));
        _hosts.Apply(parts);
        _hosts.Hv1.SlowPath.Counters.TranslationsRevoked.ShouldBe(1ul);

        _hosts.Send("red/red-c", CToServer(flags: TcpFlags.Ack)).ShouldStartWith("provider/isp");
        Frames.Decode(_hosts.Last).SourcePort.ShouldBeInRange((ushort)1024, (ushort)32767);
        port.ShouldBeGreaterThan((ushort)32767);
        Expire();
        _hosts.Hv1.Nat.Expire(_hosts.Now + SlowPathInstalls.HoldDown, 100).ShouldBe(1);
    }

    [Fact]
    public void Without_a_block_nothing_leaves_and_the_old_entry_is_gone()
    {
        _hosts.Send("red/red-c", CToServer());
        _hosts.Apply(BlocksTo(Courtyard.Gw1));

        _hosts.Send("red/red-c", CToServer())
            .ShouldBe("red/red-c: 10.0.2.1 0 > 10.0.2.11 769; hv1 NatPortsExhausted"); // ICMP 3.1, RFC 6888 REQ-11
        _hosts.Hv1.Nat.Count.ShouldBe(0);
    }

    private static TopologyParts BlocksTo(ObjectId host) =>
        WithBlocks(new NatBlockLease(Courtyard.NatAddress, 1024, 65535, host));

    private static TopologyParts WithBlocks(params ImmutableArray<NatBlockLease> blocks)
    {
        Router router = Courtyard.Parts.RouterOf("red/router");
        return Courtyard.Parts.With(router with { SourceNat = router.SourceNat! with { Blocks = blocks } });
    }

    private void Expire()
    {
        _hosts.Now += TimeSpan.FromHours(3);
        _hosts.Hv1.Sweep();
        _hosts.Hv1.Tables.Connections.ShouldBeEmpty();
    }

    private ushort Mapped() =>
        _hosts.Hv1.Tables.Connections.Values.Single(e => e.Action.Rewrites.HasFlag(Rewrites.Source)
            && e.Action.State == ConnectionState.Forward).Action.SourcePort;
}
