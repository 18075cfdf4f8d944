using System;
using System.Collections.Generic;
using System.Linq;
using Genkan.Overlay.Flows;

namespace Genkan.Testing.Reference;

/// <summary>The five programs.</summary>
internal enum Hook : byte
{
    FromPort,
    FromUplink,
    FromTunnel,
    FromAgent,
    FromHost,
}

/// <summary>A packet at a hook, as the kernel hands it over: the 802.1Q tag, if any, stands beside the frame.</summary>
internal sealed record Packet(Hook Hook, byte[] Frame)
{
    /// <summary>TCI of the tag; null none.</summary>
    public ushort? VlanTci { get; init; }

    public uint Ifindex { get; init; } = 1;

    public uint Mark { get; init; }

    public uint GsoSize { get; init; }

    public uint GsoSegments { get; init; }

    /// <summary>24-bit key of a packet from the tunnel.</summary>
    public uint TunnelKey { get; init; }

    /// <summary>Group policy of a packet from the tunnel; null without the extension.</summary>
    public ushort? GroupPolicy { get; init; }

    /// <summary>IPv4 source of the outer header.</summary>
    public UInt128 OuterSource { get; init; }

    public override string ToString() => string.Join(
        ' ',
        $"{Hook} ifindex={Ifindex} mark={Mark:x} gso={GsoSegments}x{GsoSize} vlan={VlanTci?.ToString("x") ?? "-"}",
        $"key={TunnelKey:x} policy={GroupPolicy?.ToString("x") ?? "-"} {Convert.ToHexString(Frame)}");
}

/// <summary>Where a packet ended (verdict.h).</summary>
internal enum FateKind : byte
{
    Drop = 1,
    Port = 2,
    Peer = 3,
    Tunnel = 4,
    Neighbour = 5,
    Replicate = 6,
    Local = 7,
    Upcall = 8,
    Answer = 9,
}

/// <summary>What becomes of a packet. Fields that say nothing of its kind are zero.</summary>
internal sealed record Fate(FateKind Kind)
{
    public DropReason Reason { get; init; }

    public uint Ifindex { get; init; }

    public uint Slot { get; init; }

    public uint Vlan { get; init; }

    public uint TunnelKey { get; init; }

    public uint GroupPolicy { get; init; }

    /// <summary>Copies that were sent.</summary>
    public uint Copies { get; init; }

    /// <summary>The frame as it leaves, in hexadecimal; empty if nothing leaves.</summary>
    public string Frame { get; init; } = "";

    public static Fate Dropped(DropReason reason) => new(FateKind.Drop) { Reason = reason };
}

/// <summary>What the agent gets (<c>struct upcall</c>).</summary>
internal sealed record UpcallSeen(
    bool IsControlRing, UpcallKind Kind, uint Port, ConnectionState State, uint Flags, uint Length, uint GsoSize,
    uint GsoSegments, uint VlanTci, uint VtepHost, uint FlowDigest)
{
    /// <summary>Of a revalidation.</summary>
    public uint ClassId { get; init; }

    /// <summary>Of what is too big.</summary>
    public uint Mtu { get; init; }

    /// <summary>Of what is too big or has no hops left.</summary>
    public uint NextHop { get; init; }

    /// <summary>That paid for it.</summary>
    public uint Budget { get; init; }

    /// <summary>Octets captured, in hexadecimal.</summary>
    public string Frame { get; init; } = "";
}

/// <summary>A world and the packets that run through it one after the other.</summary>
internal sealed record Case(World World, IReadOnlyList<Packet> Packets)
{
    public override string ToString() => string.Join('\n', Packets.Select(p => p.ToString()));
}
