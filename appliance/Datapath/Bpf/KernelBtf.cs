using System.Collections.Generic;
using Genkan.Datapath.Native;

namespace Genkan.Datapath.Bpf;

/// <summary>The BTF that the kernel keeps for maps, read once for each blob.</summary>
internal sealed unsafe class KernelBtf
{
    private const int RawMax = 16 << 20; // BTF_MAX_SIZE of the kernel

    private readonly Dictionary<uint, Btf> _known = [];

    /// <summary>Layouts of a map's key and value, or null where the kernel knows none.</summary>
    /// <exception cref="KernelException">The kernel refused.</exception>
    /// <exception cref="BtfException">A layout cannot be told by names.</exception>
    internal (BtfLayout? Key, BtfLayout? Value) LayoutsOf(BpfMap map)
    {
        BpfMapInfo info = default;
        BpfSyscall.GetInfo(map.Fd, ref info, map.Spec.Name);
        if (info.BtfId == 0) return (null, null);
        Btf btf = Read(info.BtfId);
        return (
            info.BtfKeyTypeId == 0 ? null : btf.LayoutOf(info.BtfKeyTypeId),
            info.BtfValueTypeId == 0 ? null : btf.LayoutOf(info.BtfValueTypeId));
    }

    private Btf Read(uint id)
    {
        if (_known.TryGetValue(id, out Btf? known)) return known;
        GetByIdAttributes attributes = new() { Id = id };
        using FileDescriptor fd = BpfSyscall.Open(BpfCommand.BtfGetFdById, ref attributes, $"{id}");
        BpfBtfInfo info = default;
        BpfSyscall.GetInfo(fd, ref info, "btf");
        if (info.Size > RawMax) throw new BtfException($"blob {id} has {info.Size} octets");
        byte[] raw = new byte[info.Size];
        fixed (byte* at = raw)
        {
            info = new BpfBtfInfo { Raw = at, Size = (uint)raw.Length };
            BpfSyscall.GetInfo(fd, ref info, "btf");
        }

        Btf btf = Btf.Parse(raw);
        _known.Add(id, btf);
        return btf;
    }
}
