using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Genkan.Datapath.Bpf;

/// <summary>
/// struct __sk_buff, as test-run takes and gives it. Going in, the kernel accepts Mark, Priority, IngressIfindex,
/// Ifindex, Cb, Tstamp, WireLen, GsoSegs, GsoSize and Hwtstamp; everything else must be zero.
/// </summary>
[StructLayout(LayoutKind.Sequential, Pack = 4)] // the socket's addresses start at 100
public struct SkBuffContext
{
    /// <summary>Octets of the packet.</summary>
    public uint Len;

    /// <summary>PACKET_HOST and so on.</summary>
    public uint PktType;

    /// <summary>skb mark.</summary>
    public uint Mark;

    /// <summary>Queue.</summary>
    public uint QueueMapping;

    /// <summary>EtherType in network order.</summary>
    public uint Protocol;

    /// <summary>1 if a VLAN tag stands beside the packet.</summary>
    public uint VlanPresent;

    /// <summary>The tag.</summary>
    public uint VlanTci;

    /// <summary>The tag's EtherType in network order.</summary>
    public uint VlanProto;

    /// <summary>skb priority.</summary>
    public uint Priority;

    /// <summary>Where the packet entered.</summary>
    public uint IngressIfindex;

    /// <summary>The device of the hook; below 2 means the loopback of the calling thread's namespace.</summary>
    public uint Ifindex;

    /// <summary>tc index.</summary>
    public uint TcIndex;

    /// <summary>The five control words; the test build's programs leave their verdict here.</summary>
    public ControlWords Cb;

    /// <summary>Hash of the flow.</summary>
    public uint Hash;

    /// <summary>tc class.</summary>
    public uint TcClassid;

    /// <summary>Not for user space.</summary>
    public uint Data;

    /// <summary>Not for user space.</summary>
    public uint DataEnd;

    /// <summary>NAPI id.</summary>
    public uint NapiId;

    /// <summary>Socket's family, then addresses and ports.</summary>
    public uint Family;

    /// <summary>Of the socket.</summary>
    public uint RemoteIp4;

    /// <summary>Of the socket.</summary>
    public uint LocalIp4;

    /// <summary>Of the socket.</summary>
    public ulong RemoteIp6Low, RemoteIp6High;

    /// <summary>Of the socket.</summary>
    public ulong LocalIp6Low, LocalIp6High;

    /// <summary>Of the socket.</summary>
    public uint RemotePort;

    /// <summary>Of the socket.</summary>
    public uint LocalPort;

    /// <summary>Not for user space.</summary>
    public uint DataMeta;

    /// <summary>Not for user space.</summary>
    public ulong FlowKeys;

    /// <summary>Time stamp, ns.</summary>
    public ulong Tstamp;

    /// <summary>Octets on the wire.</summary>
    public uint WireLen;

    /// <summary>Segments of a GSO packet.</summary>
    public uint GsoSegs;

    /// <summary>Not for user space.</summary>
    public ulong Sk;

    /// <summary>Payload octets of a segment of a GSO packet.</summary>
    public uint GsoSize;

    /// <summary>Kind of the time stamp.</summary>
    public uint TstampType;

    /// <summary>Hardware's time stamp, ns.</summary>
    public ulong Hwtstamp;

    /// <summary>skb->cb as programs see it.</summary>
    [InlineArray(Count)]
    public struct ControlWords
    {
        /// <summary>Words.</summary>
        public const int Count = 5;

        private uint _first;
    }
}
