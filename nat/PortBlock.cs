using System;
using Genkan.Wire;

namespace Genkan.Nat;

/// <summary>
/// The 64 aligned ports that the NAT owner map of the kernel counts in: number <c>port &gt;&gt; 6</c> of an address
/// (port-block allocation, RFC 6888 §5, RFC 7422 §2).
/// </summary>
/// <param name="Address">External address.</param>
/// <param name="Index">0 for ports 0 to 63, 1,023 for 65,472 to 65,535.</param>
public readonly record struct PortBlock(IpAddress Address, ushort Index)
{
    /// <summary>Ports in a granule.</summary>
    public const int PortCount = 64;

    /// <summary>Number of bits that a port is shifted by to get its granule.</summary>
    public const int Shift = 6;

    /// <summary>Granules of one address.</summary>
    public const int CountPerAddress = 65_536 / PortCount;

    /// <summary>Lowest port of the granule.</summary>
    public ushort FirstPort => (ushort)(Index << Shift);

    /// <summary>Highest port of the granule.</summary>
    public ushort LastPort => (ushort)((Index << Shift) | (PortCount - 1));

    /// <summary>The granule that a port lies in.</summary>
    /// <param name="address">External address.</param>
    /// <param name="port">Any port of it.</param>
    public static PortBlock Of(IpAddress address, ushort port) => new(address, (ushort)(port >> Shift));
}

/// <summary>Ports of one external address that this host owns in a zone.</summary>
/// <param name="Address">External address.</param>
/// <param name="FirstPort">Lowest port; 0 counts as 1, since port 0 is never given out.</param>
/// <param name="LastPort">Highest port, inclusive; below <paramref name="FirstPort"/> the block is empty.</param>
public readonly record struct NatBlock(IpAddress Address, ushort FirstPort, ushort LastPort)
{
    /// <summary>Whether begin and end lie on granules, as every block that another host may border on must.</summary>
    public bool IsAligned =>
        FirstPort % PortBlock.PortCount == 0 && LastPort % PortBlock.PortCount == PortBlock.PortCount - 1;

    /// <summary>Number of granules that the block touches; 0 if it is empty.</summary>
    public int GranuleCount =>
        LastPort < FirstPort ? 0 : (LastPort >> PortBlock.Shift) - (FirstPort >> PortBlock.Shift) + 1;

    /// <summary>Whether the block has this port.</summary>
    /// <param name="port">A port of <see cref="Address"/>.</param>
    public bool Contains(ushort port) => port >= FirstPort && port <= LastPort;

    /// <summary>Writes the granules that the block touches, lowest first: its entries in the NAT owner map.</summary>
    /// <param name="granules">At least <see cref="GranuleCount"/> long; never more than 1,024 are needed.</param>
    /// <returns>How many were written.</returns>
    public int CopyGranules(Span<PortBlock> granules)
    {
        int count = GranuleCount;
        for (int i = 0; i < count; i++)
            granules[i] = new PortBlock(Address, (ushort)((FirstPort >> PortBlock.Shift) + i));
        return count;
    }
}
