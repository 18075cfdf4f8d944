using System.Runtime.InteropServices;
using Genkan.Datapath.Native;

namespace Genkan.Datapath.Packets;

/// <summary>Numbers of packet(7) and socket(7).</summary>
internal static class PacketConstants
{
    internal const int Family = 17;
    internal const int RawCloexec = 3 | 0x80000;
    internal const int LevelSocket = 1;
    internal const int LevelPacket = 263;
    internal const int VnetHeader = 15;
    internal const int QdiscBypass = 20;
    internal const int SendBufferForce = 32;
    internal const int Mark = 36;
}

/// <summary>struct sockaddr_ll.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct LinkLayerAddress
{
    internal ushort Family;
    internal ushort Protocol;
    internal int Ifindex;
    internal ushort HardwareType;
    internal byte PacketType;
    internal byte AddressLength;
    internal ulong Address;
}

/// <summary>A control message (cmsghdr) with SO_MARK.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct MarkMessage
{
    internal const int LengthValue = 16 + sizeof(uint);

    internal nuint Length;
    internal int Level;
    internal int Type;
    internal uint Value;
    private readonly uint _padding;
}

/// <summary>One message of a batch with all that it points to.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct SendBatch
{
    internal MsgHeader Header;
    internal IoVector VnetVector;
    internal IoVector FrameVector;
    internal MarkMessage Mark;
    internal VnetHeader Vnet;
    internal byte IsCanceled;
}
