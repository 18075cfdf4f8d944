using System;
using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Genkan.Overlay.Flows;

namespace Genkan.Datapath.Layout;

/// <summary><c>struct action</c>.</summary>
[StructLayout(LayoutKind.Explicit, Size = 72)]
internal struct ConnAction
{
    [FieldOffset(0)] internal uint ClassId;
    [FieldOffset(4)] internal uint Generation;
    [FieldOffset(8)] internal uint Soft;
    [FieldOffset(12)] internal uint Nexthop;
    [FieldOffset(16)] internal FlowVerdict Verdict;
    [FieldOffset(17)] internal DropReason DropReason;
    [FieldOffset(18)] internal Rewrites Rewrite;
    [FieldOffset(19)] internal byte Hops;
    [FieldOffset(20)] internal ConnFlags Flags;
    [FieldOffset(21)] internal ConnectionState State;
    [FieldOffset(22)] internal ushort Sport;
    [FieldOffset(24)] internal ushort Dport;
    [FieldOffset(26)] internal MacOctets Dmac;
    [FieldOffset(32)] internal MacOctets Smac;
    [FieldOffset(38)] internal ushort Mtu;
    [FieldOffset(40)] internal AddressOctets Src;
    [FieldOffset(56)] internal AddressOctets Dst;

    /// <summary>The kernel's form; fields that are not rewritten are zero.</summary>
    internal static ConnAction Of(in FlowAction action)
    {
        Rewrites rewrites = action.Rewrites;
        return new ConnAction
        {
            ClassId = action.Stamp.ClassId,
            Generation = action.Stamp.Hard,
            Soft = action.Stamp.Soft,
            Nexthop = action.NextHop,
            Verdict = action.Verdict,
            DropReason = action.DropReason,
            Rewrite = rewrites,
            Hops = action.Hops,
            Flags = action.Commit ? ConnFlags.Commit : ConnFlags.None,
            State = action.State,
            Sport = Has(rewrites, Rewrites.SourcePort) ? NetworkOrder.Of(action.SourcePort) : (ushort)0,
            Dport = Has(rewrites, Rewrites.DestinationPort) ? NetworkOrder.Of(action.DestinationPort) : (ushort)0,
            Dmac = Has(rewrites, Rewrites.DestinationMac) ? MacOctets.Of(action.DestinationMac) : default,
            Smac = Has(rewrites, Rewrites.SourceMac) ? MacOctets.Of(action.SourceMac) : default,
            Mtu = action.MtuOctets,
            Src = Has(rewrites, Rewrites.Source) ? AddressOctets.Of(action.Source) : default,
            Dst = Has(rewrites, Rewrites.Destination) ? AddressOctets.Of(action.Destination) : default,
        };
    }

    /// <summary>The agent's form.</summary>
    /// <param name="isIpv4">Family of the key that it belongs to.</param>
    /// <param name="zone">Zone that stands beside it in the entry.</param>
    internal readonly FlowAction ToFlowAction(bool isIpv4, uint zone) => new()
    {
        Stamp = new FlowStamp(ClassId, Generation, Soft),
        NextHop = Nexthop,
        Verdict = Verdict,
        DropReason = DropReason,
        Rewrites = Rewrite,
        Hops = Hops,
        Commit = (Flags & ConnFlags.Commit) != ConnFlags.None,
        State = State,
        SourcePort = NetworkOrder.Of(Sport),
        DestinationPort = NetworkOrder.Of(Dport),
        DestinationMac = Dmac.ToMac(),
        SourceMac = Smac.ToMac(),
        MtuOctets = Mtu,
        Source = Has(Rewrite, Rewrites.Source) ? Src.ToAddress(isIpv4) : default,
        Destination = Has(Rewrite, Rewrites.Destination) ? Dst.ToAddress(isIpv4) : default,
        Zone = zone,
    };

    private static bool Has(Rewrites rewrites, Rewrites one) => (rewrites & one) != Rewrites.None;
}

/// <summary><c>struct conn</c>: value of <c>conn4</c>, <c>conn6</c> and <c>class</c>.</summary>
[StructLayout(LayoutKind.Explicit, Size = 128)]
internal struct ConnEntry
{
    [FieldOffset(0)] internal ulong TagHead;
    [FieldOffset(8)] internal ConnAction Action;
    [FieldOffset(80)] internal ulong Packets;
    [FieldOffset(88)] internal ulong Octets;
    [FieldOffset(96)] internal ulong LastSeenNs;
    [FieldOffset(104)] internal ulong CreatedNs;
    [FieldOffset(112)] internal byte TcpSeen;
    [FieldOffset(114)] internal ushort SeenTick;
    [FieldOffset(116)] internal uint Zone;
    [FieldOffset(120)] internal ulong TagTail;

    /// <summary>A new entry.</summary>
    /// <param name="action">What is done.</param>
    /// <param name="digest">Digest of its key.</param>
    /// <param name="sequence">A number that no other write of late had.</param>
    /// <param name="nowNs">CLOCK_MONOTONIC.</param>
    internal static ConnEntry Of(in FlowAction action, uint digest, uint sequence, ulong nowNs)
    {
        ulong tag = ((ulong)digest << 32) | sequence;
        return new ConnEntry
        {
            TagHead = tag,
            Action = ConnAction.Of(action),
            LastSeenNs = nowNs,
            CreatedNs = nowNs,
            Zone = action.Zone,
            TagTail = tag,
        };
    }

    /// <summary>Takes the counters and ages of the entry that this one replaces.</summary>
    internal void Continue(in ConnEntry replaced)
    {
        Packets = replaced.Packets;
        Octets = replaced.Octets;
        CreatedNs = replaced.CreatedNs;
        TcpSeen = replaced.TcpSeen;
    }

    /// <summary>The agent's form.</summary>
    internal readonly FlowEntry ToFlowEntry(in FlowKey key) => new(
        key,
        Action.ToFlowAction(key.Source.IsIpv4, Zone),
        Packets,
        Octets,
        ToTime(LastSeenNs),
        ToTime(CreatedNs),
        TcpSeen);

    private static TimeSpan ToTime(ulong ns) => TimeSpan.FromTicks((long)(ns / TimeSpan.NanosecondsPerTick));
}

/// <summary><c>struct install</c>.</summary>
[StructLayout(LayoutKind.Explicit, Size = 192)]
internal struct InstallEntry
{
    [FieldOffset(0)] internal int Error;
    [FieldOffset(8)] internal KeyOctets Key;
    [FieldOffset(64)] internal ConnEntry Conn;

    /// <summary>The key as one of IPv4 connections.</summary>
    [UnscopedRef]
    internal ref Conn4Key Key4 => ref Unsafe.As<KeyOctets, Conn4Key>(ref Key);

    /// <summary>The key as one of IPv6 connections.</summary>
    [UnscopedRef]
    internal ref Conn6Key Key6 => ref Unsafe.As<KeyOctets, Conn6Key>(ref Key);

    /// <summary>Room for a key of either family.</summary>
    [InlineArray(56)]
    internal struct KeyOctets
    {
        private byte _first;
    }
}

/// <summary><c>struct install_run</c>.</summary>
[StructLayout(LayoutKind.Explicit, Size = 16)]
internal struct InstallRun
{
    [FieldOffset(0)] internal uint First;
    [FieldOffset(4)] internal uint End;
    [FieldOffset(8)] internal uint IsIpv6;
}

/// <summary><c>struct generation</c>.</summary>
[StructLayout(LayoutKind.Explicit, Size = 16)]
internal struct GenerationEntry
{
    [FieldOffset(0)] internal uint Hard;
    [FieldOffset(4)] internal uint Soft;
    [FieldOffset(8)] internal uint Revalidate;
}
