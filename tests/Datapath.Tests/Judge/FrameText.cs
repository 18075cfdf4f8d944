using System;
using System.Globalization;
using Genkan.Wire;

namespace Genkan.Datapath.Tests.Judge;

/// <summary>Frames as a reader wants them: headers in words.</summary>
internal static class FrameText
{
    public static string Of(ReadOnlySpan<byte> frame)
    {
        PacketFault fault = PacketHeader.TryDecode(frame, out PacketHeader p);
        string text = string.Create(
            CultureInfo.InvariantCulture, $"{frame.Length} octets {p.EthernetSource} > {p.EthernetDestination}");
        if (p.VlanTci != 0) text += $" tag {p.VlanTci:x4}";
        if (fault != PacketFault.None) text += $" {fault}";
        if (!p.IsIpv4 && !p.IsIpv6) return $"{text} type {(ushort)p.EtherType:x4}";
        text += $" {p.Source} > {p.Destination} {p.Protocol} {Transport(p)} TTL {p.HopLimit}";
        text += $" length {p.NetworkLengthOctets}";
        if (p.IsIpv4) text += $" id {p.Identification:x4}{(p.DontFragment ? " DF" : "")}{Options(frame, p)}";
        if (p.IsIpv6 && p.PayloadAt > p.NetworkAt + 48) text += $" next {frame[p.NetworkAt + 6]}";
        return p.Fragment == FragmentKind.None ? text : $"{text} fragment {p.Fragment}";
    }

    private static string Transport(in PacketHeader p) =>
        p.IsIcmp ? $"type {p.IcmpType} code {p.IcmpCode}" : $"{p.SourcePort} > {p.DestinationPort}";

    private static string Options(ReadOnlySpan<byte> frame, in PacketHeader p) =>
        frame.Length > 34 && (frame[p.NetworkAt] & 0xf) > 5 ? $" option {frame[p.NetworkAt + 20]}" : "";
}
