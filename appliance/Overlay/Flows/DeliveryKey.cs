using Genkan.Overlay.Topology;

namespace Genkan.Overlay.Flows;

/// <summary>What a tunnel key asks its receiver to do; equal to <c>enum delivery_kind</c>.</summary>
public enum DeliveryKind : byte
{
    /// <summary>No such delivery.</summary>
    None = 0,

    /// <summary>Out of a port.</summary>
    Port = 1,

    /// <summary>To every port of a bridge on the receiver.</summary>
    Flood = 2,

    /// <summary>Out by the receiver's FIB.</summary>
    FibExit = 3,

    /// <summary>Back to the connection that the receiver translated.</summary>
    NatReturn = 4,
}

/// <summary>
/// The 24-bit tunnel key of a delivery action of a host: 16-bit slot, 8-bit generation. Until a store hands keys out,
/// both are derived from names, so that all hosts agree and no change elsewhere moves a key; two objects in one slot
/// of one host are a configuration error.
/// </summary>
/// <param name="Value">slot &lt;&lt; 8 | generation.</param>
public readonly record struct DeliveryKey(uint Value)
{
    /// <summary>Index in the receiver's delivery table.</summary>
    public ushort Slot => (ushort)(Value >> 8);

    /// <summary>Must equal the slot's generation.</summary>
    public byte Generation => (byte)Value;

    /// <summary>Derives the key.</summary>
    /// <param name="kind">Delivery.</param>
    /// <param name="target">Port, bridge, external network or NAT pool.</param>
    /// <param name="host">The receiver.</param>
    /// <param name="binding">What makes the key stale when it changes (e.g. id of the interface bound), None if
    /// nothing does.</param>
    public static DeliveryKey Of(DeliveryKind kind, ObjectId target, ObjectId host, ObjectId binding)
    {
        ulong slot = Mix(target.Value ^ Mix(host.Value + (byte)kind));
        ulong generation = Mix(binding.Value ^ slot ^ target.Value);
        return new DeliveryKey((uint)((slot & 0xffff) << 8) | (uint)(generation >> 56));
    }

    // The finaliser of SplitMix64: every input bit reaches every output bit.
    private static ulong Mix(ulong x)
    {
        x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
        x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
        return x ^ (x >> 31);
    }
}
