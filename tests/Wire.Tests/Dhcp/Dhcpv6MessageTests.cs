using System;
using System.Linq;
using Genkan.Wire.Dhcp;
using Shouldly;
using static Genkan.Wire.Tests.Samples;

namespace Genkan.Wire.Tests.Dhcp;

/// <summary>RFC 8415 §8, §18.3, §21; RFC 3646; RFC 5908.</summary>
public sealed class Dhcpv6MessageTests
{
    private static readonly IdentityAssociation Association = new(
        7,
        TimeSpan.FromSeconds(10),
        TimeSpan.FromSeconds(20),
        [Dhcpv6Option.OfStatus(Dhcpv6StatusCode.NoAddrsAvail, "stateless")]);

    private static readonly Dhcpv6Message Full = new()
    {
        Type = Dhcpv6MessageType.Reply,
        TransactionId = 0xABCDEF,
        Options =
        [
            new Dhcpv6Option(Dhcpv6OptionCode.ServerIdentifier, Dhcpv6Option.DuidOf(MacB)),
            Dhcpv6Option.OfAddresses(Dhcpv6OptionCode.DnsServers, A6, B6),
            Dhcpv6Option.OfDomainList(["red.example"]),
            Dhcpv6Option.OfNtpServers(B6),
            Dhcpv6Option.OfTime(Dhcpv6OptionCode.InformationRefreshTime, TimeSpan.FromHours(1)),
            Association.ToOption(),
        ],
    };

    [Fact]
    public void A_captured_INFORMATION_REQUEST_is_read()
    {
        byte[] payload = Payload("dhcp6", "information-request");
        Dhcpv6Message message = Read(payload);
        (message.Type, message.TransactionId).ShouldBe((Dhcpv6MessageType.InformationRequest, 0x6B47CBu));
        message.Wants(Dhcpv6OptionCode.InformationRefreshTime).ShouldBeTrue();
        message.Wants(Dhcpv6OptionCode.IaPd).ShouldBeFalse();
        message.TryGet(Dhcpv6OptionCode.ClientIdentifier, out ReadOnlySpan<byte> id).ShouldBeTrue();
        id[8..].ToArray().ShouldBe([0x02, 0, 0, 0, 0, 0x0A]);
        Encode(message).ShouldBe(payload);
        byte[] frame = Frame("dhcp6", "information-request");
        Decode(frame).Destination.ShouldBe(Dhcpv6Message.AllRelayAgentsAndServers);
    }

    [Fact]
    public void A_captured_REPLY_is_read()
    {
        byte[] payload = Payload("dhcp6", "reply");
        Dhcpv6Message message = Read(payload);
        message.Type.ShouldBe(Dhcpv6MessageType.Reply);
        message.TryGet(Dhcpv6OptionCode.ServerIdentifier, out _).ShouldBeTrue();
        Encode(message).ShouldBe(payload);
    }

    [Fact]
    public void The_reply_copies_transaction_and_client_identifier()
    {
        Dhcpv6Message request = Read(Payload("dhcp6", "information-request"));
        request.TryGet(Dhcpv6OptionCode.ClientIdentifier, out ReadOnlySpan<byte> id).ShouldBeTrue();
        byte[] duid = Dhcpv6Option.DuidOf(MacB);
        duid.ShouldBe([0, 3, 0, 1, 2, 0, 0, 0, 0, 0x0B]);
        request.Reply(Dhcpv6MessageType.Reply, duid, [Full.Options[1]]).ShouldBe(new Dhcpv6Message
        {
            Type = Dhcpv6MessageType.Reply,
            TransactionId = request.TransactionId,
            Options =
            [
                new Dhcpv6Option(Dhcpv6OptionCode.ClientIdentifier, id.ToArray()),
                new Dhcpv6Option(Dhcpv6OptionCode.ServerIdentifier, duid),
                Full.Options[1],
            ],
        });
    }

    [Fact]
    public void A_message_with_every_option_comes_back_as_written()
    {
        Dhcpv6Message message = Read(Encode(Full));
        message.ShouldBe(Full);
        message.TryGet(Dhcpv6OptionCode.IaNa, out ReadOnlySpan<byte> data).ShouldBeTrue();
        IdentityAssociation.TryDecode(data, out IdentityAssociation? association).ShouldBe(DhcpFault.None);
        association.ShouldBe(Association);
    }

    [Fact]
    public void Every_prefix_that_cuts_an_option_is_truncated()
    {
        byte[] good = Encode(Full);
        int boundary = 4;
        for (int length = 0; length < good.Length; length++)
        {
            DhcpFault fault = Dhcpv6Message.TryDecode(good.AsSpan(0, length), out Dhcpv6Message? message);
            if (length == boundary) boundary += 4 + (good[length + 2] << 8) + good[length + 3];
            else fault.ShouldBe(DhcpFault.Truncated);
            (message is null).ShouldBe(fault != DhcpFault.None);
        }

        Full.TryGet(Dhcpv6OptionCode.IaNa, out ReadOnlySpan<byte> data).ShouldBeTrue();
        for (int length = 0; length < data.Length; length++)
        {
            if (length != 12)
                IdentityAssociation.TryDecode(data[..length], out _).ShouldBe(DhcpFault.Truncated);
        }
    }

    [Theory]
    [InlineData(0, DhcpFault.BadMessageType)]
    [InlineData(12, DhcpFault.Relayed)]
    [InlineData(13, DhcpFault.Relayed)]
    [InlineData(14, DhcpFault.BadMessageType)]
    public void Other_message_types_are_refused(byte type, DhcpFault fault) =>
        Dhcpv6Message.TryDecode([type, 0, 0, 1], out _).ShouldBe(fault);

    [Fact]
    public void Messages_and_option_lists_past_their_limits_are_refused()
    {
        byte[] many = [11, 0, 0, 1, .. new byte[4 * WireLimits.DhcpOptionsMax]];
        Dhcpv6Message.TryDecode(many, out _).ShouldBe(DhcpFault.None);
        Dhcpv6Message.TryDecode([.. many, 0, 0, 0, 0], out _).ShouldBe(DhcpFault.BadOption);
        Dhcpv6Message.TryDecode([11, .. new byte[WireLimits.DhcpLengthMax]], out _).ShouldBe(DhcpFault.TooLong);
    }

    [Fact]
    public void An_association_with_T1_past_T2_is_refused()
    {
        IdentityAssociation bad = Association with { T1 = TimeSpan.FromSeconds(21) };
        IdentityAssociation.TryDecode(bad.ToOption().Data.Span, out _).ShouldBe(DhcpFault.BadOption);
        IdentityAssociation free = bad with { T2 = TimeSpan.Zero };
        IdentityAssociation.TryDecode(free.ToOption().Data.Span, out _).ShouldBe(DhcpFault.None);
    }

    [Fact]
    public void Arbitrary_and_damaged_messages_are_answered_without_an_exception()
    {
        ForEachDamage(Encode(Full), static octets => Dhcpv6Message.TryDecode(octets, out _));
        ForArbitraryOctets(octets =>
        {
            byte[] message = [11, 1, 2, 3, .. octets];
            IdentityAssociation.TryDecode(octets, out _);
            return Dhcpv6Message.TryDecode(message, out Dhcpv6Message? decoded) != DhcpFault.None
                || Encode(decoded!).SequenceEqual(message);
        });
    }

    private static byte[] Encode(Dhcpv6Message message)
    {
        byte[] output = new byte[2 * WireLimits.DhcpLengthMax];
        return output[..message.Encode(output)];
    }

    private static Dhcpv6Message Read(byte[] octets)
    {
        Dhcpv6Message.TryDecode(octets, out Dhcpv6Message? message).ShouldBe(DhcpFault.None);
        return message.ShouldNotBeNull();
    }
}
