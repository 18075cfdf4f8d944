using System;
using System.Buffers.Binary;
using System.Collections.Generic;
using Genkan.Wire;

namespace Genkan.Datapath.Tests.Judge;

/// <summary>Makes a packet smaller and plainer as long as the judges still disagree about it.</summary>
internal static class Shrinker
{
    private const int EthernetSize = 14;
    private const int StepsMax = 120; // the budgets of a port are of real time;

    public static JudgedCase Shrink(Judges judges, JudgedCase found)
    {
        int steps = 0;
        bool isSmaller = true;
        while (isSmaller && found.Packet.PieceOctets == 0)
        {
            isSmaller = false;
            foreach (byte[] simpler in Simpler(found.Packet.Frame))
            {
                if (++steps > StepsMax) return found;
                if (Disagreement(judges, found.Packet with { Frame = simpler }) is not { } again) continue;
                found = again;
                isSmaller = true;
                break;
            }
        }

        return found;
    }

    private static JudgedCase? Disagreement(Judges judges, JudgedPacket packet)
    {
        for (int turn = 0; turn < 2; turn++)
        {
            JudgedCase again = judges.Judge(packet, turn);
            if (again.IsDisagreement) return again;
        }

        return null;
    }

    private static IEnumerable<byte[]> Simpler(byte[] frame)
    {
        for (int cut = frame.Length / 2; cut > 0; cut /= 2)
        {
            if (frame.Length - cut >= EthernetSize) yield return WithLengths(frame, frame[..^cut]);
        }

        for (int at = EthernetSize; at < Math.Min(frame.Length, 100); at++)
        {
            if (frame[at] == 0) continue;
            byte[] plainer = [.. frame];
            plainer[at] = 0;
            yield return WithLengths(frame, plainer);
        }
    }

    // What was right stays right: length and checksum of the IP header.
    private static byte[] WithLengths(byte[] old, byte[] frame)
    {
        bool wasRight = PacketHeader.TryDecode(old, out PacketHeader p) == PacketFault.None;
        if (!wasRight || p.NetworkAt != EthernetSize) return frame;
        int length = Math.Min(p.NetworkLengthOctets, frame.Length - EthernetSize);
        Span<byte> ip = frame.AsSpan(EthernetSize);
        if (p.IsIpv6 && length >= 40) BinaryPrimitives.WriteUInt16BigEndian(ip[4..], (ushort)(length - 40));
        if (!p.IsIpv4 || ip.Length < 20) return frame;
        int headerSize = Math.Clamp((ip[0] & 0xf) * 4, 20, ip.Length);
        BinaryPrimitives.WriteUInt16BigEndian(ip[2..], (ushort)length);
        BinaryPrimitives.WriteUInt16BigEndian(ip[10..], 0);
        BinaryPrimitives.WriteUInt16BigEndian(ip[10..], InternetChecksum.Compute(ip[..headerSize]));
        return frame;
    }
}
