using System;
using System.Buffers.Binary;
using System.Linq;
using Genkan.Overlay.Simulation;
using Genkan.Overlay.Tests.Fixtures;
using Genkan.Wire;
using Genkan.Wire.Dhcp;
using Shouldly;

namespace Genkan.Overlay.Tests.Simulation;

/// <summary>RFC 2131 §4.3 and §4.4, RFC 8415 §18.3: each message in each state of the client.</summary>
public sealed class DhcpStates
{
    private const string Own = "10.0.1.11";
    private const string Server = "10.0.1.1";
    private static readonly MacAddress A = Courtyard.Mac("red/red-a");
    private static readonly MacAddress Router = MacAddress.Parse("02:00:00:00:01:01");

    [Theory]
    [InlineData(false, "10.0.1.11", "fa:16:3e:00:01:11")]
    [InlineData(true, "255.255.255.255", "ff:ff:ff:ff:ff:ff")]
    public void Section_4_1_the_OFFER_goes_to_yiaddr_and_chaddr_unless_the_broadcast_flag_is_set(
        bool isBroadcast, string destination, string mac)
    {
        DhcpMessage discover = Of(DhcpMessageType.Discover) with { IsBroadcast = isBroadcast };
        (PacketHeader header, DhcpMessage offer) = Ask(discover);

        (offer.MessageType, offer.YourAddress, offer.IsBroadcast)
            .ShouldBe((DhcpMessageType.Offer, IpAddress.Parse(Own), isBroadcast));
        (header.Destination, header.EthernetDestination)
            .ShouldBe((IpAddress.Parse(destination), MacAddress.Parse(mac)));
    }

    [Fact]
    public void Section_1_6_a_client_behind_a_port_without_security_is_not_offered_the_ports_own_address()
    {
        Lab open = new(Courtyard.Hv1, BridgedUnicast.Open(Courtyard.Parts, "red/red-a"));
        DhcpMessage nested = Of(DhcpMessageType.Discover) with { ClientMac = MacAddress.Parse("02:00:00:00:99:01") };
        SimulationResult result = Send(nested, at: open);

        Lab.TextOf(result).ShouldBe("Forward"); // to all, as any broadcast
        (result.AnswerLength, result.IsCacheable).ShouldBe((0, false));
        Lab.TextOf(Send(Of(DhcpMessageType.Discover), at: open)).ShouldBe("Answer");
        Lab.TextOf(Send(nested)).ShouldBe("Drop SpoofedMac"); // with port security
    }

    [Theory]
    [InlineData(0, true, "Answer")]
    [InlineData(0, false, "Answer")]
    [InlineData(1, true, "Drop BadChecksum")]
    [InlineData(1, false, "Drop BadChecksum")]
    public void Rfc1122_section_4_1_3_4_a_message_with_a_wrong_UDP_checksum_is_dropped(
        byte damage, bool isIpv4, string outcome)
    {
        byte[] frame = isIpv4 ? Frame(Of(DhcpMessageType.Discover)) : Frame(Of6(Dhcpv6MessageType.Solicit));
        int transaction = isIpv4 ? 7 : 3; // the last octet of xid, of transaction-id
        frame[Frames.Decode(frame).PayloadAt + transaction] ^= damage;

        Lab.TextOf(Lab.OnHv1.From("red/red-a", frame)).ShouldBe(outcome);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_checksum_that_is_left_to_the_network_card_is_taken(bool isIpv4)
    {
        byte[] frame = isIpv4 ? Frame(Of(DhcpMessageType.Discover)) : Frame(Of6(Dhcpv6MessageType.Solicit));
        PacketHeader header = Frames.Decode(frame);
        ulong pseudo = InternetChecksum.PseudoHeader(
            header.Source, header.Destination, IpProtocol.Udp, header.NetworkEnd - header.TransportAt);
        BinaryPrimitives.WriteUInt16BigEndian(frame.AsSpan(header.TransportAt + 6), InternetChecksum.Fold(pseudo));

        Lab.TextOf(Lab.OnHv1.From("red/red-a", frame)).ShouldBe("Answer");
    }

    [Theory]
    [InlineData(true, "Answer")] // RFC 768: none
    [InlineData(false, "Drop BadChecksum")] // RFC 8200 §8.1
    public void A_checksum_of_zero_is_none_over_IPv4_alone(bool isIpv4, string outcome)
    {
        byte[] frame = isIpv4 ? Frame(Of(DhcpMessageType.Discover)) : Frame(Of6(Dhcpv6MessageType.Solicit));
        frame.AsSpan(Frames.Decode(frame).TransportAt + 6, 2).Clear();

        Lab.TextOf(Lab.OnHv1.From("red/red-a", frame)).ShouldBe(outcome);
    }

    [Fact]
    public void Rfc768_the_message_ends_at_the_length_of_UDP()
    {
        byte[] frame = Frame(Of(DhcpMessageType.Discover));
        Span<byte> udp = frame.AsSpan(Frames.Decode(frame).TransportAt);
        udp[6..8].Clear();

        // RFC 2131 §2: 240 octets end with the magic cookie, in front of the option that says what message it is.
        BinaryPrimitives.WriteUInt16BigEndian(udp[4..], 8 + 240);
        Lab.TextOf(Lab.OnHv1.From("red/red-a", frame)).ShouldNotBe("Answer");
        BinaryPrimitives.WriteUInt16BigEndian(udp[4..], (ushort)(udp.Length + 1));
        Lab.TextOf(Lab.OnHv1.From("red/red-a", frame)).ShouldBe("Drop Malformed");
    }

    [Fact]
    public void Section_4_3_2_SELECTING_the_REQUEST_for_the_offered_address_gets_an_ACK_with_T1_and_T2()
    {
        (_, DhcpMessage ack) = Ask(Of(DhcpMessageType.Request, Requested(Own), Identifier(Server)));

        (ack.MessageType, ack.YourAddress, ack.ServerIdentifier)
            .ShouldBe((DhcpMessageType.Ack, IpAddress.Parse(Own), IpAddress.Parse(Server)));
        (ack.GetTime(DhcpOptionCode.LeaseTime), ack.GetTime(DhcpOptionCode.RenewalTime),
            ack.GetTime(DhcpOptionCode.RebindingTime)).ShouldBe((TimeSpan.FromSeconds(3600),
            TimeSpan.FromSeconds(1800), TimeSpan.FromSeconds(3150))); // §4.4.5: 0.5 and 0.875
    }

    [Fact]
    public void Section_4_3_2_SELECTING_a_REQUEST_for_another_server_is_met_with_silence() =>
        Lab.TextOf(Send(Of(DhcpMessageType.Request, Requested(Own), Identifier("10.0.1.254")))).ShouldBe("Consume");

    [Fact]
    public void Section_4_3_2_INIT_REBOOT_a_wrong_address_gets_a_NAK_that_is_broadcast()
    {
        (PacketHeader header, DhcpMessage nak) = Ask(Of(DhcpMessageType.Request, Requested("192.168.7.7")));

        (nak.MessageType, nak.YourAddress, nak.ServerIdentifier)
            .ShouldBe((DhcpMessageType.Nak, IpAddress.Unspecified4, IpAddress.Parse(Server)));
        (header.Destination, header.EthernetDestination).ShouldBe((IpAddress.Broadcast4, MacAddress.Broadcast));
        nak.GetTime(DhcpOptionCode.LeaseTime).ShouldBeNull(); // table 3: MUST NOT
    }

    [Theory]
    [InlineData("10.0.1.1", "02:00:00:00:01:01")]
    [InlineData("255.255.255.255", "ff:ff:ff:ff:ff:ff")]
    public void Section_4_3_2_RENEWING_and_REBINDING_the_ACK_goes_to_ciaddr(string to, string mac)
    {
        DhcpMessage request = Of(DhcpMessageType.Request) with { ClientAddress = IpAddress.Parse(Own) };
        (PacketHeader header, DhcpMessage ack) = Ask(request, to, mac, Own);

        (ack.MessageType, ack.ClientAddress, ack.YourAddress)
            .ShouldBe((DhcpMessageType.Ack, IpAddress.Parse(Own), IpAddress.Parse(Own)));
        (header.Destination, header.EthernetDestination).ShouldBe((IpAddress.Parse(Own), A));
    }

    [Theory]
    [InlineData("10.0.1.11", "10.0.1.11", "fa:16:3e:00:01:11")]
    [InlineData("0.0.0.0", "255.255.255.255", "ff:ff:ff:ff:ff:ff")]
    public void Section_4_3_5_the_ACK_to_an_INFORM_has_no_lease_time_and_no_yiaddr(
        string ciaddr, string destination, string mac)
    {
        DhcpMessage inform = Of(DhcpMessageType.Inform) with { ClientAddress = IpAddress.Parse(ciaddr) };
        (PacketHeader header, DhcpMessage ack) = Ask(inform, from: Own);

        (ack.MessageType, ack.YourAddress).ShouldBe((DhcpMessageType.Ack, IpAddress.Unspecified4));
        ack.GetTime(DhcpOptionCode.LeaseTime).ShouldBeNull();
        ack.GetAddress(DhcpOptionCode.DomainNameServer).ShouldBe(IpAddress.Parse("198.18.0.10"));
        (header.Destination, header.EthernetDestination)
            .ShouldBe((IpAddress.Parse(destination), MacAddress.Parse(mac)));
    }

    [Theory]
    [InlineData(DhcpMessageType.Decline)]
    [InlineData(DhcpMessageType.Release)]
    public void Section_4_3_3_and_4_3_4_DECLINE_and_RELEASE_have_no_answer(DhcpMessageType type) =>
        Lab.TextOf(Send(Of(type, Identifier(Server)))).ShouldBe("Consume");

    [Theory]
    [InlineData(DhcpMessageType.Discover, Own)]
    [InlineData(DhcpMessageType.Request, Own)]
    [InlineData(DhcpMessageType.Request, "10.9.9.9")]
    public void Rfc6842_section_3_the_client_identifier_comes_back_in_OFFER_ACK_and_NAK(
        DhcpMessageType type, string requested)
    {
        byte[] id = [1, 2, 3, 4];
        (_, DhcpMessage reply) = Ask(Of(type, Requested(requested), new(DhcpOptionCode.ClientIdentifier, id)));

        reply.TryGet(DhcpOptionCode.ClientIdentifier, out ReadOnlySpan<byte> back).ShouldBeTrue();
        back.ToArray().ShouldBe(id);
    }

    [Fact]
    public void Rfc8415_section_18_3_6_an_Information_request_gets_resolvers_and_no_addresses()
    {
        Dhcpv6Message reply = Ask6(Of6(Dhcpv6MessageType.InformationRequest)).ShouldNotBeNull();

        reply.Type.ShouldBe(Dhcpv6MessageType.Reply);
        reply.TryGet(Dhcpv6OptionCode.DnsServers, out ReadOnlySpan<byte> dns).ShouldBeTrue();
        IpAddress.FromOctets(dns).ShouldBe(IpAddress.Parse("2001:db8::53"));
        reply.TryGet(Dhcpv6OptionCode.ServerIdentifier, out _).ShouldBeTrue();
    }

    [Theory]
    [InlineData(Dhcpv6OptionCode.IaNa)]
    [InlineData(Dhcpv6OptionCode.IaTa)]
    [InlineData(Dhcpv6OptionCode.IaPd)]
    public void Rfc8415_section_16_12_an_Information_request_with_an_IA_option_is_discarded(Dhcpv6OptionCode code) =>
        Ask6(Of6(Dhcpv6MessageType.InformationRequest, new Dhcpv6Option(code, new byte[12]))).ShouldBeNull();

    [Fact]
    public void Rfc8415_section_16_12_an_Information_request_for_another_server_is_discarded() =>
        Ask6(Of6(Dhcpv6MessageType.InformationRequest, new Dhcpv6Option(Dhcpv6OptionCode.ServerIdentifier,
            Dhcpv6Option.DuidOf(A)))).ShouldBeNull();

    [Theory]
    [InlineData(Dhcpv6MessageType.Solicit, "fe80::ff:fe00:101", "02:00:00:00:01:01", "Drop NotForUs")]
    [InlineData(Dhcpv6MessageType.InformationRequest, "fe80::ff:fe00:101", "02:00:00:00:01:01", "Drop NotForUs")]
    [InlineData(Dhcpv6MessageType.Solicit, "ff02::1", "33:33:00:00:00:01", "Forward")] // not to servers
    [InlineData(Dhcpv6MessageType.Solicit, "ff02::1:2", "33:33:00:01:00:02", "Answer")]
    [InlineData(Dhcpv6MessageType.InformationRequest, "ff02::1:2", "33:33:00:01:00:02", "Answer")]
    public void Rfc8415_section_16_a_message_to_a_unicast_address_is_discarded(
        Dhcpv6MessageType type, string to, string mac, string outcome)
    {
        byte[] frame = Frame(Of6(type), IpAddress.Parse(to), MacAddress.Parse(mac));
        SimulationResult result = Lab.OnHv1.From("red/red-a", frame);

        Lab.TextOf(result).ShouldBe(outcome);
        (result.AnswerLength > 0).ShouldBe(outcome == "Answer");
    }

    [Fact]
    public void Rfc8415_section_18_3_9_an_IA_without_addresses_comes_back_with_NoAddrsAvail_inside()
    {
        byte[] na = [0, 0, 0, 7, 0, 0, 0, 1, 0, 0, 0, 2];
        byte[] pd = [0, 0, 0, 9, 0, 0, 0, 0, 0, 0, 0, 0];
        Dhcpv6Message advertise = Ask6(Of6(Dhcpv6MessageType.Solicit, new Dhcpv6Option(Dhcpv6OptionCode.IaNa, na),
            new Dhcpv6Option(Dhcpv6OptionCode.IaPd, pd))).ShouldNotBeNull();

        advertise.Type.ShouldBe(Dhcpv6MessageType.Advertise);
        StatusIn(advertise, Dhcpv6OptionCode.IaNa).ShouldBe((7u, TimeSpan.Zero, Dhcpv6StatusCode.NoAddrsAvail));
        StatusIn(advertise, Dhcpv6OptionCode.IaPd).ShouldBe((9u, TimeSpan.Zero, Dhcpv6StatusCode.NoPrefixAvail));
    }

    private static (uint Iaid, TimeSpan T1, Dhcpv6StatusCode Status) StatusIn(
        Dhcpv6Message message, Dhcpv6OptionCode code)
    {
        Dhcpv6Option option = message.Options.Single(o => o.Code == code);
        IdentityAssociation.TryDecode(option.Data.Span, out IdentityAssociation? association)
            .ShouldBe(DhcpFault.None);
        Dhcpv6Option status = association!.Options.ShouldHaveSingleItem();
        status.Code.ShouldBe(Dhcpv6OptionCode.StatusCode);
        return (association.Iaid, association.T1, (Dhcpv6StatusCode)status.Data.Span[1]);
    }

    private static DhcpMessage Of(DhcpMessageType type, params ReadOnlySpan<DhcpOption> options) => new()
    {
        Op = DhcpOp.BootRequest,
        TransactionId = 5,
        ClientMac = A,
        Options = [DhcpOption.OfByte(DhcpOptionCode.MessageType, (byte)type), .. options],
    };

    private static DhcpOption Requested(string address) =>
        DhcpOption.OfAddresses(DhcpOptionCode.RequestedAddress, IpAddress.Parse(address));

    private static DhcpOption Identifier(string address) =>
        DhcpOption.OfAddresses(DhcpOptionCode.ServerIdentifier, IpAddress.Parse(address));

    private static SimulationResult Send(
        DhcpMessage message, string to = "255.255.255.255", string mac = "ff:ff:ff:ff:ff:ff", string from = "0.0.0.0",
        Lab? at = null) => (at ?? Lab.OnHv1).From("red/red-a", Frame(message, to, mac, from));

    private static byte[] Frame(
        DhcpMessage message, string to = "255.255.255.255", string mac = "ff:ff:ff:ff:ff:ff", string from = "0.0.0.0")
    {
        FrameWriter writer =
            Frames.Begin(out byte[] buffer, MacAddress.Parse(mac), A, from, to, IpProtocol.Udp);
        writer.Udp(68, 67);
        writer.Advance(message.Encode(writer.Rest[..600], out _));
        return buffer[..writer.Finish()];
    }

    private static (PacketHeader Header, DhcpMessage Reply) Ask(
        DhcpMessage message, string to = "255.255.255.255", string mac = "ff:ff:ff:ff:ff:ff", string from = "0.0.0.0")
    {
        SimulationResult result = Send(message, to, mac, from);
        Lab.TextOf(result).ShouldBe("Answer");
        PacketHeader header = Frames.Decode(result.Answer);
        DhcpMessage.TryDecode(result.Answer[header.PayloadAt..header.NetworkEnd], out DhcpMessage? reply)
            .ShouldBe(DhcpFault.None);
        header.EthernetSource.ShouldBe(Router);
        return (header, reply!);
    }

    private static Dhcpv6Message Of6(Dhcpv6MessageType type, params ReadOnlySpan<Dhcpv6Option> options) => new()
    {
        Type = type,
        TransactionId = 5,
        Options =
        [
            new Dhcpv6Option(Dhcpv6OptionCode.ClientIdentifier, Dhcpv6Option.DuidOf(A)),
            new Dhcpv6Option(Dhcpv6OptionCode.OptionRequest, new byte[] { 0, (byte)Dhcpv6OptionCode.DnsServers }),
            .. options,
        ],
    };

    private static byte[] Frame(Dhcpv6Message message, IpAddress? to = null, MacAddress? mac = null)
    {
        IpAddress destination = to ?? Dhcpv6Message.AllRelayAgentsAndServers;
        FrameWriter writer = Frames.Begin(
            out byte[] buffer, mac ?? MacAddress.OfMulticastGroup(destination), A,
            IpAddress.LinkLocalOf(A).ToString(), destination.ToString(), IpProtocol.Udp);
        writer.Udp(546, 547);
        writer.Advance(message.Encode(writer.Rest));
        return buffer[..writer.Finish()];
    }

    private static Dhcpv6Message? Ask6(Dhcpv6Message message)
    {
        SimulationResult result = Lab.OnHv1.From("red/red-a", Frame(message));
        if (result.AnswerLength == 0) return null;
        PacketHeader header = Frames.Decode(result.Answer);
        (header.SourcePort, header.DestinationPort).ShouldBe(((ushort)547, (ushort)546));
        Dhcpv6Message.TryDecode(result.Answer[header.PayloadAt..header.NetworkEnd], out Dhcpv6Message? reply)
            .ShouldBe(DhcpFault.None);
        return reply;
    }
}
