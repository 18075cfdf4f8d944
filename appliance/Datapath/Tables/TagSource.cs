using System.Threading;
using Genkan.Datapath.Layout;
using Genkan.Overlay.Flows;

namespace Genkan.Datapath.Tables;

/// <summary>Makes entries with their tags: digest of the key and a sequence that goes on over restarts. Workers make
/// them in parallel.</summary>
internal sealed class TagSource(ulong digestSeed)
{
    private uint _sequence;

    /// <summary>A new entry for a key.</summary>
    internal ConnEntry Entry<TKey>(in TKey key, in FlowAction action)
        where TKey : unmanaged =>
        ConnEntry.Of(action, KeyDigest.Of(key, digestSeed), Interlocked.Increment(ref _sequence), MonotonicClock.NowNs);

    /// <summary>Notes the tag of an entry that a former agent wrote.</summary>
    internal void Saw(in ConnEntry entry)
    {
        uint seen = (uint)entry.TagHead;
        if ((int)(seen - _sequence) > 0) _sequence = seen;
    }
}
