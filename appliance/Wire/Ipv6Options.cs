using System;

namespace Genkan.Wire;

/// <summary>What whoever does not recognize an IPv6 option does with its packet, in the bits that the type begins
/// with.</summary>
public enum Ipv6OptionAction : byte
{
    /// <summary>Skip the option.</summary>
    Skip = 0,

    /// <summary>Discard the packet.</summary>
    Discard = 1,

    /// <summary>Discard it and send a Parameter Problem, code 2.</summary>
    DiscardAndTell = 2,

    /// <summary>The same, but to a multicast send nothing.</summary>
    DiscardAndTellUnicast = 3,
}

/// <summary>
/// Options of the Hop-by-Hop Options and Destination Options headers (RFC 8200 §4.2), of which none is recognized but
/// Pad1 and PadN.
/// <code>
///  Option Type: 2 bits action, 1 bit may change on the way, 5 bits | Opt Data Len | Option Data …   (Pad1: type alone)
/// </code>
/// </summary>
public static class Ipv6Options
{
    private const int HeaderSize = 40;
    private const int NextHeaderAt = 6;
    private const byte Pad1 = 0;

    /// <summary>Finds the first option by which its packet is discarded.</summary>
    /// <param name="frame">The frame; may be cut behind its IPv6 headers.</param>
    /// <param name="header">Its headers, decoded without fault; of IPv6.</param>
    /// <param name="pointer">Where the option stands, from the start of the IPv6 header; 0 none.</param>
    /// <returns>What its type asks for; <see cref="Ipv6OptionAction.Discard"/> too if an option is longer than its
    /// header. <see cref="Ipv6OptionAction.Skip"/> if there is no such option.</returns>
    public static Ipv6OptionAction FirstRefused(ReadOnlySpan<byte> frame, in PacketHeader header, out int pointer)
    {
        pointer = 0;
        int end = header.TransportAt >= 0 ? header.TransportAt : header.PayloadAt;
        bool isThere = header.NetworkAt >= 0 && end <= frame.Length && header.NetworkAt + HeaderSize <= end;
        if (!header.IsIpv6 || !isThere) return Ipv6OptionAction.Skip;

        IpProtocol type = (IpProtocol)frame[header.NetworkAt + NextHeaderAt];
        int at = header.NetworkAt + HeaderSize;
        while (at < end)
        {
            int size = type switch
            {
                IpProtocol.Fragment => 8,
                IpProtocol.AuthenticationHeader => (frame[at + 1] + 2) * 4,
                _ => (frame[at + 1] + 1) * 8,
            };
            if (type is IpProtocol.HopByHopOptions or IpProtocol.DestinationOptions
                && Find(frame.Slice(at, size), out int optionAt) is var action and not Ipv6OptionAction.Skip)
            {
                pointer = at + optionAt - header.NetworkAt;
                return action;
            }

            type = (IpProtocol)frame[at];
            at += size;
        }

        return Ipv6OptionAction.Skip;
    }

    private static Ipv6OptionAction Find(ReadOnlySpan<byte> options, out int at)
    {
        at = 2; // Next Header, Hdr Ext Len
        while (at < options.Length)
        {
            byte type = options[at];
            if (type == Pad1)
            {
                at++;
                continue;
            }

            if (at + 1 >= options.Length || at + 2 + options[at + 1] > options.Length) return Ipv6OptionAction.Discard;
            if (type >> 6 != 0) return (Ipv6OptionAction)(type >> 6);
            at += 2 + options[at + 1];
        }

        return Ipv6OptionAction.Skip;
    }
}
