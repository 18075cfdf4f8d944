using System.Runtime.InteropServices;

namespace Genkan.Datapath.Packets;

/// <summary>
/// struct virtio_net_hdr (virtio 1.2 §5.1.6), which stands in front of a frame on a packet socket with PACKET_VNET_HDR:
/// what the kernel shall still do to it. <c>default</c> is a frame that is ready as it is.
/// </summary>
[StructLayout(LayoutKind.Sequential, Pack = 2)]
public record struct VnetHeader
{
    /// <summary>Octets of the header.</summary>
    public const int Size = 10;

    /// <summary>VIRTIO_NET_HDR_F_*.</summary>
    public VnetFlags Flags { get; set; }

    /// <summary>VIRTIO_NET_HDR_GSO_*.</summary>
    public VnetGsoType GsoType { get; set; }

    /// <summary>Octets of Ethernet, IP and transport header (hdr_len).</summary>
    public ushort HeaderLength { get; set; }

    /// <summary>Payload octets of each segment.</summary>
    public ushort GsoSize { get; set; }

    /// <summary>Where the checksum begins, from the start of the frame.</summary>
    public ushort ChecksumStart { get; set; }

    /// <summary>Where it is put, from there.</summary>
    public ushort ChecksumOffset { get; set; }
}

/// <summary>VIRTIO_NET_HDR_F_*.</summary>
[System.Flags]
public enum VnetFlags : byte
{
    /// <summary>The checksum is complete.</summary>
    None = 0,

    /// <summary>The field holds the pseudo header's sum; the kernel or a NIC completes it.</summary>
    NeedsChecksum = 1,
}

/// <summary>VIRTIO_NET_HDR_GSO_*.</summary>
public enum VnetGsoType : byte
{
    /// <summary>One packet.</summary>
    None = 0,

    /// <summary>TCP over IPv4.</summary>
    TcpIpv4 = 1,

    /// <summary>TCP over IPv6.</summary>
    TcpIpv6 = 4,

    /// <summary>UDP, each segment a datagram.</summary>
    UdpL4 = 5,

    /// <summary>With the others: the first segment alone has CWR (RFC 3168 §6.1.2).</summary>
    Ecn = 0x80,
}
