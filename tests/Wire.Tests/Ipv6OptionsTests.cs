using System;
using Shouldly;

namespace Genkan.Wire.Tests;

/// <summary>RFC 8200 §4.2: options that are not recognized.</summary>
public sealed class Ipv6OptionsTests
{
    private static readonly IpAddress Source = IpAddress.Parse("2001:db8::1");
    private static readonly IpAddress Destination = IpAddress.Parse("2001:db8::2");

    [Theory]
    [InlineData("000000000000", Ipv6OptionAction.Skip, 0)] // six times Pad1
    [InlineData("010400000000", Ipv6OptionAction.Skip, 0)] // PadN
    [InlineData("1e0400000000", Ipv6OptionAction.Skip, 0)]
    [InlineData("5e0400000000", Ipv6OptionAction.Discard, 42)]
    [InlineData("9e0400000000", Ipv6OptionAction.DiscardAndTell, 42)]
    [InlineData("de0400000000", Ipv6OptionAction.DiscardAndTellUnicast, 42)]
    [InlineData("0000de0200ff", Ipv6OptionAction.DiscardAndTellUnicast, 44)]
    [InlineData("1e009e005e00", Ipv6OptionAction.DiscardAndTell, 44)]
    [InlineData("1e02ffff01009e00", Ipv6OptionAction.Skip, 0)] // what stands behind the header is none of its options
    public void The_first_that_is_not_to_be_skipped_decides(string options, Ipv6OptionAction action, int pointer)
    {
        byte[] octets = Convert.FromHexString(options);
        foreach (IpProtocol type in (IpProtocol[])[IpProtocol.HopByHopOptions, IpProtocol.DestinationOptions])
        {
            (Ipv6OptionAction, int) found = Refused(octets, type);
            found.ShouldBe((action, pointer));
        }
    }

    [Theory]
    [InlineData("1e0500000000")]
    [InlineData("00000000001e")]
    [InlineData("9eff00000000")]
    public void One_that_is_longer_than_its_header_discards_the_packet(string options) =>
        Refused(Convert.FromHexString(options), IpProtocol.HopByHopOptions).Action.ShouldBe(Ipv6OptionAction.Discard);

    [Fact]
    public void Headers_without_options_are_walked_past()
    {
        Refused(Convert.FromHexString("de0400000000"), IpProtocol.Routing).ShouldBe((Ipv6OptionAction.Skip, 0));

        byte[] frame = Frame(new byte[6], IpProtocol.Routing);
        byte[] options = [(byte)IpProtocol.Routing, 0, 0x9e, 0, 0, 0, 0, 0];
        frame = [.. frame[..54], .. options, .. frame[54..]];
        frame[20] = (byte)IpProtocol.DestinationOptions;
        frame[19] += 8;
        Refused(frame).ShouldBe((Ipv6OptionAction.DiscardAndTell, 42));
    }

    [Fact]
    public void Of_what_is_not_there_nothing_is_said()
    {
        byte[] frame = Frame(Convert.FromHexString("9e0400000000"), IpProtocol.HopByHopOptions);
        PacketHeader.TryDecode(frame, out PacketHeader header);

        Ipv6Options.FirstRefused([], header, out int pointer).ShouldBe(Ipv6OptionAction.Skip);
        Ipv6Options.FirstRefused(frame, default, out pointer).ShouldBe(Ipv6OptionAction.Skip);
        PacketHeader keyAlone = new() { EtherType = EtherType.Ipv6 };
        Ipv6Options.FirstRefused([], keyAlone, out pointer).ShouldBe(Ipv6OptionAction.Skip);
        pointer.ShouldBe(0);
    }

    private static (Ipv6OptionAction Action, int Pointer) Refused(byte[] options, IpProtocol type) =>
        Refused(Frame(options, type));

    private static (Ipv6OptionAction Action, int Pointer) Refused(byte[] frame)
    {
        PacketHeader.TryDecode(frame, out PacketHeader header).ShouldBe(PacketFault.None);
        Ipv6OptionAction action = Ipv6Options.FirstRefused(frame, header, out int pointer);
        return (action, pointer);
    }

    /// <summary>UDP behind one extension header of eight octets; of more than six octets of options the rest is
    /// UDP's data.</summary>
    private static byte[] Frame(byte[] options, IpProtocol type)
    {
        byte[] room = new byte[200];
        FrameWriter writer = new(room);
        writer.Ethernet(MacAddress.Parse("02:00:00:00:00:02"), MacAddress.Parse("02:00:00:00:00:01"));
        writer.Ip(Source, Destination, IpProtocol.Udp);
        options.AsSpan(0, 6).CopyTo(writer.ExtensionHeader(type, 8)[2..]);
        if (type == IpProtocol.Routing) room[14 + 40 + 3] = 0; // segments left
        writer.Udp(1, 2);
        writer.Octets(options.AsSpan(6));
        return room[..writer.Finish()];
    }
}
