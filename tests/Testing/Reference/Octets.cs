using System;
using System.Collections.Generic;

namespace Genkan.Testing.Reference;

/// <summary>
/// Reading and writing of octets, octet by octet, and the checksum as RFC 1071 and RFC 1624 write it down: of its own,
/// so that an error of Genkan.Wire's cannot hide here.
/// </summary>
internal static class Octets
{
    public static ushort Word(byte[] frame, int at) => (ushort)((frame[at] << 8) | frame[at + 1]);

    public static void SetWord(byte[] frame, int at, ushort value)
    {
        frame[at] = (byte)(value >> 8);
        frame[at + 1] = (byte)value;
    }

    public static uint Double(byte[] frame, int at) => ((uint)Word(frame, at) << 16) | Word(frame, at + 2);

    public static ulong Mac(byte[] frame, int at) => ((ulong)Word(frame, at) << 32) | Double(frame, at + 2);

    public static void SetMac(byte[] frame, int at, ulong mac)
    {
        for (int i = 0; i < 6; i++) frame[at + i] = (byte)(mac >> (8 * (5 - i)));
    }

    /// <summary>An address of four or sixteen octets, left-aligned.</summary>
    public static UInt128 Address(byte[] frame, int at, bool isIpv6)
    {
        UInt128 address = 0;
        for (int i = 0; i < 16; i++) address = (address << 8) | (isIpv6 || i < 4 ? frame[at + i] : (byte)0);
        return address;
    }

    public static void SetAddress(byte[] frame, int at, bool isIpv6, UInt128 address)
    {
        for (int i = 0; i < (isIpv6 ? 16 : 4); i++) frame[at + i] = (byte)(address >> (8 * (15 - i)));
    }

    /// <summary>The one's complement sum of the 16-bit words in a part of a frame (RFC 1071 §1).</summary>
    public static ushort Sum(byte[] frame, int at, int octets, ushort start = 0)
    {
        ushort sum = start;
        for (int i = 0; i < octets; i += 2)
        {
            int low = i + 1 < octets ? frame[at + i + 1] : 0;
            sum = Plus(sum, (ushort)((frame[at + i] << 8) | low));
        }

        return sum;
    }

    /// <summary>One's complement addition: the carry comes round.</summary>
    public static ushort Plus(ushort a, ushort b)
    {
        int sum = a + b;
        return (ushort)((sum & 0xffff) + (sum >> 16));
    }

    /// <summary>HC' = ~(~HC + ~m + m') for each word that was written (RFC 1624 §3, equation 3). A wrong checksum
    /// stays as wrong.</summary>
    public static ushort Changed(ushort checksum, IEnumerable<(ushort Was, ushort Becomes)> words)
    {
        ushort sum = (ushort)~checksum;
        foreach ((ushort was, ushort becomes) in words) sum = Plus(Plus(sum, (ushort)~was), becomes);
        return (ushort)~sum;
    }
}
