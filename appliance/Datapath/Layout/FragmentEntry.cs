using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Genkan.Wire;

namespace Genkan.Datapath.Layout;

/// <summary><c>struct fragment_key</c>.</summary>
[StructLayout(LayoutKind.Explicit, Size = 48)]
internal struct FragmentKey
{
    [FieldOffset(0)] internal uint Port;
    [FieldOffset(4)] internal uint Id;
    [FieldOffset(8)] internal AddressOctets Src;
    [FieldOffset(24)] internal AddressOctets Dst;
    [FieldOffset(40)] internal IpProtocol Proto;
    [FieldOffset(41)] internal byte IsIpv6;

    /// <summary>The datagram of a fragment that entered at a port.</summary>
    internal static FragmentKey Of(uint keyPort, in PacketHeader fragment) => new()
    {
        Port = keyPort,
        Id = fragment.Identification,
        Src = AddressOctets.Of(fragment.Source),
        Dst = AddressOctets.Of(fragment.Destination),
        Proto = fragment.IsIpv4 ? fragment.Protocol : default,
        IsIpv6 = fragment.IsIpv4 ? (byte)0 : (byte)1,
    };
}

/// <summary><c>struct fragment</c>.</summary>
[StructLayout(LayoutKind.Explicit, Size = 1072)]
internal struct FragmentEntry
{
    [FieldOffset(0)] internal ulong TagHead;
    [FieldOffset(8)] internal ulong CreatedNs;
    [FieldOffset(16)] internal ushort Sport;
    [FieldOffset(18)] internal ushort Dport;
    [FieldOffset(20)] internal FragmentFlags Flags;
    [FieldOffset(24)] internal IpProtocol Proto;
    [FieldOffset(26)] internal ushort Id;
    [FieldOffset(28)] internal uint Held;
    [FieldOffset(32)] internal ulong TagTail;
    [FieldOffset(40)] internal uint Seen;
    [FieldOffset(44)] internal uint Total;
    [FieldOffset(48)] internal FragmentUnits Units;
}

/// <summary>One bit for each 8 octets of a datagram that have come.</summary>
[InlineArray(LayoutLimits.FragmentWords)]
internal struct FragmentUnits
{
    private ulong _first;
}
