using System.Collections.Generic;
using System.Runtime.InteropServices;
using Genkan.Datapath.Bpf;
using Genkan.Datapath.Layout;
using Genkan.Datapath.Rings;

namespace Genkan.Datapath.Migration;

/// <summary>A packet that waited in a ring of another record layout.</summary>
/// <param name="Header">Converted by name.</param>
/// <param name="Frame">The octets captured.</param>
internal sealed record UnreadUpcall(UpcallHeader Header, byte[] Frame)
{
    /// <summary>Records of version 1, which had no table that shows them.</summary>
    internal static BtfLayout VersionOne { get; } = new(
        64,
        [
            Number("time_ns", 0, 8), Number("port", 8, 4), Number("length", 12, 4), Number("captured", 16, 4),
            Number("kind", 20, 1), Number("state", 21, 1), Number("flags", 22, 2), Number("gso_size", 24, 4),
            Number("gso_segs", 28, 4), Number("vlan_tci", 32, 4), Number("vtep_host", 36, 4), Number("class_id", 40, 4),
            Number("flow_digest", 44, 4), Number("mtu", 48, 4), Number("nexthop", 52, 4), Number("pad", 56, 8),
        ]);

    /// <summary>The layout of <see cref="UpcallHeader"/>, as our own programs declare it.</summary>
    internal static BtfLayout Ours() =>
        TableLayout.ReadDeclared(new BpfProgramSetOptions { Objects = ["from_port"] })["upcall_record"].Value!;

    /// <summary>Takes all records out of the rings of an array; nobody writes there any more.</summary>
    /// <param name="rings">Array of rings, one a CPU.</param>
    /// <param name="layout">How their records begin.</param>
    /// <param name="unread">Where they go, in the order of each ring.</param>
    /// <returns>Records that make no sense.</returns>
    internal static int Drain(BpfMap rings, BtfLayout layout, List<UnreadUpcall> unread)
    {
        BpfMapOfMaps outer = new(rings);
        FieldConversion conversion = new(layout, Ours());
        byte[] header = new byte[UpcallHeader.Size];
        int lost = 0;
        for (int cpu = 0; cpu < rings.Spec.MaxEntries; cpu++)
        {
            if (outer.TryOpen(cpu) is not { } inner) continue;
            using RingBuffer ring = new(inner);
            while (ring.TryRead(out System.ReadOnlySpan<byte> record))
            {
                bool isWhole = record.Length >= layout.Size && conversion.Convert(record, header) is null;
                UpcallHeader converted = MemoryMarshal.Read<UpcallHeader>(header);
                if (isWhole && converted.Captured <= (uint)(record.Length - layout.Size))
                {
                    unread.Add(new UnreadUpcall(
                        converted, record.Slice(layout.Size, (int)converted.Captured).ToArray()));
                }
                else
                {
                    lost++;
                }

                ring.Advance();
            }
        }

        return lost;
    }

    private static BtfField Number(string name, int at, int size) => new(name, at, size, 1, false);
}
