using System.Collections.Generic;

namespace Genkan.Host.Api;

/// <summary>A port of the agent's host.</summary>
public sealed record PortReport
{
    /// <summary>Full name, e.g. <c>red/red-a</c>.</summary>
    public required string Name { get; init; }

    /// <summary><c>exterior</c> or <c>uplink</c>.</summary>
    public required string Role { get; init; }

    /// <summary>The bridge or router that it belongs to.</summary>
    public required string Device { get; init; }

    /// <summary>Interface.</summary>
    public required string Interface { get; init; }

    /// <summary>802.1Q VID, 0 untagged.</summary>
    public ushort Vlan { get; init; }

    /// <summary>Kernel's number of the interface; 0 if it does not exist.</summary>
    public int InterfaceIndex { get; init; }

    /// <summary>Slot in the kernel's port table; 0 if not bound.</summary>
    public uint Slot { get; init; }

    /// <summary><c>up</c>, <c>down</c> (administratively) or <c>missing</c> (no such interface).</summary>
    public required string State { get; init; }

    /// <summary>MAC address.</summary>
    public required string Mac { get; init; }

    /// <summary>Addresses with prefix lengths.</summary>
    public required IReadOnlyList<string> Addresses { get; init; }

    /// <summary>Sources that it may use, as <c>MAC prefix</c>; empty without port security.</summary>
    public required IReadOnlyList<string> AllowedPairs { get; init; }

    /// <summary>Whether anti-spoofing and security groups are on.</summary>
    public required bool PortSecurity { get; init; }

    /// <summary>Packets that entered the network here.</summary>
    public required ulong FromPortPackets { get; init; }

    /// <summary>Octets that entered here.</summary>
    public required ulong FromPortOctets { get; init; }

    /// <summary>Packets that left here.</summary>
    public required ulong ToPortPackets { get; init; }

    /// <summary>Octets that left here.</summary>
    public required ulong ToPortOctets { get; init; }

    /// <summary>Packets dropped that entered here, by reason.</summary>
    public required IReadOnlyList<DropReport> Drops { get; init; }
}

/// <summary>Drops for one reason.</summary>
/// <param name="Reason">The reason's name in C, without prefix and in lower case, e.g. <c>security_group</c>.</param>
/// <param name="Number">Its number.</param>
/// <param name="Packets">Packets.</param>
/// <param name="Meaning">A sentence.</param>
public sealed record DropReport(string Reason, byte Number, ulong Packets, string Meaning);
