using System.Collections.Generic;
using System.Linq;
using Genkan.Fuzz.Engine;
using Genkan.Fuzz.Planted;

namespace Genkan.Fuzz.Targets;

/// <summary>What can be fuzzed, by name.</summary>
public static class AllTargets
{
    /// <summary>All targets, those that read what strangers send first.</summary>
    public static IReadOnlyList<IFuzzTarget> All { get; } =
    [
        new FrameTarget(), new RewriteTarget(), new ChecksumTarget(), new Dhcp4Target(), new Dhcp6Target(),
        new NamesTarget(), new SimulateTarget(), new SlowPathTarget(), new ConfigurationTarget(), new TraceTarget(),
        new NetlinkTarget(), new UpcallTarget(),
    ];

    /// <summary>A target by its name; null if there is none. Finds the one with planted faults too.</summary>
    public static IFuzzTarget? Find(string name) =>
        name == PlantedTarget.TargetName ? new PlantedTarget() : All.FirstOrDefault(t => t.Name == name);
}
