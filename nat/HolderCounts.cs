using System.Collections.Generic;
using System.Runtime.InteropServices;

namespace Genkan.Nat;

/// <summary>
/// How many mappings someone holds: a port, whatever addresses it has, or a zone. Ids of both are hashes of names, so
/// one table serves.
/// </summary>
internal sealed class HolderCounts
{
    private const int Expected = 8_192; // ports and zones of a host; more would make it grow once

    private readonly Dictionary<ulong, int> _counts = new(Expected);

    /// <summary>Mappings of a holder; of 0, who is not known, none.</summary>
    internal int Of(ulong holder) => _counts.GetValueOrDefault(holder);

    internal void Add(ulong holder)
    {
        if (holder != 0) CollectionsMarshal.GetValueRefOrAddDefault(_counts, holder, out _)++;
    }

    internal void Remove(ulong holder)
    {
        if (holder == 0) return;
        ref int count = ref CollectionsMarshal.GetValueRefOrAddDefault(_counts, holder, out _);
        if (--count == 0) _counts.Remove(holder);
    }
}
