using System;
using System.Diagnostics;
using System.IO;
using System.Linq;
using Genkan.Datapath.Netlink;
using Genkan.Datapath.Tables;
using Genkan.Overlay.Flows;
using Genkan.Overlay.Simulation;
using Genkan.Overlay.Topology;
using Genkan.Wire;
using Shouldly;

namespace Genkan.Datapath.Tests.Tables;

/// <summary>A host's data plane on the real kernel, its flows installed by hand.</summary>
public sealed class OneHost : IDisposable
{
    private readonly TestHost _host = new();

    public OneHost()
    {
        _host.AddVm(1);
        _host.AddVm(2);
    }

    public void Dispose() => _host.Dispose();

    [Fact]
    public void Two_VMs_ping_each_other_and_move_segments_whole_by_class_entries()
    {
        using KernelDatapath datapath = Bring();
        Connect(datapath, 1, 2);

        _host.Execute(1, "ping", "-c", "3", "-i", "0.05", "-W", "2", TestHost.AddressOf(2).ToString()).Output
            .ShouldContain("3 received");
        _host.Execute(1, "ping", "-c", "3", "-i", "0.05", "-W", "2", TestHost.Address6Of(2).ToString()).Output
            .ShouldContain("3 received");
        using Process server = _host.Start(2, "iperf3", "-s", "-1", "--forceflush");
        server.StandardOutput.ReadLine(); // its banner: it listens
        server.StandardOutput.ReadLine();
        (int exitCode, string output) =
            _host.Execute(1, "iperf3", "-c", TestHost.AddressOf(2).ToString(), "-n", "100M");
        exitCode.ShouldBe(0, output);
        server.WaitForExit();

        datapath.TryGetSlot(TestHost.Port(1).Id, out uint slot).ShouldBeTrue();
        PortStatistics statistics = datapath.ReadPortStatistics(slot);
        statistics.RxOctets.ShouldBeGreaterThan(100_000_000UL);
        datapath.Faults.ShouldBeEmpty();
    }

    [Fact]
    public void The_first_packet_comes_up_and_goes_on_after_install_and_inject()
    {
        using KernelDatapath datapath = Bring();
        using Process ping =
            _host.Start(1, "ping", "-c", "3", "-i", "0.1", "-W", "3", TestHost.AddressOf(2).ToString());
        int upcallCount = 0;

        while (!ping.HasExited)
        {
            while (datapath.Upcalls.TryRead(out UpcallFrame upcall))
            {
                PacketHeader.TryDecode(upcall.Frame, out PacketHeader header).ShouldBe(PacketFault.None);
                if (header.Protocol != IpProtocol.Icmp) continue;
                upcallCount++;
                Install(datapath, upcall.Upcall.Slot, header).ShouldBe(InstallOutcome.Installed);
                datapath.Inject(upcall.Upcall.Slot, upcall.Frame, upcall.Upcall.Offload);
            }

            datapath.Flush();
            datapath.Upcalls.Wait(TimeSpan.FromMilliseconds(20));
        }

        TestHost.Finish(ping).Output.ShouldContain("3 received");
        upcallCount.ShouldBe(2); // one a direction
        FlowEntry[] entries = new FlowEntry[64];
        ulong cursor = 0;
        int count = datapath.Scan(entries, ref cursor);
        count.ShouldBe(2);
        entries[..count].ShouldAllBe(e => e.Packets == 3);
    }

    [Fact]
    public void A_new_agent_takes_over_slots_next_hops_and_flows_and_no_packet_is_lost()
    {
        KernelDatapath first = Bring();
        Connect(first, 1, 2);
        first.TryGetSlot(TestHost.Port(1).Id, out uint slot).ShouldBeTrue();
        uint nextHop = first.NextHop(new Egress(EgressKind.Port, TestHost.Port(2).Id), []);
        FlowKey key = Key(slot, 1, 2);
        first.Install(key, Forward(nextHop)).ShouldBe(InstallOutcome.Installed);
        using Process ping =
            _host.Start(1, "ping", "-c", "200", "-i", "0.01", "-W", "2", TestHost.AddressOf(2).ToString());
        for (int i = 0; i < 5; i++) ping.StandardOutput.ReadLine();

        first.Dispose();
        using KernelDatapath second = Bring();

        TestHost.Finish(ping).Output.ShouldContain("200 received");
        second.IsAdopted.ShouldBeTrue();
        second.TryGetSlot(TestHost.Port(1).Id, out uint slotAfter).ShouldBeTrue();
        slotAfter.ShouldBe(slot);
        second.NextHop(new Egress(EgressKind.Port, TestHost.Port(2).Id), []).ShouldBe(nextHop);
        second.TryFind(key, out FlowEntry entry).ShouldBeTrue();
        entry.Action.NextHop.ShouldBe(nextHop);
    }

    [Fact]
    public void After_adoption_nothing_remains_that_the_topology_does_not_name()
    {
        KernelDatapath first = Bring();
        first.TryGetSlot(TestHost.Port(2).Id, out uint gone).ShouldBeTrue();
        first.TryGetSlot(TestHost.Port(1).Id, out uint kept).ShouldBeTrue();
        uint toGone = first.NextHop(new Egress(EgressKind.Port, TestHost.Port(2).Id), []);
        first.Install(Key(gone, 2, 1), Forward(toGone));
        first.Install(Key(kept, 1, 2), Forward(toGone));
        first.Dispose();

        using KernelDatapath second = _host.StartDatapath();
        _host.Run(() => second.Apply(TestHost.Topology(TestHost.Port(1))));

        second.TryFind(Key(gone, 2, 1), out _).ShouldBeFalse();
        second.TryFind(Key(kept, 1, 2), out _).ShouldBeFalse();
        second.TryGetSlot(TestHost.Port(2).Id, out _).ShouldBeFalse();
        second.TryGetNextHop(toGone, out _).ShouldBeFalse();
        second.ReadOccupancy().Single(t => t.Table == "link").Entries.ShouldBe(1);
    }

    [Fact]
    public void The_shortest_way_of_all_is_what_no_packet_has_to_ask_about()
    {
        using KernelDatapath datapath = Bring();
        datapath.MtuAlways.ShouldBe(0, "all carry 1,280");
        datapath.SetPeerMtu(TestHost.OtherHost.UnderlayAddress, 1290); // less 50 of the tunnel's headers
        datapath.MtuAlways.ShouldBe(1240);
        Bridge narrow =
            TestHost.Bridge with { Id = ObjectId.Of("network", "red/narrow"), Name = "red/narrow", Mtu = 700 };
        TopologyParts parts = TestHost.Topology(TestHost.Port(1), TestHost.Port(2)).Parts;

        _host.Run(() => datapath.Apply(TestHost.Topology(parts with { Bridges = [.. parts.Bridges, narrow] })));
        datapath.MtuAlways.ShouldBe(700, "of a network that is nowhere bound here, but may be routed to");
        _host.Run(() =>
        {
            using RouteSocket netlink = new();
            netlink.SetLink(
                netlink.FindLink(TestHost.InterfaceOf(1))!.Ifindex, new LinkSettings { MtuOctets = 600 });
            datapath.FollowLinks();
        });
        datapath.MtuAlways.ShouldBe(600);
        _host.Run(() => datapath.Apply(TestHost.Topology(parts)));
        datapath.SetPeerMtu(TestHost.OtherHost.UnderlayAddress, 1600);
        datapath.MtuAlways.ShouldBe(600, "the interface still is");
    }

    [Fact]
    public void Drops_that_the_agent_decided_are_counted_on_where_the_one_before_left_off()
    {
        KernelDatapath first = Bring();
        first.TryGetSlot(TestHost.Port(1).Id, out uint slot).ShouldBeTrue();
        first.CountDrop(slot, DropReason.SecurityGroup);
        first.Workers[0].CountDrop(slot, DropReason.SecurityGroup);
        first.CountDrop(uint.MaxValue, DropReason.PortUnknown);
        first.Dispose();

        using (KernelDatapath second = Bring())
        {
            second.Workers[0].CountDrop(slot, DropReason.SecurityGroup);
            second.ReadPortStatistics(slot).Drops.ShouldBe([new DropCount(DropReason.SecurityGroup, 3)]);
            second.ReadPortStatistics(0).Drops.ShouldBe([new DropCount(DropReason.PortUnknown, 1)]);
            _host.Run(() => second.Apply(TestHost.Topology(TestHost.Port(2))));
        }

        using KernelDatapath third = _host.StartDatapath();
        _host.Run(() => third.Apply(TestHost.Topology(TestHost.Port(2), TestHost.Port(3))));
        third.TryGetSlot(TestHost.Port(3).Id, out uint reused).ShouldBeTrue();
        reused.ShouldBe(slot);
        third.ReadPortStatistics(reused).Drops.ShouldBeEmpty("its slot was another's");
    }

    [Fact]
    public void A_second_agent_on_the_same_host_is_told_who_runs()
    {
        using KernelDatapath first = Bring();
        DatapathException fault = Should.Throw<DatapathException>(() => _host.StartDatapath());
        fault.Message.ShouldContain("already runs on this host");
    }

    [Fact]
    public void A_port_whose_interface_is_missing_is_bound_when_it_appears()
    {
        using KernelDatapath datapath = _host.StartDatapath();
        _host.Run(() => datapath.Apply(TestHost.Topology(TestHost.Port(1), TestHost.Port(2), TestHost.Port(3))));
        datapath.Faults.ShouldHaveSingleItem().ShouldContain("vm3");
        Connect(datapath, 1, 3);

        _host.AddVm(3);
        _host.Run(() => datapath.FollowLinks()).ShouldBeTrue();

        datapath.Faults.ShouldBeEmpty();
        _host.Execute(1, "ping", "-c", "2", "-i", "0.05", "-W", "2", TestHost.AddressOf(3).ToString()).Output
            .ShouldContain("2 received");
        _host.RemoveVm(3);
        _host.Run(() => datapath.FollowLinks()).ShouldBeTrue();
        datapath.Faults.ShouldHaveSingleItem().ShouldContain("vm3");
    }

    [Fact]
    public void A_flow_simulated_before_a_bump_is_refused()
    {
        using KernelDatapath datapath = Bring();
        datapath.TryGetSlot(TestHost.Port(1).Id, out uint slot).ShouldBeTrue();
        FlowAction action = Forward(1);
        action.Stamp = datapath.Stamp(5);
        datapath.Bump(5, isHard: true);

        datapath.Install(Key(slot, 1, 2), action).ShouldBe(InstallOutcome.Stale);
        action.Stamp = datapath.Stamp(5);
        datapath.Install(Key(slot, 1, 2), action).ShouldBe(InstallOutcome.Installed);
    }

    [Fact]
    public void A_full_table_says_so()
    {
        using KernelDatapath datapath = Bring();
        FlowKey key = Key(1, 1, 2);
        InstallOutcome outcome = InstallOutcome.Installed;
        uint installed = 0;
        for (; outcome == InstallOutcome.Installed; installed++)
        {
            key = key with { SourcePort = (ushort)installed, DestinationPort = (ushort)(installed >> 16) };
            outcome = datapath.Install(key, Forward(1));
        }

        outcome.ShouldBe(InstallOutcome.Full);
        installed.ShouldBeGreaterThan(TableSizes.Small.Conn4 - 1);
    }

    [Fact]
    public void Removing_the_host_leaves_neither_pins_nor_devices()
    {
        Bring().Dispose();
        _host.Run(() => KernelDatapath.Remove(_host.Options));

        Directory.Exists(Path.Combine(_host.Options.PinRoot, "h1")).ShouldBeFalse();
        _host.Run(() =>
        {
            using RouteSocket netlink = new();
            netlink.ListLinks().Where(l => l.Name.StartsWith("gk-", StringComparison.Ordinal)).ShouldBeEmpty();
        });
    }

    private static FlowAction Forward(uint nextHop) => new()
    {
        Verdict = FlowVerdict.Forward,
        State = ConnectionState.Forward,
        NextHop = nextHop,
    };

    private static FlowKey Key(uint slot, int from, int to) => new(
        slot,
        TestHost.AddressOf(from),
        TestHost.AddressOf(to),
        IpProtocol.Tcp,
        1000,
        80,
        FragmentKind.None,
        TestHost.MacOf(to),
        TestHost.MacOf(from));

    private static InstallOutcome Install(KernelDatapath datapath, uint slot, in PacketHeader header)
    {
        VirtualPort target = header.Destination == TestHost.AddressOf(2) ? TestHost.Port(2) : TestHost.Port(1);
        uint nextHop = datapath.NextHop(new Egress(EgressKind.Port, target.Id), []);
        return datapath.Install(FlowKey.Of(slot, header, isL3: false), Forward(nextHop));
    }

    // Everything of IPv4 and IPv6 between two MACs, both ways.
    private static void Connect(KernelDatapath datapath, int a, int b)
    {
        foreach ((int from, int to) in new[] { (a, b), (b, a) })
        {
            datapath.TryGetSlot(TestHost.Port(from).Id, out uint slot).ShouldBeTrue();
            uint nextHop = datapath.NextHop(new Egress(EgressKind.Port, TestHost.Port(to).Id), []);
            nextHop.ShouldNotBe(0u);
            foreach (EtherType etherType in new[] { EtherType.Ipv4, EtherType.Ipv6 })
            {
                datapath.InstallClass(FlowMask.L2, (ushort)etherType, Key(slot, from, to), Forward(nextHop))
                    .ShouldBe(InstallOutcome.Installed);
            }
        }
    }

    private KernelDatapath Bring()
    {
        KernelDatapath datapath = _host.StartDatapath();
        _host.Run(() => datapath.Apply(TestHost.Topology(TestHost.Port(1), TestHost.Port(2))));
        datapath.Faults.ShouldBeEmpty();
        return datapath;
    }
}
