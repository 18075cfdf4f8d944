using System;
using System.Collections.Generic;
using Genkan.Datapath.Bpf;
using Genkan.Datapath.Layout;
using Genkan.Datapath.Tables;
using Genkan.Overlay.Flows;
using Genkan.Overlay.Simulation;
using Genkan.Overlay.Topology;
using Genkan.Testing.Kernel;
using Shouldly;

namespace Genkan.Datapath.Tests.Tables;

/// <summary>Next hops, deliveries and slots in bare tables, without programs.</summary>
public sealed class NextHops : IDisposable
{
    private static readonly Egress ToPort2 = new(EgressKind.Port, TestHost.Port(2).Id);

    private readonly List<BpfMap> _maps = [];
    private readonly BudgetTable _budgets;
    private readonly PortTable _ports;
    private readonly NextHopTable _nextHops;
    private readonly DeliveryTable _deliveries;
    private readonly BpfMap _nexthop;
    private readonly BpfMap _replication;

    public NextHops()
    {
        Netns.DemandRoot();
        _nexthop = Array("nexthop", 40, 64);
        _replication = Array("replication", 132, 4);
        _budgets = new BudgetTable(Array("budget", 136, LayoutLimits.BudgetMax));
        _ports = new PortTable(Array("ports", 64, LayoutLimits.PortMax), Hash("link", 8, 4), _budgets);
        _nextHops = new NextHopTable(_nexthop, _replication, _ports);
        _deliveries = new DeliveryTable(Array("delivery", 16, LayoutLimits.DeliveryMax), _ports);
        Follow(TestHost.Port(1), TestHost.Port(2), TestHost.Port(3, TestHost.OtherHost));
    }

    public void Dispose()
    {
        _deliveries.Dispose();
        _nextHops.Dispose();
        _ports.Dispose();
        _budgets.Dispose();
        foreach (BpfMap map in _maps) map.Dispose();
    }

    [Fact]
    public void A_way_out_has_one_index_whoever_asks()
    {
        uint index = _nextHops.Of(ToPort2, []);
        index.ShouldNotBe(0u);
        _nextHops.Of(ToPort2, []).ShouldBe(index);
        _nextHops.TryGet(index, out Egress egress).ShouldBeTrue();
        egress.ShouldBe(ToPort2);
        _nextHops.Row(index).Kind.ShouldBe(NexthopKind.Port);
        _nextHops.Row(index).Arg.ShouldBe(_ports.SlotOf(ToPort2.Object));
    }

    [Fact]
    public void A_port_that_moves_to_another_host_is_re_pointed_under_the_same_index()
    {
        uint index = _nextHops.Of(ToPort2, []);
        VirtualPort moved = TestHost.Port(2, TestHost.OtherHost);

        Follow(TestHost.Port(1), moved);

        NexthopEntry row = _nextHops.Row(index);
        row.Kind.ShouldBe(NexthopKind.Tunnel);
        row.Peer.ToAddress(isIpv4: true).ShouldBe(TestHost.OtherHost.UnderlayAddress);
        row.TunnelKey.ShouldBe(
            DeliveryKey.Of(DeliveryKind.Port, moved.Id, TestHost.OtherHost.Id, HostPlan.BindingOf(moved)).Value);
        _nextHops.Of(ToPort2, []).ShouldBe(index);
    }

    [Fact]
    public void A_port_that_is_gone_drops_with_its_reason_and_keeps_its_index_from_others()
    {
        uint index = _nextHops.Of(ToPort2, []);
        Follow(TestHost.Port(1));

        _nextHops.Row(index).Kind.ShouldBe(NexthopKind.None);
        _nextHops.Row(index).DropReason.ShouldBe(DropReason.PortDown);
        _nextHops.Of(ToPort2, []).ShouldBe(0u);
        _nextHops.Of(new Egress(EgressKind.Port, TestHost.Port(1).Id), []).ShouldNotBe(index);
    }

    [Fact]
    public void Copies_to_the_same_targets_share_one_list_and_lists_have_a_limit()
    {
        Egress[] all =
        [
            new(EgressKind.Port, TestHost.Port(1).Id),
            ToPort2,
            new(EgressKind.Flood, TestHost.Bridge.Id, TestHost.OtherHost.Id),
        ];
        Egress copies = new(EgressKind.Replicate, TestHost.Bridge.Id);
        uint list = _nextHops.Of(copies, all);
        list.ShouldNotBe(0u);
        _nextHops.Of(copies, all).ShouldBe(list);

        _nextHops.Of(copies, all.AsSpan(0, 1)).ShouldNotBe(0u);
        _nextHops.Of(copies, all.AsSpan(1, 1)).ShouldNotBe(0u);
        _nextHops.Of(copies, all.AsSpan(1, 2)).ShouldNotBe(0u);
        _nextHops.Of(copies, all.AsSpan(0, 2)).ShouldBe(0u); // the table of this test has four
        _nextHops.CollectUsed = used => used.Add(list);
        _nextHops.IsReclaimWanted.ShouldBeTrue();
        _nextHops.Reclaim(); // three lists that no flow uses are taken back
        uint reused = _nextHops.Of(copies, all.AsSpan(0, 2));
        reused.ShouldNotBe(0u);
        _nextHops.Of(copies, all).ShouldBe(list);
    }

    [Fact]
    public void A_new_agent_finds_next_hops_and_lists_by_their_content()
    {
        Egress[] both = [new(EgressKind.Port, TestHost.Port(1).Id), ToPort2];
        Egress copies = new(EgressKind.Replicate, TestHost.Bridge.Id);
        uint list = _nextHops.Of(copies, both);
        uint port = _nextHops.Of(ToPort2, []);
        uint remote = _nextHops.Of(new Egress(EgressKind.Port, TestHost.Port(3).Id), []);

        using NextHopTable second = new(_nexthop, _replication, _ports);
        second.Apply(Plan(TestHost.Port(1), TestHost.Port(2))); // port 3 is gone
        HashSet<uint> dead = second.FinishAdoption();

        dead.ShouldBe([remote]);
        second.Of(ToPort2, []).ShouldBe(port);
        second.Of(copies, both).ShouldBe(list);
        second.TryGet(port, out _).ShouldBeTrue();
    }

    [Fact]
    public void Every_port_and_flood_of_this_host_can_be_delivered_to_and_nothing_else()
    {
        VirtualPort port = TestHost.Port(1);
        DeliveryKey key = DeliveryKey.Of(DeliveryKind.Port, port.Id, TestHost.Host.Id, HostPlan.BindingOf(port));
        DeliveryKey flood = DeliveryKey.Of(DeliveryKind.Flood, TestHost.Bridge.Id, TestHost.Host.Id, ObjectId.None);

        _deliveries.Count.ShouldBe(3); // two ports, one bridge
        DeliveryEntry row = _deliveries.Row(key.Slot);
        (row.Kind, row.Generation, row.Arg).ShouldBe((DeliveryKind.Port, key.Generation, _ports.SlotOf(port.Id)));
        _deliveries.Row(flood.Slot).Kind.ShouldBe(DeliveryKind.Flood);

        Follow(TestHost.Port(2));
        _deliveries.Row(key.Slot).Kind.ShouldBe(DeliveryKind.None);
        _deliveries.Count.ShouldBe(2);
    }

    private static HostPlan Plan(params VirtualPort[] ports) => new(TestHost.Topology(ports));

    private void Follow(params VirtualPort[] ports)
    {
        HostPlan plan = Plan(ports);
        _budgets.Begin();
        _ports.Allocate(plan, _ => { }, _ => { });
        _ports.Write(plan, new NoInterfaces(), new Dictionary<ObjectId, UplinkDevice>());
        _nextHops.Apply(plan);
        _deliveries.Write(plan);
        _deliveries.Commit();
        _ports.Release();
    }

    private BpfMap Array(string name, uint valueSize, uint count) =>
        Keep(new BpfMapSpec(name, BpfMapType.Array, sizeof(uint), valueSize, count, BpfMapFlags.Mmapable));

    private BpfMap Hash(string name, uint keySize, uint valueSize) =>
        Keep(new BpfMapSpec(name, BpfMapType.Hash, keySize, valueSize, 64));

    private BpfMap Keep(in BpfMapSpec spec)
    {
        BpfMap map = BpfMap.Create(spec);
        _maps.Add(map);
        return map;
    }

    private sealed class NoInterfaces : IInterfaces
    {
        public bool TryGet(string name, out InterfaceState state)
        {
            state = default;
            return false;
        }
    }
}
