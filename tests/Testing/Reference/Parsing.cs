using Genkan.Overlay.Flows;
using Genkan.Wire;

namespace Genkan.Testing.Reference;

/// <summary>From octets to a key (parse.h; RFC 791, RFC 8200, RFC 9293, RFC 768, RFC 792, RFC 4443).</summary>
internal static class Parsing
{
    public const int EthernetSize = 14;
    public const ushort Ipv4 = 0x0800;
    public const ushort Ipv6 = 0x86dd;
    public const ushort Arp = 0x0806;

    private const ushort EtherTypeMin = 0x0600;
    private const ushort Llc = 0x0004;
    private const int Ipv6Size = 40;
    private const int TransportAtMax = 1023;
    private const ushort Tag = 0x8100;
    private const ushort ServiceTag = 0x88a8;

    /// <summary>The EtherType; the one tag that is allowed stands beside the frame.</summary>
    /// <returns>None, or why the frame is dropped.</returns>
    public static DropReason Ethernet(Flow f)
    {
        if (f.Frame.Length < EthernetSize) return DropReason.Truncated;
        f.EtherType = Octets.Word(f.Frame, 12);
        return f.EtherType is Tag or ServiceTag ? DropReason.NestedVlan : DropReason.None;
    }

    /// <summary>The key under which the packet is looked for.</summary>
    /// <param name="f">Its EtherType is known.</param>
    /// <param name="keyPort">Port in the key.</param>
    /// <param name="isL3">Whether keys of that port carry no MACs.</param>
    /// <returns>None, or why the packet is dropped.</returns>
    public static DropReason Parse(Flow f, uint keyPort, bool isL3)
    {
        f.Key = new ConnKey(
            false, keyPort, 0, 0, 0, 0, 0, FragmentKind.None,
            isL3 ? 0 : Octets.Mac(f.Frame, 0), isL3 ? 0 : Octets.Mac(f.Frame, 6));
        // Below, the field is a length, and the frame one of LLC (IEEE 802.3 §3.2.6; ETH_P_802_2).
        if (f.EtherType < EtherTypeMin) f.EtherType = Llc;
        return f.EtherType switch
        {
            Ipv4 => ParseIpv4(f),
            Ipv6 => ParseIpv6(f),
            _ => DropReason.None,
        };
    }

    private static DropReason ParseIpv4(Flow f)
    {
        byte[] frame = f.Frame;
        if (frame.Length < EthernetSize + 20) return DropReason.Truncated;
        int header = (frame[EthernetSize] & 0xf) * 4, total = Octets.Word(frame, EthernetSize + 2);
        if (frame[EthernetSize] >> 4 != 4 || header < 20 || total < header) return DropReason.Malformed;
        if (total > frame.Length - EthernetSize) return DropReason.Truncated;

        ushort fragment = Octets.Word(frame, EthernetSize + 6);
        f.Fragment = KindOf(fragment & 0x1fff, (fragment & 0x2000) != 0);
        f.IsIp = true;
        f.HopLimit = frame[EthernetSize + 8];
        f.Key = f.Key with
        {
            Protocol = frame[EthernetSize + 9],
            Fragment = KeyOf(f.Fragment),
            Source = Octets.Address(frame, EthernetSize + 12, isIpv6: false),
            Destination = Octets.Address(frame, EthernetSize + 16, isIpv6: false),
        };
        return Trimmed(f, ParseTransport(f, EthernetSize + header, EthernetSize + total), EthernetSize + total);
    }

    private static DropReason ParseIpv6(Flow f)
    {
        byte[] frame = f.Frame;
        if (frame.Length < EthernetSize + Ipv6Size) return DropReason.Truncated;
        if (frame[EthernetSize] >> 4 != 6) return DropReason.Malformed;
        int end = EthernetSize + Ipv6Size + Octets.Word(frame, EthernetSize + 4);
        if (end > frame.Length) return DropReason.Truncated;

        f.IsIp = f.IsIpv6 = true;
        f.HopLimit = frame[EthernetSize + 7];
        f.Key = f.Key with
        {
            IsIpv6 = true,
            Source = Octets.Address(frame, EthernetSize + 8, isIpv6: true),
            Destination = Octets.Address(frame, EthernetSize + 24, isIpv6: true),
        };
        DropReason fault = WalkExtensions(f, frame[EthernetSize + 6], end, out int at);
        return fault == DropReason.None ? Trimmed(f, ParseTransport(f, at, end), end) : fault;
    }

    /// <summary>What stands behind an IP packet is taken off, but for padding of Ethernet's shortest frame.</summary>
    private static DropReason Trimmed(Flow f, DropReason fault, int end)
    {
        const int ShortestFrame = 60; // without frame check sequence (IEEE 802.3 §3.2.8)
        if (f.Frame.Length > ShortestFrame && f.GsoSize == 0) f.Frame = f.Frame[..end];
        return fault;
    }

    /// <summary>
    /// RFC 8200 §4: at most six extension headers, each within the packet; options for each hop come first (§4.3);
    /// routing headers of type 0 with segments left are dead (RFC 5095); one fragment header.
    /// </summary>
    private static DropReason WalkExtensions(Flow f, byte next, int end, out int at)
    {
        at = EthernetSize + Ipv6Size;
        for (int count = 0; IsExtension(next) && f.Fragment != FragmentKind.Later; count++)
        {
            if (count == WireLimits.ExtensionHeadersMax || at > TransportAtMax) return DropReason.Malformed;
            if (at + 8 > end) return DropReason.Truncated;
            byte[] frame = f.Frame;
            int size = (frame[at + 1] + 1) * 8;
            switch ((IpProtocol)next)
            {
                case IpProtocol.HopByHopOptions when count > 0:
                case IpProtocol.Routing when frame[at + 2] == 0 && frame[at + 3] != 0:
                case IpProtocol.Fragment when f.Fragment != FragmentKind.None:
                    return DropReason.Malformed;
                case IpProtocol.AuthenticationHeader: // RFC 4302 §2.2
                    size = (frame[at + 1] + 2) * 4;
                    break;
                case IpProtocol.Fragment: // an offset of 0 without more is an atomic fragment (RFC 6946): whole
                    ushort fragment = Octets.Word(frame, at + 2);
                    f.FragmentHeaderAt = at;
                    f.Fragment = KindOf(fragment >> 3, (fragment & 1) != 0);
                    f.Key = f.Key with { Fragment = KeyOf(f.Fragment) };
                    size = 8;
                    break;
            }

            if (at + size > end) return DropReason.Truncated;
            next = frame[at];
            at += size;
        }

        f.Key = f.Key with { Protocol = next };
        return DropReason.None;
    }

    /// <summary>RFC 7045 §4, but for 253 and 254, whose format nobody knows.</summary>
    private static bool IsExtension(byte next) => (IpProtocol)next is IpProtocol.HopByHopOptions or IpProtocol.Routing
        or IpProtocol.Fragment or IpProtocol.AuthenticationHeader or IpProtocol.DestinationOptions
        or IpProtocol.Mobility or IpProtocol.Hip or IpProtocol.Shim6;

    private static FragmentKind KindOf(int offset, bool more) =>
        offset != 0 ? FragmentKind.Later : more ? FragmentKind.First : FragmentKind.None;

    /// <summary>A first fragment has the key of the whole datagram; a later one shows no ports.</summary>
    private static FragmentKind KeyOf(FragmentKind kind) =>
        kind == FragmentKind.Later ? FragmentKind.Later : FragmentKind.None;

    /// <summary>Ports as a key has them; a header that the program reads must be in the packet by its IP
    /// header.</summary>
    private static DropReason ParseTransport(Flow f, int at, int end)
    {
        f.TransportAt = 0;
        if (f.Fragment == FragmentKind.Later || (f.IsIpv6 && f.Key.Protocol == (byte)IpProtocol.NoNextHeader))
            return DropReason.None;
        if (at > TransportAtMax) return DropReason.Malformed;

        f.TransportAt = at;
        switch ((IpProtocol)f.Key.Protocol)
        {
            case IpProtocol.Tcp:
                if (at + 20 > end) return DropReason.Truncated;
                byte flags = f.Frame[at + 13];
                f.TcpSeen = (byte)(((flags & 0x02) != 0 ? 1 : 0) | ((flags & 0x01) != 0 ? 2 : 0)
                    | ((flags & 0x04) != 0 ? 4 : 0) | ((flags & 0x10) != 0 ? 8 : 0)
                    | ((flags & 0x16) == 0x10 ? 16 : 0));
                TakePorts(f, at);
                return DropReason.None;
            case IpProtocol.Udp:
            case IpProtocol.Sctp:
                if (at + 8 > end) return DropReason.Truncated;
                TakePorts(f, at);
                f.IsControl = f.Key.Protocol == (byte)IpProtocol.Udp
                    && f.Key.DestinationPort == (f.IsIpv6 ? 547 : 67); // DHCP to servers and relays
                return DropReason.None;
            case IpProtocol.UdpLite: // no ports in the key, but the checksum is within eight octets
            case IpProtocol.Dccp:
                return at + 8 > end ? DropReason.Truncated : DropReason.None;
            case IpProtocol.Icmp when !f.IsIpv6:
            case IpProtocol.Icmpv6 when f.IsIpv6:
                return ParseIcmp(f, at, end);
            default:
                return DropReason.None;
        }
    }

    private static void TakePorts(Flow f, int at) => f.Key = f.Key with
    {
        SourcePort = Octets.Word(f.Frame, at),
        DestinationPort = Octets.Word(f.Frame, at + 2),
    };

    /// <summary>Any message has four octets (RFC 4443 §2.1), an echo or an error eight.</summary>
    private static DropReason ParseIcmp(Flow f, int at, int end)
    {
        if (at + 4 > end) return DropReason.Truncated;
        byte type = f.Frame[at];
        f.Key = f.Key with { DestinationPort = Octets.Word(f.Frame, at) };
        f.IsEcho = f.IsIpv6 ? type is 128 or 129 : type is 8 or 0;
        f.IsControl = !f.IsEcho;
        f.IsIcmpError = f.IsIpv6 ? type < 128 : type is 3 or 4 or 5 or 11 or 12; // RFC 4443 §2.1, RFC 1122 §3.2.2
        f.IsLinkLocalTalk = f.IsIpv6 && type is (>= 130 and <= 137) or 143; // MLD, ND, redirect; MLDv2
        if (!f.IsEcho && !f.IsIcmpError) return DropReason.None;
        if (at + 8 > end) return DropReason.Truncated;
        if (f.IsEcho) f.Key = f.Key with { SourcePort = Octets.Word(f.Frame, at + 4) };
        return DropReason.None;
    }
}
