using System.Runtime.InteropServices;

namespace Genkan.Datapath.Bpf;

/// <summary>The first fields of struct bpf_map_info.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct BpfMapInfo
{
    internal uint Type;
    internal uint Id;
    internal uint KeySize;
    internal uint ValueSize;
    internal uint MaxEntries;
    internal uint Flags;
    internal fixed byte NameOctets[BpfSyscall.NameSize];
    internal uint Ifindex;
    internal uint BtfVmlinuxValueTypeId;
    internal ulong NetnsDevice;
    internal ulong NetnsInode;
    internal uint BtfId;
    internal uint BtfKeyTypeId;
    internal uint BtfValueTypeId;
    private readonly uint _padding;

    internal readonly string Name
    {
        get
        {
            fixed (byte* name = NameOctets) return Marshal.PtrToStringUTF8((nint)name) ?? "";
        }
    }
}

/// <summary>The first fields of struct bpf_prog_info.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct BpfProgInfo
{
    internal uint Type;
    internal uint Id;
    internal ulong Tag;
    internal uint JitedSize;
    internal uint XlatedSize;
    private readonly ulong _jitedInstructions;
    private readonly ulong _xlatedInstructions;
    internal ulong LoadTimeNs;
    internal uint CreatedByUid;
    private readonly uint _mapIdCount;
    private readonly ulong _mapIds;
    internal fixed byte NameOctets[BpfSyscall.NameSize];

    internal readonly string Name
    {
        get
        {
            fixed (byte* name = NameOctets) return Marshal.PtrToStringUTF8((nint)name) ?? "";
        }
    }
}

/// <summary>The first fields of struct bpf_btf_info.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct BpfBtfInfo
{
    internal byte* Raw;
    internal uint Size;
    internal uint Id;
}

/// <summary>struct bpf_link_info with the tcx arm.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct BpfLinkInfo
{
    internal uint Type;
    internal uint Id;
    internal uint ProgId;
    private readonly uint _padding;
    internal uint Ifindex;
    internal uint AttachType;
}
