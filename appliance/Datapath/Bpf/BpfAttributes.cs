using System.Runtime.InteropServices;

namespace Genkan.Datapath.Bpf;

// The arms of union bpf_attr (linux/bpf.h), each as long as its last field that is used: the kernel takes the rest as
// zero.

/// <summary>BPF_MAP_CREATE.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct MapCreateAttributes
{
    internal uint Type;
    internal uint KeySize;
    internal uint ValueSize;
    internal uint MaxEntries;
    internal uint Flags;
    internal uint InnerMapFd;
    internal uint NumaNode;
    internal fixed byte Name[BpfSyscall.NameSize];
}

/// <summary>BPF_MAP_*_ELEM and BPF_MAP_GET_NEXT_KEY (whose next key stands in Value).</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct MapElementAttributes
{
    internal uint MapFd;
    private readonly uint _padding;
    internal void* Key;
    internal void* Value;
    internal ulong Flags;
}

/// <summary>BPF_MAP_*_BATCH.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct MapBatchAttributes
{
    internal void* InBatch;
    internal void* OutBatch;
    internal void* Keys;
    internal void* Values;
    internal uint Count;
    internal uint MapFd;
    internal ulong ElementFlags;
    internal ulong Flags;
}

/// <summary>BPF_PROG_LOAD, as far as a program without BTF needs it.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct ProgLoadAttributes
{
    internal uint Type;
    internal uint InstructionCount;
    internal void* Instructions;
    internal void* License;
    internal uint LogLevel;
    internal uint LogSize;
    internal void* LogBuffer;
    internal uint KernelVersion;
    internal uint Flags;
    internal fixed byte Name[BpfSyscall.NameSize];
    internal uint Ifindex;
    internal uint ExpectedAttachType;
}

/// <summary>BPF_OBJ_PIN and BPF_OBJ_GET.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct ObjectAttributes
{
    internal void* Path;
    internal uint Fd;
    internal uint FileFlags;
}

/// <summary>BPF_OBJ_GET_INFO_BY_FD.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct InfoAttributes
{
    internal uint Fd;
    internal uint Length;
    internal void* Info;
}

/// <summary>BPF_PROG_TEST_RUN.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct TestRunAttributes
{
    internal uint ProgFd;
    internal uint ReturnValue;
    internal uint DataSizeIn;
    internal uint DataSizeOut;
    internal void* DataIn;
    internal void* DataOut;
    internal uint Repeat;
    internal uint Duration;
    internal uint ContextSizeIn;
    internal uint ContextSizeOut;
    internal void* ContextIn;
    internal void* ContextOut;
    internal uint Flags;
    internal uint Cpu;
    internal uint BatchSize;
}

/// <summary>BPF_LINK_CREATE with the tcx arm (Linux 6.6).</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct TcxLinkCreateAttributes
{
    internal uint ProgFd;
    internal uint TargetIfindex;
    internal uint AttachType;
    internal uint Flags;
    internal uint RelativeFd;
    private readonly uint _padding;
    internal ulong ExpectedRevision;
}

/// <summary>BPF_LINK_UPDATE; BPF_LINK_DETACH reads the first field alone.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct LinkUpdateAttributes
{
    internal uint LinkFd;
    internal uint NewProgFd;
    internal uint Flags;
    internal uint OldProgFd;
}

/// <summary>BPF_PROG_QUERY with the fields of Linux 6.6 (attach revision, link ids).</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct ProgQueryAttributes
{
    internal uint TargetIfindex;
    internal uint AttachType;
    internal uint QueryFlags;
    internal uint AttachFlags;
    internal void* ProgIds;
    internal uint Count;
    private readonly uint _padding;
    internal void* ProgAttachFlags;
    internal void* LinkIds;
    internal void* LinkAttachFlags;
    internal ulong Revision;
}

/// <summary>BPF_MAP_GET_FD_BY_ID.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct GetByIdAttributes
{
    internal uint Id;
    internal uint NextId;
    internal uint OpenFlags;
}
