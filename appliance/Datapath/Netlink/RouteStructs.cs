using System;
using System.Runtime.InteropServices;

namespace Genkan.Datapath.Netlink;

// The fixed parts of rtnetlink's messages (linux/rtnetlink.h, if_link.h, if_addr.h, neighbour.h).

/// <summary>struct ifinfomsg.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct LinkHeader
{
    internal const ushort TypeEthernet = 1;
    internal const uint FlagUp = 1;
    internal const uint FlagRunning = 0x40;
    internal const uint FlagPromiscuous = 0x100;

    internal byte Family;
    private readonly byte _padding;
    internal ushort Type;
    internal int Ifindex;
    internal uint Flags;
    internal uint Change;
}

/// <summary>struct ifaddrmsg.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct AddressHeader
{
    internal byte Family;
    internal byte LengthBits;
    internal byte Flags;
    internal byte Scope;
    internal int Ifindex;
}

/// <summary>struct rtmsg.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct RouteHeader
{
    internal byte Family;
    internal byte DestinationBits;
    internal byte SourceBits;
    internal byte TypeOfService;
    internal byte Table;
    internal byte Protocol;
    internal byte Scope;
    internal byte Type;
    internal uint Flags;
}

/// <summary>struct ndmsg.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct NeighbourHeader
{
    internal byte Family;
    private readonly byte _padding1;
    private readonly ushort _padding2;
    internal int Ifindex;
    internal ushort State;
    internal byte Flags;
    internal byte Type;
}

/// <summary>struct tcmsg.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct TrafficControlHeader
{
    internal byte Family;
    private readonly byte _padding1;
    private readonly ushort _padding2;
    internal int Ifindex;
    internal uint Handle;
    internal uint Parent;
    internal uint Info;
}

/// <summary>Views of the fixed parts.</summary>
internal static class FixedPart
{
    internal static ReadOnlySpan<byte> Of<T>(in T header)
        where T : unmanaged => MemoryMarshal.AsBytes(new ReadOnlySpan<T>(in header));

    /// <summary>Splits a body into its fixed part and its attributes.</summary>
    /// <returns>False if the body is too short.</returns>
    internal static bool TrySplit<T>(ReadOnlySpan<byte> body, out T header, out NetlinkAttributes attributes)
        where T : unmanaged
    {
        attributes = default;
        if (!MemoryMarshal.TryRead(body, out header)) return false;
        attributes = new NetlinkAttributes(body[Marshal.SizeOf<T>()..]);
        return true;
    }
}
