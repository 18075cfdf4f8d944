using System;
using System.Collections.Generic;
using Genkan.Overlay.Flows;
using Genkan.Wire;

namespace Genkan.Testing.Reference;

/// <summary>
/// What an action writes into a packet (rewrite.h): MACs, hop limit, addresses, ports or the identifier of an echo, and
/// the checksums that hold them (RFC 1624; RFC 3022 §4.1; RFC 768: none is none, and zero is written as all ones).
/// </summary>
internal static class Rewriting
{
    private const int NetworkAt = Parsing.EthernetSize;

    /// <summary>Changes the flow's frame; the hop limit is known to be greater than the hops.</summary>
    /// <returns>None, or Truncated where ports do not fit.</returns>
    public static DropReason Apply(Flow f, Action action)
    {
        byte[] frame = f.Frame;
        if (action.Has(Rewrites.DestinationMac)) Octets.SetMac(frame, 0, action.DestinationMac);
        if (action.Has(Rewrites.SourceMac)) Octets.SetMac(frame, 6, action.SourceMac);
        if (!f.IsIp) return DropReason.None;

        List<(ushort, ushort)> addresses = [], header = [], ports = [];
        if (action.Has(Rewrites.Source)) SetAddress(f, f.IsIpv6 ? 8 : 12, action.Source, addresses);
        if (action.Has(Rewrites.Destination)) SetAddress(f, f.IsIpv6 ? 24 : 16, action.Destination, addresses);
        // Two hosts behind one address may have chosen the same for one destination (RFC 6864 §5.3).
        if (action.Has(Rewrites.Source) && !f.IsIpv6 && f.Identification != 0)
        {
            header.Add((Octets.Word(frame, NetworkAt + 4), f.Identification));
            Octets.SetWord(frame, NetworkAt + 4, f.Identification);
        }

        if (action.Has(Rewrites.HopLimit))
        {
            int at = NetworkAt + (f.IsIpv6 ? 7 : 8);
            ushort was = Octets.Word(frame, at & ~1);
            frame[at] -= action.Hops;
            header.Add((was, Octets.Word(frame, at & ~1)));
        }

        if (!f.IsIpv6)
        {
            ushort sum = Octets.Changed(Octets.Word(frame, NetworkAt + 10), [.. addresses, .. header]);
            Octets.SetWord(frame, NetworkAt + 10, sum);
        }

        if (f.TransportAt == 0) return DropReason.None;
        bool hasPorts = action.Has(Rewrites.SourcePort) || action.Has(Rewrites.DestinationPort);
        if (hasPorts && f.TransportAt + 8 > frame.Length) return DropReason.Truncated;
        SetPorts(f, action, ports);
        FixTransport(f, addresses, ports);
        return DropReason.None;
    }

    private static void SetAddress(Flow f, int at, UInt128 address, List<(ushort, ushort)> words)
    {
        byte[] before = [.. f.Frame];
        Octets.SetAddress(f.Frame, NetworkAt + at, f.IsIpv6, address);
        for (int i = 0; i < (f.IsIpv6 ? 16 : 4); i += 2)
            words.Add((Octets.Word(before, NetworkAt + at + i), Octets.Word(f.Frame, NetworkAt + at + i)));
    }

    private static void SetPorts(Flow f, Action action, List<(ushort, ushort)> words)
    {
        bool isSource = action.Has(Rewrites.SourcePort), isDestination = action.Has(Rewrites.DestinationPort);
        if (f.IsEcho)
        {
            if (isSource || isDestination)
                SetWord(f, 4, isSource ? action.SourcePort : action.DestinationPort, words);
        }
        else if ((IpProtocol)f.Key.Protocol is IpProtocol.Tcp or IpProtocol.Udp)
        {
            if (isSource) SetWord(f, 0, action.SourcePort, words);
            if (isDestination) SetWord(f, 2, action.DestinationPort, words);
        }
    }

    private static void SetWord(Flow f, int at, ushort value, List<(ushort, ushort)> words)
    {
        words.Add((Octets.Word(f.Frame, f.TransportAt + at), value));
        Octets.SetWord(f.Frame, f.TransportAt + at, value);
    }

    /// <summary>The pseudo header has the addresses, but for ICMP of IPv4, which has none.</summary>
    private static void FixTransport(Flow f, List<(ushort, ushort)> addresses, List<(ushort, ushort)> ports)
    {
        IpProtocol protocol = (IpProtocol)f.Key.Protocol;
        int at = f.TransportAt + protocol switch
        {
            IpProtocol.Tcp => 16,
            IpProtocol.Udp or IpProtocol.UdpLite or IpProtocol.Dccp => 6, // RFC 3828 §3.1, RFC 4340 §9.1
            IpProtocol.Icmp when !f.IsIpv6 => 2,
            IpProtocol.Icmpv6 when f.IsIpv6 => 2,
            _ => -f.TransportAt,
        };
        if (at == 0) return;
        ushort checksum = Octets.Word(f.Frame, at);
        bool isZeroNone = protocol is IpProtocol.Udp or IpProtocol.UdpLite;
        if (isZeroNone && checksum == 0) return;
        List<(ushort, ushort)> words = protocol == IpProtocol.Icmp ? ports : [.. ports, .. addresses];
        if (words.Count == 0) return;
        checksum = Octets.Changed(checksum, words);
        Octets.SetWord(f.Frame, at, isZeroNone && checksum == 0 ? (ushort)0xffff : checksum);
    }
}
