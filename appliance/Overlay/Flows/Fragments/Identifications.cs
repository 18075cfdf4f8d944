using System.Threading;
using Genkan.Wire;

namespace Genkan.Overlay.Flows;

/// <summary>
/// New identifications for IPv4 packets that the agent cuts under an address that several hosts share: unique for a
/// while among all for one destination and protocol (RFC 6864 §4.3, §5.3.1). Counters as the kernel's, and as those
/// they begin where nobody can guess; all workers count on them.
/// </summary>
/// <param name="seed">Secret and new with each start of an agent.</param>
internal sealed class Identifications(ulong seed)
{
    private readonly uint[] _counters = new uint[FlowLimits.IdentificationCounters];

    /// <summary>The next one, never 0, which says nothing to some receivers.</summary>
    /// <param name="destination">Destination of the packet.</param>
    /// <param name="protocol">Its protocol.</param>
    public ushort Next(IpAddress destination, IpProtocol protocol)
    {
        ulong hash = Mix(Mix(seed ^ (ulong)destination.Value) ^ (ulong)protocol);
        uint count = Interlocked.Increment(ref _counters[hash % FlowLimits.IdentificationCounters]);
        ushort identification = (ushort)(count + (hash >> 32));
        return identification == 0 ? ushort.MaxValue : identification;
    }

    // A permutation with good avalanche (SplitMix64).
    private static ulong Mix(ulong x)
    {
        x += 0x9E37_79B9_7F4A_7C15;
        x = (x ^ (x >> 30)) * 0xBF58_476D_1CE4_E5B9;
        x = (x ^ (x >> 27)) * 0x94D0_49BB_1331_11EB;
        return x ^ (x >> 31);
    }
}
