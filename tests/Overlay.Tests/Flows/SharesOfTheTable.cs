using System;
using System.Collections.Generic;
using System.Linq;
using Genkan.Overlay.Flows;
using Genkan.Overlay.Tests.Fixtures;
using Genkan.Overlay.Topology;
using Genkan.Wire;
using Shouldly;
using static Genkan.Overlay.Tests.Flows.FlowFrames;

namespace Genkan.Overlay.Tests.Flows;

/// <summary>Who may hold how much of the connection table (decision 0013): nobody fills it, nor do all
/// together.</summary>
public sealed class SharesOfTheTable
{
    private const int Room = 96;

    private readonly TwoHosts _hosts = new();

    [Fact]
    public void A_tenant_s_ports_hold_three_fifths_together_and_another_tenant_still_opens_connections()
    {
        _hosts.Hv1.Tables.ConnectionsMax = Room;
        _hosts.Hv1.Sweep(); // shares of that
        FloodAndSweep("red/red-a", AToC).ShouldBeInRange((Room * 3 / 7) - 3, (Room * 3 / 7) + 3);
        FloodAndSweep("red/red-c", CToB).ShouldBeInRange((Room * 3 / 5) - 3, (Room * 3 / 5) + 3);

        FloodOf("blue/blue-a", Ping).ShouldBeGreaterThanOrEqualTo(Room / 8);
        _hosts.Hv1.Tables.Drops.ShouldNotContainKey(DropReason.ConnTableFull);
    }

    [Fact]
    public void However_many_ports_a_tenant_has_they_leave_as_much()
    {
        TableDatapath tables = new(capacity: 16_384);
        ConnectionQuota quota = new(tables); // without a topology: all ports are in one account
        int taken = 0;
        for (uint slot = 1; slot <= 100; slot++)
        {
            FlowKey key = FlowKey.Of(slot, Frames.Decode(AToC()), isL3: false);
            while (quota.TryTake(key, count: 1)) taken++;
        }

        taken.ShouldBeInRange((tables.ConnectionsMax / 2) - 1, tables.ConnectionsMax / 2); // the first pass
    }

    [Fact]
    public void Addresses_that_the_outside_floods_leave_the_others_a_few_connections_each()
    {
        _hosts.Gw1.Tables.ConnectionsMax = 16_384;
        ConnectionQuota quota = new(_hosts.Gw1.Tables);
        foreach (string flooded in (string[])["198.51.100.20", "198.51.100.21", "198.51.100.22"]) Open(flooded);

        for (int other = 30; other < 60; other++) Open($"198.51.100.{other}").ShouldBeGreaterThan(32);

        int Open(string address)
        {
            int count = 0;
            while (quota.TryTake(To(address, (ushort)count), count: 1)) count++;
            return count;
        }

        FlowKey To(string address, ushort port) => FlowKey.Of(
            _hosts.Gw1.Slot("provider/isp"),
            Frames.Decode(Frames.Tcp(Veth, Isp, Server, address, port, 80)),
            isL3: true);
    }

    [Fact]
    public void What_other_hosts_deliver_counts_as_one_tenant_s_and_leaves_room_pass_after_pass()
    {
        _hosts.Hv1.Tables.ConnectionsMax = Room;
        _hosts.Hv1.Sweep();
        for (int pass = 0; pass < 8; pass++)
        {
            // red-b stands on the other host: to red-a and to red-c, each of which may have half of the table.
            for (ushort port = 1; port <= Room; port++)
            {
                _hosts.Send("red/red-b", BToA((ushort)(port + (pass * Room))));
                _hosts.Send("red/red-b", BToC((ushort)(port + (pass * Room))));
            }

            _hosts.Hv1.Tables.Connections.Count.ShouldBeLessThanOrEqualTo(Room * 2 / 3, $"pass {pass}");
            _hosts.Hv1.Sweep();
        }

        _hosts.Hv1.Tables.Connections.Count.ShouldBeGreaterThanOrEqualTo((Room * 2 / 3) - 3);
        _hosts.Hv1.Tables.Drops.ShouldContainKey(DropReason.FlowQuota);
        FloodOf("blue/blue-a", Ping).ShouldBeInRange(Room / 8, (Room / 6) + 2);
        _hosts.Hv1.Tables.Drops.ShouldNotContainKey(DropReason.ConnTableFull);
    }

    [Fact]
    public void What_the_kernel_had_no_room_for_uses_no_share()
    {
        _hosts.Hv1.Tables.ConnectionsMax = Room;
        _hosts.Hv1.Sweep(); // shares of that
        Occupy(Room); // by deliveries, which the agent counts at the next pass
        for (ushort port = 1; port <= Room; port++)
            _hosts.Send("red/red-a", AToC(port)).ShouldBe("hv1 ConnTableFull");

        _hosts.Hv1.Tables.Connections.Clear();
        _hosts.Send("red/red-a", AToC(1)).ShouldStartWith("red/red-c");
    }

    [Fact]
    public void After_the_flood_has_ended_all_of_it_is_to_be_had_again()
    {
        _hosts.Hv1.Tables.ConnectionsMax = Room;
        _hosts.Hv1.Sweep(); // shares of that
        FloodOf("red/red-a", AToC);
        _hosts.Hv1.Sweep();
        _hosts.Now += FlowTimeouts.Unanswered; // nobody had answered
        _hosts.Hv1.Sweep();

        _hosts.Hv1.Sweep(); // one that met an answer before the question that took it along counted it still
        _hosts.Hv1.Tables.Connections.ShouldBeEmpty();
        FloodOf("red/red-c", CToB).ShouldBeInRange((Room * 3 / 8) - 1, Room * 3 / 8);
    }

    [Fact]
    public void Where_the_class_table_is_full_an_exact_entry_takes_its_place_and_counts_in_its_port_s_share()
    {
        _hosts.Apply(Unwatched());
        _hosts.Hv1.Tables.ClassesMax = 1;
        _hosts.Hv1.Tables.ConnectionsMax = Room;
        _hosts.Hv1.Sweep(); // shares of that
        _hosts.Send("red/red-a", AToC()).ShouldStartWith("red/red-c");
        _hosts.Hv1.Tables.Classes.Count.ShouldBe(1);

        _hosts.Send("red/red-c", CToA()).ShouldStartWith("red/red-a");
        _hosts.Hv1.Tables.Classes.Count.ShouldBe(1);
        _hosts.Hv1.Tables.Connections.Count.ShouldBe(1);
        FloodOf("red/red-c", port => CToA(port)).ShouldBeInRange((Room * 3 / 8) - 3, Room * 3 / 8);
    }

    [Fact]
    public void Drop_verdicts_hold_at_most_a_quarter_of_a_small_table()
    {
        TableDatapath tables = new(capacity: 1024);
        ConnectionQuota quota = new(tables);
        List<int> taken = [];
        for (uint slot = 1; slot <= 8; slot++)
        {
            FlowKey key = FlowKey.Of(slot, Frames.Decode(AToC()), isL3: false);
            int ofPort = 0;
            while (quota.TryTakeNegative(key)) ofPort++;
            taken.Add(ofPort);
        }

        taken.ShouldBe([64, 64, 64, 64, 0, 0, 0, 0]);
    }

    [Fact]
    public void What_a_port_and_its_tenant_hold_is_shown_of_each_family_for_itself()
    {
        _hosts.Hv1.Tables.ConnectionsMax = Room;
        _hosts.Hv1.Sweep(); // shares of that
        FloodOf("red/red-a", AToC);

        QuotaUses port = _hosts.Hv1.SlowPath.Quota.OfPort(_hosts.Hv1.Slot("red/red-a"));
        (port.Ipv4.Flows + 2).ShouldBeGreaterThan(port.Ipv4.FlowsMax); // one more, with its answer, was refused
        port.Ipv6.ShouldBe(new QuotaUse(0, Room * 3 / 4)); // a quarter is kept for deliveries
        _hosts.Hv1.SlowPath.Quota.OfTenant("red").ShouldBe(new QuotaUses(
            new QuotaUse(port.Ipv4.Flows, 2 * port.Ipv4.FlowsMax), new QuotaUse(0, 2 * port.Ipv6.FlowsMax)));
    }

    [Fact]
    public void What_other_hosts_hold_is_shown_with_the_ports_that_they_open_connections_to()
    {
        _hosts.Hv1.Tables.ConnectionsMax = Room;
        _hosts.Hv1.Sweep(); // shares of that
        for (ushort pass = 0; pass < 8; pass++)
        {
            for (ushort port = 1; port <= Room; port++) _hosts.Send("red/red-b", BToA((ushort)(port + (pass * Room))));
            _hosts.Hv1.Sweep();
        }

        ConnectionQuota quota = _hosts.Hv1.SlowPath.Quota;
        uint slot = _hosts.Hv1.Slot("red/red-a");
        int there = _hosts.Hv1.Tables.Connections.Count;
        there.ShouldBeGreaterThan(Room / 3);
        quota.OfDeliveries().Ipv4.Flows.ShouldBe(there);
        quota.OfDeliveries().Ipv4.FlowsMax.ShouldBeInRange(there, Room);
        quota.OfDeliveries().Ipv6.Flows.ShouldBe(0);
        (quota.AnswersOfPort(slot), quota.OfPort(slot).Ipv4.Flows).ShouldBe((there, 0));
    }

    [Fact]
    public void What_comes_from_outside_is_shown_by_address_and_in_all()
    {
        ConnectionQuota quota = _hosts.Gw1.SlowPath.Quota;
        uint slot = _hosts.Gw1.Slot("provider/isp");
        foreach (string address in new[] { "198.51.100.20", "198.51.100.21" })
        {
            FlowKey key = FlowKey.Of(slot, Frames.Decode(ServerTo(address, 80)), isL3: true);
            for (int i = 0; i < 5; i++) quota.TryTake(key, count: 1).ShouldBeTrue();
        }

        quota.OfOutside().Ipv4.Flows.ShouldBe(10);
        quota.OfAddress(IpAddress.Parse("198.51.100.21")).Ipv4.Flows.ShouldBe(5);
        quota.OfOutside().Ipv4.FlowsMax.ShouldBe(
            2 * quota.OfAddress(IpAddress.Parse("198.51.100.21")).Ipv4.FlowsMax);
        quota.OfOutside().Ipv6.Flows.ShouldBe(0);
    }

    [Fact]
    public void A_quota_that_has_shrunk_to_nothing_is_shown_as_one_since_whoever_has_nothing_may_try_one()
    {
        TableDatapath tables = new(capacity: 0);

        new ConnectionQuota(tables).OfPort(1).ShouldBe(new QuotaUses(new QuotaUse(0, 1), new QuotaUse(0, 1)));
    }

    // Each pass of the sweep frees what it had kept for deliveries. Gives the entries that are there in the end.
    private int FloodAndSweep(string port, Func<ushort, ushort, TcpFlags, byte[]> frame)
    {
        for (ushort pass = 0; pass < 8; pass++)
        {
            FloodOf(port, source => frame((ushort)(source + (pass * 10 * Room)), 80, TcpFlags.Syn));
            _hosts.Hv1.Sweep();
        }

        return _hosts.Hv1.Tables.Connections.Count;
    }

    private int FloodAndSweep(string port, Func<ushort, TcpFlags, byte[]> frame) =>
        FloodAndSweep(port, (source, _, flags) => frame(source, flags));

    // Sends until a connection is refused for its share; gives the entries that it added.
    private int FloodOf(string port, Func<ushort, TcpFlags, byte[]> frame) =>
        FloodOf(port, source => frame(source, TcpFlags.Syn));

    private int FloodOf(string port, Func<ushort, ushort, TcpFlags, byte[]> frame) =>
        FloodOf(port, source => frame(source, 80, TcpFlags.Syn));

    private int FloodOf(string port, Func<ushort, byte[]> frame)
    {
        int before = _hosts.Hv1.Tables.Connections.Count;
        for (ushort source = 1; source < 10 * Room; source++)
        {
            if (_hosts.Send(port, frame(source)) == "hv1 FlowQuota")
                return _hosts.Hv1.Tables.Connections.Count - before;
        }

        throw new Xunit.Sdk.XunitException($"{port} was never refused");
    }

    private void Occupy(int count)
    {
        for (ushort i = 0; i < count; i++)
        {
            FlowKey answer = new(
                99, IpAddress.Parse("192.0.2.1"), IpAddress.Parse("192.0.2.2"), IpProtocol.Udp, i, 7,
                FragmentKind.None, default, default);
            _hosts.Hv1.Tables.Install(answer, default).ShouldBe(InstallOutcome.Installed);
        }
    }

    private static byte[] BToC(ushort port) => Frames.Tcp(Router1, B, "10.0.1.12", "10.0.2.11", port, 80);

    private static byte[] Ping(ushort id)
    {
        FrameWriter writer = Frames.Begin(
            out byte[] buffer, Courtyard.Mac("blue/blue-b"), Courtyard.Mac("blue/blue-a"), "10.0.1.11", "10.0.1.13",
            IpProtocol.Icmp);
        writer.Icmp((byte)IcmpType.Echo, 0, ((uint)id << 16) | 1);
        return buffer[..writer.Finish()];
    }

    private static TopologyParts Unwatched() => new[] { "red/red-a", "red/red-c" }
        .Select(static port => Courtyard.Parts.PortOf(port) with
        {
            FromPort = default,
            ToPort = default,
            PortSecurity = false,
        })
        .Aggregate(Courtyard.Parts, static (parts, port) => parts.With(port))
        .With(Courtyard.Parts.RouterOf("red/router") with { FloatingIps = [], SourceNat = null, PortForwards = [] });
}
