using System;
using System.Collections.Generic;
using System.Collections.Immutable;
using System.Linq;
using Genkan.Overlay.Flows;
using Genkan.Overlay.Topology;
using Genkan.Wire;
using Genkan.Wire.Dhcp;

namespace Genkan.Overlay.Simulation.Answers;

/// <summary>The DHCPv4 server of a bridge (RFC 2131): each port is offered its own fixed address, at whichever host it
/// is.</summary>
internal static class Dhcpv4Answer
{
    private const byte HopLimit = 64;

    /// <summary>Answers a client's message.</summary>
    /// <param name="bridge">The bridge that it was sent on.</param>
    /// <param name="port">The port that sent it.</param>
    /// <param name="serverMac">MAC that the server's address has on this bridge.</param>
    /// <param name="packet">UDP from port 68 to port 67.</param>
    /// <param name="frame">Its octets.</param>
    /// <param name="result">Filled.</param>
    /// <returns>False if no subnet of the bridge has DHCP on, or if the client is somebody behind a port without port
    /// security: the message is then one like any other, and a server of the tenant's may answer it.</returns>
    public static bool TryAnswer(
        Bridge bridge, VirtualPort port, MacAddress serverMac, in PacketHeader packet, ReadOnlySpan<byte> frame,
        SimulationResult result)
    {
        if (!bridge.Subnets.Any(s => s.IsDhcpEnabled && s.Prefix.IsIpv4)) return false;

        result.IsCacheable = false;
        UdpFault fault = UdpDatagram.TryOpen(frame, packet, out ReadOnlySpan<byte> data);
        if (fault != UdpFault.None) return Refuse(DropReasons.Of(fault), result);
        if (DhcpMessage.TryDecode(data, out DhcpMessage? message) != DhcpFault.None
            || message!.Op != DhcpOp.BootRequest)
        {
            return Refuse(DropReason.Malformed, result);
        }

        // RFC 2131 §1.6: one address is for one client, and the port's is for who has the port's MAC. chaddr says who
        // asks (§4.1), whatever frame it comes in.
        if (message.ClientMac != port.Mac)
            return port.PortSecurity && Refuse(DropReason.SpoofedMac, result);
        if (!message.RelayAddress.IsUnspecified) return Refuse(DropReason.NotForUs, result);
        if (!TryFindAddress(bridge, port, out Subnet? subnet, out IpAddress address))
            return Refuse(DropReason.NotForUs, result);

        DhcpMessage? reply = Decide(message, bridge, subnet, address);
        result.Verdict = SimulationVerdict.Consume;
        if (reply is null) return true;

        result.AnswerLength = Write(reply, message, port, subnet, serverMac, result.AnswerBuffer);
        result.AnswerEgress = new Egress(EgressKind.Port, port.Id);
        result.Verdict = SimulationVerdict.Answer;
        result.Trace?.Add(new TraceStep(bridge.Name, $"DHCP {message.MessageType}: {reply.MessageType} {address}"));
        return true;
    }

    /// <summary>RFC 2131 §4.3: what each message of a client gets.</summary>
    private static DhcpMessage? Decide(DhcpMessage message, Bridge bridge, Subnet subnet, IpAddress address)
    {
        ImmutableArray<DhcpOption> lease = LeaseOptions(subnet);
        List<DhcpOption> all = [.. lease, .. Options(bridge, subnet, message)];
        return message.MessageType switch
        {
            DhcpMessageType.Discover => message.Reply(DhcpMessageType.Offer, subnet.DhcpServer, address, all),
            DhcpMessageType.Request when IsForAnother(message, subnet) => null,
            DhcpMessageType.Request when IsFor(message, address) =>
                message.Reply(DhcpMessageType.Ack, subnet.DhcpServer, address, all),
            DhcpMessageType.Request => message.Reply(
                DhcpMessageType.Nak, subnet.DhcpServer, IpAddress.Unspecified4,
                [DhcpOption.OfText(DhcpOptionCode.Message, $"this port has the address {address}")]),

            // §4.3.5: parameters only, neither address nor times.
            DhcpMessageType.Inform => message.Reply(
                DhcpMessageType.Ack, subnet.DhcpServer, IpAddress.Unspecified4, Options(bridge, subnet, message)),
            _ => null, // DECLINE and RELEASE change nothing: the address is the port's
        };
    }

    private static bool IsForAnother(DhcpMessage message, Subnet subnet) =>
        message.ServerIdentifier is { } server && server != subnet.DhcpServer;

    /// <summary>SELECTING and INIT-REBOOT name the address in option 50, RENEWING and REBINDING in ciaddr
    /// (§4.3.2).</summary>
    private static bool IsFor(DhcpMessage message, IpAddress address) =>
        (message.RequestedAddress ?? message.ClientAddress) == address;

    private static bool TryFindAddress(Bridge bridge, VirtualPort port, out Subnet subnet, out IpAddress address)
    {
        foreach (IpInterface own in port.Addresses)
        {
            foreach (Subnet candidate in bridge.Subnets)
            {
                if (!candidate.IsDhcpEnabled || !candidate.Prefix.IsIpv4 || !candidate.Prefix.Contains(own.Address))
                    continue;
                (subnet, address) = (candidate, own.Address);
                return true;
            }
        }

        (subnet, address) = (null!, default);
        return false;
    }

    private static ImmutableArray<DhcpOption> LeaseOptions(Subnet subnet)
    {
        TimeSpan lease = subnet.LeaseSeconds == uint.MaxValue
            ? TimeSpan.MaxValue : TimeSpan.FromSeconds(subnet.LeaseSeconds);
        if (lease == TimeSpan.MaxValue) return [DhcpOption.OfTime(DhcpOptionCode.LeaseTime, lease)];
        return
        [
            DhcpOption.OfTime(DhcpOptionCode.LeaseTime, lease),
            DhcpOption.OfTime(DhcpOptionCode.RenewalTime, lease / 2), // T1, §4.4.5
            DhcpOption.OfTime(DhcpOptionCode.RebindingTime, lease * 7 / 8), // T2
        ];
    }

    /// <summary>Configuration options, the important first, since small replies leave out the last.</summary>
    private static IEnumerable<DhcpOption> Options(Bridge bridge, Subnet subnet, DhcpMessage message)
    {
        yield return DhcpOption.OfAddresses(DhcpOptionCode.SubnetMask, subnet.Prefix.Netmask);
        bool hasGateway = !subnet.Gateway.IsUnspecified;
        if (hasGateway) yield return DhcpOption.OfAddresses(DhcpOptionCode.Router, subnet.Gateway);

        List<ClasslessRoute> routes = Routes(subnet, hasGateway);
        if (routes.Count > 0 && subnet.HostRoutes.Any(r => r.Destination.IsIpv4))
        {
            yield return DhcpOption.OfClasslessRoutes(routes);
            if (message.Wants(DhcpOptionCode.PrivateClasslessStaticRoute))
            {
                yield return DhcpOption.OfClasslessRoutes(routes, DhcpOptionCode.PrivateClasslessStaticRoute);
            }
        }

        yield return DhcpOption.OfUInt16(DhcpOptionCode.InterfaceMtu, (ushort)Math.Min(bridge.Mtu, ushort.MaxValue));
        IpAddress[] dns = [.. subnet.Dns.Where(a => a.IsIpv4)];
        if (dns.Length > 0) yield return DhcpOption.OfAddresses(DhcpOptionCode.DomainNameServer, dns);
        if (subnet.Domain.Length > 0)
        {
            yield return DhcpOption.OfText(DhcpOptionCode.DomainName, subnet.Domain);
            yield return DhcpOption.OfDomainSearch([subnet.Domain]);
        }

        IpAddress[] ntp = [.. subnet.Ntp.Where(a => a.IsIpv4)];
        if (ntp.Length > 0) yield return DhcpOption.OfAddresses(DhcpOptionCode.NtpServers, ntp);
        if (subnet.Prefix.LengthBits < 31)
            yield return DhcpOption.OfAddresses(DhcpOptionCode.BroadcastAddress, subnet.Prefix.Broadcast);
    }

    /// <summary>RFC 3442: a client that understands option 121 ignores option 3, so the default route is in it
    /// too.</summary>
    private static List<ClasslessRoute> Routes(Subnet subnet, bool hasGateway)
    {
        List<ClasslessRoute> routes =
        [
            .. subnet.HostRoutes.Where(r => r.Destination.IsIpv4).Select(r =>
                new ClasslessRoute(r.Destination, r.NextHop)),
        ];
        if (hasGateway && !routes.Exists(r => r.Destination.LengthBits == 0))
        {
            routes.Add(new ClasslessRoute(IpPrefix.All4, subnet.Gateway));
        }

        return routes;
    }

    private static int Write(
        DhcpMessage reply, DhcpMessage message, VirtualPort port, Subnet subnet, MacAddress serverMac,
        Span<byte> output)
    {
        // §4.1: to ciaddr if the client has it; broadcast if it asks so or is refused; else to yiaddr, which only its
        // MAC knows.
        // An INFORM that does not say where its sender is (§4.3.5) has an answer that all may hear.
        bool isBroadcast = reply.MessageType == DhcpMessageType.Nak
            || (message.ClientAddress.IsUnspecified && (message.IsBroadcast || reply.YourAddress.IsUnspecified));
        IpAddress destination = isBroadcast ? IpAddress.FromIpv4(uint.MaxValue)
            : message.ClientAddress.IsUnspecified ? reply.YourAddress
            : message.ClientAddress;

        FrameWriter writer = new(output);
        writer.Ethernet(isBroadcast ? MacAddress.Broadcast : port.Mac, serverMac);
        writer.Ip(subnet.DhcpServer, destination, IpProtocol.Udp, HopLimit);
        writer.Udp(DhcpMessage.ServerPort, DhcpMessage.ClientPort);
        int room = Math.Min(writer.Rest.Length, message.ClientLengthMax);
        writer.Advance(reply.Encode(writer.Rest[..room], out _));
        return writer.Finish();
    }

    private static bool Refuse(DropReason reason, SimulationResult result)
    {
        result.Verdict = SimulationVerdict.Drop;
        result.DropReason = reason;
        return true;
    }
}
