using System.Collections.Generic;
using System.Globalization;
using System.Linq;
using Genkan.Wire;

namespace Genkan.Host.Trace;

/// <summary>Packets in words close to tcpdump's.</summary>
internal static class PacketText
{
    /// <summary>One line for a packet.</summary>
    public static string Describe(in PacketHeader packet)
    {
        string ethernet = $"{packet.EthernetSource} > {packet.EthernetDestination}";
        if (packet.IsArp)
        {
            return packet.ArpOperation == ArpOperation.Request
                ? $"{ethernet}, arp who-has {packet.Destination} tell {packet.Source}"
                : $"{ethernet}, arp reply {packet.Source} is-at {packet.ArpSenderMac}";
        }

        if (!packet.IsIpv4 && !packet.IsIpv6) return $"{ethernet}, ethertype 0x{(ushort)packet.EtherType:x4}";
        string ends = $"{Endpoint(packet, isSource: true)} > {Endpoint(packet, isSource: false)}";
        string tail = packet.IsIcmp
            ? $" {IcmpName(packet)}"
            : packet.Protocol == IpProtocol.Tcp ? $" {FlagNames(packet.TcpFlags)}" : "";
        string fragment = packet.Fragment == FragmentKind.None
            ? ""
            : $" {packet.Fragment.ToString().ToLowerInvariant()} fragment";
        return string.Create(
            CultureInfo.InvariantCulture,
            $"{ethernet}, {ProtocolName(packet.Protocol)} {ends}{tail}{fragment} ttl {packet.HopLimit}");
    }

    /// <summary>What differs between a packet as it came and as it goes, in the order of the headers.</summary>
    public static IReadOnlyList<string> Rewrites(in PacketHeader before, in PacketHeader after)
    {
        List<string> rewrites = [];
        if (before.EthernetSource != after.EthernetSource) rewrites.Add($"source MAC {after.EthernetSource}");
        if (before.EthernetDestination != after.EthernetDestination)
        {
            rewrites.Add($"destination MAC {after.EthernetDestination}");
        }
        if (before.Source != after.Source || before.SourcePort != after.SourcePort)
        {
            rewrites.Add($"source {Endpoint(after, isSource: true)}");
        }

        bool isPortNew = before.DestinationPort != after.DestinationPort && !after.IsIcmp;
        if (isPortNew || before.Destination != after.Destination)
        {
            rewrites.Add($"destination {Endpoint(after, isSource: false)}");
        }

        if (before.HopLimit != after.HopLimit)
        {
            rewrites.Add(string.Create(CultureInfo.InvariantCulture, $"ttl {after.HopLimit}"));
        }

        return rewrites;
    }

    /// <summary>An address with its port where the protocol has one; ICMP queries show their identifier.</summary>
    public static string Endpoint(IpAddress address, ushort port, IpProtocol protocol) => protocol switch
    {
        IpProtocol.Tcp or IpProtocol.Udp or IpProtocol.Sctp => string.Create(
            CultureInfo.InvariantCulture, $"{(address.IsIpv4 ? address.ToString() : $"[{address}]")}:{port}"),
        _ => address.ToString(),
    };

    /// <summary>A protocol's name, or its number.</summary>
    public static string ProtocolName(IpProtocol protocol) => protocol switch
    {
        IpProtocol.Tcp => "tcp",
        IpProtocol.Udp => "udp",
        IpProtocol.Sctp => "sctp",
        IpProtocol.Icmp => "icmp",
        IpProtocol.Icmpv6 => "icmp6",
        _ => string.Create(CultureInfo.InvariantCulture, $"proto {(byte)protocol}"),
    };

    /// <summary>Names of the control bits, e.g. <c>syn ack</c>.</summary>
    public static string FlagNames(TcpFlags flags)
    {
        (TcpFlags Flag, string Name)[] names =
        [
            (TcpFlags.Syn, "syn"), (TcpFlags.Ack, "ack"), (TcpFlags.Fin, "fin"), (TcpFlags.Rst, "rst"),
            (TcpFlags.Psh, "psh"),
            (TcpFlags.Urg, "urg"), (TcpFlags.Ece, "ece"), (TcpFlags.Cwr, "cwr"),
        ];
        string text = string.Join(' ', names.Where(n => flags.HasFlag(n.Flag)).Select(static n => n.Name));
        return text.Length == 0 ? "no flags" : text;
    }

    private static string Endpoint(in PacketHeader packet, bool isSource)
    {
        bool hasPorts = packet.Fragment != FragmentKind.Later;
        return Endpoint(
            isSource ? packet.Source : packet.Destination,
            isSource ? packet.SourcePort : packet.DestinationPort,
            hasPorts ? packet.Protocol : IpProtocol.NoNextHeader);
    }

    private static string IcmpName(in PacketHeader packet)
    {
        string identifier = string.Create(CultureInfo.InvariantCulture, $"id {packet.SourcePort}");
        if (packet.IsEchoRequest) return $"echo {identifier}";
        if (packet.IsEchoReply) return $"reply {identifier}";
        return string.Create(CultureInfo.InvariantCulture, $"type {packet.IcmpType} code {packet.IcmpCode}");
    }
}
