using System;
using System.Collections.Generic;
using System.Linq;
using Genkan.Overlay.Flows;
using Genkan.Overlay.Topology;
using Genkan.Wire;
using Genkan.Wire.Dhcp;

namespace Genkan.Overlay.Simulation.Answers;

/// <summary>Stateless DHCPv6 of a bridge (RFC 8415 §18.3.6): resolvers, search list and time servers; addresses come
/// by SLAAC.</summary>
internal static class Dhcpv6Answer
{
    private const byte HopLimit = 64;
    private const int IaidSize = 4;
    private const int TimesSize = 8;
    private const int OptionHeaderSize = 4;
    private static readonly TimeSpan RefreshTime = TimeSpan.FromHours(24); // RFC 8415 §21.23, IRT_DEFAULT

    /// <summary>Answers a client's message.</summary>
    /// <param name="bridge">The bridge that it was sent on.</param>
    /// <param name="port">The port that sent it.</param>
    /// <param name="serverMac">The router's MAC; our DUID derives from it.</param>
    /// <param name="serverLinkLocal">The router's link-local address: source of the answer.</param>
    /// <param name="packet">UDP from port 546 to port 547.</param>
    /// <param name="frame">Its octets.</param>
    /// <param name="result">Filled.</param>
    /// <returns>False if no IPv6 subnet of the bridge is announced.</returns>
    public static bool TryAnswer(
        Bridge bridge,
        VirtualPort port,
        MacAddress serverMac,
        IpAddress serverLinkLocal,
        in PacketHeader packet,
        ReadOnlySpan<byte> frame,
        SimulationResult result)
    {
        Subnet? subnet = bridge.Subnets.FirstOrDefault(s => s.IsDhcpEnabled && s.Prefix.IsIpv6);
        if (subnet is null) return false;

        result.IsCacheable = false;
        UdpFault fault = UdpDatagram.TryOpen(frame, packet, out ReadOnlySpan<byte> data);
        if (fault != UdpFault.None) return Refuse(DropReasons.Of(fault), result);
        if (Dhcpv6Message.TryDecode(data, out Dhcpv6Message? message) != DhcpFault.None)
            return Refuse(DropReason.Malformed, result);

        byte[] duid = Dhcpv6Option.DuidOf(serverMac);
        Dhcpv6Message? reply = Decide(message!, subnet, duid);
        result.Verdict = SimulationVerdict.Consume;
        if (reply is null) return true;

        FrameWriter writer = new(result.AnswerBuffer);
        writer.Ethernet(port.Mac, serverMac);
        writer.Ip(serverLinkLocal, packet.Source, IpProtocol.Udp, HopLimit);
        writer.Udp(Dhcpv6Message.ServerPort, Dhcpv6Message.ClientPort);
        writer.Advance(reply.Encode(writer.Rest));
        result.AnswerLength = writer.Finish();
        result.AnswerEgress = new Egress(EgressKind.Port, port.Id);
        result.Verdict = SimulationVerdict.Answer;
        result.Trace?.Add(new TraceStep(bridge.Name, $"DHCPv6 {message!.Type}: {reply.Type}"));
        return true;
    }

    private static Dhcpv6Message? Decide(Dhcpv6Message message, Subnet subnet, byte[] duid)
    {
        // §16: a message for another server, or one without what its type must have, is silently discarded.
        bool hasServer = message.TryGet(Dhcpv6OptionCode.ServerIdentifier, out ReadOnlySpan<byte> server);
        if (hasServer && !server.SequenceEqual(duid)) return null;

        bool hasClient = message.TryGet(Dhcpv6OptionCode.ClientIdentifier, out _);
        return message.Type switch
        {
            Dhcpv6MessageType.InformationRequest when !message.Options.Any(o => IsAssociation(o.Code)) => // §16.12
                message.Reply(Dhcpv6MessageType.Reply, duid, Options(message, subnet)),

            // §18.3.9: we have no addresses to give; the client then keeps what SLAAC gave it.
            Dhcpv6MessageType.Solicit when hasClient && !hasServer => message.Reply(
                Dhcpv6MessageType.Advertise, duid, [.. EmptyAssociations(message), .. Options(message, subnet)]),
            _ => null,
        };
    }

    private static bool IsAssociation(Dhcpv6OptionCode code) =>
        code is Dhcpv6OptionCode.IaNa or Dhcpv6OptionCode.IaTa or Dhcpv6OptionCode.IaPd;

    /// <summary>§18.3.9: each association comes back without addresses, its status inside. IA_NA and IA_PD have T1 and
    /// T2 behind the IAID, IA_TA has not (§21.4, §21.5, §21.21).</summary>
    private static IEnumerable<Dhcpv6Option> EmptyAssociations(Dhcpv6Message message)
    {
        foreach (Dhcpv6Option option in message.Options)
        {
            int size = option.Code == Dhcpv6OptionCode.IaTa ? IaidSize : IaidSize + TimesSize;
            if (!IsAssociation(option.Code) || option.Data.Length < size) continue;
            Dhcpv6Option status = option.Code == Dhcpv6OptionCode.IaPd
                ? Dhcpv6Option.OfStatus(Dhcpv6StatusCode.NoPrefixAvail, "no prefixes are delegated")
                : Dhcpv6Option.OfStatus(Dhcpv6StatusCode.NoAddrsAvail, "addresses come by SLAAC");
            byte[] data = new byte[size + OptionHeaderSize + status.Data.Length];
            option.Data.Span[..IaidSize].CopyTo(data);
            status.Encode(data.AsSpan(size));
            yield return new Dhcpv6Option(option.Code, data);
        }
    }

    private static IEnumerable<Dhcpv6Option> Options(Dhcpv6Message message, Subnet subnet)
    {
        IpAddress[] dns = [.. subnet.Dns.Where(a => a.IsIpv6)];
        if (dns.Length > 0 && message.Wants(Dhcpv6OptionCode.DnsServers))
        {
            yield return Dhcpv6Option.OfAddresses(Dhcpv6OptionCode.DnsServers, dns);
        }

        if (subnet.Domain.Length > 0 && message.Wants(Dhcpv6OptionCode.DomainList))
        {
            yield return Dhcpv6Option.OfDomainList([subnet.Domain]);
        }

        IpAddress[] ntp = [.. subnet.Ntp.Where(a => a.IsIpv6)];
        if (ntp.Length > 0 && message.Wants(Dhcpv6OptionCode.NtpServer)) yield return Dhcpv6Option.OfNtpServers(ntp);
        if (message.Type == Dhcpv6MessageType.InformationRequest)
        {
            yield return Dhcpv6Option.OfTime(Dhcpv6OptionCode.InformationRefreshTime, RefreshTime);
        }
    }

    private static bool Refuse(DropReason reason, SimulationResult result)
    {
        result.Verdict = SimulationVerdict.Drop;
        result.DropReason = reason;
        return true;
    }
}
