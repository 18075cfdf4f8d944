using Genkan.Overlay.Flows;
using Genkan.Wire;

namespace Genkan.Testing.Reference;

/// <summary>What is known of the packet in hand (flow.h). <see cref="Frame"/> is changed as the packet is.</summary>
internal sealed class Flow(Packet packet)
{
    public byte[] Frame { get; set; } = [.. packet.Frame];

    public ushort? VlanTci { get; } = packet.VlanTci;

    public Hook Hook { get; } = packet.Hook;

    public uint GsoSize { get; } = packet.GsoSize;

    public uint GsoSegments { get; } = packet.GsoSegments;

    /// <summary>Packets on the wire that the frame stands for.</summary>
    public ulong Packets => GsoSegments == 0 ? 1 : GsoSegments;

    public ulong Length => (ulong)Frame.Length;

    public ushort EtherType { get; set; }

    public ConnKey Key { get; set; }

    public bool IsIp { get; set; }

    public bool IsIpv6 { get; set; }

    /// <summary>Offset of the transport header; 0 where there is none to be read.</summary>
    public int TransportAt { get; set; }

    public byte HopLimit { get; set; }

    public byte TcpSeen { get; set; }

    /// <summary>ARP, ND, DHCP, ICMP that is no echo: goes to the agent as control, if it goes.</summary>
    public bool IsControl { get; set; }

    public bool IsIcmpError { get; set; }

    public bool IsEcho { get; set; }

    /// <summary>ND or group membership.</summary>
    public bool IsLinkLocalTalk { get; set; }

    public bool IsFromTunnel { get; set; }

    public bool IsFromAgent { get; set; }

    /// <summary>From the agent as it came in: it may be found too big only now.</summary>
    public bool IsReinjected { get; set; }

    public bool IsFromOutside { get; set; }

    /// <summary>Came back to a NAT address, through a tunnel.</summary>
    public bool IsNatReturn { get; set; }

    /// <summary>Came in by an external segment, which the fence may close.</summary>
    public bool IsFromSegment { get; set; }

    /// <summary>Whether anybody may have sent it.</summary>
    public bool IsForeign => IsFromOutside || IsNatReturn;

    /// <summary>First: also a later one that has the key of the whole datagram.</summary>
    public FragmentKind Fragment { get; set; }

    /// <summary>Offset of the IPv6 fragment header.</summary>
    public int FragmentHeaderAt { get; set; }

    /// <summary>IPv4 identification that a translated fragment gets; 0 none.</summary>
    public ushort Identification { get; set; }

    /// <summary>Port where it entered; a pseudo port for FLOOD and NAT-RETURN; 0 none.</summary>
    public uint Slot { get; set; }

    /// <summary>Who pays for its upcalls.</summary>
    public uint Budget { get; set; }

    public ConnectionState State { get; set; }

    public uint NextHop { get; set; }

    public uint Mtu { get; set; }

    public uint VtepHost { get; set; }

    public uint UpcallFlags { get; set; }

    public bool HasPorts => Key.Fragment != FragmentKind.Later
        && (IpProtocol)Key.Protocol is IpProtocol.Tcp or IpProtocol.Udp or IpProtocol.Sctp;

    public byte IcmpType => (byte)(Key.DestinationPort >> 8);
}
