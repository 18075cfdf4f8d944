using System.Runtime.InteropServices;
using Genkan.Overlay.Flows;
using Genkan.Wire;

namespace Genkan.Datapath.Layout;

/// <summary><c>struct conn4_key</c>.</summary>
[StructLayout(LayoutKind.Explicit, Size = 32)]
internal struct Conn4Key
{
    [FieldOffset(0)] internal uint Port;
    [FieldOffset(4)] internal uint Src;
    [FieldOffset(8)] internal uint Dst;
    [FieldOffset(12)] internal ushort Sport;
    [FieldOffset(14)] internal ushort Dport;
    [FieldOffset(16)] internal IpProtocol Proto;
    [FieldOffset(17)] internal FragmentKind Fragment;
    [FieldOffset(20)] internal MacOctets Dmac;
    [FieldOffset(26)] internal MacOctets Smac;

    /// <summary>The kernel's form of an IPv4 key.</summary>
    internal static Conn4Key Of(in FlowKey key) => new()
    {
        Port = key.KeyPort,
        Src = NetworkOrder.Of(key.Source),
        Dst = NetworkOrder.Of(key.Destination),
        Sport = NetworkOrder.Of(key.SourcePort),
        Dport = NetworkOrder.Of(key.DestinationPort),
        Proto = key.Protocol,
        Fragment = key.Fragment,
        Dmac = MacOctets.Of(key.DestinationMac),
        Smac = MacOctets.Of(key.SourceMac),
    };

    /// <summary>The agent's form.</summary>
    internal readonly FlowKey ToFlowKey() => new(
        Port,
        NetworkOrder.ToIpv4(Src),
        NetworkOrder.ToIpv4(Dst),
        Proto,
        NetworkOrder.Of(Sport),
        NetworkOrder.Of(Dport),
        Fragment,
        Dmac.ToMac(),
        Smac.ToMac());
}

/// <summary><c>struct conn6_key</c>.</summary>
[StructLayout(LayoutKind.Explicit, Size = 56)]
internal struct Conn6Key
{
    [FieldOffset(0)] internal uint Port;
    [FieldOffset(4)] internal AddressOctets Src;
    [FieldOffset(20)] internal AddressOctets Dst;
    [FieldOffset(36)] internal ushort Sport;
    [FieldOffset(38)] internal ushort Dport;
    [FieldOffset(40)] internal IpProtocol Proto;
    [FieldOffset(41)] internal FragmentKind Fragment;
    [FieldOffset(44)] internal MacOctets Dmac;
    [FieldOffset(50)] internal MacOctets Smac;

    /// <summary>The kernel's form of an IPv6 key.</summary>
    internal static Conn6Key Of(in FlowKey key) => new()
    {
        Port = key.KeyPort,
        Src = AddressOctets.Of(key.Source),
        Dst = AddressOctets.Of(key.Destination),
        Sport = NetworkOrder.Of(key.SourcePort),
        Dport = NetworkOrder.Of(key.DestinationPort),
        Proto = key.Protocol,
        Fragment = key.Fragment,
        Dmac = MacOctets.Of(key.DestinationMac),
        Smac = MacOctets.Of(key.SourceMac),
    };

    /// <summary>The agent's form.</summary>
    internal readonly FlowKey ToFlowKey() => new(
        Port,
        Src.ToAddress(isIpv4: false),
        Dst.ToAddress(isIpv4: false),
        Proto,
        NetworkOrder.Of(Sport),
        NetworkOrder.Of(Dport),
        Fragment,
        Dmac.ToMac(),
        Smac.ToMac());
}

/// <summary><c>struct class_key</c>: fields outside the mask are zero.</summary>
[StructLayout(LayoutKind.Explicit, Size = 56)]
internal struct ClassKey
{
    [FieldOffset(0)] internal uint Port;
    [FieldOffset(4)] internal ushort Ethertype;
    [FieldOffset(6)] internal FlowMask Mask;
    [FieldOffset(7)] internal IpProtocol Proto;
    [FieldOffset(8)] internal ushort Dport;
    [FieldOffset(10)] internal FragmentKind Fragment;
    [FieldOffset(12)] internal MacOctets Dmac;
    [FieldOffset(18)] internal MacOctets Smac;
    [FieldOffset(24)] internal AddressOctets Src;
    [FieldOffset(40)] internal AddressOctets Dst;

    /// <summary>The kernel's form of a key under a mask.</summary>
    internal static ClassKey Of(FlowMask mask, ushort etherType, in FlowKey key)
    {
        ClassKey result = new() { Port = key.KeyPort, Ethertype = NetworkOrder.Of(etherType), Mask = mask };
        if (mask >= FlowMask.L2)
        {
            result.Dmac = MacOctets.Of(key.DestinationMac);
            result.Smac = MacOctets.Of(key.SourceMac);
        }

        if (mask >= FlowMask.L3Destination) result.Dst = AddressOctets.Of(key.Destination);
        if (mask >= FlowMask.L3) result.Src = AddressOctets.Of(key.Source);
        if (mask >= FlowMask.L4Destination)
        {
            result.Proto = key.Protocol;
            result.Dport = NetworkOrder.Of(key.DestinationPort);
            result.Fragment = key.Fragment;
        }

        return result;
    }
}
