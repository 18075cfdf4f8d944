using System;
using System.Collections.Generic;
using System.Linq;
using Genkan.Wire;
using Shouldly;
using static Genkan.Nat.Tests.Tables;

namespace Genkan.Nat.Tests;

/// <summary>RFC 4787 §4, "Network Address and Port Translation Behavior".</summary>
public sealed class Rfc4787Section4
{
    [Fact]
    public void The_mapping_of_an_endpoint_is_the_same_whatever_the_destination()
    {
        NatTable table = Make(new NatBlock(PublicA, 1024, 65_535));

        NatBinding first = table.Bind(Udp(1, 5000, destinationPort: 53));
        NatBinding other = table.Bind(Udp(1, 5000) with { Destination = Ip(192, 0, 2, 9), DestinationPort = 443 });

        other.ShouldBe(first);
        table.Count.ShouldBe(1);
    }

    [Fact]
    public void Pooling_is_paired_all_mappings_of_a_source_have_one_address_over_all_protocols()
    {
        NatTable table = Make(new NatBlock(PublicA, 1024, 2047), new NatBlock(PublicB, 1024, 2047));

        for (int host = 0; host < 50; host++)
        {
            IpAddress address = table.Bind(Udp(host, 1)).PublicAddress;
            foreach (IpProtocol protocol in (IpProtocol[])[IpProtocol.Tcp, IpProtocol.Udp, IpProtocol.Icmp])
                table.Bind(Of(protocol, host, 99)).PublicAddress.ShouldBe(address);
        }
    }

    [Fact]
    public void Sources_spread_over_the_addresses()
    {
        NatTable table = Make(new NatBlock(PublicA, 1024, 2047), new NatBlock(PublicB, 1024, 2047));

        int onA = Enumerable.Range(0, 200).Count(host => table.Bind(Udp(host, 1)).PublicAddress == PublicA);

        onA.ShouldBeInRange(70, 130);
    }

    [Fact]
    public void Ports_are_never_overloaded_and_stay_inside_of_the_blocks_until_all_are_in_use()
    {
        NatTable table = Make(new NatBlock(PublicA, 0, 63), new NatBlock(PublicA, 640, 703));
        HashSet<ushort> ports = [];

        for (int i = 0; i < 127; i++) ports.Add(table.Bind(Udp(i, 5000)).PublicPort).ShouldBeTrue();

        ports.Order().Select(p => (int)p).ShouldBe(Enumerable.Range(1, 63).Concat(Enumerable.Range(640, 64)));
        table.Refusal(Udp(200, 5000)).ShouldBe(NatRefusal.PortsExhausted);
    }

    [Fact]
    public void A_withheld_UDP_port_is_given_to_nobody_and_other_protocols_have_it()
    {
        NatTable table = Make(NatLimits.Default with { WithheldUdpPort = 4_789 }, new NatBlock(PublicA, 4_736, 4_799));

        ushort[] ports = [.. Enumerable.Range(0, 63).Select(host => table.Bind(Udp(host, 1)).PublicPort)];

        ports.ShouldBe(Enumerable.Range(4_736, 64).Where(p => p != 4_789).Select(p => (ushort)p), ignoreOrder: true);
        table.Refusal(Udp(100, 1)).ShouldBe(NatRefusal.PortsExhausted);
        Enumerable.Range(0, 64).Select(host => table.Bind(Of(IpProtocol.Tcp, host, 1)).PublicPort)
            .ShouldContain((ushort)4_789);
    }

    [Fact]
    public void A_withheld_UDP_port_is_not_restored_either()
    {
        NatTable table = Make(NatLimits.Default with { WithheldUdpPort = 4_789 }, new NatBlock(PublicA, 4_736, 4_799));
        NatBinding old = new(Zone, IpProtocol.Udp, Host(1), 1, PublicA, 4_789);

        table.TryRestore(old, default, out NatRefusal refusal).ShouldBeFalse();

        refusal.ShouldBe(NatRefusal.Conflict);
    }

    [Fact]
    public void Transports_and_zones_have_ports_of_their_own()
    {
        NatTable table = Make(new NatBlock(PublicA, 64, 64));
        table.SetBlocks(Zone + 1, [new NatBlock(PublicA, 64, 64)]).ShouldBeEmpty();

        IpProtocol[] protocols = [IpProtocol.Tcp, IpProtocol.Udp, IpProtocol.Icmp, IpProtocol.Icmpv6];
        foreach (IpProtocol protocol in protocols)
        {
            table.Bind(Of(protocol, 1, 9)).PublicPort.ShouldBe((ushort)64);
            table.Bind(Of(protocol, 1, 9) with { Zone = Zone + 1 }).Zone.ShouldBe(Zone + 1);
            table.Refusal(Of(protocol, 2, 9)).ShouldBe(NatRefusal.PortsExhausted);
        }
    }

    [Fact]
    public void A_full_address_turns_its_own_sources_away_and_no_newcomer()
    {
        NatTable table = Make(new NatBlock(PublicA, 64, 64), new NatBlock(PublicB, 64, 127));
        int onA = Enumerable.Range(0, 20).First(host => table.Bind(Udp(host, 1)).PublicAddress == PublicA);

        table.Refusal(Udp(onA, 2)).ShouldBe(NatRefusal.PortsExhausted);
        for (int host = 100; host < 110; host++) table.Bind(Udp(host, 1)).PublicAddress.ShouldBe(PublicB);
    }

    [Fact]
    public void The_ports_chosen_depend_on_the_seed_and_on_nothing_else()
    {
        ushort[] Choose(ulong seed)
        {
            NatTable table = new(NatLimits.Default with { BindingsMax = 64 }, NatTimeouts.Default, seed);
            table.SetBlocks(Zone, [new NatBlock(PublicA, 1024, 65_535)]).ShouldBeEmpty();
            return [.. Enumerable.Range(0, 16).Select(i => table.Bind(Udp(i, 1)).PublicPort)];
        }

        Choose(1).ShouldBe(Choose(1));
        Choose(1).ShouldNotBe(Choose(2));
        Choose(1).Distinct().Count().ShouldBe(16);
    }

    [Fact]
    public void A_return_packet_finds_its_mapping_by_external_tuple_and_no_other_does()
    {
        NatTable table = Make(new NatBlock(PublicA, 1024, 2047));
        NatBinding bound = table.Bind(Udp(1, 5000));

        table.TryFindReturn(Zone, IpProtocol.Udp, PublicA, bound.PublicPort, out NatBinding found).ShouldBeTrue();
        found.ShouldBe(bound);
        table.TryFindReturn(Zone, IpProtocol.Tcp, PublicA, bound.PublicPort, out _).ShouldBeFalse();
        table.TryFindReturn(Zone + 1, IpProtocol.Udp, PublicA, bound.PublicPort, out _).ShouldBeFalse();
        table.TryFindReturn(Zone, IpProtocol.Udp, PublicB, bound.PublicPort, out _).ShouldBeFalse();
        table.TryFindReturn(Zone, IpProtocol.Udp, PublicA, (ushort)(bound.PublicPort ^ 1), out _).ShouldBeFalse();
    }

    [Fact]
    public void A_mapping_without_connection_expires_after_its_protocols_time_since_its_last_packet()
    {
        NatTable table = Make(new NatBlock(PublicA, 1024, 2047));
        NatBinding udp = table.Bind(Udp(1, 1));
        table.Bind(Of(IpProtocol.Tcp, 1, 1));
        table.Bind(Of(IpProtocol.Icmp, 1, 1));
        table.Touch(udp, TimeSpan.FromSeconds(100)).ShouldBeTrue();

        table.Expire(TimeSpan.FromSeconds(59.9), 100).ShouldBe(0);
        table.Expire(TimeSpan.FromSeconds(60), 100).ShouldBe(1);
        table.IsBound(Of(IpProtocol.Icmp, 1, 1)).ShouldBeFalse();
        table.Expire(TimeSpan.FromSeconds(240), 100).ShouldBe(1);
        table.IsBound(Of(IpProtocol.Tcp, 1, 1)).ShouldBeFalse();
        table.Expire(TimeSpan.FromSeconds(399.9), 100).ShouldBe(0);
        table.Expire(TimeSpan.FromSeconds(400), 100).ShouldBe(1);
        table.Count.ShouldBe(0);
        table.Touch(udp, TimeSpan.FromSeconds(400)).ShouldBeFalse();
    }

    [Fact]
    public void Expire_stops_at_its_budget_and_goes_on_with_the_next_call()
    {
        NatTable table = Make(new NatBlock(PublicA, 1024, 2047));
        for (int i = 0; i < 10; i++) table.Bind(Udp(i, 1));

        table.Expire(TimeSpan.FromHours(1), 4).ShouldBe(4);
        table.Count.ShouldBe(6);
        table.Expire(TimeSpan.FromHours(1), 100).ShouldBe(6);
    }
}
