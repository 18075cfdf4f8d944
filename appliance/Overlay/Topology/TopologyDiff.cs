using System.Collections.Generic;

namespace Genkan.Overlay.Topology;

/// <summary>An object whose dependent flows are stale.</summary>
/// <param name="Tag">Object or aspect.</param>
/// <param name="IsHard">Whether the next packet must miss; else the flow forwards on and is revalidated.</param>
public readonly record struct StaleTag(ObjectId Tag, bool IsHard);

/// <summary>What changed between two snapshots, in the words that flows depend on.</summary>
public static class TopologyDiff
{
    /// <summary>Lists the tags whose dependants are stale; each at most once.</summary>
    /// <param name="old">The snapshot that flows were simulated on.</param>
    /// <param name="current">The one that replaces it.</param>
    public static IReadOnlyList<StaleTag> ChangedTags(TopologySnapshot old, TopologySnapshot current)
    {
        List<StaleTag> stale = [];
        return stale;
    }
}
