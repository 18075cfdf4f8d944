using System;
using System.Collections.Generic;
using Genkan.Overlay.Flows;

namespace Genkan.Testing.Reference;

/// <content>ARP requests (RFC 826) and neighbour solicitations (RFC 4861) for known addresses (answer.h).</content>
internal sealed partial class Interpreter
{
    private const int ArpAt = EthernetSize;
    private const int ArpSize = 28;
    private const int MessageAt = EthernetSize + 40;
    private const int MessageSize = 32; // solicitation or advertisement with one link-layer address option

    /// <summary>The answer to a plain request of somebody who speaks for himself; null where the agent has to
    /// look.</summary>
    private Fate? AnswerArp(Flow f, PortRow port)
    {
        byte[] frame = f.Frame;
        if (!MayAnswer(port) || frame.Length < ArpAt + ArpSize) return null;
        if (Octets.Double(frame, ArpAt) != 0x0001_0800 || Octets.Double(frame, ArpAt + 4) != 0x0604_0001) return null;

        ulong senderMac = Octets.Mac(frame, ArpAt + 8);
        UInt128 sender = Octets.Address(frame, ArpAt + 14, isIpv6: false);
        UInt128 target = Octets.Address(frame, ArpAt + 24, isIpv6: false);
        // An announcement (RFC 5227 §1.1), or a tenant's probe, may be about the asker's own address.
        if (senderMac != Octets.Mac(frame, 6) || sender == target) return null;
        if (port.Kind == PortKind.Tenant && (senderMac != port.Mac || sender != port.Ipv4)) return null;
        if (Known(port, isIpv6: false, target) is not { } known) return null;

        ulong mac = port.Kind == PortKind.Uplink ? port.Mac : known.Mac;
        Octets.SetMac(frame, 0, senderMac);
        Octets.SetMac(frame, 6, mac);
        Octets.SetWord(frame, ArpAt + 6, 2);
        Octets.SetMac(frame, ArpAt + 8, mac);
        Octets.SetAddress(frame, ArpAt + 14, isIpv6: false, target);
        Octets.SetMac(frame, ArpAt + 18, senderMac);
        Octets.SetAddress(frame, ArpAt + 24, isIpv6: false, sender);
        return Answered(f);
    }

    private Fate? AnswerSolicitation(Flow f, PortRow port)
    {
        byte[] frame = f.Frame;
        if (!MayAnswer(port) || frame.Length < MessageAt + MessageSize) return null;
        UInt128 source = Octets.Address(frame, EthernetSize + 8, isIpv6: true);
        UInt128 target = Octets.Address(frame, MessageAt + 8, isIpv6: true);
        ulong senderMac = Octets.Mac(frame, MessageAt + 26);
        if (!IsPlainSolicitation(frame, source, target, senderMac)) return null;
        bool isOwn = senderMac == port.Mac && (source == port.Ipv6 || source == LinkLocalOf(port.Mac));
        if (port.Kind == PortKind.Tenant && !isOwn) return null;
        if (Known(port, isIpv6: true, target) is not { } known) return null;

        ulong mac = port.Kind == PortKind.Uplink ? port.Mac : known.Mac;
        Octets.SetMac(frame, 0, Octets.Mac(frame, 6));
        Octets.SetMac(frame, 6, mac);
        Octets.SetAddress(frame, EthernetSize + 24, isIpv6: true, source);
        Octets.SetAddress(frame, EthernetSize + 8, isIpv6: true, target);
        frame[EthernetSize + 7] = 255;
        frame[MessageAt] = 136;
        Octets.SetWord(frame, MessageAt + 2, 0);
        // RFC 4861 §4.4: router, solicited, override
        Octets.SetWord(frame, MessageAt + 4, (ushort)((known.IsRouter ? 0x8000 : 0) | 0x6000));
        Octets.SetWord(frame, MessageAt + 6, 0);
        frame[MessageAt + 24] = 2;
        Octets.SetMac(frame, MessageAt + 26, mac);
        Octets.SetWord(frame, MessageAt + 2, (ushort)~MessageSum(frame));
        return Answered(f);
    }

    /// <summary>
    /// Valid by RFC 4861 §7.1.1, for another than the sender, with the sender's MAC as the one option.
    /// </summary>
    private static bool IsPlainSolicitation(byte[] frame, UInt128 source, UInt128 target, ulong senderMac) =>
        frame[EthernetSize + 6] == 58
        && Octets.Word(frame, EthernetSize + 4) == MessageSize
        && frame[EthernetSize + 7] == 255
        && Octets.Word(frame, MessageAt) == 135 << 8
        && Octets.Word(frame, MessageAt + 24) == 0x0101
        && senderMac == Octets.Mac(frame, 6)
        && source != target
        && source >> 96 != 0 // unspecified (no other begins with zeroes): comes without an option
        && MessageSum(frame) == 0xffff;

    /// <summary>Pseudo header and message (RFC 8200 §8.1).</summary>
    private static ushort MessageSum(byte[] frame)
    {
        ushort sum = Octets.Sum(frame, EthernetSize + 8, 32);
        sum = Octets.Plus(Octets.Plus(sum, MessageSize), 58);
        return Octets.Sum(frame, MessageAt, MessageSize, sum);
    }

    /// <summary>fe80::/64 with the modified EUI-64 identifier (RFC 4291 appendix A).</summary>
    private static UInt128 LinkLocalOf(ulong mac)
    {
        ulong identifier = (((mac >> 24) ^ 0x020000) << 40) | 0xfffe000000 | (mac & 0xffffff);
        return ((UInt128)0xfe80 << 112) | identifier;
    }

    private static bool MayAnswer(PortRow port) =>
        port.Kind == PortKind.Uplink || (port.Kind == PortKind.Tenant && port.Bridge != 0);

    private NeighbourRow? Known(PortRow port, bool isIpv6, UInt128 address)
    {
        uint bridge = port.Kind == PortKind.Uplink ? port.KeyPort | Limits.BridgeOfUplink : port.Bridge;
        return Tables.Neighbours.GetValueOrDefault((bridge, isIpv6, address));
    }

    private Fate Answered(Flow f)
    {
        Tables.CountDrop(f.Slot, DropReason.Answered, f.Packets);
        Coverage.Met(DropReason.Answered);
        Coverage.Found("neighbour");
        CountOut(f, f.Slot);
        return new Fate(FateKind.Answer) { Frame = Text(f) };
    }
}
