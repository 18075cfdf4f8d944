using Genkan.Datapath.Layout;
using Genkan.Overlay.Flows;
using Shouldly;

namespace Genkan.Datapath.Tests.Programs;

/// <summary>Budgets below totals, what they cost, and what a flood over one leaves alone.</summary>
[Collection(ProgramMachine.Collection)]
public sealed class BudgetTests
{
    private const int In = 1;
    private const int Other = 2;
    private const int Tenant = LayoutLimits.BudgetTotalAt + 1;
    private const int Host = LayoutLimits.BudgetTotalAt;
    private const ulong Never = 1_000_000_000_000;

    private readonly ProgramMachine _machine;

    public BudgetTests(ProgramMachine machine)
    {
        _machine = machine;
        machine.Reset();
        machine.Link(In);
        machine.Port(In) = new PortEntry { Kind = PortKind.Tenant, Ifindex = 1, KeyPort = In, Budget = In };
        machine.Budget(In).Parent = Tenant;
        machine.Budget(Other).Parent = Tenant;
        machine.Budget(Tenant).Parent = Host;
    }

    [Fact]
    public void Two_ports_within_their_budgets_share_their_tenant_s_total_and_the_refused_is_counted_under_both()
    {
        _machine.Budget(Tenant).IntervalNs = Never;
        _machine.Budget(Tenant).BurstNs = Never;

        _machine.Run("from_port", Frames.Udp(from: 1)).Outcome.ShouldBe(Outcome.Upcall);
        _machine.Port(In).Budget = Other;
        _machine.Run("from_port", Frames.Udp(from: 2)).Outcome.ShouldBe(Outcome.Upcall);
        _machine.Run("from_port", Frames.Udp(from: 3)).Reason.ShouldBe(DropReason.BudgetTenant);

        _machine.Drops(In, DropReason.BudgetTenant).ShouldBe(1ul);
        (_machine.Budget(Tenant).Admitted, _machine.Budget(Tenant).Refused).ShouldBe((2ul, 1ul));
        _machine.Budget(Host).Admitted.ShouldBe(2ul);
    }

    [Theory]
    [InlineData(Tenant)]
    [InlineData(Host)]
    public void What_a_total_refuses_is_not_paid_for_below_it(int total)
    {
        _machine.Budget(In).IntervalNs = Never;
        _machine.Budget(total).IntervalNs = Never;
        _machine.Budget(total).ArrivalNs = ulong.MaxValue / 2;

        _machine.Run("from_port", Frames.Udp(from: 1)).Reason.ShouldBe(DropReason.BudgetTenant);
        _machine.Run("from_port", Frames.Udp(from: 2)).Reason.ShouldBe(DropReason.BudgetTenant);
        _machine.Budget(total).IntervalNs = 0;

        _machine.Run("from_port", Frames.Udp(from: 3)).Outcome.ShouldBe(Outcome.Upcall, "it had one unit all along");
        _machine.Run("from_port", Frames.Udp(from: 4)).Reason.ShouldBe(DropReason.BudgetPort);
        (_machine.Budget(In).Refused, _machine.Budget(total).Refused).ShouldBe((1ul, 2ul));
    }

    [Fact]
    public void The_host_s_total_of_control_packets_stands_above_all_tenants()
    {
        _machine.Budget(Host).ControlIntervalNs = Never;

        _machine.Run("from_port", Frames.Udp(from: 68, to: 67)).Outcome.ShouldBe(Outcome.Upcall);
        _machine.Run("from_port", Frames.Udp(from: 68, to: 67)).Reason.ShouldBe(DropReason.BudgetControl);
        _machine.Run("from_port", Frames.Udp()).Outcome.ShouldBe(Outcome.Upcall, "flows have a lane of their own");

        _machine.Budget(Host).ControlRefused.ShouldBe(1ul);
    }

    [Theory]
    [InlineData(100, 1)]
    [InlineData(2005, 1)]
    [InlineData(2006, 2)]
    public void A_packet_costs_by_the_octets_that_are_copied(int payloadOctets, int cost)
    {
        _machine.Run("from_port", Frames.Udp(payloadOctets: payloadOctets)).Outcome.ShouldBe(Outcome.Upcall);

        _machine.Budget(In).Admitted.ShouldBe((ulong)cost);
    }

    [Fact]
    public void A_flood_over_its_budget_pushes_nobody_s_first_packet_out_of_those_that_are_waited_for()
    {
        _machine.Run("from_port", Frames.Udp(from: 1)).Outcome.ShouldBe(Outcome.Upcall);
        _machine.Budget(In).IntervalNs = Never;
        _machine.Budget(In).ArrivalNs = ulong.MaxValue / 2;

        for (int i = 2; i < 3_000; i++)
        {
            _machine.Run("from_port", Frames.Udp(from: (ushort)i)).Reason.ShouldBe(DropReason.BudgetPort);
        }

        _machine.Budget(In).Refused.ShouldBe(2_998ul);
        _machine.PendingCount().ShouldBe(1);
        _machine.Budget(Tenant).Admitted.ShouldBe(1ul, "a refused packet asks no total");
    }

    [Fact]
    public void Copies_of_a_broadcast_are_paid_for_by_the_port_one_by_one()
    {
        byte[] frame = Frames.Udp();
        _machine.NextHop(5) = new NexthopEntry { Kind = NexthopKind.Replicate, Arg = 4 };
        _machine.NextHop(6) = new NexthopEntry { Kind = NexthopKind.Port, Arg = Other };
        _machine.Port(Other) = new PortEntry { Kind = PortKind.Tenant, Ifindex = 2, KeyPort = Other };
        _machine.Replication(4).Count = 3;
        for (int i = 0; i < 3; i++) _machine.Replication(4).Nexthop[i] = 6;
        _machine.Flow(Frames.KeyOf(frame, In), new FlowAction { Verdict = FlowVerdict.Forward, NextHop = 5 });
        _machine.Budget(In).CopyIntervalNs = Never;
        _machine.Budget(In).CopyBurstNs = 2 * Never;

        _machine.Run("from_port", frame).Outcome.ShouldBe(Outcome.Replicate);
        _machine.Run("from_port", frame).Reason.ShouldBe(DropReason.BudgetBroadcast);

        (_machine.Budget(In).CopyAdmitted, _machine.Budget(In).CopyRefused).ShouldBe((3ul, 1ul));
        _machine.Budget(Host).CopyAdmitted.ShouldBe(3ul);
    }
}
