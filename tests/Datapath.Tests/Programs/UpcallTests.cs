using System.Linq;
using System.Net;
using System.Net.Sockets;
using Genkan.Datapath.Bpf;
using Genkan.Datapath.Layout;
using Genkan.Datapath.Netlink;
using Genkan.Overlay.Flows;
using Genkan.Testing.Kernel;
using Shouldly;

namespace Genkan.Datapath.Tests.Programs;

/// <summary>What goes to the agent, in which words, and what does not.</summary>
[Collection(ProgramMachine.Collection)]
public sealed class UpcallTests
{
    private const int In = 1;
    private const int FollowersMax = 8;

    private readonly ProgramMachine _machine;

    public UpcallTests(ProgramMachine machine)
    {
        _machine = machine;
        machine.Reset();
        machine.Link(In);
        machine.Link(In, vlan: 9);
        machine.Port(In) = new PortEntry { Kind = PortKind.Tenant, Ifindex = 1, KeyPort = In, Budget = 3 };
    }

    [Theory]
    [InlineData(1)]
    [InlineData(150)]
    [InlineData(151)]
    [InlineData(1942)]
    [InlineData(1943)]
    public void A_miss_goes_up_whole_whatever_its_size(int payloadOctets)
    {
        byte[] frame = Frames.Udp(payloadOctets: payloadOctets);

        _machine.Run("from_port", frame).Outcome.ShouldBe(Outcome.Upcall);

        UpcallRecord record = _machine.TakeData().ShouldHaveSingleItem();
        record.Frame.ShouldBe(frame);
        record.Header.ShouldBe(new UpcallHeader
        {
            TimeNs = record.Header.TimeNs,
            Port = In,
            Length = (uint)frame.Length,
            Captured = (uint)frame.Length,
            Budget = 3,
            FlowDigest = KeyDigest.Of(Conn4Key.Of(Frames.KeyOf(frame, In)), ProgramMachine.Seed),
        });
        record.Header.TimeNs.ShouldNotBe(0ul);
        _machine.Stats(In).UpcallPackets.ShouldBe(1ul);
        _machine.Stats(In).DropPackets.ShouldBe(0ul);
    }

    [Fact]
    public void A_GSO_packet_goes_up_with_its_segments()
    {
        _machine.Run("from_port", Frames.Tcp(payloadOctets: 3000), new SkBuffContext { GsoSize = 1000, GsoSegs = 3 });

        UpcallHeader header = _machine.TakeData().ShouldHaveSingleItem().Header;
        (header.GsoSize, header.GsoSegs).ShouldBe((1000u, 3u));
    }

    [Fact]
    public void The_tag_stands_beside_the_frame()
    {
        byte[] frame = Frames.Udp(vlan: 9 | (5 << 13));

        _machine.Run("from_port", frame).Outcome.ShouldBe(Outcome.Upcall);

        UpcallRecord record = _machine.TakeData().ShouldHaveSingleItem();
        record.Header.VlanTci.ShouldBe(0x10000u | 9 | (5 << 13));
        record.Frame.ShouldBe([.. frame[..12], .. frame[16..]]);
    }

    [Fact]
    public void A_burst_of_one_flow_is_one_miss_few_followers_and_then_nothing()
    {
        Outcome[] outcomes = [.. Enumerable.Range(0, FollowersMax + 3)
            .Select(i => _machine.Run("from_port", Frames.Udp(payloadOctets: 20 + i)).Outcome)];

        outcomes.Count(o => o == Outcome.Upcall).ShouldBe(1 + FollowersMax);
        _machine.Drops(In, DropReason.Pending).ShouldBe(2ul);
        UpcallKind[] kinds = [.. _machine.TakeData().OrderBy(r => r.Header.Length).Select(r => r.Header.Kind)];
        kinds.ShouldBe([UpcallKind.Miss, .. Enumerable.Repeat(UpcallKind.Follower, FollowersMax)]);
    }

    [Fact]
    public void Another_flow_does_not_wait_behind_it()
    {
        _machine.Run("from_port", Frames.Udp());
        _machine.Run("from_port", Frames.Udp(from: 1001));

        _machine.TakeData().Select(r => r.Header.Kind).ShouldBe([UpcallKind.Miss, UpcallKind.Miss]);
    }

    public static TheoryData<string, byte[]> ControlPackets => new()
    {
        { "ARP", Frames.Arp(Frames.Mac1, Frames.Mac1, Frames.Ip1, Frames.Ip2) },
        { "DHCP", Frames.Udp(from: 68, to: 67) },
        { "DHCPv6", Frames.Udp(true, from: 546, to: 547) },
        { "unreachable", Frames.Icmp(type: 3) },
        { "time exceeded", Frames.Icmp(type: 11) },
        { "packet too big", Frames.Icmp(v6: true, type: 2) },
        { "router solicitation", Frames.Icmp(v6: true, type: 133, hopLimit: 255) },
        { "router advertisement", Frames.Icmp(v6: true, type: 134, hopLimit: 255) },
        { "neighbour advertisement", Frames.Icmp(v6: true, type: 136, hopLimit: 255) },
        { "MLD report", Frames.Icmp(v6: true, type: 143, hopLimit: 1) },
    };

    [Theory]
    [MemberData(nameof(ControlPackets))]
    public void Control_packets_go_up_each_for_itself(string name, byte[] frame)
    {
        for (int i = 0; i < FollowersMax + 3; i++)
        {
            _machine.Run("from_port", frame).Outcome.ShouldBe(Outcome.Upcall, name);
        }

        _machine.TakeControl().Count(r => r.Header.Kind == UpcallKind.Control).ShouldBe(FollowersMax + 3);
        _machine.TakeData().ShouldBeEmpty();
    }

    [Fact]
    public void A_port_s_budget_is_a_burst_and_control_has_its_own()
    {
        _machine.Budget(3) = new BudgetEntry
        {
            IntervalNs = 1_000_000_000_000,
            BurstNs = 2_000_000_000_000,
            ControlIntervalNs = 1_000_000_000_000,
            ControlBurstNs = 2_000_000_000_000,
        };

        for (ushort from = 1; from <= 5; from++) _machine.Run("from_port", Frames.Udp(from: from));
        for (int i = 0; i < 5; i++) _machine.Run("from_port", Frames.Udp(from: 68, to: 67));

        _machine.TakeData().Count.ShouldBe(3);
        _machine.TakeControl().Count.ShouldBe(3);
        _machine.Drops(In, DropReason.BudgetPort).ShouldBe(2ul);
        _machine.Drops(In, DropReason.BudgetControl).ShouldBe(2ul);
        (_machine.Budget(3).Admitted, _machine.Budget(3).Refused).ShouldBe((3ul, 2ul));
        (_machine.Budget(3).ControlAdmitted, _machine.Budget(3).ControlRefused).ShouldBe((3ul, 2ul));
    }

    [Fact]
    public void A_first_packet_over_the_budget_leaves_no_queue_behind_it()
    {
        _machine.Budget(3) = new BudgetEntry { IntervalNs = 1_000_000_000_000, BurstNs = 0 };
        _machine.Run("from_port", Frames.Udp(from: 1));
        _machine.Run("from_port", Frames.Udp(from: 2)).Reason.ShouldBe(DropReason.BudgetPort);

        _machine.Budget(3) = default;

        _machine.Run("from_port", Frames.Udp(from: 2));
        _machine.TakeData().Select(r => r.Header.Kind).ShouldBe([UpcallKind.Miss, UpcallKind.Miss]);
    }

    [Fact]
    public void A_full_ring_drops_and_forgets_that_the_flow_was_pending()
    {
        ushort from = 1;
        while (_machine.Run("from_port", Frames.Udp(payloadOctets: 1000, from: from)).Outcome == Outcome.Upcall) from++;

        _machine.Drops(In, DropReason.RingFull).ShouldBe(1ul);
        _machine.TakeData().Count.ShouldBe(from - 1);
        _machine.Run("from_port", Frames.Udp(payloadOctets: 1000, from: from)).Outcome.ShouldBe(Outcome.Upcall);
        _machine.TakeData().ShouldHaveSingleItem().Header.Kind.ShouldBe(UpcallKind.Miss);
    }

    [Theory]
    [InlineData(16278)]
    [InlineData(16279)]
    [InlineData(60000)]
    public void A_packet_that_lies_in_pages_goes_up_whole(int payloadOctets)
    {
        using Netns netns = new();
        byte[] payload = [.. Enumerable.Range(0, payloadOctets).Select(i => (byte)i)];
        netns.Run(() =>
        {
            using RouteSocket route = new();
            route.SetLink(1, new LinkSettings { IsUp = true });
            using TcxLink link = TcxLink.Attach(_machine.Program("from_port"), 1, TcxHook.Ingress);
            using Socket socket = new(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
            socket.SendTo(payload, new IPEndPoint(IPAddress.Loopback, 2000));
        });

        UpcallRecord record = _machine.TakeData().ShouldHaveSingleItem();
        record.Header.Captured.ShouldBe((uint)(Frames.Ipv4L4At + 8 + payloadOctets));
        record.Frame[(Frames.Ipv4L4At + 8)..].ShouldBe(payload);
    }
}
