using System;
using System.Collections.Generic;
using System.Linq;

namespace Genkan.Testing.Reference;

/// <content>The maximum segment size of SYN and SYN-ACK (mss.h; RFC 9293 §3.7.1): lowered to the way's, never
/// raised.</content>
internal sealed partial class Interpreter
{
    private const int TcpSize = 20;
    private const byte SynSeen = 1;

    /// <summary>To the narrower of the port where it came in and the way out, since the answer takes the same
    /// way.</summary>
    private void ClampSyn(Flow f)
    {
        NextHopRow? way = Tables.NextHop(f.NextHop);
        uint exit = way?.Kind switch
        {
            NextHopKind.Tunnel => way.Mtu,
            NextHopKind.Port => Tables.Port(way.Arg)?.Mtu ?? 0,
            NextHopKind.FibExit => Tables.Port(way.Port)?.Mtu ?? 0,
            _ => 0,
        };
        uint entry = Tables.Port(f.Slot)?.Mtu ?? 0;
        Clamp(f, Math.Min(entry == 0 ? exit : entry, exit == 0 ? entry : exit));
    }

    private void Clamp(Flow f, uint mtu)
    {
        uint headers = TcpSize + (f.IsIpv6 ? 40u : 20u);
        if ((f.TcpSeen & SynSeen) == 0 || mtu <= headers) return;
        ushort limit = (ushort)(mtu - headers);
        foreach (int at in SegmentSizesAt(f))
        {
            if (Octets.Word(f.Frame, at) <= limit) continue;
            // An option may stand across two of the words that the checksum is a sum of.
            int even = at - ((at - f.TransportAt) & 1);
            ushort[] before = [.. Words(f.Frame, even)];
            Octets.SetWord(f.Frame, at, limit);
            Coverage.Met("clamped");
            int sumAt = f.TransportAt + 16;
            ushort sum = Octets.Changed(Octets.Word(f.Frame, sumAt), before.Zip(Words(f.Frame, even)));
            Octets.SetWord(f.Frame, sumAt, sum);
        }
    }

    private static IEnumerable<ushort> Words(byte[] frame, int at)
    {
        byte[] padded = [.. frame.AsSpan(at, Math.Min(4, frame.Length - at)), 0, 0];
        yield return Octets.Word(padded, 0);
        yield return Octets.Word(padded, 2);
    }

    /// <summary>Values of the options of kind 2 and length 4; the list ends with kind 0 or what is no option
    /// (RFC 9293 §3.1).</summary>
    private static IEnumerable<int> SegmentSizesAt(Flow f)
    {
        int at = f.TransportAt + TcpSize;
        int end = Math.Min(f.TransportAt + ((f.Frame[f.TransportAt + 12] >> 4) * 4), f.Frame.Length);
        while (at + 4 <= end && f.Frame[at] != 0)
        {
            if (f.Frame[at] == 1)
            {
                at++;
                continue;
            }

            byte octets = f.Frame[at + 1];
            if (octets < 2) yield break;
            if (f.Frame[at] == 2 && octets == 4) yield return at + 2;
            at += octets;
        }
    }
}
