using System;
using System.Collections.Immutable;
using System.Linq;
using Genkan.Wire.Dhcp;
using Shouldly;
using static Genkan.Wire.Tests.Samples;

namespace Genkan.Wire.Tests.Dhcp;

/// <summary>RFC 2131, RFC 2132, RFC 3396, RFC 3397, RFC 3442.</summary>
public sealed class DhcpMessageTests
{
    private static readonly DhcpMessage Full = new()
    {
        Op = DhcpOp.BootReply,
        Hops = 1,
        TransactionId = 0xCAFE_F00D,
        Seconds = 3,
        IsBroadcast = true,
        ClientAddress = IpAddress.Parse("10.0.1.7"),
        YourAddress = IpAddress.Parse("10.0.1.8"),
        NextServerAddress = IpAddress.Parse("10.0.1.2"),
        RelayAddress = IpAddress.Parse("10.0.1.3"),
        ClientMac = MacA,
        ServerName = "server",
        BootFile = "boot/file",
        Options =
        [
            DhcpOption.OfByte(DhcpOptionCode.MessageType, (byte)DhcpMessageType.Ack),
            DhcpOption.OfAddresses(DhcpOptionCode.ServerIdentifier, B4),
            DhcpOption.OfTime(DhcpOptionCode.LeaseTime, TimeSpan.FromHours(1)),
            DhcpOption.OfTime(DhcpOptionCode.RenewalTime, TimeSpan.MaxValue),
            DhcpOption.OfUInt16(DhcpOptionCode.InterfaceMtu, 1450),
            DhcpOption.OfAddresses(DhcpOptionCode.DomainNameServer, B4, A4),
            DhcpOption.OfText(DhcpOptionCode.DomainName, "red.example"),
            DhcpOption.OfDomainSearch(["red.example", "example"]),
            DhcpOption.OfClasslessRoutes([new ClasslessRoute(IpPrefix.All4, B4)]),
        ],
    };

    [Fact]
    public void A_captured_DISCOVER_of_udhcpc_is_read()
    {
        DhcpMessage message = Read(Payload("dhcp4", "udhcpc-discover"));
        (message.Op, message.MessageType, message.ClientMac)
            .ShouldBe((DhcpOp.BootRequest, DhcpMessageType.Discover, MacA));
        message.Wants(DhcpOptionCode.ClasslessStaticRoute).ShouldBeTrue();
        message.Wants(DhcpOptionCode.TftpServerName).ShouldBeFalse();
        message.ClientLengthMax.ShouldBe(DhcpMessage.LengthDefault, "udhcpc says 576");
    }

    [Fact]
    public void Captured_REQUESTs_name_address_and_server()
    {
        DhcpMessage udhcpc = Read(Payload("dhcp4", "udhcpc-request"));
        (udhcpc.MessageType, udhcpc.RequestedAddress, udhcpc.ServerIdentifier)
            .ShouldBe((DhcpMessageType.Request, IpAddress.Parse("10.0.1.13"), B4));
        udhcpc.TryGet(DhcpOptionCode.ClientIdentifier, out ReadOnlySpan<byte> id).ShouldBeTrue();
        id.ToArray().ShouldBe([1, 0x02, 0, 0, 0, 0, 0x0A]);
        Read(Payload("dhcp4", "dhcpcd-request")).ClientLengthMax.ShouldBe(1472 - 28);
    }

    [Fact]
    public void The_options_of_a_captured_ACK_are_read()
    {
        DhcpMessage ack = Read(Payload("dhcp4", "ack"));
        (ack.MessageType, ack.YourAddress).ShouldBe((DhcpMessageType.Ack, IpAddress.Parse("10.0.1.13")));
        ack.GetTime(DhcpOptionCode.LeaseTime).ShouldBe(TimeSpan.FromHours(1));
        ack.TryGet(DhcpOptionCode.ClasslessStaticRoute, out ReadOnlySpan<byte> data).ShouldBeTrue();
        DhcpOption.TryReadClasslessRoutes(data, out ImmutableArray<ClasslessRoute> routes).ShouldBeTrue();
        routes.ShouldBe(
        [
            new ClasslessRoute(IpPrefix.Parse("10.0.2.0/24"), IpAddress.Parse("10.0.1.254")),
            new ClasslessRoute(IpPrefix.All4, B4),
        ]);
        ack.TryGet(DhcpOptionCode.DomainSearch, out data).ShouldBeTrue();
        DomainName.TryDecodeList(data, out ImmutableArray<string> names, allowsPointers: true).ShouldBeTrue();
        names.ShouldBe(["red.example", "lab.red.example"]);
        DomainName.TryDecodeList(data, out _).ShouldBeFalse("the second name is compressed");
        ack.TryGet(DhcpOptionCode.InterfaceMtu, out data).ShouldBeTrue();
        data.ToArray().ShouldBe([0x05, 0xAA]);
    }

    [Theory]
    [InlineData("udhcpc-discover")]
    [InlineData("offer")]
    [InlineData("ack")]
    [InlineData("dhcpcd-discover")]
    public void A_captured_message_comes_back_octet_for_octet(string name)
    {
        byte[] payload = Payload("dhcp4", name);
        byte[] output = new byte[WireLimits.DhcpLengthMax];
        int length = Read(payload).Encode(output, out int omitted);
        omitted.ShouldBe(0);
        output[..length].ShouldBe(payload);
    }

    [Fact]
    public void A_message_with_every_field_comes_back_as_written() => Read(Encode(Full)).ShouldBe(Full);

    [Fact]
    public void The_reply_copies_what_table_3_says()
    {
        DhcpMessage request = Read(Payload("dhcp4", "udhcpc-request"));
        DhcpMessage ack = request.Reply(
            DhcpMessageType.Ack, B4, A4, [DhcpOption.OfTime(DhcpOptionCode.LeaseTime, TimeSpan.FromHours(1))]);
        (ack.Op, ack.TransactionId, ack.ClientMac, ack.YourAddress)
            .ShouldBe((DhcpOp.BootReply, request.TransactionId, MacA, A4));
        ack.Options.Select(static o => o.Code).ShouldBe(
        [
            DhcpOptionCode.MessageType, DhcpOptionCode.ServerIdentifier, DhcpOptionCode.ClientIdentifier,
            DhcpOptionCode.LeaseTime,
        ]);
        request.Reply(DhcpMessageType.Nak, B4, A4, []).YourAddress.ShouldBe(IpAddress.Unspecified4);
    }

    [Fact]
    public void Every_prefix_that_cuts_a_field_or_option_is_truncated()
    {
        byte[] good = Encode(Full);
        int end = 240 + Full.Options.Sum(static o => 2 + o.Data.Length);
        int boundary = 240;
        for (int length = 0; length < end; length++)
        {
            DhcpFault fault = DhcpMessage.TryDecode(good.AsSpan(0, length), out DhcpMessage? message);
            if (length == boundary) boundary += 2 + good[length + 1];
            else fault.ShouldBe(DhcpFault.Truncated);
            (message is null).ShouldBe(fault != DhcpFault.None);
        }
    }

    [Theory]
    [InlineData(0, 3, DhcpFault.BadOp)]
    [InlineData(1, 6, DhcpFault.BadHardware)]
    [InlineData(2, 8, DhcpFault.BadHardware)]
    [InlineData(236, 98, DhcpFault.BadCookie)]
    [InlineData(242, 9, DhcpFault.BadMessageType)]
    public void Each_rule_has_its_fault(int at, byte octet, DhcpFault fault)
    {
        byte[] message = Encode(Full);
        message[at] = octet;
        DhcpMessage.TryDecode(message, out _).ShouldBe(fault);
    }

    [Theory]
    [InlineData(DhcpOptionCode.MessageType, 2)]
    [InlineData(DhcpOptionCode.RequestedAddress, 3)]
    [InlineData(DhcpOptionCode.ServerIdentifier, 5)]
    [InlineData(DhcpOptionCode.MaximumMessageSize, 1)]
    [InlineData(DhcpOptionCode.ClientIdentifier, 1)]
    [InlineData(DhcpOptionCode.ParameterRequestList, 0)]
    [InlineData(DhcpOptionCode.Router, 6)]
    [InlineData(DhcpOptionCode.Overload, 2)]
    public void Options_of_a_wrong_length_are_refused(DhcpOptionCode code, int length)
    {
        DhcpMessage message = Full with { Options = [new DhcpOption(code, new byte[length])] };
        DhcpMessage.TryDecode(Encode(message), out _).ShouldBe(DhcpFault.BadOption);
    }

    [Fact]
    public void Options_in_file_and_sname_are_read_behind_the_others_and_split_ones_are_joined()
    {
        byte[] octets = Encode(new DhcpMessage
        {
            ClientMac = MacA,
            Options = [DhcpOption.OfByte(DhcpOptionCode.HostName, (byte)'a')],
        });
        // The host name goes on in file and ends in sname; an Overload option inside a field means nothing.
        new byte[] { 52, 1, 3, 255 }.CopyTo(octets, 243);
        new byte[] { 52, 1, 1, 12, 1, (byte)'b', 255 }.CopyTo(octets, 108);
        new byte[] { 12, 1, (byte)'c' }.CopyTo(octets, 44);
        DhcpMessage message = Read(octets);
        (message.ServerName, message.BootFile).ShouldBe((string.Empty, string.Empty));
        message.Options.ShouldBe([DhcpOption.OfText(DhcpOptionCode.HostName, "abc")]);
    }

    [Fact]
    public void A_long_option_is_split_and_comes_back_whole()
    {
        DhcpOption option = new(DhcpOptionCode.VendorSpecific, Enumerable.Range(0, 600).Select(i => (byte)i).ToArray());
        DhcpMessage message = Full with { Options = [option] };
        Read(Encode(message)).Options.ShouldBe([option]);
    }

    [Fact]
    public void Options_that_do_not_fit_are_left_out_whole_and_counted()
    {
        DhcpMessage message = Full with
        {
            Options = [.. Full.Options, new DhcpOption(DhcpOptionCode.VendorSpecific, new byte[400])],
        };
        byte[] output = new byte[DhcpMessage.LengthDefault];
        int length = message.Encode(output, out int omitted);
        omitted.ShouldBe(1);
        Read(output[..length]).ShouldBe(Full);
        Should.Throw<ArgumentException>(() => message.Encode(new byte[299], out _));
    }

    [Fact]
    public void Messages_and_option_lists_past_their_limits_are_refused()
    {
        byte[] octets = [.. Encode(Full), .. new byte[WireLimits.DhcpLengthMax]];
        DhcpMessage.TryDecode(octets.AsSpan(0, WireLimits.DhcpLengthMax), out _).ShouldBe(DhcpFault.None);
        DhcpMessage.TryDecode(octets.AsSpan(0, WireLimits.DhcpLengthMax + 1), out _).ShouldBe(DhcpFault.TooLong);
        byte[] many = [.. octets[..240], .. new byte[2 * WireLimits.DhcpOptionsMax]];
        for (int i = 0; i < WireLimits.DhcpOptionsMax; i++) many[240 + (2 * i)] = (byte)DhcpOptionCode.HostName;
        DhcpMessage.TryDecode(many, out _).ShouldBe(DhcpFault.None);
        DhcpMessage.TryDecode([.. many, (byte)DhcpOptionCode.HostName, 0], out _).ShouldBe(DhcpFault.BadOption);
    }

    [Theory]
    [InlineData("0.0.0.0/0", "00")]
    [InlineData("10.0.0.0/8", "080a")]
    [InlineData("10.17.0.0/16", "100a11")]
    [InlineData("10.27.129.0/24", "180a1b81")]
    [InlineData("10.229.0.128/25", "190ae50080")]
    [InlineData("10.198.122.47/32", "200ac67a2f")]
    public void The_destinations_of_RFC_3442_are_coded_as_its_table_says(string destination, string octets)
    {
        DhcpOption option = DhcpOption.OfClasslessRoutes([new ClasslessRoute(IpPrefix.Parse(destination), B4)]);
        Convert.ToHexString(option.Data.Span[..^4]).ShouldBe(octets, StringCompareShould.IgnoreCase);
        DhcpOption.TryReadClasslessRoutes(option.Data.Span, out ImmutableArray<ClasslessRoute> routes).ShouldBeTrue();
        routes.ShouldHaveSingleItem().Destination.ToString().ShouldBe(destination);
        for (int length = 1; length < option.Data.Length; length++)
            DhcpOption.TryReadClasslessRoutes(option.Data.Span[..length], out _).ShouldBeFalse();
        DhcpOption.TryReadClasslessRoutes([33, 1, 2, 3, 4, 5, 1, 2, 3, 4], out _).ShouldBeFalse();
    }

    [Fact]
    public void Arbitrary_and_damaged_messages_are_answered_without_an_exception()
    {
        byte[] good = Encode(Full);
        ForEachDamage(good, static octets => DhcpMessage.TryDecode(octets, out _));
        ForArbitraryOctets(octets =>
        {
            byte[] message = [.. good[..240], .. octets];
            if (DhcpMessage.TryDecode(message, out DhcpMessage? decoded) == DhcpFault.None)
                Read(Encode(decoded!)).ShouldBe(decoded);
            DhcpMessage.TryDecode(octets, out _);
            DhcpOption.TryReadClasslessRoutes(octets, out _);
            return true;
        });
    }

    private static byte[] Encode(DhcpMessage message)
    {
        byte[] output = new byte[WireLimits.DhcpLengthMax];
        int length = message.Encode(output, out int omitted);
        omitted.ShouldBe(0);
        return output[..length];
    }

    private static DhcpMessage Read(byte[] octets)
    {
        DhcpMessage.TryDecode(octets, out DhcpMessage? message).ShouldBe(DhcpFault.None);
        return message.ShouldNotBeNull();
    }
}
