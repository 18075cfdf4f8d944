using System;
using Genkan.Testing;
using Genkan.Wire;
using Shouldly;
using static Genkan.Nat.Tests.Tables;

namespace Genkan.Nat.Tests;

/// <summary>RFC 6888 §3, "Requirements for CGNs", and the table's own limits.</summary>
public sealed class Rfc6888Section3
{
    [Fact]
    public void REQ_4_a_source_past_its_quota_is_refused_and_others_are_not()
    {
        NatTable table = Make(NatLimits.Default with { BindingsPerSourceMax = 3 }, new NatBlock(PublicA, 1024, 2047));
        for (int port = 0; port < 3; port++) table.Bind(Udp(1, port));

        table.Refusal(Udp(1, 3)).ShouldBe(NatRefusal.QuotaReached);
        table.Refusal(Of(IpProtocol.Tcp, 1, 3)).ShouldBe(NatRefusal.QuotaReached);
        table.Bind(Udp(1, 2));
        table.Bind(Udp(2, 3));
    }

    [Fact]
    public void REQ_4_a_port_with_many_addresses_does_not_take_all_ports_from_the_next_one()
    {
        NatTable table = Make(new NatBlock(PublicA, 1024, 2047));

        Flood(table, owner: 1);

        table.Refusal(Udp(1, 100) with { Owner = 1 }).ShouldBe(NatRefusal.QuotaReached);
        for (int port = 0; port < 30; port++) table.Bind(Udp(200, port) with { Owner = 2 });
        for (int port = 0; port < 15; port++) table.Bind(Udp(201, port) with { Owner = 3 });

        table.Expire(TimeSpan.FromDays(1), int.MaxValue);
        table.Bind(Udp(1, 100) with { Owner = 1 });
    }

    [Fact]
    public void A_zone_does_not_take_all_room_in_the_table_from_the_next_one()
    {
        NatTable table = Make(NatLimits.Default with { BindingsMax = 1024 }, new NatBlock(PublicA, 1024, 65535));
        table.SetBlocks(Zone + 1, [new NatBlock(PublicB, 1024, 65535)]);

        Flood(table, owner: 0);

        table.Refusal(Udp(1, 100)).ShouldBe(NatRefusal.QuotaReached);
        for (int port = 0; port < 30; port++) table.Bind(Udp(200, port) with { Zone = Zone + 1 });
    }

    private static void Flood(NatTable table, ulong owner)
    {
        for (int host = 0; host < 128; host++)
        {
            for (int port = 0; port < 64; port++)
                table.TryBind(Udp(host, port) with { Owner = owner }, TimeSpan.Zero, out _, out _);
        }
    }

    [Fact]
    public void A_full_table_refuses_new_mappings_and_keeps_the_old()
    {
        NatTable table = Make(NatLimits.Default with { BindingsMax = 3 }, new NatBlock(PublicA, 1024, 2047));
        for (int host = 0; host < 3; host++) table.Bind(Udp(host, 1));

        table.Refusal(Udp(9, 1)).ShouldBe(NatRefusal.TableFull);
        table.Bind(Udp(2, 1));
        table.Expire(TimeSpan.FromSeconds(300), 1).ShouldBe(1);
        table.Bind(Udp(9, 1));
    }

    [Fact]
    public void REQ_8_the_port_of_a_released_mapping_serves_nobody_else_for_120_seconds()
    {
        NatTable table = Make(new NatBlock(PublicA, 64, 64));
        NatBinding binding = table.Bind(Udp(1, 1));
        table.Retain(binding).ShouldBeTrue();
        table.Retain(binding).ShouldBeTrue();
        table.Expire(TimeSpan.FromDays(1), 10).ShouldBe(0);

        table.Release(binding, TimeSpan.FromDays(1)).ShouldBeTrue();
        table.Expire(TimeSpan.FromDays(2), 10).ShouldBe(0);
        table.Release(binding, TimeSpan.FromDays(2)).ShouldBeTrue();
        table.Release(binding, TimeSpan.FromDays(2)).ShouldBeFalse();

        table.Expire(TimeSpan.FromDays(2) + TimeSpan.FromSeconds(119), 10).ShouldBe(0);
        table.Refusal(Udp(2, 1)).ShouldBe(NatRefusal.PortsExhausted);
        table.Expire(TimeSpan.FromDays(2) + TimeSpan.FromSeconds(120), 10).ShouldBe(1);
        table.Bind(Udp(2, 1)).PublicPort.ShouldBe((ushort)64);
    }

    [Fact]
    public void REQ_8_the_same_endpoint_takes_its_mapping_up_again_while_it_is_held()
    {
        NatTable table = Make(new NatBlock(PublicA, 1024, 2047));
        NatBinding binding = table.Bind(Udp(1, 1));
        table.Retain(binding).ShouldBeTrue();
        table.Release(binding, TimeSpan.FromSeconds(10)).ShouldBeTrue();

        table.Bind(Udp(1, 1), seconds: 100).ShouldBe(binding);

        table.Expire(TimeSpan.FromSeconds(130), 10).ShouldBe(0);
        table.Expire(TimeSpan.FromSeconds(400), 10).ShouldBe(1);
    }

    [Fact]
    public void A_protocol_without_ports_is_refused()
    {
        const IpProtocol gre = (IpProtocol)47;
        NatTable table = Make(new NatBlock(PublicA, 1024, 2047));

        table.Refusal(Of(gre, 1, 0)).ShouldBe(NatRefusal.ProtocolUnsupported);
    }

    [Fact]
    public void A_zone_without_blocks_has_no_ports()
    {
        NatTable table = Make(new NatBlock(PublicA, 1024, 2047));

        table.Refusal(Udp(1, 1) with { Zone = Zone + 1 }).ShouldBe(NatRefusal.PortsExhausted);
    }

    [Fact]
    public void Finding_and_binding_allocate_nothing()
    {
        NatTable table = Make(new NatBlock(PublicA, 1024, 65_535));
        int next = 0;
        Allocation.Of(() =>
        {
            for (int round = 0; round < 10; round++) Use(table, next++);
        }).ShouldBe(0);
    }

    private static void Use(NatTable table, int round)
    {
        TimeSpan now = TimeSpan.FromSeconds(round * 1_000);
        for (int i = 0; i < 100; i++)
        {
            table.TryBind(Udp(i, round), now, out NatBinding binding, out _);
            table.TryFindReturn(Zone, IpProtocol.Udp, binding.PublicAddress, binding.PublicPort, out _);
            table.Retain(binding);
            table.Touch(binding, now);
            table.Release(binding, now);
        }

        table.Expire(now, 1_000);
    }
}
