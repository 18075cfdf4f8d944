using Genkan.Overlay.Topology;
using Genkan.Wire;

namespace Genkan.Control.Plan;

/// <summary>
/// MAC addresses made of names, locally administered: the same on every host and after every restart.
/// </summary>
internal static class DerivedMac
{
    private const ulong RouterBase = 0x0200_0000_0000;
    private const ulong PortBase = 0x0201_0000_0000;

    /// <summary>A router's MAC on one of its ports, 02:00 and 32 bits of the name's hash.</summary>
    public static MacAddress OfRouterPort(ObjectId id) => new(RouterBase | Fold(id));

    /// <summary>The MAC of a port that names none, 02:01 and 32 bits of the name's hash.</summary>
    public static MacAddress OfPort(ObjectId id) => new(PortBase | Fold(id));

    private static ulong Fold(ObjectId id) => (id.Value ^ (id.Value >> 32)) & 0xFFFF_FFFF;
}
