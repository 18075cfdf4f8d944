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
