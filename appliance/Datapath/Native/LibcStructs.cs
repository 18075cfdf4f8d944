using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Genkan.Datapath.Native;

/// <summary>struct iovec.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct IoVector
{
    internal void* Base;
    internal nuint LengthOctets;
}

/// <summary>struct msghdr (64-bit).</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct MsgHeader
{
    internal void* Name;
    internal uint NameLength;
    internal IoVector* Vectors;
    internal nuint VectorCount;
    internal void* Control;
    internal nuint ControlLength;
    internal int Flags;
}

/// <summary>struct mmsghdr: one message of sendmmsg.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct MmsgHeader
{
    internal MsgHeader Header;
    internal uint SentOctets;
}

/// <summary>struct pollfd.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct PollFd
{
    internal int Fd;
    internal short Events;
    internal short Returned;
}

/// <summary>struct statfs; only the type of the file system is read.</summary>
[InlineArray(16)]
internal struct StatFsBuffer
{
    private long _first;

    /// <summary>f_type, such as <c>BPF_FS_MAGIC</c>.</summary>
    internal readonly long Type => _first;
}
