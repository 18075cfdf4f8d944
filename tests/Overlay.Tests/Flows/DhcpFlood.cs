using System;
using Genkan.Overlay.Flows;
using Genkan.Overlay.Tests.Fixtures;
using Genkan.Wire;
using Genkan.Wire.Dhcp;
using Shouldly;

namespace Genkan.Overlay.Tests.Flows;

/// <summary>DHCP messages are the only packets that cost garbage: a port has few of them.</summary>
public sealed class DhcpFlood
{
    private readonly TwoHosts _hosts = new();

    private SlowPath Path => _hosts.Hv1.SlowPath;

    [Fact]
    public void Of_ten_thousand_messages_of_a_port_its_share_is_answered_and_the_rest_costs_no_garbage()
    {
        byte[] discover = Discover("red/red-a");
        byte[] others = Discover("red/red-c");
        Handle("red/red-c", others, 1); // what is made once
        Handle("red/red-c", others, FlowLimits.DhcpMessagesBurst);

        long before = GC.GetAllocatedBytesForCurrentThread();
        Handle("red/red-a", discover, 10_000);
        long allocated = GC.GetAllocatedBytesForCurrentThread() - before;

        allocated.ShouldBeLessThan(FlowLimits.DhcpMessagesBurst * FlowLimits.DhcpAnswerOctetsMax);
        Path.Counters.Answers.ShouldBe(2ul * FlowLimits.DhcpMessagesBurst, "of either port");
        _hosts.Hv1.Tables.Drops[DropReason.BudgetControl].ShouldBe(1 + 10_000 - FlowLimits.DhcpMessagesBurst);
    }

    [Fact]
    public void The_share_comes_back_with_time_and_other_packets_of_the_port_take_nothing_from_it()
    {
        byte[] discover = Discover("red/red-a");
        Handle("red/red-a", discover, 100);
        _hosts.Now += TimeSpan.FromSeconds(1);

        _hosts.Send("red/red-a", FlowFrames.AToC()).ShouldEndWith("red/red-c: 10.0.1.11 5000 > 10.0.2.11 80");
        Handle("red/red-a", discover, 100);

        Path.Counters.Answers.ShouldBe((ulong)(FlowLimits.DhcpMessagesBurst + FlowLimits.DhcpMessagesPerSecond));
    }

    private void Handle(string port, byte[] frame, int count)
    {
        Upcall upcall = new(
            _hosts.Hv1.Slot(port), UpcallKind.Control, ConnectionState.None, (uint)frame.Length, 0, default);
        for (int i = 0; i < count; i++) Path.Handle(upcall, frame);
    }

    private static byte[] Discover(string port)
    {
        DhcpMessage message = new()
        {
            Op = DhcpOp.BootRequest,
            TransactionId = 7,
            ClientMac = Courtyard.Mac(port),
            Options = [DhcpOption.OfByte(DhcpOptionCode.MessageType, (byte)DhcpMessageType.Discover)],
        };
        byte[] room = new byte[1024];
        FrameWriter writer = new(room);
        writer.Ethernet(MacAddress.Broadcast, Courtyard.Mac(port));
        writer.Ip(IpAddress.Unspecified4, IpAddress.Broadcast4, IpProtocol.Udp);
        writer.Udp(DhcpMessage.ClientPort, DhcpMessage.ServerPort);
        writer.Advance(message.Encode(writer.Rest[..DhcpMessage.LengthDefault], out _));
        return room[..writer.Finish()];
    }
}
