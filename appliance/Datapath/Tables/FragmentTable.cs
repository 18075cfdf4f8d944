using Genkan.Datapath.Bpf;
using Genkan.Datapath.Layout;
using Genkan.Overlay.Flows;
using Genkan.Wire;

namespace Genkan.Datapath.Tables;

/// <summary>Datagrams in pieces, <c>fragment</c> and <c>fragment_outside</c>: written by the programs, asked by the
/// agent. Any thread may ask.</summary>
internal sealed class FragmentTable(BpfMap inside, BpfMap outside)
{
    private readonly BpfTable<FragmentKey, FragmentEntry> _inside = new(inside);
    private readonly BpfTable<FragmentKey, FragmentEntry> _outside = new(outside);

    /// <summary>See <see cref="IDatapath.TryFindFirst"/>. What comes in without MACs in its key comes from
    /// anybody.</summary>
    internal bool TryFindFirst(in DatapathPort port, in PacketHeader later, out FirstFragment first)
    {
        BpfTable<FragmentKey, FragmentEntry> table = port.IsL3 ? _outside : _inside;
        bool isKnown = table.TryLookup(FragmentKey.Of(port.KeyPort, later), out FragmentEntry entry)
            && (entry.Flags & FragmentFlags.First) != FragmentFlags.None;
        first = isKnown
            ? new FirstFragment(entry.Proto, NetworkOrder.Of(entry.Sport), NetworkOrder.Of(entry.Dport))
            : default;
        return isKnown;
    }
}
